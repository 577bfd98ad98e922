"""Outgoing mail: RFC 5322 files in a Maildir, each written once."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from email.errors import MessageError
from email.headerregistry import Address as HeaderAddress
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, getaddresses
from typing import TYPE_CHECKING

from examples.email_assistant.deposit import deposit, folder
from examples.email_assistant.errors import ToolError

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from examples.email_assistant.mail.message import Address, Mail

# Folding at 78 would break long message ids in References into encoded words; 998 is the limit of RFC 5322.
WIRE = SMTP.clone(max_line_length=900, cte_type="7bit")
LONGEST_CHAIN = 20


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail to be written: header addresses as typed, the body as plain text."""

    to: str
    cc: str
    subject: str
    content: str


@dataclass(frozen=True, slots=True)
class Outbox:
    """A Maildir for mail that a human approved.

    Args:
        path: The folder of the Maildir; made when the first mail is written.
        sender: Who the mail is from.
    """

    path: Path
    sender: Address

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
        name = hashlib.sha256(key.encode()).hexdigest()[:32]
        content = self._message(letter, name, answers, now).as_bytes()
        new, current, staging = (folder(self.path / part) for part in ("new", "cur", "tmp"))
        # A mail program that opens the Maildir moves a file to cur and adds flags to its name.
        moved = next(current.glob(f"{name}.eml*"), None)
        return moved or deposit(new / f"{name}.eml", content, staging=staging)

    def _message(self, letter: Letter, name: str, answers: Mail | None, now: datetime) -> EmailMessage:
        message = EmailMessage(policy=WIRE)
        try:
            message["From"] = HeaderAddress(self.sender.name, addr_spec=self.sender.address)
            message["To"] = recipients(letter.to)
            if letter.cc.strip():
                message["Cc"] = recipients(letter.cc)
            message["Subject"] = letter.subject
        except (ValueError, MessageError) as error:
            raise ToolError(
                f"The mail has a header that cannot be written: {error}.", hint="Correct the address or the subject."
            ) from error
        message["Date"] = format_datetime(now)
        message["Message-ID"] = f"<{name}@{self.sender.domain}>"
        if answers is not None and answers.message_id:
            message["In-Reply-To"] = answers.message_id
            message["References"] = " ".join(reference_chain(answers))
        message.set_content(letter.content.rstrip() + "\n", charset="utf-8")
        return message


def recipients(written: str) -> list[HeaderAddress]:
    """Return the addresses of a list such as ``"Ada <ada@example.org>, bob@example.org"``.

    Raises:
        ToolError: There is none, or one of them is no address.
    """
    pairs = [(name, address) for name, address in getaddresses([written]) if name or address]
    broken = [name or address for name, address in pairs if not all(address.partition("@")) or set(address) & set(" \r\n")]
    if broken or not pairs:
        raise ToolError(f"{written!r} is no list of mail addresses.", hint="Write them as 'Name <name@example.org>', separated by commas.")
    return [HeaderAddress(name, addr_spec=address) for name, address in pairs]


def reference_chain(mail: Mail) -> tuple[str, ...]:
    """Return the References of a reply (RFC 5322, section 3.6.4), the middle left out of very long threads."""
    earlier = mail.references or ((mail.in_reply_to,) if mail.in_reply_to else ())
    chain = tuple(one for one in dict.fromkeys((*earlier, mail.message_id)) if one)
    return chain if len(chain) <= LONGEST_CHAIN else (chain[0], *chain[-(LONGEST_CHAIN - 1) :])
