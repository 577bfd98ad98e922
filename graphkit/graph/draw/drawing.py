"""What is drawn: nodes, the lines between them, and how to get a picture of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from graphkit.core.command import END, START
from graphkit.graph.draw.styles import NodeStyles

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class Line(NamedTuple):
    """One edge of a drawing.

    Args:
        source: Id of the node it leaves.
        target: Id of the node it enters.
        label: What is written on it, or None.
        conditional: True for an edge that is taken or not when the graph runs; it is drawn dotted.
    """

    source: str
    target: str
    label: str | None = None
    conditional: bool = False

    @property
    def data(self) -> str | None:
        """The label, by LangGraph's name."""
        return self.label


@dataclass(frozen=True, slots=True)
class Node:
    """One node of a drawing.

    Args:
        id: Unique in the drawing; ``parent:child`` for a node of a subgraph that is drawn with its nodes.
        name: What is written on it.
        data: What runs: a function, a compiled graph; None for the start and the end.
        metadata: The user's, from ``add_node``; written below the name.
        group: Names of the subgraphs it stands in, outermost first.
    """

    id: str
    name: str
    data: object = field(default=None, compare=False)
    metadata: Mapping[str, object] = field(default_factory=dict, compare=False)
    group: tuple[str, ...] = ()

    @property
    def is_start(self) -> bool:
        """Whether it is where a graph or subgraph begins."""
        return self.name == START

    @property
    def is_end(self) -> bool:
        """Whether it is where a graph or subgraph ends."""
        return self.name == END

    @property
    def kind(self) -> str:
        """What it is: "start", "end", "graph" for a graph that is drawn as one node, or "node"."""
        if self.is_start or self.is_end:
            return "start" if self.is_start else "end"
        return "graph" if hasattr(self.data, "get_subgraphs") else "node"


