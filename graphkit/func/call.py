"""One call of a task: who it is, what it remembers, and how it runs.

A call is known by the name of its task and its number among the calls of that task in the same body. It runs in a branch
of the body's scope, so that what it asks and remembers does not depend on what runs beside it. Its result is stored as
soon as it is there, together with a digest of the arguments: a rerun that calls with other arguments is refused.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar, cast

from graphkit.core.command import ROOT
from graphkit.core.events import NodeFinished
from graphkit.core.policy import retry_delay
from graphkit.errors import InterruptMismatchError, OutsideRunError, UnserializableValueError
from graphkit.func.body import aperform, body, limited, perform
from graphkit.func.crew import crew_of
from graphkit.func.future import TaskFuture, running_loop
from graphkit.scope import current, entered, once

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from graphkit.func.body import Steps
    from graphkit.func.crew import Crew
    from graphkit.func.task import Task
    from graphkit.scope import Scope
    from graphkit.serde import Codec

R = TypeVar("R")

RESULT = "result"


def begin(task: Task[Any, R], args: tuple[object, ...], kwargs: Mapping[str, object]) -> TaskFuture[R]:
    """Begin a call of a task; if it has ended before, take its result.

    Raises:
        OutsideRunError: No entrypoint and no node is running.
        InterruptMismatchError: The call has ended before with other arguments.
    """
    scope = current()
    if scope is None:
        raise OutsideRunError(
            f"Task {task.name!r} was called outside of a running entrypoint or node.", hint="Call it in an @entrypoint function."
        )
    crew, name = crew_of(scope), _next_name(scope, task.name)
    call = Call(task, args, kwargs, crew.scope_of(name), _digest_of(task, scope, args, kwargs))
    future: TaskFuture[R] = TaskFuture(crew, name)
    known = call.remembered()
    if known is None:
        _start(crew, future, call)
    else:
        if known[0] != call.digest:
            raise _mismatch(task, scope, name)
        crew.remember(future, call.decoded(known[1]))
    return future


def _start(crew: Crew, future: TaskFuture[Any], call: Call) -> None:
    if not call.task.is_async:
        crew.begin(future, call.run)
    elif running_loop() is not None:
        crew.abegin(future, call.arun)
    else:
        crew.begin(future, call.run_in_loop)


class Call:
    """A call of a task.

    Args:
        task: The task.
        args: Its arguments.
        kwargs: Those given by name.
        scope: Its branch.
        digest: Of the arguments; None without a checkpointer.
    """

    def __init__(
        self, task: Task[Any, Any], args: tuple[object, ...], kwargs: Mapping[str, object], scope: Scope, digest: str | None
    ) -> None:
        self.task = task
        self.args = args
        self.kwargs = kwargs
        self.scope = scope
        self.digest = digest
        self.value: object = None

    def remembered(self) -> tuple[str | None, object] | None:
        """Return (digest of the arguments, record of the result) of a call that has ended; None if it has not."""
        key = self.scope.prefix + RESULT
        memos = self.scope.task.memos if key in self.scope.task.memos else self.scope.memos
        return cast("tuple[str | None, object] | None", memos.get(key))

    def decoded(self, record: object) -> object:
        """Return the result a record stands for."""
        hold = self.scope.run.hold
        return hold.codec.decode(cast("bytes", record)) if hold is not None else record

    def run(self) -> object:
        """Run to the end in this thread; what it returns is stored before."""
        with entered(self.scope):
            once(RESULT, self._run)
        return self._told()

    async def arun(self) -> object:
        """As ``run``, in this event loop."""
        with entered(self.scope):
            await once(RESULT, self._arun)
        return self._told()

    def run_in_loop(self) -> object:
        """As ``run``, for a coroutine function that sync code calls."""
        import asyncio  # noqa: PLC0415 - only async code needs it

        return asyncio.run(self.arun())

    def _run(self) -> tuple[str | None, object]:
        return self._kept(perform(self._attempts(asynchronous=False)))

    async def _arun(self) -> tuple[str | None, object]:
        return self._kept(await aperform(self._attempts(asynchronous=True)))

    def _attempts(self, *, asynchronous: bool) -> Steps:
        """Run the function, again if its policies say so."""
        attempts = 1
        while True:
            try:
                with entered(self.scope):
                    return (yield from body(self.scope, self._function(), asynchronous=asynchronous))
            except Exception as error:
                import random  # noqa: PLC0415 - only failures need it

                delay = retry_delay(self.task.retries, error, attempts, random.random())  # noqa: S311 - spreads attempts, protects nothing
                if delay is None:
                    raise
            yield partial(_sleep(asynchronous=asynchronous), delay)
            attempts += 1
            self.scope.restart()

    def _function(self) -> Callable[[], object]:
        given = partial(self.task.function, *self.args, **self.task.services_for(self.scope, self.args, self.kwargs), **self.kwargs)
        if self.task.timeout is None:
            return given
        return partial(limited, given, self.task.timeout, f"Task {self.task.name!r}")

    def _kept(self, value: object) -> tuple[str | None, object]:
        self.value = value
        hold = self.scope.run.hold
        if hold is None:
            return (None, value)
        try:
            return (self.digest, hold.codec.encode(value))
        except UnserializableValueError as error:
            raise type(error)(f"The result of task {self.task.name!r}: {error.message}", hint=error.hint, **error.facts) from error

    def _told(self) -> object:
        """Tell the stream what the task returned, as a node's update is told."""
        run = self.scope.run
        if run.emit is not None:
            run.emit(NodeFinished(run.namespace, self.task.name, ((ROOT, self.value),)))
        return self.value


def _next_name(scope: Scope, task: str) -> str:
    """Return the identity of the next call. The key that counts has a bar in it, as no node and so no subgraph call has."""
    key = f"|{task}"
    number = scope.calls.get(key, 0)
    scope.calls = {**scope.calls, key: number + 1}
    return f"@{task}:{number}"


def _mismatch(task: Task[Any, Any], scope: Scope, name: str) -> InterruptMismatchError:
    return InterruptMismatchError(
        f"Task {task.name!r} is called with other arguments than when it ran; its result stands for those ({name!r}).",
        hint="What a rerun passes to a task may depend only on the input, on answers and on results of tasks.",
        node=scope.task.node,
        task=task.name,
        call=scope.prefix + name,
    )


def _digest_of(task: Task[Any, Any], scope: Scope, args: tuple[object, ...], kwargs: Mapping[str, object]) -> str | None:
    """Return a digest of the arguments. Of those that cannot be stored, such as a client, only the class counts."""
    if scope.run.hold is None:
        return None
    codec = scope.run.hold.codec
    task.teach(codec)
    given = [*args, *[[name, kwargs[name]] for name in sorted(kwargs)]]
    try:
        return codec.digest(given)
    except UnserializableValueError:
        return codec.digest([_stand_in(codec, value) for value in given])


def _stand_in(codec: Codec, value: object) -> str:
    try:
        return codec.digest(value)
    except UnserializableValueError:
        return f"{type(value).__module__}.{type(value).__qualname__}"


def _sleep(*, asynchronous: bool) -> Callable[[float], object]:
    if asynchronous:
        from asyncio import sleep  # noqa: PLC0415 - only async code needs it

        return sleep
    from time import sleep as block  # noqa: PLC0415 - only failures need it

    return block
