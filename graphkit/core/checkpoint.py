"""The saved position of a thread: values, frontier and everything else needed to go on."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Literal

from graphkit.core.command import MISSING
from graphkit.core.record import record

if TYPE_CHECKING:
    from collections.abc import Mapping

    from graphkit.core.policy import TimeoutPolicy

Source = Literal["input", "loop", "update", "fork"]
"""Why a checkpoint was written: new input, a superstep, a state edit, a replay from an older checkpoint."""


@record
class Trigger:
    """One entry of a frontier: a node that runs next.

    Args:
        node: Name of the node.
        arg: The input of a Send; MISSING for a node reached by an edge, which runs on the state.
        id: Task id of an entry carried over from an earlier checkpoint; "" when this checkpoint scheduled it.
        timeout: How long an attempt may take, as the Send said; None to leave it to the node.
        cause: For an error handler: the live exception of the node that failed. Never stored; ``arg`` tells what is.
    """

    node: str
    arg: object = MISSING
    id: str = ""
    timeout: TimeoutPolicy | None = None
    cause: BaseException | None = field(default=None, compare=False, repr=False)


@record
class Checkpoint:
    """Where a thread stands in one namespace.

    Args:
        id: Unique in its thread and namespace; see ``ids.checkpoint_id``.
        n: Its position in the namespace, counted from 0 in the order of commits. No clock orders anything.
        step: Superstep number: -1 for the first input, then 0, 1, ...; it goes on over invokes.
        source: Why it was written.
        parent: Id of the checkpoint it was made from, None for the first.
        values: Value of every state key that has one.
        frontier: What runs next, in order of application: edge-triggered nodes by name, then Sends as issued.
        joins: For each waiting join, the nodes that have arrived.
        deferred: Triggered nodes that wait until nothing else is left to run.
        wrote: The nodes whose superstep made this checkpoint.
        children: For each stateful subgraph namespace, the checkpoint its state is at.
        exports: Writes to hand to the parent graph at the end, as (key, update) in order.
        origin: The lowest ``n`` under which outcomes, questions and memos of this frontier are filed.
        owner: In a subgraph: the task of the parent that called it.
    """

    id: str
    n: int
    step: int
    source: Source
    parent: str | None
    values: Mapping[str, object]
    frontier: tuple[Trigger, ...] = ()
    joins: Mapping[str, frozenset[str]] = field(default_factory=dict)
    deferred: frozenset[str] = frozenset()
    wrote: tuple[str, ...] = ()
    children: Mapping[str, str] = field(default_factory=dict)
    exports: tuple[tuple[str, object], ...] = ()
    origin: int = 0
    owner: str = ""
