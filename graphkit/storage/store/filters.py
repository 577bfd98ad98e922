"""Filters of a search: read once, with typed errors, then asked for every value without ever raising.

A condition is a value (equal to it), a dict with operators (all of them hold), or a dict with keys (each condition holds for the
value under that key; further keys do not matter). A key that is missing satisfies nothing, not even ``$ne``. Values of different
kinds are unequal and have no order; True is no number.
"""

from __future__ import annotations

import operator
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final, TypeAlias, assert_never

from graphkit.core.record import record
from graphkit.errors import InvalidFilterError, nearest

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_NESTED: Final = 32
"""Dicts inside of each other in a filter."""

_NUMBERS: Final = (int, float, Decimal, Fraction)


@record
class Compared:
    """An operator and the value on its right."""

    holds: Callable[[object, object], bool]
    value: object


@record
class Every:
    """All of these hold for one value."""

    conditions: tuple[Condition, ...]


@record
class Within:
    """The value is a dict in which each of these keys has a value that fits."""

    conditions: tuple[tuple[str, Condition], ...]


Condition: TypeAlias = "Compared | Every | Within"


def parsed(filter: object) -> Condition | None:
    """Return the condition that a filter stands for, None for one that lets everything through.

    Raises:
        InvalidFilterError: It is no dict, a key is no string, an operator is unknown or stands beside keys, or it is nested
            deeper than MAX_NESTED.
    """
    if filter is None:
        return None
    if not isinstance(filter, Mapping):
        raise InvalidFilterError(f"A filter is a dict, not {filter!r:.80}.", hint='Write {"key": value} or {"key": {"$gt": 3}}.')
    if any([isinstance(key, str) and key.startswith("$") for key in filter]):
        raise InvalidFilterError(f"{filter!r:.200} applies operators to no key.", hint='Write {"key": {"$gt": 3}}.')
    return _within(filter, 1) if filter else None


def satisfies(value: object, condition: Condition) -> bool:
    """Tell whether a value satisfies a condition."""
    match condition:
        case Compared(holds, wanted):
            return holds(value, wanted)
        case Every(conditions):
            return all([satisfies(value, each) for each in conditions])
        case Within(conditions):
            return isinstance(value, Mapping) and all([key in value and satisfies(value[key], each) for key, each in conditions])
        case _:
            assert_never(condition)


def same(left: object, right: object) -> bool:
    """Tell whether two values are equal, where True is not 1, at any depth."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        return len(left) == len(right) and all([key in right and same(value, right[key]) for key, value in left.items()])
    if isinstance(left, list | tuple) and type(left) is type(right):
        return len(left) == len(right) and all(map(same, left, right))
    return _safely(operator.eq, left, right)


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[object, object], bool]:
    def holds(left: object, right: object) -> bool:
        return (type(left) is type(right) or (_is_number(left) and _is_number(right))) and _safely(compare, left, right)

    return holds


def _is_number(value: object) -> bool:
    return isinstance(value, _NUMBERS) and not isinstance(value, bool)


def _safely(compare: Callable[[Any, Any], bool], left: object, right: object) -> bool:
    """Compare. Values that cannot be compared, such as times with and without a zone, do not match."""
    try:
        return bool(compare(left, right))
    except (TypeError, ValueError, ArithmeticError):
        return False


def _different(left: object, right: object) -> bool:
    return not same(left, right)


OPERATORS: Final[Mapping[str, Callable[[object, object], bool]]] = {
    "$eq": same,
    "$ne": _different,
    "$gt": _ordered(operator.gt),
    "$gte": _ordered(operator.ge),
    "$lt": _ordered(operator.lt),
    "$lte": _ordered(operator.le),
}


def _within(filter: Mapping[object, object], depth: int) -> Within:
    if depth > MAX_NESTED:
        raise InvalidFilterError(f"The filter is nested deeper than {MAX_NESTED} levels.", hint="Ask for fewer levels of the value.")
    return Within(tuple([(_key(key), _condition(wanted, depth + 1)) for key, wanted in filter.items()]))


def _condition(wanted: object, depth: int) -> Condition:
    if not isinstance(wanted, Mapping) or not wanted:
        return Compared(same, wanted)
    operators = [key for key in wanted if isinstance(key, str) and key.startswith("$")]
    if not operators:
        return _within(wanted, depth)
    if len(operators) < len(wanted):
        raise InvalidFilterError(f"{wanted!r:.200} has operators beside keys.", hint="Put the operators under the key that they are about.")
    return Every(tuple([Compared(_operator(name), wanted[name]) for name in operators]))


def _operator(name: str) -> Callable[[object, object], bool]:
    if name not in OPERATORS:
        raise InvalidFilterError(f"There is no operator {name!r:.80}.", hint=nearest(name, OPERATORS), operator=name)
    return OPERATORS[name]


def _key(key: object) -> str:
    if not isinstance(key, str):
        raise InvalidFilterError(f"A key of a filter is a string, not {key!r:.80}.", hint='Write {"key": value}.')
    return key
