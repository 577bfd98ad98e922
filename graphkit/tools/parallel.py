"""Calls that run side by side: in threads for sync code, as asyncio tasks for async code. One call runs inline.

All of them end before the first failure is raised, so that nothing that was begun is lost or left behind.
"""

from __future__ import annotations

from contextvars import copy_context
from functools import partial
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from graphkit.core.record import record
from graphkit.errors import GraphInterrupt
from graphkit.runtime.pool import Pool
from graphkit.scope import raise_all

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Awaitable, Callable, Coroutine, Sequence

T = TypeVar("T")


@record
class Ended(Generic[T]):
    """How a call ended: with a value or with an error."""

    value: T | None = None
    error: BaseException | None = None


def run_all(jobs: Sequence[Callable[[], T]], limit: int | None = None) -> list[T]:
    """Run jobs in threads, each in a copy of the caller's context, and return their results in order.

    Args:
        jobs: What to call.
        limit: How many may run at a time.

    Raises:
        BaseException: As ``results``.
    """
    if len(jobs) <= 1:
        return results([_ended(job) for job in jobs])
    mailbox: SimpleQueue[tuple[int, Ended[T]]] = SimpleQueue()

    def work(place: int) -> None:
        mailbox.put((place, _ended(jobs[place])))

    pool = Pool(limit)
    pool.start([partial(copy_context().run, work, place) for place in range(len(jobs))])
    try:
        found = dict([mailbox.get() for _ in jobs])
    finally:
        pool.cancel()
    return results([found[place] for place in range(len(jobs))])


async def arun_all(jobs: Sequence[Callable[[], Coroutine[Any, Any, T]]], limit: int | None = None) -> list[T]:
    """As ``run_all``, in tasks of this event loop."""
    import asyncio  # noqa: PLC0415 - only async code needs it

    if len(jobs) <= 1:
        return results([await _aended(job()) for job in jobs])
    gate = asyncio.Semaphore(limit or len(jobs))

    async def work(job: Callable[[], Coroutine[Any, Any, T]]) -> Ended[T]:
        async with gate:
            return await _aended(job())

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(work(job)) for job in jobs]
    return results([task.result() for task in tasks])


def results(ended: Sequence[Ended[T]]) -> list[T]:
    """Return the values of all calls.

    Raises:
        BaseException: What a call raised: the first that stops the program, or else the first exception.
        GraphInterrupt: All questions that calls asked, if nothing failed.
    """
    errors = [each.error for each in ended if each.error is not None]
    pauses = [error for error in errors if isinstance(error, GraphInterrupt)]
    failures = [error for error in errors if not isinstance(error, GraphInterrupt)]
    for error in sorted(failures, key=lambda error: isinstance(error, Exception)):
        raise error
    if pauses:
        raise_all(pauses)
    return [cast("T", each.value) for each in ended]


async def in_thread(function: Callable[[], T]) -> T:
    """Call a function in a thread, in a copy of the current context."""
    import asyncio  # noqa: PLC0415 - only async code needs it

    loop = asyncio.get_running_loop()
    landed: asyncio.Future[Ended[T]] = loop.create_future()

    def work() -> None:
        ended = _ended(function)
        try:
            loop.call_soon_threadsafe(_land, landed, ended)
        except RuntimeError:
            if not loop.is_closed():
                raise

    Pool(1).start([partial(copy_context().run, work)])
    ended = await landed
    if ended.error is not None:
        raise ended.error
    return cast("T", ended.value)


def _land(future: asyncio.Future[Ended[T]], ended: Ended[T]) -> None:
    if not future.done():
        future.set_result(ended)


def _ended(job: Callable[[], T]) -> Ended[T]:
    try:
        return Ended(job())
    except BaseException as error:  # noqa: BLE001 - raised when all have ended
        return Ended(error=error)


async def _aended(job: Awaitable[T]) -> Ended[T]:
    import asyncio  # noqa: PLC0415 - only async code needs it

    try:
        return Ended(await job)
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise
        return Ended(error=error)
    except BaseException as error:  # noqa: BLE001 - raised when all have ended
        return Ended(error=error)
