"""Each storage operation as statements on one connection, inside a transaction that somebody else begins and ends."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any, Final, TypeAlias, assert_never

from checkpointers.sqlite import statements as sql
from graphkit.storage.operations import (
    Absent,
    Busy,
    Copy,
    Delete,
    Extend,
    ListPending,
    ListThreads,
    Lost,
    Moved,
    Present,
    Prune,
    Read,
    Reading,
    ReadNamespaces,
    ReadQuestions,
    Settled,
    Taken,
    Unasked,
    Write,
    Written,
)
from graphkit.storage.rows import CheckpointRow, MemoRow, OutcomeRow, PendingRow, QuestionRow, ThreadRow

if TYPE_CHECKING:
    from graphkit.storage.operations import Kept, Operation, Refusal
    from graphkit.storage.rows import Change

Connection: TypeAlias = sqlite3.Connection
Reads: TypeAlias = Read | ReadQuestions | ReadNamespaces | ListThreads | ListPending

END: Final = 1 << 32
"""Above every position."""

ALL: Final = -1
"""SQLite's LIMIT for no limit."""


def reads(operation: Operation) -> bool:
    """Tell whether an operation leaves the database as it is."""
    return isinstance(operation, Reads)


def perform(connection: Connection, operation: Operation) -> object:
    """Carry out an operation and return its reply.

    Raises:
        sqlite3.Error: The database failed; the transaction has to be rolled back.
    """
    match operation:
        case Write():
            return write(connection, operation)
        case Read():
            return read(connection, operation)
        case ReadQuestions():
            return _questions_by_id(connection, operation)
        case ReadNamespaces():
            return tuple([name for (name,) in connection.execute(sql.LIST_NAMESPACES, {"thread_id": operation.thread_id})])
        case ListThreads():
            return _list_threads(connection, operation)
        case ListPending():
            return _list_pending(connection, operation)
        case Extend():
            return _extend(connection, operation)
        case Delete():
            return _delete(connection, operation)
        case Copy():
            return _copy(connection, operation)
        case Prune():
            return _prune(connection, operation)
        case _:
            assert_never(operation)


def write(connection: Connection, operation: Write) -> Written | Refusal:
    """Write a change. After a refusal what was written so far has to be undone."""
    names = {"thread_id": operation.thread_id, "namespace": operation.change.namespace}
    found = connection.execute(sql.FIND_WRITER, names).fetchone()
    if found is None:
        if operation.claim is None:
            return Lost()
        if operation.claim.epoch:
            return Moved(0)
        epoch, space = operation.claim.first, None
        number = _make(connection, operation, epoch)
    else:
        number, old, holder, lease_until, space = found
        refusal = _refusal(operation, old, holder, lease_until)
        if refusal is not None:
            return refusal
        epoch = old + 1
        _hold(connection, operation, number)
    return _apply(connection, number, space, operation.change) or Written(epoch)


def _refusal(operation: Write, epoch: int, holder: str | None, lease_until: float) -> Refusal | None:
    """Tell why the thread is not the writer's; it keeps what it holds, and claims what nobody else does."""
    claim = operation.claim
    if claim is None:
        return None if holder == operation.holder else Lost()
    if holder != operation.holder:
        busy = _held(holder, lease_until, operation.now, claim.dead)
        if busy is not None:
            return busy
    return None if epoch == claim.epoch else Moved(epoch)


def _make(connection: Connection, operation: Write, epoch: int) -> int:
    keeper = operation.holder if operation.release is None else None
    values = {
        "thread_id": operation.thread_id,
        "epoch": epoch,
        "holder": keeper,
        "lease_until": operation.lease_until,
        "status": operation.release or "busy",
        "now": operation.now,
    }
    return _row_id(connection, sql.MAKE_THREAD, values)


def _hold(connection: Connection, operation: Write, number: int) -> None:
    """Take the thread, keep it, or give it back; that it is the writer's is known."""
    values: dict[str, Any] = {"number": number, "now": operation.now, "lease_until": operation.lease_until}
    if operation.release is not None:
        connection.execute(sql.GIVE_THREAD, {**values, "status": operation.release})
    elif operation.claim is not None:
        connection.execute(sql.TAKE_THREAD, {**values, "holder": operation.holder})
    else:
        connection.execute(sql.KEEP_THREAD, values)


def _held(holder: str | None, lease_until: float, now: float, dead: str | None) -> Busy | None:
    if holder is None or lease_until < now or holder == dead:
        return None
    return Busy(holder, lease_until)


