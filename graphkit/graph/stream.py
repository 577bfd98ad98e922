"""Stream modes: each is a projection of the run's events."""

from __future__ import annotations

import sys
from dataclasses import field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, assert_never, cast

from graphkit.core.command import MISSING
from graphkit.core.events import CheckpointMade, Emitted, NodeFinished, Paused, Streamed, TaskEnded, TaskStarted, ValuesChanged
from graphkit.core.ids import LEVEL
from graphkit.core.record import record
from graphkit.core.task import Done, Failed, Interrupted, task_id
from graphkit.graph.snapshot import address, shown, update_of
from graphkit.scope import streamed_from

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from graphkit.core.command import Interrupt
    from graphkit.core.events import Event
    from graphkit.core.task import Outcome, Task
    from graphkit.messages import Message
    from graphkit.runtime import Action
    from graphkit.scope import RunScope

    View = tuple[str, object]

INTERRUPT = "__interrupt__"
DETAILED = frozenset({"tasks", "checkpoints", "debug"})


@record
class Projection:
    """How events become what ``stream`` yields.

    Args:
        modes: The modes that are wanted.
        labelled: Whether chunks carry their mode: a list of modes was asked for.
        subgraphs: Whether events of subgraphs are shown, and chunks carry their namespace.
        typed: Whether chunks are dicts that say what they are (``version="v2"``).
        printed: Modes that are printed as well, whether they are yielded or not.
        seen: Ids of the messages that ``messages`` has shown, or that were there before; grows with the run.
    """

    modes: tuple[str, ...]
    labelled: bool
    subgraphs: bool
    typed: bool = False
    printed: tuple[str, ...] = ()
    seen: set[str | None] = field(default_factory=set)

    @property
    def wanted(self) -> frozenset[str]:
        """The modes that are yielded or printed."""
        return frozenset((*self.modes, *self.printed))

    @property
    def live(self) -> bool:
        """Whether something may have to be shown while a node runs."""
        return self.subgraphs or not self.wanted.isdisjoint({"custom", "messages"})

    @property
    def detailed(self) -> bool:
        """Whether tasks and checkpoints have to be told."""
        return not self.wanted.isdisjoint(DETAILED)

    def chunks(self, event: Event, run: RunScope) -> Iterator[object]:
        """Yield what an event looks like in the modes that show it; ``run`` is that of the streamed graph."""
        base = run.namespace
        if event.namespace != base and not self.subgraphs:
            return
        inner = event.namespace[len(base) :].removeprefix(LEVEL)
        wanted = self.wanted
        views = _views(event) if not self.detailed else (*_views(event), *_details(event, run))
        for mode, data in views:
            if mode in wanted:
                yield from self._shown(inner, mode, data)
        if "messages" in wanted:
            for told in self._messages(event):
                yield from self._shown(inner, "messages", told)

    def _shown(self, namespace: str, mode: str, data: object) -> Iterator[object]:
        if mode in self.printed:
            _print(namespace, mode, data)
        if mode in self.modes:
            yield self._dressed(namespace, mode, data)

    def _messages(self, event: Event) -> Iterator[tuple[object, Mapping[str, object]]]:
        """Yield (message, metadata): pieces as they come, and each whole message of an update that came without pieces."""
        match event:
            case Streamed():
                self.seen.add(getattr(event.message, "id", None))
                yield event.message, event.metadata
            case NodeFinished() if event.task is not None:
                for message in _messages_in([value for _, value in event.writes]):
                    if message.id not in self.seen:
                        self.seen.add(message.id)
                        yield message, streamed_from(event.task)
            case ValuesChanged():
                self.seen.update([message.id for message in _messages_in(event.values.values())])
            case _:
                return

    def _dressed(self, namespace: str, mode: str, data: object) -> object:
        path = tuple(namespace.split(LEVEL)) if namespace else ()
        if self.typed:
            return _typed(path, mode, data)
        if self.labelled:
            return (path, mode, data) if self.subgraphs else (mode, data)
        return (path, data) if self.subgraphs else data


def _typed(path: tuple[str, ...], mode: str, data: object) -> dict[str, object]:
    """Return a chunk that says what it is; the questions of a state stand beside it instead of in it."""
    chunk: dict[str, object] = {"type": mode, "ns": path, "data": data}
    if mode == "values":
        interrupts = data.get(INTERRUPT, ()) if isinstance(data, dict) else ()
        if isinstance(data, dict) and INTERRUPT in data:
            chunk["data"] = {key: value for key, value in data.items() if key != INTERRUPT}
        chunk["interrupts"] = interrupts
    return chunk


