"""SqliteStore: one object for sync and async callers."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from checkpointers.sqlite.saver import checked_path, checked_timeout
from checkpointers.sqlite.schema import settings
from checkpointers.sqlite.store.backend import SqliteStoreBackend
from graphkit.storage import Store
from graphkit.storage.store.port import Transaction

if TYPE_CHECKING:
    from collections.abc import Callable
    from os import PathLike
    from typing import Self

    from graphkit.serde import Codec
    from graphkit.storage import IndexConfig, TTLConfig


class SqliteStore(Store):
    """A store in a SQLite file, which may be that of a SqliteSaver. Several stores, also of several processes, may share it.

    The file is opened, and made or migrated if need be, with the first call that needs it.

    Args:
        path: The file, or ":memory:".
        index: Makes items searchable by meaning. sqlite-vec compares the vectors, or Python where it cannot load extensions;
            every vector below the namespace is compared, so nothing is missed.
        ttl: How long items live; for ever by default.
        synchronous: "FULL" survives a power failure; with "NORMAL" the last commits may be lost in one, but not when
            the process dies.
        clock: Returns seconds since the epoch.
        codec: How values become bytes; a new one by default.
        timeout: Seconds to wait for another process that writes.

    Raises:
        InvalidConfigError: An argument is out of range.
    """

    def __init__(
        self,
        path: str | PathLike[str],
        *,
        index: IndexConfig | None = None,
        ttl: TTLConfig | None = None,
        synchronous: str = "FULL",
        clock: Callable[[], float] = time.time,
        codec: Codec | None = None,
        timeout: float = 10.0,
    ) -> None:
        backend = SqliteStoreBackend(checked_path(path), settings(synchronous), checked_timeout(timeout), ranks=index is not None)
        super().__init__(backend, index=index, ttl=ttl, clock=clock, codec=codec)

    @classmethod
    def from_conn_string(cls, path: str | PathLike[str], *, index: IndexConfig | None = None, ttl: TTLConfig | None = None) -> Self:
        """Return a store for the length of a with block, or of an async with block."""
        return cls(path, index=index, ttl=ttl)

    def setup(self) -> None:
        """Open the file now instead of with the first call that needs it; doing it again changes nothing.

        Raises:
            StorageError: The file cannot be used.
        """
        self._backend.run(Transaction((), self._clock()))

    async def asetup(self) -> None:
        """Do what setup does."""
        await self._backend.arun(Transaction((), self._clock()))


AsyncSqliteStore = SqliteStore
"""LangGraph's name for async callers; the same class serves both."""
