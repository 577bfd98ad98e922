"""Where lines leave and enter boxes: side by side, in the order of where they go, and around the frames of subgraphs."""

from __future__ import annotations

from collections import defaultdict
from math import inf
from typing import TYPE_CHECKING

from graphkit.core.record import record, replace

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from graphkit.graph.draw.layers import Item, Wire
    from graphkit.graph.draw.page import Layout

AROUND = 15.0
"""Room beside a frame for one line that goes around it."""

_STEP = 16.0
_MARGIN = 24.0


@record
class Part:
    """A node, or a subgraph with its frame.

    Args:
        body: The part laid out by itself.
        keys: Ids of the nodes in it.
    """

    body: Layout
    keys: frozenset[str]


@record
class End:
    """The end of a wire at a node.

    Args:
        key: Id of the node.
        below: Whether it is at the lower side of the node.
        around: Whether it goes around the frame that the node stands in.
        at_node: Column at the node, from the centre of the part.
        at_level: Column where the wire leaves the level of the part, from the centre of the part.
    """

    key: str
    below: bool
    around: bool
    at_node: float
    at_level: float


def goes_around(wire: Wire, number: int, parts: Mapping[str, Part], item: Item) -> bool:
    """Tell whether a wire that points up has to pass a frame, to enter it from above or after leaving it below."""
    return wire.upward and number in (wire.top, wire.bottom) and item.node is not None and bool(parts[item.node].body.frames)


def shifted(wires: Sequence[Wire], ends: Mapping[tuple[int, bool], End]) -> list[Wire]:
    """Return the wires with how far from the centres of their items they end."""
    aside = {place: end.at_level for place, end in ends.items()}
    return [replace(wire, shift=aside.get((number, True), 0.0) - aside.get((number, False), 0.0)) for number, wire in enumerate(wires)]


def ends_of(
    parts: Mapping[str, Part], items: Sequence[Item], wires: Sequence[Wire], centres: Sequence[float] | None
) -> dict[tuple[int, bool], End]:
    """Return the ends of wires that are at nodes, by the index of the wire and whether it is the upper end.

    Args:
        parts: The nodes and frames.
        items: All items.
        wires: What joins them.
        centres: Of the items; None as long as they have no order, then lines that meet at a node meet at its middle.
    """
    sides: dict[tuple[str, bool], list[tuple[float, int, bool]]] = defaultdict(list)
    for number, wire in enumerate(wires):
        for upper, item, other in ((True, wire.top, wire.bottom), (False, wire.bottom, wire.top)):
            if items[item].node is not None:
                around = goes_around(wire, item, parts, items[item])
                key = wire.line.source if upper != wire.upward else wire.line.target
                sides[key, upper != around].append((inf if around else centres[other] if centres else 0.0, number, upper))
    ends: dict[tuple[int, bool], End] = {}
    taken: dict[int, int] = defaultdict(int)
    for (key, below), found in sides.items():
        _, first, upper = found[0]
        part = parts[items[wires[first].top if upper else wires[first].bottom].node or ""].body
        box = part.box_of(key)
        step = min(_STEP, (box.wide - _MARGIN) / max(len(found) - 1, 1)) if centres else 0.0
        # A line from outside the frame may enter at the middle; one that goes around leaves it free.
        aside = step if all(far == inf for far, _, _ in found) else 0.0
        for place, (far, number, upper) in enumerate(sorted(found)):
            at_node = box.x - part.wide / 2 + (place - (len(found) - 1) / 2) * step + aside
            around = far == inf
            item = wires[number].top if upper else wires[number].bottom
            taken[item] += around
            at_level = part.wide / 2 + AROUND * (taken[item] - 0.2) if around else at_node
            ends[number, upper] = End(key, below, around, at_node, at_level)
    return ends
