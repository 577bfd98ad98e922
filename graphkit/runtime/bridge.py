"""Runs an async run from sync code: an event loop of its own in a thread of its own, for as long as the run lasts."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Self, TypeVar

from graphkit.runtime.aio import Result, drive

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Coroutine, Generator

    from graphkit.core.effects import Program
    from graphkit.core.events import Event
    from graphkit.core.graph import GraphSpec
    from graphkit.scope import RunScope

R = TypeVar("R")
T = TypeVar("T")


def drive_in_loop(program: Program[R], spec: GraphSpec, run: RunScope, *, live: bool = False) -> Generator[Event, None, R]:
    """As ``threads.drive``, with the async driver; it is advanced only when the caller asks for the next event."""
    with PrivateLoop() as loop:
        events = loop.call(_begun(program, spec, run, live=live))
        try:
            while True:
                event = loop.call(_next(events))
                if isinstance(event, Result):
                    result: R = event.value  # type: ignore[assignment]
                    return result
                yield event
        finally:
            loop.call(_closed(events))


class PrivateLoop:
    """An event loop in a thread; works whether or not the caller's thread has a running loop."""

    def __enter__(self) -> Self:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="graphkit-loop", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.call(self._loop.shutdown_asyncgens())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self) -> None:
        """Run the loop until it is stopped. What stops a program would end it too early: that belongs to the caller's thread."""
        ended = False
        while not ended:
            try:
                self._loop.run_forever()
                ended = True
            except (KeyboardInterrupt, SystemExit):
                # The task that raised it has it, and who waits for that task raises it again.
                continue

    def call(self, coroutine: Coroutine[object, object, T]) -> T:
        """Run a coroutine in the loop, in a copy of the caller's context, and return its result."""
        future = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise


async def _begun(program: Program[R], spec: GraphSpec, run: RunScope, *, live: bool) -> AsyncGenerator[Event | Result, None]:
    return drive(program, spec, run, live=live)


async def _next(events: AsyncGenerator[Event | Result, None]) -> Event | Result:
    return await anext(events)


async def _closed(events: AsyncGenerator[Event | Result, None]) -> None:
    await events.aclose()
