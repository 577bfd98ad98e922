"""The kinds of classes a codec can learn: how instances of registered classes are taken apart and put together.

Putting together runs no ``__init__``, no validator and no property of the class; what was stored is what comes back.
A stored field that the class no longer has, or a field without default that was not stored, is an UnknownTypeError.
"""

from __future__ import annotations

import dataclasses
import sys
from contextlib import suppress
from dataclasses import field
from enum import Enum, Flag
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Final, TypeAlias, cast

from graphkit.core.record import record, replace
from graphkit.errors import UnknownTypeError
from graphkit.serde.content import CONTENT
from graphkit.serde.exceptions import error_from, error_state
from graphkit.serde.parts import Parts, RefusalError, exactly

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pydantic import BaseModel

DATACLASS: Final = 40
MODEL: Final = 41
ENUM: Final = 42
NAMED_TUPLE: Final = 43
SUBCLASS: Final = 44
ERROR: Final = 45

SHAPE_NAMES: Final[Mapping[int, str]] = {
    DATACLASS: "dataclass",
    MODEL: "pydantic model",
    ENUM: "enum",
    NAMED_TUPLE: "NamedTuple",
    SUBCLASS: "subclass of a builtin type",
    ERROR: "exception",
}


@record
class DataclassShape:
    """Instances of a dataclass: the values of its fields, by name. Attributes that are no fields (cached properties) are left out.

    ``usual`` holds values that are not written: those of fields whose default never changes.
    """

    tag: str
    kind: type
    names: tuple[str, ...]
    defaults: Mapping[str, Callable[[], object]]
    usual: Mapping[str, object] = field(default_factory=dict)
    code: int = DATACLASS

    def apart(self, value: object) -> Parts:
        """Take an instance apart."""
        values: dict[object, object] = {name: _field(value, name) for name in self.names}
        if self.usual:
            values = {name: found for name, found in values.items() if name not in self.usual or not _same(found, self.usual[name])}  # type: ignore[index]
        return Parts([self.tag], (values,))

    def build(self, stored: object) -> object:
        """Put an instance together."""
        made: object = object.__new__(self.kind)
        for name, value in _complete(self.tag, stored, self.names, self.defaults).items():
            object.__setattr__(made, name, value)
        return made


@record
class ModelShape:
    """Instances of a pydantic model: fields, extra values, private attributes and which fields were set."""

    tag: str
    kind: type[BaseModel]
    code: int = MODEL

    def apart(self, value: object) -> Parts:
        """Take an instance apart."""
        attributes = object.__getattribute__(value, "__dict__")
        extra: dict[object, object] | None = object.__getattribute__(value, "__pydantic_extra__")
        private: dict[object, object] | None = object.__getattribute__(value, "__pydantic_private__")
        names = self.kind.model_fields
        fields: dict[object, object] = {}
        for name in names:
            if name in attributes:
                fields[name] = attributes[name]
            elif names[name].is_required():
                raise RefusalError(f"its field {name!r} has no value", "Give every required field a value.")
        chosen = sorted(object.__getattribute__(value, "__pydantic_fields_set__"))
        return Parts([self.tag, chosen, extra is not None, private is not None], (fields, extra or {}, private or {}))

    def build(self, *stored: object) -> object:
        """Put an instance together."""
        chosen, has_extra, has_private, fields, extra, private = stored
        names = self.kind.model_fields
        defaults = {name: _model_default(field) for name, field in names.items() if not field.is_required()}
        made = object.__new__(self.kind)
        object.__setattr__(made, "__dict__", _complete(self.tag, fields, tuple(names), defaults))
        object.__setattr__(made, "__pydantic_fields_set__", {exactly(str, name) for name in exactly(list, chosen)})
        self._fill(made, "__pydantic_extra__", exactly(dict, extra) if has_extra else None)
        self._fill(made, "__pydantic_private__", self._private(exactly(dict, private)) if has_private else None)
        return made

    def _fill(self, made: object, name: str, value: object) -> None:
        # A RootModel has None in its class where other models have a slot.
        if value is not None or getattr(self.kind, name) is not None:
            object.__setattr__(made, name, value)

    def _private(self, stored: dict[str, object]) -> dict[str, object]:
        declared = self.kind.__private_attributes__
        gone = [name for name in stored if name not in declared]
        if gone:
            raise _missing_field(self.tag, gone[0], "no longer has")
        fresh = {name: private.get_default() for name, private in declared.items() if name not in stored}
        undefined = sys.modules["pydantic_core"].PydanticUndefined
        return stored | {name: value for name, value in fresh.items() if value is not undefined}


