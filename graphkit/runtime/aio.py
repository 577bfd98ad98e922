"""The async driver: carries out a program's effects in an event loop. Sync nodes run in threads.

A superstep of one async node is awaited inline, without a task of its own. Tasks that run side by side are asyncio
tasks; they and everything a node emits meet in one mailbox.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from contextlib import suppress
from contextvars import copy_context
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar, assert_never

from graphkit.core.effects import CheckAnswers, Commit, Emit, History, Load, Rehearse, Run, Start, Wait
from graphkit.errors import MissingCheckpointerError, StorageError
from graphkit.runtime.answers import check_answers
from graphkit.runtime.node import aperform
from graphkit.runtime.pool import Pool
from graphkit.runtime.writer import Writer

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence

    from graphkit.core.effects import Effect, Program
    from graphkit.core.events import Event
    from graphkit.core.graph import GraphSpec
    from graphkit.core.task import Outcome, Task
    from graphkit.scope import RunScope
    from graphkit.storage import Hold, Prepared

R = TypeVar("R")

Letter: TypeAlias = "tuple[Task, Outcome | BaseException] | Event"


class Result:
    """The last item a driven program yields: its result (async generators cannot return one)."""

    __slots__ = ("value",)

    def __init__(self, value: object) -> None:
        self.value = value


async def drive(program: Program[R], spec: GraphSpec, run: RunScope, *, live: bool = False) -> AsyncGenerator[Event | Result, None]:
    """Carry out a program; yield its events, then its Result. As ``threads.drive``."""
    driver = AsyncDriver(spec, run, live=live)
    try:
        while True:
            letter = await driver.advance(program)
            yield letter
            if type(letter) is Result:
                return
    finally:
        program.close()
        await driver.close()


async def result_of(program: Program[R], spec: GraphSpec, run: RunScope) -> R:
    """Drive a program to its end and return its result; events of a subgraph go to the parent's stream."""
    driver = AsyncDriver(spec, run)
    try:
        while True:
            letter = await driver.advance(program)
            if isinstance(letter, Result):
                result: R = letter.value  # type: ignore[assignment]
                return result
            if run.emit is not None:
                run.emit(letter)
    finally:
        program.close()
        await driver.close()


