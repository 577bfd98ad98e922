"""Where threads and items are kept: the checkpointer and the store every database shares, and those in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphkit.storage.backend import Backend
from graphkit.storage.checkpointer import LEASE, Checkpointer
from graphkit.storage.hold import Hold, Prepared
from graphkit.storage.memory import InMemorySaver
from graphkit.storage.rows import ThreadStatus
from graphkit.storage.views import CheckpointTuple, Page, PendingInterrupt, ThreadInfo

if TYPE_CHECKING:
    from graphkit.storage.store import (
        BaseStore,
        GetOp,
        IndexConfig,
        InMemoryStore,
        Item,
        ListNamespacesOp,
        MatchCondition,
        PutOp,
        SearchItem,
        SearchOp,
        Store,
        StoreBackend,
        TTLConfig,
    )

MemorySaver = InMemorySaver
"""LangGraph's older name."""

__all__ = [
    "LEASE",
    "Backend",
    "BaseStore",
    "CheckpointTuple",
    "Checkpointer",
    "GetOp",
    "Hold",
    "InMemorySaver",
    "InMemoryStore",
    "IndexConfig",
    "Item",
    "ListNamespacesOp",
    "MatchCondition",
    "MemorySaver",
    "Page",
    "PendingInterrupt",
    "Prepared",
    "PutOp",
    "SearchItem",
    "SearchOp",
    "Store",
    "StoreBackend",
    "TTLConfig",
    "ThreadInfo",
    "ThreadStatus",
]


def __getattr__(name: str) -> object:
    """Import the store only for those who use it: every run imports this package."""
    if name in __all__:
        from graphkit.storage import store  # noqa: PLC0415 - see above

        return getattr(store, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
