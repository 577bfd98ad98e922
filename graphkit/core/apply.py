"""The barrier: a checkpoint and the outcomes of its superstep make the next checkpoint. Pure.

Order of application: edge-triggered nodes by name, then Sends as issued; never the order in which tasks finished.
Reducers and checks of the user run here; they must be pure, and a failure names the key and the nodes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphkit.core.channels import is_overwrite
from graphkit.core.checkpoint import Checkpoint, Trigger
from graphkit.core.command import MISSING, START, Overwrite
from graphkit.core.ids import checkpoint_id
from graphkit.core.record import record, replace
from graphkit.errors import ConflictingWritesError, InvalidStateError, ReducerError, StateError, UnknownKeyError, UnknownNodeError, nearest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from graphkit.core.checkpoint import Source
    from graphkit.core.graph import GraphSpec
    from graphkit.core.task import Done, Write

    Finished = Sequence[tuple[str, Done]]
    """(node name, outcome) of a superstep's tasks, in order of application."""


OVERWRITTEN = Overwrite(MISSING)
"""Stands for an Overwrite with a key's final value among the exports of a subgraph."""


@record
class Stamp:
    """The identity of a checkpoint that is about to be made."""

    n: int
    token: str
    source: Source = "loop"


def apply(spec: GraphSpec, checkpoint: Checkpoint, finished: Finished, stamp: Stamp, exported: Mapping[str, bool]) -> Checkpoint:
    """Return the checkpoint after a superstep.

    Args:
        spec: The graph.
        checkpoint: Where the superstep began.
        finished: Its outcomes, all of them Done, in order of application.
        stamp: Identity of the new checkpoint.
        exported: Keys the parent graph takes over: True for the updates themselves, False for the final value.

    Raises:
        StateError: The updates cannot be merged; ``facts`` has ``key`` and ``nodes``.
    """
    step = checkpoint.step + 1
    values = merged(spec, checkpoint.values, [(node, done.writes) for node, done in finished], step)
    frontier, joins, deferred = route(spec, checkpoint, finished)
    return Checkpoint(
        checkpoint_id(stamp.n, stamp.token),
        stamp.n,
        step,
        stamp.source,
        checkpoint.id or None,
        values,
        frontier,
        joins,
        deferred,
        tuple([node for node, _ in finished]),
        _children(checkpoint, finished),
        _exports(checkpoint, finished, exported) if exported else checkpoint.exports,
        stamp.n,
        checkpoint.owner,
    )


def merged(spec: GraphSpec, values: Mapping[str, object], written: Sequence[tuple[str, Sequence[Write]]], step: int) -> dict[str, object]:
    """Return ``values`` after one superstep's updates; keys that last one superstep and were not written are gone.

    Raises:
        StateError: As in apply.
    """
    result = dict(values)
    gathered: dict[str, list[object]] = {}
    for _, writes in written:
        for key, update in writes:
            if key in gathered:
                gathered[key].append(update)
            else:
                gathered[key] = [update]
    for key, updates in gathered.items():
        try:
            value = spec.channels[key].merge(result.get(key, MISSING), updates)
            result[key] = spec.checks[key](value) if key in spec.checks else value
        except Exception as error:
            raise _explained(error, spec, key, written, step) from error
    for key in spec.passing:
        if key in result and key not in gathered:
            del result[key]
    return result


def route(
    spec: GraphSpec, checkpoint: Checkpoint, finished: Finished
) -> tuple[tuple[Trigger, ...], Mapping[str, frozenset[str]], frozenset[str]]:
    """Return (frontier, join progress, deferred nodes) after a superstep."""
    names: set[str] = set()
    triggers: list[Trigger] = []
    joins = checkpoint.joins
    for name, done in finished:
        node = spec.nodes[name]
        if node.handler and node.has_failed(done):
            triggers.extend([Trigger(send.node, send.arg, cause=done.cause) for send in done.sends])
            continue
        names.update(node.targets)
        names.update(done.goto)
        triggers.extend([Trigger(send.node, send.arg, timeout=send.limit) for send in done.sends])
        for join in node.joins:
            joins = _arrive(spec, joins, join, name, names)
    deferred = checkpoint.deferred
    if deferred or any([spec.nodes[name].defer for name in names]):
        waiting = {name for name in names if spec.nodes[name].defer}
        deferred, names = deferred | waiting, names - waiting
        if not names and not triggers:
            deferred, names = frozenset(), set(deferred)
    frontier = (*[spec.nodes[name].trigger for name in sorted(names)], *triggers)
    return frontier, joins, deferred


