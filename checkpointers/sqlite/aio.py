"""AsyncSqliteSaver: the same saver over a connection of aiosqlite, whose thread is the worker."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from functools import partial
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any

import aiosqlite

from checkpointers.sqlite.group import Group
from checkpointers.sqlite.saver import checked_path, checked_timeout
from checkpointers.sqlite.schema import prepare, settings
from checkpointers.sqlite.waiting import Desk
from graphkit.errors import InvalidConfigError, StorageUnavailableError
from graphkit.storage import LEASE, Checkpointer
from graphkit.storage.operations import ReadNamespaces

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import AsyncIterator, Callable, Coroutine
    from os import PathLike

    from graphkit.serde import Codec
    from graphkit.storage.operations import Operation


class AiosqliteBackend:
    """Storage's Backend over an open aiosqlite connection, which stays its owner's to close.

    Args:
        connection: From ``aiosqlite.connect``; begun, and used for nothing else from now on.
        path: For messages.
        synchronous: A statement of ``schema.settings``.
        timeout: Seconds to wait for another process that opens the same new file.
    """

    def __init__(self, connection: aiosqlite.Connection, path: str, synchronous: str, timeout: float) -> None:
        self._connection = connection
        self._path = path
        self._synchronous = synchronous
        self._timeout = timeout
        self._group = Group(self._prepared, path, synchronous)
        self._desk = Desk(self._group.add)
        self._woken = False
        self._flushes: set[asyncio.Task[None]] = set()
        self._begun = Lock()
        self._loop: asyncio.AbstractEventLoop | None = None

    def run(self, operation: Operation) -> object:
        """Carry out an operation for a sync caller, who may be in any thread, also in that of an event loop."""
        with self._begun:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                Thread(target=_run, args=(self._loop,), name="graphkit-aiosqlite", daemon=True).start()
        work = self._in_its_thread(partial(self._group.run, operation))
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def arun(self, operation: Operation) -> Coroutine[Any, Any, object]:
        """Carry out an operation in aiosqlite's thread, together with all others that wait."""
        return self._desk.wait(operation, self._hand_over)

    def close(self) -> None:
        """Refuse everything from now on."""
        self._group.close(_leave)
        with self._begun:
            if self._loop is not None:
                self._loop.call_soon_threadsafe(self._loop.stop)
                self._loop = None

    async def aclose(self) -> None:
        """Do what close does, after what is under way."""
        await asyncio.gather(*self._flushes, return_exceptions=True)
        self.close()

    def _hand_over(self) -> None:
        if not self._woken:
            self._woken = True
            flush = asyncio.ensure_future(self._flush_in_its_thread())
            self._flushes.add(flush)
            flush.add_done_callback(self._flushes.discard)

    async def _flush_in_its_thread(self) -> None:
        try:
            await self._in_its_thread(self._flush)
        except StorageUnavailableError:
            self._woken = False
            self._group.close(_leave)

    async def _in_its_thread(self, work: Callable[[], object]) -> object:
        try:
            # aiosqlite has no public way to run several statements in its thread with one hand-over.
            return await self._connection._execute(work)  # type: ignore[no-untyped-call]  # noqa: SLF001
        except ValueError as error:
            raise StorageUnavailableError(
                "The aiosqlite connection is not open.", hint="Use the saver inside `async with aiosqlite.connect(...)`.", path=self._path
            ) from error

    def _flush(self) -> None:
        self._woken = False
        self._group.flush()

    def _prepared(self) -> sqlite3.Connection:
        connection = self._connection._conn  # noqa: SLF001 - as above
        prepare(connection, self._path, self._synchronous, self._timeout)
        return connection


class AsyncSqliteSaver(Checkpointer):
    """A checkpointer over an open aiosqlite connection, as LangGraph users write it. Sync callers are served as well.

    ``SqliteSaver`` does all this without aiosqlite; this class is for those who bring a connection.

    Args:
        connection: Begun; the saver uses it alone and does not close it.
        synchronous: As for SqliteSaver.
        lease: As for SqliteSaver.
        clock: As for SqliteSaver.
        codec: As for SqliteSaver.
        timeout: Seconds to wait for another process that opens the same new file.

    Raises:
        InvalidConfigError: An argument is out of range.
    """

    def __init__(
        self,
        connection: aiosqlite.Connection,
        *,
        synchronous: str = "FULL",
        lease: float = LEASE,
        clock: Callable[[], float] = time.time,
        codec: Codec | None = None,
        timeout: float = 10.0,
    ) -> None:
        if not isinstance(connection, aiosqlite.Connection):
            raise InvalidConfigError(
                f"{connection!r:.200} is no aiosqlite connection.",
                hint="For a path use AsyncSqliteSaver.from_conn_string(path) or SqliteSaver(path).",
            )
        backend = AiosqliteBackend(connection, "the database", settings(synchronous), checked_timeout(timeout))
        super().__init__(backend, lease=lease, clock=clock, codec=codec)

    @classmethod
    @asynccontextmanager
    async def from_conn_string(cls, path: str | PathLike[str]) -> AsyncIterator[AsyncSqliteSaver]:
        """Open a connection and a saver for the length of an async with block."""
        async with aiosqlite.connect(checked_path(path), timeout=10.0) as connection, cls(connection) as saver:
            yield saver

    async def setup(self) -> None:
        """Prepare the database now instead of with the first call; doing it again changes nothing."""
        await self._site.backend.arun(ReadNamespaces(""))


def _run(loop: asyncio.AbstractEventLoop) -> None:
    loop.run_forever()
    loop.close()


def _leave(_: sqlite3.Connection) -> None:
    """The connection is its owner's to close."""
