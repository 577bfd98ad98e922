"""What a mail wants, as far as patterns can tell. Pure; mail text is searched and quoted, never obeyed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from examples.email_assistant.rules import signs
from examples.email_assistant.rules.calendar_words import MONTHS, RELATIVE_DAYS, WEEKDAYS
from examples.email_assistant.rules.moments import ClockTime, find_day, find_minutes, find_time

if TYPE_CHECKING:
    from examples.email_assistant.mail.message import Mail

# A full stop after a number is a date in German, not the end of a sentence.
SENTENCE_END = re.compile(r"(?<=[?!\uff1f\uff01\u3002])\s*|(?<=[^\d]\.)\s+|\n\s*\n|(?<=:)\s*\n")
DAY_WORDS = "|".join(
    [r"\d{4}-\d{2}", r"\d{1,2}\.\d{1,2}\.", *(name for table in (WEEKDAYS, MONTHS) for names in table.values() for name in names)]
    + [words for words, _ in RELATIVE_DAYS]
    + [r"\d{1,2}\.? (?:de )?(?:" + "|".join(name for names in MONTHS.values() for name in names) + ")"]
)
GREETING_WORDS = "hi|hello|dear|good (?:morning|day)|hallo|guten (?:tag|morgen)|lieber?|sehr geehrter?|hola|buenos días|estimad[oa]"
GREETING_LINE = re.compile(rf"^(?:{GREETING_WORDS})?\b[^,:\n.?!]{{0,30}}[,:]$", re.IGNORECASE)


class Intent(StrEnum):
    """What the sender wants from the reader."""

    MEETING = "meeting"
    DEADLINE = "deadline"
    REQUEST = "request"
    QUESTION = "question"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Reading:
    """What was found in a mail.

    ``sentence`` is the sender's own sentence that says so. ``day``, ``at`` and ``minutes`` are what a meeting was wished for,
    ``due`` is the last day that keeps a deadline. ``vague`` means that the sentence points at something the mail does not contain.
    """

    intent: Intent
    language: str
    sentence: str = ""
    day: date | None = None
    at: ClockTime | None = None
    minutes: int | None = None
    due: date | None = None
    vague: bool = False


def read(mail: Mail, today: date) -> Reading:
    """Read a mail.

    Args:
        mail: The mail; only what its sender wrote is looked at, no quoted mail.
        today: The day it was written, for words such as "tomorrow".
    """
    tongue = language(mail.fresh)
    found = [_reading(sentence, tongue, today) for sentence in sentences(mail.fresh)]
    for intent in (Intent.MEETING, Intent.DEADLINE, Intent.QUESTION, Intent.REQUEST):
        for one in found:
            if one.intent is intent:
                return one
    return Reading(Intent.NOTHING, tongue)


def language(text: str) -> str:
    """Return the language of a text: ``en``, ``de``, ``es``, ``ja``, another code that the rules do not speak, or ``""``."""
    if re.search(signs.KANA, text):
        return "ja"
    words = re.findall(r"[^\W\d_]+", text.lower())
    counts = {tongue: sum(word in common.split() for word in words) for tongue, common in signs.STOPWORDS.items()}
    best = max(counts, key=counts.__getitem__)
    return best if counts[best] else ""


def sentences(text: str) -> list[str]:
    """Return the sentences of a body without greeting and lists, each on one line."""
    lines = [line for line in text.splitlines() if not GREETING_LINE.match(line.strip()) and not line.startswith("- ")]
    # Japanese is written without spaces, so its lines are joined without one.
    joiner = "" if re.search(signs.KANA, text) else " "
    pieces = SENTENCE_END.split("\n".join(lines))
    return [joiner.join(piece.split()) for piece in pieces if piece and piece.strip()]


def _reading(sentence: str, tongue: str, today: date) -> Reading:
    text = sentence.lower()
    asks = bool(re.search(signs.ASKS.get(tongue, r"(?!)"), text)) and not re.search(signs.POLITE, text)
    is_question = bool(re.search(signs.QUESTION_END, text))
    if not asks and not is_question:
        return Reading(Intent.NOTHING, tongue)
    day, at, minutes = find_day(text, today), find_time(text), find_minutes(text)
    due = _due(text, tongue, today)
    if re.search(signs.MEETING.get(tongue, r"(?!)"), text) and (day or at or minutes) and due is None:
        return Reading(Intent.MEETING, tongue, sentence, day=day, at=at, minutes=minutes)
    if due is not None:
        return Reading(Intent.DEADLINE, tongue, sentence, due=due)
    vague = bool(re.search(signs.POINTS_ELSEWHERE, text)) and len(text.split()) < 16
    is_request = asks and not is_question
    return Reading(Intent.REQUEST if is_request else Intent.QUESTION, tongue, sentence, vague=vague)


def _due(text: str, tongue: str, today: date) -> date | None:
    words = signs.DUE.get(tongue)
    found = re.search(words.replace("{day}", DAY_WORDS), text) if words else None
    if found is None:
        return None
    # Japanese puts "until" behind the day, the other languages before it.
    day = find_day(text[: found.start()] if tongue == "ja" else text[found.end() :], today)
    if day is None:
        return None
    return day - timedelta(days=1) if re.search(signs.STRICTLY_BEFORE, found[0]) else day
