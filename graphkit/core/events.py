"""What a caller may see of a run. Stream modes are projections of these events."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

    from graphkit.core.command import Interrupt
    from graphkit.core.task import Write


@dataclass(frozen=True, slots=True)
class ValuesChanged:
    """The state after a superstep; ``interrupts`` is set when the run pauses here. Committed when seen."""

    namespace: str
    values: Mapping[str, object]
    interrupts: tuple[Interrupt, ...] = ()


@dataclass(frozen=True, slots=True)
class NodeFinished:
    """A node's update. Committed when seen. ``cached`` marks one that was kept from an earlier run."""

    namespace: str
    node: str
    writes: tuple[Write, ...]
    cached: bool = False


@dataclass(frozen=True, slots=True)
class Paused:
    """The run stops for these questions, or, with none, at a breakpoint. Committed when seen."""

    namespace: str
    interrupts: tuple[Interrupt, ...]


@dataclass(frozen=True, slots=True)
class Emitted:
    """Data written by a node while it runs. Provisional: the node may still fail and run again."""

    namespace: str
    data: object


Event: TypeAlias = ValuesChanged | NodeFinished | Paused | Emitted
