"""What stands on which level: layers after Sugiyama, Tagawa and Toda (1981), for every painter.

Edges that close a cycle are turned around, and nodes get levels; then ``order`` orders each level so that few edges
cross, and ``centres`` moves every item as near to what it is joined to as the order allows. An item is a node, a label,
or a point that a long edge passes, so that nothing covers anything.
"""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise
from typing import TYPE_CHECKING, TypeAlias

from graphkit.core.record import record

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from graphkit.graph.draw.drawing import Line

DENSE = 2_000
"""Wires of a drawing that nobody can follow, and that is drawn with less care for that."""

Joined: TypeAlias = "list[tuple[int, float]]"


@record
class Item:
    """What has a place on a level.

    Args:
        level: 0 is at the top.
        left: What it needs left of its centre.
        right: What it needs right of its centre.
        node: Id of the node, None for a label or a point.
        line: The line that a label or a point belongs to.
        text: Of a label.
    """

    level: int
    left: float
    right: float
    node: str | None = None
    line: Line | None = None
    text: str = ""


@record
class Wire:
    """The part of a line between two items, the upper one first.

    Args:
        top: Index of the upper item.
        bottom: Index of the lower item.
        line: What it is a part of.
        upward: Whether the line points up.
        shift: How much further right the wire leaves the upper item than it enters the lower one, each from its centre.
    """

    top: int
    bottom: int
    line: Line
    upward: bool
    shift: float = 0.0


def layered(
    sizes: Mapping[str, tuple[float, float]],
    ends: Mapping[Line, tuple[str, str]],
    label_width: Callable[[str], float],
    ends_of_graph: tuple[str, str],
    most_points: int | None = None,
) -> tuple[list[Item], list[Wire]] | None:
    """Give every node, label and point a level, and cut the lines into wires between them.

    Args:
        sizes: What each node needs left and right of its centre.
        ends: The nodes that each line joins; none from a node to itself.
        label_width: Width of a label.
        ends_of_graph: What stands above all, and below all if nothing leaves it; if they are there.
        most_points: None is returned if there are more items than that; None for no limit, then long edges of a graph
            that nobody can follow get no points.
    """
    order, turned = _acyclic(tuple(sizes), ends)
    upright = {line: (pair[1], pair[0]) if line in turned else pair for line, pair in ends.items()}
    levels = _levels(order, upright, *ends_of_graph)
    count = len(levels) + sum(levels[lower] - levels[upper] - 1 for upper, lower in upright.values())
    if most_points is not None and count > most_points:
        return None
    items = [Item(levels[name], left, right, name) for name, (left, right) in sizes.items()]
    index = {name: number for number, name in enumerate(sizes)}
    wires: list[Wire] = []
    for line, (upper, lower) in upright.items():
        between = range(levels[upper] + 1, levels[lower])
        said = None if not line.label else between[-1] if line in turned else between[0]
        stops = [index[upper]]
        for level in between if count < DENSE else [] if said is None else [said]:
            text = line.label or "" if level == said else ""
            half = label_width(text) / 2
            stops.append(len(items))
            items.append(Item(level, half, half, None, line, text))
        stops.append(index[lower])
        wires += [Wire(top, bottom, line, line in turned) for top, bottom in pairwise(stops)]
    return items, wires


def _acyclic(names: Sequence[str], ends: Mapping[Line, tuple[str, str]]) -> tuple[list[str], set[Line]]:
    """Return the names so that lines point onward, and the lines that have to be turned around for that."""
    leaving: dict[str, list[tuple[Line, str]]] = defaultdict(list)
    for line, (source, target) in ends.items():
        leaving[source].append((line, target))
    finished: list[str] = []
    on_path: dict[str, bool] = {}
    turned: set[Line] = set()
    for root in names:
        path = [] if root in on_path else [(root, iter(leaving[root]))]
        on_path.setdefault(root, True)
        while path:
            name, rest = path[-1]
            found = next(rest, None)
            if found is None:
                on_path[name] = False
                finished.append(name)
                path.pop()
            elif found[1] not in on_path:
                on_path[found[1]] = True
                path.append((found[1], iter(leaving[found[1]])))
            elif on_path[found[1]]:
                turned.add(found[0])
    return finished[::-1], turned


def _levels(order: Sequence[str], ends: Mapping[Line, tuple[str, str]], first: str, last: str) -> dict[str, int]:
    below: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for line, (upper, lower) in ends.items():
        below[upper].append((lower, 2 if line.label else 1))
    levels = dict.fromkeys(order, int(first in order))
    if first in levels and not any(lower == first for _, lower in ends.values()):
        levels[first] = 0
    for name in order:
        for lower, distance in below[name]:
            levels[lower] = max(levels[lower], levels[name] + distance)
    if last in levels and not below[last]:
        levels[last] = max([levels[last], *[level + 1 for name, level in levels.items() if name != last]])
    lowest = min(levels.values(), default=0)
    return {name: level - lowest for name, level in levels.items()}


def neighbours(wires: Sequence[Wire]) -> tuple[dict[int, Joined], dict[int, Joined]]:
    """Return what each item is joined to above and below it, and how far right of that it should stand."""
    above: dict[int, Joined] = defaultdict(list)
    below: dict[int, Joined] = defaultdict(list)
    for wire in wires:
        above[wire.bottom].append((wire.top, wire.shift))
        below[wire.top].append((wire.bottom, -wire.shift))
    return above, below
