"""The conformance kit for stores: run it on your own."""

from __future__ import annotations

from graphkit.testing.store_suite.suite import StoreCheck, store_suite

__all__ = ["StoreCheck", "store_suite"]