def _views(event: Event) -> Iterator[View]:
    match event:
        case ValuesChanged():
            values = shown(event.values)
            if not event.interrupts:
                yield "values", values
            else:
                yield "values", {**(values if isinstance(values, dict) else {}), INTERRUPT: event.interrupts}
        case NodeFinished():
            update: dict[str, object] = {event.node: update_of(event.writes)}
            if event.cached:
                update["__metadata__"] = {"cached": True}
            yield "updates", update
        case Paused():
            yield "updates", {INTERRUPT: event.interrupts}
            if not event.interrupts:
                yield "values", {INTERRUPT: ()}
        case Emitted():
            yield "custom", event.data
        case Streamed() | TaskStarted() | TaskEnded() | CheckpointMade():
            return
        case _:
            assert_never(event)


def _details(event: Event, run: RunScope) -> Sequence[View]:
    """Return the views of tasks and checkpoints, each also in the form of ``debug``."""
    match event:
        case TaskStarted():
            return _with_debug("tasks", "task", event.task.checkpoint.step + 1, _task(event))
        case TaskEnded():
            return _with_debug("tasks", "task_result", event.task.checkpoint.step + 1, _result(event.task, event.outcome))
        case CheckpointMade():
            return _with_debug("checkpoints", "checkpoint", event.checkpoint.step, _checkpoint(event, run.thread_id))
        case _:
            return ()


def _with_debug(mode: str, kind: str, step: int, payload: dict[str, object]) -> Sequence[View]:
    debug = {"step": step, "timestamp": datetime.now(UTC).isoformat(), "type": kind, "payload": payload}
    return ((mode, payload), ("debug", debug))


def _task(event: TaskStarted) -> dict[str, object]:
    task, action = event.task, cast("Action", event.node.action)
    seen = task.trigger.arg if task.trigger.arg is not MISSING else action.read(task.checkpoint.values, task.remaining)
    return {"id": task.id, "name": task.node, "input": seen, "triggers": (f"branch:to:{task.node}",)}


def _result(task: Task, outcome: Outcome) -> dict[str, object]:
    error: str | None = None
    result: object = {}
    interrupts: list[dict[str, object]] = []
    match outcome:
        case Done():
            result = update_of(outcome.writes) or {}
        case Failed():
            error = outcome.summary
        case Interrupted():
            interrupts = [_interrupt(question.interrupt) for question in outcome.questions]
        case _:
            pass
    return {"id": task.id, "name": task.node, "error": error, "result": result, "interrupts": interrupts}


def _interrupt(interrupt: Interrupt) -> dict[str, object]:
    return {"value": interrupt.value, "id": interrupt.id, "response_schema": interrupt.response_schema}


def _checkpoint(event: CheckpointMade, thread_id: str | None) -> dict[str, object]:
    made = event.checkpoint
    ids = [task_id(made, event.namespace, index) for index in range(len(made.frontier))]
    return {
        "config": address(thread_id, event.namespace, made.id),
        "parent_config": address(thread_id, event.namespace, made.parent) if made.parent is not None else None,
        "values": shown(made.values),
        "metadata": {**event.metadata, "source": made.source, "step": made.step, "parents": {}},
        "next": [trigger.node for trigger in made.frontier],
        "tasks": [
            {"id": identity, "name": trigger.node, "interrupts": (), "state": None}
            for identity, trigger in zip(ids, made.frontier, strict=True)
        ],
    }


def _messages_in(values: Iterable[object]) -> Iterator[Message]:
    """Yield the messages among values and in lists among them; before anybody has loaded messages there are none."""
    loaded = sys.modules.get("graphkit.messages.message")
    if loaded is None:
        return
    for value in values:
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, loaded.Message) and item.type != "remove":
                yield item


def _print(namespace: str, mode: str, data: object) -> None:
    from pprint import pformat  # noqa: PLC0415 - only print_mode needs it

    where = f"{namespace} " if namespace else ""
    print(f"[{where}{mode}] {pformat(data, width=120)}")  # noqa: T201 - what print_mode is for
