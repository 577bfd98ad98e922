"""What users get to see of stored threads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from graphkit.core.task import Done, Escaped, Failed, Interrupted
from graphkit.storage.address import Address
from graphkit.storage.reading import described

if TYPE_CHECKING:
    from graphkit.core.checkpoint import Checkpoint
    from graphkit.core.command import Interrupt
    from graphkit.core.effects import Saved
    from graphkit.core.task import Outcome
    from graphkit.storage.rows import ThreadStatus

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class CheckpointTuple:
    """A checkpoint with its surroundings, in LangGraph's form.

    Args:
        config: Names this checkpoint.
        checkpoint: The checkpoint.
        metadata: ``source``, ``step``, ``parents`` and the user's own.
        parent_config: Names the checkpoint it was made from, None for the first. That one may have been pruned.
        pending_writes: (task id, key, value) of the outcomes filed with it, in the order of the ids; the key is
            ``__error__`` or ``__interrupt__`` for a task that failed or asked.
    """

    config: dict[str, Any]
    checkpoint: Checkpoint
    metadata: dict[str, object]
    parent_config: dict[str, Any] | None
    pending_writes: list[tuple[str, str, object]]

    @classmethod
    def of(cls, thread_id: str, namespace: str, saved: Saved) -> CheckpointTuple:
        """Put together what is known of a checkpoint."""
        checkpoint = saved.checkpoint
        parent = Address(thread_id, namespace, checkpoint.parent).config() if checkpoint.parent is not None else None
        writes = [(task, key, value) for task, outcome in sorted(saved.outcomes.items()) for key, value in _writes(outcome)]
        return cls(Address(thread_id, namespace, checkpoint.id).config(), checkpoint, described(saved), parent, writes)


@dataclass(frozen=True, slots=True)
class ThreadInfo:
    """One line of the list of threads.

    Args:
        thread_id: Its id.
        status: ``busy`` while a run holds it; ``error`` after one that failed or died.
        updated_at: Seconds since the epoch.
        pending: Number of unanswered questions.
    """

    thread_id: str
    status: ThreadStatus
    updated_at: float
    pending: int


@dataclass(frozen=True, slots=True)
class PendingInterrupt:
    """One line of the list of unanswered questions; ``created_at`` is in seconds since the epoch."""

    thread_id: str
    namespace: str
    interrupt: Interrupt
    created_at: float


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """A part of a list; ``cursor`` asks for the next part and is None at the end."""

    items: tuple[T, ...]
    cursor: str | None = None


def _writes(outcome: Outcome) -> list[tuple[str, object]]:
    match outcome:
        case Done():
            return list(outcome.writes)
        case Failed():
            return [("__error__", outcome.summary)]
        case Interrupted():
            return [("__interrupt__", tuple([question.interrupt for question in outcome.questions]))]
        case Escaped():
            return []
