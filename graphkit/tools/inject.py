"""Parameters that the run fills: a model is not told about them and cannot give them."""

from __future__ import annotations

import collections.abc
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from enum import Enum
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeAlias, Union, assert_never, get_args, get_origin

from pydantic import BaseModel

from graphkit.core.record import record
from graphkit.errors import InvalidConfigError, InvalidStateError, OutsideRunError, ToolInvocationError, nearest
from graphkit.scope import Runtime
from graphkit.storage import Store
from graphkit.tools.runtime import ToolRuntime

if TYPE_CHECKING:
    from inspect import Parameter


@dataclass(frozen=True, slots=True)
class InjectedState:
    """``Annotated[State, InjectedState]`` is the state; ``Annotated[str, InjectedState("key")]`` is one key of it."""

    field: str | None = None


@dataclass(frozen=True, slots=True)
class InjectedStore:
    """``Annotated[Store, InjectedStore()]`` is the store the graph was compiled with."""


@dataclass(frozen=True, slots=True)
class InjectedToolCallId:
    """``Annotated[str, InjectedToolCallId]`` is the id of the call, for a ToolMessage that the tool makes itself."""


Marker: TypeAlias = InjectedState | InjectedStore | InjectedToolCallId
MARKERS: Final = (InjectedState, InjectedStore, InjectedToolCallId)


class Source(Enum):
    """Where a parameter's value comes from."""

    STATE = "the state"
    STORE = "the store"
    TOOL_CALL_ID = "the id of the call"
    TOOL_RUNTIME = "the runtime of the call"
    RUNTIME = "the runtime of the node"
    CONFIG = "the config"
    WRITER = "the stream writer"


@record
class Injection:
    """A parameter that the run fills.

    Args:
        parameter: Its name.
        source: Where the value comes from.
        kind: The type it is annotated with.
        field: The key of the state; None for the whole of it.
        optional: Whether None will do.
        has_default: Whether the function does without it.
    """

    parameter: str
    source: Source
    kind: object
    field: str | None = None
    optional: bool = False
    has_default: bool = False


def injection_of(parameter: Parameter, hint: object) -> Injection | None:
    """Return how the run fills a parameter; None if a model fills it.

    Markers in ``Annotated`` decide, then the types ToolRuntime, Runtime and Store, then the names that nodes know as well:
    ``config`` (a dict or Mapping) and ``writer`` (a callable).
    """
    kinds, marks = _taken_apart(hint)
    marker = next((_marker(mark) for mark in marks if _marker(mark) is not None), None)
    kind = next((found for found in kinds if found is not NoneType), None)
    source = _marked_source(marker) if marker is not None else _typed_source(parameter.name, kind, described=bool(marks))
    if source is None:
        return None
    field = marker.field if isinstance(marker, InjectedState) else None
    optional = NoneType in kinds
    return Injection(parameter.name, source, kind, field, optional, parameter.default is not parameter.empty)


def fill(injections: tuple[Injection, ...], runtime: ToolRuntime[Any, Any], tool: str) -> dict[str, Any]:
    """Return the values of injected parameters; one that can do without and has to is left out.

    Raises:
        InvalidStateError: The state has not the key that is wanted.
        OutsideRunError: There is no state, or no graph runs.
        InvalidConfigError: The graph has no store.
        ToolInvocationError: The tool wants the id of its call, but there is none.
    """
    found: dict[str, Any] = {}
    for injection in injections:
        value = _value(injection, runtime, tool)
        if value is not None or not injection.has_default:
            found[injection.parameter] = value
    return found


