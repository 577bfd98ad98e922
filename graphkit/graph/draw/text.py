"""A drawing as plain text: boxes, ``|`` and ``-`` for edges, ``:`` and ``.`` for conditional edges.

The edges between two levels are routed on tracks of their own; a label takes a place on a level like a node.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from math import floor
from statistics import fmean
from typing import TYPE_CHECKING

from graphkit.core.command import END, START
from graphkit.graph.draw.centres import centred
from graphkit.graph.draw.layers import Item, layered
from graphkit.graph.draw.letters import clusters, columns, printable
from graphkit.graph.draw.order import ordered

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from graphkit.graph.draw.drawing import Drawing, Line
    from graphkit.graph.draw.layers import Wire

_GAP = 3
_READABLE = 400


def text(drawing: Drawing) -> str:
    """Return the drawing as text, or as a list of its edges if there are too many to follow."""
    plan = _place(drawing)
    return _listing(drawing) if plan is None else _paint(plan)


def _listing(drawing: Drawing) -> str:
    rows = [printable(name) for name in drawing.nodes]
    for line in drawing.edges:
        label = f" ({printable(line.label)})" if line.label else ""
        rows.append(f"{printable(line.source)} {'..>' if line.conditional else '-->'} {printable(line.target)}{label}")
    return "\n".join(rows)


@dataclass(frozen=True, slots=True)
class _Cell:
    """An item as it is written."""

    level: int
    text: str
    box: bool
    dotted: bool
    loops: tuple[Line, ...] = ()

    @property
    def body(self) -> int:
        """Columns of the box or label."""
        return max(columns(self.text) + 4, 7) if self.box else max(columns(self.text), 1)

    @property
    def tail(self) -> str:
        """What stands right of the box: the node's edges to itself."""
        label = ", ".join([printable(line.label) for line in self.loops if line.label])
        stroke = "." if all(line.conditional for line in self.loops) else "-"
        return f"{stroke * 2}+ {label}".rstrip() if self.loops else ""


@dataclass(frozen=True, slots=True)
class _Plan:
    items: tuple[_Cell, ...]
    wires: tuple[Wire, ...]
    centres: dict[int, int]


