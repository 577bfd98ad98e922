"""The thread in which a backend works for async callers."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable
    from concurrent.futures import Future, ThreadPoolExecutor

T = TypeVar("T")


class Worker:
    """One thread, begun with the first work; it ends when it is closed or forgotten."""

    def __init__(self) -> None:
        self._pool: ThreadPoolExecutor | None = None
        self._beginning = Lock()

    async def run(self, work: Callable[[], T]) -> T:
        """Do the work in the thread. Cancelling withdraws it if it has not begun; otherwise it is waited for."""
        import asyncio  # noqa: PLC0415 - sync callers need none

        begun = self._submitted(work)
        ended = asyncio.wrap_future(begun)
        try:
            return await asyncio.shield(ended)
        except asyncio.CancelledError:
            if not begun.cancel():
                await _settled(ended)
            raise

    def close(self) -> None:
        """Let the thread end after what it was given."""
        with self._beginning:
            pool, self._pool = self._pool, None
        if pool is not None:
            pool.shutdown(wait=False)

    def _submitted(self, work: Callable[[], T]) -> Future[T]:
        from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - as above

        with self._beginning:
            if self._pool is None:
                self._pool = ThreadPoolExecutor(1, "graphkit-store")
            return self._pool.submit(work)


async def _settled(ended: asyncio.Future[T]) -> None:
    import asyncio  # noqa: PLC0415 - as above

    while not ended.done():
        try:
            await asyncio.wait([ended])
        except asyncio.CancelledError:
            # One cancellation is on its way already; a second one adds nothing.
            continue
    if not ended.cancelled():
        ended.exception()
