"""State schemas: from a TypedDict, dataclass, pydantic model or bare type to fields, each with its channel.

A schema says three things: which keys there are and by which rule each takes updates, how user code sees the state
(``Schema.read``), and how an instance is read back as an update (``Schema.given``).
"""

from __future__ import annotations

import dataclasses
import inspect
import sys
from collections.abc import Callable, Collection, Mapping
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias, cast, get_args, get_origin, get_type_hints, is_typeddict

from graphkit.core.channels import BinaryOperatorAggregate, Channel, LastValue
from graphkit.core.command import MISSING, ROOT
from graphkit.core.record import record
from graphkit.errors import InvalidSchemaError, InvalidStateError

if TYPE_CHECKING:
    from types import ModuleType

Kind = Literal["typeddict", "dataclass", "pydantic", "root"]

RESERVED = ("__start__", "__end__", "__input__", "__copy__", "__interrupt__", "__metadata__", "__root__")
"""Names that cannot be state keys."""

Check: TypeAlias = Callable[[object], object]
"""Validates a value: returns it, possibly converted, or raises InvalidStateError."""


class Managed(Enum):
    """A key that is computed for each node run, read-only and never stored."""

    REMAINING_STEPS = "remaining_steps"
    IS_LAST_STEP = "is_last_step"

    def value_at(self, remaining: int) -> object:
        """Return the key's value when ``remaining`` supersteps may follow the present one."""
        return remaining if self is Managed.REMAINING_STEPS else remaining <= 0


RemainingSteps = Annotated[int, Managed.REMAINING_STEPS]
"""State key annotation: how many supersteps may follow this one before the recursion limit."""

IsLastStep = Annotated[bool, Managed.IS_LAST_STEP]
"""State key annotation: whether this is the last superstep the recursion limit allows."""


@record
class Field:
    """One state key.

    Args:
        name: The key.
        annotation: Its type, Annotated taken off.
        channel: By which rule it takes updates.
        start: Makes its value before any update; None for no value.
        check: Validates values; None when the schema does not validate.
        prepare: Makes an update what it is to be saved and shown as; the reducer's own, None if it has none.
        managed: Set for a computed key, which has no channel in use.
    """

    name: str
    annotation: object
    channel: Channel
    start: Callable[[], object] | None = None
    check: Check | None = None
    prepare: Callable[[object], object] | None = None
    managed: Managed | None = None


@record
class Schema:
    """The fields of a state class and how it is built.

    Args:
        cls: The class, or the bare type.
        kind: What sort of class it is.
        fields: By key; a bare type has the one key ROOT.
    """

    cls: object
    kind: Kind
    fields: Mapping[str, Field]

    def reader(self, channels: Collection[str]) -> Callable[[Mapping[str, object], int], object]:
        """Return the function that builds what user code sees: (values, remaining supersteps) -> state object.

        Args:
            channels: Every key of the graph; private ones of other nodes are not shown.
        """
        keys = [name for name, field in self.fields.items() if field.managed is None]
        managed = [(name, field.managed) for name, field in self.fields.items() if field.managed is not None]
        if self.kind == "root":
            return lambda values, _remaining: values.get(ROOT)
        if self.kind == "typeddict" and not managed and set(keys) == set(channels):
            return lambda values, _remaining: dict(values)
        build = {"typeddict": _same, "dataclass": _dataclass_builder, "pydantic": _pydantic_builder}[self.kind](self.cls)

        def read(values: Mapping[str, object], remaining: int) -> object:
            seen = {key: values[key] for key in keys if key in values}
            for key, computed in managed:
                seen[key] = computed.value_at(remaining)
            return build(seen)

        return read

    def given(self, instance: object, current: Mapping[str, object], seen: object) -> dict[str, object] | None:
        """Return the update an instance of the schema stands for, None if ``instance`` is none.

        Only what was given counts: of the very instance the node was handed, the fields that differ from the state; of
        another one, the fields a pydantic model was made with, or the dataclass fields that are not their default, but
        no container that it shares with the node's input.

        Args:
            instance: What the node returned.
            current: The state's values.
            seen: What the node was handed.
        """
        names = self._names(instance)
        if names is None:
            return None
        values = {name: getattr(instance, name) for name in names if self.fields[name].managed is None}
        if instance is seen:
            return {name: value for name, value in values.items() if name not in current or value != current[name]}
        return {name: value for name, value in values.items() if not (_is_container(value) and value is getattr(seen, name, None))}

    def _names(self, instance: object) -> Collection[str] | None:
        """Return the fields that an instance was given a value for."""
        if self.kind == "pydantic" and isinstance(instance, self.cls):  # type: ignore[arg-type]
            names: Collection[str] = instance.model_fields_set & self.fields.keys()  # type: ignore[attr-defined]
            return names
        if self.kind == "dataclass" and isinstance(instance, self.cls):  # type: ignore[arg-type]
            return [found.name for found in dataclasses.fields(instance) if not _is_default(found, getattr(instance, found.name))]  # type: ignore[arg-type]
        return None


