"""Keyframes and deltas: how changed values become bytes, when all values are written again, and how to read it back.

A namespace is a chain of rows. A keyframe row holds every value; each row after it holds what changed, and its parent
is the row before. So the values of a checkpoint are its keyframe and the rows after it, up to its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias, assert_never, cast

from graphkit.core.delta import Append, Drop, Patch, Set, Splice, patched
from graphkit.errors import CorruptCheckpointError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from graphkit.core.delta import Change, Delta
    from graphkit.serde import Codec

ROW_WASTE: Final = 64
"""Bytes that one more row costs a reader."""

ALLOWANCE: Final = 4096
"""Bytes of waste that no keyframe is written for."""

FRAMING: Final = 16
"""Bytes of a record of one change that are not the change."""

Sized: TypeAlias = "tuple[str, Delta, int]"
"""A change of a key and the bytes it takes."""

Form: TypeAlias = "list[object]"
"""A delta as it is stored: a number for its kind, then its parts."""

SET, APPEND, PATCH, SPLICE, DROP = range(5)


class Chain:
    """What a writer has to know about the newest row of a namespace to add another one.

    Args:
        frame_n: Position of the keyframe.
    """

    __slots__ = ("_live", "_total", "_waste", "depth", "frame_n", "id")

    def __init__(self, frame_n: int) -> None:
        self.frame_n = frame_n
        self.id = ""
        self.depth = 0
        self._live: dict[str, int] = {}
        self._total = 0
        self._waste = 0

    @property
    def live(self) -> int:
        """Bytes of the values that count now."""
        return self._total

    def copy(self) -> Chain:
        """Return a chain that goes on by itself."""
        chain = Chain(self.frame_n)
        chain.id, chain.depth = self.id, self.depth
        chain._live, chain._total, chain._waste = dict(self._live), self._total, self._waste
        return chain

    @property
    def heavy(self) -> bool:
        """Whether a keyframe is cheaper than reading on: more bytes are superseded than alive."""
        return self._waste > self._total + ALLOWANCE

    @property
    def has_room(self) -> bool:
        """Whether the row after the next one will not be a keyframe, if the next one changes nothing."""
        return self._waste + ROW_WASTE <= self._total + ALLOWANCE

    def add(self, checkpoint_id: str, changes: Iterable[Sized]) -> None:
        """Count one more row."""
        self.id = checkpoint_id
        self.depth += 1
        self._waste += ROW_WASTE
        for key, delta, size in changes:
            if type(delta) is Append:
                self._live[key] = self._live.get(key, 0) + size
                self._total += size
            elif type(delta) is Set or type(delta) is Drop:
                old = self._live.get(key, 0)
                new = self._live[key] = size if type(delta) is Set else 0
                self._total += new - old
                self._waste += old
            else:
                self._waste += size


class Rebuild:
    """The values of checkpoints, replayed row by row.

    A list that only this replay has seen is extended in place, so that a long chain of appends is read in linear time.
    """

    __slots__ = ("_codec", "_own", "_values", "chain")

    def __init__(self, codec: Codec) -> None:
        self._codec = codec
        self._values: dict[str, object] = {}
        self._own: set[str] = set()
        self.chain = Chain(-1)

    def restart(self, frame_n: int) -> None:
        """Forget everything: the next row is a keyframe."""
        self._values = {}
        self._own = set()
        self.chain = Chain(frame_n)

    @property
    def current(self) -> Mapping[str, object]:
        """The values as of the last row, as they are: later rows change them."""
        return self._values

    def add(self, checkpoint_id: str, blob: bytes | None) -> list[str]:
        """Replay one row; return the keys that did not just grow.

        Raises:
            CorruptCheckpointError: The bytes are damaged.
        """
        changes = unpack(self._codec, blob)
        self.chain.add(checkpoint_id, changes)
        for key, delta, _ in changes:
            if type(delta) is Append and key in self._own:
                cast("list[object]", self._values[key]).extend(delta.items)
            elif isinstance(delta, Drop):
                self._values.pop(key, None)
                self._own.discard(key)
            else:
                value = self._values[key] = patched(self._values.get(key), delta)
                if type(value) is list:
                    self._own.add(key)
                else:
                    self._own.discard(key)
        return [key for key, delta, _ in changes if type(delta) is not Append]

    def values(self) -> dict[str, object]:
        """Return the values as of the last row; later rows leave them alone."""
        self._own.clear()
        return dict(self._values)


def pack(codec: Codec, deltas: Mapping[str, Delta]) -> tuple[bytes | None, list[Sized]]:
    """Return the changes of one row as bytes, None for no changes, and with the size of each.

    One change is stored as it is. Several are records of their own inside a record, which tells their sizes.

    Raises:
        UnserializableValueError: A value cannot be stored.
    """
    if not deltas:
        return None, []
    if len(deltas) == 1:
        [(key, delta)] = deltas.items()
        blob = codec.encode({key: _form(delta)})
        return blob, [(key, delta, _size(blob, key))]
    parts = {key: codec.encode(_form(delta)) for key, delta in deltas.items()}
    return codec.encode(parts), [(key, delta, len(parts[key])) for key, delta in deltas.items()]


def unpack(codec: Codec, blob: bytes | None) -> list[Sized]:
    """Return the changes of one row.

    Raises:
        CorruptCheckpointError: The bytes are damaged.
    """
    if blob is None:
        return []
    stored = cast("dict[str, Form | bytes]", codec.decode(blob))
    changes: list[Sized] = []
    try:
        for key, part in stored.items():
            if type(part) is bytes:
                changes.append((key, _delta(cast("Form", codec.decode(part))), len(part)))
            else:
                changes.append((key, _delta(cast("Form", part)), _size(blob, key)))
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise CorruptCheckpointError(
            "The changes of a checkpoint have an unknown form.", hint="Restore the database from a backup."
        ) from error
    return changes


def _size(blob: bytes, key: str) -> int:
    return max(len(blob) - FRAMING - len(key), 1)


def _form(delta: Delta) -> Form:
    match delta:
        case Set():
            return [SET, delta.value]
        case Append():
            return [APPEND, list(delta.items)]
        case Patch():
            return [PATCH, [[key, _form(change)] for key, change in delta.changes.items()], list(delta.removed)]
        case Splice():
            return [SPLICE, [[index, item] for index, item in delta.changes.items()], list(delta.items)]
        case Drop():
            return [DROP]
        case _:
            assert_never(delta)


def _delta(form: Form) -> Delta:
    return Drop() if form[0] == DROP else _change(form)


def _change(form: Form) -> Change:
    kind = form[0]
    if kind == APPEND:
        return Append(cast("list[object]", form[1]))
    if kind == SET:
        return Set(form[1])
    if kind == PATCH:
        changes = cast("list[tuple[object, Form]]", form[1])
        return Patch({key: _change(change) for key, change in changes}, tuple(cast("list[object]", form[2])))
    if kind == SPLICE:
        return Splice(dict(cast("list[tuple[int, object]]", form[1])), cast("list[object]", form[2]))
    raise ValueError(kind)