def _apply(connection: Connection, number: int, space: int | None, change: Change) -> Refusal | None:
    if change.checkpoints or change.outcomes or change.memos or change.asked:
        if space is None:
            space = _make_space(connection, number, change.namespace)
        for row in change.checkpoints:
            if not _insert(connection, space, row):
                return Taken(row.n)
        for outcome in change.outcomes:
            values: dict[str, Any] = {"space": space, "n": outcome.n, "task_id": outcome.task_id, "record": outcome.record}
            connection.execute(sql.WRITE_OUTCOME, values)
        for memo in change.memos:
            values = {"space": space, "n": memo.n, "task_id": memo.task_id, "key": memo.key, "record": memo.record}
            connection.execute(sql.WRITE_MEMO, values)
        for question in change.asked:
            _ask(connection, number, space, question)
    for name, answer in change.answers:
        values = {"number": number, "id": name, "answer": answer}
        if connection.execute(sql.ANSWER, values).rowcount != 1:
            known = connection.execute(sql.KNOWS_QUESTION, {"number": number, "id": name}).fetchone()
            return Settled(name) if known else Unasked(name)
    for name in change.cancelled:
        connection.execute(sql.CANCEL, {"number": number, "id": name})
    return None


def _make_space(connection: Connection, number: int, namespace: str) -> int:
    return _row_id(connection, sql.MAKE_SPACE, {"number": number, "namespace": namespace})


def _row_id(connection: Connection, statement: str, values: dict[str, Any]) -> int:
    """Insert one row and return its id; cheaper than RETURNING."""
    made = connection.execute(statement, values).lastrowid
    assert made is not None
    return made


def _ask(connection: Connection, number: int, space: int, row: QuestionRow) -> None:
    values = {"number": number, "space": space, "id": row.id, "n": row.n, "created_at": row.created_at, "record": row.record}
    connection.execute(sql.ASK, values)


def _insert(connection: Connection, space: int, row: CheckpointRow) -> bool:
    values = (space << 32 | row.n, row.id, row.frame_n, row.depth, row.origin, row.created_at, row.record, row.changes)
    return connection.execute(sql.WRITE_CHECKPOINT, values).rowcount == 1


def read(connection: Connection, operation: Read) -> Reading:
    """Read checkpoints with all that is filed with them."""
    found = connection.execute(sql.FIND_READING, {"thread_id": operation.thread_id, "namespace": operation.namespace}).fetchone()
    if found is None:
        return Reading()
    epoch, number, space = found
    rows: tuple[CheckpointRow, ...] = ()
    head = -1
    if space is not None:
        values = {"space": space, "before": END if operation.before is None else operation.before}
        limit = ALL if operation.limit is None else operation.limit
        rows = tuple([CheckpointRow(*row) for row in connection.execute(sql.READ_CHECKPOINTS, {**values, "limit": limit})][::-1])
        head = rows[-1].n if rows and operation.before is None else _head(connection, space)
    if not rows:
        return Reading(epoch, head, questions=_questions(connection, number, space, 0, -1))
    chain: tuple[bytes | None, ...] = ()
    if rows[0].frame_n != rows[0].n and rows[0].n != operation.known:
        chain = tuple(
            [blob for (blob,) in connection.execute(sql.READ_CHAIN, {"space": space, "frame_n": rows[0].frame_n, "n": rows[0].n})]
        )
    low, high = min([row.origin for row in rows]), rows[-1].n
    bounds = {"space": space, "low": low, "high": high}
    filed = connection.execute(sql.READ_FILED, bounds).fetchall()
    outcomes = tuple([OutcomeRow(n, task_id, record) for n, task_id, key, record in filed if key is None])
    memos = tuple([MemoRow(*row) for row in filed if row[2] is not None])
    return Reading(epoch, head, chain, rows, outcomes, memos, _questions(connection, number, space, low, high))


def _head(connection: Connection, space: int) -> int:
    found = connection.execute(sql.FIND_HEAD, {"space": space}).fetchone()
    return found[0] if found is not None else -1


def _questions(connection: Connection, number: int, space: int | None, low: int, high: int) -> tuple[QuestionRow, ...]:
    values = {"number": number, "space": space, "low": low, "high": high}
    return tuple([QuestionRow(*row[1:]) for row in connection.execute(sql.READ_QUESTIONS, values)])


def _questions_by_id(connection: Connection, operation: ReadQuestions) -> tuple[QuestionRow, ...]:
    found = [connection.execute(sql.FIND_QUESTION, {"thread_id": operation.thread_id, "id": name}).fetchone() for name in operation.ids]
    return tuple([QuestionRow(*row) for row in found if row is not None])


def _list_threads(connection: Connection, operation: ListThreads) -> tuple[ThreadRow, ...]:
    if operation.status is None:
        statement = sql.LIST_THREADS
    elif operation.status == "error":
        statement = sql.LIST_THREADS_IN_ERROR
    else:
        statement = sql.LIST_THREADS_OF_STATUS
    after = END if operation.after is None else operation.after
    values = {"after": after, "status": operation.status, "now": operation.now, "limit": operation.limit}
    return tuple([ThreadRow(*row) for row in connection.execute(statement, values)])


