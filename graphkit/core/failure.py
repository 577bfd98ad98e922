"""What a failure looks like to the caller, and which node answers for it. Pure."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from graphkit.core.task import Done, Failed
from graphkit.errors import UnserializableValueError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from graphkit.core.task import Outcome, Task
    from graphkit.errors import StateError


def raised(failures: Sequence[tuple[Task, Failed]]) -> BaseException:
    """Return the exception to raise for a superstep: the first failure's own, with the others in its notes.

    The exceptions of the other tasks are also in its attribute ``sibling_errors`` where the class allows one.
    """
    task, first = failures[0]
    error = first.error
    assert error is not None, "Only failures of this run are raised; those of earlier runs are dropped when they are loaded."
    note = f"During task with name {task.node!r} and id {task.id!r}"
    # An exception class may refuse attributes, and then also notes.
    with suppress(AttributeError, TypeError):
        if note not in getattr(error, "__notes__", ()):
            error.add_note(note)
        for other, failure in failures[1:]:
            error.add_note(f"In the same superstep node {other.node!r} failed, too: {failure.summary}")
        if len(failures) > 1:
            error.sibling_errors = tuple([failure.error for _, failure in failures[1:]])  # type: ignore[attr-defined]
    return error


def blamed(outcomes: dict[int, Outcome], fresh: dict[Task, Outcome], tasks: Sequence[Task], error: StateError) -> None:
    """Turn the tasks whose updates cannot be merged or stored into failed ones, so that only they run again."""
    guilty = _guilty(fresh, tasks, outcomes, error)
    for task in guilty:
        named = unserializable(error, task.node) if isinstance(error, UnserializableValueError) else error
        outcomes[task.index] = fresh[task] = Failed.of(named)


def unserializable(error: UnserializableValueError, node: str) -> UnserializableValueError:
    """Return the error with the node's name in it."""
    facts = {name: value for name, value in error.facts.items() if name != "node"}
    named = UnserializableValueError(f"Node {node!r}: {error.message}", hint=error.hint, node=node, **facts)
    named.__cause__ = error
    return named


def of_input(error: UnserializableValueError) -> UnserializableValueError:
    """Return the error of a value that came with the input; an answer's error already says so."""
    if "interrupt_id" in error.facts:
        return error
    facts = {name: value for name, value in error.facts.items() if name != "node"}
    path, kind = facts.get("path", "$"), facts.get("type_name", "this type")
    return UnserializableValueError(f"The input has a value of type {kind} at {path}, which cannot be stored.", hint=error.hint, **facts)


def _guilty(fresh: dict[Task, Outcome], tasks: Sequence[Task], outcomes: dict[int, Outcome], error: StateError) -> Sequence[Task]:
    key = error.facts.get("key")
    writers = [task for task in tasks if isinstance(done := outcomes[task.index], Done) and key in [written for written, _ in done.writes]]
    recent = [task for task in writers if task in fresh]
    if isinstance(error, UnserializableValueError):
        return recent or writers or list(fresh) or tasks
    return writers or list(fresh) or tasks
