"""One measurement: its size, its folder, its clock, and what has to be closed after it."""

from __future__ import annotations

import asyncio
import gc
import statistics
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any, Self, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping
    from contextlib import AbstractAsyncContextManager, AbstractContextManager
    from pathlib import Path

T = TypeVar("T")

MOST_REPETITIONS = 50


@dataclass(frozen=True, slots=True)
class Figures:
    """What one process measured.

    Args:
        seconds: Wall time per unit; the median of the repetitions.
        extra: Other figures by name: bytes, ratios, counts.
    """

    seconds: float
    extra: Mapping[str, float] = field(default_factory=dict)


class Lab:
    """The bench a workload works at; closes what was opened, in reverse order.

    Args:
        size: How many units one repetition has. Each workload says what its unit is.
        folder: An empty folder for database files. It has to be on a real disk: a RAM disk makes durable commits free.
        seconds: How long to repeat, after one repetition that is not counted. 0 repeats once.
    """

    def __init__(self, size: int, folder: Path, seconds: float) -> None:
        self.size = size
        self.folder = folder
        self.seconds = seconds
        self._stack = ExitStack()
        self._files = count(1)
        self._loop = asyncio.new_event_loop()

    def __enter__(self) -> Self:
        self._stack.callback(self._loop.close)
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def file(self) -> Path:
        """Name a new database file."""
        return self.folder / f"{next(self._files)}.db"

    def enter(self, manager: AbstractContextManager[T]) -> T:
        """Open something for the length of the measurement."""
        return self._stack.enter_context(manager)

    def aenter(self, manager: AbstractAsyncContextManager[T]) -> T:
        """Open something asynchronous for the length of the measurement."""
        opened = self.run(manager.__aenter__())
        self._stack.callback(lambda: self.run(manager.__aexit__(None, None, None)))
        return opened

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on the one loop of this measurement."""
        return self._loop.run_until_complete(work)

    def time(self, cycle: Callable[[], object], units: int | None = None) -> Figures:
        """Repeat ``cycle`` and take the median.

        Args:
            cycle: One repetition; it checks its own result.
            units: Units per repetition; ``size`` when left out.
        """
        cycle()
        gc.collect()
        taken: list[float] = []
        while not taken or (sum(taken) < self.seconds and len(taken) < MOST_REPETITIONS):
            taken.append(stopwatch(cycle))
        return Figures(statistics.median(taken) / (units or self.size))


def stopwatch(work: Callable[[], object]) -> float:
    """Wall seconds of one call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
