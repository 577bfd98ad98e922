"""Where threads are kept: the checkpointer every database shares, and the one in memory."""

from __future__ import annotations

from graphkit.storage.backend import Backend
from graphkit.storage.checkpointer import LEASE, Checkpointer
from graphkit.storage.hold import Hold, Prepared
from graphkit.storage.memory import InMemorySaver
from graphkit.storage.rows import ThreadStatus
from graphkit.storage.views import CheckpointTuple, Page, PendingInterrupt, ThreadInfo

MemorySaver = InMemorySaver
"""LangGraph's older name."""

__all__ = [
    "LEASE",
    "Backend",
    "CheckpointTuple",
    "Checkpointer",
    "Hold",
    "InMemorySaver",
    "MemorySaver",
    "Page",
    "PendingInterrupt",
    "Prepared",
    "ThreadInfo",
    "ThreadStatus",
]
