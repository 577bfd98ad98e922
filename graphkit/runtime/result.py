"""From what a node or a router returned to writes, jumps and Sends; every name is checked here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphkit.core.command import END, MISSING, ROOT, START, Command, Send, plain_name
from graphkit.core.task import Done, Escaped
from graphkit.errors import InvalidUpdateError, StateError, UnknownNodeError, nearest
from graphkit.runtime.action import Action, Handed, Router

if TYPE_CHECKING:
    from collections.abc import Sequence

    from graphkit.core.graph import GraphSpec
    from graphkit.core.task import Task, Write
    from graphkit.scope import Scope


def outcome_of(spec: GraphSpec, action: Action, scope: Scope, result: object) -> Done | Escaped:
    """Read what the node returned."""
    task = scope.task
    if type(result) is dict:
        return Done(_writes(action, scope, result), (), (), scope.children)
    if type(result) is Handed:
        return Done(result.writes, (), (), scope.children)
    if not isinstance(result, Command) and not _is_list_of_results(spec, result):
        return Done(_writes(action, scope, result), (), (), scope.children)
    commands = result if isinstance(result, list) else [result]
    escaping = [command for command in commands if isinstance(command, Command) and command.graph is not None]
    if escaping:
        return _escaped(escaping, commands, scope)
    writes, targets = _updates(action, scope, commands)
    goto, sends = _split(spec, targets, task, None)
    return Done(writes, goto, sends, scope.children)


def _is_list_of_results(spec: GraphSpec, result: object) -> bool:
    """Tell whether a list is a list of updates and Commands; for a bare-type state it may be the value itself."""
    return type(result) is list and (ROOT not in spec.channels or any([isinstance(part, Command) for part in result]))


def _updates(action: Action, scope: Scope, parts: Sequence[object]) -> tuple[tuple[Write, ...], tuple[str | Send, ...]]:
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


def _command_writes(action: Action, scope: Scope, update: object) -> tuple[Write, ...]:
    if isinstance(update, list | tuple) and update and all([_is_pair(pair) for pair in update]):
        return tuple([write for key, value in update for write in _writes(action, scope, {key: value})])
    return _writes(action, scope, update)


def _is_pair(pair: object) -> bool:
    return isinstance(pair, tuple) and len(pair) == 2 and isinstance(pair[0], str)


def _writes(action: Action, scope: Scope, update: object) -> tuple[Write, ...]:
    if update is None or update is MISSING:
        return ()
    try:
        return action.update(update, scope.task.checkpoint.values, scope.seen)
    except StateError as error:
        node = scope.task.node
        raise type(error)(f"Node {node!r}: {error.message}", hint=error.hint, **{**error.facts, "node": node}) from error.__cause__


def destinations(spec: GraphSpec, router: Router, task: Task, found: object) -> tuple[tuple[str, ...], tuple[Send, ...]]:
    """Read what a router returned.

    Raises:
        UnknownNodeError: It names no node, or something that is not in the path_map.
    """
    results = found if isinstance(found, list | tuple) else (found,)
    return _split(spec, [_mapped(router, task, result) for result in results], task, router)


def _mapped(router: Router, task: Task, result: object) -> str | Send:
    if isinstance(result, Send):
        return result
    if router.path_map is not None:
        try:
            return router.path_map[result]
        except (KeyError, TypeError) as error:
            raise UnknownNodeError(
                f"{_source(task, router)} returned {result!r}, which is not in its path_map.",
                hint=nearest(result, map(str, router.path_map)),
            ) from error
    if isinstance(result, str) and result != START:
        return result
    raise UnknownNodeError(
        f"{_source(task, router)} did not return a valid destination, but {result!r}.",
        hint="Return a node name, END, a Send, or a list of them.",
    )


def _source(task: Task, router: Router | None) -> str:
    """Say who named a target, for an error."""
    return f"Command(goto=...) of node {task.node!r}" if router is None else f"Router {router.name!r} of node {task.node!r}"


def _split(spec: GraphSpec, targets: Sequence[str | Send], task: Task, router: Router | None) -> tuple[tuple[str, ...], tuple[Send, ...]]:
    """Check every target and part names from Sends; END means nothing more."""
    if not targets:
        return (), ()
    goto: list[str] = []
    sends: list[Send] = []
    for target in targets:
        name = plain_name(target.node if isinstance(target, Send) else target)
        if name == END and not isinstance(target, Send):
            continue
        if name not in spec.nodes or name.startswith("__"):
            known = [*(node for node in spec.nodes if not node.startswith("__")), END]
            raise UnknownNodeError(
                f"{_source(task, router)} names {name!r}, which is no node of the graph.", hint=nearest(name, known), node=name
            )
        if isinstance(target, Send):
            sends.append(target if target.node is name else Send(name, target.arg, timeout=target.timeout))
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
