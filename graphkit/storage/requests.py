"""What users ask of a saver, step by step; ``checkpointer`` has the methods, sync and async."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from graphkit.core.effects import Commit, Entry, Filed, History
from graphkit.core.ids import ROOT_NAMESPACE, position
from graphkit.core.record import record, replace
from graphkit.core.task import Done, Interrupted
from graphkit.errors import InvalidConfigError, InvalidIdError, ThreadNotFoundError
from graphkit.storage.address import Address, checked_limit, cursor
from graphkit.storage.hold import Hold, absent, refused
from graphkit.storage.operations import Absent, Busy, Copy, Delete, ListPending, ListThreads, Moved, Present, Prune
from graphkit.storage.reading import history, load
from graphkit.storage.records import decode_question
from graphkit.storage.retention import planned
from graphkit.storage.views import CheckpointTuple, Page, PendingInterrupt, ThreadInfo

if TYPE_CHECKING:
    from collections.abc import Mapping

    from graphkit.core.checkpoint import Checkpoint
    from graphkit.core.effects import Saved, Status
    from graphkit.core.task import Outcome
    from graphkit.storage.address import Config
    from graphkit.storage.backend import Steps
    from graphkit.storage.rows import PendingRow, ThreadRow, ThreadStatus
    from graphkit.storage.site import Site

PAGE: Final = 100
"""Checkpoints that a Listing reads at once."""

ATTEMPTS: Final = 3
"""How often a prune plans again because the thread moved on meanwhile."""


@record
class Listing:
    """What is still to be listed.

    Args:
        thread_id: Of which thread; None for the next one.
        namespace: Of which namespace.
        filter: Values that the metadata must have.
        before: Only positions below; None for all.
        limit: How many more; None for all.
        every: Whether to go on with the next thread.
        after: Number of the last thread that was begun.
    """

    thread_id: str | None
    namespace: str
    filter: Mapping[str, object]
    before: int | None
    limit: int | None
    every: bool = False
    after: int | None = None

    @classmethod
    def of(cls, config: Config | None, filter: Mapping[str, object] | None, before: Config | None, limit: int | None) -> Listing:
        """Check the arguments of ``list``.

        Raises:
            InvalidConfigError: One is out of range.
            InvalidIdError: An id is not well-formed.
        """
        low = None
        if before is not None:
            bound = Address.of(before).checkpoint_id
            low = position(bound) if bound is not None else None
            if low is None:
                raise InvalidConfigError(
                    "before names no checkpoint.", hint='Pass {"configurable": {"thread_id": ..., "checkpoint_id": ...}}.'
                )
        if limit is not None:
            checked_limit(limit)
        if config is None:
            return cls(None, ROOT_NAMESPACE, dict(filter or {}), low, limit, every=True)
        address = Address.of(config)
        if address.checkpoint_id is not None:
            at = position(address.checkpoint_id)
            low = min((at if at is not None else -1) + 1, low) if low is not None else (at if at is not None else -1) + 1
            limit = 1
        return cls(address.thread_id, address.namespace, dict(filter or {}), low, limit)


def list_page(site: Site, listing: Listing) -> Steps[tuple[list[CheckpointTuple], Listing | None]]:
    """Return the next checkpoints of a listing, and what is left of it."""
    if listing.thread_id is None:
        rows: tuple[ThreadRow, ...] = yield ListThreads(site.clock(), 1, None, listing.after)
        if not rows:
            return [], None
        listing = replace(listing, thread_id=rows[0].thread_id, after=rows[0].number)
    assert listing.thread_id is not None
    size = PAGE if listing.limit is None else min(PAGE, listing.limit)
    found = yield from history(site.codec, listing.thread_id, listing.namespace, History(size, listing.before, listing.filter))
    items = [CheckpointTuple.of(listing.thread_id, listing.namespace, saved) for saved in found]
    left = None if listing.limit is None else listing.limit - len(items)
    if left == 0 or (len(items) < size and not listing.every):
        return items, None
    if len(items) < size:
        return items, replace(listing, thread_id=None, limit=left)
    return items, replace(listing, before=found[-1].checkpoint.n, limit=left)


def get_tuple(site: Site, address: Address) -> Steps[CheckpointTuple | None]:
    """Return a checkpoint with its surroundings."""
    found = yield from load(site.codec, address.thread_id, address.namespace, address.checkpoint_id)
    if found.saved is not None:
        return CheckpointTuple.of(address.thread_id, address.namespace, found.saved)
    if address.checkpoint_id is not None and found.head >= 0:
        raise absent(address.thread_id, address.namespace, address.checkpoint_id)
    return None


def put(site: Site, address: Address, checkpoint: Checkpoint, metadata: Mapping[str, object]) -> Steps[Address]:
    """Store a checkpoint as it is; return its address."""
    if position(checkpoint.id) != checkpoint.n:
        raise InvalidIdError(
            f"Checkpoint id {checkpoint.id!r} does not hold n={checkpoint.n}.", hint="Make it with core.ids.checkpoint_id()."
        )
    hold = Hold(site, address.thread_id)
    root = yield from hold.loading(ROOT_NAMESPACE)
    commit = Commit((Entry(checkpoint, None, metadata),), claim=True, release=_status(root))
    yield from hold.writing(hold.prepare(address.namespace, commit))
    return replace(address, checkpoint_id=checkpoint.id)


def put_writes(site: Site, address: Address, outcome: Outcome, task_id: str) -> Steps[None]:
    """File the outcome of a task with a checkpoint, the newest if the address names none."""
    hold = Hold(site, address.thread_id)
    root = yield from hold.loading(ROOT_NAMESPACE)
    saved = yield from hold.loading(address.namespace, address.checkpoint_id)
    if saved is None:
        raise _unknown(address.thread_id)
    n = saved.checkpoint.n
    asked = tuple([(question, n) for question in outcome.questions]) if isinstance(outcome, Interrupted) else ()
    commit = Commit(outcomes=(Filed(task_id, n, outcome),), asked=asked, claim=True, release="interrupted" if asked else _status(root))
    yield from hold.writing(hold.prepare(address.namespace, commit))


def delete_thread(site: Site, thread_id: str) -> Steps[None]:
    """Delete a thread that no live run holds."""
    busy: Busy | None = yield Delete(thread_id, site.clock())
    if busy is not None and site.process.knows_gone(busy.holder):
        busy = yield Delete(thread_id, site.clock(), busy.holder)
    if busy is not None:
        raise refused(thread_id, ROOT_NAMESPACE, busy)


def copy_thread(site: Site, source: str, target: str) -> Steps[None]:
    """Copy a thread under a name that is still free."""
    reply: Absent | Present | None = yield Copy(source, target, site.first_epoch(), site.clock())
    if isinstance(reply, Absent):
        raise _unknown(source)
    if isinstance(reply, Present):
        raise InvalidConfigError(f"There is a thread {target!r} already.", hint="Copy to an id that is not in use.", thread_id=target)


def prune(site: Site, thread_id: str, keep: int) -> Steps[None]:
    """Delete what a thread needs no more; a thread that does not exist is no error."""
    refusal: Busy | Moved | None = None
    dead = None
    for _ in range(ATTEMPTS):
        plan = yield from planned(site.codec, thread_id, keep)
        if not plan.epoch:
            return
        refusal = yield Prune(thread_id, plan.epoch, plan.kept, site.clock(), dead)
        if refusal is None:
            return
        if isinstance(refusal, Busy):
            if not site.process.knows_gone(refusal.holder):
                break
            dead = refusal.holder
    assert refusal is not None
    raise refused(thread_id, ROOT_NAMESPACE, refusal)


def threads(site: Site, status: ThreadStatus | None, limit: int, after: int | None) -> Steps[Page[ThreadInfo]]:
    """Return a page of the list of threads."""
    rows: tuple[ThreadRow, ...] = yield ListThreads(site.clock(), limit + 1, status, after)
    items = tuple([ThreadInfo(row.thread_id, row.status, row.updated_at, row.pending) for row in rows[:limit]])
    return Page(items, cursor("threads", rows[limit - 1].number) if len(rows) > limit else None)


def pending_interrupts(site: Site, thread_id: str | None, limit: int, after: int | None) -> Steps[Page[PendingInterrupt]]:
    """Return a page of the list of unanswered questions."""
    rows: tuple[PendingRow, ...] = yield ListPending(limit + 1, thread_id, after)
    items = tuple([_pending(site, row) for row in rows[:limit]])
    return Page(items, cursor("pending", rows[limit - 1].number) if len(rows) > limit else None)


def outcome_of(writes: object) -> Outcome:
    """Return an outcome as it is, and LangGraph's list of (key, value) as Done.

    Raises:
        InvalidConfigError: It is neither.
    """
    if hasattr(writes, "__dataclass_fields__"):
        return writes  # type: ignore[return-value]
    return Done(tuple(writes))  # type: ignore[arg-type]


def _pending(site: Site, row: PendingRow) -> PendingInterrupt:
    question = decode_question(site.codec, row.question).question
    return PendingInterrupt(row.thread_id, question.namespace, question.interrupt, row.question.created_at)


def _status(saved: Saved | None) -> Status:
    waits = saved is not None and any([asked.status == "pending" for asked in saved.questions])
    return "interrupted" if waits else "idle"


def _unknown(thread_id: str) -> ThreadNotFoundError:
    return ThreadNotFoundError(f"There is no thread {thread_id!r}.", hint="Look at threads() for those that exist.", thread_id=thread_id)
