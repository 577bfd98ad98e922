"""What may go and what has to stay when a thread is pruned."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphkit.core.delta import Set
from graphkit.core.effects import History
from graphkit.core.ids import ROOT_NAMESPACE, position
from graphkit.core.record import record
from graphkit.core.task import task_id
from graphkit.storage import records
from graphkit.storage.chain import pack
from graphkit.storage.operations import Kept, Read, ReadNamespaces
from graphkit.storage.reading import history
from graphkit.storage.rows import CheckpointRow

if TYPE_CHECKING:
    from collections.abc import Mapping

    from graphkit.core.effects import Saved
    from graphkit.serde import Codec
    from graphkit.storage.backend import Steps
    from graphkit.storage.operations import Reading


@record
class Plan:
    """What stays of a thread, as of ``epoch``; 0 if there is no such thread."""

    epoch: int
    kept: tuple[Kept, ...]


def planned(codec: Codec, thread_id: str, keep: int) -> Steps[Plan]:
    """Decide what stays.

    That is the newest ``keep`` checkpoints of the root graph, and of the subgraphs:

    1. what the kept checkpoints point to as the state of a stateful subgraph,
    2. what a task of an unfinished superstep has called,
    3. what still asks something.
    """
    reading: Reading = yield Read(thread_id, ROOT_NAMESPACE)
    names: tuple[str, ...] = yield ReadNamespaces(thread_id)
    newest = {}
    for name in names:
        newest[name] = (yield from history(codec, thread_id, name, History(limit=1)))[0]
    asking = {asked.question.namespace for saved in newest.values() for asked in saved.questions if asked.status == "pending"}
    kept: dict[str, Kept] = {}
    cuts = {ROOT_NAMESPACE: _lowest((yield from history(codec, thread_id, ROOT_NAMESPACE, History(limit=keep))))}
    while cuts:
        name, cut = cuts.popitem()
        if name not in newest or (name in kept and kept[name].frame.n <= cut):
            continue
        rows = yield from history(codec, thread_id, name, History(limit=newest[name].head - cut + 1))
        rows = [saved for saved in rows if saved.checkpoint.n >= cut]
        kept[name] = _kept(codec, name, rows[-1])
        for found, low in _needed(name, rows, newest, asking).items():
            cuts[found] = min(low, cuts.get(found, low))
    return Plan(reading.epoch, tuple(kept.values()))


def _lowest(rows: list[Saved]) -> int:
    return rows[-1].checkpoint.n if rows else 0


def _needed(namespace: str, rows: list[Saved], newest: Mapping[str, Saved], asking: set[str]) -> dict[str, int]:
    """Return the namespaces that these checkpoints need, and from which position on."""
    needed: dict[str, int] = {}
    for saved in rows:
        for name, identity in saved.checkpoint.children.items():
            low = position(identity)
            if name in newest and low is not None:
                needed[name] = min(low, needed.get(name, low))
    checkpoint = rows[0].checkpoint
    running = {task_id(checkpoint, namespace, index) for index in range(len(checkpoint.frontier))}
    for name, saved in newest.items():
        if name != namespace and (saved.checkpoint.owner in running or name in asking):
            needed[name] = min(saved.checkpoint.n, needed.get(name, saved.checkpoint.n))
    return needed


def _kept(codec: Codec, namespace: str, oldest: Saved) -> Kept:
    checkpoint = oldest.checkpoint
    blob, _ = pack(codec, {key: Set(value) for key, value in checkpoint.values.items()})
    record = records.encode_checkpoint(codec, checkpoint, oldest.metadata)
    row = CheckpointRow(checkpoint.n, checkpoint.id, checkpoint.n, 1, checkpoint.origin, oldest.created_at, record, blob)
    return Kept(namespace, row, checkpoint.origin)
