"""How a value is taken apart and put together: the vocabulary between the wire and the kinds of values.

A value that MessagePack does not know is stored as an extension: a code, which says what kind of value it is, and a list,
``[*head, *states]``. The head is what the kind itself writes. The states are the containers with the value's own content.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, Protocol, TypeAlias, TypeVar

from graphkit.core.record import record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

T = TypeVar("T")

Plain: TypeAlias = "bool | int | float | str | bytes | list[Plain] | None"
"""What a head consists of: values that MessagePack keeps as they are (integers of 64 bits, text without surrogates)."""


@record
class Pairs:
    """A state of keys and values whose order is part of the value."""

    items: list[tuple[object, object]]


@record
class Bag:
    """A state of items without an order of their own; they are stored in the order of their bytes."""

    items: list[object]


State: TypeAlias = list[object] | dict[object, object] | Pairs | Bag


class Parts(NamedTuple):
    """A value taken apart."""

    head: list[Plain]
    states: tuple[State, ...] = ()


class Kind(Protocol):
    """What to do with the values of one type."""

    @property
    def code(self) -> int:
        """The extension code under which its values are stored."""
        ...

    def apart(self, value: object) -> Parts:
        """Take ``value`` apart without calling code of its class; ``Refusal`` when it cannot be stored."""
        ...


@record
class Standard:
    """A kind of value that every codec knows.

    Args:
        code: Its extension code.
        apart: Takes a value apart.
        build: Gets what ``[*head, *states]`` decoded to, and returns the value. On hostile content it may raise anything, but must
            have no side effect.
    """

    code: int
    apart: Callable[..., Parts]
    build: Callable[..., object]


class RefusalError(Exception):
    """A kind cannot store a value. The writer turns it into an UnserializableValueError with the path.

    Args:
        reason: Goes on after "<type> at <path> cannot be stored: ".
        hint: What to do about it.
    """

    def __init__(self, reason: str, hint: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.hint = hint


DICT: Final = 3
"""The extension code of a dict that MessagePack cannot hold: one with keys that are no text."""

SMALLEST_INT: Final = -(1 << 63)
LARGEST_INT: Final = (1 << 64) - 1
"""MessagePack keeps integers between these two; others are stored as bytes."""


def integer_out(value: int) -> int | bytes:
    """Return ``value`` as a head may hold it."""
    if SMALLEST_INT <= value <= LARGEST_INT:
        return value
    return value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True)


def integer_in(stored: object) -> int:
    """Undo ``integer_out``."""
    if isinstance(stored, bytes):
        return int.from_bytes(stored, "big", signed=True)
    return exactly(int, stored)


def text_out(text: str) -> bytes:
    """Return ``text`` as a head may hold it, lone surrogates included."""
    return text.encode("utf-8", "surrogatepass")


def text_in(stored: object) -> str:
    """Undo ``text_out``."""
    return exactly(bytes, stored).decode("utf-8", "surrogatepass")


def pairs_in(flat: object) -> Iterable[tuple[object, object]]:
    """Return the keys and values of stored ``Pairs``."""
    items = exactly(list, flat)
    if len(items) % 2:
        raise ValueError("a key without a value")
    return zip(items[::2], items[1::2], strict=True)


def exactly(kind: type[T], value: object) -> T:
    """Return ``value`` if it is of exactly this type; TypeError otherwise."""
    if type(value) is not kind:
        raise TypeError(f"{type(value).__name__} in place of {kind.__name__}")
    return value
