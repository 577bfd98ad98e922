"""Vectors as every backend keeps them: scaled to length one, as little-endian 32-bit floats. A vector of zeros stays one."""

from __future__ import annotations

import struct
from math import fsum, hypot
from operator import mul
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

WIDTH: Final = 4
"""Bytes of a number."""

DIGITS: Final = 6
"""Of a score. More would be noise of 32-bit floats, which would put equal things in another order on each backend."""


def packed(vector: Sequence[float]) -> bytes:
    """Return a vector of finite numbers as it is kept."""
    largest = max(map(abs, vector))
    scaled = [number / largest for number in vector] if largest else vector
    length = hypot(*scaled) or 1.0
    return struct.pack(f"<{len(vector)}f", *[number / length for number in scaled])


def unpacked(vector: bytes) -> tuple[float, ...]:
    """Return the numbers of a kept vector."""
    return struct.unpack(f"<{len(vector) // WIDTH}f", vector)


def distance(left: bytes, right: bytes) -> float:
    """Return the cosine distance of two kept vectors: 0 for one direction, 1 for none in common, 2 for opposite ones."""
    return 1.0 - fsum(map(mul, unpacked(left), unpacked(right)))


def scores(query: bytes, vectors: Sequence[bytes]) -> list[float]:
    """Return the cosine of each vector and the query, rounded; with numpy where it is installed."""
    try:
        import numpy as np  # type: ignore[import-not-found,unused-ignore]  # noqa: PLC0415 - optional, and only rankings gain by it
    except ImportError:
        wanted = unpacked(query)
        return [round(fsum(map(mul, unpacked(vector), wanted)), DIGITS) for vector in vectors]
    rows = np.frombuffer(b"".join(vectors), "<f4").reshape(len(vectors), len(query) // WIDTH).astype("f8")
    return [round(score, DIGITS) for score in (rows @ np.frombuffer(query, "<f4").astype("f8")).tolist()]
