"""Mail on its way to a server. What became of a mail is the folder its file is in; only this file moves it.

| Maildir | the mail in it |
|---|---|
| `outgoing` | was not sent; sending it is safe |
| `in-doubt` | was handed to a server that has not said whether it took it |
| `sent` | was taken by the server |

A mail in two of them is in the lower one: each step links the file into the next Maildir before it leaves the last, so a crash between
two steps loses nothing. A link fails when its name exists, so of two processes one sends. All three are Maildirs that a mail program can
show. A person settles a doubt with the file: moved to ``sent`` the mail counts as sent; deleted from ``in-doubt`` it is sent again.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from examples.email_assistant.deposit import deposit, folder
from examples.email_assistant.errors import OutboxError
from examples.email_assistant.mail.errors import InDoubtError

if TYPE_CHECKING:
    from pathlib import Path

Place = Literal["outgoing", "in-doubt", "sent"]


@dataclass(frozen=True, slots=True)
class Spool:
    """The three Maildirs.

    Args:
        path: The folder they are in; made when the first mail is kept.
    """

    path: Path

    def sent(self, name: str) -> Path | None:
        """Return the file of a mail that was sent; None when it was not, as far as is known."""
        return self._find("sent", name)

    def keep(self, name: str, content: bytes) -> Path:
        """Write a mail before it is sent, and return its file. The first content of a name stays.

        Raises:
            OutboxError: The disk refused.
        """
        for part in ("cur", "tmp"):
            folder(self.path / "outgoing" / part)
        target = folder(self.path / "outgoing" / "new") / f"{name}.eml"
        return self._find("outgoing", name) or deposit(target, content, staging=self.path / "outgoing" / "tmp")

    def refuse_doubt(self, name: str) -> None:
        """Do nothing unless the mail is in doubt.

        Raises:
            InDoubtError: It is.
        """
        if file := self._find("in-doubt", name):
            raise doubt(file, "an earlier attempt was cut off, or another process is sending it right now")

    def claim(self, name: str) -> Path:
        """Record, durably, that the mail is about to be handed over, and return its file.

        The file is in ``in-doubt``, or in ``sent`` when another process has sent it since.

        Raises:
            InDoubtError: Another process did so first.
            OutboxError: The disk refused.
        """
        self.refuse_doubt(name)
        return self.sent(name) or self._link(name, "outgoing", "in-doubt")

    def settle(self, name: str) -> Path:
        """Record that the server took the mail, and return its file in ``sent``.

        Raises:
            OutboxError: The disk refused; the mail stays in doubt.
        """
        target = self.sent(name) or self._link(name, "in-doubt", "sent")
        self._drop("in-doubt", name)
        self._drop("outgoing", name)
        return target

    def release(self, name: str) -> None:
        """Record that the mail was certainly not sent.

        Raises:
            OutboxError: The disk refused; the mail stays in doubt.
        """
        self._drop("in-doubt", name)

    def in_doubt(self) -> list[Path]:
        """Return the files of all mail that a person has to settle."""
        return sorted((self.path / "in-doubt").glob("[nc]*/*.eml*"))

    def _find(self, place: Place, name: str) -> Path | None:
        # A mail program that opens a Maildir moves files to cur and adds flags to their names.
        return next((file for part in ("new", "cur") for file in (self.path / place / part).glob(f"{name}.eml*")), None)

    def _link(self, name: str, source: Place, target: Place) -> Path:
        for part in ("cur", "tmp"):
            folder(self.path / target / part)
        link = folder(self.path / target / "new") / f"{name}.eml"
        try:
            file = self._find(source, name)
            if file is None:
                raise doubt(link, "its file was taken away while it was being sent")
            os.link(file, link)
            _sync(link.parent)
        except FileExistsError as error:
            raise doubt(link, "another process is sending it right now") from error
        except OSError as error:
            raise _refused(link, error) from error
        return link

    def _drop(self, place: Place, name: str) -> None:
        try:
            if file := self._find(place, name):
                file.unlink(missing_ok=True)
                _sync(file.parent)
        except OSError as error:
            raise _refused(self.path / place, error) from error


def doubt(file: Path, why: str) -> InDoubtError:
    """Return the error for a mail nobody knows the fate of.

    Args:
        file: Where the mail is kept.
        why: What happened, as a part of a sentence.
    """
    sent = file.parents[2] / "sent" / "new"
    return InDoubtError(
        f"Nobody knows whether the mail {file} was sent: {why}. It is not sent again by itself.",
        hint=f"Ask a recipient or look into the server's log. If it was sent, move the file to {sent}; if not, delete it and run again.",
    )


def _refused(path: Path, error: OSError) -> OutboxError:
    return OutboxError(f"{path} cannot be written: {error.strerror}.", hint="Make room, then look what is in the folder 'in-doubt'.")


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
