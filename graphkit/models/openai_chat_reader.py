"""Reads the chunks of Chat Completions; a whole completion is read as the one chunk it could have come in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

from graphkit.messages import AIMessageChunk
from graphkit.models.answer import CALL_EXTRAS, call_piece, tokens
from graphkit.models.failure import reported

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from graphkit.messages import StopReason, UsageMetadata

STOP_REASONS: dict[str, StopReason] = {
    "stop": "end",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    "length": "max_tokens",
    "content_filter": "refusal",
}
CALL_KEYS = frozenset({"index", "id", "type", "function"})


def events_of(completion: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield a whole completion as chunks of a stream."""
    choice = completion["choices"][0]
    message = choice["message"]
    calls = [{**call, "index": index} for index, call in enumerate(message.get("tool_calls") or ())]
    yield {**completion, "choices": [{**choice, "delta": {**message, "tool_calls": calls}}]}


class ChatReader:
    """Reads one answer.

    Args:
        name: Provider and model, for errors.
        provider: The provider alone.
    """

    def __init__(self, name: str, provider: str) -> None:
        self.done = False
        self._name = name
        self._provider = provider
        self._begun = False
        self._calls: dict[int, tuple[int, str]] = {}
        self._count = 0
        self._refused = False
        self._extras: dict[str, dict[str, Any]] = {}

    def read(self, event: dict[str, Any]) -> list[AIMessageChunk]:
        """Return what a chunk adds."""
        if isinstance(event.get("error"), dict):
            raise reported(self._name, event["error"])
        found = [] if self._begun else [self._started(event)]
        for choice in event.get("choices") or ():
            found += self._grown(choice.get("delta") or {})
            if (reason := choice.get("finish_reason")) is not None:
                found.append(self._ended(reason))
        if usage := event.get("usage"):
            found.append(AIMessageChunk(usage_metadata=_usage(usage)))
        return found

    def _started(self, event: dict[str, Any]) -> AIMessageChunk:
        self._begun = True
        said = {"provider": self._provider, "model": event.get("model"), "response_id": event.get("id")}
        return AIMessageChunk(response_metadata={key: value for key, value in said.items() if value})

    def _grown(self, delta: dict[str, Any]) -> list[AIMessageChunk]:
        found: list[AIMessageChunk] = []
        # Neither is in OpenAI's format; the servers that have it disagree about the name.
        if thought := delta.get("reasoning_content") or delta.get("reasoning"):
            found.append(AIMessageChunk([{"type": "reasoning", "reasoning": thought}]))
        if refusal := delta.get("refusal"):
            self._refused = True
            found.append(AIMessageChunk(refusal))
        if text := delta.get("content"):
            found.append(AIMessageChunk(text))
        return [*found, *[self._called(piece) for piece in delta.get("tool_calls") or ()]]

    def _called(self, piece: dict[str, Any]) -> AIMessageChunk:
        """Return a piece of a call; a new id begins a new call, since some servers give every call the index 0."""
        place, given = piece.get("index") or 0, piece.get("id")
        function = piece.get("function") or {}
        begun = place not in self._calls or bool(given and given != self._calls[place][1])
        if begun:
            self._calls[place] = (self._count, given or f"call_{uuid4().hex}")
            self._count += 1
        index, identity = self._calls[place]
        if extras := {key: value for key, value in piece.items() if key not in CALL_KEYS and value is not None}:
            self._extras[identity] = {**self._extras.get(identity, {}), **extras}
        return call_piece(index, function.get("arguments") or "", id=identity if begun else None, name=function.get("name"))

    def _ended(self, reason: str) -> AIMessageChunk:
        self.done = True
        stop = STOP_REASONS.get(reason, "other")
        if self._refused:
            stop = "refusal"
        elif stop == "end" and self._calls:
            stop = "tool_calls"
        said: dict[str, Any] = {"stop_reason": stop}
        if stop == "other":
            said["finish_reason"] = reason
        if self._extras:
            said[CALL_EXTRAS] = self._extras
        return AIMessageChunk(response_metadata=said)


def _usage(found: Mapping[str, Any]) -> UsageMetadata:
    read, written = found.get("prompt_tokens_details") or {}, found.get("completion_tokens_details") or {}
    return tokens(
        found.get("prompt_tokens") or 0,
        found.get("completion_tokens") or 0,
        {"cache_read": read.get("cached_tokens"), "cache_creation": read.get("cache_write_tokens"), "audio": read.get("audio_tokens")},
        {"reasoning": written.get("reasoning_tokens"), "audio": written.get("audio_tokens")},
    )
