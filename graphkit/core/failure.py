"""What a failure looks like to the caller and to an error handler, and which node answers for it. Pure.

An error handler is a node of its own. The task that failed ends with an outcome that says just that: no updates, and one
Send to the handler, with what is known of the failure. So the failure becomes durable like any other outcome, and from the
next checkpoint on the handler is an entry of the frontier like any other: it is tried again, pauses and resumes as nodes do.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from graphkit.core.command import MISSING, Send
from graphkit.core.task import Done, Failed
from graphkit.errors import NodeFailedError, OutsideRunError, UnserializableValueError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from graphkit.core.checkpoint import Trigger
    from graphkit.core.task import Outcome, Task
    from graphkit.errors import StateError


@dataclass(frozen=True, slots=True)
class NodeError:
    """What an error handler is told, as its parameter ``error``.

    Args:
        node: The node that failed.
        error: What it raised in its last attempt. If another process goes on after a crash, it is a copy without traceback;
            or, for an exception of a class that the saver's codec does not know, a NodeFailedError with its text.
    """

    node: str
    error: BaseException


def handed_over(task: Task, failed: Failed, handler: str, *, storable: bool) -> Done:
    """Return the outcome of a task whose failure its error handler takes over.

    Args:
        task: The task.
        failed: What came of its last attempt.
        handler: Name of the handler's node.
        storable: Whether the exception itself can be stored.
    """
    told: list[object] = [task.node, failed.summary, failed.trace, failed.error if storable else None]
    if task.trigger.arg is not MISSING:
        told.append(task.trigger.arg)
    return Done(sends=(Send(handler, told),), cause=failed.error)


def node_error(handler: Trigger) -> NodeError:
    """Return what the task of an error handler was called for.

    Raises:
        OutsideRunError: Somebody has started the handler, but nothing has failed.
    """
    if handler.arg is MISSING:
        raise OutsideRunError(f"{handler.node!r} was started, but no node has failed.", hint="It runs by itself when one does.")
    node, summary, trace, stored = cast("tuple[str, str, str, BaseException | None]", _told(handler)[:4])
    error = handler.cause or stored
    if error is None:
        error = NodeFailedError(f"Node {node!r} failed: {summary}", node=node, trace=trace)
    return NodeError(node, error)


def sent_to_failed(handler: Trigger) -> object:
    """Return what was sent to the task that failed, MISSING if it ran on the state; the handler sees the same."""
    told = _told(handler)
    return told[4] if len(told) > 4 else MISSING


def _told(handler: Trigger) -> Sequence[object]:
    return cast("Sequence[object]", handler.arg)


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