@dataclass(frozen=True, slots=True)
class Drawing:
    """A graph as it is drawn.

    Args:
        nodes: By id, the start first; every node that a line mentions is here.
        edges: The lines between them.
    """

    nodes: Mapping[str, Node]
    edges: tuple[Line, ...]

    @classmethod
    def of(cls, nodes: Iterable[str | Node], edges: Sequence[Line]) -> Drawing:
        """Make a drawing of nodes, or names of nodes, and lines; a name that only a line mentions becomes a node."""
        found: dict[str, Node] = {}
        for node in (*nodes, *[name for line in edges for name in (line.source, line.target)]):
            key = node.id if isinstance(node, Node) else node
            found.setdefault(key, node if isinstance(node, Node) else Node(node, node))
        return cls({key: found[key] for key in sorted(found, key=lambda key: key != START)}, tuple(dict.fromkeys(edges)))

    def first_node(self) -> Node | None:
        """Return the one node that no line enters, None if there are several or none."""
        return _only([node for key, node in self.nodes.items() if not any(line.target == key for line in self.edges)])

    def last_node(self) -> Node | None:
        """Return the one node that no line leaves, None if there are several or none."""
        return _only([node for key, node in self.nodes.items() if not any(line.source == key for line in self.edges)])

    def to_json(self) -> dict[str, list[dict[str, Any]]]:
        """Return ``{"nodes": [...], "edges": [...]}`` as JSON has it; metadata that JSON does not know becomes text."""
        nodes = []
        for node in self.nodes.values():
            shown: dict[str, Any] = {"id": node.id, "type": node.kind, "data": {"name": node.name}}
            nodes.append(shown | ({"metadata": _plain(node.metadata)} if node.metadata else {}))
        edges = []
        for line in self.edges:
            said: dict[str, Any] = {"data": line.label} if line.label is not None else {}
            edges.append({"source": line.source, "target": line.target} | said | ({"conditional": True} if line.conditional else {}))
        return {"nodes": nodes, "edges": edges}

    def draw_mermaid(self, *, with_styles: bool = True, curve_style: str = "linear", node_colors: NodeStyles | None = None) -> str:
        """Return the graph as a Mermaid flowchart, as GitHub and most documentation tools show it.

        Args:
            with_styles: Write colours and the form of the lines; without them the page that shows it decides.
            curve_style: Form of the lines, a name of Mermaid's: "linear", "basis", "step", ...
            node_colors: Colours of the nodes.

        Raises:
            InvalidConfigError: There is no such form of lines, or a colour cannot be read.
        """
        from graphkit.graph.draw.mermaid import mermaid  # noqa: PLC0415 - each picture loads what paints it

        return mermaid(self, (node_colors or NodeStyles(), curve_style) if with_styles else None)

    def draw_ascii(self) -> str:
        """Return the graph as text, from top to bottom; ``|`` and ``-`` are edges, ``:`` and ``.`` conditional edges.

        A graph with more lines than a reader can follow is listed instead, one edge in each row.
        """
        from graphkit.graph.draw.text import text  # noqa: PLC0415 - each picture loads what paints it

        return text(self)

    def print_ascii(self) -> None:
        """Print ``draw_ascii()``."""
        print(self.draw_ascii())  # noqa: T201 - what it is for

    def draw_svg(
        self,
        output_file_path: str | Path | None = None,
        *,
        background_color: str | None = None,
        node_colors: NodeStyles | None = None,
        padding: int = 16,
    ) -> str:
        """Return the graph as an SVG picture, made here without a web service; the same graph gives the same bytes.

        Args:
            output_file_path: Where to write it as well.
            background_color: None for a transparent one; the picture is made to be read on light and on dark pages.
            node_colors: Colours of the nodes.
            padding: Pixels around the graph.

        Raises:
            InvalidConfigError: A colour cannot be read.
        """
        from graphkit.graph.draw.svg import svg  # noqa: PLC0415 - each picture loads what paints it

        picture = svg(self, node_colors or NodeStyles(), background_color, padding)
        if output_file_path is not None:
            Path(output_file_path).write_text(picture, "utf-8")
        return picture

    def draw_png(
        self,
        output_file_path: str | Path | None = None,
        *,
        background_color: str | None = "white",
        node_colors: NodeStyles | None = None,
        padding: int = 16,
        scale: float = 2.0,
    ) -> bytes:
        """Return ``draw_svg()`` as PNG; needs the package cairosvg, but no web service.

        Args:
            output_file_path: Where to write it as well.
            background_color: None for a transparent one.
            node_colors: Colours of the nodes.
            padding: As in draw_svg.
            scale: Pixels of the PNG for each pixel of the SVG.

        Raises:
            InvalidConfigError: cairosvg is not installed, or a colour cannot be read.
        """
        from graphkit.graph.draw.png import png  # noqa: PLC0415 - each picture loads what paints it

        picture = png(self.draw_svg(background_color=background_color, node_colors=node_colors, padding=padding), scale)
        if output_file_path is not None:
            Path(output_file_path).write_bytes(picture)
        return picture

    def draw_mermaid_png(
        self,
        output_file_path: str | Path | None = None,
        *,
        background_color: str | None = "white",
        node_colors: NodeStyles | None = None,
        padding: int = 10,
    ) -> bytes:
        """Return ``draw_png()``: LangGraph's name; unlike LangGraph nothing is sent to a web service."""
        return self.draw_png(output_file_path, background_color=background_color, node_colors=node_colors, padding=padding)

    def _repr_svg_(self) -> str:
        """Show the picture in a notebook."""
        return self.draw_svg()


def _only(nodes: Sequence[Node]) -> Node | None:
    return nodes[0] if len(nodes) == 1 else None


def _plain(value: object) -> object:
    match value:
        case str() | int() | float() | None:
            return value
        case Mapping():
            return {str(key): _plain(item) for key, item in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
        case _:
            return repr(value)
