"""Questions about a conversation as a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphkit.errors import InvalidChatHistoryError
from graphkit.messages.message import AIMessage, ToolMessage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from graphkit.messages.content import ToolCall
    from graphkit.messages.message import Message


def last_ai_message(messages: Sequence[Message]) -> AIMessage | None:
    """Return the last AI message, None if there is none."""
    return next((message for message in reversed(messages) if isinstance(message, AIMessage)), None)


def open_calls(messages: Sequence[Message]) -> list[ToolCall]:
    """Return the tool calls that no tool message answers, in order."""
    answered = {message.tool_call_id for message in messages if isinstance(message, ToolMessage)}
    calls = [call for message in messages if isinstance(message, AIMessage) for call in message.tool_calls]
    return [call for call in calls if call["id"] not in answered]


def check_history(messages: Sequence[Message]) -> None:
    """Check that every tool call has its tool message, which providers insist on.

    Raises:
        InvalidChatHistoryError: One has none.
    """
    if found := open_calls(messages):
        names = ", ".join([f"{call['name']} ({call['id']})" for call in found[:5]])
        raise InvalidChatHistoryError(
            f"Found AIMessages with tool_calls that do not have a corresponding ToolMessage: {names}.",
            hint="Add a ToolMessage with that tool_call_id for each, also for calls that were not run.",
            tool_call_ids=tuple(call["id"] for call in found),
        )
