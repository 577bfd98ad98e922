"""Savers and a store in a SQLite file, for sync and async callers; ``AsyncSqliteSaver`` is the one over aiosqlite."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checkpointers.sqlite.saver import SqliteSaver

if TYPE_CHECKING:
    from checkpointers.sqlite.aio import AsyncSqliteSaver
    from checkpointers.sqlite.store import AsyncSqliteStore, SqliteStore

__all__ = ["AsyncSqliteSaver", "AsyncSqliteStore", "SqliteSaver", "SqliteStore"]


def __getattr__(name: str) -> object:
    """Import aiosqlite, and the store, only for those who use them."""
    if name == "AsyncSqliteSaver":
        from checkpointers.sqlite.aio import AsyncSqliteSaver  # noqa: PLC0415 - see above

        return AsyncSqliteSaver
    if name in ("AsyncSqliteStore", "SqliteStore"):
        from checkpointers.sqlite.store import SqliteStore  # noqa: PLC0415 - see above

        return SqliteStore
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
