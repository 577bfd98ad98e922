"""A cache in a SQLite file: ``SqliteCache``, for sync and async callers."""

from __future__ import annotations

from checkpointers.sqlite.cache.cache import SqliteCache

__all__ = ["SqliteCache"]
