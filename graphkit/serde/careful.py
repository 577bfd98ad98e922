"""The careful way to write a value: a walk in Python that knows where it is.

It writes the same bytes as the fast way, and also what the fast way cannot express. What it cannot write is an
UnserializableValueError with the path. The walk keeps its own stack of generators, one for each container it is in, so
that it does not depend on how much of Python's stack is left.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias, TypeVar, assert_never

import ormsgpack

from graphkit.serde.depth import MAX_DEPTH
from graphkit.serde.parts import DICT, LARGEST_INT, SMALLEST_INT, Bag, Pairs, RefusalError
from graphkit.serde.place import Place, refused, too_deep, unknown

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Mapping

    from graphkit.serde.parts import Kind, Parts, State

    T = TypeVar("T")
    Parting: TypeAlias = Generator[tuple[object, Place], object, T]
    """Yields each part of a value with its place, and is sent the part in terms of MessagePack."""

    Walk: TypeAlias = Parting[object]
    """Returns the whole value in these terms."""

_PLAIN: Final = frozenset({type(None), bool, float, bytes})


class CarefulWriter:
    """Writes one value.

    Args:
        kinds: How to take each known type apart; None for any other type.
        options: What to tell ormsgpack.
        sort: Write the entries of dicts in the order of their bytes.
    """

    def __init__(self, kinds: Mapping[type, Kind | None], options: int, *, sort: bool) -> None:
        self._kinds = kinds
        self._options = options
        self._sort = sort

    def write(self, value: object) -> bytes:
        """Return the body of a record.

        Raises:
            UnserializableValueError: Something in ``value`` cannot be stored.
        """
        walks = [self._walk(value, None, 0)]
        answer: object = None
        while walks:
            try:
                part, place = walks[-1].send(answer)
            except StopIteration as finished:
                walks.pop()
                answer = finished.value
            else:
                walks.append(self._walk(part, place, len(walks)))
                answer = None
        return self._pack(answer)

    def _pack(self, lowered: object) -> bytes:
        return ormsgpack.packb(lowered, None, self._options)

    def _walk(self, value: object, place: Place | None, depth: int) -> Walk:
        kind = type(value)
        if kind in _PLAIN or (type(value) is str and _is_text(value)) or (type(value) is int and SMALLEST_INT <= value <= LARGEST_INT):
            return value
        if depth >= MAX_DEPTH and kind in {list, dict}:
            raise too_deep(value, place)
        if type(value) is list:
            return (yield from self._items(value, value, place))
        if type(value) is dict:
            return (yield from self._dict(value, value, place))
        known = self._kinds[kind]
        if known is None:
            raise unknown(value, place)
        parts = _parts(known, value, place)
        if parts.states and depth >= MAX_DEPTH:
            raise too_deep(value, place)
        wire: list[object] = list(parts.head)
        for state in parts.states:
            lowered = yield from self._state(state, value, place)
            wire.append(lowered)
        return ormsgpack.Ext(known.code, self._pack(wire))

    def _state(self, state: State, holder: object, place: Place | None) -> Walk:
        match state:
            case list():
                return (yield from self._items(state, holder, place))
            case dict():
                return (yield from self._dict(state, holder, place))
            case Pairs():
                return joined([part for pair in (yield from self._pairs(state.items, holder, place)) for part in pair])
            case Bag():
                return joined(sorted((yield from self._members(state.items, holder, place))))
            case _:
                assert_never(state)

    def _items(self, items: Iterable[object], holder: object, place: Place | None) -> Walk:
        lowered = []
        for index, item in enumerate(items):
            lowered.append(item if type(item) in _PLAIN else (yield item, Place(place, holder, "item", index)))
        return lowered

    def _dict(self, entries: Mapping[object, object], holder: object, place: Place | None) -> Walk:
        if all(type(key) is str and _is_text(key) for key in entries):
            return (yield from self._entries(entries, holder, place))
        pairs = yield from self._pairs(entries.items(), holder, place)
        if self._sort:
            pairs.sort()
        return ormsgpack.Ext(DICT, self._pack([joined([part for pair in pairs for part in pair])]))

    def _entries(self, entries: Mapping[object, object], holder: object, place: Place | None) -> Walk:
        lowered = {}
        for key, item in entries.items():
            lowered[key] = item if type(item) in _PLAIN else (yield item, Place(place, holder, "key", key))
        return lowered

    def _pairs(self, pairs: Iterable[tuple[object, object]], holder: object, place: Place | None) -> Parting[list[tuple[bytes, bytes]]]:
        packed = []
        for index, (key, item) in enumerate(pairs):
            name = self._pack((yield key, Place(place, holder, "name", index)))
            packed.append((name, self._pack((yield item, Place(place, holder, "key", key)))))
        return packed

    def _members(self, items: list[object], holder: object, place: Place | None) -> Parting[list[bytes]]:
        packed = []
        for item in items:
            lowered = yield item, Place(place, holder, "member", None)
            packed.append(self._pack(lowered))
        return packed


def joined(items: list[bytes]) -> ormsgpack.Fragment:
    """Return the array of these packed items."""
    # An array of n None is its header and n bytes.
    header = ormsgpack.packb([None] * len(items))[: -len(items) or None]
    return ormsgpack.Fragment(header + b"".join(items))


def _is_text(text: str) -> bool:
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _parts(known: Kind, value: object, place: Place | None) -> Parts:
    try:
        return known.apart(value)
    except RefusalError as refusal:
        raise refused(value, place, refusal.reason, refusal.hint) from None
    except Exception as error:
        raise refused(value, place, f"taking it apart raised {type(error).__name__}", "Store it as a plain value.") from error
