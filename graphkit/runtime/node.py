"""The one place where user code is entered: nodes and routers.

``attempt`` is the order of one node run, written once as a generator: it yields calls, and ``perform`` (sync) or
``aperform`` (async) make them. What the node returned and where its routers point becomes one Outcome.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from inspect import isawaitable
from typing import TYPE_CHECKING, cast

from graphkit.core.apply import merged
from graphkit.core.command import MISSING, Command
from graphkit.core.failure import sent_to_failed
from graphkit.core.task import Done, Failed, Interrupted
from graphkit.errors import GraphInterrupt, InterruptSwallowedError, InvalidUpdateError, ParentCommand, RunError
from graphkit.runtime.action import NO_SERVICES
from graphkit.runtime.result import destinations, outcome_of
from graphkit.scope import Scope, enter, leave

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from graphkit.core.graph import GraphSpec
    from graphkit.core.task import Outcome, Question, Task, Write
    from graphkit.runtime.action import Action, Call, Calls, Router, Service
    from graphkit.scope import RunScope


def perform(spec: GraphSpec, run: RunScope, task: Task, began: float | None = None) -> Outcome:
    """Run a task to its end in this thread; ``began`` says when its superstep did, if that was not just now."""
    scope = Scope(run, task)
    calls = attempt(spec, scope, asynchronous=False, began=began)
    token = enter(scope)
    try:
        function, args, kwargs = next(calls)
        while True:
            try:
                reply = function(*args, **kwargs)
            except (StopIteration, StopAsyncIteration) as error:
                function, args, kwargs = calls.throw(_ended(error, task))
            except BaseException as error:  # noqa: BLE001 - attempt decides what is an outcome and what leaves
                function, args, kwargs = calls.throw(error)
            else:
                function, args, kwargs = calls.send(reply)
    except StopIteration as end:
        outcome: Outcome = end.value
        return outcome
    finally:
        leave(token)


async def aperform(
    spec: GraphSpec, run: RunScope, task: Task, in_thread: Callable[[Callable[[], object]], Awaitable[object]], began: float | None = None
) -> Outcome:
    """Run a task to its end in this event loop; ``began`` as for ``perform``.

    A sync node goes to a thread, together with its routers; a sync router of an async node is called in the loop.
    """
    action = cast("Action", spec.nodes[task.node].action)
    blocking = action.function if action.coroutine is None else None
    if blocking is not None and not action.needs_loop:
        return cast("Outcome", await in_thread(partial(perform, spec, run, task, began)))
    scope = Scope(run, task)
    calls = attempt(spec, scope, asynchronous=True, began=began)
    token = enter(scope)
    try:
        function, args, kwargs = next(calls)
        while True:
            try:
                if function is blocking:
                    reply = await in_thread(partial(function, *args, **kwargs))
                else:
                    reply = function(*args, **kwargs)
                    if isawaitable(reply):
                        reply = await reply
            except (StopIteration, StopAsyncIteration) as error:
                function, args, kwargs = calls.throw(_ended(error, task))
            except BaseException as error:  # noqa: BLE001 - attempt decides what is an outcome and what leaves
                function, args, kwargs = calls.throw(error)
            else:
                function, args, kwargs = calls.send(reply)
    except StopIteration as end:
        outcome: Outcome = end.value
        return outcome
    finally:
        leave(token)


def attempt(spec: GraphSpec, scope: Scope, *, asynchronous: bool, began: float | None = None) -> Calls:
    """Run a node and its routers as its policies say; every Exception becomes a Failed, other BaseExceptions leave."""
    action = cast("Action", spec.nodes[scope.task.node].action)
    if (action.plain and scope.task.trigger.timeout is None) or scope.task.preset is not MISSING:
        return _through(spec, action, scope, asynchronous=asynchronous)
    from graphkit.runtime.attempts import governed  # noqa: PLC0415 - most graphs have no policies

    return governed(spec, partial(_through, spec, asynchronous=asynchronous), scope, asynchronous=asynchronous, began=began)


def _through(spec: GraphSpec, action: Action, scope: Scope, *, asynchronous: bool) -> Calls:
    """Run a node and its routers once; ``action`` is the node's own, or what its policies have made of it."""
    task = scope.task
    try:
        call = _call(action, scope, asynchronous=asynchronous)
        try:
            result = (yield call) if call is not None else _given(task)
        except ParentCommand as command:
            result = _command(command, task)
        if scope.questions:
            raise _swallowed(task)
        if scope.run.debug and call is not None:
            _require_unchanged(task, scope.before, call[1])
        outcome = outcome_of(spec, action, scope, result)
        if action.routers and isinstance(outcome, Done):
            goto, sends = outcome.goto, outcome.sends
            for router in action.routers:
                found = yield _router_call(spec, router, scope, outcome.writes)
                if scope.questions:
                    raise _swallowed(task)
                more_goto, more_sends = destinations(spec, router, task, found)
                goto, sends = goto + more_goto, sends + more_sends
            return Done(outcome.writes, goto, sends, outcome.children)
    except GraphInterrupt as pause:
        return _interrupted(pause, task)
    except Exception as error:  # noqa: BLE001 - user code may raise anything
        return Failed.of(error)
    else:
        return outcome


