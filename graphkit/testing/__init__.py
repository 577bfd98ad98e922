"""For tests: a clock that stands still, the conformance kits for checkpointers and stores, a model's provider."""

from __future__ import annotations

from graphkit.testing.checkpointer_suite import Check, checkpointer_suite
from graphkit.testing.clock import Clock
from graphkit.testing.model_server import Cut, Failure, Garbled, ModelServer, Received, Reply, Stall
from graphkit.testing.store_suite import StoreCheck, store_suite

__all__ = [
    "Check",
    "Clock",
    "Cut",
    "Failure",
    "Garbled",
    "ModelServer",
    "Received",
    "Reply",
    "Stall",
    "StoreCheck",
    "checkpointer_suite",
    "store_suite",
]
