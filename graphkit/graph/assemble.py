"""From a declared graph to the data the engine runs: everything that does not change is worked out here, once."""

from __future__ import annotations

from dataclasses import field
from functools import partial
from typing import TYPE_CHECKING, cast

from graphkit.core.channels import LastValue
from graphkit.core.command import END, START
from graphkit.core.graph import GraphSpec, Join, NodeSpec
from graphkit.core.record import record, replace
from graphkit.errors import InvalidSchemaError
from graphkit.graph.declaration import HANDLER
from graphkit.graph.signature import is_runnable
from graphkit.graph.subgraph import subgraph_action
from graphkit.graph.update import update_reader
from graphkit.runtime import Action, Cached, Router

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from graphkit.core.policy import CachePolicy
    from graphkit.graph.builder import StateGraph
    from graphkit.graph.compiled import CompiledGraph
    from graphkit.graph.declaration import NodeDeclaration, RouterDeclaration
    from graphkit.graph.schema import Field, Schema
    from graphkit.graph.signature import Signature
    from graphkit.graph.update import Update
    from graphkit.storage.cache import Cache


@record
class Parts:
    """A compiled graph's parts.

    Args:
        spec: What the engine runs.
        state: The state schema.
        input: What an input may have.
        output: What a result has.
        fields: Every key of every schema, private ones too.
        read_input: Reads an input into writes.
        read_update: Reads a caller's update into writes.
        context_schema: Class of the context object, or None.
        subgraphs: Nodes that are graphs.
        needs_loop: Whether a node or router can only be awaited.
        lines: The declared edges: (source, target, label, conditional).
        metadata: Each node's metadata, by name.
    """

    spec: GraphSpec
    state: Schema
    input: Schema
    output: Schema
    fields: Mapping[str, Field]
    read_input: Update
    read_update: Update
    context_schema: type | None
    subgraphs: Mapping[str, CompiledGraph]
    needs_loop: bool
    lines: tuple[tuple[str, str, str | None, bool], ...]
    metadata: Mapping[str, Mapping[str, object]] = field(default_factory=dict)


def assemble(
    builder: StateGraph[object],
    declarations: Sequence[NodeDeclaration],
    name: str,
    *,
    step_timeout: float | None = None,
    cache: Cache | None = None,
) -> Parts:
    """Put together the parts of a validated graph.

    Args:
        builder: Edges, routers and schemas.
        declarations: Its nodes, from ``declared``.
        name: For errors.
        step_timeout: Seconds a superstep may take; None for no limit.
        cache: Where nodes with a policy for it keep their results.
    """
    routers = [router for found in builder.routers.values() for router in found]
    seen = [*[node.input_schema for node in declarations], *[router.input_schema for router in routers]]
    private = [schema for schema in seen if schema is not None]
    fields = _all_fields([builder.state, builder.input, builder.output, *private])
    read_update = update_reader(fields, [builder.state, *private])
    read_input = update_reader({key: fields[key] for key in builder.input.fields}, [builder.input, builder.state])
    keys = tuple([key for key, item in fields.items() if item.managed is None])
    actions = {START: _start(builder, read_input, keys)}
    for node in declarations:
        actions[node.name] = _governed(node, _action(builder, node, read_update, fields, keys), step_timeout, cache)
    spec = _spec(builder, name, fields, actions, frozenset([node.name for node in declarations if node.defer]))
    graphs = {node.name: cast("CompiledGraph", node.action) for node in declarations if node.signature is None}
    needs_loop = any([action.needs_loop for action in actions.values()]) or any([g.needs_loop for g in graphs.values()])
    return Parts(
        spec,
        builder.state,
        builder.input,
        builder.output,
        fields,
        read_input,
        read_update,
        builder.context_schema,
        graphs,
        needs_loop,
        _lines(builder, declarations),
        {node.name: node.metadata for node in declarations},
    )


def _spec(
    builder: StateGraph[object], name: str, fields: Mapping[str, Field], actions: Mapping[str, Action], deferred: frozenset[str]
) -> GraphSpec:
    joins = _joins(builder.joins)
    channels = {key: item.channel for key, item in fields.items() if item.managed is None}
    return GraphSpec(
        name=name,
        nodes={node: NodeSpec(node, act, *_ways(builder, node, joins), node in deferred, act.handler) for node, act in actions.items()},
        channels=channels,
        joins=joins,
        starts=tuple([(key, item.start) for key, item in fields.items() if item.start is not None and item.managed is None]),
        passing=tuple([key for key, channel in channels.items() if not channel.keeps]),
        untracked=frozenset([key for key, channel in channels.items() if not channel.stored]),
        checks={key: item.check for key, item in fields.items() if item.check is not None and not isinstance(item.channel, LastValue)},
        conditional_entry=START in builder.routers,
    )


