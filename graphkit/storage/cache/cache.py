"""The cache: values under keys in namespaces, for a time. Losing an entry is never an error; a wrong one is."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Protocol, TypeAlias, TypeVar

from graphkit.errors import StorageError
from graphkit.serde import Codec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

T = TypeVar("T")

Namespace: TypeAlias = tuple[str, ...]

FullKey: TypeAlias = tuple[Namespace, str]
"""A namespace and a key in it."""


class Entries(Protocol):
    """What a database has to do for a cache. Entries are records of the codec; times are seconds since the epoch."""

    def read(self, keys: Iterable[FullKey], now: float) -> dict[FullKey, bytes]:
        """Return the records of those keys that are there and have not expired at ``now``."""
        ...

    def write(self, records: Mapping[FullKey, tuple[bytes, float | None]], now: float) -> None:
        """Keep records until the time beside them, None for ever; forget those that have expired at ``now``."""
        ...

    def delete(self, namespaces: Iterable[Namespace] | None) -> None:
        """Forget everything in exactly these namespaces; None for everything."""
        ...

    async def away(self, work: Callable[[], T]) -> T:
        """Do work that uses the methods above without blocking the event loop."""
        ...


class Cache:
    """Keeps values for a time, one object for sync and async callers.

    Args:
        entries: Where they are kept.
        codec: How values become bytes; a new one by default. A graph compiled with the cache makes its classes known to it.
        clock: Returns seconds since the epoch.
    """

    def __init__(self, entries: Entries, *, codec: Codec | None = None, clock: Callable[[], float] = time.time) -> None:
        self._entries = entries
        self._clock = clock
        self.codec = codec if codec is not None else Codec()

    def get(self, keys: Iterable[FullKey]) -> dict[FullKey, object]:
        """Return the values of those keys that have one. An entry that cannot be read is not there.

        Raises:
            StorageError: The database failed.
        """
        found = {}
        for key, record in self._entries.read(keys, self._clock()).items():
            try:
                found[key] = self.codec.decode(record)
            except StorageError:
                # Damaged, of a newer version, or of a class that is not known any more.
                continue
        return found

    def set(self, values: Mapping[FullKey, tuple[object, float | None]]) -> None:
        """Keep values, each with the seconds it is good for, None for ever; what was there before is replaced.

        Raises:
            UnserializableValueError: A value cannot be stored; nothing of the call was.
            StorageError: The database failed.
        """
        now = self._clock()
        records = {key: (self.codec.encode(value), None if ttl is None else now + ttl) for key, (value, ttl) in values.items()}
        self._entries.write(records, now)

    def clear(self, namespaces: Iterable[Namespace] | None = None) -> None:
        """Forget everything in these namespaces; by default everything.

        Raises:
            StorageError: The database failed.
        """
        self._entries.delete(namespaces)

    async def aget(self, keys: Iterable[FullKey]) -> dict[FullKey, object]:
        """As ``get``."""
        return await self._entries.away(partial(self.get, keys))

    async def aset(self, values: Mapping[FullKey, tuple[object, float | None]]) -> None:
        """As ``set``."""
        await self._entries.away(partial(self.set, values))

    async def aclear(self, namespaces: Iterable[Namespace] | None = None) -> None:
        """As ``clear``."""
        await self._entries.away(partial(self.clear, namespaces))
