"""The nouns of core as stored records, and back.

A record is a dict with one-letter keys or a short list; what is empty is left out, so most records are a few dozen
bytes. Values of the state are not in here but in ``chain``.
"""

from __future__ import annotations

from operator import is_
from typing import TYPE_CHECKING, Any, Final, TypeAlias, assert_never, cast, get_args

from graphkit.core.checkpoint import Checkpoint, Source, Trigger
from graphkit.core.command import MISSING, START, Interrupt, Send
from graphkit.core.delta import Append, Set
from graphkit.core.effects import Asked
from graphkit.core.ids import checkpoint_id
from graphkit.core.policy import TimeoutPolicy
from graphkit.core.task import Done, Escaped, Failed, Interrupted, Question
from graphkit.errors import CorruptCheckpointError, UnserializableValueError
from graphkit.storage.chain import unpack
from graphkit.storage.rows import QuestionRow

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from graphkit.core.delta import Delta
    from graphkit.core.effects import Entry
    from graphkit.core.task import Outcome
    from graphkit.serde import Codec
    from graphkit.storage.rows import CheckpointRow

SOURCES: Final[tuple[Source, ...]] = get_args(Source)
NUMBERS: Final = {source: number for number, source in enumerate(SOURCES)}

RESTORE: Final = "Restore the database from a backup."

DONE, FAILED, INTERRUPTED = range(3)

Meta: TypeAlias = "dict[str, Any]"
"""``s`` step, ``c`` source, ``p`` parent unless it is the checkpoint before in the same run,
``f`` frontier, ``r`` keys of the input that are found in the next row, ``w`` wrote, ``j`` joins, ``e`` deferred,
``h`` children, ``x`` exports, ``o`` owner, ``m`` metadata."""


def shared_input(checkpoint: Checkpoint, following: Entry) -> frozenset[str]:
    """Return the keys of an input that the next row, written with it, holds as well, so that they are stored once."""
    if len(checkpoint.frontier) != 1 or following.deltas is None or following.checkpoint.parent != checkpoint.id:
        return frozenset()
    given = checkpoint.frontier[0].arg
    if checkpoint.frontier[0].node != START or not isinstance(given, dict):
        return frozenset()
    return frozenset([key for key, value in given.items() if _same(value, following.deltas.get(key))])


def _same(value: object, delta: Delta | None) -> bool:
    if type(delta) is Set and delta.value is value:
        return True
    held = delta.value if type(delta) is Set else delta.items if type(delta) is Append else None
    return type(value) is list and type(held) is list and len(value) == len(held) and all(map(is_, value, held))


def encode_checkpoint(codec: Codec, checkpoint: Checkpoint, metadata: Mapping[str, object], shared: frozenset[str] = frozenset()) -> bytes:
    """Return everything of a checkpoint but its values, id, ``n`` and ``origin``.

    Args:
        codec: The saver's.
        checkpoint: What to store.
        metadata: The user's own.
        shared: Keys of the input that are left out, see shared_input.

    Raises:
        UnserializableValueError: The argument of a Send, an exported write or the metadata cannot be stored.
    """
    meta: Meta = {"s": checkpoint.step, "c": NUMBERS[checkpoint.source]}
    if checkpoint.parent != _before(checkpoint.n, checkpoint.id):
        meta["p"] = checkpoint.parent
    if checkpoint.frontier:
        meta["f"] = [_trigger_form(trigger) for trigger in (_without(checkpoint, shared) if shared else checkpoint.frontier)]
    if shared:
        meta["r"] = sorted(shared)
    if checkpoint.wrote:
        meta["w"] = list(checkpoint.wrote)
    if checkpoint.joins:
        meta["j"] = {name: sorted(arrived) for name, arrived in checkpoint.joins.items()}
    if checkpoint.deferred:
        meta["e"] = sorted(checkpoint.deferred)
    if checkpoint.children:
        meta["h"] = dict(checkpoint.children)
    if checkpoint.exports:
        meta["x"] = [list(export) for export in checkpoint.exports]
    if checkpoint.owner:
        meta["o"] = checkpoint.owner
    if metadata:
        meta["m"] = dict(metadata)
    return codec.encode(meta)


def _without(checkpoint: Checkpoint, shared: frozenset[str]) -> tuple[Trigger, ...]:
    [start] = checkpoint.frontier
    given = cast("dict[str, object]", start.arg)
    return (Trigger(start.node, {key: value for key, value in given.items() if key not in shared}, start.id),)


def needs_next(codec: Codec, row: CheckpointRow) -> bool:
    """Tell whether a part of a checkpoint is in the next row."""
    return "r" in cast("Meta", codec.decode(row.record))


