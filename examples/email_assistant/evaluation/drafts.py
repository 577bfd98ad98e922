"""What can be checked in a mail without understanding it: recipients, headers, gaps, days, words, questions. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from examples.email_assistant.evaluation.days import names_day

if TYPE_CHECKING:
    from collections.abc import Iterator

    from examples.email_assistant.evaluation.case import DraftWish
    from examples.email_assistant.mail.message import Mail

RECIPIENTS = "the right recipients"
SUBJECT = "the right subject"
HEADERS = "belongs to its thread"
GAP = "no gap left"
DAYS = "names the day"
MENTIONS = "says what it should"
ASKS = "asks what it should"
# A placeholder in brackets is a gap when it speaks to its author; "[probe-users]" or "[1]" is ordinary text.
OPEN_GAP = re.compile(
    r"\[[^\]\n]*\b(your|insert|todo|tbd|fill in|answer here|placeholder)\b[^\]\n]*\]"
    r"|<(your|insert)\b[^>\n]*>|\{\{[^}\n]*\}\}|\b(TODO|TBD|XXX)\b|_{4,}"
)
QUESTION = re.compile(r"[^.!?。？！\n]*(?:\n(?!\n)[^.!?。？！\n]*)*[?？]")  # noqa: RUF001  (full-width marks are what Japanese mail has)


def draft_checks(mail: Mail, wish: DraftWish, sent: Mail) -> dict[str, str]:
    """Check a mail that went out.

    Args:
        mail: The mail it answers.
        wish: What it should be.
        sent: What went out.

    Returns:
        For each check what is wrong; empty where nothing is.
    """
    checks = {
        RECIPIENTS: ", ".join(_missing_recipients(wish, sent)),
        SUBJECT: "" if occurs(wish.subject, sent.subject) else f"{sent.subject!r} is not about {wish.subject!r}",
        HEADERS: "; ".join(_thread(mail, sent)),
        GAP: ", ".join(gaps(sent.fresh)),
    }
    if wish.days:
        checks[DAYS] = ", ".join(f"{day} is not named" for day in wish.days if not names_day(sent.fresh, day))
    if wish.mentions:
        checks[MENTIONS] = ", ".join(f"not a word of {' / '.join(group)}" for group in wish.mentions if not _any(group, sent.fresh))
    if wish.asks:
        asked = "\n".join(QUESTION.findall(sent.fresh))
        checks[ASKS] = ", ".join(f"no question with {' / '.join(group)}" for group in wish.asks if not _any(group, asked))
    return checks


def gaps(text: str) -> tuple[str, ...]:
    """Return the places of a text that its author still has to fill in."""
    return tuple(found.group() for found in OPEN_GAP.finditer(text))


def occurs(phrase: str, text: str) -> bool:
    """Tell whether a phrase stands in a text, whatever the case and the line breaks."""
    return " ".join(phrase.casefold().split()) in " ".join(text.casefold().split())


def _any(group: tuple[str, ...], text: str) -> bool:
    return any(occurs(one, text) for one in group)


def _missing_recipients(wish: DraftWish, sent: Mail) -> Iterator[str]:
    to, everyone = {one.address for one in sent.to}, {one.address for one in (*sent.to, *sent.cc)}
    yield from (f"{address} is not in To" for address in wish.to if address not in to)
    yield from (f"{address} gets no copy" for address in wish.cc if address not in everyone)


def _thread(mail: Mail, sent: Mail) -> Iterator[str]:
    """Say what a mail program would need to show the answer below the mail (RFC 5322, 3.6.4)."""
    if not mail.message_id:
        return
    if sent.in_reply_to != mail.message_id:
        yield f"In-Reply-To is {sent.in_reply_to or 'missing'} instead of {mail.message_id}"
    if not sent.references or sent.references[-1] != mail.message_id:
        yield f"References do not end with {mail.message_id}"
