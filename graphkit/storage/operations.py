"""What a database is asked for and what it answers: one closed union of operations, and their replies.

A backend carries out each Operation atomically: all of it or nothing, and never half of what another operation wrote.
It refuses a Write by answering with a Refusal; whoever asked makes an error of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from graphkit.core.record import record

if TYPE_CHECKING:
    from graphkit.core.effects import Status
    from graphkit.storage.rows import Change, CheckpointRow, MemoRow, OutcomeRow, QuestionRow, ThreadStatus


@record
class Claim:
    """How to take a thread.

    Args:
        epoch: The thread's epoch when it was read; 0 if there was no such thread.
        first: The epoch of a thread that is made by this claim; random, so that a thread that is deleted and made
            again is not taken for the old one. Of no meaning unless ``epoch`` is 0.
        dead: A holder token whose process is known to be gone; it does not keep anyone out.
    """

    epoch: int
    first: int
    dead: str | None = None


@record
class Write:
    """Write a change as the holder of a thread. Reply: Written or a Refusal.

    The epoch of the thread grows with every Write. Without ``claim`` the thread's holder has to be ``holder``.

    Args:
        thread_id: The thread.
        holder: Token of the writer.
        now: Seconds since the epoch.
        lease_until: Until when the writer keeps the thread without writing again.
        change: The rows.
        claim: Take the thread first.
        release: Give it back afterwards, with this status.
        durable: Whether it has to survive a power failure when it is acknowledged. Otherwise it is enough that the next
            durable Write, which must not overtake it, makes both durable; a backend may treat every Write as durable.
    """

    thread_id: str
    holder: str
    now: float
    lease_until: float
    change: Change
    claim: Claim | None = None
    release: Status | None = None
    durable: bool = True


@record
class Read:
    """Read the newest ``limit`` checkpoints before position ``before``. Reply: Reading, as of one moment.

    Args:
        thread_id: The thread.
        namespace: The namespace.
        before: A position that is left out itself; None for no bound.
        limit: How many; None for all.
        known: A position whose values the reader has: if the first row is at it, ``chain`` is left out.
    """

    thread_id: str
    namespace: str
    before: int | None = None
    limit: int | None = 1
    known: int | None = None


@record
class ReadQuestions:
    """Read questions by id, whatever their status. Reply: tuple of QuestionRow; ids that do not exist are left out."""

    thread_id: str
    ids: tuple[str, ...]


@record
class ReadNamespaces:
    """Read the names of the namespaces that have checkpoints. Reply: tuple of str, empty if there is no such thread."""

    thread_id: str


@record
class ListThreads:
    """Read the list of threads, newest first. Reply: tuple of ThreadRow.

    Args:
        now: Seconds since the epoch; a busy thread whose lease ended before counts as ``error``.
        limit: How many at most.
        status: Only those with this status; None for all.
        after: Number of the last one seen; None to start.
    """

    now: float
    limit: int
    status: ThreadStatus | None = None
    after: int | None = None


@record
class ListPending:
    """Read the list of pending questions, oldest first. Reply: tuple of PendingRow.

    Args:
        limit: How many at most.
        thread_id: Only those of this thread; None for all.
        after: Number of the last one seen; None to start.
    """

    limit: int
    thread_id: str | None = None
    after: int | None = None


@record
class Extend:
    """Extend leases. Reply: None. Those that were lost are left alone.

    Args:
        holds: (thread id, holder token).
        lease_until: Seconds since the epoch.
    """

    holds: tuple[tuple[str, str], ...]
    lease_until: float


@record
class Delete:
    """Delete a thread and all that belongs to it. Reply: None, or Busy. A thread that does not exist is no error."""

    thread_id: str
    now: float
    dead: str | None = None


@record
class Copy:
    """Copy a thread under a new name, held by nobody. Reply: None, or Absent, or Present.

    The copy of a busy thread counts as ``error``: its run is not in the copy.
    """

    source: str
    target: str
    first: int
    now: float


@record
class Kept:
    """What Prune leaves of one namespace.

    Args:
        namespace: Its name.
        frame: The oldest checkpoint that stays, as a keyframe; it replaces the row of the same position. Rows after it
            that build on an older keyframe build on this one from now on.
        origin: The lowest position whose outcomes, memos and settled questions stay.
    """

    namespace: str
    frame: CheckpointRow
    origin: int


@record
class Prune:
    """Delete all of a thread but ``kept`` and pending questions. Reply: None, Busy, or Moved. The epoch grows."""

    thread_id: str
    epoch: int
    kept: tuple[Kept, ...]
    now: float
    dead: str | None = None


Operation: TypeAlias = Write | Read | ReadQuestions | ReadNamespaces | ListThreads | ListPending | Extend | Delete | Copy | Prune


@record
class Written:
    """The change is durable; ``epoch`` is the thread's new epoch."""

    epoch: int


@record
class Busy:
    """Somebody else holds the thread until ``lease_until``."""

    holder: str
    lease_until: float


@record
class Moved:
    """The thread's epoch is another one; 0 if the thread is gone."""

    epoch: int


@record
class Lost:
    """The writer does not hold the thread."""


@record
class Taken:
    """The namespace has a checkpoint at position ``n`` already."""

    n: int


@record
class Settled:
    """The question is answered or cancelled already."""

    id: str


@record
class Unasked:
    """The thread has no such question."""

    id: str


@record
class Absent:
    """There is no such thread."""


@record
class Present:
    """There is such a thread already."""


Refusal: TypeAlias = Busy | Moved | Lost | Taken | Settled | Unasked


@record
class Reading:
    """The answer to Read.

    Args:
        epoch: The thread's epoch; 0 if there is no such thread.
        head: Position of the namespace's newest checkpoint; -1 if there is none.
        chain: ``changes`` of the rows from the keyframe of the first of ``rows`` up to that row, itself left out.
        rows: The checkpoints asked for, oldest first.
        outcomes: All between the lowest origin and the highest position of ``rows``.
        memos: Likewise.
        questions: Likewise, and every pending question of the thread; in the order they were asked.
    """

    epoch: int = 0
    head: int = -1
    chain: tuple[bytes | None, ...] = ()
    rows: tuple[CheckpointRow, ...] = ()
    outcomes: tuple[OutcomeRow, ...] = ()
    memos: tuple[MemoRow, ...] = ()
    questions: tuple[QuestionRow, ...] = ()
