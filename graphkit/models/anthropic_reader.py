"""Reads the stream events of Anthropic's Messages API; a whole message is read as the events it could have come in."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from graphkit.messages import AIMessageChunk
from graphkit.models.answer import CALL_EXTRAS, call_piece, order_of, tokens
from graphkit.models.failure import reported

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from graphkit.messages import Content, StopReason, UsageMetadata

STOP_REASONS: dict[str, StopReason] = {
    "end_turn": "end",
    "tool_use": "tool_calls",
    "max_tokens": "max_tokens",
    "model_context_window_exceeded": "max_tokens",
    "stop_sequence": "stop_sequence",
    "refusal": "refusal",
    "pause_turn": "pause",
}
PARTS = frozenset({"text", "thinking", "redacted_thinking", "tool_use"})
CALL_KEYS = frozenset({"type", "id", "name", "input"})


def events_of(message: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield a message of the API as stream events; each block is complete when it begins."""
    yield {"type": "message_start", "message": message}
    for index, block in enumerate(message["content"]):
        yield {"type": "content_block_start", "index": index, "content_block": block}
        yield {"type": "content_block_stop", "index": index}
    yield {"type": "message_delta", "delta": message, "usage": message["usage"]}
    yield {"type": "message_stop"}


class AnthropicReader:
    """Reads one answer.

    Args:
        name: Provider and model, for errors.
        provider: The provider alone.
    """

    def __init__(self, name: str, provider: str) -> None:
        self.done = False
        self._name = name
        self._provider = provider
        self._usage: dict[str, Any] = {}
        self._blocks: dict[int, dict[str, Any]] = {}
        self._json: dict[int, str] = {}
        self._calls: dict[int, int] = {}
        self._order: list[str] = []
        self._extras: dict[str, dict[str, Any]] = {}
        self._texts = 0

    def read(self, event: dict[str, Any]) -> list[AIMessageChunk]:
        """Return what an event adds; events that say nothing about the answer add nothing."""
        match event["type"]:
            case "message_start":
                return self._started(event["message"])
            case "content_block_start":
                return self._begun(event["index"], event["content_block"])
            case "content_block_delta":
                return self._grown(event["index"], event["delta"])
            case "content_block_stop":
                return self._ended(event["index"])
            case "message_delta":
                return [self._last(event["delta"], event.get("usage") or {})]
            case "message_stop":
                self.done = True
                return []
            case "error":
                raise reported(self._name, event["error"])
            case _:
                return []

    def _started(self, message: dict[str, Any]) -> list[AIMessageChunk]:
        self._usage = dict(message.get("usage") or {})
        said = {"provider": self._provider, "model": message["model"], "response_id": message["id"]}
        return [AIMessageChunk(response_metadata=said)]

    def _begun(self, index: int, block: dict[str, Any]) -> list[AIMessageChunk]:
        self._blocks[index] = dict(block)
        self._order.append(block["id"] if block["type"] == "tool_use" else "content")
        match block["type"]:
            case "text":
                self._texts += 1
                cited = self._cited(index) if block.get("citations") else []
                return [*self._text(index, block["text"]), *cited]
            case "thinking":
                return self._thought(index, block["thinking"])
            case "redacted_thinking":
                return [self._reasoning(index, "", {"redacted_data": block["data"]})]
            case "tool_use":
                self._calls[index] = len(self._calls)
                if extras := {key: value for key, value in block.items() if key not in CALL_KEYS and value is not None}:
                    self._extras[block["id"]] = extras
                return [call_piece(self._calls[index], "", id=block["id"], name=block["name"])]
            case _:
                return []

    def _grown(self, index: int, delta: dict[str, Any]) -> list[AIMessageChunk]:
        block = self._blocks[index]
        match delta["type"]:
            case "text_delta":
                return self._text(index, delta["text"])
            case "thinking_delta":
                return [self._reasoning(index, delta["thinking"], {})]
            case "signature_delta":
                block["signature"] = block.get("signature", "") + delta["signature"]
                return []
            case "citations_delta":
                block["citations"] = [*(block.get("citations") or []), delta["citation"]]
                return self._cited(index)
            case "input_json_delta":
                self._json[index] = self._json.get(index, "") + delta["partial_json"]
                return [call_piece(self._calls[index], delta["partial_json"])] if index in self._calls else []
            case _:
                return []

    def _ended(self, index: int) -> list[AIMessageChunk]:
        block = self._blocks[index]
        if index in self._calls:
            given = block.get("input")
            return [call_piece(self._calls[index], json.dumps(given))] if given and index not in self._json else []
        if block["type"] == "thinking":
            return [self._reasoning(index, "", {"signature": block.get("signature", "")})]
        if block["type"] in PARTS:
            return []
        if index in self._json:
            block["input"] = json.loads(self._json[index] or "{}")
        return [AIMessageChunk([{**block, "index": index}])]

    def _last(self, delta: dict[str, Any], usage: dict[str, Any]) -> AIMessageChunk:
        said: dict[str, Any] = {"stop_reason": STOP_REASONS.get(str(delta.get("stop_reason")), "other")}
        if said["stop_reason"] == "other":
            said["finish_reason"] = delta.get("stop_reason")
        said |= {key: delta[key] for key in ("stop_sequence", "stop_details") if delta.get(key) is not None}
        if self._extras:
            said[CALL_EXTRAS] = self._extras
        said |= order_of(self._order)
        self._usage |= {key: value for key, value in usage.items() if value is not None}
        return AIMessageChunk(usage_metadata=_usage(self._usage), response_metadata=said)

    def _text(self, index: int, text: str) -> list[AIMessageChunk]:
        # Only a second text needs a number: it must not run into the first.
        content: Content = text if self._texts == 1 else [{"type": "text", "text": text, "index": index}]
        return [AIMessageChunk(content)] if text else []

    def _cited(self, index: int) -> list[AIMessageChunk]:
        extras = {"provider": self._provider, "citations": self._blocks[index]["citations"]}
        place = {} if self._texts == 1 else {"index": index}
        return [AIMessageChunk([{"type": "text", "text": "", "extras": extras, **place}])]

    def _thought(self, index: int, thinking: str) -> list[AIMessageChunk]:
        return [self._reasoning(index, thinking, {})] if thinking else []

    def _reasoning(self, index: int, text: str, extras: dict[str, Any]) -> AIMessageChunk:
        return AIMessageChunk([{"type": "reasoning", "reasoning": text, "index": index, "extras": {"provider": self._provider, **extras}}])


def _usage(found: Mapping[str, Any]) -> UsageMetadata:
    """Return a usage whose input counts what was read from a cache and written to one, which the API counts apart."""
    written, cached = found.get("cache_creation_input_tokens") or 0, found.get("cache_read_input_tokens") or 0
    thinking = (found.get("output_tokens_details") or {}).get("thinking_tokens")
    return tokens(
        (found.get("input_tokens") or 0) + written + cached,
        found.get("output_tokens") or 0,
        {"cache_creation": written, "cache_read": cached},
        {"reasoning": thinking},
    )
