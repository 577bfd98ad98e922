"""What get_state shows: LangGraph's StateSnapshot and PregelTask, field by field."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from graphkit.core.command import MISSING, ROOT, START
from graphkit.core.task import Done, Failed, Interrupted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from graphkit.core.command import Interrupt
    from graphkit.core.history import View
    from graphkit.core.task import Task, Write


class PregelTask(NamedTuple):
    """A task of a checkpoint's superstep.

    Args:
        id: The same whenever the checkpoint is planned.
        name: The node.
        path: ("edge", node) or ("send", place in the frontier, node).
        error: ``repr`` of what it raised, None if it did not.
        interrupts: The questions it waits with.
        state: For a subgraph that has not finished: its config, or its StateSnapshot if ``subgraphs=True``.
        result: Its update by key, None if it is not known to have finished.
    """

    id: str
    name: str
    path: tuple[str | int, ...]
    error: str | None = None
    interrupts: tuple[Interrupt, ...] = ()
    state: Any = None
    result: Any = None


class StateSnapshot(NamedTuple):
    """A thread at one checkpoint.

    Args:
        values: The state; for the newest checkpoint with the updates of tasks that have finished since.
        next: Nodes that run next; empty when the run is over.
        config: Addresses this checkpoint.
        metadata: ``source``, ``step``, ``parents`` and the user's own; None if there is no checkpoint.
        created_at: ISO 8601 time, for display; nothing is ordered by it.
        parent_config: Addresses the checkpoint it was made from.
        tasks: The tasks of the superstep that begins here.
        interrupts: The questions that are pending.
    """

    values: Any
    next: tuple[str, ...]
    config: dict[str, Any]
    metadata: dict[str, Any] | None
    created_at: str | None
    parent_config: dict[str, Any] | None
    tasks: tuple[PregelTask, ...]
    interrupts: tuple[Interrupt, ...]


def address(thread_id: str | None, namespace: str, checkpoint_id: str | None) -> dict[str, object]:
    """Return the config that names a checkpoint."""
    configurable: dict[str, object] = {"checkpoint_ns": namespace}
    if thread_id is not None:
        configurable["thread_id"] = thread_id
    if checkpoint_id is not None:
        configurable["checkpoint_id"] = checkpoint_id
    return {"configurable": configurable}


def snapshot(view: View, thread_id: str, namespace: str, states: Mapping[int, object]) -> StateSnapshot:
    """Return what a caller sees of a saved checkpoint; ``states`` are those of subgraphs, by place of their task."""
    saved = view.saved
    checkpoint = saved.checkpoint
    asked = {a.question.interrupt.id: a.status for a in saved.questions}
    tasks = tuple([_task(view, task, states.get(task.index)) for task in view.tasks])
    return StateSnapshot(
        values=shown(view.values),
        next=view.next,
        config=address(thread_id, namespace, checkpoint.id),
        metadata={**saved.metadata, "source": checkpoint.source, "step": checkpoint.step, "parents": {}},
        created_at=datetime.fromtimestamp(saved.created_at, UTC).isoformat(),
        parent_config=address(thread_id, namespace, checkpoint.parent) if checkpoint.parent else None,
        tasks=tasks,
        interrupts=tuple([interrupt for task in tasks for interrupt in task.interrupts if asked.get(interrupt.id, "pending") == "pending"]),
    )


def shown(values: Mapping[str, object]) -> object:
    """Return values as user code knows them: a dict, or the bare value of a bare-type state."""
    return values.get(ROOT) if ROOT in values else dict(values)


def update_of(writes: Sequence[Write]) -> object:
    """Return a node's writes as an update: a dict, a list of dicts if a key was written twice, None for none."""
    if not writes:
        return None
    if writes[0][0] == ROOT:
        return writes[0][1] if len(writes) == 1 else [update for _, update in writes]
    update = dict(writes)
    return update if len(update) == len(writes) else [{key: value} for key, value in writes]


def _task(view: View, task: Task, state: object) -> PregelTask:
    outcome = view.outcomes.get(task.index)
    path: tuple[str | int, ...] = ("edge", task.node) if task.trigger.arg is MISSING else ("send", task.index, task.node)
    result: object = None
    if isinstance(outcome, Done):
        result = update_of(outcome.writes)
    elif task.node == START:
        result = task.trigger.arg
    interrupts: tuple[Interrupt, ...] = ()
    if isinstance(outcome, Interrupted):
        interrupts = tuple([question.interrupt for question in outcome.questions])
    return PregelTask(task.id, task.node, path, outcome.summary if isinstance(outcome, Failed) else None, interrupts, state, result)