def _call(action: Action, scope: Scope, *, asynchronous: bool) -> Call | None:
    """Return the call of the node; None if there is nothing to call: START, or an update in the node's name."""
    task = scope.task
    if task.preset is not MISSING:
        return None
    function = action.coroutine if asynchronous and action.coroutine is not None else action.function
    if function is None:
        return None
    arg = task.trigger.arg
    if arg is not MISSING and action.handles:
        arg = sent_to_failed(task.trigger)
    seen = arg if arg is not MISSING else action.read(task.checkpoint.values, task.remaining)
    scope.seen = seen
    if scope.run.debug:
        scope.before = (_copied(seen),)
    return function, ((seen,) if action.takes_state else ()), (_filled(action.services, scope) if action.services else NO_SERVICES)


def _given(task: Task) -> object:
    return task.trigger.arg if task.preset is MISSING else task.preset


def _command(raised: ParentCommand, task: Task) -> object:
    """Return the command a subgraph hands to this graph, as if this node had returned it."""
    if raised.args and isinstance(raised.args[0], Command):
        return replace(raised.args[0], graph=None)
    raise RunError(
        f"Node {task.node!r} raised ParentCommand by hand: {raised.args}", hint="Return Command(graph=Command.PARENT).", node=task.node
    )


def _router_call(spec: GraphSpec, router: Router, scope: Scope, writes: tuple[Write, ...]) -> Call:
    """Return the call of a router; it sees the state with this node's own writes applied, not its siblings'."""
    task = scope.task
    values = merged(spec, task.checkpoint.values, [(task.node, writes)], task.checkpoint.step + 1) if writes else task.checkpoint.values
    args = (router.read(values, task.remaining),) if router.takes_state else ()
    return router.function, args, (_filled(router.services, scope) if router.services else NO_SERVICES)


def _interrupted(pause: GraphInterrupt, task: Task) -> Outcome:
    questions: tuple[Question, ...] | None = pause.questions  # type: ignore[assignment]
    if questions is None:
        return Failed.of(
            RunError(f"Node {task.node!r} raised GraphInterrupt by hand.", hint="Call interrupt(value) instead.", node=task.node)
        )
    return Interrupted(questions)


def _filled(services: tuple[tuple[str, Service], ...], scope: Scope) -> dict[str, object]:
    return {name: service(scope) for name, service in services}


def _swallowed(task: Task) -> InterruptSwallowedError:
    return InterruptSwallowedError(
        f"Node {task.node!r} went on after interrupt() paused it.",
        hint="Do not catch BaseException (or use a bare except) around interrupt().",
        node=task.node,
    )


def _ended(error: BaseException, task: Task) -> RuntimeError:
    """Wrap what cannot be thrown into a generator (PEP 479)."""
    wrapped = RuntimeError(f"Node {task.node!r} raised {error!r}, which ends an iteration and not a node.")
    wrapped.__cause__ = error
    return wrapped


def _copied(value: object) -> object:
    from copy import deepcopy  # noqa: PLC0415 - only compile(debug=True) needs it

    return deepcopy(value)


def _require_unchanged(task: Task, before: tuple[object, ...], args: tuple[object, ...]) -> None:
    if not args:
        return
    old, new = before[0], args[0]
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        changed = [key for key in old if old[key] != new.get(key, MISSING)]
    else:
        changed = [] if old == new else ["its input"]
    if changed:
        raise InvalidUpdateError(
            f"Node {task.node!r} changed {', '.join(map(repr, changed))} in place; such changes are not saved.",
            hint="Return the new value instead.",
            node=task.node,
            key=changed[0],
        )
