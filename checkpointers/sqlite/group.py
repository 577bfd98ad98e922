"""Group commit: whoever comes first carries out what waits, all writes of it in one transaction.

1. A job is carried out once, by whoever takes it; a job that is withdrawn before that is not carried out at all.
2. A refused write is undone alone; the others of its group are committed.
3. When the database fails, every write of the group fails, and nothing of it is written.
4. A group waits for the disk if one of its writes has to be durable. The log is written in order, so what was written
   before is durable then, too.
"""

from __future__ import annotations

import sqlite3
from collections import deque
from contextlib import suppress
from threading import Lock
from typing import TYPE_CHECKING, Protocol

from checkpointers.sqlite import statements as sql
from checkpointers.sqlite.failure import translated
from checkpointers.sqlite.operations import perform, reads
from graphkit.errors import StorageUnavailableError
from graphkit.storage.operations import Absent, Busy, Lost, Moved, Present, Settled, Taken, Unasked

if TYPE_CHECKING:
    from asyncio import Future
    from collections.abc import Callable, Sequence

    from graphkit.storage.operations import Operation

REFUSALS = (Absent, Busy, Lost, Moved, Present, Settled, Taken, Unasked)


class Home(Protocol):
    """An event loop, as far as a job has to know it."""

    def call_soon_threadsafe(self, callback: Callable[[Sequence[Job]], None], jobs: Sequence[Job], /) -> object:
        """Call back in the loop, from any thread; RuntimeError if the loop is closed."""


class Job:
    """An operation on its way, and what has come of it.

    Args:
        operation: What to do.
        home: The loop in which a coroutine awaits ``future``; None if its owner looks by itself.
        future: Has a result when the job is done or has failed.
    """

    __slots__ = ("_error", "_free", "_reply", "finished", "future", "home", "operation")

    def __init__(self, operation: Operation, home: Home | None = None, future: Future[None] | None = None) -> None:
        self.operation = operation
        self.home = home
        self.future = future
        self.finished = False
        self._free = True
        self._reply: object = None
        self._error: BaseException | None = None

    def take(self) -> bool:
        """Tell whether the job is the caller's from now on, to carry it out or to withdraw it."""
        try:
            # Deleting is one step that only one thread can make, and needs no lock per job.
            del self._free
        except AttributeError:
            return False
        return True

    def finish(self, reply: object, error: BaseException | None) -> None:
        """Note what has come of it; whoever waits is told when the whole group is done."""
        self._reply, self._error, self.finished = reply, error, True

    def result(self) -> object:
        """Return the reply, or raise what went wrong."""
        if self._error is not None:
            raise self._error
        return self._reply


