"""The mailbox on files: a Maildir, and the threads its mail is worked on."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from mailbox import Maildir
from typing import TYPE_CHECKING

from examples.email_assistant.errors import MailboxError
from examples.email_assistant.mail.intake import Unreadable, age, taken

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from examples.email_assistant.mail.message import Mail

__all__ = ["MaildirMailbox", "Unreadable", "read", "second_thread_id", "thread_id"]

INFO = ":2,"


@dataclass(frozen=True, slots=True)
class MaildirMailbox:
    """A Maildir as a `Mailbox`.

    Args:
        path: The folder.
        mark: The Maildir flag of handled mail, such as ``S`` (seen). Mail that has it does not wait. Empty: nothing is ever marked,
            and every mail waits; the saved threads tell which is done.
    """

    path: Path
    mark: str = ""

    def unread(self) -> list[Mail | Unreadable]:
        """Return what waits, as `Mailbox.unread`."""
        return read(self.path, without=self.mark)

    def mark_handled(self, key: str) -> None:
        """Move a mail to ``cur`` and give its name the flag, as `Mailbox.mark_handled`."""
        if not self.mark:
            return
        try:
            # A mail program that renames the file at the same moment is found under the new name.
            while found := self._file(key):
                if _renamed(found, self.path / "cur", self.mark):
                    return
        except OSError as error:
            raise MailboxError(
                f"{key} in {self.path} cannot be marked: {error.strerror}.", hint="Check the permissions of the folder."
            ) from error

    def _file(self, key: str) -> Path | None:
        places = (path for part in ("new", "cur") for path in (self.path / part).iterdir())
        return next((path for path in places if path.name.split(":")[0] == key), None)


def read(mailbox: Path, *, without: str = "") -> list[Mail | Unreadable]:
    """Return every mail of a Maildir, oldest first, those without a date last. Nothing in it is changed.

    Args:
        mailbox: The folder.
        without: Leave out mail that has this flag; empty leaves out none.

    Raises:
        MailboxError: There is no Maildir at this place, or it cannot be read.
    """
    if not (mailbox / "new").is_dir() or not (mailbox / "cur").is_dir():
        raise MailboxError(f"{mailbox} is no Maildir: it needs the folders 'new' and 'cur'.", hint="Give another place with --mailbox DIR.")
    try:
        found = list(_each(mailbox, without))
    except OSError as error:
        raise MailboxError(f"{mailbox} cannot be read: {error.strerror}.", hint="Check the permissions of the folder.") from error
    return sorted(found, key=age)


def thread_id(mail: Mail) -> str:
    """Return the thread this mail is worked on: the same for the same Message-ID, also in another run and on another machine."""
    return "mail-" + hashlib.sha256((mail.message_id or mail.digest).encode()).hexdigest()[:24]


def second_thread_id(mail: Mail) -> str:
    """Return the thread for a mail that carries the Message-ID of another mail."""
    return "mail-" + hashlib.sha256((mail.message_id + mail.digest).encode()).hexdigest()[:24]


def _each(mailbox: Path, without: str) -> Iterator[Mail | Unreadable]:
    box = Maildir(mailbox, create=False)
    flagged = {path.name.split(":")[0] for path in (mailbox / "cur").iterdir() if without and without in _flags(path)}
    for key in box.keys():  # noqa: SIM118  (a Maildir iterates over messages, not keys)
        if key in flagged:
            continue
        try:
            data = box.get_bytes(key)
        except KeyError:
            # A mail program deleted it while the mailbox was being read.
            continue
        yield taken(data, key)


def _flags(path: Path) -> str:
    return path.name.partition(INFO)[2]


def _renamed(file: Path, current: Path, mark: str) -> bool:
    flags = "".join(sorted({*_flags(file), *mark}))
    target = current / f"{file.name.split(':')[0]}{INFO}{flags}"
    try:
        file.rename(target)
    except FileNotFoundError:
        return False
    return True
