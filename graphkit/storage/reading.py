"""From rows back to what is known of a checkpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from graphkit.core.effects import Saved
from graphkit.core.ids import ROOT_NAMESPACE, position
from graphkit.core.record import record
from graphkit.core.task import Interrupted
from graphkit.storage.chain import Chain, Rebuild
from graphkit.storage.image import Image
from graphkit.storage.operations import Read, ReadQuestions
from graphkit.storage.records import decode_checkpoint, decode_outcome, decode_question, needs_next

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from graphkit.core.checkpoint import Checkpoint
    from graphkit.core.effects import Asked, History
    from graphkit.core.task import Outcome
    from graphkit.serde import Codec
    from graphkit.storage.backend import Steps
    from graphkit.storage.image import Images
    from graphkit.storage.operations import Reading
    from graphkit.storage.rows import QuestionRow

BATCH: Final = 64
"""Checkpoints read at once while a filter is searched for; each further batch is four times as large."""


@record
class Found:
    """What a load found.

    Args:
        epoch: The thread's epoch; 0 if there is no such thread.
        head: Position of the newest checkpoint of the namespace; -1 if there is none.
        saved: The checkpoint; None if it is not there.
        chain: The state of its chain.
        image: The values to be kept for the next load, if they had to be replayed.
    """

    epoch: int
    head: int
    saved: Saved | None
    chain: Chain
    image: Image | None = None


def load_newest(codec: Codec, thread_id: str, images: Images) -> Steps[Found]:
    """Read the newest checkpoint of the root namespace, its values from their image if there is one."""
    reading: Reading = yield Read(thread_id, ROOT_NAMESPACE, known=images.position(thread_id))
    if not reading.rows:
        return Found(reading.epoch, reading.head, None, Chain(-1))
    row = reading.rows[0]
    found = images.read(thread_id, row)
    if found is None and row.frame_n != row.n and not reading.chain:
        reading = yield Read(thread_id, ROOT_NAMESPACE)
        row = reading.rows[0]
    image = None
    if found is None:
        rebuild = _begun(codec, reading)
        rebuild.add(row.id, row.changes)
        image = Image(rebuild, row)
        found = image.read()
        if found is None:
            image, found = None, (rebuild.values(), rebuild.chain)
    shelf = yield from _shelf(codec, thread_id, ROOT_NAMESPACE, reading)
    values, chain = found
    checkpoint, metadata = decode_checkpoint(codec, row, values, chain.depth)
    saved = Saved(checkpoint, reading.head, *shelf.of(checkpoint), metadata, row.created_at)
    return Found(reading.epoch, reading.head, saved, chain, image)


def _begun(codec: Codec, reading: Reading) -> Rebuild:
    """Return a replay that stands before the first row of a reading."""
    rebuild = Rebuild(codec)
    rebuild.restart(reading.rows[0].frame_n)
    for blob in reading.chain:
        rebuild.add("", blob)
    return rebuild


def load(codec: Codec, thread_id: str, namespace: str, checkpoint_id: str | None) -> Steps[Found]:
    """Read one checkpoint, the newest if no id is given."""
    before = None
    if checkpoint_id is not None:
        n = position(checkpoint_id)
        before = 0 if n is None else n + 1
    reading: Reading = yield Read(thread_id, namespace, before)
    if not reading.rows or checkpoint_id not in (None, reading.rows[0].id):
        return Found(reading.epoch, reading.head, None, Chain(-1))
    shelf = yield from _shelf(codec, thread_id, namespace, reading)
    [(saved, chain)] = _replayed(codec, reading, shelf, (yield from _following(codec, thread_id, namespace, reading)))
    return Found(reading.epoch, reading.head, saved, chain)


def history(codec: Codec, thread_id: str, namespace: str, query: History) -> Steps[list[Saved]]:
    """Read the checkpoints that fit a query, newest first."""
    found: list[Saved] = []
    before, size = query.before, query.limit
    if query.filter and size is not None:
        size = max(size, BATCH)
    while query.limit is None or len(found) < query.limit:
        reading: Reading = yield Read(thread_id, namespace, before, size)
        if not reading.rows:
            break
        shelf = yield from _shelf(codec, thread_id, namespace, reading)
        following = yield from _following(codec, thread_id, namespace, reading)
        batch = [saved for saved, _ in _replayed(codec, reading, shelf, following) if fits(saved, query.filter)]
        found.extend(reversed(batch))
        before = reading.rows[0].n
        if size is None or len(reading.rows) < size:
            break
        size *= 4
    return found[: query.limit]


def described(saved: Saved) -> dict[str, object]:
    """Return the metadata of a checkpoint as users read it: source, step, parents, and their own under other names."""
    own: dict[str, object] = {"source": saved.checkpoint.source, "step": saved.checkpoint.step, "parents": {}}
    return {**own, **saved.metadata, **own}


def fits(saved: Saved, wanted: Mapping[str, object]) -> bool:
    """Tell whether the metadata of a checkpoint has all of these values."""
    if not wanted:
        return True
    metadata = described(saved)
    return all([key in metadata and metadata[key] == value for key, value in wanted.items()])


@record
class _Shelf:
    """All that is filed with the checkpoints of one reading, by position."""

    outcomes: Mapping[int, Mapping[str, Outcome]]
    memos: Mapping[int, Mapping[str, Mapping[str, object]]]
    questions: tuple[tuple[bool, Asked], ...]

    def of(self, checkpoint: Checkpoint) -> tuple[dict[str, Outcome], dict[str, dict[str, object]], tuple[Asked, ...]]:
        """Return the outcomes, memos and questions of a checkpoint's step."""
        low, high = checkpoint.origin, checkpoint.n
        outcomes: dict[str, Outcome] = {}
        memos: dict[str, dict[str, object]] = {}
        if self.outcomes or self.memos:
            for n in range(low, high + 1):
                outcomes.update(self.outcomes.get(n, {}))
                for task_id, results in self.memos.get(n, {}).items():
                    memos.setdefault(task_id, {}).update(results)
        questions = tuple([asked for own, asked in self.questions if asked.status == "pending" or (own and low <= asked.n <= high)])
        return outcomes, memos, questions


