"""A lesson, before it has an id, a source and a time; and the case it is learned from."""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from examples.email_assistant.memory.effects import EVERYONE, checked_effect
from examples.email_assistant.memory.errors import InvalidPreferenceError
from examples.email_assistant.memory.preference import Preference, Source, one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from examples.email_assistant.mail.message import Mail
    from examples.email_assistant.memory.effects import Kind
    from graphkit.agents import AnswerType

LONGEST_SUBJECT = 120


@dataclass(frozen=True, slots=True)
class Lesson:
    """What one answer teaches about one thing.

    Args:
        kind: As in Preference.
        aspect: What it is about; one answer teaches each aspect once.
        rule: As in Preference.
        effect: As in Preference.
        change: As in Source.
        applies_to: As in Preference.
        is_of_thread: Whether several calls of one thread teach it together, once.
    """

    kind: Kind
    aspect: str
    rule: str
    effect: Mapping[str, object]
    change: str
    applies_to: str = EVERYONE
    is_of_thread: bool = False


@dataclass(frozen=True, slots=True)
class Case:
    """An answer: to which call of which thread, about which mail."""

    mail: Mail
    thread: str
    call_id: str
    action: AnswerType
    now: datetime

    def preferences(self, found: Iterable[Lesson]) -> tuple[Preference, ...]:
        """Return lessons as preferences."""
        made = [self._preference(one) for one in found]
        return tuple([one for one in made if one is not None])

    def _preference(self, lesson: Lesson) -> Preference | None:
        try:
            effect = checked_effect(lesson.kind, lesson.effect)
        except InvalidPreferenceError:
            # An edit may hold anything; what rules could not apply later is not learned.
            return None
        assert self.action != "accept"
        subject, sender = one_line(self.mail.subject, LONGEST_SUBJECT), self.mail.sender.address
        source = Source(self.thread, self.call_id, self.action, subject, one_line(lesson.change), sender)
        call = "" if lesson.is_of_thread else self.call_id
        own = identity(self.thread, call, lesson.kind, lesson.aspect)
        return Preference(own, lesson.kind, one_line(lesson.rule), lesson.applies_to, effect, source, self.now)


def identity(*parts: object) -> str:
    """Return an id made of these parts and of nothing else."""
    return sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]