def read_schema(cls: object) -> Schema:
    """Read a state class.

    Raises:
        InvalidSchemaError: A key is reserved, a reducer does not take two arguments, or hints cannot be resolved.
    """
    kind = _kind(cls)
    if kind == "root":
        return Schema(cls, kind, {ROOT: _field(ROOT, cls, None, None)})
    hints = _hints(cls)
    starts = _starts(cls, kind)
    checks = _checks(cls) if kind == "pydantic" else {}
    fields = {}
    for name, hint in hints.items():
        if name in RESERVED:
            raise InvalidSchemaError(f"State key {name!r} of {_name(cls)} is reserved.", hint="Rename the key.", key=name)
        fields[name] = _field(name, hint, starts.get(name), checks.get(name))
    return Schema(cls, kind, fields)


def _kind(cls: object) -> Kind:
    if is_typeddict(cls) or _is_extension_typeddict(cls):
        return "typeddict"
    if _is_pydantic(cls):
        return "pydantic"
    if isinstance(cls, type) and dataclasses.is_dataclass(cls):
        return "dataclass"
    if get_origin(cls) is not None or isinstance(cls, type):
        return "root"
    raise InvalidSchemaError(
        f"{cls!r} is no state schema.", hint="Use a TypedDict, a dataclass, a pydantic model or a type such as Annotated[list, add]."
    )


def _is_extension_typeddict(cls: object) -> bool:
    module = sys.modules.get("typing_extensions")
    return module is not None and module.is_typeddict(cls)


def _is_pydantic(cls: object) -> bool:
    pydantic: ModuleType | None = sys.modules.get("pydantic")
    return pydantic is not None and isinstance(cls, type) and issubclass(cls, pydantic.BaseModel)


def _hints(cls: object) -> dict[str, object]:
    try:
        hints = get_type_hints(cls, include_extras=True)
    except (NameError, TypeError) as error:
        raise InvalidSchemaError(
            f"The annotations of {_name(cls)} cannot be resolved: {error}", hint="Define the types at module level."
        ) from error
    if _is_pydantic(cls):
        return {name: hint for name, hint in hints.items() if name in cls.model_fields}  # type: ignore[attr-defined]
    if isinstance(cls, type) and dataclasses.is_dataclass(cls):
        return {field.name: hints[field.name] for field in dataclasses.fields(cls)}
    return dict(hints)


def _starts(cls: object, kind: Kind) -> dict[str, Callable[[], object]]:
    """Return what makes the default of each key that has one."""
    starts: dict[str, Callable[[], object]] = {}
    if kind == "dataclass":
        for field in dataclasses.fields(cls):  # type: ignore[arg-type]
            if field.default_factory is not dataclasses.MISSING:
                starts[field.name] = field.default_factory
            elif field.default is not dataclasses.MISSING:
                starts[field.name] = _constant(field.default)
    elif kind == "pydantic":
        for name, info in cls.model_fields.items():  # type: ignore[attr-defined]
            if not info.is_required():
                starts[name] = _pydantic_default(info)
    return starts


def _pydantic_default(info: object) -> Callable[[], object]:
    return lambda: info.get_default(call_default_factory=True)  # type: ignore[attr-defined]


def _constant(value: object) -> Callable[[], object]:
    return lambda: value


def _field(name: str, hint: object, start: Callable[[], object] | None, check: Check | None) -> Field:
    base, extras = _unwrapped(hint)
    for extra in extras:
        if isinstance(extra, Managed):
            return Field(name, base, LastValue(base), managed=extra)
    channel = _channel(name, base, extras)
    if start is None and channel.initial() is not MISSING:
        start = channel.initial
    prepare = getattr(channel.operator, "prepare", None) if isinstance(channel, BinaryOperatorAggregate) else None
    return Field(name, base, channel, start, check, prepare)


def _unwrapped(hint: object) -> tuple[object, tuple[object, ...]]:
    """Take Annotated, Required, NotRequired and ReadOnly off a hint; return the type and all annotations in order."""
    extras: tuple[object, ...] = ()
    while True:
        origin = get_origin(hint)
        if origin is Annotated:
            hint, *own = get_args(hint)
            extras = (*own, *extras)
        elif getattr(origin, "_name", "") in {"Required", "NotRequired", "ReadOnly"}:
            (hint,) = get_args(hint)
        else:
            return hint, extras


