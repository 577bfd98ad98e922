"""What can be known of a graph before it runs: unknown names are refused, doubtful shapes are warned about."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

from graphkit.core.command import END, START
from graphkit.errors import GraphWarning, InvalidGraphError, UnknownNodeError, nearest

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from graphkit.graph.builder import StateGraph


def validate(builder: StateGraph[object], breakpoints: Sequence[str]) -> None:
    """Check a declared graph.

    Raises:
        InvalidGraphError: There is no entry point.
        UnknownNodeError: An edge, join, path_map, destination or breakpoint names no node.

    Warns:
        GraphWarning: A node nobody leads to, a loop without a way out, a node with both goto and static edges.
    """
    _require_known(builder, breakpoints)
    entries = [target for source, target in builder.edges if source == START]
    if not entries and START not in builder.routers:
        raise InvalidGraphError("Graph must have an entrypoint: nothing leads from START.", hint="add_edge(START, first_node)")
    for problem in (*_unreachable(builder), *_endless(builder), *_jumping(builder)):
        warnings.warn(problem, GraphWarning, stacklevel=4)


def _require_known(builder: StateGraph[object], breakpoints: Sequence[str]) -> None:
    nodes = builder.nodes
    used: list[tuple[str, str]] = []
    for source, target in builder.edges:
        used += [(source, f"An edge to {target!r}"), (target, f"An edge from {source!r}")]
    for sources, target in builder.joins:
        used += [(source, f"The join to {target!r}") for source in sources]
        used.append((target, f"The join of {list(sources)!r}"))
    for source, routers in builder.routers.items():
        used.append((source, f"The router {routers[0].name!r}"))
        used += [(target, f"Router {router.name!r} of {source!r}") for router in routers for target in router.targets or ()]
    used += [(target, f"A destination of {node.name!r}") for node in nodes.values() for target in node.destinations or ()]
    for name, where in used:
        if name == START and where.startswith(("Router", "A destination")):
            raise InvalidGraphError(f"{where} names START; nothing leads back to it.", hint="Name the first node instead.")
        if name not in nodes and name not in (START, END):
            raise UnknownNodeError(f"{where} names {name!r}, which is no node of the graph.", hint=nearest(name, nodes), node=name)
    for name in breakpoints:
        if name not in nodes:
            raise UnknownNodeError(f"The breakpoint {name!r} is no node of the graph.", hint=nearest(name, nodes), node=name)


def _ways(builder: StateGraph[object]) -> dict[str, set[str] | None]:
    """Return for each node where it may lead, None if a router or a Command may lead anywhere."""
    ways: dict[str, set[str] | None] = {name: set() for name in (START, *builder.nodes)}
    edges = [*builder.edges, *[(source, target) for sources, target in builder.joins for source in sources]]
    for source, target in edges:
        _add(ways, source, {target})
    for source, routers in builder.routers.items():
        for router in routers:
            _add(ways, source, set(router.targets) if router.targets is not None else None)
    for node in builder.nodes.values():
        if node.jumps or node.destinations is not None:
            _add(ways, node.name, set(node.destinations) if node.destinations else None)
        elif node.signature is None or (node.signature.returns is None and not ways[node.name]):
            # A subgraph may jump in this graph; so may a node that has neither a return annotation nor an edge.
            _add(ways, node.name, None)
    return ways


def _add(ways: dict[str, set[str] | None], source: str, targets: set[str] | None) -> None:
    known = ways.get(source)
    ways[source] = None if targets is None or known is None else known | targets


def _unreachable(builder: StateGraph[object]) -> Iterable[str]:
    ways = _ways(builder)
    seen: set[str] = set()
    todo = [START]
    while todo:
        name = todo.pop()
        if name in seen or name == END:
            continue
        seen.add(name)
        targets = ways[name]
        if targets is None:
            return []
        todo.extend(targets)
    return [f"Nothing leads to node {name!r}; it never runs." for name in builder.nodes if name not in seen]


def _endless(builder: StateGraph[object]) -> Iterable[str]:
    """Find nodes from which only a static loop can be reached: such a run ends at the recursion limit."""
    ways = _ways(builder)
    ending = {name for name, targets in ways.items() if targets is None or not targets or END in targets}
    changed = True
    while changed:
        before = len(ending)
        ending |= {name for name, targets in ways.items() if targets and not targets.isdisjoint(ending)}
        changed = len(ending) != before
    stuck = [name for name in builder.nodes if name not in ending]
    return [f"Nodes {', '.join(map(repr, stuck))} form a loop without a way out."] if stuck else []


def _jumping(builder: StateGraph[object]) -> Iterable[str]:
    with_edges = (
        {source for source, _ in builder.edges} | {source for sources, _ in builder.joins for source in sources} | set(builder.routers)
    )
    return [
        f"Node {node.name!r} jumps with Command(goto=...) and has edges as well; goto adds to the edges, so both run."
        for node in builder.nodes.values()
        if node.jumps and node.name in with_edges and node.destinations != {}
    ]
