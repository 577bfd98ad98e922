"""One attempt of a node under a time limit: waiting for it, giving it up, and refusing what it does afterwards.

A thread cannot be stopped, and a coroutine may swallow its cancellation. So an attempt that took too long is given up:
it may go on, but everything through which it could reach the run (stream, storage, questions) asks here first. An
attempt is given up under the lock under which it writes, so a write is either part of it or refused.
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import copy_context
from threading import Event, Lock, Thread
from time import monotonic
from typing import TYPE_CHECKING, Final, cast

from graphkit.core.policy import due
from graphkit.errors import AttemptAbandonedError, NodeTimeoutError

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Iterator, Mapping

    from graphkit.core.effects import Commit
    from graphkit.core.policy import TimeoutKind, TimeoutPolicy
    from graphkit.storage import Hold, Prepared

GRACE: Final = 1.0
"""Seconds that a cancelled coroutine has to tidy up before the run goes on without it."""


class Watch:
    """The time limits of one attempt. The time begins to run when it is made.

    Args:
        node: For errors.
        policy: The node's limits, None if only the superstep has one.
        step: (when the superstep began, seconds it may take), None for no limit.
        clock: Seconds that only grow.
    """

    __slots__ = ("_alive", "_began", "_clock", "_given_up", "_lock", "_node", "_policy", "_step")

    def __init__(
        self, node: str, policy: TimeoutPolicy | None, step: tuple[float, float] | None = None, clock: Callable[[], float] = monotonic
    ) -> None:
        self._node = node
        self._policy = policy
        self._step = step
        self._clock = clock
        self._began = self._alive = clock()
        self._given_up = False
        self._lock = Lock()

    def beat(self) -> None:
        """Take a sign of life of the kind that always counts.

        Raises:
            AttemptAbandonedError: The attempt was given up.
        """
        with self._lock:
            self._require("send a heartbeat")
            self._alive = self._clock()

    @contextmanager
    def part_of_it(self, what: str) -> Iterator[None]:
        """Do something that belongs to the attempt; it is not given up meanwhile, and has given a sign of life.

        Raises:
            AttemptAbandonedError: It was given up before; ``what`` was not done.
        """
        with self._lock:
            self._require(what)
            try:
                yield
            finally:
                if self._policy is None or self._policy.refresh_on == "auto":
                    self._alive = self._clock()

    def call(self, function: Callable[..., object], args: tuple[object, ...], kwargs: Mapping[str, object]) -> object:
        """Call a function in a thread of its own and return its result.

        Raises:
            NodeTimeoutError: It took too long; the thread was left behind.
        """
        called = _Called(function, args, kwargs)
        Thread(target=copy_context().run, args=(called.run,), name=f"graphkit-{self._node}", daemon=True).start()
        try:
            while not called.ended.wait(max(self._left(), 0.0)):
                self.give_up_if(lambda: not called.ended.is_set())
        except BaseException:
            self._given_up = True
            raise
        return called.result()

    async def acall(self, function: Callable[..., object], args: tuple[object, ...], kwargs: Mapping[str, object]) -> object:
        """Await what a function returns, as an asyncio task of its own, and return its result.

        Raises:
            NodeTimeoutError: It took too long; it was cancelled, whether it obeyed or not.
        """
        import asyncio  # noqa: PLC0415 - only the async driver comes here

        work = asyncio.ensure_future(_awaited(function, args, kwargs))
        try:
            while not (await asyncio.wait({work}, timeout=max(self._left(), 0.0)))[0]:
                self.give_up_if(lambda: not work.done())
        except BaseException:
            self._given_up = True
            await _cancelled(work)
            raise
        return work.result()

    def _left(self) -> float:
        return due(self._policy, self._began, self._alive, self._step and sum(self._step))[0] - self._clock()

    def give_up_if(self, still_running: Callable[[], bool]) -> None:
        """Give the attempt up if it still runs and its time has really passed; a sign of life may just have come."""
        with self._lock:
            moment, kind = due(self._policy, self._began, self._alive, self._step and sum(self._step))
            if moment > self._clock() or not still_running():
                return
            self._given_up = True
        raise self._error(kind)

    def _error(self, kind: TimeoutKind) -> NodeTimeoutError:
        elapsed = self._clock() - self._began
        limits: dict[str, object] = {
            "run_timeout": self._policy.run_timeout if self._policy is not None else None,
            "idle_timeout": self._policy.idle_timeout if self._policy is not None else None,
            "step_timeout": self._step[1] if self._step is not None else None,
        }
        passed = {
            "run": "exceeded its run timeout",
            "idle": "gave no sign of life within its idle timeout",
            "step": "exceeded the step timeout",
        }
        return NodeTimeoutError(
            f"Node {self._node!r} {passed[kind]} of {limits[f'{kind}_timeout']} seconds; it was given up after {elapsed:.3f}.",
            hint="Raise the limit, or add a retry_policy or an error_handler to the node.",
            node=self._node,
            kind=kind,
            elapsed=elapsed,
            **limits,
        )

    def _require(self, what: str) -> None:
        if self._given_up:
            raise AttemptAbandonedError(
                f"Node {self._node!r} wanted to {what} after its attempt was given up, because it took too long; that was refused.",
                hint="Let this error end the function; nothing of the attempt counts any more.",
                node=self._node,
            )


class WatchedHold:
    """A grip on the thread that refuses to write for an attempt that was given up. Stands in for a Hold."""

    __slots__ = ("_hold", "_watch")

    def __init__(self, hold: Hold, watch: Watch) -> None:
        self._hold = hold
        self._watch = watch

    def __getattr__(self, name: str) -> object:
        with self._watch.part_of_it("use the thread"):
            return getattr(self._hold, name)

    def prepare(self, namespace: str, change: Commit) -> Prepared:
        """As Hold.prepare, which notes what is to be written."""
        with self._watch.part_of_it("save something"):
            return self._hold.prepare(namespace, change)

    def write(self, prepared: Prepared) -> None:
        """As Hold.write."""
        with self._watch.part_of_it("save something"):
            self._hold.write(prepared)


def watched(hold: Hold, watch: Watch) -> Hold:
    """Return a hold that asks the watch before it writes."""
    return cast("Hold", WatchedHold(hold, watch))


class _Called:
    """A call in another thread, and what came of it."""

    __slots__ = ("_args", "_error", "_function", "_kwargs", "_result", "ended")

    def __init__(self, function: Callable[..., object], args: tuple[object, ...], kwargs: Mapping[str, object]) -> None:
        self._function = function
        self._args = args
        self._kwargs = kwargs
        self._result: object = None
        self._error: BaseException | None = None
        self.ended = Event()

    def run(self) -> None:
        try:
            self._result = self._function(*self._args, **self._kwargs)
        except BaseException as error:  # noqa: BLE001 - raised where it is waited for
            self._error = error
        finally:
            self.ended.set()

    def result(self) -> object:
        if self._error is not None:
            raise self._error
        return self._result


async def _awaited(function: Callable[..., object], args: tuple[object, ...], kwargs: Mapping[str, object]) -> object:
    from inspect import isawaitable  # noqa: PLC0415 - loaded by the driver

    reply = function(*args, **kwargs)
    return await reply if isawaitable(reply) else reply


async def _cancelled(work: asyncio.Future[object]) -> None:
    """Cancel a coroutine and give it time to tidy up; what it raises then is of no interest."""
    import asyncio  # noqa: PLC0415 - as above

    work.add_done_callback(_looked_at)
    work.cancel()
    await asyncio.wait({work}, timeout=GRACE)


def _looked_at(work: asyncio.Future[object]) -> None:
    """Take note of what a coroutine that was given up has raised, so that asyncio does not complain that nobody did."""
    if not work.cancelled():
        work.exception()
