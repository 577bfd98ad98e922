"""The mailbox: a Maildir that is read and never changed."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from mailbox import Maildir
from typing import TYPE_CHECKING

from examples.email_assistant.errors import MailboxError, UnreadableMailError
from examples.email_assistant.mail.message import Mail, parse

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LARGEST = 25_000_000


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A file of the mailbox that is no mail, and why."""

    file: str
    reason: str


def read(mailbox: Path) -> list[Mail | Unreadable]:
    """Return every mail of a Maildir, oldest first, those without a date last.

    Raises:
        MailboxError: There is no Maildir at this place, or it cannot be read.
    """
    if not (mailbox / "new").is_dir() or not (mailbox / "cur").is_dir():
        raise MailboxError(f"{mailbox} is no Maildir: it needs the folders 'new' and 'cur'.", hint="Give another place with --mailbox DIR.")
    try:
        found = list(_each(mailbox))
    except OSError as error:
        raise MailboxError(f"{mailbox} cannot be read: {error.strerror}.", hint="Check the permissions of the folder.") from error
    return sorted(found, key=_age)


def thread_id(mail: Mail) -> str:
    """Return the thread this mail is worked on: the same for the same Message-ID, also in another run and on another machine."""
    return "mail-" + hashlib.sha256((mail.message_id or mail.digest).encode()).hexdigest()[:24]


def second_thread_id(mail: Mail) -> str:
    """Return the thread for a mail that carries the Message-ID of another mail."""
    return "mail-" + hashlib.sha256((mail.message_id + mail.digest).encode()).hexdigest()[:24]


def _each(mailbox: Path) -> Iterator[Mail | Unreadable]:
    box = Maildir(mailbox, create=False)
    for key in box.keys():  # noqa: SIM118  (a Maildir iterates over messages, not keys)
        data = box.get_bytes(key)
        try:
            yield _mail(data, key)
        except UnreadableMailError as error:
            yield Unreadable(key, str(error))


def _mail(data: bytes, key: str) -> Mail:
    if len(data) > LARGEST:
        raise UnreadableMailError(
            f"{key!r} has {len(data)} bytes, more than {LARGEST}.", hint="Remove its attachments or answer it by hand."
        )
    return parse(data, file=key)


def _age(found: Mail | Unreadable) -> tuple[datetime, str]:
    date = found.date if isinstance(found, Mail) else None
    return (date or datetime.max.replace(tzinfo=UTC), found.file)
