"""The postbox on files: a Maildir of outgoing mail, each written once. A mail program or a person sends it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from examples.email_assistant.deposit import deposit, folder
from examples.email_assistant.mail.letter import Letter, composed, message_id, name_of, recipients, reference_chain
from examples.email_assistant.mail.port import Receipt

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from examples.email_assistant.mail.message import Address, Mail

__all__ = ["Letter", "Outbox", "recipients", "reference_chain"]


@dataclass(frozen=True, slots=True)
class Outbox:
    """A Maildir for mail that a human approved; a `Postbox`.

    Args:
        path: The folder of the Maildir; made when the first mail is written.
        sender: Who the mail is from.
    """

    path: Path
    sender: Address

    def send(self, letter: Letter, *, key: str, answers: Mail | None, now: datetime) -> Receipt:
        """Write one mail, as `Postbox.send`."""
        return Receipt(message_id(key, self.sender), self.write(letter, key=key, answers=answers, now=now))

    def write(self, letter: Letter, *, key: str, answers: Mail | None, now: datetime) -> Path:
        """Write one mail and return its file. A second call with the same key writes nothing and returns the same file.

        Args:
            letter: What to write.
            key: What makes this mail this mail: the thread and the tool call it comes from.
            answers: The mail it replies to, for In-Reply-To and References.
            now: The Date of the mail; must have a time zone.

        Raises:
            ToolError: An address or the subject cannot stand in a mail header.
            OutboxError: The file cannot be written.
        """
        name = name_of(key)
        content = composed(letter, sender=self.sender, key=key, answers=answers, now=now)
        new, current, staging = (folder(self.path / part) for part in ("new", "cur", "tmp"))
        # A mail program that opens the Maildir moves a file to cur and adds flags to its name.
        moved = next(current.glob(f"{name}.eml*"), None)
        return moved or deposit(new / f"{name}.eml", content, staging=staging)
