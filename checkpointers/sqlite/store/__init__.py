"""A store in a SQLite file: ``SqliteStore``, for sync and async callers."""

from __future__ import annotations

from checkpointers.sqlite.store.store import AsyncSqliteStore, SqliteStore

__all__ = ["AsyncSqliteStore", "SqliteStore"]
