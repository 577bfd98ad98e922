"""What outlives a thread: items in namespaces, found by key, by filter and by meaning."""

from __future__ import annotations

from graphkit.storage.store.expiry import TTLConfig
from graphkit.storage.store.index import IndexConfig
from graphkit.storage.store.items import GetOp, Item, ListNamespacesOp, MatchCondition, PutOp, SearchItem, SearchOp
from graphkit.storage.store.memory import InMemoryStore
from graphkit.storage.store.port import StoreBackend
from graphkit.storage.store.store import Store

BaseStore = Store
"""LangGraph's name."""

__all__ = [
    "BaseStore",
    "GetOp",
    "InMemoryStore",
    "IndexConfig",
    "Item",
    "ListNamespacesOp",
    "MatchCondition",
    "PutOp",
    "SearchItem",
    "SearchOp",
    "Store",
    "StoreBackend",
    "TTLConfig",
]
