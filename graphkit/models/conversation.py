"""A conversation before it is sent: what people pass becomes messages, and what every provider refuses is refused here."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from graphkit.errors import EmptyInputError, InvalidChatHistoryError, InvalidMessageError
from graphkit.messages import AIMessage, RemoveMessage, ToolMessage, check_history, read_messages

if TYPE_CHECKING:
    from collections.abc import Sequence

    from graphkit.messages import AnyMessage, InvalidToolCall, Message, MessageLike, ToolCall


def read_conversation(messages: MessageLike | Sequence[MessageLike]) -> tuple[AnyMessage, ...]:
    """Return the messages of a conversation, checked.

    Raises:
        InvalidMessageError: Something is no message, or a RemoveMessage.
        EmptyInputError: There is no message.
        InvalidChatHistoryError: A tool call without its tool message, or a tool message that does not follow its call.
    """
    found = read_messages(messages)
    if not found:
        raise EmptyInputError("There is no message to send to the model.", hint="Pass at least one.")
    if any([isinstance(message, RemoveMessage) for message in found]):
        raise InvalidMessageError(
            "A RemoveMessage cannot be sent to a model.", hint="It is for add_messages; pass the conversation without it."
        )
    check_history(found)
    _check_order(found)
    return tuple(cast("list[AnyMessage]", found))


def _check_order(messages: Sequence[Message]) -> None:
    """Check that tool messages follow the message that calls the tools, each call answered once."""
    waiting: set[str] = set()
    required: set[str] = set()
    for message in messages:
        if isinstance(message, ToolMessage):
            if message.tool_call_id not in waiting:
                raise _misplaced(message)
            waiting.discard(message.tool_call_id)
            required.discard(message.tool_call_id)
            continue
        if required:
            raise InvalidChatHistoryError(
                f"A {message.type} message comes between the tool calls {', '.join(sorted(required))} and their tool messages.",
                hint="Tool messages follow directly after the AI message that calls the tools.",
                tool_call_ids=tuple(sorted(required)),
            )
        waiting, required = _calls(message)


def _calls(message: Message) -> tuple[set[str], set[str]]:
    """Return the ids that may be answered now, and those that must be."""
    if not isinstance(message, AIMessage):
        return set(), set()
    required = {call["id"] for call in message.tool_calls}
    return required | {call["id"] for call in message.invalid_tool_calls}, set(required)


def _misplaced(message: ToolMessage) -> InvalidChatHistoryError:
    return InvalidChatHistoryError(
        f"The tool message for {message.tool_call_id!r} does not follow a message that makes this call, or answers it twice.",
        hint="Keep the AI message that calls the tool, and one tool message for each of its calls directly after it.",
        tool_call_ids=(message.tool_call_id,),
    )


def answered_calls(messages: Sequence[Message]) -> frozenset[str]:
    """Return the ids of all calls that a tool message answers."""
    return frozenset([message.tool_call_id for message in messages if isinstance(message, ToolMessage)])


def told_calls(message: AIMessage, answered: frozenset[str]) -> list[ToolCall | InvalidToolCall]:
    """Return the calls of a message as a model is told of them: unreadable ones only if a tool message answers them."""
    return [*message.tool_calls, *[call for call in message.invalid_tool_calls if call["id"] in answered]]
