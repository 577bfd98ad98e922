"""What a tool returned becomes what the model reads, or a change of the graph's state."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias, cast

from pydantic_core import PydanticSerializationError, to_json

from graphkit.core.command import Command, Overwrite
from graphkit.errors import InvalidMessageError, InvalidUpdateError, ToolError
from graphkit.messages import Content, Message, ToolCall, ToolMessage, read_messages

if TYPE_CHECKING:
    from collections.abc import Sequence

Result: TypeAlias = "ToolMessage | Command[Any] | list[ToolMessage | Command[Any]]"
"""What answers a call."""

ResponseFormat = Literal["content", "content_and_artifact"]

BLOCKS: Final = frozenset({"text", "image", "image_url", "file", "document", "search_result"})
"""Types of content blocks that a tool may return."""


def result_of(call: ToolCall, returned: object, response_format: ResponseFormat) -> Result:
    """Return the answer to a call.

    Args:
        call: The call.
        returned: What the tool returned.
        response_format: Whether that is the content, or a pair of content and artifact.

    Raises:
        InvalidMessageError: The tool returned a ToolMessage that answers another call.
        ToolError: It did not return the pair it promised.
    """
    if isinstance(returned, Command):
        return returned
    if isinstance(returned, list) and returned and all(isinstance(part, Command | ToolMessage) for part in returned):
        return [_own(part, call) if isinstance(part, ToolMessage) else part for part in returned]
    if isinstance(returned, ToolMessage):
        return _own(returned, call)
    artifact = None
    if response_format == "content_and_artifact":
        if not isinstance(returned, tuple) or len(returned) != 2:
            raise ToolError(
                f"The tool {call['name']!r} returned {returned!r:.80}.",
                hint='With response_format="content_and_artifact" a tool returns a pair of them.',
                tool=call["name"],
            )
        returned, artifact = returned
    return ToolMessage(content_of(returned), call["id"], name=call["name"], artifact=artifact)


def content_of(value: object) -> Content:
    """Return a value as content for a model: text and blocks as they are, None as "", anything else as JSON.

    What JSON does not have becomes what it says of itself: ``str(value)``.
    """
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, list) and value and all(isinstance(part, Mapping) and part.get("type") in BLOCKS for part in value):
        return cast("Content", value)
    try:
        return to_json(value, fallback=str, inf_nan_mode="strings").decode()
    except (PydanticSerializationError, ValueError):
        return str(value)


def error_message(call: Mapping[str, Any], words: str) -> ToolMessage:
    """Return the answer to a call that could not be carried out."""
    return ToolMessage(words, call["id"], name=call["name"] or None, status="error")


def require_answer(call: Mapping[str, Any], result: Result, messages_key: str) -> Result:
    """Check that Commands answer the call with exactly one tool message; Commands to a parent graph need none.

    Raises:
        InvalidUpdateError: They do not.
    """
    parts = result if isinstance(result, list) else [result]
    here = [part for part in parts if isinstance(part, ToolMessage) or part.graph is None]
    messages = [message for part in here for message in ([part] if isinstance(part, ToolMessage) else _said(part.update, messages_key))]
    answers = [message for message in messages if isinstance(message, ToolMessage) and message.tool_call_id == call["id"]]
    if len(answers) == 1 or not here:
        return result
    raise InvalidUpdateError(
        f"The tool {call['name']!r} returned {len(answers)} tool messages for the call {call['id']!r}; a call has exactly one.",
        hint=f'Command(update={{"{messages_key}": [ToolMessage("...", tool_call_id)]}}); InjectedToolCallId gives the id.',
        tool=call["name"],
        tool_call_id=call["id"],
    )


def as_update(results: Sequence[Result], messages_key: str, *, as_list: bool) -> object:
    """Return what the node returns: the answers in the order of their calls.

    Args:
        results: One of each call.
        messages_key: The key of the state that holds the conversation.
        as_list: Whether the state is a bare list of messages.
    """
    parts = [part for result in results for part in (result if isinstance(result, list) else [result])]
    if all(isinstance(part, ToolMessage) for part in parts):
        return parts if as_list else {messages_key: parts}
    leaving = [part for part in parts if isinstance(part, Command) and part.graph == Command.PARENT]
    staying = [part for part in parts if part not in leaving]
    if leaving and (merged := _merged(leaving, staying, messages_key)) is not None:
        return merged
    return parts if as_list else [{messages_key: [part]} if isinstance(part, ToolMessage) else part for part in parts]


def _merged(leaving: list[Command[Any]], staying: Sequence[ToolMessage | Command[Any]], messages_key: str) -> Command[Any] | None:
    """Return one Command for the parent graph, which takes only one; None if it cannot say it all.

    Tool messages of other calls go along if the conversation does.
    """
    updates = [_pairs(command.update) for command in leaving]
    known = [update for update in updates if update is not None]
    pairs = [pair for update in known for pair in update]
    if staying:
        if not all(isinstance(part, ToolMessage) for part in staying) or messages_key not in dict(pairs):
            return None
        pairs.append((messages_key, list(staying)))
    if len(leaving) == 1 and not staying:
        return leaving[0]
    if len(known) < len(updates):
        return None
    return Command(graph=Command.PARENT, update=pairs or None, goto=[target for command in leaving for target in command.targets])


def _pairs(update: object) -> list[tuple[str, object]] | None:
    if update is None:
        return []
    if isinstance(update, Mapping):
        return list(update.items())
    if isinstance(update, list | tuple) and all(isinstance(pair, tuple) and len(pair) == 2 for pair in update):
        return list(update)
    return None


def _said(update: object, messages_key: str) -> list[Message]:
    """Return the messages that an update adds."""
    pairs = _pairs(update)
    if pairs is not None:
        found = [value for key, value in pairs if key == messages_key]
    elif isinstance(update, list):
        found = [update]
    else:
        found = [getattr(update, messages_key, [])]
    given = [value.value if isinstance(value, Overwrite) else value for value in found]
    return [message for value in given for message in read_messages(value)]


def _own(message: ToolMessage, call: ToolCall) -> ToolMessage:
    if message.tool_call_id == call["id"]:
        return message
    raise InvalidMessageError(
        f"The tool {call['name']!r} answered the call {message.tool_call_id!r}, but was called as {call['id']!r}.",
        hint="InjectedToolCallId gives a tool the id of its call.",
        tool=call["name"],
        tool_call_id=call["id"],
    )
