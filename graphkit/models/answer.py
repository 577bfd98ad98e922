"""From pieces to the message: what every provider's answer has in common."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from graphkit.messages import AIMessage, AIMessageChunk, InvalidToolCall, ToolCallChunk, UsageMetadata, gather

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from graphkit.messages import Content

ORDER = "order"
"""In the response metadata: "content" or a call's id for each part of the answer, when content came after a call."""
CALL_EXTRAS = "tool_call_extras"
"""In the response metadata: what a provider wants back with a tool call, by the call's id."""
TRUNCATED = "the answer was truncated at max_tokens before the arguments were complete"


def complete(chunks: Iterable[AIMessageChunk]) -> AIMessage:
    """Return the message that these chunks are.

    A tool call that the token limit cut off becomes an invalid one, even if what there is of it can be read: nothing
    may be done on half of its arguments.
    """
    pieces = list(chunks)
    message = gather(pieces)
    if message.stop_reason == "max_tokens":
        message = _without_last_call(message, [piece["index"] for chunk in pieces for piece in chunk.tool_call_chunks], pieces)
    return replace(message, content=_tidy(message.content))


def interleaved(content: Sequence[Any], calls: Mapping[str, Any], order: object) -> list[Any]:
    """Return blocks and calls, each already in a provider's form, in the order they came in; calls last if it is not known."""
    known = list(order) if isinstance(order, list | tuple) else []
    if known.count("content") != len(content) or {*known} - {"content"} != calls.keys():
        return [*content, *calls.values()]
    blocks = iter(content)
    return [next(blocks) if part == "content" else calls[part] for part in known]


def order_of(parts: list[str]) -> dict[str, list[str]]:
    """Return the metadata that says in which order the parts of an answer came, if content came after a call."""
    calls = [place for place, part in enumerate(parts) if part != "content"]
    return {ORDER: parts} if calls and "content" in parts[calls[0] :] else {}


def call_piece(index: int, args: str, *, id: str | None = None, name: str | None = None) -> AIMessageChunk:
    """Return a chunk with one piece of a tool call."""
    return AIMessageChunk(tool_call_chunks=[ToolCallChunk(index=index, id=id, name=name, args=args)])


def tokens(read: int, written: int, read_details: Mapping[str, int | None], written_details: Mapping[str, int | None]) -> UsageMetadata:
    """Return a usage; details that are missing or zero are left out."""
    usage = UsageMetadata(input_tokens=read, output_tokens=written, total_tokens=read + written)
    if found := {name: count for name, count in read_details.items() if count}:
        usage["input_token_details"] = found
    if found := {name: count for name, count in written_details.items() if count}:
        usage["output_token_details"] = found
    return usage


def _without_last_call(message: AIMessage, indexes: Sequence[int], pieces: Sequence[AIMessageChunk]) -> AIMessage:
    order = message.response_metadata.get(ORDER)
    if not indexes or (order and order[-1] == "content"):
        return message
    last = [piece for chunk in pieces for piece in chunk.tool_call_chunks if piece["index"] == max(indexes)]
    identity = next((piece["id"] for piece in last if piece["id"]), f"call_{max(indexes)}")
    cut = InvalidToolCall(
        name=next((piece["name"] for piece in last if piece["name"]), ""),
        args="".join([piece["args"] for piece in last]),
        id=identity,
        error=TRUNCATED,
    )
    return replace(
        message,
        tool_calls=[call for call in message.tool_calls if call["id"] != identity],
        invalid_tool_calls=[*[call for call in message.invalid_tool_calls if call["id"] != identity], cut],
    )


def _tidy(content: Content) -> Content:
    """Drop the numbers that put pieces together, and make a string of what is only text."""
    if isinstance(content, str):
        return content
    blocks = [{key: value for key, value in cast("dict[str, Any]", block).items() if key != "index"} for block in content]
    blocks = [block for block in blocks if block != {"type": "text", "text": ""}]
    if all([block.keys() == {"type", "text"} for block in blocks]) and len(blocks) < 2:
        return "".join([block["text"] for block in blocks])
    return cast("Content", blocks)