@record
class EnumShape:
    """Members of an enum, by name; a combination of flags by the names of its members."""

    tag: str
    kind: type[Enum]
    code: int = ENUM

    def apart(self, value: object) -> Parts:
        """Take a member apart."""
        assert isinstance(value, Enum)
        name = object.__getattribute__(value, "_name_")
        if self.kind.__members__.get(name) is value:
            return Parts([self.tag, name])
        names = [str(member.name) for member in type(value) if member in value] if isinstance(value, Flag) else []
        if not isinstance(value, Flag) or self._combined(names) != value:
            raise RefusalError("it is no member of its enum", "Store only members and combinations of them.")
        return Parts([self.tag, list(names)])

    def build(self, stored: object) -> object:
        """Return the member again."""
        if isinstance(stored, list):
            return self._combined([exactly(str, name) for name in stored])
        return self._member(exactly(str, stored))

    def _combined(self, names: list[str]) -> Enum:
        if not issubclass(self.kind, Flag):
            raise TypeError("members combined, but no flags")
        return reduce(or_, [self._member(name) for name in names], self.kind(0))

    def _member(self, name: str) -> Enum:
        member = self.kind.__members__.get(name)
        if member is None:
            raise _missing_field(self.tag, name, "no longer has")
        return member


@record
class NamedTupleShape:
    """Instances of a NamedTuple, field by field."""

    tag: str
    kind: type[tuple[object, ...]]
    names: tuple[str, ...]
    defaults: Mapping[str, object]
    code: int = NAMED_TUPLE

    def apart(self, value: object) -> Parts:
        """Take a tuple apart."""
        assert isinstance(value, tuple)
        return Parts([self.tag], (dict(zip(self.names, tuple.__iter__(value), strict=True)),))

    def build(self, stored: object) -> object:
        """Put a tuple together."""
        defaults = {name: _constant(value) for name, value in self.defaults.items()}
        return tuple.__new__(self.kind, _complete(self.tag, stored, self.names, defaults).values())


@record
class ErrorShape:
    """Exceptions of a registered class: arguments and attributes."""

    tag: str
    kind: type[BaseException]
    slots: tuple[str, ...]
    code: int = ERROR

    def apart(self, value: object) -> Parts:
        """Take an exception apart."""
        assert isinstance(value, BaseException)
        return Parts([self.tag], (error_state(value) | {"attributes": _own_attributes(value, self.slots)},))

    def build(self, stored: object) -> object:
        """Put an exception together."""
        state = exactly(dict, stored)
        made = error_from(self.kind, state)
        _set_attributes(made, state["attributes"], self.slots)
        return made


@record
class SubclassShape:
    """Instances of a subclass of a builtin type: the content of the builtin, and the instance's own attributes."""

    tag: str
    kind: type
    base: type
    slots: tuple[str, ...]
    code: int = SUBCLASS

    def apart(self, value: object) -> Parts:
        """Take an instance apart, past any method its class overrides."""
        head, states = CONTENT[self.base].apart(value)
        return Parts([self.tag, *head], (*states, _own_attributes(value, self.slots)))

    def build(self, *stored: object) -> object:
        """Put an instance together."""
        *content, attributes = stored
        made = CONTENT[self.base].made(self.kind, *content)
        _set_attributes(made, attributes, self.slots)
        return made


Shape: TypeAlias = DataclassShape | ModelShape | EnumShape | NamedTupleShape | ErrorShape | SubclassShape


