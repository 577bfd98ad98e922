"""The one place where user code is entered: nodes and routers.

``attempt`` is the order of one node run, written once as a generator: it yields calls, and ``perform`` (sync) or
``aperform`` (async) make them. What the node returned and where its routers point becomes one Outcome.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from functools import partial
from inspect import isawaitable
from typing import TYPE_CHECKING, TypeAlias, cast

from graphkit.core.apply import merged
from graphkit.core.command import END, MISSING, ROOT, START, Command, Send, plain_name
from graphkit.core.record import record, replace
from graphkit.core.task import Done, Escaped, Failed, Interrupted
from graphkit.errors import (
    GraphBubbleUp,
    GraphInterrupt,
    InterruptSwallowedError,
    InvalidUpdateError,
    ParentCommand,
    RunError,
    StateError,
    UnknownNodeError,
    nearest,
)
from graphkit.scope import Scope, enter, leave

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Generator, Hashable, Sequence

    from graphkit.core.graph import GraphSpec
    from graphkit.core.task import Outcome, Question, Task, Write
    from graphkit.scope import RunScope


Call: TypeAlias = "tuple[Callable[..., object], tuple[object, ...], Mapping[str, object]]"
"""A call of user code that a driver has to make: function, arguments, keyword arguments. The reply is its result."""

Calls: TypeAlias = "Generator[Call, object, Outcome]"

NO_SERVICES: Mapping[str, object] = {}

Read: TypeAlias = "Callable[[Mapping[str, object], int], object]"
"""Builds what user code sees of the state: (values, supersteps remaining) -> its state object."""

Service: TypeAlias = "Callable[[Scope], object]"


@record
class Handed:
    """What a subgraph returns to the graph it is a node of: its updates, ready to be merged."""

    writes: tuple[Write, ...]


@record
class Router:
    """A conditional edge.

    Args:
        name: For errors.
        function: Takes the state, returns where to go.
        read: Builds the state it sees.
        services: Parameters to fill by name.
        path_map: Result -> node name; None when results are names.
        is_async: Whether ``function`` must be awaited.
        takes_state: False for a function without parameters.
    """

    name: str
    function: Callable[..., object]
    read: Read
    services: tuple[tuple[str, Service], ...] = ()
    path_map: Mapping[Hashable, str] | None = None
    is_async: bool = False
    takes_state: bool = True


@record
class Action:
    """What running a node means.

    Args:
        function: For a sync driver; None if there is only ``coroutine``.
        coroutine: For an async driver; None if there is only ``function``.
        read: Builds the input from the state; a Send's argument is handed over as it is.
        update: Reads a returned dict or instance into writes; raises StateError.
        services: Parameters to fill by name.
        routers: Conditional edges, evaluated after the node with its own writes applied.
        takes_state: False for a function without parameters.
    """

    function: Callable[..., object] | None
    coroutine: Callable[..., object] | None
    read: Read
    update: Callable[[object, Mapping[str, object], object], tuple[Write, ...]]
    services: tuple[tuple[str, Service], ...] = ()
    routers: tuple[Router, ...] = ()
    takes_state: bool = True
    needs_loop: bool = field(init=False)

    def __post_init__(self) -> None:
        waits = self.function is None and self.coroutine is not None
        object.__setattr__(self, "needs_loop", waits or any([router.is_async for router in self.routers]))


def perform(spec: GraphSpec, run: RunScope, task: Task) -> Outcome:
    """Run a task to its end in this thread."""
    scope = Scope(run, task)
    calls = attempt(spec, scope, asynchronous=False)
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


async def aperform(spec: GraphSpec, run: RunScope, task: Task, in_thread: Callable[[Callable[[], object]], Awaitable[object]]) -> Outcome:
    """Run a task to its end in this event loop.

    A sync node goes to a thread, together with its routers; a sync router of an async node is called in the loop.
    """
    action = spec.nodes[task.node].action
    blocking = action.function if isinstance(action, Action) and action.coroutine is None else None
    if blocking is not None and isinstance(action, Action) and not action.needs_loop:
        return cast("Outcome", await in_thread(partial(perform, spec, run, task)))
    scope = Scope(run, task)
    calls = attempt(spec, scope, asynchronous=True)
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


def attempt(spec: GraphSpec, scope: Scope, *, asynchronous: bool) -> Calls:
    """Run a node and its routers; every Exception becomes a Failed, other BaseExceptions leave."""
    task = scope.task
    action = spec.nodes[task.node].action
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
        outcome = _outcome(spec, action, scope, result)
        if isinstance(action, Action) and action.routers and isinstance(outcome, Done):
            goto, sends = outcome.goto, outcome.sends
            for router in action.routers:
                found = yield _router_call(spec, router, scope, outcome.writes)
                if scope.questions:
                    raise _swallowed(task)
                more_goto, more_sends = _destinations(spec, router, task, found)
                goto, sends = goto + more_goto, sends + more_sends
            return Done(outcome.writes, goto, sends, outcome.children)
    except GraphInterrupt as pause:
        return _interrupted(pause, task)
    except Exception as error:  # noqa: BLE001 - user code may raise anything
        return Failed.of(error)
    else:
        return outcome


def _call(action: object, scope: Scope, *, asynchronous: bool) -> Call | None:
    """Return the call of the node; None if there is nothing to call: START, or an update in the node's name."""
    task = scope.task
    if task.preset is not MISSING or not isinstance(action, Action):
        return None
    function = action.coroutine if asynchronous and action.coroutine is not None else action.function
    if function is None:
        return None
    arg = task.trigger.arg
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


