"""The messages of a conversation. They are frozen: change one with ``dataclasses.replace`` and return the new one.

A message without an id gets one when it is written to a state key with ``add_messages``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, NotRequired, TypeAlias, cast

from typing_extensions import TypedDict

from graphkit.errors import InvalidMessageError
from graphkit.messages.content import Content, ContentBlock, InvalidToolCall, ToolCall, blocks_of, read_content, text_of

StopReason = Literal["end", "tool_calls", "max_tokens", "stop_sequence", "refusal", "pause", "other"]
"""Why a model stopped: done, waits for tools, out of tokens, met a stop sequence, declined, wants to go on later."""

RULE = 80


class UsageMetadata(TypedDict):
    """Tokens of one answer. ``input_tokens`` counts all of the input, also what came from a cache."""

    input_tokens: int
    output_tokens: int
    total_tokens: int
    input_token_details: NotRequired[dict[str, int]]
    output_token_details: NotRequired[dict[str, int]]


class Message:
    """What all messages have in common; use one of the classes below.

    Attributes:
        content: A string, or a list of content blocks.
        id: Unique in a conversation; None until it is in one.
        name: Who says it, for providers that tell several speakers of a role apart.
        additional_kwargs: Whatever else belongs to it; graphkit only keeps it.
    """

    __slots__ = ()
    type: ClassVar[str]
    content: Content
    id: str | None
    name: str | None

    @property
    def text(self) -> str:
        """The text of the content, blocks joined."""
        return text_of(self.content)

    @property
    def content_blocks(self) -> list[ContentBlock]:
        """The content as a list of blocks; for an AI message its tool calls follow."""
        return blocks_of(self.content)

    def pretty_repr(self) -> str:
        """Return the message as text for people, with a ruled title."""
        title = f" {self.type.capitalize()} Message "
        name = f"Name: {self.name}\n" if self.name else ""
        return f"{title:=^{RULE}}\n{name}\n{self.text}".rstrip()

    def pretty_print(self) -> None:
        """Print ``pretty_repr()``."""
        print(self.pretty_repr())  # noqa: T201 - what it is for


@dataclass(frozen=True, slots=True)
class HumanMessage(Message):
    """What a person says."""

    type: ClassVar[str] = "human"
    content: Content
    id: str | None = field(default=None, kw_only=True)
    name: str | None = field(default=None, kw_only=True)
    additional_kwargs: dict[str, Any] = field(default_factory=dict, kw_only=True)

    def __post_init__(self) -> None:
        _settle(self)


@dataclass(frozen=True, slots=True)
class SystemMessage(Message):
    """Instructions for the model."""

    type: ClassVar[str] = "system"
    content: Content
    id: str | None = field(default=None, kw_only=True)
    name: str | None = field(default=None, kw_only=True)
    additional_kwargs: dict[str, Any] = field(default_factory=dict, kw_only=True)

    def __post_init__(self) -> None:
        _settle(self)


@dataclass(frozen=True, slots=True)
class AIMessage(Message):
    """What a model answers.

    Args:
        content: Text, or blocks of text, reasoning, images.
        id: As for every message; models give one.
        name: As for every message.
        tool_calls: The calls it makes, in order.
        invalid_tool_calls: Calls whose arguments cannot be read.
        usage_metadata: Tokens it cost, if the provider says.
        response_metadata: ``provider``, ``model``, ``stop_reason`` and what else the provider says.
        additional_kwargs: As for every message.
    """

    type: ClassVar[str] = "ai"
    content: Content = ""
    id: str | None = field(default=None, kw_only=True)
    name: str | None = field(default=None, kw_only=True)
    tool_calls: list[ToolCall] = field(default_factory=list, kw_only=True)
    invalid_tool_calls: list[InvalidToolCall] = field(default_factory=list, kw_only=True)
    usage_metadata: UsageMetadata | None = field(default=None, kw_only=True)
    response_metadata: dict[str, Any] = field(default_factory=dict, kw_only=True)
    additional_kwargs: dict[str, Any] = field(default_factory=dict, kw_only=True)

    def __post_init__(self) -> None:
        _settle(self)
        object.__setattr__(self, "tool_calls", [_checked_call(call) for call in self.tool_calls])

    @property
    def content_blocks(self) -> list[ContentBlock]:
        """The content as blocks, the tool calls last."""
        return [*blocks_of(self.content), *[cast("ContentBlock", {**call, "type": "tool_call"}) for call in self.tool_calls]]

    @property
    def stop_reason(self) -> StopReason | None:
        """Why the model stopped, the same words for every provider; None if it does not say."""
        return cast("StopReason | None", self.response_metadata.get("stop_reason"))

    def pretty_repr(self) -> str:
        """Return the message as text for people, its tool calls with their arguments."""
        lines = [Message.pretty_repr(self)]
        if self.tool_calls:
            lines.append("Tool Calls:")
        for call in self.tool_calls:
            lines += [f"  {call['name']} ({call['id']})", "  Args:"]
            lines += [f"    {name}: {value}" for name, value in call["args"].items()]
        return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class ToolMessage(Message):
    """What came of a tool call.

    Args:
        content: For the model.
        tool_call_id: The call it answers.
        id: As for every message.
        name: The tool.
        status: "error" if the tool did not do what it was asked to.
        artifact: For the program: a result that the model does not see.
        additional_kwargs: As for every message.
    """

    type: ClassVar[str] = "tool"
    content: Content
    tool_call_id: str
    id: str | None = field(default=None, kw_only=True)
    name: str | None = field(default=None, kw_only=True)
    status: Literal["success", "error"] = field(default="success", kw_only=True)
    artifact: Any = field(default=None, kw_only=True)
    additional_kwargs: dict[str, Any] = field(default_factory=dict, kw_only=True)

    def __post_init__(self) -> None:
        _settle(self)
        if not _is_id(self.tool_call_id):
            raise InvalidMessageError(
                f"tool_call_id={self.tool_call_id!r} names no tool call.", hint="Pass the id of the call that the message answers."
            )


@dataclass(frozen=True, slots=True)
class RemoveMessage(Message):
    """Takes the message with this id out of the list; ``REMOVE_ALL_MESSAGES`` takes all that came before it."""

    type: ClassVar[str] = "remove"
    id: str
    content: Content = field(default="", init=False)
    name: str | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        if not _is_id(self.id):
            raise InvalidMessageError(f"RemoveMessage(id={self.id!r}) names no message.", hint="Pass the id of the message to remove.")


AnyMessage: TypeAlias = HumanMessage | AIMessage | SystemMessage | ToolMessage


def _settle(message: HumanMessage | AIMessage | SystemMessage | ToolMessage) -> None:
    """Read the content and check the id, so that what is wrong is found where the message is made."""
    content = message.content
    if type(content) is not str:
        object.__setattr__(message, "content", read_content(content))
    if message.id is not None and not _is_id(message.id):
        raise InvalidMessageError(f"{message.id!r} is no id of a message.", hint="An id is a non-empty string; leave it out to get one.")


def _is_id(value: object) -> bool:
    return isinstance(value, str) and bool(value)


def _checked_call(call: object) -> ToolCall:
    if not isinstance(call, dict) or not isinstance(call.get("name"), str) or not isinstance(call.get("args"), dict):
        raise InvalidMessageError(f"{call!r:.100} is no tool call.", hint='A tool call is {"name": "...", "args": {...}, "id": "..."}.')
    identity = call.get("id")
    if not isinstance(identity, str) or not identity:
        raise InvalidMessageError(f"The call of {call['name']!r} has no id.", hint="Results are matched with calls by id; give it one.")
    return ToolCall(name=call["name"], args=call["args"], id=identity)
