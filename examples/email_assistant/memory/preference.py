"""A preference of the owner, and what several of them together say about a mail. Pure.

Which one wins: one for the sender's address, then one for the sender's domain, then one for everyone. Of those for everyone, one that
was written by hand or learned from this very sender goes before one that was learned from others. Of equals the newer one.
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, cast

from examples.email_assistant.memory.effects import EVERYONE, KINDS, Effect, Json, Kind, is_plain, worded
from examples.email_assistant.rules.reading import language

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from examples.email_assistant.mail.message import Mail
    from examples.email_assistant.sorting import Label

__all__ = ["EVERYONE", "KINDS", "Action", "Effect", "Json", "Kind", "Preference", "Preferences", "Source", "Status", "one_line"]

Action = Literal["edit", "response", "ignore", "by hand"]
Status = Literal["active", "undone"]

LONGEST_RULE = 300
MOST_BULLETS = 50
DISMISSALS = 2
"""Mails of a sender that were dismissed before ``again`` applies."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a preference comes from.

    Args:
        thread: The thread, empty for one written by hand.
        call_id: The tool call that was answered.
        action: What the human did.
        subject: Of the mail: the sender's words, to be shown and never to be obeyed.
        change: What changed, in words.
        sender: The address of the mail's sender.
    """

    thread: str
    call_id: str
    action: Action
    subject: str
    change: str
    sender: str = ""


@dataclass(frozen=True, slots=True)
class Preference:
    """One thing the owner wants.

    Args:
        id: The same for the same decision, so learning from it twice is learning once.
        kind: What it is about.
        rule: One sentence, for people and for a language model; whom it applies to is not in it.
        applies_to: ``*`` for every mail, an address, or ``@`` and a domain: the sender's.
        effect: What rules can apply, as `effects.py` describes; empty when only words express it.
        source: Where it comes from.
        at: When it was learned or written; aware.
        status: An undone preference is kept and applies to nothing.
        replaces: The preference it stands in for; that one applies again when this one is undone.
    """

    id: str
    kind: Kind
    rule: str
    applies_to: str
    effect: Effect
    source: Source
    at: datetime
    status: Status = "active"
    replaces: str | None = None

    def applies(self, mail: Mail) -> bool:
        """Tell whether it is about mail of this sender."""
        return self.applies_to in {EVERYONE, mail.sender.address, f"@{mail.sender.domain}"}

    def rank(self, mail: Mail) -> tuple[int, datetime, str]:
        """Return how much it counts for a mail; the greatest wins."""
        if self.applies_to == EVERYONE:
            closeness = int(self.source.action == "by hand" or self.source.sender == mail.sender.address)
        else:
            closeness = 2 if self.applies_to.startswith("@") else 3
        return closeness, self.at, self.id


@dataclass(frozen=True, slots=True)
class Preferences:
    """Preferences of one user, in any order; `for_mail` puts those that count most first."""

    entries: tuple[Preference, ...]

    def __iter__(self) -> Iterator[Preference]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)

    def of(self, kind: Kind) -> Preferences:
        """Return those of one kind."""
        return Preferences(tuple([one for one in self.entries if one.kind == kind]))

    def in_effect(self) -> Preferences:
        """Return those that are active and that no active one stands in for."""
        replaced = self._replaced()
        return Preferences(tuple([one for one in self.entries if one.status == "active" and one.id not in replaced]))

    def for_mail(self, mail: Mail) -> Preferences:
        """Return those in effect that apply to mail of this sender, what counts most first."""
        found = [one for one in self.in_effect() if one.applies(mail)]
        return Preferences(tuple(sorted(found, key=lambda one: one.rank(mail), reverse=True)))

    def label_for(self, mail: Mail) -> Label | None:
        """Return how the owner wants mail of this sender sorted; None when nothing is known.

        It says what the owner is used to do with this sender, not that this mail is harmless: what must never be answered, or
        has to be looked at first, stays so.
        """
        labels = _labels(self.for_mail(mail).of("triage"))
        scopes = (mail.sender.address, f"@{mail.sender.domain}", EVERYONE)
        return next((labels[scope] for scope in scopes if scope in labels), None)

    def minutes_for(self, mail: Mail) -> int | None:
        """Return how long a meeting is to be when the mail does not say."""
        return cast("int | None", self._first(mail, "calendar", "duration_minutes"))

    def earliest_for(self, mail: Mail) -> str | None:
        """Return the time before which no meeting starts, as ``10:00``."""
        return cast("str | None", self._first(mail, "calendar", "earliest"))

    def latest_for(self, mail: Mail) -> str | None:
        """Return the time after which no meeting starts, as ``16:00``."""
        return cast("str | None", self._first(mail, "calendar", "latest"))

    def attendees_for(self, mail: Mail) -> tuple[str, ...]:
        """Return the addresses to invite as well."""
        return tuple(cast("list[str]", self._first(mail, "calendar", "attendees_add") or []))

    def meeting_subject_for(self, mail: Mail) -> str | None:
        """Return how meetings are named; ``{subject}`` stands for the mail's subject without "Re:"."""
        return cast("str | None", self._first(mail, "calendar", "subject"))

    def greeting_for(self, mail: Mail) -> str | None:
        """Return the greeting of an answer; ``{name}`` in it stands for the name, used as the language does."""
        return cast("str | None", self._first(mail, "response", "greeting"))

    def sign_off_for(self, mail: Mail) -> str | None:
        """Return the closing of an answer, without the name."""
        return cast("str | None", self._first(mail, "response", "sign_off"))

    def signature_for(self, mail: Mail) -> str | None:
        """Return the name under an answer."""
        return cast("str | None", self._first(mail, "response", "signature"))

    def as_text(self, kind: Kind) -> str:
        """Return those in effect as bullets for a language model's prompt; empty when there are none.

        What a sender can choose is not in it: no subjects, and no address that could be read as words.
        """
        found = list(self.in_effect().of(kind))
        bullets = _triage_bullets(found) if kind == "triage" else []
        said = set[tuple[str, ...]]()
        for one in found:
            aspect, tongue = (one.applies_to, *sorted(set(one.effect) - {"language"})), str(one.effect.get("language", ""))
            # What counts less and is about the same thing would only contradict.
            is_told = bool(one.effect) and (kind == "triage" or not said.isdisjoint({(*aspect, tongue), (*aspect, "")}))
            if not is_told and (bullet := _bullet(one.applies_to, one.rule)):
                said.add((*aspect, tongue))
                bullets.append(bullet)
        return "\n".join(bullets[:MOST_BULLETS])

    def _first(self, mail: Mail, kind: Kind, name: str) -> Json:
        tongue = language(mail.fresh)
        for one in self.for_mail(mail).of(kind):
            if name in one.effect and _speaks(one, mail, tongue):
                return one.effect[name]
        return None

    def _replaced(self) -> set[str]:
        """Follow what active ones replace to its beginning, also through undone ones."""
        older = {one.id: one.replaces for one in self.entries}
        found: set[str] = set()
        for one in self.entries:
            step = one.replaces if one.status == "active" else None
            while step is not None and step not in found:
                found.add(step)
                step = older.get(step)
        return found


