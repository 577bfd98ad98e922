"""How an event loop waits for jobs that another thread carries out.

The loop hands jobs over at the end of a round, so that everything its tasks want in that round is one group; and it is
woken once for all of its jobs in a group.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

from checkpointers.sqlite.group import Job

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from checkpointers.sqlite.group import Owner
    from graphkit.storage.operations import Operation


class Waiter:
    """A coroutine that waits for a job."""

    __slots__ = ("future", "home")

    def __init__(self) -> None:
        self.home = asyncio.get_running_loop()
        self.future: asyncio.Future[None] = self.home.create_future()

    def tell(self, owners: Sequence[Owner]) -> None:
        """Wake all waiters of this loop."""
        try:
            self.home.call_soon_threadsafe(_wake, cast("Sequence[Waiter]", owners))
        except RuntimeError:
            # The loop was closed meanwhile: nobody waits any more.
            return


async def wait(operation: Operation, add: Callable[[Job], None], hand_over: Callable[[], None]) -> object:
    """Add an operation to those that wait for the worker, and wait for it without blocking the loop.

    Cancelling withdraws it if nobody has begun it; otherwise it is waited for, so that nothing is written afterwards.

    Args:
        operation: What to do.
        add: Puts a job among those that wait.
        hand_over: Tells the worker to look; called at the end of the loop's round.
    """
    waiter = Waiter()
    job = Job(operation, waiter)
    add(job)
    waiter.home.call_soon(hand_over)
    try:
        await waiter.future
    except asyncio.CancelledError:
        if not job.take():
            await _finished(job, waiter)
        raise
    return job.result()


async def _finished(job: Job, waiter: Waiter) -> None:
    """Wait for a job although its waiter was cancelled, however often that happens."""
    while not job.finished:
        waiter.future = waiter.home.create_future()
        if not job.finished:
            await asyncio.wait([waiter.future])


def _wake(waiters: Sequence[Waiter]) -> None:
    for waiter in waiters:
        if not waiter.future.done():
            waiter.future.set_result(None)
