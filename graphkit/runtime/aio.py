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
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar, assert_never

from graphkit.core.effects import CheckAnswers, Commit, Emit, History, Load, Rehearse, Run, Start, Wait
from graphkit.errors import MissingCheckpointerError, StorageError
from graphkit.runtime.answers import check_answers
from graphkit.runtime.node import aperform
from graphkit.runtime.pool import Pool
from graphkit.runtime.writer import Writer

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Sequence

    from graphkit.core.effects import Effect, Program
    from graphkit.core.events import Event
    from graphkit.core.graph import GraphSpec
    from graphkit.core.task import Outcome, Task
    from graphkit.scope import RunScope
    from graphkit.storage import Hold

R = TypeVar("R")

Letter: TypeAlias = "tuple[Task, Outcome | BaseException] | Event"


class Result:
    """The last item a driven program yields: its result (async generators cannot return one)."""

    __slots__ = ("value",)

    def __init__(self, value: object) -> None:
        self.value = value


async def drive(program: Program[R], spec: GraphSpec, run: RunScope, *, live: bool = False) -> AsyncGenerator[Event | Result, None]:
    """Carry out a program; yield its events, then its Result. As ``threads.drive``."""
    driver = AsyncDriver(spec, run)
    if live:
        run.emit = driver.mailbox.post
    try:
        effect = next(program)
        while True:
            try:
                if type(effect) is Run and not live:
                    reply: object = await aperform(spec, run, effect.task, driver.in_thread)
                elif type(effect) is Emit:
                    reply = None
                    yield effect.event
                elif type(effect) is Run or type(effect) is Wait:
                    ended: list[tuple[Task, Outcome]] = []
                    async for letter in driver.wait(effect, ended):
                        yield letter
                    reply = ended[0][1] if type(effect) is Run else ended
                else:
                    reply = await driver.carry_out(effect)
            except GeneratorExit:
                raise
            except BaseException as error:  # noqa: BLE001 - the program decides
                effect = program.throw(error)
            else:
                effect = program.send(reply)
    except StopIteration as end:
        yield Result(end.value)
    finally:
        program.close()
        await driver.close()


async def result_of(program: Program[R], spec: GraphSpec, run: RunScope) -> R:
    """Drive a program to its end and return its result; events of a subgraph go to the parent's stream."""
    events = drive(program, spec, run)
    try:
        async for event in events:
            if isinstance(event, Result):
                result: R = event.value  # type: ignore[assignment]
                return result
            if run.emit is not None:
                run.emit(event)
    finally:
        await events.aclose()
    raise AssertionError("A driven program ends with its Result.")


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


class AsyncDriver:
    """The hands of one program."""

    def __init__(self, spec: GraphSpec, run: RunScope) -> None:
        self._spec = spec
        self._run = run
        self._loop = asyncio.get_running_loop()
        self._pool: Pool | None = None
        self._flying: set[asyncio.Task[None]] = set()
        self._queued: deque[Task] = deque()
        self._expected = 0
        self._limit = 0
        self._writer: Writer | None = None
        self.mailbox = Mailbox()

    async def carry_out(self, effect: Effect) -> object:
        """Carry out an effect that no event can interrupt."""
        match effect:
            case Load():
                return await self._hold.aload(self._run.namespace, effect.checkpoint_id)
            case History():
                return await self._hold.ahistory(self._run.namespace, effect)
            case Commit():
                await self._commit(effect)
            case Start():
                self.start(effect.tasks, effect.limit)
            case Rehearse():
                self._hold.prepare(self._run.namespace, effect.commit)
            case CheckAnswers():
                check_answers(effect.answers)
            case Run() | Wait() | Emit():
                raise AssertionError(effect)
            case _:
                assert_never(effect)
        return None

    def start(self, tasks: Sequence[Task], limit: int | None) -> None:
        """Start tasks, ``limit`` at a time."""
        self._limit = limit or len(tasks)
        self._queued.extend(tasks)
        self._expected += len(tasks)
        self._fill()

    async def wait(self, effect: Run | Wait, ended: list[tuple[Task, Outcome]]) -> AsyncGenerator[Event, None]:
        """Yield events until at least one task has ended; put all that have into ``ended``. A Run is started first."""
        if isinstance(effect, Run):
            self.start((effect.task,), None)
        elif effect.stop:
            self._expected -= len(self._queued)
            self._queued.clear()
        while (self._expected and not ended) or self.mailbox:
            letter = await self.mailbox.get()
            if not isinstance(letter, tuple):
                yield letter
                continue
            self._expected -= 1
            task, outcome = letter
            if isinstance(outcome, BaseException):
                raise outcome
            ended.append((task, outcome))

    def in_thread(self, function: Callable[[], object]) -> asyncio.Future[object]:
        """Call a function in a thread, in a copy of the current context."""
        if self._pool is None:
            self._pool = Pool(None)
        future: asyncio.Future[object] = self._loop.create_future()
        self._pool.start([partial(copy_context().run, self._call, function, future)])
        return future

    async def close(self) -> None:
        """Leave nothing behind: cancel what runs and wait for it, finish the commit under way, give the thread back."""
        self._queued.clear()
        for flying in self._flying:
            flying.cancel()
        if self._flying:
            await asyncio.gather(*self._flying, return_exceptions=True)
        with suppress(StorageError):
            await self._settle()
        hold = self._run.hold
        if hold is not None and not self._run.path and hold.held:
            await hold.arelease("error")

    @property
    def _hold(self) -> Hold:
        if self._run.hold is None:
            raise MissingCheckpointerError("This needs a checkpointer, but the graph has none.", hint="Compile with checkpointer=...")
        return self._run.hold

    def _fill(self) -> None:
        while self._queued and len(self._flying) < self._limit:
            task = self._queued.popleft()
            flying = self._loop.create_task(self._work(task))
            self._flying.add(flying)
            flying.add_done_callback(self._landed)

    def _landed(self, flying: asyncio.Task[None]) -> None:
        self._flying.discard(flying)
        self._fill()

    async def _work(self, task: Task) -> None:
        try:
            self.mailbox.post((task, await aperform(self._spec, self._run, task, self.in_thread)))
        except BaseException as error:
            self.mailbox.post((task, error))
            raise

    def _call(self, function: Callable[[], object], future: asyncio.Future[object]) -> None:
        try:
            result = function()
        except StopIteration as error:
            wrapped = RuntimeError(f"A node raised {error!r}, which ends an iteration and not a node.")
            wrapped.__cause__ = error
            _soon(self._loop, _settle_future, future, None, wrapped)
        except BaseException as error:  # noqa: BLE001 - raised where it is awaited
            _soon(self._loop, _settle_future, future, None, error)
        else:
            _soon(self._loop, _settle_future, future, result, None)

    async def _commit(self, commit: Commit) -> None:
        prepared = self._hold.prepare(self._run.namespace, commit)
        await self._settle()
        if commit.wait:
            await self._hold.awrite(prepared)
            return
        if self._writer is None:
            self._writer = Writer(self._hold)
            self._run.settle = self._writer.wait
        self._writer.write(prepared)

    async def _settle(self) -> None:
        if self._writer is not None:
            landed: asyncio.Future[None] = self._loop.create_future()
            self._writer.then(lambda: _wake(landed))
            await landed
            self._writer.wait()


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
