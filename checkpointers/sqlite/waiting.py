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
    from weakref import WeakMethod

    from graphkit.storage.operations import Operation


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

    async def wait(self, operation: Operation, holder: object = None) -> object:  # noqa: ARG002 - see below
        """Add an operation to those that wait for the worker, and wait for it without blocking the loop.

        ``holder`` has the worker; this coroutine keeps it alive while it waits.

        Cancelling withdraws it if nobody has begun it; otherwise it is waited for, so that nothing is written afterwards.
        """
        loop = asyncio.get_running_loop()
        job = Job(operation, loop, loop.create_future())
        self._add(job)
        if loop not in self._rounds:
            self._rounds.add(loop)
            loop.call_soon(self._end_round, loop)
        try:
            await cast("asyncio.Future[None]", job.future)
        except asyncio.CancelledError:
            if not job.take():
                await _finished(job, loop)
            raise
        return job.result()

    def _end_round(self, loop: asyncio.AbstractEventLoop) -> None:
        self._rounds.discard(loop)
        self._hand_over()


def weakly(method: WeakMethod[Callable[[], None]]) -> None:
    """Call a method of somebody who holds the desk: who forgets a saver is rid of it at once, without waiting for the collector."""
    found = method()
    if found is not None:
        found()


async def _finished(job: Job, loop: asyncio.AbstractEventLoop) -> None:
    """Wait for a job although its waiter was cancelled, however often that happens."""
    while not job.finished:
        job.future = loop.create_future()
        if not job.finished:
            await asyncio.wait([job.future])
