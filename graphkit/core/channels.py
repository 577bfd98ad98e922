"""Channels: the rule by which one state key takes updates. A channel is a rule; it holds no value.

``merge(current, updates)`` gets the value from before the superstep (MISSING if there is none) and every update of the
superstep in order of application, and returns the new value. Anything with the attributes of the Channel protocol may
stand in ``Annotated[T, ...]``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeGuard, runtime_checkable

from graphkit.core.command import MISSING, Overwrite
from graphkit.core.record import record
from graphkit.errors import ConflictingWritesError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

OVERWRITE_KEY = "__overwrite__"
"""``{"__overwrite__": value}`` is Overwrite(value) for callers that can only send JSON."""


@runtime_checkable
class Channel(Protocol):
    """The rule of one state key."""

    @property
    def keeps(self) -> bool:
        """Whether the value outlives a superstep that does not write it."""

    @property
    def stored(self) -> bool:
        """Whether the value is part of checkpoints."""

    def initial(self) -> object:
        """Return the value of the key before its first update, MISSING for none."""

    def merge(self, current: object, updates: Sequence[object]) -> object:
        """Return the value after ``updates`` (at least one). Pure.

        Raises:
            ConflictingWritesError: The channel takes one update a superstep and got several.
        """


@record
class LastValue:
    """Takes one update per superstep and keeps it. The channel of a key without a reducer."""

    typ: object = None

    keeps = True
    stored = True

    def initial(self) -> object:
        """No value."""
        return MISSING

    def merge(self, current: object, updates: Sequence[object]) -> object:  # noqa: ARG002 - the protocol's shape
        """Return the only update."""
        if len(updates) != 1:
            raise _conflict(updates)
        update = updates[0]
        return update.value if type(update) is Overwrite else update


@record
class AnyValue:
    """Takes any number of updates, assumes they are equal, keeps the last one for one superstep."""

    typ: object = None

    keeps = False
    stored = True

    def initial(self) -> object:
        """No value."""
        return MISSING

    def merge(self, current: object, updates: Sequence[object]) -> object:  # noqa: ARG002 - the protocol's shape
        """Return the last update."""
        return updates[-1]


@record
class EphemeralValue:
    """Keeps an update for one superstep. With ``guard`` (the default) it takes one update, otherwise the last."""

    typ: object = None
    guard: bool = True

    keeps = False
    stored = True

    def initial(self) -> object:
        """No value."""
        return MISSING

    def merge(self, current: object, updates: Sequence[object]) -> object:  # noqa: ARG002 - the protocol's shape
        """Return the last update."""
        if self.guard and len(updates) != 1:
            raise _conflict(updates)
        return updates[-1]


@record
class UntrackedValue:
    """Keeps an update while the run lasts; it is never stored and is gone after a resume."""

    typ: object = None
    guard: bool = True

    keeps = True
    stored = False

    def initial(self) -> object:
        """No value."""
        return MISSING

    def merge(self, current: object, updates: Sequence[object]) -> object:  # noqa: ARG002 - the protocol's shape
        """Return the last update."""
        if self.guard and len(updates) != 1:
            raise _conflict(updates)
        return updates[-1]


@record
class Topic:
    """Collects updates in a list; an update that is a list is taken apart.

    The list is emptied with each superstep unless ``accumulate`` is set.
    """

    typ: object = None
    accumulate: bool = False

    stored = True

    @property
    def keeps(self) -> bool:
        """Whether items stay over supersteps."""
        return self.accumulate

    def initial(self) -> object:
        """No items and no value."""
        return MISSING

    def merge(self, current: object, updates: Sequence[object]) -> object:
        """Return the collected items."""
        items: list[object] = list(current) if self.accumulate and isinstance(current, list) else []
        for update in updates:
            if isinstance(update, list):
                items.extend(update)
            else:
                items.append(update)
        return items


@record
class BinaryOperatorAggregate:
    """Folds updates into the value with a reducer: ``value = operator(value, update)``.

    Args:
        typ: Called without arguments for the start value, if that works (``list``, ``int``, ...).
        operator: A pure function of (value, update).
    """

    typ: object
    operator: Callable[[object, object], object]

    keeps = True
    stored = True

    def initial(self) -> object:
        """Return ``typ()``, or no value if ``typ`` cannot be called that way."""
        if not callable(self.typ):
            return MISSING
        try:
            return self.typ()
        except Exception:  # noqa: BLE001 - the user's class; any failure means there is no start value
            return MISSING

    def merge(self, current: object, updates: Sequence[object]) -> object:
        """Fold the updates in order; one Overwrite replaces everything."""
        overwrites = [update for update in updates if is_overwrite(update)]
        if overwrites:
            if len(overwrites) > 1:
                raise _conflict(overwrites)
            return overwritten(overwrites[0])
        value = current
        for update in updates:
            value = update if value is MISSING else self.operator(value, update)
        return value


def is_overwrite(update: object) -> TypeGuard[Overwrite | Mapping[str, object]]:
    """Tell whether an update is an Overwrite, in either form."""
    kind = type(update)
    return kind is Overwrite or (kind is dict and len(update) == 1 and OVERWRITE_KEY in update)  # type: ignore[arg-type, operator]


def overwritten(update: Overwrite | Mapping[str, object]) -> object:
    """Return the value of an Overwrite, in either form."""
    return update.value if isinstance(update, Overwrite) else update[OVERWRITE_KEY]


def _conflict(updates: Sequence[object]) -> ConflictingWritesError:
    return ConflictingWritesError(f"{len(updates)} updates in one superstep for a key that takes one.")
