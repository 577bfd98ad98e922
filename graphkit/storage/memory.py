"""The saver that lives in this process. It keeps the same encoded rows as a database, so nothing in it is aliased."""

from __future__ import annotations

import time
from bisect import bisect_left
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, assert_never

from graphkit.core.record import replace
from graphkit.storage.checkpointer import LEASE, Checkpointer
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
from graphkit.storage.rows import PendingRow, ThreadRow

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from graphkit.serde import Codec
    from graphkit.storage.operations import Operation, Refusal
    from graphkit.storage.rows import Change, CheckpointRow, MemoRow, OutcomeRow, QuestionRow, ThreadStatus


@dataclass(slots=True)
class _Namespace:
    """Rows by position; what is filed by position and then by task (and key); numbers of questions likewise, by id."""

    positions: list[int] = field(default_factory=list)
    checkpoints: list[CheckpointRow] = field(default_factory=list)
    outcomes: dict[int, dict[str, OutcomeRow]] = field(default_factory=dict)
    memos: dict[int, dict[tuple[str, str], MemoRow]] = field(default_factory=dict)
    questions: dict[int, dict[str, int]] = field(default_factory=dict)


@dataclass(slots=True)
class _Thread:
    number: int
    epoch: int
    updated_at: float
    holder: str | None = None
    lease_until: float = 0.0
    status: ThreadStatus = "idle"
    namespaces: dict[str, _Namespace] = field(default_factory=dict)
    questions: dict[str, tuple[int, QuestionRow]] = field(default_factory=dict)
    pending: dict[str, int] = field(default_factory=dict)

    def held(self, now: float, dead: str | None) -> Busy | None:
        """Return who holds the thread, None if nobody alive does."""
        if self.holder is None or self.lease_until < now or self.holder == dead:
            return None
        return Busy(self.holder, self.lease_until)

    def ask(self, number: int, question: QuestionRow) -> None:
        """Add a question, in the place of one with the same id."""
        old = self.questions.get(question.id)
        if old is not None:
            del self.space(old[1].namespace).questions[old[1].n][question.id]
        self.questions[question.id] = (number, question)
        self.space(question.namespace).questions.setdefault(question.n, {})[question.id] = number
        if question.status == "pending":
            self.pending[question.id] = number

    def space(self, name: str) -> _Namespace:
        """Return a namespace, made if need be."""
        found = self.namespaces.get(name)
        if found is None:
            found = self.namespaces[name] = _Namespace()
        return found

    def asked(self, name: str, low: int, high: int) -> list[QuestionRow]:
        """Return the pending questions of the thread and those of a namespace between two positions, oldest first."""
        numbers = dict(self.pending)
        space = self.namespaces.get(name)
        if space is not None and space.questions:
            for n in _within(space.questions, low, high):
                numbers.update(space.questions[n])
        return [self.questions[question][1] for question, _ in sorted(numbers.items(), key=lambda pair: pair[1])]

    def seen(self, now: float) -> ThreadStatus:
        """Return what the thread is to those who look at it."""
        return "error" if self.status == "busy" and self.lease_until < now else self.status


