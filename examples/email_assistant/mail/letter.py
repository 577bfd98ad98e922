"""A letter and the RFC 5322 bytes it becomes. Only this file writes mail headers; every `Postbox` sends what it makes. Pure."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from email import message_from_bytes
from email.errors import MessageError
from email.headerregistry import Address as HeaderAddress
from email.message import EmailMessage
from email.policy import SMTP, default
from email.utils import format_datetime, getaddresses
from typing import TYPE_CHECKING

from examples.email_assistant.errors import ToolError

if TYPE_CHECKING:
    from datetime import datetime

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


def name_of(key: str) -> str:
    """Return the name a letter has everywhere: in its file name and its Message-ID. The same key gives the same name."""
    return hashlib.sha256(key.encode()).hexdigest()[:32]


def message_id(key: str, sender: Address) -> str:
    """Return the Message-ID of the letter with this key, with angle brackets."""
    return f"<{name_of(key)}@{sender.domain}>"


def composed(letter: Letter, *, sender: Address, key: str, answers: Mail | None, now: datetime) -> bytes:
    r"""Return the mail as it goes over the wire: ASCII, with ``\r\n``.

    Args:
        letter: What to write.
        sender: Who it is from.
        key: What makes this letter this letter.
        answers: The mail it replies to, for In-Reply-To and References.
        now: The Date; must have a time zone.

    Raises:
        ToolError: An address or the subject cannot stand in a mail header.
    """
    to, cc = recipients(letter.to), recipients(letter.cc) if letter.cc.strip() else []
    message = EmailMessage(policy=WIRE)
    try:
        message["From"] = HeaderAddress(sender.name, addr_spec=sender.address)
        message["To"] = to
        if cc:
            message["Cc"] = cc
        message["Subject"] = letter.subject
        message["Date"] = format_datetime(now)
        message["Message-ID"] = message_id(key, sender)
        if answers is not None and answers.message_id:
            message["In-Reply-To"] = answers.message_id
            message["References"] = " ".join(reference_chain(answers))
        message.set_content(letter.content.rstrip() + "\n", charset="utf-8")
        content = message.as_bytes()
    except (ValueError, MessageError) as error:
        raise ToolError(f"The mail has a header that cannot be written: {error}.", hint="Correct the address or the subject.") from error
    # What a human approved is who gets it: a name such as =?utf-8?q?eve=40example=2Ecom=2C?= reads as one more address.
    if envelope(content)[1] != list(dict.fromkeys(one.addr_spec for one in (*to, *cc))):
        raise ToolError(f"{letter.to!r} and {letter.cc!r} could be read as other recipients.", hint="Write the names in plain letters.")
    return content


def envelope(content: bytes) -> tuple[str, list[str]]:
    """Return the sender and everybody who gets a mail: its From, and its To and Cc, each once."""
    message = message_from_bytes(content, policy=default)
    senders, *others = ([one.addr_spec for value in message.get_all(name, []) for one in value.addresses] for name in ("From", "To", "Cc"))
    return senders[0], list(dict.fromkeys(one for people in others for one in people))


def recipients(written: str) -> list[HeaderAddress]:
    """Return the addresses of a list such as ``"Ada <ada@example.org>, bob@example.org"``.

    Raises:
        ToolError: There is none, or one of them is no address.
    """
    pairs = [(name, address) for name, address in getaddresses([written]) if name or address]
    broken = [name or address for name, address in pairs if not all(address.partition("@")) or set(address) & set(" \r\n")]
    if broken or not pairs or not written.isprintable():
        raise ToolError(f"{written!r} is no list of mail addresses.", hint="Write them as 'Name <name@example.org>', separated by commas.")
    if foreign := [address for _, address in pairs if not address.isascii()]:
        raise ToolError(
            f"The address {foreign[0]!r} has letters that mail servers do not take.", hint="Write the domain in its form with xn--."
        )
    try:
        return [HeaderAddress(name, addr_spec=address) for name, address in pairs]
    except (ValueError, IndexError, MessageError) as error:
        raise ToolError(
            f"{written!r} has an address that cannot be used: {error}.", hint="Write it as 'Name <name@example.org>'."
        ) from error


def reference_chain(mail: Mail) -> tuple[str, ...]:
    """Return the References of a reply (RFC 5322, section 3.6.4), the middle left out of very long threads."""
    earlier = mail.references or ((mail.in_reply_to,) if mail.in_reply_to else ())
    chain = tuple(one for one in dict.fromkeys((*earlier, mail.message_id)) if one)
    return chain if len(chain) <= LONGEST_CHAIN else (chain[0], *chain[-(LONGEST_CHAIN - 1) :])
