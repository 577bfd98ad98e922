"""Plain rows, as a database keeps them. Nothing here knows graphs or bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from graphkit.core.record import record

if TYPE_CHECKING:
    from graphkit.core.effects import QuestionStatus

ThreadStatus = Literal["idle", "busy", "interrupted", "error"]
"""What a thread is; ``busy`` while a run holds it."""


@record
class CheckpointRow:
    """One checkpoint.

    Args:
        n: Its position in the namespace.
        id: Its id.
        frame_n: Position of the keyframe that ``changes`` of this and the rows between build on; ``n`` for a keyframe.
        depth: Number of rows from the keyframe to this one, both counted.
        origin: The lowest position under which something is filed for its step.
        created_at: Seconds since the epoch.
        record: Everything but the values, encoded.
        changes: Changed values, encoded; None when nothing changed.
    """

    n: int
    id: str
    frame_n: int
    depth: int
    origin: int
    created_at: float
    record: bytes
    changes: bytes | None


@record
class OutcomeRow:
    """The outcome of a task, filed under position ``n``."""

    n: int
    task_id: str
    record: bytes


@record
class MemoRow:
    """A remembered result of a task, filed under position ``n``."""

    n: int
    task_id: str
    key: str
    record: bytes


@record
class QuestionRow:
    """A question asked in the step of position ``n``; ``answer`` is set when it is answered."""

    id: str
    namespace: str
    n: int
    status: QuestionStatus
    created_at: float
    record: bytes
    answer: bytes | None = None


@record
class ThreadRow:
    """One line of the list of threads; ``number`` grows with each thread that is made."""

    number: int
    thread_id: str
    status: ThreadStatus
    updated_at: float
    pending: int


@record
class PendingRow:
    """One line of the list of pending questions; ``number`` grows with each question that is asked."""

    number: int
    thread_id: str
    question: QuestionRow


@record
class Change:
    """The rows of one commit, all of one namespace.

    Args:
        namespace: Whose rows they are.
        checkpoints: New rows, in order; a position that exists refuses the change.
        outcomes: Replace an earlier outcome of the same task and position.
        memos: Replace an earlier memo of the same task, position and key.
        asked: New questions. An id that is pending stays as it is; any other becomes pending with this row.
        answers: (id, encoded answer); an id that is not pending refuses the change.
        cancelled: Ids that stop being pending; those that are not pending stay as they are.
    """

    namespace: str
    checkpoints: tuple[CheckpointRow, ...] = ()
    outcomes: tuple[OutcomeRow, ...] = ()
    memos: tuple[MemoRow, ...] = ()
    asked: tuple[QuestionRow, ...] = ()
    answers: tuple[tuple[str, bytes], ...] = ()
    cancelled: tuple[str, ...] = ()
