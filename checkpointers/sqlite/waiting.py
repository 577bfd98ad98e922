"""How an event loop waits for a job that another thread carries out."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from checkpointers.sqlite.group import Job

if TYPE_CHECKING:
    from collections.abc import Callable

    from graphkit.storage.operations import Operation


async def wait(operation: Operation, submit: Callable[[Job], None]) -> object:
    """Submit an operation and wait for it without blocking the loop.

    Cancelling withdraws it if nobody has begun it; otherwise it is waited for, so that nothing is written afterwards.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[None] = loop.create_future()

    def done(_: Job) -> None:
        try:
            loop.call_soon_threadsafe(_finish, future)
        except RuntimeError:
            # The loop was closed meanwhile: nobody waits any more.
            return

    job = Job(operation, done)
    submit(job)
    try:
        await asyncio.shield(future)
    except asyncio.CancelledError:
        if not job.take():
            await asyncio.wait([future])
        raise
    return job.result()


def _finish(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
