"""A conversation that has grown too long: what to keep of it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from graphkit.errors import InvalidConfigError
from graphkit.messages.coerce import read_messages
from graphkit.messages.content import text_of
from graphkit.messages.message import AIMessage, HumanMessage, Message, SystemMessage, ToolMessage

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from graphkit.messages.coerce import MessageLike
    from graphkit.messages.message import AnyMessage

    Counter: TypeAlias = "Callable[[list[Any]], int] | Literal['approximate']"
    Kinds: TypeAlias = "str | type[Message] | Sequence[str | type[Message]] | None"

NAMES = {"human": HumanMessage, "user": HumanMessage, "ai": AIMessage, "assistant": AIMessage, "system": SystemMessage, "tool": ToolMessage}
CHARACTERS_PER_TOKEN = 4.0
TOKENS_PER_MESSAGE = 3.0
TOKENS_PER_IMAGE = 85.0


def count_tokens_approximately(messages: Sequence[MessageLike]) -> int:
    """Estimate tokens without a tokenizer: four characters each, three for every message, 85 for an image."""
    total = 0.0
    for message in read_messages(list(messages)):
        said = len(text_of(message.content)) + len(message.name or "")
        if isinstance(message, AIMessage):
            said += sum(len(call["name"]) + len(str(call["args"])) for call in message.tool_calls)
        images = 0 if isinstance(message.content, str) else sum(block["type"] == "image" for block in message.content)
        total += math.ceil(said / CHARACTERS_PER_TOKEN) + TOKENS_PER_MESSAGE + images * TOKENS_PER_IMAGE
    return math.ceil(total)


def trim_messages(
    messages: Sequence[MessageLike],
    *,
    max_tokens: int,
    token_counter: Counter,
    strategy: Literal["first", "last"] = "last",
    include_system: bool = False,
    start_on: Kinds = None,
    end_on: Kinds = None,
) -> list[AnyMessage]:
    """Keep the first or the last messages that fit into ``max_tokens``; as LangChain's function of this name.

    Messages stay whole. Unlike LangChain: a tool message whose call was cut off is cut off as well, and so is a call whose
    tool messages were, because no provider accepts one without the other.

    Args:
        messages: The conversation.
        max_tokens: How much may be kept.
        token_counter: Counts the tokens of a list of messages; ``len`` counts messages, "approximate" estimates.
        strategy: Which end to keep.
        include_system: Keep a system message at the beginning, whatever else goes (for strategy "last").
        start_on: Kinds of message the result may begin with ("human", HumanMessage, or several); a system message aside.
        end_on: Kinds of message the result may end with.

    Raises:
        InvalidConfigError: An argument is out of range, or they contradict each other.
        InvalidMessageError: Something is no message.
    """
    if type(max_tokens) is not int or max_tokens < 0:
        raise InvalidConfigError(f"max_tokens={max_tokens!r} is out of range.", hint="Use an int from 0 up.")
    if strategy not in {"first", "last"}:
        raise InvalidConfigError(f"strategy={strategy!r} does not exist.", hint="Use 'first' or 'last'.")
    if strategy == "first" and (include_system or start_on is not None):
        raise InvalidConfigError("include_system and start_on belong to strategy='last'.", hint="Leave them out.")
    count = token_counter if callable(token_counter) else count_tokens_approximately
    found: list[Any] = read_messages(list(messages))
    head = found[:1] if include_system and found and isinstance(found[0], SystemMessage) else []
    rest = _ending(found[len(head) :], _kinds(end_on, "end_on"))
    if strategy == "last":
        kept = _starting(_last(head, rest, max_tokens, count), _kinds(start_on, "start_on"))
    else:
        kept = _ending(_first(rest, max_tokens, count), _kinds(end_on, "end_on"))
    return [*head, *_paired(kept, found)]


def _last(head: list[Any], rest: list[Any], most: int, count: Callable[[list[Any]], int]) -> list[Any]:
    start = _bisected(len(rest), lambda kept: count([*head, *rest[len(rest) - kept :]]) <= most)
    return rest[len(rest) - start :]


def _first(rest: list[Any], most: int, count: Callable[[list[Any]], int]) -> list[Any]:
    return rest[: _bisected(len(rest), lambda kept: count(rest[:kept]) <= most)]


def _bisected(most: int, fits: Callable[[int], bool]) -> int:
    """Return the largest number up to ``most`` that fits; more never fits where fewer do not."""
    low, high = 0, most
    while low < high:
        middle = (low + high + 1) // 2
        if fits(middle):
            low = middle
        else:
            high = middle - 1
    return low


def _starting(messages: list[Any], kinds: tuple[type[Message], ...]) -> list[Any]:
    if not kinds:
        return messages
    return messages[next((place for place, message in enumerate(messages) if isinstance(message, kinds)), len(messages)) :]


def _ending(messages: list[Any], kinds: tuple[type[Message], ...]) -> list[Any]:
    if not kinds:
        return messages
    return messages[: next((place + 1 for place in reversed(range(len(messages))) if isinstance(messages[place], kinds)), 0)]


def _paired(kept: list[Any], whole: list[Any]) -> list[Any]:
    """Drop tool messages whose call was cut off, and AI messages with a call whose tool message was, until all are paired."""
    while True:
        cut = (_answered(whole) - _answered(kept)) | (_called(whole) - _called(kept))
        paired = [message for message in kept if not _called([message]) & cut and not _answered([message]) & cut]
        if len(paired) == len(kept):
            return kept
        kept = paired


def _called(messages: list[Any]) -> set[str]:
    return {call["id"] for message in messages if isinstance(message, AIMessage) for call in message.tool_calls}


def _answered(messages: list[Any]) -> set[str]:
    return {message.tool_call_id for message in messages if isinstance(message, ToolMessage)}


def _kinds(given: Kinds, name: str) -> tuple[type[Message], ...]:
    if given is None:
        return ()
    listed = [given] if isinstance(given, str | type) else list(given)
    unknown = [kind for kind in listed if kind not in NAMES and not (isinstance(kind, type) and issubclass(kind, Message))]
    if unknown:
        raise InvalidConfigError(f"{name}={unknown[0]!r} is no kind of message.", hint=f"Known: {', '.join(NAMES)}.")
    return tuple([NAMES[kind] if isinstance(kind, str) else kind for kind in listed])
