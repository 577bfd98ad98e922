"""SQLite behind storage's StoreBackend: one connection and a lock; async callers have one worker thread."""

from __future__ import annotations

import sqlite3
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING
from weakref import finalize

from checkpointers.sqlite.failure import translated
from checkpointers.sqlite.store import statements as sql
from checkpointers.sqlite.store.distance import add_distance
from checkpointers.sqlite.store.operations import Session
from checkpointers.sqlite.store.schema import prepare
from graphkit.errors import StorageUnavailableError
from graphkit.storage.store.port import REFUSALS, WRITES
from graphkit.storage.store.worker import Worker

if TYPE_CHECKING:
    from graphkit.storage.store.port import Refusal, Transaction


class SqliteStoreBackend:
    """One connection to one database file, opened with the first transaction.

    Args:
        path: The file, or ":memory:".
        synchronous: A statement of the checkpointer's ``schema.settings``.
        timeout: Seconds to wait for another process that writes.
        ranks: Whether there will be searches with vectors.
    """

    def __init__(self, path: str, synchronous: str, timeout: float, *, ranks: bool) -> None:
        self._path = path
        self._connect = partial(_open, path, synchronous, timeout, ranks=ranks)
        self._connection: sqlite3.Connection | None = None
        self._closed = False
        self._lock = Lock()
        self._worker = Worker()

    def run(self, transaction: Transaction) -> list[object] | Refusal:
        """Carry out a transaction in the calling thread."""
        with self._lock:
            try:
                return self._carried_out(self._ready(), transaction)
            except sqlite3.Error as error:
                raise translated(error, self._path) from error

    async def arun(self, transaction: Transaction) -> list[object] | Refusal:
        """Carry out a transaction in the worker thread."""
        return await self._worker.run(partial(self.run, transaction))

    def close(self) -> None:
        """Close the connection; what still waits fails."""
        self._worker.close()
        with self._lock:
            self._closed = True
            connection, self._connection = self._connection, None
            if connection is not None:
                connection.close()

    async def aclose(self) -> None:
        """Do what close does, in the worker thread: closing may have to tidy up the write-ahead log."""
        await self._worker.run(self.close)

    def _ready(self) -> sqlite3.Connection:
        if self._closed:
            raise StorageUnavailableError(f"The store of {self._path} is closed.", hint="Use it inside its with block.", path=self._path)
        if self._connection is None:
            self._connection = self._connect()
            # A store that is forgotten without being closed gives its file back, without a warning.
            finalize(self, self._connection.close)
        return self._connection

    def _carried_out(self, connection: sqlite3.Connection, transaction: Transaction) -> list[object] | Refusal:
        if not any([isinstance(operation, WRITES) for operation in transaction.operations]):
            replies, stale = self._transacted(connection, transaction, sql.BEGIN_READ)
            if not stale:
                return replies
        # Something is written, or a read starts the time of an item anew, which only the first reading has shown.
        return self._transacted(connection, transaction, sql.BEGIN_WRITE)[0]

    def _transacted(self, connection: sqlite3.Connection, transaction: Transaction, begin: str) -> tuple[list[object] | Refusal, bool]:
        writing = begin is sql.BEGIN_WRITE
        try:
            connection.execute(begin)
            session = Session(connection, transaction.now, writing=writing)
            replies = session.perform(transaction)
            connection.execute(sql.ROLLBACK if isinstance(replies, REFUSALS) else sql.COMMIT)
        except BaseException:
            self._abandon(connection)
            raise
        return replies, session.stale

    def _abandon(self, connection: sqlite3.Connection) -> None:
        """Roll back. A connection that cannot even do that is replaced by a new one."""
        try:
            if connection.in_transaction:
                connection.execute(sql.ROLLBACK)
        except sqlite3.Error:
            self._connection = None


def _open(path: str, synchronous: str, timeout: float, *, ranks: bool) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=timeout, isolation_level=None, check_same_thread=False)
    try:
        prepare(connection, path, synchronous, timeout)
        if ranks:
            add_distance(connection)
    except BaseException:
        connection.close()
        raise
    return connection
