"""What goes wrong in SQLite, in graphkit's words. The only place that reads sqlite3's errors."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Final

from graphkit.errors import CorruptCheckpointError, StorageUnavailableError

if TYPE_CHECKING:
    from graphkit.errors import StorageError

HINTS: Final = {
    sqlite3.SQLITE_BUSY: "Another process holds the write lock; raise timeout= or keep its transactions short.",
    sqlite3.SQLITE_LOCKED: "Another process holds the write lock; raise timeout= or keep its transactions short.",
    sqlite3.SQLITE_FULL: "Free some space on the disk, then go on where the thread stands.",
    sqlite3.SQLITE_READONLY: "Make the file and its folder writable for this process.",
    sqlite3.SQLITE_CANTOPEN: "Check that the folder exists and that this process may write to it.",
    sqlite3.SQLITE_IOERR: "Look at the disk and the system's log.",
}

DAMAGED: Final = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def translated(error: sqlite3.Error, path: str) -> StorageError:
    """Return the graphkit error for what sqlite3 raised; nothing of the transaction was written."""
    extended = getattr(error, "sqlite_errorcode", None)
    code = extended & 0xFF if extended is not None else None
    if code in DAMAGED:
        return CorruptCheckpointError(
            f"{path} is damaged or is no SQLite database: {error}.", hint="Restore it from a backup, or name another file.", path=path
        )
    hint = HINTS.get(code) if code is not None else "Is the saver closed? Use it inside its with block."
    return StorageUnavailableError(f"SQLite could not use {path}: {error}.", hint=hint, path=path)
