"""One run's grip on a thread: what the drivers load from and write to.

The order of operations is written once, as generators over ``Operation``; each pair of public methods differs only
in who carries them out.

1. The first read of the root namespace fixes the epoch; the claim succeeds only if nobody has written since.
2. ``prepare`` encodes everything and touches no database, so that a value that cannot be stored fails first.
3. Every write after the claim is refused once somebody else has taken the thread over.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from graphkit.core.delta import Set
from graphkit.core.effects import Commit
from graphkit.core.ids import ROOT_NAMESPACE
from graphkit.core.record import replace
from graphkit.errors import (
    CheckpointNotFoundError,
    ConcurrentUpdateError,
    InterruptAlreadyAnsweredError,
    LeaseLostError,
    StorageError,
    ThreadBusyError,
    UnknownInterruptError,
    UnserializableValueError,
)
from graphkit.storage import records
from graphkit.storage.backend import acarry_out, carry_out
from graphkit.storage.chain import Chain, pack
from graphkit.storage.operations import Busy, Claim, Lost, Moved, Settled, Taken, Unasked, Write, Written
from graphkit.storage.reading import history, load, load_newest
from graphkit.storage.rows import Change, CheckpointRow, MemoRow, OutcomeRow

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from graphkit.core.effects import Entry, Filed, History, Memo, Saved, Status
    from graphkit.errors import GraphkitError
    from graphkit.serde import Codec
    from graphkit.storage.backend import Steps
    from graphkit.storage.operations import Refusal
    from graphkit.storage.site import Site


Prepared: TypeAlias = Write
"""A commit that is ready to be written."""


class Hold:
    """A run's grip on a thread, shared by the root program and its subgraph programs; several OS threads may use it.

    Args:
        site: The saver's database, codec, clock and process.
        thread_id: The thread; checked.
    """

    __slots__ = ("__weakref__", "_chains", "_epoch", "_site", "_token", "held", "insecure", "thread_id")

    def __init__(self, site: Site, thread_id: str) -> None:
        self._site = site
        self._token = site.process.token()
        self._epoch: int | None = None
        self._chains: dict[str, Chain] = {}
        self.thread_id = thread_id
        self.held = False
        self.insecure = False

    @property
    def codec(self) -> Codec:
        """The saver's codec."""
        return self._site.codec

    @property
    def token(self) -> str:
        """What the database calls this grip."""
        return self._token

    def load(self, namespace: str, checkpoint_id: str | None = None) -> Saved | None:
        """Read a checkpoint, the newest if no id is given, and what is filed with it.

        Raises:
            CheckpointNotFoundError: The namespace has checkpoints, but not this one.
        """
        return carry_out(self._site.backend, self.loading(namespace, checkpoint_id))

    def aload(self, namespace: str, checkpoint_id: str | None = None) -> Coroutine[Any, Any, Saved | None]:
        """Do what load does."""
        return acarry_out(self._site.backend, self.loading(namespace, checkpoint_id))

    def history(self, namespace: str, query: History) -> list[Saved]:
        """Read checkpoints, newest first. They may share parts of their values, which nobody changes."""
        return carry_out(self._site.backend, history(self.codec, self.thread_id, namespace, query))

    def ahistory(self, namespace: str, query: History) -> Coroutine[Any, Any, list[Saved]]:
        """Do what history does."""
        return acarry_out(self._site.backend, history(self.codec, self.thread_id, namespace, query))

    def prepare(self, namespace: str, change: Commit) -> Prepared:
        """Encode a commit. Commits of a namespace are to be written in the order in which they are prepared.

        A claim is prepared after the thread was read and after every write before it.

        Raises:
            UnserializableValueError: A value cannot be stored; ``facts`` has ``path`` and, for a state key, ``key``.
        """
        site = self._site
        codec, now = site.codec, site.clock()
        rows = Change(
            namespace,
            self._checkpoints(namespace, change.entries, now),
            tuple([_outcome(codec, filed) for filed in change.outcomes]) if change.outcomes else (),
            tuple([_memo(codec, memo) for memo in change.memos]) if change.memos else (),
            tuple([records.encode_question(codec, question, n, namespace, now) for question, n in change.asked]) if change.asked else (),
            tuple([(name, _answer(codec, name, answer)) for name, answer in change.answers]) if change.answers else (),
            change.cancelled,
        )
        epoch = self._epoch or 0
        claim = Claim(epoch, 0 if epoch else site.first_epoch()) if change.claim else None
        return Write(self.thread_id, self._token, now, now + site.lease, rows, claim, change.release, change.durable)

    def write(self, prepared: Prepared) -> None:
        """Write a prepared commit in one transaction; it is durable when this returns.

        Raises:
            ThreadBusyError: Claiming: another run holds the thread.
            ConcurrentUpdateError: Claiming: the thread moved on since it was read. Or a checkpoint is there already.
            LeaseLostError: Another run took the thread over.
            InterruptAlreadyAnsweredError: A question is not pending any more.
            UnknownInterruptError: There is no such question.
            StorageError: The database failed. In each of these cases nothing of the commit was written.
        """
        carry_out(self._site.backend, self.writing(prepared))

    def awrite(self, prepared: Prepared) -> Coroutine[Any, Any, None]:
        """Do what write does."""
        return acarry_out(self._site.backend, self.writing(prepared))

    def secure(self) -> None:
        """Make everything written so far durable, if it is not: something is about to happen outside that depends on it.

        Raises:
            LeaseLostError: Another run took the thread over.
            StorageError: The database failed.
        """
        if self.insecure:
            self.write(self.prepare(ROOT_NAMESPACE, Commit()))

    async def asecure(self) -> None:
        """Do what secure does."""
        if self.insecure:
            await self.awrite(self.prepare(ROOT_NAMESPACE, Commit()))

    def release(self, status: Status) -> None:
        """Give the thread back if it is still held; what goes wrong with that is left to the lease to mend."""
        if self.held:
            carry_out(self._site.backend, self._release(status))

    async def arelease(self, status: Status) -> None:
        """Do what release does."""
        if self.held:
            await acarry_out(self._site.backend, self._release(status))

    def loading(self, namespace: str, checkpoint_id: str | None = None) -> Steps[Saved | None]:
        """Return the steps of load."""
        if namespace == ROOT_NAMESPACE and checkpoint_id is None:
            found = yield from load_newest(self.codec, self.thread_id, self._site.images)
            if found.image is not None:
                self._site.images.keep(self.thread_id, found.image)
        else:
            found = yield from load(self.codec, self.thread_id, namespace, checkpoint_id)
        if self._epoch is None:
            self._epoch = found.epoch
        if found.saved is None:
            if checkpoint_id is not None and found.head >= 0:
                raise absent(self.thread_id, namespace, checkpoint_id)
            return None
        if found.saved.checkpoint.n == found.head:
            self._chains[namespace] = found.chain
        return found.saved

    def writing(self, prepared: Prepared) -> Steps[None]:
        """Return the steps of write."""
        namespace, claim = prepared.change.namespace, prepared.claim
        try:
            reply = yield prepared
        except BaseException as error:
            self._chains.pop(namespace, None)
            # Cancelled in the middle: it may have been written, so that there may be something to release.
            self.held = self.held or (claim is not None and not isinstance(error, Exception))
            raise
        if isinstance(reply, Written):
            self._written(prepared, reply)
        elif isinstance(reply, Busy) and claim is not None and claim.dead is None and self._site.process.knows_gone(reply.holder):
            yield from self.writing(replace(prepared, claim=replace(claim, dead=reply.holder)))
        else:
            self._chains.pop(namespace, None)
            if isinstance(reply, Lost):
                self._dropped()
            raise refused(self.thread_id, namespace, reply)

    def _written(self, prepared: Prepared, written: Written) -> None:
        self.insecure = not prepared.durable
        if prepared.change.namespace == ROOT_NAMESPACE:
            for row in prepared.change.checkpoints:
                self._site.images.note(self.thread_id, row)
        # Writes of parallel subgraphs may return in any order.
        self._epoch = max(self._epoch or 0, written.epoch) if self.held else written.epoch
        if prepared.release is not None:
            self._dropped()
        elif prepared.claim is not None:
            self.held = True
            self._site.heartbeat.keep(self)

    def _release(self, status: Status) -> Steps[None]:
        try:
            yield from self.writing(self.prepare(ROOT_NAMESPACE, Commit(release=status)))
        except StorageError:
            self._dropped()

    def _dropped(self) -> None:
        self.held = False
        self._site.heartbeat.drop(self)

    def _checkpoints(self, namespace: str, entries: tuple[Entry, ...], now: float) -> tuple[CheckpointRow, ...]:
        if len(entries) <= 1:
            return (self._checkpoint(namespace, entries[0], now, None),) if entries else ()
        return tuple(
            [self._checkpoint(namespace, entry, now, following) for entry, following in zip(entries, (*entries[1:], None), strict=True)]
        )

    def _checkpoint(self, namespace: str, entry: Entry, now: float, following: Entry | None) -> CheckpointRow:
        codec, checkpoint = self._site.codec, entry.checkpoint
        chain, deltas = self._chains.get(namespace), entry.deltas
        if chain is None or deltas is None or chain.id != checkpoint.parent or chain.heavy:
            chain, deltas = Chain(checkpoint.n), {key: Set(value) for key, value in checkpoint.values.items()}
        try:
            blob, changes = pack(codec, deltas)
            # What the next row holds as well is stored once, provided that the next row will not be a keyframe.
            shared = records.shared_input(checkpoint, following) if following is not None and chain.has_room else frozenset()
            record = records.encode_checkpoint(codec, checkpoint, entry.metadata, shared)
        except UnserializableValueError as error:
            raise records.blamed(codec, entry, deltas, error) from error
        chain.add(checkpoint.id, changes)
        self._chains[namespace] = chain
        return CheckpointRow(checkpoint.n, checkpoint.id, chain.frame_n, chain.depth, checkpoint.origin, now, record, blob)