def decode_checkpoint(
    codec: Codec, row: CheckpointRow, values: Mapping[str, object], depth: int, following: bytes | None = None
) -> tuple[Checkpoint, Mapping[str, object]]:
    """Return the checkpoint of a row and the user's metadata.

    Args:
        codec: The saver's.
        row: The row.
        values: Its values, replayed.
        depth: Number of rows that were replayed.
        following: ``changes`` of the next row, for a checkpoint that needs it.

    Raises:
        CorruptCheckpointError: The record is damaged, or rows between the keyframe and this one are missing.
    """
    if row.depth != depth:
        raise CorruptCheckpointError(f"Checkpoint {row.id!r} is built of {row.depth} rows, but {depth} are there.", hint=RESTORE)
    meta = cast("Meta", codec.decode(row.record))
    try:
        checkpoint = Checkpoint(
            row.id,
            row.n,
            meta["s"],
            SOURCES[meta["c"]],
            meta["p"] if "p" in meta else _before(row.n, row.id),
            values,
            _frontier(codec, meta, following),
            {name: frozenset(arrived) for name, arrived in meta.get("j", {}).items()},
            frozenset(meta.get("e", ())),
            tuple(meta.get("w", ())),
            meta.get("h", {}),
            tuple([(key, value) for key, value in meta.get("x", ())]),
            row.origin,
            meta.get("o", ""),
        )
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise _odd("checkpoint") from error
    return checkpoint, meta.get("m", {})


def _frontier(codec: Codec, meta: Meta, following: bytes | None) -> tuple[Trigger, ...]:
    frontier = tuple([_trigger(form) for form in meta.get("f", ())])
    if "r" not in meta:
        return frontier
    next_changes = {key: delta for key, delta, _ in unpack(codec, following)}
    given = {key: _given(next_changes[key]) for key in meta["r"]}
    return (Trigger(frontier[0].node, {**cast("dict[str, object]", frontier[0].arg), **given}, frontier[0].id),)


def _given(delta: Delta) -> object:
    if isinstance(delta, Append):
        return list(delta.items)
    if isinstance(delta, Set):
        return delta.value
    raise TypeError(delta)


def encode_outcome(codec: Codec, outcome: Outcome) -> bytes:
    """Return an outcome as bytes. A live exception is left out; of questions only the ids are kept.

    Raises:
        UnserializableValueError: A write or the argument of a Send cannot be stored.
    """
    match outcome:
        case Done():
            writes = [list(write) for write in outcome.writes]
            sends = [send_form(send) for send in outcome.sends]
            return codec.encode([DONE, writes, list(outcome.goto), sends, dict(outcome.children)])
        case Failed():
            return codec.encode([FAILED, outcome.summary, outcome.trace])
        case Interrupted():
            return codec.encode([INTERRUPTED, [question.interrupt.id for question in outcome.questions]])
        case Escaped():
            raise AssertionError(outcome)
        case _:
            assert_never(outcome)


def decode_outcome(codec: Codec, record: bytes) -> Outcome | tuple[str, ...]:
    """Return an outcome, or the ids of its questions for Interrupted.

    Raises:
        CorruptCheckpointError: The record is damaged.
    """
    form = cast("list[Any]", codec.decode(record))
    try:
        kind = form[0]
        if kind == DONE:
            _, writes, goto, sends, children = form
            return Done(tuple([(key, value) for key, value in writes]), tuple(goto), tuple([send_of(sent) for sent in sends]), children)
        if kind == FAILED:
            _, summary, trace = form
            return Failed(summary, trace)
        if kind == INTERRUPTED:
            return tuple(form[1])
    except (IndexError, KeyError, TypeError, ValueError) as error:
        raise _odd("outcome") from error
    raise _odd("outcome")


def encode_question(codec: Codec, question: Question, n: int, namespace: str, now: float) -> QuestionRow:
    """Return a pending question as a row.

    Raises:
        UnserializableValueError: What is asked cannot be stored.
    """
    interrupt = question.interrupt
    about = [question.slot, question.digest, list(question.path), question.namespace]
    form = [interrupt.value, *about, interrupt.key, interrupt.response_schema, interrupt.deadline]
    try:
        record = codec.encode(form)
    except UnserializableValueError as error:
        found = _refused(codec, interrupt.value) or error
        raise _named(found, "The value of an interrupt: ", interrupt_id=interrupt.id) from error
    return QuestionRow(interrupt.id, namespace, n, "pending", now, record)