def _place(drawing: Drawing) -> _Plan | None:
    """Give each node, label and point a level and a column, or return None when there are too many to read."""
    boxes = {key: _Cell(0, printable(key), box=True, dotted=False, loops=_loops(drawing, key)) for key in drawing.nodes}
    sizes = {key: (float(cell.body // 2), float(cell.body - cell.body // 2 + columns(cell.tail))) for key, cell in boxes.items()}
    ends = {line: (line.source, line.target) for line in drawing.edges if line.source != line.target}
    found = layered(sizes, ends, lambda label: max(columns(printable(label)), 1), (START, END), _READABLE)
    if found is None:
        return None
    items, wires = found
    cells = tuple([_cell(item, boxes) for item in items])
    whole = [_whole(item, cell) for item, cell in zip(items, cells, strict=True)]
    centres = centred(ordered(whole, wires), whole, wires, (_GAP, _GAP))
    return _Plan(cells, tuple(wires), {number: floor(centre + 0.5) for number, centre in enumerate(centres)})


def _loops(drawing: Drawing, key: str) -> tuple[Line, ...]:
    return tuple([line for line in drawing.edges if line.source == line.target == key])


def _cell(item: Item, boxes: Mapping[str, _Cell]) -> _Cell:
    if item.node is not None:
        return replace(boxes[item.node], level=item.level)
    return _Cell(item.level, printable(item.text), box=False, dotted=item.line is not None and item.line.conditional)


def _whole(item: Item, cell: _Cell) -> Item:
    """Return the item with whole columns left and right of its centre."""
    return Item(item.level, cell.body // 2, cell.body - cell.body // 2 + columns(cell.tail), item.node, item.line, item.text)


@dataclass(slots=True)
class _Net:
    """Wires that leave one port of an upper item: one stem, one track, a branch (dotted or not) to each lower port."""

    stem: int
    branches: dict[int, bool]
    heads: tuple[int, ...]
    rising: bool
    room: set[int]
    track: int = 0

    def span(self) -> tuple[int, int]:
        return min(self.stem, *self.branches), max(self.stem, *self.branches)


class _Canvas:
    """Characters by row and column; edges are laid first as ink, so that corners and crossings come out right."""

    def __init__(self) -> None:
        self.characters: dict[tuple[int, int], str] = {}
        self.ink: dict[tuple[int, int], list[tuple[int, str, bool]]] = defaultdict(list)

    def write(self, row: int, column: int, text: str) -> None:
        for cluster in clusters(text):
            self.characters[row, column] = cluster
            for extra in range(1, columns(cluster)):
                self.characters[row, column + extra] = ""
            column += columns(cluster)

    def stroke(self, net: int, rows: range, columns: range, *, dotted: bool) -> None:
        for cell in [(row, column) for row in rows for column in columns]:
            self.ink[cell].append((net, "h" if len(rows) == 1 < len(columns) else "v", dotted))

    def text(self) -> str:
        rows: dict[int, dict[int, str]] = defaultdict(dict)
        for (row, column), character in ({cell: _glyph(ink) for cell, ink in self.ink.items()} | self.characters).items():
            rows[row][column] = character
        lines = [rows[row] for row in range(max(rows, default=-1) + 1)]
        return "\n".join(["".join([line.get(column, " ") for column in range(max(line, default=-1) + 1)]).rstrip() for line in lines])


def _glyph(ink: Sequence[tuple[int, str, bool]]) -> str:
    across = {net for net, direction, _ in ink if direction == "h"}
    upright = {net for net, direction, _ in ink if direction == "v"}
    if across & upright:
        return "+"
    dotted = all(dotted for _, direction, dotted in ink if direction == ("v" if upright else "h"))
    return ("| :" if upright else "- .")[2 * dotted]


def _paint(plan: _Plan) -> str:
    canvas = _Canvas()
    row = 0
    for level in range(max((item.level for item in plan.items), default=-1) + 1):
        members = [number for number, item in enumerate(plan.items) if item.level == level]
        height = 3 if any(plan.items[number].box for number in members) else 1
        for number in members:
            _paint_item(canvas, plan.items[number], row, plan.centres[number], height)
        nets = _nets(plan, level)
        row += height + _paint_nets(canvas, nets, row + height, 2 + _tracks(nets))
    return canvas.text()


def _paint_item(canvas: _Canvas, item: _Cell, row: int, centre: int, height: int) -> None:
    left = centre - item.body // 2
    if not item.box:
        canvas.stroke(0, range(row, row + height), range(centre, centre + 1), dotted=item.dotted)
        canvas.write(row + height // 2, left, item.text)
        return
    edge = f"+{'-' * (item.body - 2)}+"
    space = item.body - 2 - columns(item.text)
    canvas.write(row, left, edge)
    canvas.write(row + 1, left, f"|{' ' * (space // 2)}{item.text}{' ' * (space - space // 2)}|{item.tail}")
    canvas.write(row + 2, left, edge + (f"<{item.tail[0]}+" if item.loops else ""))


def _nets(plan: _Plan, level: int) -> list[_Net]:
    """Group the wires below a level by the port they leave."""
    items, wires = plan.items, [wire for wire in plan.wires if plan.items[wire.top].level == level]
    upper = _ports(plan, [(wire.top, wire.upward, wire.bottom) for wire in wires])
    groups = {port: [wire for wire in wires if (wire.top, wire.upward) == port] for port in upper}
    _straighten(plan, [(group[0].bottom, upper[port]) for port, group in groups.items() if len(group) == 1])
    lower = _ports(plan, [(wire.bottom, wire.upward, wire.top) for wire in wires])
    return [
        _Net(
            stem=stem,
            branches={lower[wire.bottom, rising]: wire.line.conditional for wire in groups[top, rising]},
            heads=tuple([lower[wire.bottom, rising] for wire in groups[top, rising] if items[wire.bottom].box and not rising]),
            rising=rising and items[top].box,
            room={stem - 1, stem + 1} if items[top].box else set(),
        )
        for (top, rising), stem in upper.items()
    ]


def _straighten(plan: _Plan, joints: Iterable[tuple[int, int]]) -> None:
    """Move labels and points that are a few columns beside the one stem above them right under it."""
    for number, stem in joints:
        item = plan.items[number]
        row = [other for other, one in enumerate(plan.items) if one.level == item.level and other != number]
        room = {other: (item.body + plan.items[other].body) // 2 + columns(plan.items[other].tail) + 1 for other in row}
        free = all(abs(stem - plan.centres[other]) > room[other] for other in row)
        if free and not item.box and abs(stem - plan.centres[number]) <= _GAP:
            plan.centres[number] = stem


def _ports(plan: _Plan, uses: Iterable[tuple[int, bool, int]]) -> dict[tuple[int, bool], int]:
    """Return a column for each direction at each item, side by side in the order of where the wires come from."""
    far: dict[int, dict[bool, list[float]]] = defaultdict(lambda: defaultdict(list))
    for number, upward, other in uses:
        far[number][upward].append(plan.centres[other])
    ports: dict[tuple[int, bool], int] = {}
    for number, sides in far.items():
        in_order = sorted([(fmean(sides[upward]), upward) for upward in sides])
        for place, (_, upward) in enumerate(in_order):
            ports[number, upward] = plan.centres[number] - (len(in_order) - 1) + 2 * place
    return ports


def _tracks(nets: Sequence[_Net]) -> int:
    """Give each bent net a row of its own where another one is in its way, and return the number of rows.

    A net whose stem stands over another net's branch goes first, or the two would look like one. Where nets wait
    for each other in a circle, a stem steps aside.
    """
    waiting = [net for net in nets if set(net.branches) != {net.stem}]
    placed: list[_Net] = []
    while waiting:
        ready = [net for net in waiting if not any(other.stem in net.branches for other in waiting if other is not net)]
        net = ready[0] if ready else waiting[0]
        if not ready:
            used = {column for other in nets for column in (other.stem, *other.branches)}
            blocking = next(other for other in waiting if other is not net and other.stem in net.branches)
            blocking.stem = min(blocking.room - used, default=blocking.stem)
        low, high = net.span()
        first = max([other.track for other in placed if other.stem in net.branches], default=0) + 1
        near = [other for other in placed if other.span()[0] <= high + 1 and low <= other.span()[1] + 1]
        taken = {other.track for other in near if len(net.branches) > 1 or other.branches.keys() != net.branches.keys()}
        net.track = min(set(range(first, len(nets) + first + 1)) - taken)
        placed.append(net)
        waiting.remove(net)
    return max([net.track for net in placed], default=0)


def _paint_nets(canvas: _Canvas, nets: Sequence[_Net], row: int, height: int) -> int:
    """Draw what is between two levels and return its height."""
    for number, net in enumerate(nets):
        dotted = all(net.branches.values())
        canvas.stroke(number, range(row, row + net.track + 1), range(net.stem, net.stem + 1), dotted=dotted)
        if net.track:
            canvas.stroke(number, range(row + net.track, row + net.track + 1), range(net.span()[0], net.span()[1] + 1), dotted=dotted)
        for branch, branch_dotted in net.branches.items():
            canvas.stroke(number, range(row + net.track, row + height), range(branch, branch + 1), dotted=branch_dotted)
        for head in net.heads:
            canvas.write(row + height - 1, head, "v")
        if net.rising:
            canvas.write(row, net.stem, "^")
    return height if nets else 0
