"""One sitting at the inbox: what waits, what was answered and is held back, what came of it. No screen and no clock in here.

An answer is held for a moment before it is given, so that it can be taken back. Until it is given it exists here only: when the
process ends, the question simply still waits.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from examples.email_assistant.inbox.port import Given, Refused

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from examples.email_assistant.inbox.port import Answer, Waiting


@dataclass(frozen=True, slots=True)
class Held:
    """An answer that is not given yet; ``due`` in seconds of the session's timer."""

    question: Waiting
    answer: Answer
    due: float


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to an answer in this sitting."""

    moment: datetime
    question: Waiting
    answer: Answer
    result: Given | Refused


@dataclass(slots=True)
class Session:
    """The state of a sitting.

    Args:
        undo: Seconds an answer is held; 0 gives it at once.
    """

    undo: float
    waiting: tuple[Waiting, ...] = ()
    held: dict[str, Held] = field(default_factory=dict)
    giving: dict[str, Held] = field(default_factory=dict)
    attempts: dict[str, Answer] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    _settled: set[str] = field(default_factory=set)

    def find(self, interrupt_id: str | None) -> Waiting | None:
        """Return a question of the list by its id."""
        return next((question for question in self.waiting if question.interrupt_id == interrupt_id), None)

    def is_open(self, question: Waiting) -> bool:
        """Tell whether a question can be answered now: it waits, and no answer to it is under way."""
        return (
            question.interrupt_id not in self.held
            and question.interrupt_id not in self.giving
            and self.find(question.interrupt_id) is not None
        )

    def refresh(self, found: Sequence[Waiting]) -> tuple[Waiting, ...]:
        """Take over a new list and return what another process answered meanwhile.

        A held answer keeps its question in the list, so that giving it tells what became of it.
        """
        ids = {question.interrupt_id for question in found}
        under_way = {**self.held, **self.giving}
        gone = [question for question in self.waiting if question.interrupt_id not in ids]
        kept = [question for question in gone if question.interrupt_id in under_way]
        self._settled &= ids
        self.waiting = tuple(sorted([*kept, *(one for one in found if one.interrupt_id not in self._settled)], key=_age))
        return tuple(question for question in gone if question.interrupt_id not in under_way)

    def hold(self, question: Waiting, answer: Answer, now: float) -> None:
        """Hold an answer; it is due after the undo window."""
        self.attempts[question.interrupt_id] = answer
        self.held[question.interrupt_id] = Held(question, answer, now + self.undo)

    def take_back(self, interrupt_id: str | None) -> Held | None:
        """Take an answer back: the one to this question, else the one that was held last. None when none is held."""
        if interrupt_id not in self.held:
            interrupt_id = next(reversed(self.held), None)
        return self.held.pop(interrupt_id) if interrupt_id is not None else None

    def due(self, now: float) -> tuple[Held, ...]:
        """Move the answers whose time has come to those being given, and return them."""
        return self._give([held for held in self.held.values() if held.due <= now])

    def flush(self) -> tuple[Held, ...]:
        """Move all held answers to those being given, and return them."""
        return self._give(list(self.held.values()))

    def postpone(self, seconds: float) -> None:
        """Give every held answer more time."""
        self.held = {name: replace(held, due=held.due + seconds) for name, held in self.held.items()}

    def settle(self, held: Held, result: Given | Refused, moment: datetime) -> None:
        """Note what came of an answer. A refused one stays at hand for the next attempt."""
        name = held.question.interrupt_id
        self.giving.pop(name, None)
        self.events.append(Event(moment, held.question, held.answer, result))
        if isinstance(result, Refused) and result.is_pending:
            return
        if isinstance(result, Given):
            attempt = self.attempts.pop(name, None)
            # Asked about the very same again: the answer did not fit after all, and what was written is needed once more.
            for again in [one for one in result.following if (one.action, one.args) == (held.question.action, held.question.args)]:
                self.attempts[again.interrupt_id] = attempt or held.answer
        self._settled.add(name)
        self.waiting = tuple(question for question in self.waiting if question.interrupt_id != name)

    def _give(self, chosen: list[Held]) -> tuple[Held, ...]:
        for held in chosen:
            self.giving[held.question.interrupt_id] = self.held.pop(held.question.interrupt_id)
        return tuple(chosen)


def _age(question: Waiting) -> tuple[datetime, str]:
    return question.since, question.interrupt_id
