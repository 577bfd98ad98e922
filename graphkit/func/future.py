"""What calling a task returns: a future for threads that can be awaited as well."""

from __future__ import annotations

import sys
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, TypeVar, cast

from graphkit.errors import GraphInterrupt, RunError

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Generator

    from graphkit.func.crew import Crew

R = TypeVar("R")


class TaskFuture(Future[R]):
    """The result of a task, now or later.

    In sync code it is a ``concurrent.futures.Future``: ``result()`` waits, ``wait`` and ``as_completed`` take it. In async
    code it is awaited, or handed to ``asyncio.gather``.

    If the task asked a question, asking for its result pauses the caller: once everything else that the caller began has
    ended, with the questions of all of it.

    Attributes:
        crew: The calls it is one of.
        name: Its identity among them.
        looked_at: Whether somebody has seen how it ended.
        stop: Ends the work early; None if that is not possible.
    """

    def __init__(self, crew: Crew, name: str) -> None:
        super().__init__()
        self.crew = crew
        self.name = name
        self.looked_at = False
        self.stop: Callable[[], object] | None = None

    def result(self, timeout: float | None = None) -> R:
        """Return the task's result; in sync code, wait for it.

        Args:
            timeout: Seconds to wait at most.

        Raises:
            BaseException: What the task raised.
            GraphInterrupt: The task asked a question; it must not be caught.
            TimeoutError: It has not ended in time. It runs on.
            RunError: It has not ended, and the calling thread runs an event loop, which must not block.
        """
        error = self.exception(timeout)
        if error is not None:
            raise error
        return super().result()

    def exception(self, timeout: float | None = None) -> BaseException | None:
        """Return what the task raised, None if it has a result. Waits as ``result`` does.

        Raises:
            GraphInterrupt: The task asked a question.
        """
        blocked = running_loop() is not None
        if blocked and not self.done():
            raise RunError(
                f"The result of {self.name!r} is not there yet, and an event loop must not wait for it.", hint="Await the future."
            )
        error = super().exception(timeout)
        self.looked_at = True
        if isinstance(error, GraphInterrupt):
            if not blocked and self.crew.is_here:
                self.crew.wait()
            self.crew.pause(error)
        return error

    def cancel(self) -> bool:
        """Give up the task if it has not begun, or if it is a coroutine; return whether it is, or will be, given up."""
        if super().cancel():
            return True
        if self.done() or self.stop is None:
            return False
        self.stop()
        return True

    def __await__(self) -> Generator[Any, Any, R]:
        return self._awaited().__await__()

    async def landed(self) -> None:
        """Wait in an event loop until the task has ended, however it ends."""
        if self.done():
            return
        import asyncio  # noqa: PLC0415 - only async code needs it

        loop = asyncio.get_running_loop()
        arrived: asyncio.Future[None] = loop.create_future()
        self.add_done_callback(lambda _: _wake(arrived))
        await arrived

    @property
    def error(self) -> BaseException | None:
        """What an ended task raised; None if it was cancelled before it began. Does not count as looking."""
        return super().exception() if not self.cancelled() else None

    async def _awaited(self) -> R:
        import asyncio  # noqa: PLC0415 - only async code needs it

        try:
            await self.landed()
        except asyncio.CancelledError:
            self.cancel()
            raise
        if self.cancelled():
            raise asyncio.CancelledError(f"{self.name!r} was cancelled before it began.")
        if isinstance(self.error, GraphInterrupt) and self.crew.is_here:
            await self.crew.awaited()
        return self.result()


def running_loop() -> asyncio.AbstractEventLoop | None:
    """Return the event loop of this thread, None in sync code. Does not load asyncio."""
    loaded = sys.modules.get("asyncio.events")
    return cast("asyncio.AbstractEventLoop | None", loaded._get_running_loop()) if loaded is not None else None  # noqa: SLF001 - documented, and does not raise


def _wake(arrived: asyncio.Future[None]) -> None:
    """Resolve a loop's future from any thread; a loop that has been closed has no reader any more."""
    loop = arrived.get_loop()
    try:
        loop.call_soon_threadsafe(_resolve, arrived)
    except RuntimeError:
        if not loop.is_closed():
            raise


def _resolve(arrived: asyncio.Future[None]) -> None:
    if not arrived.done():
        arrived.set_result(None)
