"""The store's tables: which version a file has, and bringing it up to date. They have a version of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checkpointers.sqlite import schema
from checkpointers.sqlite.store import statements as sql
from graphkit.errors import SchemaVersionError

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence


def prepare(connection: sqlite3.Connection, path: str, synchronous: str, timeout: float) -> None:
    """Make a connection ready for use by a store. The arguments are those of the checkpointer's ``prepare``.

    A new file gets the tables of both, so it does not matter who opens it first.

    Raises:
        CorruptCheckpointError: The file is no database, or another program's.
        SchemaVersionError: A newer graphkit has written it.
        sqlite3.Error: The database cannot be used.
    """
    schema.prepare(connection, path, synchronous, timeout)
    version = _version(connection)
    if version > len(sql.MIGRATIONS):
        raise SchemaVersionError(
            f"The store in {path} has schema version {version}; this graphkit knows {len(sql.MIGRATIONS)}. It was left untouched.",
            hint="Upgrade graphkit.",
            path=path,
            version=version,
        )
    migrate(connection, sql.MIGRATIONS[version:], version)


def migrate(connection: sqlite3.Connection, migrations: Sequence[Sequence[str]], version: int) -> None:
    """Lead the tables from a version through these migrations, each of them whole or not at all."""
    for number, migration in enumerate(migrations, version):
        connection.execute(sql.BEGIN_WRITE)
        try:
            # Another process may have been faster.
            if _version(connection) == number:
                for statement in migration:
                    connection.execute(statement)
                connection.execute(sql.WRITE_VERSION, {"version": number + 1})
            connection.execute(sql.COMMIT)
        except BaseException:
            if connection.in_transaction:
                connection.execute(sql.ROLLBACK)
            raise


def _version(connection: sqlite3.Connection) -> int:
    if not connection.execute(sql.COUNT_STATE).fetchone()[0]:
        return 0
    return int(connection.execute(sql.READ_VERSION).fetchone()[0])
