"""SQLite behind storage's Backend: sync callers work on the connection themselves, async ones have one worker thread."""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from enum import Enum
from functools import partial
from queue import SimpleQueue
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any, Final
from weakref import finalize, ref

from checkpointers.sqlite.group import Group
from checkpointers.sqlite.schema import prepare

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from checkpointers.sqlite.waiting import Desk
    from graphkit.storage.operations import Operation

MEMORY: Final = ":memory:"


class Signal(Enum):
    """What the worker is told."""

    FLUSH = "flush"
    END = "end"


class SqliteBackend:
    """One connection to one database file.

    Args:
        path: The file, or ":memory:".
        synchronous: A statement of ``schema.settings``.
        timeout: Seconds to wait for another process that writes.
    """

    def __init__(self, path: str, synchronous: str, timeout: float) -> None:
        self._group = Group(partial(_open, path, synchronous, timeout), path, synchronous)
        self._wake: SimpleQueue[Signal] = SimpleQueue()
        self._woken = False
        self._worker: Thread | None = None
        self._beginning = Lock()
        self._desk: Desk | None = None

    def run(self, operation: Operation) -> object:
        """Carry out an operation in the calling thread."""
        return self._group.run(operation)

    def arun(self, operation: Operation) -> Coroutine[Any, Any, object]:
        """Carry out an operation in the worker thread, together with all others that wait."""
        if self._desk is None:
            from checkpointers.sqlite.waiting import Desk  # noqa: PLC0415 - sync callers need no asyncio

            self._desk = Desk(self._group.add)
        return self._desk.wait(operation, self._hand_over)

    def close(self) -> None:
        """Close the connection; what still waits fails."""
        self._group.close()
        with self._beginning:
            if self._worker is not None:
                self._worker = None
                self._wake.put(Signal.END)

    async def aclose(self) -> None:
        """Do what close does, in a thread: closing may have to tidy up the write-ahead log."""
        import asyncio  # noqa: PLC0415 - sync callers need none

        await asyncio.to_thread(self.close)

    def _hand_over(self) -> None:
        self._begin()
        if not self._woken:
            self._woken = True
            self._wake.put(Signal.FLUSH)

    def _begin(self) -> None:
        with self._beginning:
            if self._worker is not None:
                return
            self._worker = Thread(target=_work, args=(ref(self), self._wake), name="graphkit-sqlite", daemon=True)
            self._worker.start()
        finalize(self, self._wake.put, Signal.END).atexit = False

    def _flush(self) -> None:
        # Before the flush, not after: a job that comes too late for this one wakes the worker once more.
        self._woken = False
        self._group.flush()


class _Connection(sqlite3.Connection):
    """Closes itself when nobody uses it any more, without a warning: the saver was forgotten, not the connection."""

    def __del__(self) -> None:
        # A connection that could not be opened cannot be closed either.
        with suppress(sqlite3.ProgrammingError):
            self.close()


def _open(path: str, synchronous: str, timeout: float) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=timeout, isolation_level=None, check_same_thread=False, factory=_Connection)
    try:
        prepare(connection, path, synchronous, timeout)
    except BaseException:
        connection.close()
        raise
    return connection


def _work(backend: ref[SqliteBackend], wake: SimpleQueue[Signal]) -> None:
    """Flush whenever there is something to do. Between flushes nothing here keeps the backend alive."""
    while wake.get() is Signal.FLUSH:
        alive = backend()
        if alive is not None:
            alive._flush()  # noqa: SLF001 - the worker is a part of the backend
        del alive
