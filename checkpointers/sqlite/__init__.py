"""Savers in a SQLite file: ``SqliteSaver`` for sync and async callers, ``AsyncSqliteSaver`` over aiosqlite."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checkpointers.sqlite.saver import SqliteSaver

if TYPE_CHECKING:
    from checkpointers.sqlite.aio import AsyncSqliteSaver

__all__ = ["AsyncSqliteSaver", "SqliteSaver"]


def __getattr__(name: str) -> object:
    """Import aiosqlite only for those who use it."""
    if name == "AsyncSqliteSaver":
        from checkpointers.sqlite.aio import AsyncSqliteSaver  # noqa: PLC0415 - see above

        return AsyncSqliteSaver
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
