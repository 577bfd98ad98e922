"""What changed between two values, as data. Replaying deltas runs no reducer and no user code.

Identity decides: a value that is the same object has not changed. Values are immutable by agreement, so a value that
was replaced by an equal one is written again, and one that was changed in place is not seen (``compile(debug=True)``
finds such nodes).
"""

from __future__ import annotations

from operator import is_
from typing import TYPE_CHECKING, Final, TypeAlias, assert_never

from graphkit.core.record import record

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


@record
class Set:
    """The key has this value now."""

    value: object


@record
class Append:
    """The list goes on with these items."""

    items: Sequence[object]


@record
class Patch:
    """These entries of the dict changed; ``removed`` are gone."""

    changes: Mapping[object, Change]
    removed: tuple[object, ...] = ()


@record
class Splice:
    """These positions of the list changed, and it goes on with ``items``: a message was replaced by id."""

    changes: Mapping[int, object]
    items: Sequence[object] = ()


@record
class Drop:
    """The key has no value any more."""


Change: TypeAlias = Set | Append | Patch | Splice
Delta: TypeAlias = Change | Drop

PATCH_SHARE: Final = 2
"""A dict or list is patched when fewer than one in this many of its entries changed."""


def diff(old: Mapping[str, object], new: Mapping[str, object], keys: Iterable[str]) -> dict[str, Delta]:
    """Return the delta of each of ``keys`` that changed from ``old`` to ``new``."""
    deltas: dict[str, Delta] = {}
    for key in keys:
        if key not in new:
            if key in old:
                deltas[key] = Drop()
        elif key not in old:
            deltas[key] = Set(new[key])
        elif old[key] is not new[key]:
            deltas[key] = between(old[key], new[key])
    return deltas


def between(old: object, new: object) -> Change:
    """Return the smallest delta that turns ``old`` into ``new``."""
    if type(old) is list and type(new) is list and old and len(new) >= len(old):
        return _between_lists(old, new)
    if type(old) is dict and type(new) is dict and old:
        return _between_dicts(old, new)
    return Set(new)


def patched(value: object, delta: Change) -> object:
    """Return ``value`` after ``delta``; ``value`` itself is left as it is."""
    match delta:
        case Set():
            return delta.value
        case Append():
            return [*_as_list(value), *delta.items]
        case Splice():
            items = [*_as_list(value), *delta.items]
            for index, item in delta.changes.items():
                items[index] = item
            return items
        case Patch():
            return _patched_dict(value, delta)
        case _:
            assert_never(delta)


def replay(values: dict[str, object], deltas: Mapping[str, Delta]) -> None:
    """Apply the deltas of one checkpoint to ``values`` in place."""
    for key, delta in deltas.items():
        if isinstance(delta, Drop):
            values.pop(key, None)
        else:
            values[key] = patched(values.get(key), delta)


def _between_lists(old: list[object], new: list[object]) -> Change:
    size = len(old)
    if all(map(is_, old, new)):
        return Append(new[size:])
    changes = {index: new[index] for index in range(size) if old[index] is not new[index]}
    if len(changes) * PATCH_SHARE < size:
        return Splice(changes, new[size:])
    return Set(new)


def _between_dicts(old: dict[object, object], new: dict[object, object]) -> Change:
    removed = tuple(key for key in old if key not in new)
    changes: dict[object, Change] = {}
    for key, value in new.items():
        if key not in old:
            changes[key] = Set(value)
        elif old[key] is not value:
            changes[key] = between(old[key], value)
    kept, left = [key for key in new if key in old], [key for key in old if key in new]
    in_order = kept == left == list(new)[: len(kept)] and list(map(type, kept)) == list(map(type, left))
    if in_order and (len(changes) + len(removed)) * PATCH_SHARE < len(new):
        return Patch(changes, removed)
    return Set(new)


def _patched_dict(value: object, delta: Patch) -> dict[object, object]:
    entries = dict(value) if isinstance(value, dict) else {}
    for key in delta.removed:
        entries.pop(key, None)
    for key, change in delta.changes.items():
        entries[key] = patched(entries.get(key), change)
    return entries


def _as_list(value: object) -> list[object]:
    return value if isinstance(value, list) else []
