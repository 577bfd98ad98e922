"""The front door of every saver: what users call, sync and async, and where the drivers get their holds."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final, Literal

from graphkit.errors import InvalidConfigError, InvalidIdError
from graphkit.serde import Codec
from graphkit.storage import requests
from graphkit.storage.address import Address, checked_cursor, checked_limit, checked_task_id, checked_thread_id
from graphkit.storage.backend import acarry_out, carry_out
from graphkit.storage.hold import Hold
from graphkit.storage.site import Site

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
    from types import TracebackType
    from typing import Self

    from graphkit.core.checkpoint import Checkpoint
    from graphkit.core.task import Outcome, Write
    from graphkit.storage.address import Config
    from graphkit.storage.backend import Backend, R, Steps
    from graphkit.storage.requests import Listing
    from graphkit.storage.rows import ThreadStatus
    from graphkit.storage.views import CheckpointTuple, Page, PendingInterrupt, ThreadInfo

LEASE: Final = 30.0
"""Seconds until a thread whose run neither writes nor works any more counts as given up."""

STATUSES: Final = (None, "idle", "busy", "interrupted", "error")


class Checkpointer:
    """Saves threads in one database; sync and async callers share one object.

    Users read and tidy up with it; runs write through ``hold``. Every argument is checked here, the same for every
    database. Each method has an async twin whose name begins with ``a``.

    Args:
        backend: The database.
        lease: Seconds until a thread whose run neither writes nor works any more counts as given up.
        clock: Returns seconds since the epoch.
        codec: How values become bytes; a new one by default.

    Raises:
        InvalidConfigError: ``lease`` is not a positive number.
    """

    def __init__(
        self, backend: Backend, *, lease: float = LEASE, clock: Callable[[], float] = time.time, codec: Codec | None = None
    ) -> None:
        self._site = Site(backend, codec if codec is not None else Codec(), _checked_lease(lease), clock)

    @property
    def codec(self) -> Codec:
        """How values become bytes; ``codec.register(MyType)`` lets instances of a class be stored."""
        return self._site.codec

    def hold(self, thread_id: str) -> Hold:
        """Return a new grip on a thread; nothing is read or written yet.

        Raises:
            InvalidIdError: The id is not well-formed.
        """
        return Hold(self._site, checked_thread_id(thread_id))

    def get_tuple(self, config: Config) -> CheckpointTuple | None:
        """Return the checkpoint that a config names, the newest if it names none; None for an unknown thread.

        Raises:
            CheckpointNotFoundError: The thread has checkpoints, but not this one.
        """
        return self._run(requests.get_tuple(self._site, Address.of(config)))

    async def aget_tuple(self, config: Config) -> CheckpointTuple | None:
        """Do what get_tuple does."""
        return await self._arun(requests.get_tuple(self._site, Address.of(config)))

    def list(
        self,
        config: Config | None = None,
        *,
        filter: Mapping[str, object] | None = None,
        before: Config | None = None,
        limit: int | None = None,
    ) -> Iterator[CheckpointTuple]:
        """Return checkpoints, newest first. They are read in pages as they are taken; nothing is locked in between.

        Args:
            config: Names a thread and a namespace, the root graph by default (unlike LangGraph: all); a checkpoint id
                in it leaves only that one. None for the root graphs of all threads, newest thread first.
            filter: Only those whose metadata has all of these values.
            before: Names a checkpoint; only those older than it.
            limit: How many at most, 1 to 1000; None for all.

        Raises:
            InvalidConfigError: An argument is out of range; raised at once, not when the first one is taken.
            InvalidIdError: An id is not well-formed.
        """
        return self._pages(requests.Listing.of(config, filter, before, limit))

    def alist(
        self,
        config: Config | None = None,
        *,
        filter: Mapping[str, object] | None = None,
        before: Config | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[CheckpointTuple]:
        """Do what list does."""
        return self._apages(requests.Listing.of(config, filter, before, limit))

    def put(self, config: Config, checkpoint: Checkpoint, metadata: Mapping[str, object] | None = None) -> dict[str, Any]:
        """Store a checkpoint as it is, with all its values; return the config that names it.

        Raises:
            ThreadBusyError: A run holds the thread.
            ConcurrentUpdateError: There is a checkpoint of that position.
            UnserializableValueError: A value cannot be stored.
        """
        return self._run(requests.put(self._site, Address.of(config), checkpoint, metadata or {})).config()

    async def aput(self, config: Config, checkpoint: Checkpoint, metadata: Mapping[str, object] | None = None) -> dict[str, Any]:
        """Do what put does."""
        return (await self._arun(requests.put(self._site, Address.of(config), checkpoint, metadata or {}))).config()

    def put_writes(self, config: Config, writes: Outcome | Sequence[Write], task_id: str) -> None:
        """File what a task has done with the checkpoint that a config names, in the place of what it did before.

        Args:
            config: Names the checkpoint, or the newest one.
            writes: An outcome, or (key, value) pairs of a finished task as in LangGraph.
            task_id: Id of the task.

        Raises:
            ThreadNotFoundError: There is no such thread.
            ThreadBusyError: A run holds the thread.
        """
        self._run(requests.put_writes(self._site, Address.of(config), requests.outcome_of(writes), checked_task_id(task_id)))

    async def aput_writes(self, config: Config, writes: Outcome | Sequence[Write], task_id: str) -> None:
        """Do what put_writes does."""
        await self._arun(requests.put_writes(self._site, Address.of(config), requests.outcome_of(writes), checked_task_id(task_id)))

    def delete_thread(self, thread_id: str) -> None:
        """Delete a thread with its whole history; one that does not exist is no error.

        Raises:
            ThreadBusyError: A live run holds the thread.
        """
        self._run(requests.delete_thread(self._site, checked_thread_id(thread_id)))

    async def adelete_thread(self, thread_id: str) -> None:
        """Do what delete_thread does."""
        await self._arun(requests.delete_thread(self._site, checked_thread_id(thread_id)))

    def copy_thread(self, source: str, target: str) -> None:
        """Copy a thread with its history and its pending questions; both go their own ways from then on.

        Raises:
            ThreadNotFoundError: There is no thread ``source``.
            InvalidConfigError: There is a thread ``target``.
        """
        self._run(requests.copy_thread(self._site, checked_thread_id(source), checked_thread_id(target)))

    async def acopy_thread(self, source: str, target: str) -> None:
        """Do what copy_thread does."""
        await self._arun(requests.copy_thread(self._site, checked_thread_id(source), checked_thread_id(target)))

    def prune(self, thread_ids: Iterable[str], *, keep: int | Literal["latest"] = "latest") -> None:
        """Delete the history that the threads need no more, one thread after the other.

        What stays: the newest ``keep`` checkpoints of the root graph, and of subgraphs what those, an unfinished superstep
        or a pending question need. Threads that do not exist are no error.

        Args:
            thread_ids: The threads.
            keep: 1 to 1000; "latest" for 1.

        Raises:
            ThreadBusyError: A live run holds one of them; those before it are done.
            ConcurrentUpdateError: Runs kept writing to one of them; likewise.
        """
        count = _checked_keep(keep)
        for thread_id in _checked_threads(thread_ids):
            self._run(requests.prune(self._site, thread_id, count))

    async def aprune(self, thread_ids: Iterable[str], *, keep: int | Literal["latest"] = "latest") -> None:
        """Do what prune does."""
        count = _checked_keep(keep)
        for thread_id in _checked_threads(thread_ids):
            await self._arun(requests.prune(self._site, thread_id, count))

    def threads(self, *, status: ThreadStatus | None = None, limit: int = 50, cursor: str | None = None) -> Page[ThreadInfo]:
        """Return a page of the list of threads, newest first.

        Args:
            status: Only those with this status. A thread whose run died counts as ``error`` once its lease has run out.
            limit: How many at most, 1 to 1000.
            cursor: ``cursor`` of the page before.

        Raises:
            InvalidConfigError: An argument is out of range.
        """
        after = checked_cursor("threads", cursor)
        return self._run(requests.threads(self._site, _checked_status(status), checked_limit(limit), after))

    async def athreads(self, *, status: ThreadStatus | None = None, limit: int = 50, cursor: str | None = None) -> Page[ThreadInfo]:
        """Do what threads does."""
        after = checked_cursor("threads", cursor)
        return await self._arun(requests.threads(self._site, _checked_status(status), checked_limit(limit), after))

    def pending_interrupts(self, *, thread_id: str | None = None, limit: int = 50, cursor: str | None = None) -> Page[PendingInterrupt]:
        """Return a page of the list of unanswered questions, oldest first.

        Args:
            thread_id: Only those of this thread; None for all threads.
            limit: How many at most, 1 to 1000.
            cursor: ``cursor`` of the page before.

        Raises:
            InvalidConfigError: An argument is out of range.
            InvalidIdError: The thread id is not well-formed.
        """
        after = checked_cursor("pending", cursor)
        thread = checked_thread_id(thread_id) if thread_id is not None else None
        return self._run(requests.pending_interrupts(self._site, thread, checked_limit(limit), after))

    async def apending_interrupts(
        self, *, thread_id: str | None = None, limit: int = 50, cursor: str | None = None
    ) -> Page[PendingInterrupt]:
        """Do what pending_interrupts does."""
        after = checked_cursor("pending", cursor)
        thread = checked_thread_id(thread_id) if thread_id is not None else None
        return await self._arun(requests.pending_interrupts(self._site, thread, checked_limit(limit), after))

    def extend_leases(self) -> None:
        """Extend the leases of all runs of this saver now, as its heartbeat does by itself three times per lease."""
        self._site.heartbeat.beat()

    def close(self) -> None:
        """Give the database back. Leases of runs that are still going are no longer extended."""
        self._site.heartbeat.stop()
        self._site.backend.close()

    async def aclose(self) -> None:
        """Do what close does."""
        self._site.heartbeat.stop()
        await self._site.backend.aclose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.aclose()

    def _run(self, steps: Steps[R]) -> R:
        return carry_out(self._site.backend, steps)

    async def _arun(self, steps: Steps[R]) -> R:
        return await acarry_out(self._site.backend, steps)

    def _pages(self, listing: Listing | None) -> Iterator[CheckpointTuple]:
        while listing is not None:
            items, listing = self._run(requests.list_page(self._site, listing))
            yield from items

    async def _apages(self, listing: Listing | None) -> AsyncIterator[CheckpointTuple]:
        while listing is not None:
            items, listing = await self._arun(requests.list_page(self._site, listing))
            for item in items:
                yield item


def _checked_lease(value: object) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 < value < float("inf"):
        raise InvalidConfigError(f"lease={value!r:.80} is out of range.", hint="Use a number of seconds above 0.", lease=value)
    return float(value)


def _checked_status(value: ThreadStatus | None) -> ThreadStatus | None:
    if value not in STATUSES:
        raise InvalidConfigError(f"status={value!r:.80} is no thread status.", hint="Use idle, busy, interrupted or error.", status=value)
    return value


def _checked_keep(value: object) -> int:
    return 1 if value == "latest" else checked_limit(value, "keep")


def _checked_threads(thread_ids: Iterable[str]) -> tuple[str, ...]:
    if isinstance(thread_ids, str):
        raise InvalidIdError("prune takes a list of thread ids, not one.", hint=f"Pass [{thread_ids!r:.80}].")
    return tuple([checked_thread_id(thread_id) for thread_id in thread_ids])