def shape_of(kind: type, tag: str) -> Shape | None:
    """Return how to store instances of ``kind``, or None when graphkit does not know how."""
    if issubclass(kind, Enum):
        return EnumShape(tag, kind) if kind.__members__ or issubclass(kind, Flag) else None
    if is_model(kind):
        return ModelShape(tag, cast("type[BaseModel]", kind))
    if issubclass(kind, BaseException):
        return ErrorShape(tag, kind, _slots(kind))
    if issubclass(kind, tuple) and isinstance(names := getattr(kind, "_fields", None), tuple):
        return NamedTupleShape(tag, kind, names, dict(getattr(kind, "_field_defaults", {})))
    base = next((base for base in CONTENT if issubclass(kind, base)), None)
    if base is not None:
        return SubclassShape(tag, kind, base, _slots(kind))
    if dataclasses.is_dataclass(kind):
        return _dataclass_shape(kind, tag)
    return None


def is_model(kind: type) -> bool:
    """Tell whether ``kind`` is a pydantic model; pydantic is not imported for it."""
    pydantic = sys.modules.get("pydantic")
    return pydantic is not None and issubclass(kind, pydantic.BaseModel)


def is_secret(value: object) -> bool:
    """Tell whether ``value`` is one of pydantic's secrets; pydantic is not imported for it."""
    pydantic = sys.modules.get("pydantic")
    return pydantic is not None and isinstance(value, (pydantic.SecretStr, pydantic.SecretBytes, pydantic.Secret))


def _dataclass_shape(kind: type, tag: str) -> DataclassShape:
    fields = dataclasses.fields(kind)
    defaults: dict[str, Callable[[], object]] = {}
    for one in fields:
        if one.default is not dataclasses.MISSING:
            defaults[one.name] = _constant(one.default)
        elif one.default_factory is not dataclasses.MISSING:
            defaults[one.name] = one.default_factory
    return DataclassShape(tag, kind, tuple(one.name for one in fields), defaults)


def compact_shape(kind: type, tag: str) -> DataclassShape:
    """Return how to store a dataclass whose defaults never change."""
    shape = _dataclass_shape(kind, tag)
    return replace(shape, usual={name: make() for name, make in shape.defaults.items()})


def _same(one: object, other: object) -> bool:
    return type(one) is type(other) and one == other


def _constant(value: object) -> Callable[[], object]:
    return lambda: value


def _model_default(field: object) -> Callable[[], object]:
    return lambda: field.get_default(call_default_factory=True, validated_data={})  # type: ignore[attr-defined]


def _field(value: object, name: str) -> object:
    try:
        return object.__getattribute__(value, name)
    except AttributeError:
        raise RefusalError(f"its field {name!r} has no value", "Give every field a value in __init__ or __post_init__.") from None


def _complete(tag: str, stored: object, names: tuple[str, ...], defaults: Mapping[str, Callable[[], object]]) -> dict[str, object]:
    found = exactly(dict, stored)
    for name in found:
        if name not in names:
            raise _missing_field(tag, name, "no longer has")
    values: dict[str, object] = {}
    for name in names:
        if name in found:
            values[name] = found[name]
        elif name in defaults:
            values[name] = defaults[name]()
        else:
            raise _missing_field(tag, name, "was stored without")
    return values


def _missing_field(tag: str, name: object, problem: str) -> UnknownTypeError:
    return UnknownTypeError(
        f"A stored {tag!r} does not fit its class: it {problem} {name!r}.",
        hint=f"Keep {name!r} in the class, with a default if it is new, or move the stored data to the new form.",
        tag=tag,
        field=name,
    )


def _own_attributes(value: object, slots: tuple[str, ...]) -> dict[object, object]:
    attributes: dict[object, object] = dict(getattr(value, "__dict__", {}))
    for name in slots:
        with suppress(AttributeError):
            attributes[name] = object.__getattribute__(value, name)
    return attributes


def _set_attributes(made: object, stored: object, slots: tuple[str, ...]) -> None:
    for name, value in exactly(dict, stored).items():
        if name in slots:
            object.__setattr__(made, name, value)
        else:
            made.__dict__[exactly(str, name)] = value


def _slots(kind: type) -> tuple[str, ...]:
    names: list[str] = []
    for parent in kind.__mro__:
        declared = vars(parent).get("__slots__", ())
        names += [declared] if isinstance(declared, str) else declared
    return tuple(name for name in names if name not in {"__dict__", "__weakref__"})
