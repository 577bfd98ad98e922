"""A database whose k-th write goes wrong: the process dies before it or after it, or the database refuses it."""

from __future__ import annotations

import threading
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal, TypeAlias

from graphkit.errors import StorageUnavailableError
from graphkit.storage.operations import Extend, Write

if TYPE_CHECKING:
    from collections.abc import Iterator

    from graphkit.storage.backend import Backend
    from graphkit.storage.operations import Operation

Mode: TypeAlias = Literal["dies before", "dies after", "refuses"]


class Died(BaseException):
    """The process is gone. Nothing may catch it, and nothing reaches the database any more."""


class Faulty:
    """A Backend in front of another one, for one process.

    Args:
        backend: The database.
        k: Which write goes wrong, counted from 1; 0 for none.
        mode: What happens to it.

    Attributes:
        backend: The database.
        writes: Writes so far.
        dead: Whether the process has died.
        filed: Set as soon as the outcome of a task of an unfinished superstep is stored.
        lost: How often was in a write that was not carried out: "memo <key>", "answer".
    """

    def __init__(self, backend: Backend, k: int, mode: Mode) -> None:
        self.backend = backend
        self._k = k
        self._mode = mode
        self._lock = threading.Lock()
        self.writes = 0
        self.dead = False
        self.filed = threading.Event()
        self._inside = 0
        self._left = threading.Condition()
        self.lost: Counter[str] = Counter()

    @contextmanager
    def node(self) -> Iterator[None]:
        """Stand around what a node does: in a dead process nodes do not begin, and ``settle`` waits for those that had begun."""
        self.act()
        with self._left:
            self._inside += 1
        try:
            yield
        finally:
            with self._left:
                self._inside -= 1
                self._left.notify_all()

    def act(self) -> None:
        """Stand before an action: a dead process does not act."""
        if self.dead:
            raise Died

    def settle(self) -> None:
        """Wait until no node is running; threads outlive the run that has died."""
        with self._left:
            assert self._left.wait_for(lambda: not self._inside, 10)

    def run(self, operation: Operation) -> object:
        fatal = self._begins(operation)
        reply = self.backend.run(operation)
        return self._ends(operation, reply, fatal=fatal)

    async def arun(self, operation: Operation) -> object:
        fatal = self._begins(operation)
        reply = await self.backend.arun(operation)
        return self._ends(operation, reply, fatal=fatal)

    def close(self) -> None:
        self.backend.close()

    async def aclose(self) -> None:
        await self.backend.aclose()

    def _begins(self, operation: Operation) -> bool:
        """Return whether the process dies when the operation is done."""
        with self._lock:
            if self.dead:
                self._lose(operation)
                if isinstance(operation, Extend):
                    # The heartbeat's thread is not part of the run; it goes on until it is told to end.
                    raise StorageUnavailableError("The process is dead.", hint="Begin another one.")
                raise Died
            if not isinstance(operation, Write):
                return False
            self.writes += 1
            if self.writes != self._k:
                return False
            if self._mode == "dies after":
                return True
            self._lose(operation)
            if self._mode == "refuses":
                raise StorageUnavailableError("The database went away.", hint="Try again.")
            self.dead = True
            raise Died

    def _ends(self, operation: Operation, reply: object, *, fatal: bool) -> object:
        if isinstance(operation, Write) and operation.change.outcomes:
            self.filed.set()
        if fatal:
            self.dead = True
            raise Died
        return reply

    def _lose(self, operation: Operation) -> None:
        if isinstance(operation, Write):
            self.lost.update([f"memo {memo.key}" for memo in operation.change.memos])
            self.lost.update(["answer" for _ in operation.change.answers])