def _channel(name: str, base: object, extras: tuple[object, ...]) -> Channel:
    for extra in reversed(extras):
        if isinstance(extra, type) and hasattr(extra, "merge") and hasattr(extra, "initial"):
            return cast("Channel", extra(base))
        if not isinstance(extra, type) and isinstance(extra, Channel):
            return extra
    if extras and callable(extras[-1]) and not isinstance(extras[-1], type):
        return BinaryOperatorAggregate(_start_type(base), _reducer(name, extras[-1]))
    return LastValue(base)


def _reducer(name: str, function: Callable[..., object]) -> Callable[[object, object], object]:
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return function  # a C function without a signature, such as operator.add on old builds
    positional = [p for p in parameters if p.kind in {p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD}]
    variable = any(p.kind is p.VAR_POSITIONAL for p in parameters)
    needed = [p for p in positional if p.default is p.empty]
    if (len(positional) < 2 and not variable) or len(needed) > 2:
        raise InvalidSchemaError(
            f"The reducer of {name!r} must take (value, update), but its parameters are {[p.name for p in parameters]}.", key=name
        )
    return function


def _start_type(base: object) -> object:
    origin = get_origin(base) or base
    module = getattr(origin, "__module__", "")
    if module == "collections.abc":
        abstract = {
            "Sequence": list,
            "MutableSequence": list,
            "Collection": list,
            "Iterable": list,
            "Set": set,
            "MutableSet": set,
            "Mapping": dict,
            "MutableMapping": dict,
        }
        return abstract.get(getattr(origin, "__name__", ""), origin)
    return origin


def _checks(cls: object) -> dict[str, Check]:
    """Return a validator for each field of a pydantic model."""
    decorators = cls.__pydantic_decorators__  # type: ignore[attr-defined]
    if decorators.model_validators or cls.model_config.get("frozen"):  # type: ignore[attr-defined]
        return {name: _field_check(name, info) for name, info in cls.model_fields.items()}  # type: ignore[attr-defined]
    return {name: _assignment_check(cls, name) for name in cls.model_fields}  # type: ignore[attr-defined]


def _assignment_check(cls: object, name: str) -> Check:
    """Validate as if the value was assigned to the field, its field validators included."""
    from pydantic import ValidationError  # noqa: PLC0415 - the schema is a pydantic model, so it is loaded

    def check(value: object) -> object:
        try:
            model = cls.__pydantic_validator__.validate_assignment(cls.model_construct(), name, value)  # type: ignore[attr-defined]
        except ValidationError as error:
            raise _misfit(error) from error
        return getattr(model, name)

    return check


def _field_check(name: str, info: object) -> Check:  # noqa: ARG001 - same shape as _assignment_check
    from pydantic import TypeAdapter, ValidationError  # noqa: PLC0415 - the schema is a pydantic model, so it is loaded

    adapter: TypeAdapter[object] = TypeAdapter(Annotated[info.annotation, info])  # type: ignore[attr-defined, arg-type]

    def check(value: object) -> object:
        try:
            return adapter.validate_python(value)
        except ValidationError as error:
            raise _misfit(error) from error

    return check


def _misfit(error: Exception) -> InvalidStateError:
    details = error.errors(include_url=False)  # type: ignore[attr-defined]
    first = details[0]
    where = ".".join(map(str, first["loc"]))
    return InvalidStateError(f"{where + ': ' if where else ''}{first['msg']} (got {str(first['input'])[:80]!r})")


def _same(cls: object) -> Callable[[dict[str, object]], object]:  # noqa: ARG001 - same shape as the other builders
    return lambda values: values


def _dataclass_builder(cls: object) -> Callable[[dict[str, object]], object]:
    late = [found.name for found in dataclasses.fields(cls) if not found.init]  # type: ignore[arg-type]

    def build(values: dict[str, object]) -> object:
        after = [(name, values.pop(name)) for name in late if name in values]
        try:
            instance = cls(**values)  # type: ignore[operator]
        except TypeError as error:
            raise InvalidStateError(f"The state does not make a {_name(cls)}: {error}") from error
        for name, value in after:
            object.__setattr__(instance, name, value)
        return instance

    return build


def _pydantic_builder(cls: object) -> Callable[[dict[str, object]], object]:
    from pydantic import ValidationError  # noqa: PLC0415 - the schema is a pydantic model, so it is loaded

    def build(values: dict[str, object]) -> object:
        try:
            return cls.model_validate(values, by_name=True, by_alias=False)  # type: ignore[attr-defined]
        except ValidationError as error:
            raise InvalidStateError(f"The state does not make a {_name(cls)}: {_misfit(error).message}") from error

    return build


def _is_default(found: dataclasses.Field[object], value: object) -> bool:
    if found.default_factory is not dataclasses.MISSING:
        return bool(value == found.default_factory())
    return value is found.default


def _is_container(value: object) -> bool:
    return isinstance(value, list | dict | set)


def _name(cls: object) -> str:
    return getattr(cls, "__name__", repr(cls))
