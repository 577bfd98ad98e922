"""Reading and editing threads: each call is a small program and a way to show its result."""

from __future__ import annotations

from os import urandom
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar, cast

from graphkit.core.command import END, Command
from graphkit.core.effects import History
from graphkit.core.history import INPUT, Edit, get_history, get_state, update_state
from graphkit.core.ids import child_namespace, position
from graphkit.core.record import record, replace
from graphkit.core.request import Continue, NewTurn, Request
from graphkit.core.task import Done
from graphkit.errors import (
    CheckpointNotFoundError,
    InvalidConfigError,
    MissingCheckpointerError,
    ThreadNotFoundError,
)
from graphkit.graph.launch import hold_of, inner_graph, read_input
from graphkit.graph.snapshot import address, snapshot
from graphkit.scope import RunScope, current
from graphkit.storage import Checkpointer

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping, Sequence

    from graphkit.core.checkpoint import Checkpoint
    from graphkit.core.effects import Effect, Program
    from graphkit.core.graph import GraphSpec
    from graphkit.core.history import View
    from graphkit.graph.compiled import CompiledGraph
    from graphkit.graph.config import Config
    from graphkit.graph.snapshot import StateSnapshot

T_co = TypeVar("T_co", covariant=True)


class StateUpdate(NamedTuple):
    """One update for ``bulk_update_state``: ``values`` as if ``as_node`` had returned them."""

    values: object
    as_node: str | None = None


@record
class Reading(Generic[T_co]):
    """A program to be driven and how to show its result."""

    program: Program[object]
    spec: GraphSpec
    run: RunScope
    show: Callable[[object], T_co]


@record
class _Place:
    """A graph, the thread it is looked at in, and its namespace there."""

    graph: CompiledGraph
    run: RunScope
    request: Request
    thread_id: str


def state(graph: CompiledGraph, config: Config, *, subgraphs: bool) -> Reading[StateSnapshot]:
    """Prepare ``get_state``."""
    at = _place(graph, config)
    program = _with_children(at, subgraphs=subgraphs)
    return Reading(program, at.graph.parts.spec, at.run, lambda found: _existing(cast("StateSnapshot | None", found), at))


def history(graph: CompiledGraph, config: Config, wanted: History) -> Reading[list[StateSnapshot]]:
    """Prepare ``get_state_history``."""
    at = _place(graph, config)
    program = get_history(at.graph.parts.spec, at.request, wanted)

    def show(found: object) -> list[StateSnapshot]:
        views = cast("list[View]", found)
        if not views and not wanted.filter and wanted.before is None:
            _existing(None, at)
        return [snapshot(view, at.thread_id, at.request.namespace, {}) for view in views]

    return Reading(program, at.graph.parts.spec, at.run, show)


def query(filter: Mapping[str, object] | None, before: Config, limit: int | None) -> History:
    """Check the filters of ``get_state_history``.

    Raises:
        InvalidConfigError: ``limit`` is no positive integer.
        CheckpointNotFoundError: ``before`` names no checkpoint.
    """
    if limit is not None and (type(limit) is not int or limit < 1):
        raise InvalidConfigError(f"limit must be an integer of at least 1, not {limit!r}.", hint="Leave limit out to get all.")
    n = position(before.checkpoint_id) if before.checkpoint_id is not None else None
    if before.checkpoint_id is not None and n is None:
        raise CheckpointNotFoundError(
            f"before names {before.checkpoint_id!r}, which is no checkpoint id.", hint="Take the config from get_state_history()."
        )
    return History(limit, n, dict(filter or {}))