def _outcome(spec: GraphSpec, action: object, scope: Scope, result: object) -> Done | Escaped:
    """Read what the node returned."""
    task = scope.task
    if type(result) is Handed:
        return Done(result.writes, (), (), scope.children)
    if not isinstance(result, Command) and not _is_list_of_results(spec, result):
        return Done(_writes(action, scope, result), (), (), scope.children)
    commands = result if isinstance(result, list) else [result]
    escaping = [command for command in commands if isinstance(command, Command) and command.graph is not None]
    if escaping:
        return _escaped(escaping, commands, scope)
    writes, targets = _updates(action, scope, commands)
    goto, sends = _split(spec, targets, f"Command(goto=...) of node {task.node!r}")
    return Done(writes, goto, sends, scope.children)


def _is_list_of_results(spec: GraphSpec, result: object) -> bool:
    """Tell whether a list is a list of updates and Commands; for a bare-type state it may be the value itself."""
    return type(result) is list and (ROOT not in spec.channels or any([isinstance(part, Command) for part in result]))


def _updates(action: object, scope: Scope, parts: Sequence[object]) -> tuple[tuple[Write, ...], tuple[str | Send, ...]]:
    """Return the writes and goto targets of Commands and updates."""
    writes: list[Write] = []
    targets: list[str | Send] = []
    for part in parts:
        if isinstance(part, Command):
            if part.resume is not MISSING:
                raise InvalidUpdateError(
                    f"Node {scope.task.node!r} returned Command(resume=...); only a caller can answer.", node=scope.task.node
                )
            writes.extend(_command_writes(action, scope, part.update))
            targets.extend(part.targets)
        else:
            writes.extend(_writes(action, scope, part))
    return tuple(writes), tuple(targets)


def _command_writes(action: object, scope: Scope, update: object) -> tuple[Write, ...]:
    if isinstance(update, list | tuple) and update and all([_is_pair(pair) for pair in update]):
        return tuple([write for key, value in update for write in _writes(action, scope, {key: value})])
    return _writes(action, scope, update)


def _is_pair(pair: object) -> bool:
    return isinstance(pair, tuple) and len(pair) == 2 and isinstance(pair[0], str)


def _writes(action: object, scope: Scope, update: object) -> tuple[Write, ...]:
    if update is None or update is MISSING:
        return ()
    if not isinstance(action, Action):
        return tuple(update.items()) if isinstance(update, dict) else ()
    try:
        return action.update(update, scope.task.checkpoint.values, scope.seen)
    except StateError as error:
        node = scope.task.node
        raise type(error)(f"Node {node!r}: {error.message}", hint=error.hint, **{**error.facts, "node": node}) from error.__cause__


def _router_call(spec: GraphSpec, router: Router, scope: Scope, writes: tuple[Write, ...]) -> Call:
    """Return the call of a router; it sees the state with this node's own writes applied, not its siblings'."""
    task = scope.task
    values = merged(spec, task.checkpoint.values, [(task.node, writes)], task.checkpoint.step + 1) if writes else task.checkpoint.values
    args = (router.read(values, task.remaining),) if router.takes_state else ()
    return router.function, args, (_filled(router.services, scope) if router.services else NO_SERVICES)


def _destinations(spec: GraphSpec, router: Router, task: Task, found: object) -> tuple[tuple[str, ...], tuple[Send, ...]]:
    where = f"Router {router.name!r} of node {task.node!r}"
    results = found if isinstance(found, list | tuple) else (found,)
    return _split(spec, [_mapped(router, where, result) for result in results], where)


def _mapped(router: Router, where: str, result: object) -> str | Send:
    if isinstance(result, Send):
        return result
    if router.path_map is not None:
        try:
            return router.path_map[result]
        except (KeyError, TypeError) as error:
            raise UnknownNodeError(
                f"{where} returned {result!r}, which is not in its path_map.", hint=nearest(result, map(str, router.path_map))
            ) from error
    if isinstance(result, str) and result != START:
        return result
    raise UnknownNodeError(
        f"{where} did not return a valid destination, but {result!r}.", hint="Return a node name, END, a Send, or a list of them."
    )


def _split(spec: GraphSpec, targets: Sequence[str | Send], where: str) -> tuple[tuple[str, ...], tuple[Send, ...]]:
    """Check every target and part names from Sends; END means nothing more."""
    if not targets:
        return (), ()
    goto: list[str] = []
    sends: list[Send] = []
    for target in targets:
        name = plain_name(target.node if isinstance(target, Send) else target)
        if name == END and not isinstance(target, Send):
            continue
        if name not in spec.nodes or name == START:
            known = [*(node for node in spec.nodes if node != START), END]
            raise UnknownNodeError(f"{where} names {name!r}, which is no node of the graph.", hint=nearest(name, known), node=name)
        if isinstance(target, Send):
            sends.append(target if target.node is name else Send(name, target.arg))
        else:
            goto.append(name)
    return tuple(goto), tuple(sends)


def _escaped(escaping: Sequence[Command[str]], commands: Sequence[object], scope: Scope) -> Escaped:
    node = scope.task.node
    command = escaping[0]
    if command.graph != Command.PARENT:
        raise InvalidUpdateError(
            f"Node {node!r} returned Command(graph={command.graph!r}).", hint="Use Command.PARENT or leave graph out.", node=node
        )
    if not scope.run.path:
        raise InvalidUpdateError(f"Node {node!r} returned Command(graph=Command.PARENT), but its graph has no parent.", node=node)
    if len(commands) > 1:
        raise InvalidUpdateError(f"Node {node!r} mixed Command(graph=Command.PARENT) with other updates, which would be lost.", node=node)
    return Escaped(command)


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


__all__ = ["Action", "Call", "GraphBubbleUp", "Handed", "Read", "Router", "Service", "aperform", "perform"]
