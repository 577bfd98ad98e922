"""Values to bytes. Nearly all values take the fast way; the careful way settles the rest and finds the path of what is wrong.

The fast way is one call into ormsgpack, which asks back only for values MessagePack does not know. It cannot express three
things, and gives up: keys that are no text, lone surrogates, and anything that cannot be stored. Two more it would pass
over, so they are looked for in its result: nesting beyond the limit, and buffers that would come back as bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import ormsgpack

from graphkit.serde.careful import CarefulWriter, joined
from graphkit.serde.depth import MAX_DEPTH, depth_bound
from graphkit.serde.parts import Bag, Pairs
from graphkit.serde.place import too_large
from graphkit.serde.record import MAX_BYTES, OVERHEAD

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from graphkit.serde.parts import Kind, Parts, State

STORED: Final = (
    ormsgpack.OPT_PASSTHROUGH_TUPLE
    | ormsgpack.OPT_PASSTHROUGH_SUBCLASS
    | ormsgpack.OPT_PASSTHROUGH_DATACLASS
    | ormsgpack.OPT_PASSTHROUGH_DATETIME
    | ormsgpack.OPT_PASSTHROUGH_UUID
    | ormsgpack.OPT_PASSTHROUGH_ENUM
    | ormsgpack.OPT_PASSTHROUGH_BIG_INT
)
"""ormsgpack changes no type by itself."""

CANONICAL: Final = STORED | ormsgpack.OPT_SORT_KEYS
"""The same for digests: equal dicts have equal bytes."""

FAST_LEVELS: Final = 12
"""Extensions inside of each other that the fast way follows. Beyond, the careful way packs each by itself, from the inside out,
instead of going through C and Python by turns."""

SHORT: Final = 64 * 1024
"""Bytes of a record that is not looked at more closely for its length."""

_LOOKALIKES: Final = frozenset({bytearray, memoryview, ormsgpack.Ext, ormsgpack.Fragment})
"""What ormsgpack writes without asking, though it would not come back as it went."""


class GiveUpError(Exception):
    """The fast way does not settle this value."""


def write(kinds: Mapping[type, Kind | None], options: int, value: object) -> bytes:
    """Return the body of a record.

    Args:
        kinds: How to take each known type apart.
        options: ``STORED`` or ``CANONICAL``.
        value: What to write.

    Raises:
        UnserializableValueError: Something in ``value`` cannot be stored; it names the path.
    """
    body = _plain(value, options)
    return body if body is not None else Writer(kinds, options).write(value)


def _plain(value: object, options: int) -> bytes | None:
    """Return the body of a short record of what MessagePack knows by itself; None leaves it to a Writer, which would return the same.

    Nearly all records of a superstep are like that, and a Writer costs as much as writing one.
    """
    try:
        body = ormsgpack.packb(value, None, options)
    except ormsgpack.MsgpackEncodeError:
        return None
    if _may_hold_bytes(body) or (len(body) > MAX_DEPTH and (len(body) > SHORT or depth_bound(body) > MAX_DEPTH)):
        return None
    return body


class Writer:
    """Writes one value. Made for each call, so that threads share nothing.

    Args:
        kinds: How to take each known type apart; None for any other type.
        options: ``STORED`` or ``CANONICAL``.
    """

    __slots__ = ("_inner", "_kinds", "_level", "_options", "_stop")

    def __init__(self, kinds: Mapping[type, Kind | None], options: int) -> None:
        self._kinds = kinds
        self._options = options
        self._level = 0
        self._inner = 0
        self._stop: BaseException | None = None

    def write(self, value: object) -> bytes:
        """Return the body of a record.

        Raises:
            UnserializableValueError: Something in ``value`` cannot be stored; it names the path.
        """
        try:
            body = self._pack(value)
            if depth_bound(body) > MAX_DEPTH and _layers([value]) + self._inner > MAX_DEPTH:
                raise GiveUpError
        except (GiveUpError, ormsgpack.MsgpackEncodeError):
            # ormsgpack swallows what its callback raises, a KeyboardInterrupt too.
            if self._stop is not None:
                raise self._stop from None
            body = CarefulWriter(self._kinds, self._options, sort=self._options == CANONICAL).write(value)
        if len(body) > MAX_BYTES - OVERHEAD:
            raise too_large(value, len(body))
        return body

    def _pack(self, value: object) -> bytes:
        body = ormsgpack.packb(value, self._default, self._options)
        if _may_hold_bytes(body) and _layers([value]) > MAX_DEPTH:
            raise GiveUpError
        return body

    def _default(self, value: object) -> ormsgpack.Ext:
        kind = self._kinds[type(value)]
        if kind is None or self._level >= FAST_LEVELS:
            raise GiveUpError
        self._level += 1
        try:
            payload = self._payload(kind.apart(value))
        except Exception:
            raise
        except BaseException as stop:
            self._stop = stop
            raise
        self._level -= 1
        if self._level == 0 and self._inner <= MAX_DEPTH:
            self._inner = max(self._inner, depth_bound(payload))
        return ormsgpack.Ext(kind.code, payload)

    def _payload(self, parts: Parts) -> bytes:
        head, states = parts
        if not states:
            return ormsgpack.packb(head)
        native = [self._native(state) for state in states]
        payload = ormsgpack.packb([*head, *native], self._default, self._options)
        if _may_hold_bytes(payload) and _layers([part for part in native if type(part) is not ormsgpack.Fragment]) > MAX_DEPTH:
            raise GiveUpError
        return payload

    def _native(self, state: State) -> object:
        if isinstance(state, Pairs):
            return [part for pair in state.items for part in pair]
        if isinstance(state, Bag):
            return joined(sorted([self._pack(item) for item in state.items]))
        return state


def _may_hold_bytes(body: bytes) -> bool:
    return b"\xc4" in body or b"\xc5" in body or b"\xc6" in body


def _layers(values: list[object]) -> int:
    """Count the lists and dicts inside of each other; a lookalike in them counts as too many."""
    layers = 0
    while layers <= MAX_DEPTH:
        inner: list[Iterable[object]] = []
        for value in values:
            if type(value) is dict:
                inner.append(value.values())
            elif type(value) is list:
                inner.append(value)
            elif type(value) in _LOOKALIKES:
                return MAX_DEPTH + 1
        if not inner:
            return layers
        layers += 1
        values = [item for container in inner for item in container]
    return layers
