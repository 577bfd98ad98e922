"""The graphs inside a graph: those that are nodes, and those that the functions of nodes call."""

from __future__ import annotations

import inspect
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from graphkit.graph.compiled import CompiledGraph

if TYPE_CHECKING:
    from collections.abc import Iterator


def subgraphs_of(
    graph: CompiledGraph, *, recurse: bool, prefix: str = "", around: tuple[CompiledGraph, ...] = ()
) -> Iterator[tuple[str, CompiledGraph]]:
    """Return the graphs inside ``graph``, with names as ``node`` or ``node|inner``.

    Args:
        graph: Where to look.
        recurse: Look into the graphs that are found, too; a graph that calls itself is not looked into again.
        prefix: What the names begin with.
        around: Graphs that are being looked into.
    """
    for name, child in children_of(graph):
        yield f"{prefix}{name}", child
        if recurse and child is not graph and child not in around:
            yield from subgraphs_of(child, recurse=True, prefix=f"{prefix}{name}|", around=(*around, graph))


def children_of(graph: CompiledGraph) -> Iterator[tuple[str, CompiledGraph]]:
    """Return the graphs that run in a node of ``graph``, with the node's name, in the order of declaration."""
    for name in graph.parts.spec.nodes:
        action = action_of(graph, name)
        found = action if isinstance(action, CompiledGraph) else _captured(action)
        if found is not None:
            yield name, found


def action_of(graph: CompiledGraph, name: str) -> object:
    """Return what a node runs: a function, an object with ``invoke``, or a compiled graph; None for the start."""
    if name in graph.parts.subgraphs:
        return graph.parts.subgraphs[name]
    action = cast("Any", graph.parts.spec.nodes[name].action)
    return action.function or action.coroutine


def _captured(action: object) -> CompiledGraph | None:
    """Return the first graph that the code of a node can reach by a name of its own."""
    return next((value for value in _reachable(action) if isinstance(value, CompiledGraph)), None)


def _reachable(action: object) -> Iterator[object]:
    while isinstance(action, partial):
        yield from (*action.args, *action.keywords.values())
        action = action.func
    if inspect.ismethod(action):
        yield from getattr(action.__self__, "__dict__", {}).values()
        action = action.__func__
    elif not inspect.isroutine(action) and hasattr(action, "__dict__"):
        yield from vars(action).values()
        action = getattr(type(action), "__call__", None)  # noqa: B004 - not a test for callability
    function = inspect.unwrap(cast("Any", action)) if callable(action) else None
    if not inspect.isfunction(function):
        return
    for cell in function.__closure__ or ():
        try:
            yield cell.cell_contents
        except ValueError:  # the name gets its value later
            continue
    yield from (*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values())
    yield from [function.__globals__[name] for name in function.__code__.co_names if name in function.__globals__]
