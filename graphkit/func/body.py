"""The order in which a body of code runs: a task's function or an entrypoint's, with everything that it calls.

Written once, as generators: they yield what is to be called, and ``perform`` (sync) or ``aperform`` (async) calls it.
"""

from __future__ import annotations

from inspect import isawaitable
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from graphkit.errors import GraphInterrupt, ParentCommand
from graphkit.func.crew import crew_of
from graphkit.scope import raise_all

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Generator

    from graphkit.scope import Scope

    Steps: TypeAlias = Generator[Callable[[], object], Any, Any]

R = TypeVar("R")


def perform(steps: Steps) -> object:
    """Make the calls in this thread; return the result of the steps."""
    try:
        step = next(steps)
        while True:
            try:
                reply = step()
            except BaseException as error:  # noqa: BLE001 - the steps decide
                step = steps.throw(error)
            else:
                step = steps.send(reply)
    except StopIteration as end:
        return end.value


async def aperform(steps: Steps) -> object:
    """Make the calls in this event loop and await what can be awaited."""
    try:
        step = next(steps)
        while True:
            try:
                reply = step()
                if isawaitable(reply):
                    reply = await reply
            except GeneratorExit:
                steps.close()
                raise
            except BaseException as error:  # noqa: BLE001 - the steps decide
                step = steps.throw(error)
            else:
                step = steps.send(reply)
    except StopIteration as end:
        return end.value


def body(scope: Scope, start: Callable[[], object], *, asynchronous: bool) -> Steps:
    """Run a body; it ends when everything that it called has ended.

    Raises:
        BaseException: What the body raised, or a task whose result it did not ask for.
        GraphInterrupt: The questions of the body and of its tasks.
    """
    crew = crew_of(scope)
    crew.watched = True
    wait = crew.awaited if asynchronous else crew.wait
    try:
        value = yield start
    except GraphInterrupt as pause:
        yield wait
        if pause.questions is None:
            raise
        raise_all(crew.paused(pause))
    except (Exception, ParentCommand):
        yield wait
        raise
    except GeneratorExit:
        crew.drop()
        raise
    except BaseException:
        yield crew.adrop if asynchronous else crew.drop
        raise
    yield wait
    crew.settle()
    return value


async def limited(start: Callable[[], Coroutine[Any, Any, R]], seconds: float, what: str) -> R:
    """Await a coroutine for so many seconds at most.

    Raises:
        TimeoutError: It took longer and was cancelled.
    """
    import asyncio  # noqa: PLC0415 - only async code needs it

    limit = asyncio.timeout(seconds)
    try:
        async with limit:
            return await start()
    except TimeoutError as error:
        if limit.expired():
            raise TimeoutError(f"{what} took longer than {seconds} s and was cancelled.") from error
        raise
