"""A checkpoint as it is written: what changed since its parent, without what is never stored."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphkit.core.delta import diff
from graphkit.core.effects import Entry
from graphkit.core.record import replace

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from graphkit.core.checkpoint import Checkpoint, Trigger


def entry(
    before: Checkpoint | None, checkpoint: Checkpoint, keys: Iterable[str], untracked: frozenset[str], metadata: Mapping[str, object]
) -> Entry:
    """Return the entry of a checkpoint.

    Args:
        before: Its parent as it was written; None writes all values.
        checkpoint: What to write.
        keys: The keys that may have changed since ``before``.
        untracked: Keys that are never stored, neither as values nor in the arguments of Sends.
        metadata: The user's.
    """
    if untracked:
        keys = [key for key in keys if key not in untracked]
        checkpoint = _without(checkpoint, untracked)
    return Entry(checkpoint, diff(before.values, checkpoint.values, keys) if before is not None else None, metadata)


def _without(checkpoint: Checkpoint, untracked: frozenset[str]) -> Checkpoint:
    values = {key: value for key, value in checkpoint.values.items() if key not in untracked}
    return replace(checkpoint, values=values, frontier=tuple([_stripped(trigger, untracked) for trigger in checkpoint.frontier]))


def _stripped(trigger: Trigger, untracked: frozenset[str]) -> Trigger:
    if not isinstance(trigger.arg, dict) or untracked.isdisjoint(trigger.arg):
        return trigger
    return replace(trigger, arg={key: value for key, value in trigger.arg.items() if key not in untracked})
