"""Where mail comes from and where it goes: the two ports of the assistant. What stands behind them, no other package has to know.

| port | on files (the default) | on a server |
|---|---|---|
| `Mailbox` | `maildir.MaildirMailbox` | `imap.ImapMailbox` |
| `Postbox` | `outbox.Outbox` | `smtp.SmtpPostbox` |
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from examples.email_assistant.mail.intake import Unreadable
    from examples.email_assistant.mail.letter import Letter
    from examples.email_assistant.mail.message import Mail


class Mailbox(Protocol):
    """Mail that waits to be worked on."""

    def unread(self) -> list[Mail | Unreadable]:
        """Return what waits, oldest first, mail without a date last. Reading changes nothing: the next call returns the same.

        The ``file`` of each is its key: the same in every call and every process, as long as the mail is in the mailbox.

        Raises:
            MailboxError: The mailbox is not there or cannot be read.
            MailServerError: The server cannot be used; nothing was changed.
        """
        ...

    def mark_handled(self, key: str) -> None:
        """Say that a mail needs no more work. Saying it again changes nothing, nor does saying it of a mail that is gone.

        Args:
            key: The ``file`` of the mail.

        Raises:
            MailboxError: The key is not of this mailbox, or the mail cannot be marked.
            MailServerError: The server cannot be used; the mail may come again.
        """
        ...


@dataclass(frozen=True, slots=True)
class Receipt:
    """A letter that was handed over.

    Args:
        message_id: Its Message-ID, with angle brackets.
        file: The mail as it was written, in a Maildir on this machine.
        warning: What went wrong after the letter was handed over; empty when nothing did.
    """

    message_id: str
    file: Path
    warning: str = ""


class Postbox(Protocol):
    """Takes letters that a human approved, each once."""

    def send(self, letter: Letter, *, key: str, answers: Mail | None, now: datetime) -> Receipt:
        """Hand over one letter. A second call with the same key hands over nothing and returns the same receipt.

        Args:
            letter: What to send.
            key: What makes this letter this letter: the thread and the tool call it comes from.
            answers: The mail it replies to, for In-Reply-To and References.
            now: The Date of the mail; must have a time zone.

        Raises:
            ToolError: An address or the subject cannot stand in a mail; nothing was sent.
            InDoubtError: Nobody knows whether it was sent. Calling again raises this again and sends nothing.
            OutboxError: It cannot be written; nothing was sent.
            MailServerError: The server cannot be used; nothing was sent, and calling again later is safe.
        """
        ...
