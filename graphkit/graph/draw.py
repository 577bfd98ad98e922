"""Drawings of a graph: Mermaid source and plain text, as pure functions of names and lines.

Only this file knows how a graph looks. The text drawing is layered, after Sugiyama, Tagawa and Toda (1981): turn the
edges that close a cycle around, put nodes on levels, order each level so that few edges cross, then route the edges
between two levels on tracks of their own. A label takes a place on a level like a node, so it never covers anything.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean
from typing import TYPE_CHECKING
from unicodedata import east_asian_width

from graphkit.core.command import END, START

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_GAP = 3
_SWEEPS = 8
_READABLE = 400
_MARKDOWN_FREE = re.compile(r"[^\W\d_](?:_?[^\W_]+| (?=\S))*")


@dataclass(frozen=True, slots=True)
class Line:
    """One edge of a drawing.

    Args:
        source: Name of the node it leaves.
        target: Name of the node it enters.
        label: What is written on it, or None.
        conditional: True for an edge that is taken or not when the graph runs; it is drawn dotted.
    """

    source: str
    target: str
    label: str | None = None
    conditional: bool = False


@dataclass(frozen=True, slots=True)
class Drawing:
    """A graph as it is drawn.

    Args:
        nodes: Every node in the order of declaration; ``__start__`` and ``__end__`` are nodes here.
        edges: The lines between them. A name that only a line mentions is drawn as well.
    """

    nodes: tuple[str, ...]
    edges: tuple[Line, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Every name once, the start first."""
        found = dict.fromkeys([*self.nodes, *[name for line in self.edges for name in (line.source, line.target)]])
        return tuple(sorted(found, key=lambda name: name != START))

    def draw_mermaid(self) -> str:
        """Return the graph as a Mermaid flowchart, as GitHub and most documentation tools show it."""
        ids = {name: f"n{number}" for number, name in enumerate(self.names)}
        rows = ["flowchart TD"]
        for name, key in ids.items():
            left, right = ("([", "])") if name in (START, END) else ("[", "]")
            rows.append(f"    {key}{left}{_mermaid_text(name)}{right}")
        for line in dict.fromkeys(self.edges):
            label = f"|{_mermaid_text(line.label)}|" if line.label else ""
            rows.append(f"    {ids[line.source]} {'-.->' if line.conditional else '-->'}{label} {ids[line.target]}")
        return "\n".join(rows)

    def draw_ascii(self) -> str:
        """Return the graph as text, from top to bottom; ``|`` and ``-`` are edges, ``:`` and ``.`` conditional edges.

        A graph with more lines than a reader can follow is listed instead, one edge in each row.
        """
        plan = _place(self)
        return _listing(self) if plan is None else _paint(plan)


def _mermaid_text(text: str) -> str:
    """Quote a text; some Mermaid versions read ``__start__`` or ``1. ask`` as Markdown if it is in no paragraph."""
    codes = {"#": "#35;", '"': "#quot;", "&": "#amp;", "<": "#lt;", ">": "#gt;", "`": "#96;"}
    escaped = "".join([codes.get(character, character) for character in _printable(text)])
    return f'"{escaped}"' if _MARKDOWN_FREE.fullmatch(text) else f'"<p>{escaped}</p>"'


def _printable(text: str) -> str:
    return "".join([character if character.isprintable() else ascii(character)[1:-1] for character in text])


def _width(text: str) -> int:
    return sum(2 if east_asian_width(character) in "WF" else 1 for character in text)


def _listing(drawing: Drawing) -> str:
    rows = [_printable(name) for name in drawing.names]
    for line in dict.fromkeys(drawing.edges):
        label = f" ({_printable(line.label)})" if line.label else ""
        rows.append(f"{_printable(line.source)} {'..>' if line.conditional else '-->'} {_printable(line.target)}{label}")
    return "\n".join(rows)


@dataclass(frozen=True, slots=True)
class _Item:
    """What has a place on a level: a box, a label, or (without text) a point that a long edge passes."""

    level: int
    text: str = ""
    box: bool = False
    dotted: bool = False
    loops: tuple[Line, ...] = ()

    @property
    def body(self) -> int:
        """Columns of the box or label."""
        return max(_width(self.text) + 4, 7) if self.box else max(_width(self.text), 1)

    @property
    def tail(self) -> str:
        """What stands right of the box: the node's edges to itself."""
        label = ", ".join([_printable(line.label) for line in self.loops if line.label])
        stroke = "." if all(line.conditional for line in self.loops) else "-"
        return f"{stroke * 2}+ {label}".rstrip() if self.loops else ""


@dataclass(frozen=True, slots=True)
class _Wire:
    """The part of an edge between two levels, as indices of items; ``upward`` when the edge points to the upper one."""

    top: int
    bottom: int
    dotted: bool
    upward: bool


@dataclass(frozen=True, slots=True)
class _Plan:
    items: tuple[_Item, ...]
    wires: tuple[_Wire, ...]
    centres: dict[int, int]


def _place(drawing: Drawing) -> _Plan | None:
    """Give each node, label and point a level and a column, or return None when there are too many to read."""
    lines = [line for line in dict.fromkeys(drawing.edges) if line.source != line.target]
    order, turned = _acyclic(drawing.names, lines)
    ends = {line: (line.target, line.source) if line in turned else (line.source, line.target) for line in lines}
    levels = _levels(order, ends)
    if len(levels) + sum(levels[lower] - levels[upper] - 1 for upper, lower in ends.values()) > _READABLE:
        return None
    loops = {name: tuple([line for line in drawing.edges if line.source == line.target == name]) for name in levels}
    items = [_Item(levels[name], _printable(name), box=True, loops=loops[name]) for name in drawing.names]
    index = {name: number for number, name in enumerate(drawing.names)}
    wires: list[_Wire] = []
    for line, (upper, lower) in ends.items():
        stops = [index[upper]]
        for level in range(levels[upper] + 1, levels[lower]):
            text = _printable(line.label or "") if len(stops) == 1 else ""
            stops.append(len(items))
            items.append(_Item(level, text, dotted=line.conditional))
        stops.append(index[lower])
        wires += [_Wire(top, bottom, line.conditional, line in turned) for top, bottom in pairwise(stops)]
    return _Plan(tuple(items), tuple(wires), _columns(items, wires))


