"""Each operation of the store's port as statements on one connection, inside a transaction that somebody else begins and ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, assert_never

from checkpointers.sqlite.store import statements as sql
from graphkit.storage.store.port import REFUSALS, Conflict, Find, Found, ListPaths, Read, Remove, Row, Sweep, Unfit, Write
from graphkit.storage.store.vectors import DIGITS, WIDTH

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

    from graphkit.storage.store.port import Operation, Refusal, Transaction

ALL: Final = -1
"""SQLite's LIMIT for no limit."""

ABOVE: Final = b""
"""A BLOB is above every TEXT."""


class Session:
    """One transaction on a connection.

    Args:
        connection: Its transaction has begun.
        now: Seconds since the epoch.
        writing: Whether it may write. If not, times are not started anew but ``stale`` is set.
    """

    def __init__(self, connection: sqlite3.Connection, now: float, *, writing: bool) -> None:
        self.stale = False
        self._connection = connection
        self._now = now
        self._writing = writing
        self._change = 0

    def perform(self, transaction: Transaction) -> list[object] | Refusal:
        """Carry out all operations; after a refusal what was written so far has to be undone.

        Raises:
            sqlite3.Error: The database failed; the transaction has to be rolled back.
        """
        replies = []
        for operation in transaction.operations:
            reply = self._perform(operation)
            if isinstance(reply, REFUSALS):
                return reply
            replies.append(reply)
        return replies

    def _perform(self, operation: Operation) -> object:
        match operation:
            case Read():
                return self._read(operation)
            case Write():
                return self._write(operation)
            case Remove():
                return self._remove(operation)
            case Find():
                return self._find(operation)
            case ListPaths():
                return [path for (path,) in self._connection.execute(sql.LIST_NAMESPACES, self._range(operation.path))]
            case Sweep():
                return self._connection.execute(sql.SWEEP, {"now": self._now}).rowcount
            case _:
                assert_never(operation)

    def _read(self, operation: Read) -> Row | None:
        found = self._item(operation.path, operation.key)
        if found is None:
            return None
        number, ttl, *fields = found
        self._refresh(number, ttl, wanted=operation.refresh)
        return Row(*fields)

    def _write(self, operation: Write) -> Conflict | Unfit | None:
        found = self._item(operation.path, operation.key)
        refusal = _conflict(operation, found) or self._fit(operation.vectors)
        if refusal is not None:
            return refusal
        values: dict[str, Any] = {"namespace": operation.path, "key": operation.key, "record": operation.record, "now": self._now}
        created_at = self._now if found is None else Row(*found[2:]).created_at
        values |= {"created_at": created_at, "changed": self._changed(), "ttl": operation.ttl}
        [(number,)] = self._connection.execute(sql.WRITE_ITEM, values).fetchall()
        self._connection.execute(sql.DELETE_VECTORS, {"item": number})
        self._connection.executemany(sql.WRITE_VECTOR, [{"item": number, "vector": vector} for vector in operation.vectors])
        return None

    def _remove(self, operation: Remove) -> Conflict | None:
        conflict = _conflict(operation, self._item(operation.path, operation.key))
        if conflict is None:
            self._connection.execute(sql.DELETE_ITEM, {"namespace": operation.path, "key": operation.key})
        return conflict

    def _find(self, operation: Find) -> list[Found] | Unfit:
        unfit = self._unfit(operation.vector)
        if unfit is not None:
            return unfit
        page = []
        for number, score in self._ranked(operation):
            _, ttl, *fields = self._connection.execute(sql.READ_FOUND, {"number": number}).fetchone()
            row = Row(*fields)
            if operation.matches is None or operation.matches(row.record):
                page.append((number, ttl, Found(row, score)))
            if operation.matches is not None and len(page) == operation.offset + operation.limit:
                break
        if operation.matches is not None:
            page = page[operation.offset :]
        for number, ttl, _ in page:
            self._refresh(number, ttl, wanted=operation.refresh)
        return [found for _, _, found in page]

    def _ranked(self, operation: Find) -> Iterator[tuple[int, float | None]]:
        """Return numbers and scores in order: the page, or all of them if there is a filter to pass first."""
        bounds = (operation.limit, operation.offset) if operation.matches is None else (ALL, 0)
        values = {**self._range(operation.path), "limit": bounds[0], "offset": bounds[1]}
        if operation.vector is None:
            return iter(self._connection.execute(sql.FIND, values).fetchall())
        return iter(self._connection.execute(sql.RANK, {**values, "vector": operation.vector, "digits": DIGITS}).fetchall())

    def _item(self, path: str, key: str) -> tuple[Any, ...] | None:
        found: tuple[Any, ...] | None = self._connection.execute(
            sql.READ_ITEM, {"namespace": path, "key": key, "now": self._now}
        ).fetchone()
        return found

    def _range(self, path: str) -> dict[str, object]:
        high = path[:-1] + chr(ord(path[-1]) + 1) if path else ABOVE
        return {"low": path, "high": high, "now": self._now}

    def _refresh(self, number: int, ttl: float | None, *, wanted: bool) -> None:
        if not wanted or ttl is None:
            return
        if self._writing:
            self._connection.execute(sql.REFRESH_ITEM, {"number": number, "now": self._now})
        self.stale = True

    def _changed(self) -> int:
        if not self._change:
            [(self._change,)] = self._connection.execute(sql.COUNT_CHANGE).fetchall()
        return self._change

    def _fit(self, vectors: tuple[bytes, ...]) -> Unfit | None:
        if not vectors:
            return None
        unfit = self._unfit(vectors[0])
        if unfit is None:
            self._connection.execute(sql.WRITE_DIMS, {"dims": len(vectors[0]) // WIDTH})
        return unfit

    def _unfit(self, vector: bytes | None) -> Unfit | None:
        """Vectors of two sizes cannot be compared, so a file has only one."""
        known = self._connection.execute(sql.READ_DIMS).fetchone() if vector is not None else None
        return Unfit(known[0]) if vector is not None and known is not None and known[0] != len(vector) // WIDTH else None


def _conflict(operation: Write | Remove, found: tuple[Any, ...] | None) -> Conflict | None:
    version = 0 if found is None else Row(*found[2:]).version
    expected = operation.if_version
    return None if expected is None or expected == version else Conflict(operation.path, operation.key, expected, version)
