"""Opening a database file: is it ours, which version, bring it up to date. A file that is not ours is left untouched."""

from __future__ import annotations

import sqlite3
import time
from typing import TYPE_CHECKING, Final

from checkpointers.sqlite import statements as sql
from graphkit.errors import CorruptCheckpointError, InvalidConfigError, SchemaVersionError

if TYPE_CHECKING:
    from collections.abc import Sequence

PAUSE: Final = 0.01
"""Seconds between two attempts to switch a new file to WAL while another process does the same."""


def settings(synchronous: object) -> str:
    """Return the statement for a level of ``synchronous``.

    Raises:
        InvalidConfigError: There is no such level.
    """
    level = sql.SET_SYNCHRONOUS.get(synchronous) if isinstance(synchronous, str) else None
    if level is None:
        raise InvalidConfigError(
            f"synchronous={synchronous!r:.80} is no level.",
            hint="Use 'FULL' (the default), 'NORMAL', 'EXTRA' or 'OFF'.",
            synchronous=synchronous,
        )
    return level


def prepare(connection: sqlite3.Connection, path: str, synchronous: str, timeout: float) -> None:
    """Make a connection ready for use: check whose file it is, migrate it, set what has to be set per connection.

    Args:
        connection: An open connection; its transactions are ours from now on.
        path: For messages.
        synchronous: A statement of ``settings``.
        timeout: Seconds to wait for another process that opens the same new file.

    Raises:
        CorruptCheckpointError: The file is no database, or another program's.
        SchemaVersionError: A newer graphkit has written it.
        sqlite3.Error: The database cannot be used.
    """
    connection.isolation_level = None
    version = _version(connection, path)
    if version < len(sql.MIGRATIONS):
        _set_wal(connection, timeout)
        _migrate(connection, path, sql.MIGRATIONS)
    connection.execute(synchronous)
    connection.execute(sql.SET_FOREIGN_KEYS)
    connection.execute(sql.SET_CACHE)


def _version(connection: sqlite3.Connection, path: str) -> int:
    marks: tuple[int, int, int] = connection.execute(sql.READ_MARKS).fetchone()
    application, version, tables = marks
    if application != sql.APPLICATION_ID and (application or version or tables):
        raise CorruptCheckpointError(
            f"{path} is a database of another program; it was left untouched.", hint="Give the saver a file of its own.", path=path
        )
    if version > len(sql.MIGRATIONS):
        raise SchemaVersionError(
            f"{path} has schema version {version}; this graphkit knows {len(sql.MIGRATIONS)}. It was left untouched.",
            hint="Upgrade graphkit.",
            path=path,
            version=version,
        )
    return int(version)


def _migrate(connection: sqlite3.Connection, path: str, migrations: Sequence[Sequence[str]]) -> None:
    for number, migration in enumerate(migrations):
        connection.execute(sql.BEGIN_WRITE)
        try:
            # Another process may have been faster.
            if _version(connection, path) == number:
                for statement in (sql.WRITE_APPLICATION_ID, *migration, sql.WRITE_VERSION[number]):
                    connection.execute(statement)
            connection.execute(sql.COMMIT)
        except BaseException:
            if connection.in_transaction:
                connection.execute(sql.ROLLBACK)
            raise


def _set_wal(connection: sqlite3.Connection, timeout: float) -> None:
    """Switch to write-ahead logging. SQLite does not wait by itself when two processes do this at once."""
    deadline = time.monotonic() + timeout
    while True:
        try:
            connection.execute(sql.SET_WAL)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(PAUSE)
        else:
            return