def _acyclic(names: Sequence[str], lines: Sequence[Line]) -> tuple[list[str], set[Line]]:
    """Return the names so that lines point onward, and the lines that have to be turned around for that."""
    leaving: dict[str, list[Line]] = defaultdict(list)
    for line in lines:
        leaving[line.source].append(line)
    finished: list[str] = []
    on_path: dict[str, bool] = {}
    turned: set[Line] = set()
    for root in names:
        path = [] if root in on_path else [(root, iter(leaving[root]))]
        on_path.setdefault(root, True)
        while path:
            name, rest = path[-1]
            if (edge := next(rest, None)) is None:
                on_path[name] = False
                finished.append(name)
                path.pop()
            elif edge.target not in on_path:
                on_path[edge.target] = True
                path.append((edge.target, iter(leaving[edge.target])))
            elif on_path[edge.target]:
                turned.add(edge)
    return finished[::-1], turned


def _levels(order: Sequence[str], ends: Mapping[Line, tuple[str, str]]) -> dict[str, int]:
    below: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for line, (upper, lower) in ends.items():
        below[upper].append((lower, 2 if line.label else 1))
    levels = dict.fromkeys(order, 0)
    for name in order:
        for lower, distance in below[name]:
            levels[lower] = max(levels[lower], levels[name] + distance)
    return levels


def _columns(items: Sequence[_Item], wires: Sequence[_Wire]) -> dict[int, int]:
    """Return the column of each item's centre; sweeps pull every item under and over what it is joined to."""
    rows: list[list[int]] = [[] for _ in range(max((item.level for item in items), default=-1) + 1)]
    for number, item in enumerate(items):
        rows[item.level].append(number)
    above: dict[int, list[int]] = defaultdict(list)
    below: dict[int, list[int]] = defaultdict(list)
    for wire in wires:
        above[wire.bottom].append(wire.top)
        below[wire.top].append(wire.bottom)
    centres: dict[int, float] = {}
    for row in rows:
        centres |= _spread(row, dict.fromkeys(row, 0.0), items)
    for sweep in range(2 * _SWEEPS):
        joined, ordered = (above, rows) if sweep % 2 == 0 else (below, rows[::-1])
        for row in ordered:
            wish = {number: fmean([centres[other] for other in joined[number]] or [centres[number]]) for number in row}
            if sweep < _SWEEPS:
                row.sort(key=lambda number: wish[number])
            centres |= _spread(row, wish, items)
    left = min((centres[number] - items[number].body // 2 for number in centres), default=0.0)
    return {number: round(centre - left) for number, centre in centres.items()}


def _spread(row: Sequence[int], wish: Mapping[int, float], items: Sequence[_Item]) -> dict[int, float]:
    """Keep the order of a row and the gaps in it, as near to the wishes as two passes get."""
    offsets = [0]
    for left, right in pairwise(row):
        used = items[left].body - items[left].body // 2 + len(items[left].tail)
        offsets.append(offsets[-1] + used + _GAP + items[right].body // 2)
    free = [wish[number] - offset for number, offset in zip(row, offsets, strict=True)]
    rising = [max(free[: place + 1]) for place in range(len(free))]
    falling = [min(free[place:]) for place in range(len(free))]
    return {number: round((high + low) / 2) + offset for number, high, low, offset in zip(row, rising, falling, offsets, strict=True)}


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
        for place, character in enumerate(text):
            start = column + _width(text[:place])
            self.characters |= {(row, start + extra): "" for extra in range(_width(character))} | {(row, start): character}

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


def _paint_item(canvas: _Canvas, item: _Item, row: int, centre: int, height: int) -> None:
    left = centre - item.body // 2
    if not item.box:
        canvas.stroke(0, range(row, row + height), range(centre, centre + 1), dotted=item.dotted)
        canvas.write(row + height // 2, left, item.text)
        return
    edge = f"+{'-' * (item.body - 2)}+"
    space = item.body - 2 - _width(item.text)
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
            branches={lower[wire.bottom, rising]: wire.dotted for wire in groups[top, rising]},
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
        room = {other: (item.body + plan.items[other].body) // 2 + len(plan.items[other].tail) + 1 for other in row}
        free = all(abs(stem - plan.centres[other]) > room[other] for other in row)
        if free and not item.box and abs(stem - plan.centres[number]) <= _GAP:
            plan.centres[number] = stem


def _ports(plan: _Plan, uses: Iterable[tuple[int, bool, int]]) -> dict[tuple[int, bool], int]:
    """Return a column for each direction at each item, side by side in the order of where the wires come from."""
    far: dict[int, dict[bool, list[float]]] = defaultdict(lambda: defaultdict(list))
    for number, upward, other in uses:
        far[number][upward].append(plan.centres[other])
    ports: dict[tuple[int, bool], int] = {}
    for number, columns in far.items():
        ordered = sorted([(fmean(columns[upward]), upward) for upward in columns])
        for place, (_, upward) in enumerate(ordered):
            ports[number, upward] = plan.centres[number] - (len(ordered) - 1) + 2 * place
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
