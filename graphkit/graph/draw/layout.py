"""Where everything stands on a picture: boxes, routes of lines, labels, and frames of subgraphs, in pixels.

A subgraph is laid out by itself and is then one big box of the graph around it. Between two levels a line may bend,
beside the boxes of a level it goes straight down, so it never runs through a box.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from graphkit.core.record import record, replace
from graphkit.graph.draw.centres import centred
from graphkit.graph.draw.layers import layered
from graphkit.graph.draw.letters import printable, width, wrapped
from graphkit.graph.draw.order import ordered
from graphkit.graph.draw.page import Box, Frame, Layout, Loop, Route
from graphkit.graph.draw.ports import AROUND, Part, ends_of, goes_around, shifted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from graphkit.graph.draw.drawing import Drawing, Line, Node
    from graphkit.graph.draw.layers import Item, Wire
    from graphkit.graph.draw.ports import End

SIZE = 14.0
SMALL = 11.5
LEADING = 17.0
TITLE = 26.0
LOOP = 26.0

_GAP = (26.0, 14.0)
_RISE = 34.0
_FRAME = 16.0
_LABEL = 20.0
_COLUMNS = 30
_LINES = 4


def arranged(drawing: Drawing, path: tuple[str, ...] = ()) -> Layout:
    """Lay out the nodes of one subgraph, or with no path the whole drawing."""
    parts = _parts(drawing, path)
    owner = {key: name for name, part in parts.items() for key in part.keys}
    inside = [line for line in drawing.edges if line.source in owner and line.target in owner]
    ends = {line: (owner[line.source], owner[line.target]) for line in inside if owner[line.source] != owner[line.target]}
    loops = {name: [line for line in inside if line.source == line.target == name] for name in parts}
    sizes = {name: (part.body.wide / 2, part.body.wide / 2 + _loop_width(loops[name])) for name, part in parts.items()}
    edge = ":".join((*path, "")) if path else ""
    found = layered(sizes, ends, label_width, (f"{edge}__start__", f"{edge}__end__"))
    assert found is not None
    items, wires = found
    items = [_widened(number, item, wires, parts) for number, item in enumerate(items)]
    wires = shifted(wires, ends_of(parts, items, wires, None))
    rows = ordered(items, wires)
    centres = centred(rows, items, wires, _GAP)
    for _ in range(2):
        wires = shifted(wires, ends_of(parts, items, wires, centres))
        centres = centred(rows, items, wires, _GAP, centres)
    return _Page(parts, items, wires, rows, centres, loops).layout()


def label_width(text: str) -> float:
    """Return how wide a label is with the space around it."""
    return width(printable(text), SMALL) + 14.0 if text else 2.0


def _parts(drawing: Drawing, path: tuple[str, ...]) -> dict[str, Part]:
    """Return what stands directly in a subgraph, laid out."""
    parts: dict[str, Part] = {}
    for key, node in drawing.nodes.items():
        if node.group == path:
            parts[key] = Part(_node(node), frozenset([key]))
        elif node.group[: len(path)] == path:
            inner = node.group[: len(path) + 1]
            name = "\n".join(inner)
            if name not in parts:
                keys = frozenset([other.id for other in drawing.nodes.values() if other.group[: len(inner)] == inner])
                parts[name] = Part(_framed(arranged(drawing, inner), inner[-1]), keys)
    return parts


def _node(node: Node) -> Layout:
    rows = wrapped(printable(node.name), _COLUMNS)
    if len(rows) > _LINES:
        rows = [*rows[: _LINES - 1], f"{rows[_LINES - 1][: _COLUMNS - 1]}…"]
    notes = tuple([row for key, value in node.metadata.items() for row in wrapped(printable(f"{key} = {value}"), _COLUMNS + 6)[:1]])
    wide = max([*[width(row, SIZE) for row in rows], *[width(note, SMALL) for note in notes]]) + 30.0
    wide, high = round(max(wide, 64.0)), LEADING * len(rows) + (LEADING - 2) * len(notes) + 19.0
    return Layout(wide, high, (Box(wide / 2, high / 2, wide, high, tuple(rows), notes, node),))


def _framed(inner: Layout, title: str) -> Layout:
    """Put a frame around a subgraph; the title stands left of the line that enters it."""
    shown = printable(title)
    first = inner.boxes[0].x
    room = max(_FRAME, width(shown, SMALL) + 30.0 - first)
    wide, high = inner.wide + room + max(_FRAME, min(room, _FRAME * 2)), inner.high + TITLE + _FRAME
    body = inner.moved(room, TITLE)
    return replace(body, wide=wide, high=high, frames=(Frame(0.0, 0.0, wide, high, shown), *body.frames))


def _loop_width(lines: Sequence[Line]) -> float:
    return LOOP + label_width(", ".join([line.label for line in lines if line.label])) if lines else 0.0


def _widened(number: int, item: Item, wires: Sequence[Wire], parts: Mapping[str, Part]) -> Item:
    """Give a frame room at its right for the lines that have to go around it."""
    aside = sum(goes_around(wire, end, parts, item) for wire in wires for end in (wire.top, wire.bottom) if end == number)
    return replace(item, right=item.right + AROUND * aside) if aside else item


@record
class _Page:
    """One level of subgraphs, from centres to a layout."""

    parts: Mapping[str, Part]
    items: Sequence[Item]
    wires: Sequence[Wire]
    rows: Sequence[Sequence[int]]
    centres: Sequence[float]
    loops: Mapping[str, Sequence[Line]]

    def layout(self) -> Layout:
        """Return boxes, labels and routes; bands of levels first, because lines bend only between them."""
        bands = self._bands()
        placed: dict[int, Layout] = {}
        labels, loops = [], []
        for number, item in enumerate(self.items):
            middle = sum(bands[item.level]) / 2
            if item.node is not None:
                body = self.parts[item.node].body
                placed[number] = body.moved(self.centres[number] - body.wide / 2, middle - body.high / 2)
                loops += [Loop(tuple(lines), self.centres[number] + body.wide / 2, middle) for lines in [self.loops[item.node]] if lines]
            elif item.text:
                labels.append(Box(self.centres[number], middle, label_width(item.text), _LABEL, (printable(item.text),)))
        wide = max([self.centres[number] + item.right for number, item in enumerate(self.items)], default=0.0)
        return Layout(
            wide,
            bands[-1][1] if bands else 0.0,
            tuple([box for part in placed.values() for box in part.boxes]),
            (*labels, *[label for part in placed.values() for label in part.labels]),
            tuple([frame for part in placed.values() for frame in part.frames]),
            (*self._routes(bands, placed), *[route for part in placed.values() for route in part.routes]),
            (*loops, *[loop for part in placed.values() for loop in part.loops]),
        )

    def _bands(self) -> list[tuple[float, float]]:
        """Return top and bottom of each level; there is more room between two levels where lines go far aside."""
        aside = [0.0] * len(self.rows)
        for wire in self.wires:
            level = self.items[wire.top].level
            aside[level] = max(aside[level], abs(self.centres[wire.top] + wire.shift - self.centres[wire.bottom]))
        bands: list[tuple[float, float]] = []
        top = 0.0
        for level, row in enumerate(self.rows):
            high = max([self._height(self.items[number]) for number in row], default=0.0)
            bands.append((top, top + high))
            small = any(self._is_small(row) for row in self.rows[level : level + 2])
            top += high + (_RISE * 0.62 if small else _RISE) + min(aside[level] * 0.12, 46.0)
        return bands

    def _is_small(self, row: Sequence[int]) -> bool:
        return all(self.items[number].node is None for number in row)

    def _height(self, item: Item) -> float:
        if item.node is not None:
            return self.parts[item.node].body.high
        return _LABEL if item.text else 0.0

    def _routes(self, bands: Sequence[tuple[float, float]], placed: Mapping[int, Layout]) -> list[Route]:
        ends = ends_of(self.parts, self.items, self.wires, self.centres)
        ways: dict[Line, list[tuple[float, float]]] = defaultdict(list)
        for number, wire in enumerate(self.wires):
            top, bottom = bands[self.items[wire.top].level][1], bands[self.items[wire.bottom].level][0]
            first = self._joint(ends.get((number, True)), wire.top, placed)
            last = self._joint(ends.get((number, False)), wire.bottom, placed)
            start = first[-1][0] if first else self.centres[wire.top]
            end = last[-1][0] if last else self.centres[wire.bottom]
            ways[wire.line] += [*first, (start, top), (end, bottom), *last[::-1]]
        upward = {wire.line for wire in self.wires if wire.upward}
        return [Route(line, _distinct(points[::-1] if line in upward else points)) for line, points in ways.items()]

    def _joint(self, end: End | None, number: int, placed: Mapping[int, Layout]) -> list[tuple[float, float]]:
        """Return the points from a node to where its wire leaves the level."""
        if end is None:
            return []
        part, centre = placed[number], self.centres[number]
        box = part.box_of(end.key)
        start = (centre + end.at_node, box.y + (box.high / 2 if end.below else -box.high / 2))
        if not end.around:
            return [start]
        turn = part.frames[0].y + (part.frames[0].high if end.below else 0.0)
        return [start, (centre + end.at_node, turn), (centre + end.at_level, turn)]


def _distinct(points: Sequence[tuple[float, float]]) -> tuple[tuple[float, float], ...]:
    """Leave out points that are where the one before is, or nearly, as sums of fractions are."""
    return tuple(dict.fromkeys([(round(x, 1), round(y, 1)) for x, y in points]))
