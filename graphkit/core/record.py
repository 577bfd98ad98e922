"""``@record``: a slotted dataclass that type checkers treat as frozen.

A dataclass with ``frozen=True`` pays at run time for a promise that a type checker can keep: making an instance takes
five times as long, and a superstep makes several, and making the class takes four times as long, and importing
graphkit makes a hundred. Records are compared, hashed and shown by their fields, like frozen dataclasses. What users
hold in their hands (Send, Command, Interrupt, ...) is a real frozen dataclass.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar, dataclass_transform

if TYPE_CHECKING:
    from dataclasses import Field

T = TypeVar("T")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def record(cls: type[T]) -> type[T]:
    """Make a class a record; methods it defines itself are kept."""
    made = dataclass(slots=True, eq=False, repr=False)(cls)
    assert not any([found.kw_only for found in _fields(made).values()]), "replace() passes fields by position"
    for name, method in (("__eq__", _equal), ("__hash__", _hash), ("__repr__", _repr)):
        if name not in cls.__dict__:
            setattr(made, name, method)
    return made


def replace(instance: T, **changes: object) -> T:
    """Return a copy of a record with other values for some fields.

    ``dataclasses.replace`` reads the description of every field each time, which takes three times as long.
    """
    kind: Any = type(instance)
    made: T = kind(*[changes.pop(name) if name in changes else getattr(instance, name) for name in kind.__match_args__], **changes)
    return made


def _fields(instance: object) -> dict[str, Field[Any]]:
    fields: dict[str, Field[Any]] = instance.__dataclass_fields__  # type: ignore[attr-defined]
    return fields


def _values(instance: object) -> tuple[object, ...]:
    return tuple([getattr(instance, name) for name, found in _fields(instance).items() if found.compare])


def _equal(self: object, other: object) -> bool:
    return _values(self) == _values(other) if type(other) is type(self) else NotImplemented


def _hash(self: object) -> int:
    return hash(_values(self))


def _repr(self: object) -> str:
    shown = ", ".join([f"{name}={getattr(self, name)!r}" for name, found in _fields(self).items() if found.repr])
    return f"{type(self).__qualname__}({shown})"
