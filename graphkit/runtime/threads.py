"""The sync driver: carries out a program's effects in the calling thread, and side by side in threads.

A superstep of one task runs inline. Tasks that run side by side put their outcomes into one mailbox, and so does
everything a node emits while somebody reads the stream live.
"""

from __future__ import annotations

from contextlib import suppress
from contextvars import copy_context
from functools import partial
from queue import SimpleQueue
from time import monotonic
from typing import TYPE_CHECKING, TypeAlias, TypeVar, assert_never

from graphkit.core.effects import CheckAnswers, Commit, Emit, History, Load, Rehearse, Run, Start, Wait
from graphkit.errors import MissingCheckpointerError, StorageError
from graphkit.runtime.answers import check_answers
from graphkit.runtime.node import perform
from graphkit.runtime.pool import Pool
from graphkit.runtime.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from graphkit.core.effects import Effect, Program
    from graphkit.core.events import Event
    from graphkit.core.graph import GraphSpec
    from graphkit.core.task import Outcome, Task
    from graphkit.scope import RunScope
    from graphkit.storage import Hold

R = TypeVar("R")

Letter: TypeAlias = "tuple[Task, Outcome | BaseException] | Event"


def drive(program: Program[R], spec: GraphSpec, run: RunScope, *, live: bool = False) -> Generator[Event, None, R]:
    """Carry out a program; yield its events, return its result.

    Args:
        program: From ``core``.
        spec: The graph whose nodes the program runs.
        run: Its scope; ``emit`` is set here when ``live``.
        live: Whether events emitted inside nodes are to be seen while the nodes run.

    Raises:
        BaseException: What the program raises. The thread has been given back by then.
    """
    driver = ThreadDriver(spec, run)
    if live:
        run.emit = driver.mailbox.put
    try:
        effect = next(program)
        while True:
            try:
                if type(effect) is Run and not live:
                    reply: object = perform(spec, run, effect.task)
                elif type(effect) is Emit:
                    reply = None
                    yield effect.event
                elif type(effect) is Run or type(effect) is Wait:
                    ended = yield from driver.wait(effect)
                    reply = ended[0][1] if type(effect) is Run else ended
                else:
                    reply = driver.carry_out(effect)
            except GeneratorExit:
                raise
            except BaseException as error:  # noqa: BLE001 - the program decides
                effect = program.throw(error)
            else:
                effect = program.send(reply)
    except StopIteration as end:
        result: R = end.value
        return result
    finally:
        program.close()
        driver.close()


class ThreadDriver:
    """The hands of one program."""

    def __init__(self, spec: GraphSpec, run: RunScope) -> None:
        self._spec = spec
        self._run = run
        self._pool: Pool | None = None
        self._expected = 0
        self._writer: Writer | None = None
        self.mailbox: SimpleQueue[Letter] = SimpleQueue()

    def carry_out(self, effect: Effect) -> object:
        """Carry out an effect that no event can interrupt."""
        match effect:
            case Commit():
                self._commit(effect)
            case Load():
                return self._hold.load(self._run.namespace, effect.checkpoint_id)
            case History():
                return self._hold.history(self._run.namespace, effect)
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
        """Start tasks in threads, each in a copy of the caller's context."""
        if self._pool is None or self._pool.limit != limit:
            self._pool = Pool(limit)
        self._expected += len(tasks)
        began = monotonic()
        self._pool.start([partial(copy_context().run, self._work, task, began) for task in tasks])

    def wait(self, effect: Run | Wait) -> Generator[Event, None, list[tuple[Task, Outcome]]]:
        """Yield events until at least one task has ended, then return all that have. A Run is started first."""
        if isinstance(effect, Run):
            self.start((effect.task,), None)
        elif effect.stop and self._pool is not None:
            self._expected -= self._pool.cancel()
        ended: list[tuple[Task, Outcome]] = []
        while (self._expected and not ended) or not self.mailbox.empty():
            letter = self.mailbox.get()
            if not isinstance(letter, tuple):
                yield letter
                continue
            self._expected -= 1
            task, outcome = letter
            if isinstance(outcome, BaseException):
                raise outcome
            ended.append((task, outcome))
        return ended

    def close(self) -> None:
        """Leave nothing behind: forget what has not begun, finish the commit under way, give the thread back."""
        if self._pool is not None:
            self._pool.cancel()
        with suppress(StorageError):
            self._settle()
        hold = self._run.hold
        if hold is not None and not self._run.path and hold.held:
            hold.release("error")

    @property
    def _hold(self) -> Hold:
        if self._run.hold is None:
            raise MissingCheckpointerError("This needs a checkpointer, but the graph has none.", hint="Compile with checkpointer=...")
        return self._run.hold

    def _work(self, task: Task, began: float) -> None:
        try:
            self.mailbox.put((task, perform(self._spec, self._run, task, began)))
        except BaseException as error:  # noqa: BLE001 - KeyboardInterrupt and the like belong to the caller's thread
            self.mailbox.put((task, error))

    def _commit(self, commit: Commit) -> None:
        prepared = self._hold.prepare(self._run.namespace, commit)
        self._settle()
        if commit.wait:
            self._hold.write(prepared)
            return
        if self._writer is None:
            self._writer = Writer(self._hold)
            self._run.settle = self._writer.wait
        self._writer.write(prepared)

    def _settle(self) -> None:
        if self._writer is not None:
            self._writer.wait()