class Mailbox:
    """A queue that any thread may post to and one coroutine reads."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self._letters: deque[Letter] = deque()
        self._reader: asyncio.Future[None] | None = None

    def post(self, letter: Letter) -> None:
        """Deliver a letter and wake the reader."""
        if threading.get_ident() == self._thread:
            self._deliver(letter)
        else:
            _soon(self._loop, self._deliver, letter)

    def __bool__(self) -> bool:
        return bool(self._letters)

    async def get(self) -> Letter:
        """Return the oldest letter, waiting for one."""
        while not self._letters:
            self._reader = self._loop.create_future()
            try:
                await self._reader
            finally:
                self._reader = None
        return self._letters.popleft()

    def _deliver(self, letter: Letter) -> None:
        self._letters.append(letter)
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)


class Crew:
    """The tasks of one program that run side by side, and the mailbox in which they and their events meet.

    Args:
        perform: Runs a task to its end.
    """

    def __init__(self, perform: Callable[[Task], Awaitable[Outcome]]) -> None:
        self._perform = perform
        self._flying: set[asyncio.Task[None]] = set()
        self._queued: deque[Task] = deque()
        self._expected = 0
        self._limit = 0
        self._ended: list[tuple[Task, Outcome]] = []
        self.mailbox = Mailbox()

    def start(self, tasks: Sequence[Task], limit: int | None) -> None:
        """Start tasks, ``limit`` at a time."""
        self._limit = limit or len(tasks)
        self._queued.extend(tasks)
        self._expected += len(tasks)
        self._fill()

    def hold_back(self) -> None:
        """Leave out the tasks that have not begun."""
        self._expected -= len(self._queued)
        self._queued.clear()

    async def event(self) -> Event | None:
        """Return the next event; None as soon as a task has ended, or nothing runs any more, and no letter is left."""
        while (self._expected and not self._ended) or self.mailbox:
            letter = await self.mailbox.get()
            if not isinstance(letter, tuple):
                return letter
            self._expected -= 1
            task, outcome = letter
            if isinstance(outcome, BaseException):
                raise outcome
            self._ended.append((task, outcome))
        return None

    def ended(self) -> list[tuple[Task, Outcome]]:
        """Return the tasks that have ended since the last call."""
        ended, self._ended = self._ended, []
        return ended

    async def close(self) -> None:
        """Cancel what runs and wait for it."""
        self._queued.clear()
        for flying in self._flying:
            flying.cancel()
        if self._flying:
            await asyncio.gather(*self._flying, return_exceptions=True)

    def _fill(self) -> None:
        while self._queued and len(self._flying) < self._limit:
            flying = asyncio.get_running_loop().create_task(self._work(self._queued.popleft()))
            self._flying.add(flying)
            flying.add_done_callback(self._landed)

    def _landed(self, flying: asyncio.Task[None]) -> None:
        self._flying.discard(flying)
        self._fill()

    async def _work(self, task: Task) -> None:
        try:
            self.mailbox.post((task, await self._perform(task)))
        except BaseException as error:
            self.mailbox.post((task, error))
            raise


class AsyncDriver:
    """The hands of one program.

    Args:
        spec: The graph whose nodes the program runs.
        run: Its scope; ``emit`` is set here when ``live``.
        live: As for ``drive``.
    """

    __slots__ = ("_began", "_crew", "_live", "_pool", "_run", "_spec", "_waiting", "_writer")

    def __init__(self, spec: GraphSpec, run: RunScope, *, live: bool = False) -> None:
        self._spec = spec
        self._run = run
        self._live = live
        self._began: float | None = None
        self._waiting: Run | Wait | None = None
        self._pool: Pool | None = None
        self._crew: Crew | None = None
        self._writer: Writer | None = None
        if live:
            run.emit = self._together().mailbox.post

    async def advance(self, program: Program[object]) -> Event | Result:
        """Carry out the program's effects up to its next event, or to its end.

        A coroutine and not a generator: most runs have no reader, and each of them would pay for being one.
        """
        try:
            effect: Effect = self._waiting or program.send(None)
            while True:
                try:
                    kind = type(effect)
                    if kind is Run and not self._live:
                        reply: object = await aperform(self._spec, self._run, effect.task, self.in_thread)  # type: ignore[union-attr]
                    elif kind is Commit:
                        reply = await self._commit(effect)  # type: ignore[arg-type, func-returns-value]
                    elif kind is Emit:
                        return effect.event  # type: ignore[union-attr]
                    elif kind is Run or kind is Wait:
                        event = await self._event(effect)  # type: ignore[arg-type]
                        if event is not None:
                            return event
                        ended = self._together().ended()
                        reply = ended[0][1] if kind is Run else ended
                    else:
                        reply = await self.carry_out(effect)
                except GeneratorExit:
                    raise
                except BaseException as error:  # noqa: BLE001 - the program decides
                    self._waiting = None
                    effect = program.throw(error)
                else:
                    effect = program.send(reply)
        except StopIteration as end:
            return Result(end.value)

    async def carry_out(self, effect: Effect) -> object:
        """Carry out an effect of the rarer kinds."""
        match effect:
            case Load():
                return await self._hold.aload(self._run.namespace, effect.checkpoint_id)
            case History():
                return await self._hold.ahistory(self._run.namespace, effect)
            case Start():
                self._began = monotonic()
                self._together().start(effect.tasks, effect.limit)
            case Rehearse():
                self._hold.prepare(self._run.namespace, effect.commit)
            case CheckAnswers():
                check_answers(effect.answers)
            case Commit() | Run() | Wait() | Emit():
                raise AssertionError(effect)
            case _:
                assert_never(effect)
        return None

    def in_thread(self, function: Callable[[], object]) -> asyncio.Future[object]:
        """Call a function in a thread, in a copy of the current context."""
        if self._pool is None:
            self._pool = Pool(None)
        future: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        self._pool.start([partial(copy_context().run, _call, function, future)])
        return future

    async def close(self) -> None:
        """Leave nothing behind: cancel what runs and wait for it, finish the commit under way, give the thread back."""
        if self._crew is not None:
            await self._crew.close()
        if self._writer is not None:
            with suppress(StorageError):
                await self._settle(self._writer)
        hold = self._run.hold
        if hold is not None and not self._run.path and hold.held:
            await hold.arelease("error")

    @property
    def _hold(self) -> Hold:
        if self._run.hold is None:
            raise MissingCheckpointerError("This needs a checkpointer, but the graph has none.", hint="Compile with checkpointer=...")
        return self._run.hold

    def _together(self) -> Crew:
        """Return the crew of what runs side by side; a run of single tasks that nobody watches needs none."""
        if self._crew is None:
            spec, run, in_thread = self._spec, self._run, self.in_thread
            self._crew = Crew(lambda task: aperform(spec, run, task, in_thread, self._began))
        return self._crew

    async def _event(self, effect: Run | Wait) -> Event | None:
        """Return the next event while tasks run; None when the effect's reply is there. A Run is started first."""
        crew = self._together()
        if self._waiting is None:
            if isinstance(effect, Run):
                self._began = None
                crew.start((effect.task,), None)
            elif effect.stop:
                crew.hold_back()
        self._waiting = effect
        event = await crew.event()
        if event is None:
            self._waiting = None
        return event

    def _commit(self, commit: Commit) -> Awaitable[None]:
        prepared = self._hold.prepare(self._run.namespace, commit)
        if commit.wait and self._writer is None:
            return self._hold.awrite(prepared)
        return self._after_the_last(prepared, wait=commit.wait)

    async def _after_the_last(self, prepared: Prepared, *, wait: bool) -> None:
        """Write when the commit under way has landed; at once or in the background."""
        if self._writer is None:
            self._writer = Writer(self._hold)
            self._run.settle = self._writer.wait
        else:
            await self._settle(self._writer)
        if wait:
            await self._hold.awrite(prepared)
        else:
            self._writer.write(prepared)

    async def _settle(self, writer: Writer) -> None:
        landed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        writer.then(lambda: _wake(landed))
        await landed
        writer.wait()


