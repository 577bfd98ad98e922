"""Stream modes: each is a projection of the run's events."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from graphkit.core.events import Emitted, NodeFinished, Paused, ValuesChanged
from graphkit.core.ids import LEVEL
from graphkit.core.record import record
from graphkit.graph.snapshot import shown, update_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from graphkit.core.events import Event

INTERRUPT = "__interrupt__"


@record
class Projection:
    """How events become what ``stream`` yields.

    Args:
        modes: The modes that are wanted.
        labelled: Whether chunks carry their mode: a list of modes was asked for.
        subgraphs: Whether events of subgraphs are shown, and chunks carry their namespace.
    """

    modes: tuple[str, ...]
    labelled: bool
    subgraphs: bool

    @property
    def live(self) -> bool:
        """Whether something may have to be shown while a node runs."""
        return self.subgraphs or "custom" in self.modes

    def chunks(self, event: Event, base: str) -> Iterator[object]:
        """Yield what an event looks like in the modes that show it; ``base`` is the namespace of the streamed graph."""
        if event.namespace != base and not self.subgraphs:
            return
        inner = event.namespace[len(base) :].removeprefix(LEVEL)
        for mode, data in _views(event):
            if mode in self.modes:
                yield self._dressed(inner, mode, data)

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
        case _:
            assert_never(event)