def _value(injection: Injection, runtime: ToolRuntime[Any, Any], tool: str) -> object:
    lenient = injection.optional or injection.has_default
    match injection.source:
        case Source.STATE:
            return _state(injection, runtime.state, tool, lenient=lenient)
        case Source.STORE:
            if runtime.store is None and not lenient:
                raise InvalidConfigError(
                    f"The tool {tool!r} wants the store, but the graph has none.", hint="compile(store=...)", tool=tool
                )
            return runtime.store
        case Source.TOOL_CALL_ID:
            if runtime.tool_call_id is None and not lenient:
                raise ToolInvocationError(
                    f"The tool {tool!r} wants the id of its call, but was given arguments only.", hint="Pass a ToolCall.", tool=tool
                )
            return runtime.tool_call_id
        case Source.TOOL_RUNTIME:
            return runtime
        case Source.RUNTIME:
            if runtime.execution_info is not None:
                return Runtime(runtime.context, runtime.store, runtime.stream_writer, runtime.execution_info)
            return None if lenient else _outside(tool, injection)
        case Source.CONFIG:
            return runtime.config
        case Source.WRITER:
            return runtime.stream_writer
        case _:
            assert_never(injection.source)


def _state(injection: Injection, state: object, tool: str, *, lenient: bool) -> object:
    if state is None:
        return None if lenient else _outside(tool, injection)
    if injection.field is None:
        return _shaped(state, injection.kind, tool)
    names = list(state) if isinstance(state, Mapping) else _field_names(type(state))
    if injection.field in names:
        return state[injection.field] if isinstance(state, Mapping) else getattr(state, injection.field)
    if lenient:
        return None
    raise InvalidStateError(
        f"The tool {tool!r} wants {injection.field!r} of the state, which has no such key.",
        hint=nearest(injection.field, map(str, names)),
        tool=tool,
        key=injection.field,
    )


def _shaped(state: object, kind: object, tool: str) -> object:
    """Return the state in the class the tool wants, if it is a dict of that class's fields."""
    if not isinstance(state, Mapping) or not isinstance(kind, type) or not (is_dataclass(kind) or issubclass(kind, BaseModel)):
        return state
    try:
        return kind(**{name: state[name] for name in _field_names(kind) if name in state})
    except (TypeError, ValueError) as error:
        raise InvalidStateError(
            f"The tool {tool!r} wants the state as {kind.__name__}, which it does not fit: {error}", tool=tool
        ) from error


def _field_names(kind: type) -> list[str]:
    if issubclass(kind, BaseModel):
        return list(kind.model_fields)
    return [field.name for field in fields(kind)] if is_dataclass(kind) else []


def _outside(tool: str, injection: Injection) -> object:
    raise OutsideRunError(
        f"The tool {tool!r} wants {injection.source.value} as {injection.parameter!r}, but no graph runs.",
        hint="Let a ToolNode call it, or call it like the function it was made from.",
        tool=tool,
    )


def _taken_apart(hint: object) -> tuple[list[object], list[object]]:
    """Return the members of a type, a union's one by one, and everything that ``Annotated`` says about them."""
    origin = get_origin(hint)
    if origin is Annotated:
        base, *marks = get_args(hint)
        kinds, inner = _taken_apart(base)
        return kinds, [*marks, *inner]
    if origin is Union or origin is UnionType:
        parts = [_taken_apart(part) for part in get_args(hint)]
        return [kind for kinds, _ in parts for kind in kinds], [mark for _, marks in parts for mark in marks]
    return [hint], []


def _marker(mark: object) -> Marker | None:
    if isinstance(mark, MARKERS):
        return mark
    return mark() if isinstance(mark, type) and issubclass(mark, MARKERS) else None


def _marked_source(marker: Marker) -> Source:
    match marker:
        case InjectedState():
            return Source.STATE
        case InjectedStore():
            return Source.STORE
        case InjectedToolCallId():
            return Source.TOOL_CALL_ID
        case _:
            assert_never(marker)


def _typed_source(name: str, kind: object, *, described: bool) -> Source | None:
    origin = get_origin(kind) or kind
    if origin is ToolRuntime:
        return Source.TOOL_RUNTIME
    if origin is Runtime:
        return Source.RUNTIME
    if isinstance(kind, type) and issubclass(kind, Store):
        return Source.STORE
    if name == "config" and origin in {dict, collections.abc.Mapping} and not described:
        return Source.CONFIG
    if name == "writer" and origin is collections.abc.Callable:
        return Source.WRITER
    return None