def require_nodes(spec: GraphSpec, names: Iterable[str], where: str) -> None:
    """Check that every name is a node of the graph.

    Raises:
        UnknownNodeError: One is not; the hint has the nearest names.
    """
    for name in names:
        if name not in spec.nodes or name == START:
            known = [node for node in spec.nodes if not node.startswith("__")]
            raise UnknownNodeError(f"{where} names {name!r}, which is no node of the graph.", hint=nearest(name, known), node=name)


def restamped(checkpoint: Checkpoint, stamp: Stamp, **changes: object) -> Checkpoint:
    """Return a checkpoint made from ``checkpoint`` without a superstep: a fork, an input or an edit."""
    identity = {
        "id": checkpoint_id(stamp.n, stamp.token),
        "n": stamp.n,
        "origin": stamp.n,
        "source": stamp.source,
        "parent": checkpoint.id or None,
    }
    return replace(checkpoint, **{**identity, **changes})


def _arrive(spec: GraphSpec, joins: Mapping[str, frozenset[str]], name: str, source: str, names: set[str]) -> Mapping[str, frozenset[str]]:
    join = spec.joins[name]
    arrived = joins.get(name, frozenset()) | {source}
    if arrived >= join.sources:
        names.add(join.target)
        return {other: progress for other, progress in joins.items() if other != name}
    return {**joins, name: arrived}


def _children(checkpoint: Checkpoint, finished: Finished) -> Mapping[str, str]:
    children = checkpoint.children
    for _, done in finished:
        if done.children:
            children = {**children, **done.children}
    return children


def _exports(checkpoint: Checkpoint, finished: Finished, exported: Mapping[str, bool]) -> tuple[Write, ...]:
    """Return what the parent takes over so far.

    (key, MISSING) stands for the key's final value, (key, OVERWRITTEN) for an Overwrite with it: once a key was
    overwritten, the updates before and after are in its value.
    """
    exports = list(checkpoint.exports)
    for node, done in finished:
        for key, update in done.writes:
            if node == START or key not in exported or (key, OVERWRITTEN) in exports:
                continue
            if exported[key] and is_overwrite(update):
                exports = [export for export in exports if export[0] != key]
                exports.append((key, OVERWRITTEN))
            elif exported[key]:
                exports.append((key, update))
            elif (key, MISSING) not in exports:
                exports.append((key, MISSING))
    return tuple(exports)


def _explained(error: Exception, spec: GraphSpec, key: str, written: Sequence[tuple[str, Sequence[Write]]], step: int) -> StateError:
    """Turn what a channel, reducer or check raised into an error that names the key and the nodes."""
    nodes = tuple([node for node, writes in written for written_key, _ in writes if written_key == key])
    by = ("node " if len(set(nodes)) == 1 else "nodes ") + ", ".join(map(repr, dict.fromkeys(nodes)))
    facts: dict[str, object] = {"key": key, "nodes": nodes, "step": step}
    if key not in spec.channels:
        return UnknownKeyError(
            f"The update of {by} has the key {key!r}, which the state does not have.", hint=nearest(key, spec.channels), **facts
        )
    if isinstance(error, ConflictingWritesError):
        return ConflictingWritesError(
            f"At key {key!r}: Can receive only one value per step; {len(nodes)} updates came in superstep {step} ({by}).",
            hint=f"Give the key a reducer ({key}: Annotated[{_type_name(spec, key)}, operator.add]) or let one node write it.",
            **facts,
        )
    if isinstance(error, InvalidStateError):
        return InvalidStateError(
            f"The value of {key!r} after superstep {step} ({by}) does not fit the schema: {error.message}", hint=error.hint, **facts
        )
    return ReducerError(
        f"The reducer of {key!r} failed in superstep {step} on the update of {by}: {type(error).__name__}: {error}",
        hint="A reducer takes (value, update) and returns the new value; check what the node returned.",
        **facts,
    )


def _type_name(spec: GraphSpec, key: str) -> str:
    return getattr(getattr(spec.channels[key], "typ", None), "__name__", "list")