def _list_pending(connection: Connection, operation: ListPending) -> tuple[PendingRow, ...]:
    statement = sql.LIST_PENDING if operation.thread_id is None else sql.LIST_PENDING_OF_THREAD
    values = {"thread_id": operation.thread_id, "after": operation.after or 0, "limit": operation.limit}
    return tuple([PendingRow(row[0], row[1], QuestionRow(*row[2:])) for row in connection.execute(statement, values)])


def _extend(connection: Connection, operation: Extend) -> object:
    values = [{"thread_id": thread_id, "holder": holder, "lease_until": operation.lease_until} for thread_id, holder in operation.holds]
    connection.executemany(sql.EXTEND_LEASE, values)
    return None


def _delete(connection: Connection, operation: Delete) -> Busy | None:
    found = connection.execute(sql.FIND_THREAD, {"thread_id": operation.thread_id}).fetchone()
    if found is None:
        return None
    number, _, holder, lease_until, _ = found
    busy = _held(holder, lease_until, operation.now, operation.dead)
    if busy is not None:
        return busy
    for space, _ in connection.execute(sql.LIST_SPACES, {"number": number}).fetchall():
        connection.execute(sql.DELETE_QUESTIONS, {"space": space})
        _clear(connection, space)
        connection.execute(sql.DELETE_SPACE, {"space": space})
    connection.execute(sql.DELETE_THREAD, {"number": number})
    return None


def _clear(connection: Connection, space: int) -> None:
    for statement in (sql.DELETE_CHECKPOINTS, sql.DELETE_OUTCOMES, sql.DELETE_MEMOS):
        connection.execute(statement, {"space": space, "before": END})


def _copy(connection: Connection, operation: Copy) -> Absent | Present | None:
    found = connection.execute(sql.FIND_THREAD, {"thread_id": operation.source}).fetchone()
    if found is None:
        return Absent()
    if connection.execute(sql.FIND_THREAD, {"thread_id": operation.target}).fetchone() is not None:
        return Present()
    source, status = found[0], found[-1]
    values = {"thread_id": operation.target, "epoch": operation.first, "holder": None, "lease_until": 0.0, "now": operation.now}
    number = _row_id(connection, sql.MAKE_THREAD, {**values, "status": "error" if status == "busy" else status})
    for space, namespace in connection.execute(sql.LIST_SPACES, {"number": source}).fetchall():
        pair = {"space": space, "target": _make_space(connection, number, namespace)}
        for statement in (sql.COPY_CHECKPOINTS, sql.COPY_OUTCOMES, sql.COPY_MEMOS):
            connection.execute(statement, pair)
    connection.execute(sql.COPY_QUESTIONS, {"number": number, "source": source})
    return None


def _prune(connection: Connection, operation: Prune) -> Busy | Moved | None:
    found = connection.execute(sql.FIND_THREAD, {"thread_id": operation.thread_id}).fetchone()
    if found is None:
        return Moved(0)
    number, epoch, holder, lease_until, _ = found
    busy = _held(holder, lease_until, operation.now, operation.dead)
    if busy is not None:
        return busy
    if epoch != operation.epoch:
        return Moved(epoch)
    connection.execute(sql.TOUCH_THREAD, {"number": number})
    kept = {keep.namespace: keep for keep in operation.kept}
    for space, namespace in connection.execute(sql.LIST_SPACES, {"number": number}).fetchall():
        if namespace in kept:
            _trim(connection, space, kept[namespace])
            continue
        _clear(connection, space)
        connection.execute(sql.DELETE_SETTLED, {"space": space, "before": END})
        connection.execute(sql.DELETE_EMPTY_SPACE, {"space": space})
    return None


def _trim(connection: Connection, space: int, keep: Kept) -> None:
    frame = keep.frame
    depth = connection.execute(sql.FIND_DEPTH, {"space": space, "n": frame.n}).fetchone()[0]
    values = {"space": space, "n": frame.n, "frame_n": frame.n, "depth": 1, "record": frame.record, "changes": frame.changes}
    connection.execute(sql.REPLACE_CHECKPOINT, values)
    connection.execute(sql.REBASE_CHECKPOINTS, {"space": space, "frame_n": frame.n, "shift": depth - 1})
    connection.execute(sql.DELETE_CHECKPOINTS, {"space": space, "before": frame.n})
    for statement in (sql.DELETE_OUTCOMES, sql.DELETE_MEMOS, sql.DELETE_SETTLED):
        connection.execute(statement, {"space": space, "before": keep.origin})
