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


class Desk:
    """Where event loops leave their operations and wait for them.

    Args:
        add: Puts a job among those that wait.
        hand_over: Tells the worker to look; called once at the end of each round of a loop in which a job was added.
    """

    __slots__ = ("_add", "_hand_over", "_rounds")

    def __init__(self, add: Callable[[Job], None], hand_over: Callable[[], None]) -> None:
        self._add = add
        self._hand_over = hand_over
        self._rounds: set[asyncio.AbstractEventLoop] = set()

    async def wait(self, operation: Operation) -> object:
        """Add an operation to those that wait for the worker, and wait for it without blocking the loop.

        Cancelling withdraws it if nobody has begun it; otherwise it is waited for, so that nothing is written afterwards.
        """
        waiter = Waiter()
        job = Job(operation, waiter)
        self._add(job)
        if waiter.home not in self._rounds:
            self._rounds.add(waiter.home)
            waiter.home.call_soon(self._end_round, waiter.home)
        try:
            await waiter.future
        except asyncio.CancelledError:
            if not job.take():
                await _finished(job, waiter)
            raise
        return job.result()

    def _end_round(self, loop: asyncio.AbstractEventLoop) -> None:
        self._rounds.discard(loop)
        self._hand_over()


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
