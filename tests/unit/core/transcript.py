"""How effects are written down in a transcript: short, and without ids."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphkit.core.checkpoint import Checkpoint
from graphkit.core.command import MISSING
from graphkit.core.delta import Append, Drop, Set
from graphkit.core.effects import CheckAnswers, Commit, Emit, Load, Rehearse, Run, Start, Wait
from graphkit.core.events import NodeFinished, Paused, ValuesChanged
from graphkit.core.request import Finished
from graphkit.core.task import Done, Failed, Interrupted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from graphkit.core.effects import Effect, Entry
    from graphkit.core.events import Event
    from graphkit.core.task import Outcome, Write


class Names(dict[str, str]):
    """Node names by task id and interrupt id."""

    def __missing__(self, name: str) -> str:
        return name


def shown(effect: Effect, names: Names) -> Iterator[str]:
    """Yield the lines of an effect."""
    match effect:
        case Load(name):
            yield f"Load {'the newest checkpoint' if name is None else name}"
        case Commit():
            yield "Commit" if effect.wait else "Commit, without waiting"
            yield from [f"    {line}" for line in _commit(effect, names)]
        case Rehearse():
            yield "Rehearse a commit"
            yield from [f"    {line}" for line in _commit(effect.commit, names)]
        case Run(task):
            yield f"Run {task.node}"
        case Start():
            yield f"Start {' '.join([task.node for task in effect.tasks])}" + (f", {effect.limit} at a time" if effect.limit else "")
        case Wait():
            yield "Wait, start no more" if effect.stop else "Wait"
        case Emit(event):
            yield f"Emit {_event(event)}"
        case CheckAnswers(answers):
            yield f"Check answers {', '.join([f'{answer!r} against {schema}' for _, schema, answer in answers])}"
        case _:
            yield repr(effect)


def shown_end(result: object, names: Names) -> str:
    """Return the line for the result of a program."""
    if isinstance(result, Finished):
        asking = [f"{names[question.task_id]} asks {question.interrupt.value!r}" for question in result.questions]
        return f"Finished, {result.status}: {dict(result.values)}" + (f"; {', '.join(asking)}" if asking else "")
    if isinstance(result, Checkpoint):
        return f"Result: checkpoint {result.n}"
    return f"Result: {result!r}"


def _commit(commit: Commit, names: Names) -> Iterator[str]:
    if commit.claim:
        yield "claim the thread"
    yield from [_entry(entry) for entry in commit.entries]
    yield from [f"outcome of {names[filed.task_id]}: {_outcome(filed.outcome)}" for filed in commit.outcomes]
    yield from [f"{names[question.task_id]} asks {question.interrupt.value!r}" for question, _ in commit.asked]
    yield from [f"{names[name]} is answered {answer!r}" for name, answer in commit.answers]
    yield from [f"nobody answers {names[name]} any more" for name in commit.cancelled]
    if commit.release is not None:
        yield f"give the thread back: {commit.release}"


def _entry(entry: Entry) -> str:
    at = entry.checkpoint
    values = f"all of {dict(at.values)}" if entry.deltas is None else _deltas(entry.deltas)
    following = " ".join([t.node if t.arg is MISSING else f"{t.node}({t.arg})" for t in at.frontier]) or "nothing"
    return f"checkpoint {at.n}, step {at.step}, {at.source}: {values}; next: {following}"


def _deltas(deltas: Mapping[str, object]) -> str:
    changes = []
    for key, delta in deltas.items():
        match delta:
            case Set(value):
                changes.append(f"{key} = {value!r}")
            case Append(items):
                changes.append(f"{key} += {items!r}")
            case Drop():
                changes.append(f"{key} is gone")
            case _:
                changes.append(f"{key}: {delta!r}")
    return ", ".join(changes) or "no change"


def _outcome(outcome: Outcome) -> str:
    match outcome:
        case Done():
            return f"done, {_writes(outcome.writes)}"
        case Failed():
            return f"failed, {outcome.summary}"
        case Interrupted():
            return "waits for an answer"
        case _:
            return type(outcome).__name__.lower()


def _event(event: Event) -> str:
    match event:
        case ValuesChanged():
            asking = f", asks {[interrupt.value for interrupt in event.interrupts]}" if event.interrupts else ""
            return f"values {dict(event.values)}{asking}"
        case NodeFinished():
            return f"update of {event.node}: {_writes(event.writes)}" + (" (from an earlier run)" if event.cached else "")
        case Paused():
            return f"pause {[interrupt.value for interrupt in event.interrupts]}"
        case _:
            return repr(event)


def _writes(writes: tuple[Write, ...]) -> str:
    return ", ".join([f"{key} {update!r}" for key, update in writes]) or "no writes"
