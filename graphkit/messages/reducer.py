"""How a state key holds a conversation: new messages are appended, a known id is replaced in place, RemoveMessage removes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, overload
from uuid import uuid4

from typing_extensions import TypedDict

from graphkit.errors import InvalidConfigError, InvalidMessageError
from graphkit.messages.coerce import read_messages
from graphkit.messages.foreign import openai_content
from graphkit.messages.message import AnyMessage, Message, RemoveMessage

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from graphkit.messages.coerce import MessageLike

    Messages = MessageLike | Sequence[MessageLike]
    Format = Literal["langchain-openai"]

REMOVE_ALL_MESSAGES: Final = "__remove_all__"
"""``RemoveMessage(REMOVE_ALL_MESSAGES)`` removes every message before it, those of the same update too."""


@overload
def add_messages(left: Messages, right: Messages, *, format: Format | None = None) -> list[AnyMessage]: ...
@overload
def add_messages(*, format: Format | None = None) -> Callable[[Any, Any], list[AnyMessage]]: ...
def add_messages(left: Messages | None = None, right: Messages | None = None, *, format: Format | None = None) -> Any:
    """Merge two lists of messages; the reducer of a conversation, as in LangGraph.

    A message with an id of the left list takes that message's place; the others are appended in order and get an id
    if they have none. In a graph the ids are given when a node returns its update, so every reader sees the same ones.

    Args:
        left: The conversation.
        right: What is new: messages, strings, ("user", "text") pairs, dicts, LangChain messages; one or a list.
        format: "langchain-openai" turns content into the blocks of OpenAI's Chat Completions. Without messages it
            returns a reducer of that format.

    Raises:
        InvalidMessageError: Something is no message, or a RemoveMessage names an id that is not there.
        InvalidConfigError: One of left and right is missing, or the format does not exist.
    """
    if format not in {None, "langchain-openai"}:
        raise InvalidConfigError(f"format={format!r} does not exist.", hint="Use 'langchain-openai', or leave it out.")
    if left is None and right is None:
        return _reducer_of(format)
    if left is None or right is None:
        raise InvalidConfigError("add_messages() needs both left and right, or neither.", hint="Pass [] for an empty conversation.")
    known, new = named(left), named(right)
    if format is not None:
        known, new = ([_formatted(message) for message in messages] for messages in (known, new))
    return _merged(known, new)


def named(update: Messages) -> list[Any]:
    """Return an update as messages that all have an id; messages that have one stay the very same objects.

    Raises:
        InvalidMessageError: Something is no message.
    """
    messages = read_messages(update)
    if None not in [message.id for message in messages]:
        return messages
    return [message if message.id is not None else replace(message, id=str(uuid4())) for message in messages]


# What graphkit calls on every update of a key with this reducer, before the update is saved or shown.
add_messages.prepare = named  # type: ignore[attr-defined]


class MessagesState(TypedDict):
    """A state with a conversation; add keys by subclassing."""

    messages: Annotated[list[AnyMessage], add_messages]


def _reducer_of(format: Format | None) -> Callable[[Any, Any], list[AnyMessage]]:
    def reduce_messages(left: Messages, right: Messages) -> list[AnyMessage]:
        return add_messages(left, right, format=format)

    reduce_messages.prepare = named  # type: ignore[attr-defined]
    return reduce_messages


def _merged(left: list[Any], right: list[Any]) -> list[AnyMessage]:
    places = {message.id: place for place, message in enumerate(left)}
    if places.keys().isdisjoint([message.id for message in right]) and RemoveMessage not in map(type, right) and _differ(right):
        return [*left, *right]
    start = max([place + 1 for place, message in enumerate(right) if message.id == REMOVE_ALL_MESSAGES], default=0)
    merged: dict[str, Message] = {message.id: message for message in left} if not start else {}
    for message in right[start:]:
        if not isinstance(message, RemoveMessage):
            merged[message.id] = message
        elif merged.pop(message.id, None) is None:
            raise InvalidMessageError(
                f"Attempting to delete a message with an ID that doesn't exist ('{message.id}').",
                hint="Remove a message that is in the list; it may have been removed already.",
                id=message.id,
            )
    return list(merged.values())  # type: ignore[arg-type]


def _differ(messages: list[Any]) -> bool:
    return len(messages) < 2 or len({message.id for message in messages}) == len(messages)


def _formatted(message: Any) -> Any:  # noqa: ANN401 - any message, a copy of the same kind
    return message if isinstance(message, RemoveMessage) else replace(message, content=openai_content(message.content))
