"""From a compiled graph to its drawing, subgraphs as one node or with the nodes in them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from graphkit.core.command import END, START
from graphkit.graph.draw.drawing import Drawing, Line, Node
from graphkit.graph.draw.nesting import action_of, children_of

if TYPE_CHECKING:
    from graphkit.graph.compiled import CompiledGraph


def drawing_of(graph: CompiledGraph, depth: float = 0, around: tuple[CompiledGraph, ...] = ()) -> Drawing:
    """Return the declared nodes and edges.

    Args:
        graph: What is drawn.
        depth: How many levels of subgraphs to draw with their nodes.
        around: Graphs that are being drawn around this one; a graph that calls itself is not drawn inside itself.
    """
    drawing = _declared(graph)
    if depth < 1:
        return drawing
    for name, child in children_of(graph):
        if child is not graph and child not in around:
            drawing = _expanded(drawing, name, *_trimmed(drawing_of(child, depth - 1, (*around, graph))))
    return drawing


def _declared(graph: CompiledGraph) -> Drawing:
    parts = graph.parts
    nodes = [Node(name, name, action_of(graph, name), parts.metadata.get(name, {})) for name in parts.spec.nodes]
    lines = [Line(*line) for line in parts.lines]
    return Drawing.of([*nodes, *([Node(END, END)] if any(line.target == END for line in lines) else [])], lines)


def _trimmed(drawing: Drawing) -> tuple[Drawing, str, str]:
    """Return a subgraph without the start and the end that say nothing, and the ids where lines enter and leave it.

    The end of a subgraph is where a line of the parent begins, so a node that ends it without saying so gets a line.
    """
    leaving = {line.source for line in drawing.edges}
    silent = [Line(key, END) for key in drawing.nodes if key not in leaving and key not in (START, END)]
    drawing = Drawing.of([*drawing.nodes.values(), Node(END, END)], [*drawing.edges, *silent])
    entry, leave = START, END
    starts = [line for line in drawing.edges if line.source == START]
    if len(starts) == 1 and _is_plain(starts[0]) and not _others(drawing, starts[0], "target"):
        entry = starts[0].target
    ends = [line for line in drawing.edges if line.target == END]
    if len(ends) == 1 and _is_plain(ends[0]) and not _others(drawing, ends[0], "source") and START not in (entry, ends[0].source):
        leave = ends[0].source
    gone = {name for name, kept in ((START, entry), (END, leave)) if name != kept}
    nodes = [node for key, node in drawing.nodes.items() if key not in gone]
    return Drawing.of(nodes, [line for line in drawing.edges if not gone & {line.source, line.target}]), entry, leave


def _is_plain(line: Line) -> bool:
    return line.label is None and not line.conditional


def _others(drawing: Drawing, line: Line, side: str) -> bool:
    return any(other != line and getattr(other, side) == getattr(line, side) for other in drawing.edges)


def _expanded(drawing: Drawing, name: str, inner: Drawing, entry: str, leave: str) -> Drawing:
    """Return the drawing with the nodes of ``inner`` in place of the node ``name``."""
    inside = [replace(node, id=f"{name}:{key}", group=(name, *node.group)) for key, node in inner.nodes.items()]
    nodes = [found for key, node in drawing.nodes.items() for found in (inside if key == name else [node])]
    lines = [
        line._replace(
            source=f"{name}:{leave}" if line.source == name else line.source,
            target=f"{name}:{entry}" if line.target == name else line.target,
        )
        for line in drawing.edges
    ]
    return Drawing.of(
        nodes, [*lines, *[line._replace(source=f"{name}:{line.source}", target=f"{name}:{line.target}") for line in inner.edges]]
    )
