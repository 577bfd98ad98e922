"""For tests: a clock that stands still, and the conformance kit for checkpointers."""

from __future__ import annotations

from graphkit.testing.checkpointer_suite import Check, checkpointer_suite
from graphkit.testing.clock import Clock

__all__ = ["Check", "Clock", "checkpointer_suite"]