class Group:
    """The jobs that wait for one connection.

    Args:
        connect: Returns a connection that is ready for use; called with the first job.
        path: For messages.
        synchronous: The statement for durable writes, which the connection begins with; one of ``SET_SYNCHRONOUS``.
    """

    def __init__(self, connect: Callable[[], sqlite3.Connection], path: str, synchronous: str) -> None:
        self._connect = connect
        self._path = path
        self._durable = synchronous
        self._quick = sql.SET_SYNCHRONOUS["NORMAL"] if synchronous in sql.WAITS_FOR_DISK else synchronous
        self._level = synchronous
        self._connection: sqlite3.Connection | None = None
        self._lock = Lock()
        self._waiting: deque[Job] = deque()
        self._closed = False

    def add(self, job: Job) -> None:
        """Let a job wait; somebody has to flush after that."""
        self._waiting.append(job)

    def run(self, operation: Operation) -> object:
        """Carry out an operation in this thread, unless another one takes it along."""
        job = Job(operation)
        self._waiting.append(job)
        with self._lock:
            if not job.finished:
                self._flush()
        return job.result()

    def flush(self) -> None:
        """Carry out everything that waits."""
        with self._lock:
            self._flush()

    def close(self, close: Callable[[sqlite3.Connection], None] = sqlite3.Connection.close) -> None:
        """Refuse everything from now on and close the connection with ``close``."""
        with self._lock:
            self._closed = True
            connection, self._connection = self._connection, None
            self._flush()
            if connection is not None:
                close(connection)

    def _flush(self) -> None:
        jobs = []
        while self._waiting:
            job = self._waiting.popleft()
            if job.take():
                jobs.append(job)
        if not jobs:
            return
        try:
            connection = self._ready()
        except Exception as error:  # noqa: BLE001 - each owner gets it
            _fail(jobs, self._told(error))
            return
        self._together(connection, [job for job in jobs if not reads(job.operation)], sql.BEGIN_WRITE)
        self._together(connection, [job for job in jobs if reads(job.operation)], sql.BEGIN_READ)

    def _together(self, connection: sqlite3.Connection, jobs: Sequence[Job], begin: str) -> None:
        """Carry out jobs in one transaction; tell their owners after it."""
        if not jobs:
            return
        replies = []
        try:
            if begin is sql.BEGIN_WRITE:
                self._set_level(connection, jobs)
            connection.execute(begin)
            if len(jobs) == 1:
                replies.append(_alone(connection, jobs[0].operation))
            else:
                replies.extend(_all(connection, jobs, begin))
                connection.execute(sql.COMMIT)
        except BaseException as error:
            self._abandon(connection)
            _fail(jobs, self._told(error))
            if not isinstance(error, Exception):
                raise
            return
        for job, reply in zip(jobs, replies, strict=True):
            job.finish(reply, None)
        tell(jobs)

    def _set_level(self, connection: sqlite3.Connection, writes: Sequence[Job]) -> None:
        """Let the commit that follows wait for the disk, or not."""
        waits = any([getattr(job.operation, "durable", True) for job in writes])
        level = self._durable if waits else self._quick
        if level != self._level:
            connection.execute(level)
            self._level = level

    def _ready(self) -> sqlite3.Connection:
        if self._closed:
            raise StorageUnavailableError(f"The saver of {self._path} is closed.", hint="Use it inside its with block.", path=self._path)
        if self._connection is None:
            self._connection = self._connect()
            self._level = self._durable
        return self._connection

    def _abandon(self, connection: sqlite3.Connection) -> None:
        """Roll back. A connection that cannot even do that is replaced by a new one."""
        try:
            if connection.in_transaction:
                connection.execute(sql.ROLLBACK)
        except sqlite3.Error:
            self._connection = None

    def _told(self, error: BaseException) -> BaseException:
        if not isinstance(error, sqlite3.Error):
            return error
        told = translated(error, self._path)
        told.__cause__ = error
        return told


def _alone(connection: sqlite3.Connection, operation: Operation) -> object:
    reply = perform(connection, operation)
    connection.execute(sql.ROLLBACK if isinstance(reply, REFUSALS) else sql.COMMIT)
    return reply


def _all(connection: sqlite3.Connection, jobs: Sequence[Job], begin: str) -> list[object]:
    """Carry out several operations. Savepoints are for the rare group in which one is refused after it has written."""
    replies = [perform(connection, job.operation) for job in jobs]
    if not any([isinstance(reply, REFUSALS) for reply in replies]):
        return replies
    connection.execute(sql.ROLLBACK)
    connection.execute(begin)
    return [_apart(connection, job.operation) for job in jobs]


def _apart(connection: sqlite3.Connection, operation: Operation) -> object:
    connection.execute(sql.SAVE)
    reply = perform(connection, operation)
    if isinstance(reply, REFUSALS):
        connection.execute(sql.UNDO)
    connection.execute(sql.KEEP)
    return reply


def _fail(jobs: Sequence[Job], error: BaseException) -> None:
    for job in jobs:
        job.finish(None, error)
    tell(jobs)


def tell(jobs: Sequence[Job]) -> None:
    """Wake those who wait for jobs, each loop once: waking one costs more than a small write."""
    homes: dict[Home, list[Job]] = {}
    for job in jobs:
        if job.home is not None:
            homes.setdefault(job.home, []).append(job)
    for home, theirs in homes.items():
        # A loop that was closed meanwhile has nobody who waits any more.
        with suppress(RuntimeError):
            home.call_soon_threadsafe(_wake, theirs)


def _wake(jobs: Sequence[Job]) -> None:
    for job in jobs:
        if job.future is not None and not job.future.done():
            job.future.set_result(None)
