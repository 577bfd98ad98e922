"""Which question an answer belongs to. Identity decides, never position. Pure.

``resume`` is either one answer or, when it is a dict whose keys all have the form of interrupt ids, answers by id.
Everything that does not fit is refused before any node runs and consumes nothing.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from graphkit.core.command import MISSING
from graphkit.core.effects import Asked
from graphkit.core.ids import derive, looks_like_interrupt_id
from graphkit.core.record import record, replace
from graphkit.core.task import task_id
from graphkit.errors import AmbiguousResumeError, NothingToResumeError, UnknownInterruptError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from graphkit.core.checkpoint import Checkpoint
    from graphkit.core.effects import Saved
    from graphkit.core.task import Question


@record
class Resolved:
    """Answers with the questions they belong to.

    Args:
        answers: By interrupt id.
        schemas: (interrupt id, JSON schema, answer) of the questions that have a schema.
        asked: Questions that are written together with their answers: an answer given on a new branch.
    """

    answers: tuple[tuple[str, object], ...] = ()
    schemas: tuple[tuple[str, Mapping[str, object], object], ...] = ()
    asked: tuple[Asked, ...] = ()


def answered(resume: object, questions: Sequence[Asked]) -> Resolved:
    """Match ``resume`` with the pending questions of a thread; MISSING matches nothing.

    Raises:
        NothingToResumeError: No question is pending.
        AmbiguousResumeError: One answer for several questions.

    An id that is not among the pending ones stays in the answers: the saver, which keeps every question, refuses it as
    unknown or as answered already, and with it the whole commit.
    """
    if resume is MISSING:
        return Resolved()
    pending = {asked.question.interrupt.id: asked.question for asked in questions if asked.status == "pending"}
    return _resolved(_by_id(resume, pending), pending)


def forked_answers(resume: object, saved: Saved, fork: Checkpoint, namespace: str) -> Resolved:
    """Match ``resume`` with what an older checkpoint asked; the answers belong to the new branch ``fork``.

    Raises:
        RequestError: As in answered.
    """
    if resume is MISSING:
        return Resolved()
    old = saved.checkpoint
    tasks = {task_id(old, namespace, index): task_id(fork, namespace, index) for index in range(len(old.frontier))}
    asked = {a.question.interrupt.id: a.question for a in saved.questions if a.question.task_id in tasks and old.origin <= a.n <= old.n}
    given = _by_id(resume, asked)
    for identity in given:
        _require_asked(identity, asked)
    moved = {identity: _moved(question, tasks[question.task_id]) for identity, question in asked.items() if identity in given}
    resolved = _resolved(
        {moved[identity].interrupt.id: value for identity, value in given.items()}, {q.interrupt.id: q for q in moved.values()}
    )
    return replace(resolved, asked=tuple([Asked(question, fork.n, "pending") for question in moved.values()]))


def unknown(error: UnknownInterruptError, saved: Saved | None) -> UnknownInterruptError:
    """Return the saver's refusal with a hint that names what is pending."""
    asked = saved.questions if saved is not None else ()
    pending = {found.question.interrupt.id: found.question for found in asked if found.status == "pending"}
    return UnknownInterruptError(error.message, hint=f"Pending: {_shown(pending)}.", **{**error.facts, "pending": tuple(pending)})


def interrupt_id(task: str, slot: str) -> str:
    """Return the id of a task's question."""
    return derive("interrupt", task, slot)


def _moved(question: Question, task: str) -> Question:
    interrupt = dataclasses.replace(question.interrupt, id=interrupt_id(task, question.slot))
    return replace(question, interrupt=interrupt, path=(*question.path[:-1], task))


def _resolved(answers: Mapping[str, object], questions: Mapping[str, Question]) -> Resolved:
    schemas = tuple(
        [
            (i, schema, value)
            for i, value in answers.items()
            if i in questions and (schema := questions[i].interrupt.response_schema) is not None
        ]
    )
    return Resolved(tuple(answers.items()), schemas)


def _by_id(resume: object, pending: Mapping[str, Question]) -> Mapping[str, object]:
    if isinstance(resume, dict) and resume and (all(map(looks_like_interrupt_id, resume)) or not pending.keys().isdisjoint(resume)):
        return resume
    if not pending:
        raise NothingToResumeError(
            "Command(resume=...), but the thread waits for no answer.",
            hint="It may have been answered already; look at get_state(config).interrupts.",
        )
    if len(pending) > 1:
        raise AmbiguousResumeError(
            f"One answer for {len(pending)} pending interrupts.",
            hint=f"With multiple pending interrupts, specify the interrupt id: Command(resume={{id: answer}}). Pending: {_shown(pending)}.",
            pending=tuple(pending),
        )
    return {next(iter(pending)): resume}


def _require_asked(identity: str, asked: Mapping[str, Question]) -> None:
    if identity not in asked:
        raise UnknownInterruptError(
            f"Interrupt {identity!r} was not asked by this checkpoint.", hint=f"It asked: {_shown(asked)}.", interrupt_id=identity
        )


def _shown(pending: Mapping[str, Question]) -> str:
    return (
        ", ".join(f"{identity} (asks {str(question.interrupt.value)[:60]!r})" for identity, question in list(pending.items())[:5]) or "none"
    )