def update(graph: CompiledGraph, config: Config, supersteps: Sequence[Sequence[StateUpdate]]) -> Reading[dict[str, object]]:
    """Prepare ``update_state`` and ``bulk_update_state``."""
    if not supersteps or not all(supersteps):
        raise InvalidConfigError(
            "There is nothing to update: supersteps is empty or has an empty step.", hint="Pass [[StateUpdate(values, as_node)]]."
        )
    at = _place(graph, config)
    edits = [[Edit(_readable(at.graph, step), step.as_node) for step in steps] for steps in supersteps]
    for edit in (edit for steps in edits for edit in steps):
        if isinstance(edit.update, Command) and edit.update.graph is not None:
            raise InvalidConfigError("Command(graph=...) cannot be written with update_state.", hint="Leave graph out.")
    program = update_state(at.graph.parts.spec, at.request, edits)
    return Reading(
        program, at.graph.parts.spec, at.run, lambda made: address(at.thread_id, at.request.namespace, cast("Checkpoint", made).id)
    )


def _readable(graph: CompiledGraph, update: StateUpdate) -> object:
    """Return the values of an update; those no node reads are checked here as an input or an update would be."""
    if update.as_node == INPUT:
        given = read_input(graph, update.values)
        return given.update if isinstance(given, NewTurn) else update.values
    if update.as_node == END and update.values is not None:
        return dict(graph.parts.read_update(update.values, {}, None))
    return update.values


def _place(graph: CompiledGraph, config: Config) -> _Place:
    """Find the graph, the thread and the namespace a config addresses.

    Raises:
        MissingCheckpointerError: The graph has no saver.
        MissingThreadIdError: The config names no thread.
        UnknownNodeError: The namespace leads through a node that is no subgraph.
    """
    parent = current()
    saver = graph.options.checkpointer
    inherited = parent.run.hold if parent is not None else None
    hold = hold_of(saver, config) if isinstance(saver, Checkpointer) else inherited
    if hold is None:
        raise MissingCheckpointerError("This needs a checkpointer, but the graph has none.", hint="Compile with checkpointer=...")
    inner = inner_graph(graph, config.namespace)
    run = RunScope(inner.name, config.namespace, (), config.given, None, graph.options.store, hold, hold.thread_id, "", "sync", 1)
    request = Request(
        Continue(), urandom(8).hex(), config.namespace, checkpoint_id=config.checkpoint_id, durability="sync", metadata=config.metadata
    )
    return _Place(inner, run, request, hold.thread_id)


def _with_children(at: _Place, *, subgraphs: bool) -> Generator[Effect, object, StateSnapshot | None]:
    """Read a checkpoint and, if they are wanted, the checkpoints of its unfinished subgraphs."""
    view = yield from get_state(at.graph.parts.spec, at.request)
    if view is None:
        return None
    states: dict[int, object] = {}
    for task in view.tasks:
        child = at.graph.parts.subgraphs.get(task.node)
        if child is None or child.options.checkpointer is False or isinstance(view.outcomes.get(task.index), Done):
            continue
        stateful = child.options.checkpointer is True
        namespace = child_namespace(at.request.namespace, task.node, None if stateful else task.id, 0)
        states[task.index] = address(at.thread_id, namespace, None)
        if subgraphs and at.run.hold is not None:
            states[task.index] = yield from _child_state(at, child, namespace)
    return snapshot(view, at.thread_id, at.request.namespace, states)


def _child_state(at: _Place, child: CompiledGraph, namespace: str) -> Generator[Effect, object, StateSnapshot | None]:
    """Read a subgraph's newest checkpoint; the driver looks where the scope's namespace points, so it is moved there."""
    outside = at.run.namespace
    at.run.namespace = namespace
    try:
        inside = _Place(child, at.run, replace(at.request, namespace=namespace, checkpoint_id=None), at.thread_id)
        return (yield from _with_children(inside, subgraphs=True))
    finally:
        at.run.namespace = outside


def _existing(found: StateSnapshot | None, at: _Place) -> StateSnapshot:
    if found is None:
        where = f" in namespace {at.request.namespace!r}" if at.request.namespace else ""
        raise ThreadNotFoundError(
            f"Thread {at.thread_id!r} has no checkpoints{where}.", hint="Check the id, or invoke the graph with an input first."
        )
    return found
