"""Values to bytes and back, exactly and in a closed world: ``Codec`` is the door, ``register`` widens the world."""

from __future__ import annotations

from graphkit.serde.codec import Codec
from graphkit.serde.depth import MAX_DEPTH
from graphkit.serde.record import MAX_BYTES, VERSION
from graphkit.serde.registry import reachable

__all__ = ["MAX_BYTES", "MAX_DEPTH", "VERSION", "Codec", "reachable"]
