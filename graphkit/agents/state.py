"""The state of an agent, and state classes with keys added to them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, NotRequired, cast, get_type_hints, is_typeddict

import typing_extensions
from typing_extensions import TypedDict

from graphkit.errors import InvalidSchemaError
from graphkit.graph import RemainingSteps  # noqa: TC001 - hints of a state are read at run time
from graphkit.messages import AnyMessage, add_messages

if TYPE_CHECKING:
    from collections.abc import Callable


class AgentState(TypedDict):
    """What an agent works on; add keys by subclassing.

    Attributes:
        messages: The conversation.
        remaining_steps: How many supersteps are left; computed.
    """

    messages: Annotated[list[AnyMessage], add_messages]
    remaining_steps: NotRequired[RemainingSteps]


def value_of(state: object, key: str, default: object = None) -> Any:  # noqa: ANN401 - the key's type is its own
    """Return a key of a state, whatever class it is."""
    if isinstance(state, Mapping):
        return state.get(key, default)
    return getattr(state, key, default)


def with_messages(state: Any, key: str, messages: list[AnyMessage]) -> Any:  # noqa: ANN401 - a state of the same class
    """Return a copy of a state that has other messages."""
    if isinstance(state, Mapping):
        return {**state, key: messages}
    if dataclasses.is_dataclass(state) and not isinstance(state, type):
        return dataclasses.replace(state, **{key: messages})
    return state.model_copy(update={key: messages})


@dataclasses.dataclass(frozen=True, slots=True)
class Key:
    """A key to add to a state.

    Args:
        annotation: Its type, with its channel.
        default: Makes its first value, in a class whose fields have values from the start.
    """

    annotation: object
    default: Callable[[], object]


def extended(schema: type, keys: Mapping[str, Key]) -> type:
    """Return a state class that has ``keys`` besides those of ``schema``; a key that it has already stays as it is.

    Args:
        schema: A TypedDict, dataclass or pydantic model.
        keys: What to add.

    Raises:
        InvalidSchemaError: It is none of these, or it has no messages.
    """
    try:
        known = get_type_hints(schema, include_extras=True)
    except (NameError, TypeError) as error:
        raise InvalidSchemaError(
            f"The annotations of {schema!r} cannot be resolved: {error}", hint="Define them at module level."
        ) from error
    if "messages" not in known:
        raise InvalidSchemaError(
            f"The state {schema!r} of an agent has no key 'messages'.", hint="Derive it from AgentState.", key="messages"
        )
    missing = {name: key for name, key in keys.items() if name not in known}
    if not missing:
        return schema
    name = schema.__name__
    if is_typeddict(schema) or typing_extensions.is_typeddict(schema):
        return cast("Callable[..., type]", TypedDict)(name, {**known, **{key: added.annotation for key, added in missing.items()}})
    if hasattr(schema, "model_fields"):
        from pydantic import Field, create_model  # noqa: PLC0415 - the schema is a pydantic model, so it is loaded

        fields: dict[str, Any] = {key: (added.annotation, Field(default_factory=added.default)) for key, added in missing.items()}
        return create_model(name, __base__=schema, __module__=schema.__module__, **fields)
    if dataclasses.is_dataclass(schema):
        more = [(key, added.annotation, dataclasses.field(default_factory=added.default, kw_only=True)) for key, added in missing.items()]
        is_frozen = schema.__dataclass_params__.frozen  # type: ignore[attr-defined]
        return dataclasses.make_dataclass(name, more, bases=(schema,), frozen=is_frozen)
    raise InvalidSchemaError(f"{schema!r} is no state class.", hint="Use a TypedDict, a dataclass or a pydantic model.")
