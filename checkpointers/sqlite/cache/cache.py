"""SqliteCache: a cache in a SQLite file, which may be that of a SqliteSaver."""

from __future__ import annotations

import json
import sqlite3
import time
from contextlib import contextmanager, suppress
from threading import Lock
from typing import TYPE_CHECKING, TypeVar
from weakref import finalize

from checkpointers.sqlite.cache import statements as sql
from checkpointers.sqlite.failure import translated
from checkpointers.sqlite.saver import checked_path, checked_timeout
from checkpointers.sqlite.schema import prepare, settings
from graphkit.errors import StorageUnavailableError
from graphkit.storage.cache import Cache
from graphkit.storage.store.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from os import PathLike
    from typing import Self

    from graphkit.serde import Codec
    from graphkit.storage.cache import FullKey, Namespace

T = TypeVar("T")


class SqliteCache(Cache):
    """A cache in a SQLite file. Several caches, also of several processes, may share it, with savers and stores.

    The file is opened with the first call that needs it.

    Args:
        path: The file, or ":memory:".
        codec: As for Cache.
        clock: Returns seconds since the epoch.
        timeout: Seconds to wait for another process that writes.

    Raises:
        InvalidConfigError: An argument is out of range.
    """

    def __init__(
        self, path: str | PathLike[str], *, codec: Codec | None = None, clock: Callable[[], float] = time.time, timeout: float = 10.0
    ) -> None:
        self._rows = SqliteEntries(checked_path(path), checked_timeout(timeout))
        super().__init__(self._rows, codec=codec, clock=clock)

    def close(self) -> None:
        """Close the file; it is closed as well when nobody uses the cache any more."""
        self._rows.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class SqliteEntries:
    """Entries in a table; one connection and a lock. Async callers have one worker thread.

    Args:
        path: The file.
        timeout: Seconds to wait for another process that writes.
    """

    def __init__(self, path: str, timeout: float) -> None:
        self._path = path
        self._timeout = timeout
        self._connection: sqlite3.Connection | None = None
        self._closed = False
        self._lock = Lock()
        self._worker = Worker()

    def read(self, keys: Iterable[FullKey], now: float) -> dict[FullKey, bytes]:
        """As Entries.read."""
        with self._transaction(sql.BEGIN_READ) as connection:
            found = {key: connection.execute(sql.READ, {**_address(key), "now": now}).fetchone() for key in keys}
        return {key: row[0] for key, row in found.items() if row is not None}

    def write(self, records: Mapping[FullKey, tuple[bytes, float | None]], now: float) -> None:
        """As Entries.write."""
        with self._transaction(sql.BEGIN_WRITE) as connection:
            connection.execute(sql.SWEEP, {"now": now})
            for key, (record, expires) in records.items():
                connection.execute(sql.WRITE, {**_address(key), "record": record, "expires_at": expires})

    def delete(self, namespaces: Iterable[Namespace] | None) -> None:
        """As Entries.delete."""
        with self._transaction(sql.BEGIN_WRITE) as connection:
            if namespaces is None:
                connection.execute(sql.DELETE_ALL)
            for namespace in namespaces or ():
                connection.execute(sql.DELETE, {"namespace": _text(namespace)})

    async def away(self, work: Callable[[], T]) -> T:
        """Work in the worker thread."""
        return await self._worker.run(work)

    def close(self) -> None:
        """Close the connection; calls to come fail."""
        self._worker.close()
        with self._lock:
            self._closed = True
            connection, self._connection = self._connection, None
            if connection is not None:
                connection.close()

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                connection = self._ready()
                connection.execute(begin)
                try:
                    yield connection
                    connection.execute(sql.COMMIT)
                except BaseException:
                    with suppress(sqlite3.Error):
                        connection.execute(sql.ROLLBACK)
                    raise
            except sqlite3.Error as error:
                raise translated(error, self._path) from error

    def _ready(self) -> sqlite3.Connection:
        if self._closed:
            raise StorageUnavailableError(f"The cache of {self._path} is closed.", hint="Use it inside its with block.", path=self._path)
        if self._connection is None:
            self._connection = _open(self._path, self._timeout)
            # A cache that is forgotten without being closed gives its file back, without a warning.
            finalize(self, self._connection.close)
        return self._connection


def _open(path: str, timeout: float) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=timeout, isolation_level=None, check_same_thread=False)
    try:
        # What a power failure takes from a cache is computed again.
        prepare(connection, path, settings("NORMAL"), timeout)
        connection.execute(sql.CREATE)
        connection.execute(sql.CREATE_INDEX)
    except BaseException:
        connection.close()
        raise
    return connection


def _address(key: FullKey) -> dict[str, object]:
    return {"namespace": _text(key[0]), "key": key[1]}


def _text(namespace: Namespace) -> str:
    return json.dumps(namespace, ensure_ascii=True)
