"""Where results of nodes are kept for runs to come: the cache every database shares, and the one in memory."""

from __future__ import annotations

from graphkit.storage.cache.cache import Cache, Entries, FullKey, Namespace
from graphkit.storage.cache.memory import InMemoryCache

BaseCache = Cache
"""LangGraph's name."""

__all__ = ["BaseCache", "Cache", "Entries", "FullKey", "InMemoryCache", "Namespace"]
