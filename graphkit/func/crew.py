"""The tasks that one body of code called: what runs, what has ended, and which questions they ask together."""

from __future__ import annotations

from concurrent.futures import wait
from contextvars import copy_context
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn, cast

from graphkit.errors import GraphInterrupt, RunError
from graphkit.func.future import running_loop
from graphkit.runtime.pool import Pool
from graphkit.scope import branch, current, raise_all

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Coroutine, Sequence

    from graphkit.core.task import Question
    from graphkit.func.future import TaskFuture
    from graphkit.scope import Scope

PLACE = "\0"
"""Where a scope keeps its crew: among what it remembers, under this and the scope's prefix."""


class Crew:
    """The calls made in one scope. Only code of that scope adds calls; they end in any thread.

    Args:
        scope: Of the calling body.
        before: The crew of the attempt before this one, None for the first.
    """

    def __init__(self, scope: Scope, before: Crew | None = None) -> None:
        self.scope = scope
        self.attempt = scope.attempt
        self.calls: list[TaskFuture[Any]] = []
        self.watched = False
        self._scopes: dict[str, Scope] = dict(before._scopes) if before is not None else {}  # noqa: SLF001 - of the same class
        self._pool: Pool | None = None
        self._gate: asyncio.Semaphore | None = None

    @property
    def is_here(self) -> bool:
        """Whether the running code is the body whose calls these are."""
        return current() is self.scope

    def scope_of(self, name: str) -> Scope:
        """Return a scope for a call, with what the same call remembered in an earlier attempt."""
        made, before = branch(self.scope, name), self._scopes.get(name)
        if before is not None:
            made.memos = before.memos
        self._scopes[name] = made
        return made

    def begin(self, future: TaskFuture[Any], work: Callable[[], object]) -> None:
        """Run a call in a thread."""
        self.calls.append(future)
        if self._pool is None:
            self._pool = Pool(self._limit)
        self._pool.start([partial(copy_context().run, self._run, future, work)])

    def abegin(self, future: TaskFuture[Any], work: Callable[[], Coroutine[Any, Any, object]]) -> None:
        """Run a call as a task of the running event loop."""
        import asyncio  # noqa: PLC0415 - only async code needs it

        self.calls.append(future)
        if self._gate is None and self._limit is not None:
            self._gate = asyncio.Semaphore(self._limit)
        loop = asyncio.get_running_loop()
        flying = loop.create_task(self._arun(future, work))
        flying.add_done_callback(lambda _: future.done() or future.cancel())
        future.stop = lambda: loop.call_soon_threadsafe(flying.cancel)

    def remember(self, future: TaskFuture[Any], value: object) -> None:
        """Add a call whose result is known."""
        self.calls.append(future)
        future.set_result(value)

    def wait(self) -> None:
        """Wait until every call has ended."""
        while left := self._running():
            wait(left)

    async def awaited(self) -> None:
        """As ``wait``, in an event loop."""
        while left := self._running():
            for future in left:
                await future.landed()

    def drop(self) -> None:
        """Give up what can be given up."""
        for future in self._running():
            future.cancel()

    async def adrop(self) -> None:
        """Give up what can be given up, and wait for coroutines to end."""
        self.drop()
        for future in [future for future in self._running() if future.stop is not None]:
            await future.landed()

    def settle(self) -> None:
        """Let what nobody looked at come out, once all calls have ended.

        Raises:
            BaseException: What a call raised: the first that stops the program, or else the first exception.
            GraphInterrupt: All questions, if nothing failed.
        """
        errors = [error for future in list(self.calls) if not future.looked_at and (error := future.error) is not None]
        failures = [error for error in errors if not isinstance(error, GraphInterrupt) and not _is_cancellation(error)]
        for error in sorted(failures, key=lambda error: isinstance(error, Exception)):
            raise error
        if len(failures) < len(errors) and self.paused() and not self.scope.questions:
            raise_all(self.paused())

    def pause(self, pause: GraphInterrupt) -> NoReturn:
        """Pause the running code with what a call asked; the body whose call it is pauses with all that its calls asked."""
        here = current()
        if here is self.scope:
            raise_all(self.paused())
        if here is not None:
            here.questions = cast("tuple[Question, ...]", pause.questions)
        raise pause

    def paused(self, last: GraphInterrupt | None = None) -> Sequence[GraphInterrupt]:
        """Return the pauses of calls that have ended, in the order of the calls, then ``last``; each question once."""
        ended = [future.error for future in list(self.calls) if future.done()]
        pauses = [error for error in [*ended, last] if isinstance(error, GraphInterrupt)]
        seen: set[str] = set()
        found = []
        for pause in pauses:
            asked = {question.id for question in pause.args[0]}
            if not asked <= seen:
                seen |= asked
                found.append(pause)
        return found or pauses[:1]

    @property
    def _limit(self) -> int | None:
        found = self.scope.run.config.get("max_concurrency")
        return found if isinstance(found, int) else None

    def _running(self) -> list[TaskFuture[Any]]:
        return [future for future in list(self.calls) if not future.done()]

    def _run(self, future: TaskFuture[Any], work: Callable[[], object]) -> None:
        if not future.set_running_or_notify_cancel():
            return
        try:
            value = work()
        except BaseException as error:  # noqa: BLE001 - raised where the result is asked for
            self._failed(future, error)
        else:
            future.set_result(value)

    async def _arun(self, future: TaskFuture[Any], work: Callable[[], Coroutine[Any, Any, object]]) -> None:
        if self._gate is not None:
            async with self._gate:
                await self._run_now(future, work)
        else:
            await self._run_now(future, work)

    async def _run_now(self, future: TaskFuture[Any], work: Callable[[], Coroutine[Any, Any, object]]) -> None:
        if not future.set_running_or_notify_cancel():
            return
        try:
            value = await work()
        except BaseException as error:  # noqa: BLE001 - raised where the result is asked for
            self._failed(future, error)
        else:
            future.set_result(value)

    def _failed(self, future: TaskFuture[Any], error: BaseException) -> None:
        if isinstance(error, GraphInterrupt):
            if error.questions is None:
                error = RunError(f"Task {future.name!r} raised GraphInterrupt by hand.", hint="Call interrupt(value) instead.")
            elif not self.watched:
                # Nobody waits for what this body leaves behind: if it goes on without looking, that is an error.
                self.scope.questions = cast("tuple[Question, ...]", error.questions)
        future.set_exception(error)


def crew_of(scope: Scope) -> Crew:
    """Return the crew of a scope; each attempt has one of its own."""
    place = PLACE + scope.prefix
    found = scope.memos.get(place)
    before = found if isinstance(found, Crew) else None
    if before is not None and before.scope is scope and before.attempt == scope.attempt:
        return before
    made = Crew(scope, before)
    scope.remember(place, made)
    return made


def _is_cancellation(error: BaseException) -> bool:
    if running_loop() is None:
        return False
    import asyncio  # noqa: PLC0415 - a loop is running

    return isinstance(error, asyncio.CancelledError)