def _governed(node: NodeDeclaration, action: Action, step_timeout: float | None, cache: Cache | None) -> Action:
    """Return the action with the node's policies."""
    kept = node.policies.cache
    return replace(
        action,
        retries=node.policies.retries,
        timeout=node.policies.timeout,
        step_timeout=step_timeout,
        handler=HANDLER + node.name if node.policies.handler is not None else "",
        handles=node.handles,
        cached=Cached(cache, _entries_of(node, kept), kept) if cache is not None and kept is not None else None,
    )


def _entries_of(node: NodeDeclaration, policy: CachePolicy) -> tuple[str, ...]:
    """Return the namespace of a node's results: its name, what it runs and the version of that."""
    action = node.action
    while isinstance(action, partial):
        action = action.func
    named = action if hasattr(action, "__qualname__") else type(action)
    return ("node", node.name, f"{named.__module__}:{named.__qualname__}", policy.version)


def _all_fields(schemas: Iterable[Schema]) -> dict[str, Field]:
    """Return every key once; a key with a rule of its own in one schema has that rule everywhere."""
    fields: dict[str, Field] = {}
    for schema in schemas:
        for key, item in schema.fields.items():
            known = fields.get(key)
            if known is None or _is_plain(known):
                fields[key] = item
            elif not _is_plain(item) and item.channel != known.channel:
                raise InvalidSchemaError(f"Two schemas give the key {key!r} different reducers or channels.", key=key)
    return fields


def _is_plain(item: Field) -> bool:
    return isinstance(item.channel, LastValue) and item.managed is None and item.start is None and item.check is None


def _joins(declared: Iterable[tuple[tuple[str, ...], str]]) -> dict[str, Join]:
    found = {}
    for sources, target in declared:
        name = f"{'+'.join(sources)}:{target}"
        found[name] = Join(name, frozenset(sources), target)
    return found


def _ways(builder: StateGraph[object], node: str, joins: Mapping[str, Join]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return (targets of static edges, joins) of a node."""
    targets = dict.fromkeys([target for source, target in builder.edges if source == node and target != END])
    return tuple(targets), tuple([join.name for join in joins.values() if node in join.sources])


def _start(builder: StateGraph[object], read_input: Update, keys: tuple[str, ...]) -> Action:
    return Action(None, None, builder.state.reader(keys), read_input, routers=_routers(builder, START, keys))


def _routers(builder: StateGraph[object], node: str, keys: tuple[str, ...]) -> tuple[Router, ...]:
    return tuple([_router(declared, (declared.input_schema or builder.state).reader(keys)) for declared in builder.routers.get(node, ())])


def _router(declared: RouterDeclaration, read: object) -> Router:
    signature = declared.signature
    return Router(
        declared.name,
        declared.function,
        read,  # type: ignore[arg-type]
        signature.services,
        declared.path_map,
        signature.is_async,
        signature.takes_state,
    )


def _action(
    builder: StateGraph[object], declared: NodeDeclaration, read_update: Update, fields: Mapping[str, Field], keys: tuple[str, ...]
) -> Action:
    read = (declared.input_schema or builder.state).reader(keys)
    routers = _routers(builder, declared.name, keys)
    signature = declared.signature
    if signature is None:
        return subgraph_action(cast("CompiledGraph", declared.action), fields, read_update, routers)
    function, coroutine = _ways_to_run(declared.action, signature)
    return Action(function, coroutine, read, read_update, signature.services, routers, signature.takes_state)


def _ways_to_run(action: object, signature: Signature) -> tuple[Callable[..., object] | None, Callable[..., object] | None]:
    """Return what the sync driver calls and what the async driver calls."""
    if is_runnable(action):
        return action.invoke, action.ainvoke
    function = cast("Callable[..., object]", action)
    return (None, function) if signature.is_async else (function, None)


def _lines(builder: StateGraph[object], declarations: Iterable[NodeDeclaration]) -> tuple[tuple[str, str, str | None, bool], ...]:
    """Return the declared edges; where a router may lead is known only if somebody said so."""
    lines: list[tuple[str, str, str | None, bool]] = [(source, target, None, False) for source, target in builder.edges]
    lines += [(source, target, None, False) for sources, target in builder.joins for source in sources]
    for source, routers in builder.routers.items():
        for router in routers:
            labels = {target: str(key) for key, target in (router.path_map or {}).items() if str(key) != target}
            lines += [(source, target, labels.get(target), True) for target in router.targets or ()]
    for node in declarations:
        lines += [(node.name, HANDLER + node.name, "error", True)] if node.policies.handler is not None else []
        lines += [(node.name, target, label, True) for target, label in (node.destinations or {}).items()]
    return tuple(lines)
