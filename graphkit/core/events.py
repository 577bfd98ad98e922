"""What a caller may see of a run. Stream modes are projections of these events."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, TypeAlias

from graphkit.core.record import record

if TYPE_CHECKING:
    from collections.abc import Mapping

    from graphkit.core.checkpoint import Checkpoint
    from graphkit.core.command import Interrupt
    from graphkit.core.graph import NodeSpec
    from graphkit.core.task import Outcome, Task, Write


@record
class ValuesChanged:
    """The state after a superstep; ``interrupts`` is set when the run pauses here. Committed when seen."""

    namespace: str
    values: Mapping[str, object]
    interrupts: tuple[Interrupt, ...] = ()


@record
class NodeFinished:
    """A node's update. Committed when seen. ``cached`` marks one that was kept from an earlier run; its task is not told."""

    namespace: str
    node: str
    writes: tuple[Write, ...]
    cached: bool = False
    task: Task | None = field(default=None, compare=False, repr=False)


@record
class Paused:
    """The run stops for these questions, or, with none, at a breakpoint. Committed when seen."""

    namespace: str
    interrupts: tuple[Interrupt, ...]


@record
class Emitted:
    """Data written by a node while it runs. Provisional: the node may still fail and run again."""

    namespace: str
    data: object


@record
class Streamed:
    """A message, or a piece of one, from a node while it runs; ``metadata`` says from where. Provisional, as Emitted."""

    namespace: str
    message: object
    metadata: Mapping[str, object]


@record
class TaskStarted:
    """A task begins to run. Provisional: it may fail, or the process may die."""

    namespace: str
    task: Task
    node: NodeSpec


@record
class TaskEnded:
    """A task has an outcome. Committed when seen."""

    namespace: str
    task: Task
    outcome: Outcome


@record
class CheckpointMade:
    """A checkpoint was written; ``metadata`` is the user's. Committed when seen."""

    namespace: str
    checkpoint: Checkpoint
    metadata: Mapping[str, object]


Event: TypeAlias = ValuesChanged | NodeFinished | Paused | Emitted | Streamed | TaskStarted | TaskEnded | CheckpointMade
