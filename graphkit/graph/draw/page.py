"""What is on a picture, in pixels from its left upper corner."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphkit.core.record import record, replace

if TYPE_CHECKING:
    from graphkit.graph.draw.drawing import Line, Node


@record
class Box:
    """A node or a label on the picture: centre, size, and the lines of text in it."""

    x: float
    y: float
    wide: float
    high: float
    rows: tuple[str, ...]
    notes: tuple[str, ...] = ()
    node: Node | None = None


@record
class Frame:
    """The box around a subgraph: left upper corner, size, title."""

    x: float
    y: float
    wide: float
    high: float
    title: str


@record
class Route:
    """The way of a line, from its source to its target; where two points are not above each other it bends."""

    line: Line
    points: tuple[tuple[float, float], ...]


@record
class Loop:
    """The lines from a box to itself, drawn as one: the middle of the box's right side."""

    lines: tuple[Line, ...]
    x: float
    y: float


@record
class Layout:
    """A picture or a part of it; x and y begin at 0."""

    wide: float
    high: float
    boxes: tuple[Box, ...] = ()
    labels: tuple[Box, ...] = ()
    frames: tuple[Frame, ...] = ()
    routes: tuple[Route, ...] = ()
    loops: tuple[Loop, ...] = ()

    def moved(self, x: float, y: float) -> Layout:
        """Return it further right and down."""
        return replace(
            self,
            boxes=tuple([replace(box, x=box.x + x, y=box.y + y) for box in self.boxes]),
            labels=tuple([replace(box, x=box.x + x, y=box.y + y) for box in self.labels]),
            frames=tuple([replace(frame, x=frame.x + x, y=frame.y + y) for frame in self.frames]),
            routes=tuple([replace(route, points=tuple([(px + x, py + y) for px, py in route.points])) for route in self.routes]),
            loops=tuple([replace(loop, x=loop.x + x, y=loop.y + y) for loop in self.loops]),
        )

    def box_of(self, key: str) -> Box:
        """Return the box of a node."""
        return next(box for box in self.boxes if box.node is not None and box.node.id == key)
