"""All the engine asks of the world, and all the world answers. Nothing else crosses that border.

A program is a generator: it yields an Effect and is sent the reply named in the effect's docstring. A driver carries
effects out; an error while doing so is thrown into the program at the same place.
"""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Literal, TypeAlias, TypeVar

from graphkit.core.record import record

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence

    from graphkit.core.checkpoint import Checkpoint
    from graphkit.core.delta import Delta
    from graphkit.core.events import Event
    from graphkit.core.task import Outcome, Question, Task

Status = Literal["idle", "interrupted", "error"]
"""What a thread is when nobody runs it."""

QuestionStatus = Literal["pending", "answered", "cancelled"]


@record
class Asked:
    """A stored question: ``n`` is the checkpoint whose superstep asked it; ``answer`` counts when answered."""

    question: Question
    n: int
    status: QuestionStatus
    answer: object = None


@record
class Saved:
    """What the checkpointer knows about one checkpoint.

    Args:
        checkpoint: The checkpoint, values rebuilt.
        head: ``n`` of the newest checkpoint of the namespace.
        outcomes: By task id: what is filed under the checkpoint's step (``origin <= n <= checkpoint.n``).
        memos: By task id and key: what ``once`` remembers for tasks of the step.
        questions: Every pending question of the thread in any namespace, and every question of this step.
        metadata: The user's own metadata.
        created_at: Seconds since the epoch, for display only.
    """

    checkpoint: Checkpoint
    head: int
    outcomes: Mapping[str, Outcome]
    memos: Mapping[str, Mapping[str, object]]
    questions: tuple[Asked, ...]
    metadata: Mapping[str, object]
    created_at: float


@record
class Entry:
    """A checkpoint to be written. ``deltas`` are against its parent's values; None writes all values."""

    checkpoint: Checkpoint
    deltas: Mapping[str, Delta] | None
    metadata: Mapping[str, object] = field(default_factory=dict)


@record
class Filed:
    """The outcome of a task, to be filed under the step of checkpoint ``n``; a later one replaces it."""

    task_id: str
    n: int
    outcome: Outcome


@record
class Memo:
    """A result of ``once``, to be remembered for a task of the step of checkpoint ``n``."""

    task_id: str
    n: int
    key: str
    value: object


@record
class Load:
    """Read a checkpoint of this program's thread and namespace. Reply: Saved, or None if there is none.

    Args:
        checkpoint_id: Which one; None for the newest.
    """

    checkpoint_id: str | None = None


@record
class History:
    """Read checkpoints, newest first. Reply: list of Saved.

    Args:
        limit: How many at most; None for all.
        before: Only those with a smaller ``n``; None for all.
        filter: Only those whose metadata (the user's, ``source`` and ``step``) has all of these values.
    """

    limit: int | None = None
    before: int | None = None
    filter: Mapping[str, object] = field(default_factory=dict)


@record
class Commit:
    """Write in one transaction, all or nothing. Reply: None, once it is durable.

    Args:
        entries: New checkpoints, in order.
        outcomes: Outcomes of tasks whose superstep is not over.
        asked: New questions, each with the ``n`` of the checkpoint whose superstep asks.
        answers: (interrupt id, answer) of questions that are answered now.
        cancelled: Interrupt ids that nobody will answer any more.
        memos: Results of ``once``.
        claim: Take the thread before anything else is written; fails if another run holds it or it has moved on.
        release: Give the thread back with this status after everything is written.
        wait: False lets the program go on while the write is under way; the next Commit waits for it.
        durable: False for what nobody has been told yet: it outlives this process once it is written, and a power failure
            once the next durable commit is, which includes it.
    """

    entries: tuple[Entry, ...] = ()
    outcomes: tuple[Filed, ...] = ()
    asked: tuple[tuple[Question, int], ...] = ()
    answers: tuple[tuple[str, object], ...] = ()
    cancelled: tuple[str, ...] = ()
    memos: tuple[Memo, ...] = ()
    claim: bool = False
    release: Status | None = None
    wait: bool = True
    durable: bool = True


@record
class Rehearse:
    """Encode a commit as if it was to be written, and write nothing. Reply: None, or UnserializableValueError is thrown."""

    commit: Commit


@record
class CheckAnswers:
    """Check answers against JSON schemas. Reply: None, or InvalidAnswerError is thrown.

    Args:
        answers: (interrupt id, schema, answer).
    """

    answers: tuple[tuple[str, Mapping[str, object], object], ...]


@record
class Run:
    """Run one task to its end, alone. Reply: its Outcome."""

    task: Task


@record
class Start:
    """Start tasks that run in parallel. Reply: None, at once.

    Args:
        tasks: In order of application.
        limit: How many may run at the same time; None for all.
    """

    tasks: Sequence[Task]
    limit: int | None


@record
class Wait:
    """Wait until at least one started task has ended. Reply: list of (Task, Outcome), in the order they ended.

    Args:
        stop: True when no further task may be started; tasks that have not begun are then left out for good, and an
            empty list means that nothing is running any more.
    """

    stop: bool = False


@record
class Emit:
    """Hand an event to whoever reads the run's stream. Reply: None."""

    event: Event


Effect: TypeAlias = Load | History | Commit | Rehearse | CheckAnswers | Run | Start | Wait | Emit

R_co = TypeVar("R_co", covariant=True)

Program: TypeAlias = "Generator[Effect, object, R_co]"
"""A synchronous program over effects, with result R_co."""
