"""What a conversation tells about reviews: how often a call was sent back, and whether its ids can be told apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias, TypeGuard

from graphkit.agents.state import value_of
from graphkit.errors import InvalidChatHistoryError, InvalidStateError
from graphkit.messages import AnyMessage, HumanMessage, ToolMessage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from graphkit.messages import AIMessage, InvalidToolCall, Message, ToolCall

    AnyCall: TypeAlias = ToolCall | InvalidToolCall

DECIDED: Final = "review"
"""Key of a tool message's additional_kwargs: the type of the verdict it comes from."""

WORDS: Final = "words"
"""Key beside it: what the person said, if they said something."""


def messages_of(state: object, key: str = "messages") -> list[AnyMessage]:
    """Return the messages of a state.

    Raises:
        InvalidStateError: The state has no such key.
    """
    found = value_of(state, key)
    if found is None:
        raise InvalidStateError(f"The state has no {key!r}.", hint="Name the key that has the messages.", key=key)
    return list(found)


def messages_so_far(state: object) -> list[AnyMessage]:
    """Return the messages of a state, a list of messages or None; there may be none yet."""
    return list(state if isinstance(state, list) else value_of(state, "messages") or [])


def open_calls(messages: Sequence[Message], message: AIMessage) -> list[AnyCall]:
    """Return the calls of a message that no tool message after it answers: in order, those that cannot be read last."""
    place = next(place for place, each in enumerate(messages) if each is message)
    answered = {each.tool_call_id for each in messages[place + 1 :] if isinstance(each, ToolMessage)}
    calls: list[AnyCall] = [*message.tool_calls, *message.invalid_tool_calls]
    return [call for call in calls if call["id"] not in answered]


def is_readable(call: AnyCall) -> TypeGuard[ToolCall]:
    """Tell a call from one whose arguments cannot be read."""
    return "error" not in call


def redrafts(messages: Sequence[Message], tool: str) -> int:
    """Return how often calls of a tool were sent back since the last human message."""
    count = 0
    for message in reversed(messages):
        if isinstance(message, HumanMessage):
            break
        count += isinstance(message, ToolMessage) and message.name == tool and message.additional_kwargs.get(DECIDED) == "response"
    return count


def require_distinct(message: AIMessage) -> None:
    """Check that no two calls of a message have the same id: nobody could tell which of them was approved.

    Raises:
        InvalidChatHistoryError: Two have.
    """
    ids = [call["id"] for call in (*message.tool_calls, *message.invalid_tool_calls)]
    if twice := {identity for identity in ids if ids.count(identity) > 1}:
        raise InvalidChatHistoryError(
            f"Several tool calls of one message have the id {', '.join(map(repr, sorted(twice)))}.",
            hint="Give every call an id of its own.",
            tool_call_ids=tuple(sorted(twice)),
        )