def one_line(text: str, longest: int = LONGEST_RULE) -> str:
    """Return text as one line without anything that is not seen, cut to a length: a rule stays one bullet of a prompt."""
    shown = "".join([" " if unicodedata.category(sign)[0] in "CZ" else sign for sign in text])
    line = " ".join(shown.split())
    return line if len(line) <= longest else line[: longest - 3].rstrip() + "..."


def _labels(entries: Iterable[Preference]) -> dict[str, Label]:
    """Follow what was decided about each sender through time: dismissals add up until something else is decided."""
    labels: dict[str, Label] = {}
    dismissed: defaultdict[str, set[str]] = defaultdict(set)
    for one in sorted(entries, key=lambda one: (one.at, one.id)):
        threads, label = dismissed[one.applies_to], one.effect.get("label")
        if "again" in one.effect:
            threads.add(one.source.thread)
            label = one.effect["again"] if len(threads) >= DISMISSALS else label
        elif label is not None:
            threads.clear()
        if label is not None:
            labels[one.applies_to] = cast("Label", label)
    return labels


def _triage_bullets(found: list[Preference]) -> list[str]:
    bullets = [_bullet(scope, worded({"label": label})) for scope, label in _labels(found).items()]
    return [bullet for bullet in bullets if bullet]


def _bullet(applies_to: str, rule: str) -> str:
    if applies_to == EVERYONE:
        return f"- {one_line(rule)}"
    return f"- For mail from {applies_to}: {one_line(rule)}" if is_plain(f"x{applies_to}") else ""


def _speaks(one: Preference, mail: Mail, tongue: str) -> bool:
    """Tell whether a preference is for the language of a mail. A mail too short to tell is taken for one like the sender's others."""
    wanted = one.effect.get("language", tongue)
    return wanted == tongue or (not tongue and mail.sender.address in {one.applies_to, one.source.sender})
