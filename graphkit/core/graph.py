"""The compiled graph as data: channels, nodes, edges and joins. Immutable and shared by every run and thread."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING

from graphkit.core.checkpoint import Trigger
from graphkit.core.command import MISSING
from graphkit.core.record import record

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from graphkit.core.channels import Channel
    from graphkit.core.task import Done


@record
class NodeSpec:
    """A node as the engine sees it.

    Args:
        name: Unique in the graph.
        action: What running it means; opaque here, entered only by the runtime. None for START.
        targets: Nodes its static edges lead to, END left out.
        joins: Names of the joins it arrives at.
        defer: Whether it waits until nothing else is left to run.
        handler: Name of the node that handles its failures, "" for none.
    """

    name: str
    action: object = None
    targets: tuple[str, ...] = ()
    joins: tuple[str, ...] = ()
    defer: bool = False
    handler: str = ""
    trigger: Trigger = field(init=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "trigger", Trigger(self.name))

    def has_failed(self, done: Done) -> bool:
        """Tell whether all the node did was to fail and to call its error handler; its edges are not followed then."""
        return bool(self.handler) and any([send.node == self.handler for send in done.sends])


@record
class Join:
    """``target`` runs once all of ``sources`` have run since it last fired or the turn began."""

    name: str
    sources: frozenset[str]
    target: str


@record
class GraphSpec:
    """Everything the engine needs to know of a graph.

    Args:
        name: Shown in errors and drawings.
        nodes: By name, START among them.
        channels: By state key.
        joins: By name.
        starts: Start values: key and factory, for keys that have a value before any update.
        passing: Keys whose value lasts one superstep.
        untracked: Keys that are never stored.
        checks: For some keys, a pure function that validates the merged value, returns it or raises.
        conditional_entry: Whether START has routers, so that user code decides where a turn begins.
    """

    name: str
    nodes: Mapping[str, NodeSpec]
    channels: Mapping[str, Channel]
    joins: Mapping[str, Join]
    starts: tuple[tuple[str, Callable[[], object]], ...]
    passing: tuple[str, ...]
    untracked: frozenset[str]
    checks: Mapping[str, Callable[[object], object]]
    conditional_entry: bool

    def start_values(self) -> dict[str, object]:
        """Return the values of a thread before its first input; new objects with each call."""
        values = {}
        for key, make in self.starts:
            value = make()
            if value is not MISSING:
                values[key] = value
        return values
