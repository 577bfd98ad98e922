"""Mail that a machine sent. It is never answered, whatever a model, a mail or a human says (RFC 3834, section 2). Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from examples.email_assistant.mail.message import Mail

BULK = frozenset({"bulk", "list", "junk", "auto_reply"})
LIST_HEADERS = ("List-Id", "List-Unsubscribe", "List-Post")
REPLY_HEADERS = ("X-Autoreply", "X-Autorespond")
MACHINE = re.compile(
    r"^(?:[\w.+-]*[-_.+])?(?:no-?_?\.?reply|do-?_?\.?not-?_?\.?reply|mailer-daemon|postmaster|bounces?|notifications?)(?:[-+_.=@]|$)",
    re.IGNORECASE,
)


def reason_not_to_answer(mail: Mail) -> str | None:
    """Return why no reply may go to the sender of this mail, with the words that say so; None when a reply may be written."""
    return next(_reasons(mail), None)


def _reasons(mail: Mail) -> Iterator[str]:
    headers = mail.automation
    if any(word != "no" for word in _words(headers.get("Auto-Submitted", ""))):
        yield f"sent by a program (Auto-Submitted: {headers['Auto-Submitted']})"
    if BULK & set(_words(headers.get("Precedence", ""))):
        yield f"bulk mail (Precedence: {headers['Precedence']})"
    for name in (one for one in LIST_HEADERS if one in headers):
        yield f"mail of a list ({name})"
    if set(_words(headers.get("X-Auto-Response-Suppress", ""))) - {"none"}:
        yield f"automatic answers are refused (X-Auto-Response-Suppress: {headers['X-Auto-Response-Suppress']})"
    for name in (one for one in REPLY_HEADERS if one in headers):
        yield f"an automatic reply ({name})"
    if "".join(headers.get("Return-Path", "").split()) == "<>":
        yield "a notice that must not be answered (Return-Path: <>)"
    if mail.content_type == "multipart/report":
        yield "a delivery report"
    for address in dict.fromkeys((mail.sender.address, mail.reply_to.address)):
        if MACHINE.match(address):
            yield f"nobody reads answers to {address}"


def _words(value: str) -> list[str]:
    """Return the words of a header with commas, in lower case, without parameters and comments (RFC 3834, section 5.2)."""
    bare = re.sub(r"\([^)]*\)|;[^,]*", "", value.lower())
    return [word for word in (part.strip() for part in bare.split(",")) if word]
