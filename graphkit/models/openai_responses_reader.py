"""Reads the stream events of OpenAI's Responses API; a whole response is read as the events it could have come in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

from graphkit.messages import AIMessageChunk
from graphkit.models.answer import CALL_EXTRAS, call_piece, order_of, tokens
from graphkit.models.failure import reported

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from graphkit.messages import Content, StopReason, UsageMetadata

INCOMPLETE: dict[str, StopReason] = {"max_output_tokens": "max_tokens", "content_filter": "refusal"}
CALL_KEYS = frozenset({"type", "id", "call_id", "name", "arguments", "status"})
ENDS = frozenset({"response.completed", "response.incomplete", "response.failed"})


def events_of(response: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield a whole response as events of a stream; each item comes complete."""
    yield {"type": "response.created", "response": response}
    for index, item in enumerate(response.get("output") or ()):
        yield {"type": "response.output_item.added", "output_index": index, "item": item}
        yield {"type": "response.output_item.done", "output_index": index, "item": item}
    yield {"type": f"response.{response.get('status', 'completed')}", "response": response}


class ResponsesReader:
    """Reads one answer.

    Args:
        name: Provider and model, for errors.
        provider: The provider alone.
    """

    def __init__(self, name: str, provider: str) -> None:
        self.done = False
        self._name = name
        self._provider = provider
        self._said: set[int] = set()
        self._phases: dict[int, str] = {}
        self._messages: list[int] = []
        self._calls: dict[int, int] = {}
        self._order: list[str] = []
        self._extras: dict[str, dict[str, Any]] = {}
        self._refused = False

    def read(self, event: dict[str, Any]) -> list[AIMessageChunk]:
        """Return what an event adds; events that say nothing about the answer add nothing."""
        match event["type"]:
            case "response.created":
                return [self._started(event["response"])]
            case "response.output_item.added":
                return self._added(event["output_index"], event["item"])
            case "response.output_text.delta":
                return self._text(event["output_index"], event["delta"])
            case "response.refusal.delta":
                self._refused = True
                return self._text(event["output_index"], event["delta"])
            case "response.reasoning_summary_part.added" if event["summary_index"] > 0:
                return [self._reasoning(event["output_index"], "\n\n")]
            case "response.reasoning_summary_text.delta" | "response.reasoning_text.delta":
                return [self._reasoning(event["output_index"], event["delta"])]
            case "response.function_call_arguments.delta":
                self._said.add(event["output_index"])
                return [call_piece(self._calls[event["output_index"]], event["delta"])]
            case "response.output_item.done":
                return self._finished(event["output_index"], event["item"])
            case "error":
                raise reported(self._name, event)
            case kind if kind in ENDS:
                return [self._last(event["response"])]
            case _:
                return []

    def _started(self, response: dict[str, Any]) -> AIMessageChunk:
        said = {"provider": self._provider, "model": response["model"], "response_id": response["id"]}
        return AIMessageChunk(response_metadata=said)

    def _added(self, index: int, item: dict[str, Any]) -> list[AIMessageChunk]:
        if item["type"] != "function_call":
            self._order.append("content")
            if item["type"] == "message":
                self._messages.append(index)
                self._phases[index] = item.get("phase") or ""
            return []
        identity = item.get("call_id") or f"call_{uuid4().hex}"
        self._order.append(identity)
        self._calls[index] = len(self._calls)
        if extras := {key: value for key, value in item.items() if key not in CALL_KEYS and value is not None}:
            self._extras[identity] = extras
        return [call_piece(self._calls[index], "", id=identity, name=item["name"])]

    def _finished(self, index: int, item: dict[str, Any]) -> list[AIMessageChunk]:
        match item["type"]:
            case "message":
                return self._message(index, item)
            case "function_call":
                given = item.get("arguments") or ""
                return [call_piece(self._calls[index], given)] if given and index not in self._said else []
            case "reasoning":
                return self._thought(index, item)
            case _:
                return [AIMessageChunk([{**item, "index": index}])]

    def _message(self, index: int, item: dict[str, Any]) -> list[AIMessageChunk]:
        parts = item.get("content") or ()
        self._refused |= any([part["type"] == "refusal" for part in parts])
        whole = [] if index in self._said else [part.get("text") or part.get("refusal") or "" for part in parts]
        found = [chunk for text in whole for chunk in self._text(index, text)]
        notes = [note for part in parts for note in part.get("annotations") or ()]
        if notes:
            found.append(AIMessageChunk([self._block(index, "", {"annotations": notes})]))
        return found

    def _thought(self, index: int, item: dict[str, Any]) -> list[AIMessageChunk]:
        parts = [part["text"] for part in item.get("summary") or ()]
        shown = parts or [part["text"] for part in item.get("content") or ()]
        extras: dict[str, Any] = {key: item[key] for key in ("id", "encrypted_content", "content") if item.get(key)}
        if len(parts) != 1:
            extras["summary"] = parts
        text = "" if index in self._said else "\n\n".join(shown)
        return [self._reasoning(index, text, extras)]

    def _last(self, response: dict[str, Any]) -> AIMessageChunk:
        self.done = True
        if response.get("status") == "failed":
            raise reported(self._name, response.get("error") or {})
        said: dict[str, Any] = {"stop_reason": self._stop_reason(response)}
        if said["stop_reason"] == "other":
            said["finish_reason"] = (response.get("incomplete_details") or {}).get("reason") or response.get("status")
        if self._extras:
            said[CALL_EXTRAS] = self._extras
        said |= order_of(self._order)
        usage = response.get("usage")
        return AIMessageChunk(usage_metadata=_usage(usage) if usage else None, response_metadata=said)

    def _stop_reason(self, response: dict[str, Any]) -> StopReason:
        if response.get("status") == "incomplete":
            return INCOMPLETE.get(str((response.get("incomplete_details") or {}).get("reason")), "other")
        if response.get("status") not in {None, "completed"}:
            return "other"
        if self._refused:
            return "refusal"
        return "tool_calls" if self._calls else "end"

    def _text(self, index: int, text: str) -> list[AIMessageChunk]:
        self._said.add(index)
        content: Content = text
        if self._phases.get(index) or self._messages[:1] != [index]:
            content = [self._block(index, text, {"phase": self._phases[index]} if self._phases.get(index) else {})]
        return [AIMessageChunk(content)] if text else []

    def _block(self, index: int, text: str, extras: dict[str, Any]) -> dict[str, Any]:
        block: dict[str, Any] = {"type": "text", "text": text}
        if extras:
            block["extras"] = {"provider": self._provider, **extras}
        # The first text comes without a number, unless it has a phase; a note must run into its text, a second text must not.
        return block if self._messages[:1] == [index] and not self._phases.get(index) else {**block, "index": index}

    def _reasoning(self, index: int, text: str, extras: dict[str, Any] | None = None) -> AIMessageChunk:
        self._said.add(index)
        return AIMessageChunk(
            [{"type": "reasoning", "reasoning": text, "index": index, "extras": {"provider": self._provider, **(extras or {})}}]
        )


def _usage(found: Mapping[str, Any]) -> UsageMetadata:
    read, written = found.get("input_tokens_details") or {}, found.get("output_tokens_details") or {}
    return tokens(
        found.get("input_tokens") or 0,
        found.get("output_tokens") or 0,
        {"cache_read": read.get("cached_tokens"), "cache_creation": read.get("cache_write_tokens")},
        {"reasoning": written.get("reasoning_tokens")},
    )
