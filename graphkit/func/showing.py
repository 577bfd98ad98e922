"""How the stream of an entrypoint differs from that of a graph: tasks are shown as they end, bookkeeping is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphkit.core.command import ROOT
from graphkit.core.events import NodeFinished, TaskEnded, ValuesChanged
from graphkit.core.record import replace
from graphkit.core.task import Done
from graphkit.func.assembly import INPUT, SAVED
from graphkit.graph.stream import Projection

if TYPE_CHECKING:
    from collections.abc import Iterator

    from graphkit.core.events import Event
    from graphkit.core.task import Write
    from graphkit.scope import RunScope


class TaskProjection(Projection):
    """A projection that shows results of tasks while the entrypoint runs, and of the state only what was returned."""

    __slots__ = ()

    @classmethod
    def of(cls, projection: Projection) -> TaskProjection:
        """Return the projection that shows the same modes."""
        return cls(projection.modes, projection.labelled, projection.subgraphs, projection.typed, projection.printed)

    @property
    def live(self) -> bool:
        """Whether something may have to be shown while a node runs."""
        return "updates" in self.wanted or super().live

    def chunks(self, event: Event, run: RunScope) -> Iterator[object]:
        """Yield what an event looks like in the modes that show it."""
        shown = _public(event)
        return super().chunks(shown, run) if shown is not None else iter(())


def _public(event: Event) -> Event | None:
    """Return an event without what is only kept; None if nothing else is in it."""
    match event:
        case ValuesChanged() if INPUT in event.values:
            # The call has not returned: the state is what the call before returned.
            return replace(event, values={ROOT: None}) if event.interrupts else None
        case NodeFinished():
            return replace(event, writes=_returned(event.writes))
        case TaskEnded(outcome=Done() as done):
            return replace(event, outcome=replace(done, writes=_returned(done.writes)))
        case _:
            return event


def _returned(writes: tuple[Write, ...]) -> tuple[Write, ...]:
    return tuple([write for write in writes if write[0] != SAVED])
