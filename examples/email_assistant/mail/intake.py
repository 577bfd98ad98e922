"""What comes out of a mailbox, wherever the mailbox is: a mail, or a note about something that is none. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from examples.email_assistant.errors import UnreadableMailError
from examples.email_assistant.mail.message import Mail, parse

LARGEST = 25_000_000
"""Bytes. Mail beyond this is not read."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """An entry of the mailbox that is no mail, and why."""

    file: str
    reason: str


def taken(data: bytes, key: str) -> Mail | Unreadable:
    """Return what the bytes of one entry are.

    Args:
        data: The mail as it was stored.
        key: The key of the entry in its mailbox.
    """
    if len(data) > LARGEST:
        return too_large(len(data), key)
    try:
        return parse(data, file=key)
    except UnreadableMailError as error:
        return Unreadable(key, str(error))


def too_large(size: int, key: str) -> Unreadable:
    """Return the note about a mail that is not read because of its size in bytes."""
    return Unreadable(key, f"{key!r} has {size} bytes, more than {LARGEST}. Remove its attachments or answer it by hand.")


def age(found: Mail | Unreadable) -> tuple[datetime, str]:
    """Return what to sort by: oldest first, what has no date last."""
    date = found.date if isinstance(found, Mail) else None
    return (date or datetime.max.replace(tzinfo=UTC), found.file)
