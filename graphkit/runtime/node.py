"""The one place where user code is entered: nodes and routers.

``attempt`` is the order of one node run, written once as a generator: it yields calls, and ``perform`` (sync) or
``aperform`` (async) make them. What the node returned and where its routers point becomes one Outcome.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from functools import partial
from inspect import isawaitable
from typing import TYPE_CHECKING, NamedTuple, TypeAlias, cast

from graphkit.core.apply import merged
from graphkit.core.command import END, MISSING, START, Command, Send
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


class Call(NamedTuple):
    """A call of user code that a driver has to make; the reply is its result, awaited if need be."""

    function: Callable[..., object]
    args: tuple[object, ...]
    kwargs: dict[str, object]


Calls: TypeAlias = "Generator[Call, object, Outcome]"

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
    update: Callable[[object, Mapping[str, object]], tuple[Write, ...]]
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
        result = yield from _enter(action, scope, asynchronous=asynchronous)
        if scope.questions:
            raise InterruptSwallowedError(
                f"Node {task.node!r} went on after interrupt() paused it.",
                hint="Do not catch BaseException (or use a bare except) around interrupt().",
                node=task.node,
            )
        return (yield from _outcome(spec, action, scope, result))
    except GraphInterrupt as pause:
        return _interrupted(pause, task)
    except ParentCommand as command:
        return Failed.of(
            RunError(f"Node {task.node!r} raised ParentCommand by hand: {command.args}", hint="Return Command(graph=Command.PARENT).")
        )
    except Exception as error:  # noqa: BLE001 - user code may raise anything
        return Failed.of(error)


def _enter(action: object, scope: Scope, *, asynchronous: bool) -> Generator[Call, object, object]:
    """Yield the call of the node; return what it returned, or the command a subgraph raised for this graph."""
    task = scope.task
    if task.preset is not MISSING:
        return task.preset
    if not isinstance(action, Action):
        return task.trigger.arg
    function = action.coroutine if asynchronous and action.coroutine is not None else action.function
    if function is None:
        return task.trigger.arg
    seen = task.trigger.arg if task.trigger.arg is not MISSING else action.read(task.checkpoint.values, task.remaining)
    before = _copied(seen) if scope.run.debug else None
    args = (seen,) if action.takes_state else ()
    try:
        result = yield Call(function, args, _filled(action.services, scope))
    except ParentCommand as command:
        result = replace(command.args[0], graph=None)
    if scope.run.debug:
        _require_unchanged(task, before, seen)
    return result


def _outcome(spec: GraphSpec, action: object, scope: Scope, result: object) -> Calls:
    """Read what the node returned, then ask its routers."""
    task = scope.task
    targets: Sequence[str | Send] = ()
    if type(result) is Handed:
        writes = result.writes
    else:
        commands = _commands(result)
        escaping = [command for command in commands if isinstance(command, Command) and command.graph is not None]
        if escaping:
            return _escaped(escaping, commands, scope)
        writes, targets = _updates(action, scope, commands)
    goto, sends = _split(spec, targets, f"Command(goto=...) of node {task.node!r}")
    routers = action.routers if isinstance(action, Action) else ()
    for router in routers:
        found = yield from _route(spec, router, scope, writes)
        more_goto, more_sends = _split(spec, found, f"Router {router.name!r} of node {task.node!r}")
        goto, sends = (*goto, *more_goto), (*sends, *more_sends)
    return Done(writes, goto, sends, scope.children)


def _commands(result: object) -> Sequence[object]:
    if type(result) is list and any([isinstance(part, Command) for part in result]):
        return result
    return (result,)


def _updates(action: object, scope: Scope, parts: Sequence[object]) -> tuple[tuple[Write, ...], tuple[str | Send, ...]]:
    """Return the writes and goto targets of a node's result."""
    if len(parts) == 1 and not isinstance(parts[0], Command):
        return _writes(action, scope, parts[0]), ()
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
        return action.update(update, scope.task.checkpoint.values)
    except StateError as error:
        node = scope.task.node
        raise type(error)(f"Node {node!r}: {error.message}", hint=error.hint, **{**error.facts, "node": node}) from error.__cause__


def _route(spec: GraphSpec, router: Router, scope: Scope, writes: tuple[Write, ...]) -> Generator[Call, object, tuple[str | Send, ...]]:
    """Ask one router; it sees the state with this node's own writes applied, not its siblings'."""
    task = scope.task
    values = merged(spec, task.checkpoint.values, [(task.node, writes)], task.checkpoint.step + 1) if writes else task.checkpoint.values
    args = (router.read(values, task.remaining),) if router.takes_state else ()
    found = yield Call(router.function, args, _filled(router.services, scope))
    where = f"Router {router.name!r} of node {task.node!r}"
    results = found if isinstance(found, list | tuple) else [found]
    return tuple([_mapped(router, where, result) for result in results])


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
        return str(result)
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
        name = target.node if isinstance(target, Send) else target
        if name == END and not isinstance(target, Send):
            continue
        if name not in spec.nodes or name == START:
            known = [*(node for node in spec.nodes if node != START), END]
            raise UnknownNodeError(f"{where} names {name!r}, which is no node of the graph.", hint=nearest(name, known), node=name)
        if isinstance(target, Send):
            sends.append(target)
        else:
            goto.append(str(target))
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
    questions: tuple[Question, ...] = pause.questions  # type: ignore[assignment]
    if not questions:
        return Failed.of(
            RunError(f"Node {task.node!r} raised GraphInterrupt by hand.", hint="Call interrupt(value) instead.", node=task.node)
        )
    return Interrupted(questions)


def _filled(services: tuple[tuple[str, Service], ...], scope: Scope) -> dict[str, object]:
    return {name: service(scope) for name, service in services} if services else {}


def _copied(value: object) -> object:
    from copy import deepcopy  # noqa: PLC0415 - only compile(debug=True) needs it

    return deepcopy(value)


def _require_unchanged(task: Task, before: object, after: object) -> None:
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        changed = [key for key in before if before[key] != after.get(key, MISSING)]
    else:
        changed = [] if before == after else ["its input"]
    if changed:
        raise InvalidUpdateError(
            f"Node {task.node!r} changed {', '.join(map(repr, changed))} in place; such changes are not saved.",
            hint="Return the new value instead.",
            node=task.node,
            key=changed[0],
        )


__all__ = ["Action", "Call", "GraphBubbleUp", "Handed", "Read", "Router", "Service", "aperform", "perform"]
