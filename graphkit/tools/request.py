"""A call on its way to a tool, as wrappers see it, and what a node's input asks for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, TypeAlias

from graphkit.core.command import ROOT
from graphkit.core.record import record
from graphkit.errors import InvalidChatHistoryError, InvalidConfigError, InvalidStateError, nearest
from graphkit.messages import AIMessage, InvalidToolCall, ToolCall, ToolMessage, read_messages
from graphkit.scope import current
from graphkit.tools.runtime import ToolRuntime, graph_state

if TYPE_CHECKING:
    from graphkit.messages import Message
    from graphkit.tools.tool import Tool

AnyCall: TypeAlias = ToolCall | InvalidToolCall


@dataclass(frozen=True, slots=True)
class ToolCallRequest:
    """A call on its way to a tool, for ``wrap_tool_call``.

    Args:
        tool_call: The call.
        tool: The tool; None if there is none of that name.
        state: What the tool sees as the state.
        runtime: What else it can reach.
    """

    tool_call: ToolCall
    tool: Tool | None
    state: Any
    runtime: ToolRuntime[Any, Any]

    def override(self, **changes: Any) -> ToolCallRequest:  # noqa: ANN401 - values of the fields
        """Return a copy with other values for some fields.

        Raises:
            InvalidConfigError: There is no such field.
        """
        known = [field.name for field in fields(self)]
        for name in changes:
            if name not in known:
                raise InvalidConfigError(f"A ToolCallRequest has no {name!r}.", hint=nearest(name, known))
        return replace(self, **changes)


@record
class Work:
    """What a node has to do.

    Args:
        calls: To be answered, in order.
        state: What tools see as the state.
        as_list: Whether the state is a bare list of messages.
    """

    calls: tuple[AnyCall, ...]
    state: object
    as_list: bool = False


def read_work(given: object, messages_key: str) -> Work:
    """Read a node's input: a state, a list of messages, or a list of tool calls (the argument of a Send).

    A list of tool calls comes without a state; then tools see the state of the graph.

    Raises:
        InvalidStateError: There are no messages in it, or none of them is an AI message.
        InvalidChatHistoryError: Two calls have the same id.
        InvalidMessageError: Something is no message or no tool call.
    """
    if isinstance(given, list) and given and all(_looks_like_call(item) for item in given):
        broken = [item for item in given if "error" in item]
        message = AIMessage("", tool_calls=[item for item in given if item not in broken], invalid_tool_calls=broken)
        return Work(_checked(all_calls(message)), _state_of_graph(messages_key))
    as_list = isinstance(given, list)
    messages = read_messages(given if isinstance(given, list) else messages_of(given, messages_key))
    place = next((place for place in reversed(range(len(messages))) if isinstance(messages[place], AIMessage)), None)
    if place is None:
        raise InvalidStateError("There is no AI message, so no tool call to answer.", hint="Run ToolNode after a model.", key=messages_key)
    state = {messages_key: messages} if as_list else given
    return Work(_checked(unanswered(messages[place:])), state, as_list)


def messages_of(state: object, messages_key: str) -> list[Any]:
    """Return the conversation of a state: a dict, or an object with attributes.

    Raises:
        InvalidStateError: It has none.
    """
    found = state.get(messages_key) if isinstance(state, Mapping) else getattr(state, messages_key, None)
    if not isinstance(found, Sequence) or isinstance(found, str):
        names = [str(name) for name in state] if isinstance(state, Mapping) else []
        raise InvalidStateError(
            f"The state has no list of messages under {messages_key!r}.",
            hint=nearest(messages_key, names) if names else "messages_key= names the key that has them.",
            key=messages_key,
        )
    return list(found)


def unanswered(messages: Sequence[Message]) -> list[AnyCall]:
    """Return the calls of an AI message, the first one here, that no tool message after it answers."""
    answered = {message.tool_call_id for message in messages if isinstance(message, ToolMessage)}
    asking = messages[0]
    return [call for call in all_calls(asking) if call["id"] not in answered] if isinstance(asking, AIMessage) else []


def all_calls(message: AIMessage) -> list[AnyCall]:
    """Return the calls of a message, those that cannot be read last."""
    return [*message.tool_calls, *message.invalid_tool_calls]


def _checked(calls: list[AnyCall]) -> tuple[AnyCall, ...]:
    ids = [call["id"] for call in calls]
    twice = next((identity for identity in ids if ids.count(identity) > 1), None)
    if twice is not None:
        raise InvalidChatHistoryError(
            f"Two tool calls of one message have the id {twice!r}, so a tool message could not tell which of them it answers.",
            hint="Give each call an id of its own; none of them was run.",
            tool_call_id=twice,
        )
    return tuple(calls)


def _looks_like_call(item: object) -> bool:
    return isinstance(item, Mapping) and {"name", "args"} <= item.keys() and not {"role", "content"} & item.keys()


def _state_of_graph(messages_key: str) -> object:
    scope = current()
    if scope is None:
        return None
    state = graph_state(scope)
    return {messages_key: state[ROOT]} if ROOT in state else state