def _shelf(codec: Codec, thread_id: str, namespace: str, reading: Reading) -> Steps[_Shelf]:
    asked = {row.id: (row.namespace == namespace, decode_question(codec, row)) for row in reading.questions}
    decoded = [(row, decode_outcome(codec, row.record)) for row in reading.outcomes]
    foreign = {name for _, outcome in decoded if isinstance(outcome, tuple) for name in outcome if name not in asked}
    known = {name: found.question for name, (_, found) in asked.items()}
    if foreign:
        rows: tuple[QuestionRow, ...] = yield ReadQuestions(thread_id, tuple(sorted(foreign)))
        known.update({row.id: decode_question(codec, row).question for row in rows})
    outcomes: dict[int, dict[str, Outcome]] = {}
    for row, outcome in decoded:
        full = Interrupted(tuple([known[name] for name in outcome if name in known])) if isinstance(outcome, tuple) else outcome
        outcomes.setdefault(row.n, {})[row.task_id] = full
    memos: dict[int, dict[str, dict[str, object]]] = {}
    for memo in reading.memos:
        memos.setdefault(memo.n, {}).setdefault(memo.task_id, {})[memo.key] = codec.decode(memo.record)
    return _Shelf(outcomes, memos, tuple(asked.values()))


def _following(codec: Codec, thread_id: str, namespace: str, reading: Reading) -> Steps[bytes | None]:
    """Return ``changes`` of the row after a reading if its last checkpoint needs it."""
    last = reading.rows[-1]
    if last.n >= reading.head or not needs_next(codec, last):
        return None
    after: Reading = yield Read(thread_id, namespace, last.n + 2)
    return after.rows[0].changes


def _replayed(codec: Codec, reading: Reading, shelf: _Shelf, following: bytes | None = None) -> Iterator[tuple[Saved, Chain]]:
    """Yield the checkpoints of a reading, oldest first. The chain is the replay's own; take the last one."""
    after = [*[row.changes for row in reading.rows[1:]], following]
    rebuild = _begun(codec, reading)
    for row, changes in zip(reading.rows, after, strict=True):
        if row.frame_n == row.n:
            rebuild.restart(row.n)
        rebuild.add(row.id, row.changes)
        checkpoint, metadata = decode_checkpoint(codec, row, rebuild.values(), rebuild.chain.depth, changes)
        outcomes, memos, questions = shelf.of(checkpoint)
        yield Saved(checkpoint, reading.head, outcomes, memos, questions, metadata, row.created_at), rebuild.chain