class MemoryBackend:
    """A database of dicts. One lock makes each operation atomic."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._threads: dict[str, _Thread] = {}
        self._made = 0
        self._asked = 0

    def run(self, operation: Operation) -> object:
        """Carry out an operation."""
        with self._lock:
            match operation:
                case Write():
                    return self._write(operation)
                case Read():
                    return self._read(operation)
                case ReadQuestions():
                    thread = self._threads.get(operation.thread_id)
                    return (
                        () if thread is None else tuple([thread.questions[name][1] for name in operation.ids if name in thread.questions])
                    )
                case ReadNamespaces():
                    thread = self._threads.get(operation.thread_id)
                    return () if thread is None else tuple([name for name, space in thread.namespaces.items() if space.positions])
                case ListThreads():
                    return self._list_threads(operation)
                case ListPending():
                    return self._list_pending(operation)
                case Extend():
                    return self._extend(operation)
                case Delete():
                    return self._delete(operation)
                case Copy():
                    return self._copy(operation)
                case Prune():
                    return self._prune(operation)
                case _:
                    assert_never(operation)

    async def arun(self, operation: Operation) -> object:
        """Carry out an operation; nothing in here waits."""
        return self.run(operation)

    def close(self) -> None:
        """Keep everything: a saver in memory that is closed and used again still knows its threads."""

    async def aclose(self) -> None:
        """Do what close does."""

    def _write(self, write: Write) -> Written | Refusal:
        thread = self._threads.get(write.thread_id)
        refusal = _refusal(thread, write)
        if refusal is not None:
            return refusal
        if thread is None:
            assert write.claim is not None
            self._made += 1
            thread = self._threads[write.thread_id] = _Thread(self._made, write.claim.first - 1, write.now)
        thread.epoch += 1
        thread.updated_at = write.now
        if write.release is not None:
            thread.holder, thread.status = None, write.release
        else:
            thread.holder, thread.status, thread.lease_until = write.holder, "busy", write.lease_until
        self._apply(thread, write.change)
        return Written(thread.epoch)

    def _apply(self, thread: _Thread, change: Change) -> None:
        if change.checkpoints or change.outcomes or change.memos:
            space = thread.space(change.namespace)
            for row in change.checkpoints:
                at = bisect_left(space.positions, row.n)
                space.positions.insert(at, row.n)
                space.checkpoints.insert(at, row)
            for outcome in change.outcomes:
                space.outcomes.setdefault(outcome.n, {})[outcome.task_id] = outcome
            for memo in change.memos:
                space.memos.setdefault(memo.n, {})[memo.task_id, memo.key] = memo
        for question in change.asked:
            self._ask(thread, question)
        for name, answer in change.answers:
            _settle(thread, name, answer)
        for name in change.cancelled:
            if name in thread.pending:
                _settle(thread, name, None)

    def _ask(self, thread: _Thread, question: QuestionRow) -> None:
        if question.id not in thread.pending:
            self._asked += 1
            thread.ask(self._asked, question)

    def _read(self, read: Read) -> Reading:
        thread = self._threads.get(read.thread_id)
        if thread is None:
            return Reading()
        space = thread.namespaces.get(read.namespace)
        if space is None or not space.positions:
            return Reading(thread.epoch, questions=tuple(thread.asked(read.namespace, 0, -1)))
        head = space.positions[-1]
        end = len(space.positions) if read.before is None else bisect_left(space.positions, read.before)
        start = 0 if read.limit is None else max(0, end - read.limit)
        rows = tuple(space.checkpoints[start:end])
        if not rows:
            return Reading(thread.epoch, head)
        frame = bisect_left(space.positions, rows[0].frame_n)
        chain = tuple([row.changes for row in space.checkpoints[frame:start]]) if rows[0].n != read.known else ()
        low, high = min([row.origin for row in rows]), rows[-1].n
        outcomes = tuple([row for n in _within(space.outcomes, low, high) for row in space.outcomes[n].values()])
        memos = tuple([row for n in _within(space.memos, low, high) for row in space.memos[n].values()])
        return Reading(thread.epoch, head, chain, rows, outcomes, memos, tuple(thread.asked(read.namespace, low, high)))

    def _list_threads(self, query: ListThreads) -> tuple[ThreadRow, ...]:
        found: list[ThreadRow] = []
        for name, thread in sorted(self._threads.items(), key=lambda item: -item[1].number):
            status = thread.seen(query.now)
            if (query.after is None or thread.number < query.after) and query.status in (None, status):
                found.append(ThreadRow(thread.number, name, status, thread.updated_at, len(thread.pending)))
        return tuple(found[: query.limit])

    def _list_pending(self, query: ListPending) -> tuple[PendingRow, ...]:
        threads = {name: thread for name, thread in self._threads.items() if query.thread_id in (None, name)}
        found = [
            PendingRow(number, name, thread.questions[question][1])
            for name, thread in threads.items()
            for question, number in thread.pending.items()
            if query.after is None or number > query.after
        ]
        return tuple(sorted(found, key=lambda row: row.number)[: query.limit])

    def _extend(self, extend: Extend) -> object:
        for thread_id, holder in extend.holds:
            thread = self._threads.get(thread_id)
            if thread is not None and thread.holder == holder:
                thread.lease_until = extend.lease_until
        return None

    def _delete(self, delete: Delete) -> Busy | None:
        thread = self._threads.get(delete.thread_id)
        busy = thread.held(delete.now, delete.dead) if thread is not None else None
        if busy is None:
            self._threads.pop(delete.thread_id, None)
        return busy

    def _copy(self, copy: Copy) -> Absent | Present | None:
        source = self._threads.get(copy.source)
        if source is None:
            return Absent()
        if copy.target in self._threads:
            return Present()
        self._made += 1
        target = _Thread(self._made, copy.first, copy.now, status="error" if source.status == "busy" else source.status)
        for name, space in source.namespaces.items():
            target.namespaces[name] = _Namespace(
                list(space.positions),
                list(space.checkpoints),
                {n: dict(rows) for n, rows in space.outcomes.items()},
                {n: dict(rows) for n, rows in space.memos.items()},
            )
        for _, question in sorted(source.questions.values(), key=lambda pair: pair[0]):
            self._asked += 1
            target.ask(self._asked, question)
        self._threads[copy.target] = target
        return None

    def _prune(self, prune: Prune) -> Busy | Moved | None:
        thread = self._threads.get(prune.thread_id)
        if thread is None:
            return Moved(0)
        busy = thread.held(prune.now, prune.dead)
        if busy is not None:
            return busy
        if thread.epoch != prune.epoch:
            return Moved(thread.epoch)
        thread.epoch += 1
        kept = {keep.namespace: keep for keep in prune.kept}
        for name in list(thread.namespaces):
            if name not in kept:
                del thread.namespaces[name]
                continue
            space, frame, origin = thread.namespaces[name], kept[name].frame, kept[name].origin
            start = bisect_left(space.positions, frame.n)
            shift = space.checkpoints[start].depth - 1
            rest = [
                replace(row, frame_n=frame.n, depth=row.depth - shift) if row.frame_n < frame.n else row
                for row in space.checkpoints[start + 1 :]
            ]
            thread.namespaces[name] = _Namespace(
                space.positions[start:],
                [frame, *rest],
                {n: rows for n, rows in space.outcomes.items() if n >= origin},
                {n: rows for n, rows in space.memos.items() if n >= origin},
            )
        questions, thread.questions = sorted(thread.questions.values(), key=lambda pair: pair[0]), {}
        for number, question in questions:
            keep = kept.get(question.namespace)
            if question.status == "pending" or (keep is not None and question.n >= keep.origin):
                thread.ask(number, question)
        return None


class InMemorySaver(Checkpointer):
    """A checkpointer that keeps everything in this process: for tests, notebooks and short-lived programs.

    Args:
        lease: Seconds until a thread whose run neither writes nor works any more counts as given up.
        clock: Returns seconds since the epoch.
        codec: How values become bytes; a new one by default.
    """

    def __init__(self, *, lease: float = LEASE, clock: Callable[[], float] = time.time, codec: Codec | None = None) -> None:
        super().__init__(MemoryBackend(), lease=lease, clock=clock, codec=codec)


def _refusal(thread: _Thread | None, write: Write) -> Refusal | None:
    """Return why a write may not happen, None if it may. Nothing has changed by then."""
    claim = write.claim
    if thread is None:
        if claim is None:
            return Lost()
        return Moved(0) if claim.epoch else _unanswerable(None, write.change)
    if claim is None:
        if thread.holder != write.holder:
            return Lost()
    else:
        busy = thread.held(write.now, claim.dead) if thread.holder != write.holder else None
        if busy is not None:
            return busy
        if thread.epoch != claim.epoch:
            return Moved(thread.epoch)
    space = thread.namespaces.get(write.change.namespace)
    if space is not None:
        for row in write.change.checkpoints:
            at = bisect_left(space.positions, row.n)
            if at < len(space.positions) and space.positions[at] == row.n:
                return Taken(row.n)
    return _unanswerable(thread, write.change) if write.change.answers else None


def _unanswerable(thread: _Thread | None, change: Change) -> Settled | Unasked | None:
    asked = {question.id for question in change.asked}
    for name, _ in change.answers:
        if name in asked or (thread is not None and name in thread.pending):
            continue
        return Settled(name) if thread is not None and name in thread.questions else Unasked(name)
    return None


def _settle(thread: _Thread, name: str, answer: bytes | None) -> None:
    number, question = thread.questions[name]
    del thread.pending[name]
    thread.questions[name] = (number, replace(question, status="cancelled" if answer is None else "answered", answer=answer))


def _within(filed: Mapping[int, object], low: int, high: int) -> list[int]:
    if high - low < len(filed):
        return [n for n in range(low, high + 1) if n in filed]
    return [n for n in sorted(filed) if low <= n <= high]
