"""Drafts of mail text: templates with named slots and visible gaps. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from examples.email_assistant.rules.phrasebook import DAY_FORMS, GAP, month_name, phrases, weekday_name

if TYPE_CHECKING:
    from datetime import date, datetime

    from examples.email_assistant.mail.message import Address, Mail

OPEN_GAP = re.compile(r"\[your answer[^\]]*\]")
LONGEST_QUESTION = 120


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes drafts in one language, from one person to another.

    Args:
        language: ``en``, ``de``, ``es`` or ``ja``.
        to: The person written to.
        owner: Who signs.
        greeting: A learned greeting, with ``{name}``; None for that of the language.
        sign_off: A learned closing, without the name; None for that of the language.
    """

    language: str
    to: Address
    owner: Address
    greeting: str | None = None
    sign_off: str | None = None

    def letter(self, core: str) -> str:
        """Return a whole mail body around one paragraph or more."""
        words = phrases(self.language)
        name = _called(self.to, first=words.first_names)
        greeting = (self.greeting or words.greeting).replace("{name}", name) if name else words.greeting_without_name
        me = self.owner.name or self.owner.address
        closing = f"{self.sign_off}\n{me}" if self.sign_off else words.closing.format(me=me)
        parts = (greeting, core.strip(), closing)
        return "\n\n".join(part for part in parts if part) + "\n"

    def deadline(self, due: date) -> str:
        """Promise something by a day."""
        return self.letter(phrases(self.language).deadline.format(day=self.day(due)))

    def confirmed(self, start: datetime, minutes: int) -> str:
        """Confirm a meeting; the time is told with the name of its zone."""
        words = phrases(self.language).confirmed
        return self.letter(words.format(day=self.day(start.date()), time=f"{start:%H:%M} ({start.tzname()})", minutes=minutes))

    def alternatives(self, starts: list[datetime]) -> str:
        """Offer other times of one day."""
        times = ", ".join(f"{start:%H:%M}" for start in starts) + f" ({starts[0].tzname()})"
        return self.letter(phrases(self.language).taken.format(day=self.day(starts[0].date()), times=times))

    def gap(self, question: str) -> str:
        """Leave the answer to the human, visibly."""
        short = question if len(question) <= LONGEST_QUESTION else question[:LONGEST_QUESTION].rsplit(" ", 1)[0] + " ..."
        return self.letter(GAP.format(question=short.replace("[", "(").replace("]", ")")))

    def day(self, day: date) -> str:
        """Return a day as this language writes it."""
        form = DAY_FORMS.get(self.language, DAY_FORMS["en"])
        names = {"weekday": weekday_name(self.language, day.weekday()), "month": month_name(self.language, day.month)}
        return form.format(day=day.day, month_number=day.month, **names)


def has_gap(content: str) -> bool:
    """Tell whether a draft still waits for the human's words."""
    return bool(OPEN_GAP.search(content))


def reply_subject(mail: Mail) -> str:
    """Return the subject of a reply, with one ``Re:`` however many there were."""
    bare = re.sub(r"^(?:(?:re|aw|antw|rv)\s*:\s*)+", "", mail.subject, flags=re.IGNORECASE)
    return f"Re: {bare or '(no subject)'}"


def _called(person: Address, *, first: bool) -> str:
    """Return the name to greet somebody by; empty for a machine or an unnamed sender."""
    name = re.sub(r"\s*\([^)]*\)", "", person.name).strip()
    if "," in name:
        family, _, given = name.partition(",")
        name = f"{given.strip()} {family.strip()}"
    if not name or "@" in name or any(letter.isdigit() for letter in name):
        return ""
    return name.split()[0] if first else name
