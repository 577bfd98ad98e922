"""One node run under its policies: taken from the cache, tried again, given up when it takes too long, left to a handler.

Nodes without policies never come here. Each attempt has a scope of its own, so that what an attempt does after it was
given up cannot touch the next one.
"""

from __future__ import annotations

from functools import partial
from time import monotonic, time
from typing import TYPE_CHECKING, cast

from graphkit.core.failure import handed_over
from graphkit.core.policy import retry_delay
from graphkit.core.record import replace
from graphkit.core.task import Failed
from graphkit.errors import NodeTimeoutError, UnserializableValueError
from graphkit.runtime.action import NO_SERVICES
from graphkit.runtime.caching import cached
from graphkit.runtime.watch import Watch, watched
from graphkit.scope import Scope, enter, leave
from graphkit.scope.services import AttemptRun

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    from graphkit.core.events import Event
    from graphkit.core.graph import GraphSpec
    from graphkit.core.task import Outcome
    from graphkit.runtime.action import Action, Calls
    from graphkit.scope import RunScope

    Run: TypeAlias = Callable[[], Calls]

    Through: TypeAlias = Callable[[Action, Scope], Calls]
    """Runs a node and its routers once."""


def governed(spec: GraphSpec, through: Through, scope: Scope, *, asynchronous: bool, began: float | None) -> Calls:
    """Run a node as its policies want.

    Args:
        spec: Its graph.
        through: Runs it once.
        scope: Of the task; each attempt gets one of its own.
        asynchronous: Whether calls may be awaited.
        began: When the superstep began; None for now.
    """
    action = cast("Action", spec.nodes[scope.task.node].action)
    run: Run = partial(_attempts, through, action, scope, asynchronous=asynchronous, began=began)
    outcome: Outcome = yield from run() if action.cached is None else cached(spec, run, scope.task, asynchronous=asynchronous)
    if action.handler and isinstance(outcome, Failed):
        return handed_over(scope.task, outcome, action.handler, storable=_is_storable(scope, outcome.error))
    return outcome


def _attempts(through: Through, action: Action, scope: Scope, *, asynchronous: bool, began: float | None) -> Calls:
    """Run a node, and again after a failure as long as its policies want that and its superstep has time."""
    first = time()
    step = (monotonic() if began is None else began, action.step_timeout) if action.step_timeout is not None else None
    while True:
        outcome = yield from _attempt(through, action, scope, step, first, asynchronous=asynchronous)
        delay = _delay(action, outcome, scope.attempt)
        if delay is None:
            return outcome
        yield _sleep(asynchronous=asynchronous), (delay if step is None else max(min(delay, sum(step) - monotonic()), 0.0),), NO_SERVICES
        scope.attempt += 1


def _attempt(
    through: Through, action: Action, scope: Scope, step: tuple[float, float] | None, first: float, *, asynchronous: bool
) -> Calls:
    """Run a node one time; what it remembered is kept."""
    limits = scope.task.trigger.timeout or action.timeout
    watch = Watch(scope.task.node, limits, step) if limits is not None or step is not None else None
    made = Scope(_run_of_attempt(scope.run, first, watch), scope.task)
    made.attempt, made.memos = scope.attempt, scope.memos
    token = enter(made)
    try:
        outcome: Outcome = yield from through(action if watch is None else _limited(action, watch, asynchronous=asynchronous), made)
    finally:
        leave(token)
        scope.memos = made.memos
    return outcome


def _is_storable(scope: Scope, error: BaseException | None) -> bool:
    if scope.run.hold is None:
        return False
    try:
        scope.run.hold.codec.encode(error)
    except UnserializableValueError:
        return False
    return True


def _delay(action: Action, outcome: Outcome, attempts: int) -> float | None:
    """Return the seconds to wait before the next attempt; None if there is to be none."""
    if not isinstance(outcome, Failed):
        return None
    if isinstance(outcome.error, NodeTimeoutError) and outcome.error.kind == "step":
        return None
    import random  # noqa: PLC0415 - only failures need it

    return retry_delay(action.retries, outcome.error, attempts, random.random())  # noqa: S311 - spreads attempts, protects nothing


def _sleep(*, asynchronous: bool) -> Callable[[float], object]:
    if asynchronous:
        from asyncio import sleep  # noqa: PLC0415 - loaded by the driver

        return sleep
    from time import sleep as block  # noqa: PLC0415 - only failures need it

    return block


def _run_of_attempt(run: RunScope, first: float, watch: Watch | None) -> RunScope:
    """Return the scope of the run as one attempt sees it: through the watch, if there is one."""
    made = AttemptRun(*[getattr(run, name) for name in type(run).__match_args__])
    made.first_attempt_time = first
    made.settle = partial(_settle, run, watch)
    if watch is not None:
        made.beat = watch.beat
        made.emit = partial(_emit, run, watch)
        made.hold = watched(run.hold, watch) if run.hold is not None else None
    return made


def _settle(run: RunScope, watch: Watch | None) -> None:
    """Wait for the commit under way, also for one that the driver has begun since the attempt began."""
    if watch is not None:
        with watch.part_of_it("remember something"):
            pass
    if run.settle is not None:
        run.settle()


def _emit(run: RunScope, watch: Watch, event: Event) -> None:
    with watch.part_of_it("stream something"):
        if run.emit is not None:
            run.emit(event)


def _limited(action: Action, watch: Watch, *, asynchronous: bool) -> Action:
    """Return an action whose function is waited for as long as the watch allows."""
    function, coroutine = action.function, action.coroutine
    if not asynchronous and function is not None:
        return replace(action, function=partial(_call, watch, function))
    if coroutine is not None:
        return replace(action, coroutine=partial(_acall, watch, coroutine))
    return replace(action, coroutine=partial(_call_in_thread, watch, function)) if function is not None else action


def _call(watch: Watch, function: Callable[..., object], /, *args: object, **kwargs: object) -> object:
    return watch.call(function, args, kwargs)


async def _acall(watch: Watch, coroutine: Callable[..., object], /, *args: object, **kwargs: object) -> object:
    return await watch.acall(coroutine, args, kwargs)


async def _call_in_thread(watch: Watch, function: Callable[..., object], /, *args: object, **kwargs: object) -> object:
    """Wait in a thread for a sync node whose routers need the event loop."""
    import asyncio  # noqa: PLC0415 - only the async driver comes here

    return await asyncio.to_thread(_without_end, watch, function, args, kwargs)


def _without_end(watch: Watch, function: Callable[..., object], args: tuple[object, ...], kwargs: dict[str, object]) -> object:
    try:
        return watch.call(function, args, kwargs)
    except StopIteration as error:
        raise RuntimeError(f"A node raised {error!r}, which ends an iteration and not a node.") from error