def _outcome(codec: Codec, filed: Filed) -> OutcomeRow:
    try:
        return OutcomeRow(filed.n, filed.task_id, records.encode_outcome(codec, filed.outcome))
    except UnserializableValueError as error:
        raise records.blamed_task(codec, filed.task_id, filed.outcome, error) from error


def _memo(codec: Codec, memo: Memo) -> MemoRow:
    what = f"The result of once({memo.key!r})"
    return MemoRow(memo.n, memo.task_id, memo.key, records.stored(codec.encode, memo.value, what, task_id=memo.task_id))


def _answer(codec: Codec, name: str, answer: object) -> bytes:
    return records.stored(codec.encode, answer, f"The answer to interrupt {name!r}", interrupt_id=name)


def absent(thread_id: str, namespace: str, checkpoint_id: str) -> CheckpointNotFoundError:
    """Return the error for a checkpoint id that is not in a namespace."""
    return CheckpointNotFoundError(
        f"Thread {thread_id!r} has no checkpoint {checkpoint_id!r}{_in(namespace)}.",
        hint="Take the id from get_state_history().",
        thread_id=thread_id,
        checkpoint_id=checkpoint_id,
    )


def refused(thread_id: str, namespace: str, refusal: Refusal) -> GraphkitError:
    """Return the error that tells a user why a write was refused."""
    match refusal:
        case Busy():
            return ThreadBusyError(
                f"Another run holds thread {thread_id!r}.",
                hint="Wait for it to end, then try again.",
                thread_id=thread_id,
                holder=refusal.holder,
            )
        case Moved():
            return ConcurrentUpdateError(
                f"Thread {thread_id!r} was changed after it was read.", hint="Read it again, then decide anew.", thread_id=thread_id
            )
        case Lost():
            return LeaseLostError(
                f"This run no longer holds thread {thread_id!r}; nothing was written.",
                hint="Read the thread to see who went on.",
                thread_id=thread_id,
            )
        case Taken():
            return ConcurrentUpdateError(
                f"Thread {thread_id!r} already has a checkpoint at position {refusal.n}{_in(namespace)}.",
                hint="Read the thread again, then decide anew.",
                thread_id=thread_id,
            )
        case Settled():
            return InterruptAlreadyAnsweredError(
                f"Interrupt {refusal.id!r} of thread {thread_id!r} is answered or cancelled already.",
                hint="Look at get_state(config).interrupts for what is still asked.",
                thread_id=thread_id,
                interrupt_id=refusal.id,
            )
        case Unasked():
            return UnknownInterruptError(
                f"Thread {thread_id!r} has never asked interrupt {refusal.id!r}.",
                hint="Look at get_state(config).interrupts for what is asked.",
                thread_id=thread_id,
                interrupt_id=refusal.id,
            )


def _in(namespace: str) -> str:
    return f" in namespace {namespace!r}" if namespace else ""
