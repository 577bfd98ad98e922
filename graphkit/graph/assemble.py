"""From a declared graph to the data the engine runs: everything that does not change is worked out here, once."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, cast

from graphkit.core.channels import LastValue
from graphkit.core.command import END, START
from graphkit.core.graph import GraphSpec, Join, NodeSpec
from graphkit.core.record import record
from graphkit.errors import InvalidSchemaError
from graphkit.graph.signature import is_runnable
from graphkit.graph.subgraph import subgraph_action
from graphkit.graph.update import update_reader
from graphkit.runtime import Action, Router

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from graphkit.graph.builder import NodeDeclaration, RouterDeclaration, StateGraph
    from graphkit.graph.compiled import CompiledGraph
    from graphkit.graph.schema import Field, Schema
    from graphkit.graph.signature import Signature
    from graphkit.graph.update import Update


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


def assemble(builder: StateGraph[object], name: str) -> Parts:
    """Put together the parts of a validated graph."""
    routers = [router for found in builder.routers.values() for router in found]
    seen = [*[node.input_schema for node in builder.nodes.values()], *[router.input_schema for router in routers]]
    private = [schema for schema in seen if schema is not None]
    fields = _all_fields([builder.state, builder.input, builder.output, *private])
    schemas = [builder.state, *private]
    read_update = update_reader(fields, schemas)
    read_input = update_reader({key: fields[key] for key in builder.input.fields}, [builder.input, builder.state])
    joins = _joins(builder.joins)
    channels = {key: item.channel for key, item in fields.items() if item.managed is None}
    keys = tuple(channels)
    nodes = {START: _start(builder, read_input, keys, joins)}
    for declaration in builder.nodes.values():
        action = _action(builder, declaration, read_update, fields, keys)
        nodes[declaration.name] = NodeSpec(declaration.name, action, *_ways(builder, declaration.name, joins), declaration.defer)
    spec = GraphSpec(
        name=name,
        nodes=nodes,
        channels=channels,
        joins=joins,
        starts=tuple([(key, item.start) for key, item in fields.items() if item.start is not None and item.managed is None]),
        passing=tuple([key for key, channel in channels.items() if not channel.keeps]),
        untracked=frozenset([key for key, channel in channels.items() if not channel.stored]),
        checks={key: item.check for key, item in fields.items() if item.check is not None and not isinstance(item.channel, LastValue)},
        conditional_entry=START in builder.routers,
    )
    graphs = {node.name: cast("CompiledGraph", node.action) for node in builder.nodes.values() if node.signature is None}
    needs_loop = any([cast("Action", node.action).needs_loop for node in nodes.values()]) or any([g.needs_loop for g in graphs.values()])
    metadata = {node.name: node.metadata for node in builder.nodes.values()}
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
        _lines(builder),
        metadata,
    )


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


def _start(builder: StateGraph[object], read_input: Update, keys: tuple[str, ...], joins: Mapping[str, Join]) -> NodeSpec:
    read = builder.state.reader(keys)
    routers = _routers(builder, START, keys)
    return NodeSpec(START, Action(None, None, read, read_input, routers=routers), *_ways(builder, START, joins))


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
        return subgraph_action(cast("CompiledGraph", declared.action), fields, read_update, routers, declared.retries)
    function, coroutine = _ways_to_run(declared.action, signature)
    return Action(function, coroutine, read, read_update, signature.services, routers, signature.takes_state, declared.retries)


def _ways_to_run(action: object, signature: Signature) -> tuple[Callable[..., object] | None, Callable[..., object] | None]:
    """Return what the sync driver calls and what the async driver calls."""
    if is_runnable(action):
        return action.invoke, action.ainvoke
    function = cast("Callable[..., object]", action)
    return (None, function) if signature.is_async else (function, None)


def _lines(builder: StateGraph[object]) -> tuple[tuple[str, str, str | None, bool], ...]:
    """Return the declared edges; where a router may lead is known only if somebody said so."""
    lines: list[tuple[str, str, str | None, bool]] = [(source, target, None, False) for source, target in builder.edges]
    lines += [(source, target, None, False) for sources, target in builder.joins for source in sources]
    for source, routers in builder.routers.items():
        for router in routers:
            labels = {target: str(key) for key, target in (router.path_map or {}).items() if str(key) != target}
            lines += [(source, target, labels.get(target), True) for target in router.targets or ()]
    for node in builder.nodes.values():
        lines += [(node.name, target, label, True) for target, label in (node.destinations or {}).items()]
    return tuple(lines)
