"""The order of each level from left to right, by barycentre sweeps, so that few lines cross."""

from __future__ import annotations

from bisect import bisect_right, insort
from itertools import pairwise
from typing import TYPE_CHECKING

from graphkit.graph.draw.layers import DENSE, neighbours

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from graphkit.graph.draw.layers import Item, Joined, Wire

_SWEEPS = 12


def ordered(items: Sequence[Item], wires: Sequence[Wire]) -> list[list[int]]:
    """Return the items of each level from left to right; of several orders the one with the fewest crossings."""
    rows: list[list[int]] = [[] for _ in range(max((item.level for item in items), default=-1) + 1)]
    for number, item in enumerate(items):
        rows[item.level].append(number)
    above, below = neighbours(wires)
    # Sweeps end in the nearest good order, so they begin at several: as declared, mirrored, and every other level mirrored.
    starts = [rows, [row[::-1] for row in rows], [row[:: 1 - 2 * (level % 2)] for level, row in enumerate(rows)]]
    return min(
        [_swept([list(row) for row in start], above, below) for start in starts[: 3 if len(wires) < DENSE else 1]],
        key=lambda found: _crossings(found, below),
    )


def _swept(rows: list[list[int]], above: Mapping[int, Joined], below: Mapping[int, Joined]) -> list[list[int]]:
    """Pull every item under and over what it is joined to, down and up in turn; return the best order on the way."""
    place = {number: float(column) for row in rows for column, number in enumerate(row)}
    dense = sum(map(len, below.values())) >= DENSE
    best, fewest = [list(row) for row in rows], _crossings(rows, below)
    for sweep in range(2 if dense else _SWEEPS):
        joined, downward = (above, rows) if sweep % 2 == 0 else (below, rows[::-1])
        for row in downward:
            wish = {number: _mean([place[other] + _lean(shift) for other, shift in joined[number]], place[number]) for number in row}
            row.sort(key=wish.__getitem__)
            place |= {number: float(column) for column, number in enumerate(row)}
        if not dense:
            _transpose(rows, above, below, place)
        crossings = _crossings(rows, below)
        if crossings < fewest:
            best, fewest = [list(row) for row in rows], crossings
        if not fewest:
            break
    return best


def _transpose(
    rows: Sequence[list[int]],
    above: Mapping[int, Joined],
    below: Mapping[int, Joined],
    place: dict[int, float],
) -> None:
    """Swap neighbours in a row where that takes away crossings."""
    for row in rows:
        for column, (left, right) in enumerate(pairwise(list(row))):
            if row[column] != left:
                continue
            now = later = 0
            for joined in (above, below):
                now += _crossed([place[other] for other, _ in joined[left]], [place[other] for other, _ in joined[right]])
                later += _crossed([place[other] for other, _ in joined[right]], [place[other] for other, _ in joined[left]])
            if later < now:
                row[column], row[column + 1] = right, left
                place[left], place[right] = place[right], place[left]


def _crossed(left: Sequence[float], right: Sequence[float]) -> int:
    return sum(one > other for one in left for other in right)


def _crossings(rows: Sequence[Sequence[int]], below: Mapping[int, Joined]) -> int:
    place = {number: column for row in rows for column, number in enumerate(row)}
    count = 0
    for row in rows:
        passed: list[int] = []
        for _, target in sorted([(place[number] + _lean(-shift), place[other]) for number in row for other, shift in below[number]]):
            count += len(passed) - bisect_right(passed, target)
            insort(passed, target)
    return count


def _lean(shift: float) -> float:
    """Return which way a wire that ends beside the centre pulls, in places of a row."""
    return max(-0.4, min(shift / 200, 0.4))


def _mean(values: Sequence[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise
