"""What the tests of the runtime need: graphs of plain functions, scopes, and both drivers behind one call."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, NamedTuple

from graphkit.core.command import START
from graphkit.core.graph import GraphSpec, NodeSpec
from graphkit.core.task import Task
from graphkit.runtime import Action, Router, aio, bridge, threads
from graphkit.scope import RunScope
from tests.unit.core.graphs import CHANNELS, position

if TYPE_CHECKING:
    from collections.abc import Callable

    from graphkit.core.checkpoint import Trigger
    from graphkit.storage import Hold


class Driven(NamedTuple):
    """What a driven program has come to."""

    result: Any
    events: list[Any]


def items_of(update, current, seen) -> tuple[tuple[str, object], ...]:
    """Read an update that is a dict."""
    return tuple(update.items())


def action(function=None, coroutine=None, update=items_of, **more) -> Action:
    """Return the action of a node; its state is the dict of values."""
    return Action(function, coroutine, lambda values, remaining: values, update, **more)


def router(function, **more) -> Router:
    """Return a conditional edge; it sees the dict of values."""
    return Router(more.pop("name", "where"), function, lambda values, remaining: values, **more)


def graph(start: Any = None, **actions: Any) -> GraphSpec:
    """Return a graph with these nodes."""
    nodes = {name: NodeSpec(name, found if isinstance(found, Action) else action(found)) for name, found in actions.items()}
    return GraphSpec(
        "stage", {START: NodeSpec(START, start or action()), **nodes}, CHANNELS, {}, (), (), frozenset(), {}, conditional_entry=False
    )


def scope(hold: Hold | None = None, **more) -> RunScope:
    """Return the scope of a run."""
    fields = {"graph": "stage", "namespace": "", "path": (), "config": {}, "context": None, "store": None, "run_id": "run", **more}
    thread = hold.thread_id if hold is not None else None
    return RunScope(hold=hold, thread_id=thread, durability="sync" if hold else None, recursion_limit=25, **fields)


def task(node: str | Trigger = "a", values=None, **more) -> Task:
    """Return a task of a frontier with one entry."""
    frontier = node if isinstance(node, str) else (node,)
    at = position(frontier, values=values or {})
    fields = {"answers": {}, "memos": {}, "remaining": 9, **more}
    return Task(at.frontier[0].node, at.frontier[0], 0, at, "", **fields)


def tasks(names: str) -> list[Task]:
    """Return a task for each name."""
    at = position(names)
    return [Task(trigger.node, trigger, index, at, "", {}, {}, 9) for index, trigger in enumerate(at.frontier)]


def program(*effects):
    """Ask for these effects in turn and return the replies."""
    replies = []
    for effect in effects:
        replies.append((yield effect))  # noqa: PERF401 - a comprehension cannot yield
    return replies


def drive_in_threads(program, spec, run, *, live=False) -> Driven:
    """Drive with the sync driver."""
    return _collected(threads.drive(program, spec, run, live=live))


def drive_in_private_loop(program, spec, run, *, live=False) -> Driven:
    """Drive with the async driver from sync code."""
    return _collected(bridge.drive_in_loop(program, spec, run, live=live))


def drive_in_event_loop(program, spec, run, *, live=False) -> Driven:
    """Drive with the async driver."""

    async def collected() -> Driven:
        items: list[Any] = [item async for item in aio.drive(program, spec, run, live=live)]
        last = items.pop()
        assert isinstance(last, aio.Result)
        return Driven(last.value, items)

    return asyncio.run(collected())


DRIVERS: dict[str, Callable[..., Driven]] = {"threads": drive_in_threads, "loop": drive_in_event_loop, "bridge": drive_in_private_loop}


def _collected(events) -> Driven:
    seen = []
    try:
        while True:
            seen.append(next(events))
    except StopIteration as end:
        return Driven(end.value, seen)
