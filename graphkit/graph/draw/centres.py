"""The centre of each item: near to what it is joined to, in line where it can be, in the order of its level."""

from __future__ import annotations

from collections import defaultdict
from math import inf
from typing import TYPE_CHECKING

from graphkit.core.record import record
from graphkit.graph.draw.layers import DENSE, neighbours

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from graphkit.graph.draw.layers import Item, Joined, Wire

_SWEEPS = 12


def centred(
    rows: Sequence[Sequence[int]],
    items: Sequence[Item],
    wires: Sequence[Wire],
    gap: tuple[float, float],
    start: Sequence[float] | None = None,
) -> list[float]:
    """Return the centre of each item; in each row they keep their order and some room between them.

    Args:
        rows: The items of each level in order.
        items: All items.
        wires: What joins them.
        gap: Room between two neighbours; and the least room, where less makes a line straight.
        start: Centres to improve, None to find the first ones.
    """
    above, below = neighbours(wires)
    centres = [0.0] * len(items) if start is None else list(start)
    for row in rows if start is None else ():
        _settle(row, items, gap[0], centres, lambda _: [(0.0, 1.0)])
    for sweep in range(3 * _SWEEPS if len(wires) < DENSE else 4):
        both = start is not None or sweep >= _SWEEPS
        joined, downward = (above, rows) if sweep % 2 == 0 else (below, rows[::-1])

        def wishes(number: int, joined: Mapping[int, Joined] = joined, *, both: bool = both) -> list[tuple[float, float]]:
            found = [*above[number], *below[number]] if both else joined[number]
            return [(centres[other] + shift, _pull(items, number, other)) for other, shift in found]

        for row in downward:
            _settle(row, items, gap[0], centres, wishes)
    for chain in _chains(items, wires):
        _straighten(chain, rows, items, centres, gap[1])
    left = min((centre - item.left for centre, item in zip(centres, items, strict=True)), default=0.0)
    return [centre - left for centre in centres]


def _pull(items: Sequence[Item], one: int, other: int) -> float:
    """Return how much a wire wants to be straight: most where a long edge only passes."""
    return 1.0 + 3.0 * (items[one].node is None) + 3.0 * (items[other].node is None)


def _settle(
    row: Sequence[int],
    items: Sequence[Item],
    gap: float,
    centres: list[float],
    wishes: Callable[[int], list[tuple[float, float]]],
) -> None:
    """Put a row as near to its wishes as order and gaps allow: least squares by pooling adjacent violators."""
    offset = 0.0
    blocks: list[list[float]] = []
    offsets: list[float] = []
    for place, number in enumerate(row):
        offset += items[row[place - 1]].right + gap + items[number].left if place else 0.0
        offsets.append(offset)
        found = wishes(number) or [(centres[number], 0.1)]
        weight = sum(pull for _, pull in found)
        blocks.append([sum(wish * pull for wish, pull in found) / weight - offset, weight, 1])
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            (one, light, few), (other, heavy, many) = blocks.pop(-2), blocks.pop()
            blocks.append([(one * light + other * heavy) / (light + heavy), light + heavy, few + many])
    start = 0
    for wish, _, count in blocks:
        for place in range(start, start + int(count)):
            centres[row[place]] = wish + offsets[place]
        start += int(count)


@record
class _Chain:
    """Items joined without a fork, each with how far right of the first it should stand, and the wires at both ends."""

    steps: tuple[tuple[int, float], ...]
    before: Wire | None
    after: Wire | None


def _chains(items: Sequence[Item], wires: Sequence[Wire]) -> list[_Chain]:
    """Return the ways without a fork, longest first."""
    outward: dict[int, list[Wire]] = defaultdict(list)
    inward: dict[int, list[Wire]] = defaultdict(list)
    for wire in wires:
        outward[wire.top].append(wire)
        inward[wire.bottom].append(wire)
    chains = []
    for number in range(len(items)):
        before = inward[number]
        if len(before) == 1 and len(outward[before[0].top]) == 1:
            continue
        steps = [(number, 0.0)]
        while len(outward[steps[-1][0]]) == 1 and len(inward[outward[steps[-1][0]][0].bottom]) == 1:
            wire = outward[steps[-1][0]][0]
            steps.append((wire.bottom, steps[-1][1] + wire.shift))
        after = outward[steps[-1][0]]
        chains.append(_Chain(tuple(steps), before[0] if len(before) == 1 else None, after[0] if len(after) == 1 else None))
    return sorted(chains, key=lambda chain: len(chain.steps), reverse=True)


def _straighten(chain: _Chain, rows: Sequence[Sequence[int]], items: Sequence[Item], centres: list[float], gap: float) -> None:
    """Put as many items of a chain as possible in one line, without moving others."""
    part: list[tuple[int, float]] = []
    low, high = -inf, inf
    for number, offset in [*chain.steps, (-1, 0.0)]:
        left, right = _room(number, rows, items, centres, gap) if number >= 0 else (inf, -inf)
        if max(low, left - offset) > min(high, right - offset):
            middle = _aim(chain, part, centres, gap) if part else 0.0
            for one, aside in part:
                centres[one] = min(max(middle, low), high) + aside
            part, low, high = [], -inf, inf
        part.append((number, offset))
        low, high = max(low, left - offset), min(high, right - offset)


def _aim(chain: _Chain, part: Sequence[tuple[int, float]], centres: Sequence[float], gap: float) -> float:
    """Return where a part of a chain should stand: in line with what comes before or after if that is near."""
    middle = sum(centres[number] - offset for number, offset in part) / len(part)
    aims = []
    if chain.before is not None and part[0] == chain.steps[0]:
        aims.append(centres[chain.before.top] + chain.before.shift)
    if chain.after is not None and part[-1] == chain.steps[-1]:
        aims.append(centres[chain.after.bottom] - chain.after.shift - part[-1][1])
    return next((aim for aim in aims if abs(aim - middle) <= gap), middle)


def _room(number: int, rows: Sequence[Sequence[int]], items: Sequence[Item], centres: Sequence[float], gap: float) -> tuple[float, float]:
    """Return between which columns the centre of an item may move."""
    row = rows[items[number].level]
    place = row.index(number)
    low = -inf if place == 0 else centres[row[place - 1]] + items[row[place - 1]].right + gap + items[number].left
    high = inf if place == len(row) - 1 else centres[row[place + 1]] - items[row[place + 1]].left - gap - items[number].right
    return low, high