def _call(function: Callable[[], object], future: asyncio.Future[object]) -> None:
    """Call a function in a thread and tell the loop what came of it."""
    try:
        result = function()
    except StopIteration as error:
        wrapped = RuntimeError(f"A node raised {error!r}, which ends an iteration and not a node.")
        wrapped.__cause__ = error
        _soon(future.get_loop(), _settle_future, future, None, wrapped)
    except BaseException as error:  # noqa: BLE001 - raised where it is awaited
        _soon(future.get_loop(), _settle_future, future, None, error)
    else:
        _soon(future.get_loop(), _settle_future, future, result, None)


def _soon(loop: asyncio.AbstractEventLoop, callback: Callable[..., None], *args: object) -> None:
    """Call back in a loop from any thread; a loop that has been closed has no reader any more."""
    try:
        loop.call_soon_threadsafe(callback, *args)
    except RuntimeError:
        if not loop.is_closed():
            raise


def _wake(future: asyncio.Future[None]) -> None:
    """Resolve a future from any thread."""
    _soon(future.get_loop(), _settle_future, future, None, None)


def _settle_future(future: asyncio.Future[Any], result: object, error: BaseException | None) -> None:
    if future.done():
        return
    if error is None:
        future.set_result(result)
    else:
        future.set_exception(error)
