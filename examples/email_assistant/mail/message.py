"""One mail as data. Only this file reads RFC 5322; everything behind it sees `Mail`."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage, MIMEPart
from email.policy import default
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from examples.email_assistant.errors import UnreadableMailError
from examples.email_assistant.mail.markup import hidden_text, visible_text

if TYPE_CHECKING:
    from collections.abc import Iterator

MESSAGE_ID = re.compile(r"<[^<>\s]+>")
QUOTE_INTRODUCTION = re.compile(
    r"^(On .+ wrote:|Am .+ schrieb .*:|El .+ escribi(ó|o):|-----\s*Original Message\s*-----|_{10,})\s*$", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Address:
    """A name, possibly empty, and an address in lower case."""

    name: str
    address: str

    @property
    def domain(self) -> str:
        """The part after the last ``@``; empty when there is none."""
        return self.address.rpartition("@")[2]

    def __str__(self) -> str:
        """Return it as it stands in a header, quoted where RFC 5322 wants that."""
        if not self.name:
            return self.address
        name = self.name if not SPECIALS & set(self.name) else '"' + self.name.replace("\\", "\\\\").replace('"', '\\"') + '"'
        return f"{name} <{self.address}>"


@dataclass(frozen=True, slots=True)
class Attachment:
    """A named part of a mail; its content stays in the file."""

    name: str
    content_type: str
    size: int


@dataclass(frozen=True, slots=True)
class Mail:
    """What the assistant knows of one mail.

    ``text`` is the body as a reader sees it, ``fresh`` the part of it above quoted mail, ``hidden`` what HTML hides from a reader.
    ``automation`` holds the headers that say "a machine sent this", as written. ``damage`` lists what could not be read properly.
    """

    file: str
    digest: str
    message_id: str
    in_reply_to: str
    references: tuple[str, ...]
    date: datetime | None
    sender: Address
    reply_to: Address
    to: tuple[Address, ...]
    cc: tuple[Address, ...]
    subject: str
    text: str
    fresh: str
    hidden: str
    automation: dict[str, str]
    content_type: str
    calendar_method: str
    attachments: tuple[Attachment, ...]
    damage: tuple[str, ...]

    @property
    def participants(self) -> frozenset[str]:
        """Every address that is part of this mail, in lower case."""
        return frozenset(one.address for one in (self.sender, *self.to, *self.cc))


SPECIALS = frozenset('()<>[]:;@\\,."')
LEFT_ALONE = "Look at the file; it stays where it is and is not processed."
AUTOMATION_HEADERS = (
    "Auto-Submitted",
    "Precedence",
    "List-Id",
    "List-Unsubscribe",
    "List-Post",
    "X-Auto-Response-Suppress",
    "Return-Path",
)


def parse(data: bytes, *, file: str) -> Mail:
    """Read one mail.

    Args:
        data: The file's bytes, as stored.
        file: The name to show when something is wrong with it.

    Raises:
        UnreadableMailError: It has no sender, or its structure is beyond reading.
    """
    try:
        return _read(message_from_bytes(data, policy=default), file)
    # The standard library's header parser is known to leak these on hostile headers.
    except (AttributeError, IndexError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise UnreadableMailError(f"{file!r} cannot be read as mail: {error!r}.", hint=LEFT_ALONE) from error


def fresh_text(text: str) -> str:
    """Return the part of a body that its sender wrote: no quoted lines, nothing below "On ... wrote:"."""
    lines: list[str] = []
    for line in text.splitlines():
        if QUOTE_INTRODUCTION.match(line.strip()):
            break
        if not line.lstrip().startswith(">"):
            lines.append(line)
    return "\n".join(lines).strip()


def _read(message: EmailMessage, file: str) -> Mail:
    senders = _addresses(message, "From")
    if not senders:
        raise UnreadableMailError(f"{file!r} is no mail: it has no sender.", hint=LEFT_ALONE)
    damage: list[str] = [f"mail structure: {type(defect).__name__}" for part in message.walk() for defect in part.defects]
    text, hidden = _body(message, damage)
    reply_to = _addresses(message, "Reply-To")
    in_reply_to = _ids(message, "In-Reply-To")
    identity = (_header(message, "Date"), _header(message, "Subject"))
    return Mail(
        file=file,
        digest=hashlib.sha256("\n".join((senders[0].address, *identity, text)).encode()).hexdigest(),
        message_id=next(iter(_ids(message, "Message-ID")), ""),
        in_reply_to=next(iter(in_reply_to), ""),
        references=_ids(message, "References"),
        date=_date(message, damage),
        sender=senders[0],
        reply_to=reply_to[0] if reply_to else senders[0],
        to=_addresses(message, "To"),
        cc=_addresses(message, "Cc"),
        subject=_header(message, "Subject"),
        text=text,
        fresh=fresh_text(text),
        hidden=hidden,
        automation={name: _header(message, name) for name in AUTOMATION_HEADERS if name in message},
        content_type=message.get_content_type(),
        calendar_method=_calendar_method(message),
        attachments=tuple(_attachments(message)),
        damage=tuple(damage),
    )


def _header(message: EmailMessage, name: str) -> str:
    return " ".join(str(message.get(name, "")).split())


def _ids(message: EmailMessage, name: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(MESSAGE_ID.findall(str(message.get(name, "")))))


def _addresses(message: EmailMessage, name: str) -> tuple[Address, ...]:
    found = [one for value in message.get_all(name, []) for one in value.addresses]
    return tuple(Address(" ".join(one.display_name.split()), one.addr_spec.lower()) for one in found if one.username and one.domain)


def _date(message: EmailMessage, damage: list[str]) -> datetime | None:
    written = _header(message, "Date")
    if not written:
        return None
    try:
        date = parsedate_to_datetime(written)
    except (ValueError, OverflowError):
        damage.append(f"date that cannot be read: {written!r}")
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)


def _body(message: EmailMessage, damage: list[str]) -> tuple[str, str]:
    html = message.get_body(preferencelist=("html",))
    plain = message.get_body(preferencelist=("plain",))
    markup = _content(html, damage) if html is not None else ""
    text = _content(plain, damage) if plain is not None else visible_text(markup)
    return text.replace("\r\n", "\n").strip(), hidden_text(markup)


def _content(part: MIMEPart, damage: list[str]) -> str:
    try:
        return str(part.get_content())
    except (LookupError, UnicodeError):
        charset = part.get_content_charset("")
        damage.append(f"unknown charset {charset!r}: read as UTF-8 as far as possible")
        payload = part.get_payload(decode=True)
        return payload.decode("utf-8", "replace") if isinstance(payload, bytes) else ""


def _calendar_method(message: EmailMessage) -> str:
    methods = [str(part.get_param("method", "PUBLISH")) for part in message.walk() if part.get_content_type() == "text/calendar"]
    return methods[0].upper() if methods else ""


def _attachments(message: EmailMessage) -> Iterator[Attachment]:
    for part in message.walk():
        name = part.get_filename()
        if name and not part.is_multipart():
            payload = part.get_payload(decode=True)
            yield Attachment(name, part.get_content_type(), len(payload) if isinstance(payload, bytes) else 0)
