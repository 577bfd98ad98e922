"""Stream modes: each is a projection of the run's events."""

from __future__ import annotations

import sys
from dataclasses import field
from typing import TYPE_CHECKING, assert_never

from graphkit.core.events import Emitted, NodeFinished, Paused, Streamed, ValuesChanged
from graphkit.core.ids import LEVEL
from graphkit.core.record import record
from graphkit.graph.snapshot import shown, update_of
from graphkit.scope import streamed_from

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from graphkit.core.events import Event
    from graphkit.messages import Message

INTERRUPT = "__interrupt__"


@record
class Projection:
    """How events become what ``stream`` yields.

    Args:
        modes: The modes that are wanted.
        labelled: Whether chunks carry their mode: a list of modes was asked for.
        subgraphs: Whether events of subgraphs are shown, and chunks carry their namespace.
        seen: Ids of the messages that ``messages`` has shown, or that were there before; grows with the run.
    """

    modes: tuple[str, ...]
    labelled: bool
    subgraphs: bool
    seen: set[str | None] = field(default_factory=set)

    @property
    def live(self) -> bool:
        """Whether something may have to be shown while a node runs."""
        return self.subgraphs or "custom" in self.modes or "messages" in self.modes

    def chunks(self, event: Event, base: str) -> Iterator[object]:
        """Yield what an event looks like in the modes that show it; ``base`` is the namespace of the streamed graph."""
        if event.namespace != base and not self.subgraphs:
            return
        inner = event.namespace[len(base) :].removeprefix(LEVEL)
        for mode, data in _views(event):
            if mode in self.modes:
                yield self._dressed(inner, mode, data)
        if "messages" in self.modes:
            for told in self._messages(event):
                yield self._dressed(inner, "messages", told)

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
        if self.labelled:
            return (path, mode, data) if self.subgraphs else (mode, data)
        return (path, data) if self.subgraphs else data


def _views(event: Event) -> Iterator[tuple[str, object]]:
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
        case Streamed():
            return
        case _:
            assert_never(event)


def _messages_in(values: Iterable[object]) -> Iterator[Message]:
    """Yield the messages among values and in lists among them; before anybody has loaded messages there are none."""
    loaded = sys.modules.get("graphkit.messages.message")
    if loaded is None:
        return
    for value in values:
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, loaded.Message) and item.type != "remove":
                yield item
