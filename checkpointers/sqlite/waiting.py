"""How an event loop waits for jobs that another thread carries out.

The loop hands jobs over at the end of a round, so that everything its tasks want in that round is one group; and it is
woken once for all of its jobs in a group.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

from checkpointers.sqlite.group import Job

if TYPE_CHECKING:
    from collections.abc import Callable

    from graphkit.storage.operations import Operation


class Desk:
    """Where event loops leave their operations and wait for them.

    Args:
        add: Puts a job among those that wait.
    """

    __slots__ = ("_add", "_rounds")

    def __init__(self, add: Callable[[Job], None]) -> None:
        self._add = add
        self._rounds: set[asyncio.AbstractEventLoop] = set()

    async def wait(self, operation: Operation, hand_over: Callable[[], None]) -> object:
        """Add an operation to those that wait for the worker, and wait for it without blocking the loop.

        Cancelling withdraws it if nobody has begun it; otherwise it is waited for, so that nothing is written afterwards.

        Args:
            operation: What to do.
            hand_over: Tells the worker to look; called once at the end of each round of a loop in which a job was added.
                The desk does not keep it: it is a method of the backend, which has to end when nobody uses it any more.
        """
        loop = asyncio.get_running_loop()
        job = Job(operation, loop, loop.create_future())
        self._add(job)
        if loop not in self._rounds:
            self._rounds.add(loop)
            loop.call_soon(self._end_round, loop, hand_over)
        try:
            await cast("asyncio.Future[None]", job.future)
        except asyncio.CancelledError:
            if not job.take():
                await _finished(job, loop)
            raise
        return job.result()

    def _end_round(self, loop: asyncio.AbstractEventLoop, hand_over: Callable[[], None]) -> None:
        self._rounds.discard(loop)
        hand_over()


async def _finished(job: Job, loop: asyncio.AbstractEventLoop) -> None:
    """Wait for a job although its waiter was cancelled, however often that happens."""
    while not job.finished:
        job.future = loop.create_future()
        if not job.finished:
            await asyncio.wait([job.future])
