"""Threads for nodes that run side by side.

Waking a thread for every job costs more than a small node. So workers ripple: a worker that takes a job first makes
sure that one more is on its way if jobs are left, and then runs its job. Jobs that compute are finished by the first
worker before the next one gets hold of the interpreter; jobs that wait release it, and the next worker takes over.
"""

from __future__ import annotations

import sys
import threading
from _thread import start_new_thread
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Job = Callable[[], None]


class Pool:
    """Runs jobs in threads, at most ``limit`` at a time. Jobs must not raise. Threads end when no job is left."""

    def __init__(self, limit: int | None) -> None:
        self.limit = limit
        self._lock = threading.Lock()
        self._jobs: deque[Job] = deque()
        self._workers = 0
        self._coming = False

    def start(self, jobs: Iterable[Job]) -> None:
        """Queue jobs and see that somebody takes them."""
        with self._lock:
            self._jobs.extend(jobs)
            self._invite()

    def cancel(self) -> int:
        """Forget the jobs that nobody has taken; return how many there were."""
        with self._lock:
            count = len(self._jobs)
            self._jobs.clear()
            return count

    def _invite(self) -> None:
        """Send for one more worker if there is work for it; the lock is held."""
        if self._jobs and not self._coming and (self.limit is None or self._workers < self.limit):
            self._coming = True
            self._workers += 1
            start_new_thread(self._work, ())

    def _work(self) -> None:
        # Threads made this way do not get the hooks of debuggers and coverage by themselves.
        sys.settrace(threading.gettrace())
        sys.setprofile(threading.getprofile())
        self._take_turns()

    def _take_turns(self) -> None:
        arrived = True
        while True:
            with self._lock:
                if arrived:
                    self._coming = arrived = False
                if not self._jobs:
                    self._workers -= 1
                    return
                job = self._jobs.popleft()
                self._invite()
            job()
