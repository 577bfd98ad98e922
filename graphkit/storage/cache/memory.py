"""A cache in memory, for one process."""

from __future__ import annotations

import time
from threading import Lock
from typing import TYPE_CHECKING, TypeVar

from graphkit.storage.cache.cache import Cache

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from graphkit.serde import Codec
    from graphkit.storage.cache.cache import FullKey, Namespace

T = TypeVar("T")


class InMemoryCache(Cache):
    """A cache in memory. Values are kept as bytes, so nobody can change what another one gets.

    Args:
        codec: As for Cache.
        clock: Returns seconds since the epoch.
    """

    def __init__(self, *, codec: Codec | None = None, clock: Callable[[], float] = time.time) -> None:
        super().__init__(MemoryEntries(), codec=codec, clock=clock)


class MemoryEntries:
    """Entries in a dict; a lock, because several threads may use it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._records: dict[FullKey, tuple[bytes, float | None]] = {}

    def read(self, keys: Iterable[FullKey], now: float) -> dict[FullKey, bytes]:
        """As Entries.read."""
        with self._lock:
            found = {key: self._records[key] for key in keys if key in self._records}
        return {key: record for key, (record, expires) in found.items() if expires is None or expires > now}

    def write(self, records: Mapping[FullKey, tuple[bytes, float | None]], now: float) -> None:
        """As Entries.write."""
        with self._lock:
            for key in [key for key, (_, expires) in self._records.items() if expires is not None and expires <= now]:
                del self._records[key]
            self._records.update(records)

    def delete(self, namespaces: Iterable[Namespace] | None) -> None:
        """As Entries.delete."""
        with self._lock:
            gone = set(namespaces) if namespaces is not None else None
            for key in [key for key in self._records if gone is None or key[0] in gone]:
                del self._records[key]

    async def away(self, work: Callable[[], T]) -> T:
        """Work at once: nothing here takes long."""
        return work()
