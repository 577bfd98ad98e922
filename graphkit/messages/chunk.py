"""An answer as it arrives, piece by piece, and the message it becomes."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, cast

from typing_extensions import TypedDict

from graphkit.messages.content import Content, ContentBlock, InvalidToolCall, ToolCall, blocks_of, text_of
from graphkit.messages.message import AIMessage, UsageMetadata

if TYPE_CHECKING:
    from collections.abc import Iterable

MERGED = {"text": "text", "reasoning": "reasoning"}
"""Block type -> the key whose pieces are joined."""


class ToolCallChunk(TypedDict):
    """A piece of a tool call; pieces with the same ``index`` belong together, ``args`` is a piece of JSON text."""

    index: int
    id: str | None
    name: str | None
    args: str


@dataclass(frozen=True, slots=True)
class AIMessageChunk:
    """A piece of an AI message. Add pieces with ``+``, or make the message with ``gather(chunks)``.

    Args:
        content: A piece of text, or pieces of blocks.
        id: That of the whole message.
        tool_call_chunks: Pieces of tool calls.
        usage_metadata: With the last piece, usually.
        response_metadata: As for AIMessage, with the last piece, usually.
    """

    type: ClassVar[str] = "AIMessageChunk"
    content: Content = ""
    id: str | None = field(default=None, kw_only=True)
    tool_call_chunks: list[ToolCallChunk] = field(default_factory=list, kw_only=True)
    usage_metadata: UsageMetadata | None = field(default=None, kw_only=True)
    response_metadata: dict[str, Any] = field(default_factory=dict, kw_only=True)

    @property
    def text(self) -> str:
        """The text of this piece."""
        return text_of(self.content)

    def __add__(self, other: object) -> AIMessageChunk:
        if not isinstance(other, AIMessageChunk):
            return NotImplemented
        return _joined([self, other])


def gather(chunks: Iterable[AIMessageChunk]) -> AIMessage:
    """Return the message that these pieces are, in order.

    A tool call whose arguments are no JSON object becomes an invalid tool call; nothing is dropped.
    """
    whole = _joined(list(chunks))
    calls, broken = _calls(whole.tool_call_chunks)
    return AIMessage(
        whole.content,
        id=whole.id,
        tool_calls=calls,
        invalid_tool_calls=broken,
        usage_metadata=whole.usage_metadata,
        response_metadata=whole.response_metadata,
    )


def read_call(identity: str, name: str, args: str) -> ToolCall | InvalidToolCall:
    """Read the arguments of a tool call from text; no text at all means no arguments."""
    try:
        read = json.loads(args) if args.strip() else {}
    except ValueError as error:
        return InvalidToolCall(name=name, args=args, id=identity, error=f"the arguments are no JSON: {error}")
    if not isinstance(read, dict):
        return InvalidToolCall(name=name, args=args, id=identity, error="the arguments are no JSON object")
    return ToolCall(name=name, args=read, id=identity)


def _joined(chunks: list[AIMessageChunk]) -> AIMessageChunk:
    metadata: dict[str, Any] = {}
    usage: UsageMetadata | None = None
    for chunk in chunks:
        metadata.update(chunk.response_metadata)
        usage = chunk.usage_metadata if usage is None else _sum(usage, chunk.usage_metadata)
    return AIMessageChunk(
        _content([chunk.content for chunk in chunks]),
        id=next((chunk.id for chunk in chunks if chunk.id is not None), None),
        tool_call_chunks=_merged_calls([piece for chunk in chunks for piece in chunk.tool_call_chunks]),
        usage_metadata=usage,
        response_metadata=metadata,
    )


def _content(contents: list[Content]) -> Content:
    if all(isinstance(content, str) for content in contents):
        return "".join(cast("list[str]", contents))
    groups: list[list[dict[str, Any]]] = []
    for block in [cast("dict[str, Any]", block) for content in contents for block in blocks_of(content)]:
        if groups and _goes_on(groups[-1][-1], block):
            groups[-1].append(block)
        else:
            groups.append([block])
    return [_whole(group) for group in groups]


def _goes_on(before: dict[str, Any], block: dict[str, Any]) -> bool:
    return before["type"] == block["type"] and block["type"] in MERGED and before.get("index") == block.get("index")


def _whole(group: list[dict[str, Any]]) -> ContentBlock:
    merged: dict[str, Any] = {}
    extras: dict[str, Any] = {}
    for block in group:
        merged.update(block)
        extras.update(block.get("extras", {}))
    if (key := MERGED.get(merged["type"])) is not None:
        merged[key] = "".join([block.get(key, "") for block in group])
    return {**merged, "extras": extras} if extras else merged


def _merged_calls(pieces: list[ToolCallChunk]) -> list[ToolCallChunk]:
    groups: dict[int, list[ToolCallChunk]] = {}
    for piece in pieces:
        groups.setdefault(piece["index"], []).append(piece)
    return [
        ToolCallChunk(
            index=index,
            id=next((piece["id"] for piece in group if piece["id"]), None),
            name=next((piece["name"] for piece in group if piece["name"]), None),
            args="".join([piece["args"] for piece in group]),
        )
        for index, group in groups.items()
    ]


def _calls(pieces: list[ToolCallChunk]) -> tuple[list[ToolCall], list[InvalidToolCall]]:
    calls: list[ToolCall] = []
    broken: list[InvalidToolCall] = []
    for piece in pieces:
        read = read_call(piece["id"] or f"call_{piece['index']}", piece["name"] or "", piece["args"])
        if "error" in read:
            broken.append(cast("InvalidToolCall", read))
        else:
            calls.append(read)
    return calls, broken


def _sum(one: UsageMetadata, other: UsageMetadata | None) -> UsageMetadata:
    if other is None:
        return one
    summed = UsageMetadata(
        input_tokens=one["input_tokens"] + other["input_tokens"],
        output_tokens=one["output_tokens"] + other["output_tokens"],
        total_tokens=one["total_tokens"] + other["total_tokens"],
    )
    for key in ("input_token_details", "output_token_details"):
        details = [found for found in (one.get(key), other.get(key)) if isinstance(found, dict)]
        if details:
            summed[key] = {name: sum(found.get(name, 0) for found in details) for found in details for name in found}
    return summed
