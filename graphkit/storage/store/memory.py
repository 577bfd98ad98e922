"""InMemoryStore: items in this process, for tests and for what need not outlive it."""

from __future__ import annotations

import time
from threading import Lock
from typing import TYPE_CHECKING, assert_never

from graphkit.core.record import record, replace
from graphkit.storage.store.port import REFUSALS, Conflict, Find, Found, ListPaths, Read, Remove, Row, Sweep, Transaction, Write
from graphkit.storage.store.store import Store
from graphkit.storage.store.vectors import scores
from graphkit.storage.store.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import TypeAlias

    from graphkit.serde import Codec
    from graphkit.storage.store.expiry import TTLConfig
    from graphkit.storage.store.index import IndexConfig
    from graphkit.storage.store.port import Operation, Refusal

    Name: TypeAlias = tuple[str, str]


@record
class Entry:
    """An item with all that belongs to it."""

    row: Row
    vectors: tuple[bytes, ...]
    ttl: float | None
    expires_at: float | None

    def is_there(self, now: float) -> bool:
        """Tell whether its time has not come."""
        return self.expires_at is None or self.expires_at > now


class MemoryStoreBackend:
    """Storage's StoreBackend over a dict. Entries are replaced, never changed."""

    def __init__(self) -> None:
        self._entries: dict[Name, Entry] = {}
        self._changes = 0
        self._lock = Lock()
        self._worker = Worker()

    def run(self, transaction: Transaction) -> list[object] | Refusal:
        """Carry out a transaction in the calling thread."""
        with self._lock:
            return self._carried_out(transaction)

    async def arun(self, transaction: Transaction) -> list[object] | Refusal:
        """Carry it out at once if that is quick: searches, and what would have to wait for one, go to another thread."""
        if any([isinstance(operation, Find) for operation in transaction.operations]) or not self._lock.acquire(blocking=False):
            return await self._worker.run(lambda: self.run(transaction))
        try:
            return self._carried_out(transaction)
        finally:
            self._lock.release()

    def close(self) -> None:
        """Let the thread end; the items stay for whoever still holds the store."""
        self._worker.close()

    async def aclose(self) -> None:
        """Do what close does."""
        self.close()

    def _carried_out(self, transaction: Transaction) -> list[object] | Refusal:
        undo: dict[Name, Entry | None] = {}
        replies: list[object] = []
        done = False
        try:
            for operation in transaction.operations:
                reply = self._perform(operation, transaction.now, undo)
                if isinstance(reply, REFUSALS):
                    return reply
                replies.append(reply)
            self._changes += any([isinstance(operation, Write) for operation in transaction.operations])
            done = True
        finally:
            if not done:
                self._restore(undo)
        return replies

    def _perform(self, operation: Operation, now: float, undo: dict[Name, Entry | None]) -> object:
        match operation:
            case Read():
                entry = self._there((operation.path, operation.key), now)
                if entry is not None and operation.refresh:
                    self._refresh([entry], now, undo)
                return None if entry is None else entry.row
            case Write():
                return self._write(operation, now, undo)
            case Remove():
                return self._replace((operation.path, operation.key), None, operation.if_version, now, undo)
            case Find():
                return self._find(operation, now, undo)
            case ListPaths():
                return list({entry.row.path for entry in self._below(operation.path, now)})
            case Sweep():
                gone = [name for name, entry in self._entries.items() if not entry.is_there(now)]
                for name in gone:
                    self._set(name, None, undo)
                return len(gone)
            case _:
                assert_never(operation)

    def _write(self, operation: Write, now: float, undo: dict[Name, Entry | None]) -> Conflict | None:
        name = (operation.path, operation.key)
        before = self._there(name, now)
        created_at = now if before is None else before.row.created_at
        row = Row(*name, operation.record, created_at, now, self._changes + 1)
        expires_at = None if operation.ttl is None else now + operation.ttl
        return self._replace(name, Entry(row, operation.vectors, operation.ttl, expires_at), operation.if_version, now, undo)

    def _replace(
        self, name: Name, entry: Entry | None, expected: int | None, now: float, undo: dict[Name, Entry | None]
    ) -> Conflict | None:
        before = self._there(name, now)
        found = 0 if before is None else before.row.version
        if expected is not None and expected != found:
            return Conflict(*name, expected, found)
        self._set(name, entry, undo)
        return None

    def _find(self, operation: Find, now: float, undo: dict[Name, Entry | None]) -> list[Found]:
        ranked = _ranked(self._below(operation.path, now), operation.vector)
        matches, page = operation.matches, []
        left, passing = operation.limit, operation.offset
        for entry, score in ranked:
            if not left:
                break
            if matches is not None and not matches(entry.row.record):
                continue
            if passing:
                passing -= 1
                continue
            left -= 1
            page.append((entry, score))
        if operation.refresh:
            self._refresh([entry for entry, _ in page], now, undo)
        return [Found(entry.row, score) for entry, score in page]

    def _below(self, path: str, now: float) -> Iterator[Entry]:
        return (entry for (own, _), entry in self._entries.items() if own.startswith(path) and entry.is_there(now))

    def _there(self, name: Name, now: float) -> Entry | None:
        entry = self._entries.get(name)
        return entry if entry is not None and entry.is_there(now) else None

    def _refresh(self, entries: Iterable[Entry], now: float, undo: dict[Name, Entry | None]) -> None:
        for entry in entries:
            if entry.ttl is not None:
                self._set((entry.row.path, entry.row.key), replace(entry, expires_at=now + entry.ttl), undo)

    def _set(self, name: Name, entry: Entry | None, undo: dict[Name, Entry | None]) -> None:
        undo.setdefault(name, self._entries.get(name))
        if entry is None:
            self._entries.pop(name, None)
        else:
            self._entries[name] = entry

    def _restore(self, undo: dict[Name, Entry | None]) -> None:
        for name, entry in undo.items():
            if entry is None:
                self._entries.pop(name, None)
            else:
                self._entries[name] = entry


class InMemoryStore(Store):
    """A store in this process. It keeps values as bytes, so nothing that was read or written is shared with it.

    Args:
        index: Makes items searchable by meaning; numpy, where installed, makes that faster.
        ttl: How long items live; for ever by default.
        clock: Returns seconds since the epoch.
        codec: How values become bytes; a new one by default.

    Raises:
        InvalidConfigError: ``index`` or ``ttl`` cannot be used.
    """

    def __init__(
        self,
        *,
        index: IndexConfig | None = None,
        ttl: TTLConfig | None = None,
        clock: Callable[[], float] = time.time,
        codec: Codec | None = None,
    ) -> None:
        super().__init__(MemoryStoreBackend(), index=index, ttl=ttl, clock=clock, codec=codec)


def _ranked(entries: Iterable[Entry], query: bytes | None) -> Sequence[tuple[Entry, float | None]]:
    if query is None:
        return [(entry, None) for entry in sorted(entries, key=_newest_first)]
    known = [entry for entry in entries if entry.vectors]
    every = iter(scores(query, [vector for entry in known for vector in entry.vectors]))
    best = [(entry, max([next(every) for _ in entry.vectors])) for entry in known]
    return sorted(best, key=lambda found: (-found[1], *_newest_first(found[0])))


def _newest_first(entry: Entry) -> tuple[int, str, str]:
    return -entry.row.version, entry.row.path, entry.row.key