def decode_question(codec: Codec, row: QuestionRow) -> Asked:
    """Return the question of a row, with its answer if it has one.

    Raises:
        CorruptCheckpointError: The record is damaged.
    """
    form = cast("list[Any]", codec.decode(row.record))
    try:
        value, slot, digest, path, namespace, key, schema, deadline = form
        interrupt = Interrupt(value, row.id, response_schema=schema, key=key, deadline=deadline)
        question = Question(interrupt, slot, digest, namespace, tuple(path))
    except (TypeError, ValueError) as error:
        raise _odd("question") from error
    return Asked(question, row.n, row.status, codec.decode(row.answer) if row.answer is not None else None)


def blamed(codec: Codec, entry: Entry, deltas: Mapping[str, Delta], error: UnserializableValueError) -> UnserializableValueError:
    """Return the error that names where in the state, the frontier or the metadata the value is."""
    checkpoint = entry.checkpoint
    for key in deltas:
        if key in checkpoint.values and (found := _refused(codec, {key: checkpoint.values[key]})) is not None:
            return _named(found, "", key=key)
    for trigger in checkpoint.frontier:
        if (found := _refused(codec, trigger.arg)) is not None:
            return _named(found, f"The argument of a Send to node {trigger.node!r}: ", node=trigger.node)
    for key, value in checkpoint.exports:
        if (found := _refused(codec, {key: value})) is not None:
            return _named(found, "An update of the parent graph: ", key=key)
    if (found := _refused(codec, dict(entry.metadata))) is not None:
        return _named(found, "The metadata: ")
    return error


def blamed_task(codec: Codec, task_id: str, outcome: Outcome, error: UnserializableValueError) -> UnserializableValueError:
    """Return the error that names which write or Send of a task holds the value."""
    if isinstance(outcome, Done):
        for key, value in outcome.writes:
            if (found := _refused(codec, {key: value})) is not None:
                return _named(found, "", key=key, task_id=task_id)
        for send in outcome.sends:
            if (found := _refused(codec, send.arg)) is not None:
                return _named(found, f"The argument of a Send to node {send.node!r}: ", node=send.node, task_id=task_id)
    return error


def stored(encode: Callable[[object], bytes], value: object, what: str, **facts: object) -> bytes:
    """Return an answer, a memo or the like as bytes.

    Raises:
        UnserializableValueError: It cannot be stored; the message begins with ``what``.
    """
    try:
        return encode(value)
    except UnserializableValueError as error:
        raise _named(error, f"{what}: ", **facts) from error


def _refused(codec: Codec, value: object) -> UnserializableValueError | None:
    try:
        codec.encode(value)
    except UnserializableValueError as error:
        return error
    return None


def _named(error: UnserializableValueError, where: str, **facts: object) -> UnserializableValueError:
    return UnserializableValueError(where + error.message, hint=error.hint, **{**error.facts, **facts})


def _before(n: int, identity: str) -> str | None:
    return checkpoint_id(n - 1, identity.partition("-")[2]) if n else None


def send_form(send: Send) -> list[object]:
    """Return a Send as it is stored: with a third part only if it has a timeout."""
    return [send.node, send.arg] if send.limit is None else [send.node, send.arg, _timeout_form(send.limit)]


def send_of(form: list[Any]) -> Send:
    """Return the Send of a stored form."""
    node, arg, *timeout = form
    return Send(node, arg, timeout=_timeout(timeout[0]) if timeout else None)


def _timeout_form(policy: TimeoutPolicy) -> list[object]:
    return [policy.run_timeout, policy.idle_timeout, policy.refresh_on]


def _timeout(form: list[Any]) -> TimeoutPolicy:
    run, idle, refresh_on = form
    return TimeoutPolicy(run_timeout=run, idle_timeout=idle, refresh_on=refresh_on)


def _trigger_form(trigger: Trigger) -> str | list[object]:
    if trigger.arg is not MISSING:
        form = [trigger.node, trigger.id, trigger.arg]
        return form if trigger.timeout is None else [*form, _timeout_form(trigger.timeout)]
    return [trigger.node, trigger.id] if trigger.id else trigger.node


def _trigger(form: str | list[Any]) -> Trigger:
    if isinstance(form, str):
        return Trigger(form)
    if len(form) == 2:
        return Trigger(form[0], MISSING, form[1])
    return Trigger(form[0], form[2], form[1], _timeout(form[3]) if len(form) > 3 else None)


def _odd(noun: str) -> CorruptCheckpointError:
    return CorruptCheckpointError(f"The record of a stored {noun} has an unknown form.", hint=RESTORE)
