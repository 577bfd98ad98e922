"""A saver around another one that notes what is written, and lets a test hold or fail writes."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from graphkit.storage import Checkpointer
from graphkit.storage.operations import Write

if TYPE_CHECKING:
    from collections.abc import Callable

    from graphkit.storage import Backend
    from graphkit.storage.operations import Operation


class Recording:
    """Writes through to ``inner``; ``before`` is called with the number of each write and may wait or raise."""

    def __init__(self, inner: Backend, before: Callable[[int], None] | None) -> None:
        self._inner = inner
        self._before = before
        self.writes: list[Write] = []

    def run(self, operation: Operation) -> object:
        self._note(operation)
        return self._inner.run(operation)

    async def arun(self, operation: Operation) -> object:
        await asyncio.to_thread(self._note, operation)
        return await self._inner.arun(operation)

    def close(self) -> None:
        self._inner.close()

    async def aclose(self) -> None:
        await self._inner.aclose()

    def _note(self, operation: Operation) -> None:
        if isinstance(operation, Write):
            self.writes.append(operation)
            if self._before is not None:
                self._before(len(self.writes))


class RecordingSaver(Checkpointer):
    """A saver that stores where ``inner`` stores."""

    def __init__(self, inner: Checkpointer, before: Callable[[int], None] | None = None) -> None:
        self.recording = Recording(inner._site.backend, before)
        super().__init__(self.recording)

    @property
    def shape(self) -> list[tuple[Any, ...]]:
        """Return (namespace level, new checkpoints, filed outcomes, claims, releases) of each write."""
        return [
            (
                write.change.namespace.partition(":")[0],
                len(write.change.checkpoints),
                len(write.change.outcomes),
                write.claim is not None,
                write.release,
            )
            for write in self.recording.writes
        ]
