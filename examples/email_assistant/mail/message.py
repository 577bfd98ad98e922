"""One mail as data. Only this file reads RFC 5322; everything behind it sees `Mail`."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes
from email.errors import MessageError
from email.message import EmailMessage, MIMEPart
from email.policy import EmailPolicy
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, cast

from examples.email_assistant.errors import UnreadableMailError
from examples.email_assistant.mail.markup import LONGEST, hidden_text, visible_text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from email.policy import Policy

RAW = re.compile("[\udc80-\udcff]")
LONE = re.compile("[\ud800-\udc7f\udd00-\udfff]")
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
LONGEST_HEADER = 16_000
LONGEST_CONTENT_HEADER = 1_500
LONGEST_TEXT = LONGEST
LARGEST_HEAD = 1_000_000
MOST_PARTS = 500
MOST_BOUNDARIES = 20_000
LEFT_ALONE = "Look at the file; it stays where it is and is not processed."
AUTOMATION_HEADERS = (
    "Auto-Submitted",
    "Precedence",
    "List-Id",
    "List-Unsubscribe",
    "List-Post",
    "X-Auto-Response-Suppress",
    "X-Autoreply",
    "X-Autorespond",
    "Return-Path",
)


class _CutHeaders(EmailPolicy):
    """The usual policy, but raw bytes are read, and what no honest header needs is cut off: long ones take minutes to parse."""

    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
        name, value = super().header_source_parse(sourcelines)
        return name, _decoded(value)[: _longest(name)]


POLICY = cast("Policy[EmailMessage]", _CutHeaders())


def parse(data: bytes, *, file: str) -> Mail:
    """Read one mail.

    Args:
        data: The file's bytes, as stored.
        file: The name to show when something is wrong with it.

    Raises:
        UnreadableMailError: It has no sender, or its structure is beyond reading.
    """
    head = data.find(b"\n\n") if b"\r\n\r\n" not in data else data.find(b"\r\n\r\n")
    if max(head, len(data) if head < 0 else 0) > LARGEST_HEAD or data.count(b"\n--") > MOST_BOUNDARIES:
        raise UnreadableMailError(f"{file!r} has more headers or parts than any honest mail.", hint=LEFT_ALONE)
    try:
        return _read(message_from_bytes(data, policy=POLICY), file)
    # The standard library's header parser is known to leak these on hostile headers.
    except (ArithmeticError, AssertionError, AttributeError, LookupError, MessageError, RecursionError, TypeError, ValueError) as error:
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
    parts = list(message.walk())
    if len(parts) > MOST_PARTS:
        raise UnreadableMailError(f"{file!r} has {len(parts)} parts, more than {MOST_PARTS}.", hint=LEFT_ALONE)
    damage: list[str] = [f"mail structure: {type(defect).__name__}" for part in parts for defect in part.defects]
    damage += [f"header {name} is cut" for name, value in message.raw_items() if len(value) >= _longest(name)]
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
        automation={name: _every(message, name) for name in AUTOMATION_HEADERS if name in message},
        content_type=message.get_content_type(),
        calendar_method=_calendar_method(message),
        attachments=tuple(_attachments(message)),
        damage=tuple(damage),
    )


def _header(message: EmailMessage, name: str) -> str:
    return _line(str(message.get(name, "")))


def _every(message: EmailMessage, name: str) -> str:
    return ", ".join(_line(str(value)) for value in message.get_all(name, []))


def _line(text: str) -> str:
    return " ".join(_decoded(text).split())


def _longest(name: str) -> int:
    return LONGEST_CONTENT_HEADER if name.lower().startswith("content-") else LONGEST_HEADER


def _decoded(text: str) -> str:
    """Read bytes that a header or body carries without saying their charset: UTF-8 if they are, else what old mailers send."""
    if text.isascii():
        return text
    text = LONE.sub("\ufffd", text)
    try:
        return text.encode("utf-8", "surrogateescape").decode("utf-8")
    except UnicodeDecodeError:
        return RAW.sub(lambda byte: bytes([ord(byte[0]) - 0xDC00]).decode("cp1252", "replace"), text)


def _ids(message: EmailMessage, name: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(MESSAGE_ID.findall(_decoded(str(message.get(name, ""))))))


def _addresses(message: EmailMessage, name: str) -> tuple[Address, ...]:
    found = [one for value in message.get_all(name, []) for one in value.addresses]
    return tuple(Address(_line(one.display_name), _line(one.addr_spec).lower()) for one in found if one.username and one.domain)


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
    text = text.replace("\r\n", "\n").strip()
    if max(len(text), len(markup)) > LONGEST_TEXT:
        damage.append(f"text of {max(len(text), len(markup))} characters: only the first {LONGEST_TEXT} are read")
    return text[:LONGEST_TEXT], hidden_text(markup)


def _content(part: MIMEPart, damage: list[str]) -> str:
    try:
        return _decoded(str(part.get_content()))
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
            yield Attachment(_line(name), part.get_content_type(), len(payload) if isinstance(payload, bytes) else 0)
