"""What a caller asks of a run, checked and in the engine's terms."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Literal, TypeAlias

from graphkit.core.command import MISSING
from graphkit.core.record import record

if TYPE_CHECKING:
    from collections.abc import Mapping

    from graphkit.core.checkpoint import Checkpoint
    from graphkit.core.command import Command, Interrupt, Send
    from graphkit.core.effects import Status
    from graphkit.core.task import Question, Write

Durability = Literal["sync", "async", "exit"]


@record
class NewTurn:
    """New input: the run begins at START. ``update`` is the input as START's update, by key."""

    update: Mapping[str, object]


@record
class Continue:
    """No input: go on where the thread stands."""


@record
class Steer:
    """A Command as input: edit the state, answer questions, start nodes, then go on.

    Args:
        writes: The update, by key.
        goto: Names and Sends to start.
        resume: An answer, ``{interrupt id: answer}``, or MISSING.
    """

    writes: tuple[Write, ...] = ()
    goto: tuple[str | Send, ...] = ()
    resume: object = MISSING


Input: TypeAlias = NewTurn | Continue | Steer


@record
class Request:
    """One run of one graph.

    Args:
        input: What to begin with.
        token: Part of every checkpoint id the run makes; unique per run.
        namespace: "" at the root, otherwise the subgraph's.
        path: Task ids from the root graph down to the task that calls this run; empty at the root.
        owner: In a subgraph, names the call, so that a resumed task finds what its call had saved.
        base: In a subgraph that keeps its state: the checkpoint the parent has it at, None for none.
        checkpoint_id: Where to begin; None for the newest checkpoint.
        durability: When commits are waited for; None runs without a checkpointer.
        fresh: Promises that nothing is stored for this namespace, which saves looking.
        recursion_limit: Supersteps allowed.
        max_concurrency: Tasks at the same time; None for no limit.
        interrupt_before: Nodes to stop before.
        interrupt_after: Nodes to stop after.
        metadata: The user's, stored with each checkpoint.
        exported: Keys the parent graph takes over: True for the updates themselves, False for the final value.
        events: Whether somebody reads the stream.
        details: Whether that reader wants tasks and checkpoints, too.
    """

    input: Input
    token: str
    namespace: str = ""
    path: tuple[str, ...] = ()
    owner: str = ""
    base: str | None = None
    checkpoint_id: str | None = None
    durability: Durability | None = None
    fresh: bool = False
    recursion_limit: int = 10_000
    max_concurrency: int | None = None
    interrupt_before: frozenset[str] = frozenset()
    interrupt_after: frozenset[str] = frozenset()
    metadata: Mapping[str, object] = field(default_factory=dict)
    exported: Mapping[str, bool] = field(default_factory=dict)
    events: bool = False
    details: bool = False


@record
class Finished:
    """How a run ended.

    Args:
        checkpoint: Where the thread stands.
        values: The state, with the updates of finished tasks of an unfinished superstep merged in.
        questions: Pending questions; empty when the run is over or stopped at a breakpoint.
        status: "idle" when nothing is left to run, otherwise "interrupted".
        escaped: A command for the parent graph that ended this subgraph.
    """

    checkpoint: Checkpoint
    values: Mapping[str, object]
    questions: tuple[Question, ...]
    status: Status
    escaped: Command[str] | None = None

    @property
    def interrupts(self) -> tuple[Interrupt, ...]:
        """The pending questions as the caller sees them."""
        return tuple([question.interrupt for question in self.questions])
