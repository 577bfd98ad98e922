"""Anthropic's Messages API as a server speaks it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graphkit.testing.model_server.speech import args_text, check_shape, fields, halves, new_id, one_of, refuse, seal, sse, text_of, words
from graphkit.testing.model_server.step import Turn

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from graphkit.testing.model_server.step import Failure, Reply

STOPS = {
    "end": "end_turn",
    "tool_calls": "tool_use",
    "max_tokens": "max_tokens",
    "stop_sequence": "stop_sequence",
    "refusal": "refusal",
    "pause": "pause_turn",
}
KINDS = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    408: "timeout_error",
    409: "conflict_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
    529: "overloaded_error",
}
TEXT = {"type": "string", "pattern": r"\S"}
CACHE = fields({"type": {"const": "ephemeral"}, "ttl?": {"enum": ["5m", "1h"]}})
SOURCE = one_of(
    {
        "base64": {"media_type": {"type": "string"}, "data": {"type": "string"}},
        "url": {"url": {"type": "string"}},
        "text": {"media_type": {"const": "text/plain"}, "data": {"type": "string"}},
        "file": {"file_id": {"type": "string"}},
    }
)
PLAIN: dict[str, dict[str, Any]] = {
    "text": {"text": TEXT, "cache_control?": CACHE, "citations?": {}},
    "image": {"source": SOURCE, "cache_control?": CACHE},
    "document": {"source": SOURCE, "title?": {}, "context?": {}, "citations?": {}, "cache_control?": CACHE},
}
RESULT = {
    "tool_use_id": {"type": "string"},
    "content?": {"anyOf": [{"type": "string"}, {"type": "array", "items": one_of(PLAIN)}]},
    "is_error?": {"type": "boolean"},
    "cache_control?": CACHE,
}
SAID: dict[str, dict[str, Any]] = {
    "thinking": {"thinking": {"type": "string"}, "signature": {"type": "string"}},
    "redacted_thinking": {"data": {"type": "string"}},
    "tool_use": {"id": {"type": "string"}, "name": {"type": "string"}, "input": {"type": "object"}, "cache_control?": CACHE, "caller?": {}},
}
MESSAGE = {
    "type": "object",
    "required": ["role", "content"],
    "additionalProperties": False,
    "properties": {"role": {"enum": ["user", "assistant", "system"]}, "content": {}},
    "allOf": [
        {
            "if": {"properties": {"role": {"const": role}}},
            "then": {
                "properties": {"content": {"anyOf": [TEXT, {"type": "array", "minItems": 1, "items": one_of(kinds)}], "minLength": 1}}
            },
        }
        for role, kinds in {"user": {**PLAIN, "tool_result": RESULT}, "assistant": {**PLAIN, **SAID}, "system": PLAIN}.items()
    ],
}
TOOL = fields(
    {
        "name": {"type": "string", "pattern": "^[a-zA-Z0-9_-]{1,128}$"},
        "description?": {"type": "string"},
        "input_schema": {"type": "object", "required": ["type"], "properties": {"type": {"const": "object"}}},
        "cache_control?": CACHE,
        "strict?": {"type": "boolean"},
    }
)
PARALLEL = {"disable_parallel_tool_use?": {"type": "boolean"}}
BODY = fields(
    {
        "model": {"type": "string", "minLength": 1},
        "max_tokens": {"type": "integer", "minimum": 1},
        "messages": {"type": "array", "minItems": 1, "items": MESSAGE},
        "system?": {"anyOf": [TEXT, {"type": "array", "items": one_of({"text": PLAIN["text"]})}]},
        "tools?": {"type": "array", "items": {"anyOf": [TOOL, {"required": ["type", "name"], "not": {"required": ["input_schema"]}}]}},
        "tool_choice?": one_of({"auto": PARALLEL, "any": PARALLEL, "tool": {"name": {"type": "string"}, **PARALLEL}, "none": {}}),
        "stop_sequences?": {"type": "array", "items": TEXT},
        "stream?": {"type": "boolean"},
        "thinking?": {"type": "object", "required": ["type"]},
        "output_config?": fields(
            {
                "effort?": {"enum": ["low", "medium", "high", "xhigh", "max"]},
                "format?": fields({"type": {"const": "json_schema"}, "schema": {"type": "object"}}),
            }
        ),
        "metadata?": {"type": "object"},
        "service_tier?": {"enum": ["auto", "standard_only"]},
        "cache_control?": CACHE,
        "container?": {},
        "inference_geo?": {"type": "string"},
        "speed?": {"enum": ["standard", "fast"]},
    }
)


class MessagesSpeech:
    """The Messages API."""

    def check(self, body: dict[str, Any]) -> None:
        """Refuse what the API refuses, above all calls without results and results without calls."""
        check_shape(body, BODY)
        names = self.tools(body)
        choice = body.get("tool_choice") or {}
        if choice and not names:
            refuse("tool_choice may only be specified while providing tools.")
        if choice.get("type") == "tool" and choice["name"] not in names:
            refuse(f"Tool '{choice['name']}' not found in provided tools")
        if len({*names}) < len(names):
            refuse("tools: Tool names must be unique.")
        _check_thinking(body, choice)
        if not _is_closed(((body.get("output_config") or {}).get("format") or {}).get("schema")):
            refuse("output_config.format.schema: For 'object' type, 'additionalProperties' must be explicitly set to false")
        if body["messages"][0]["role"] == "assistant":
            refuse("messages: first message must use the 'user' role")
        _check_results(body["messages"])

    def turns(self, body: Mapping[str, Any]) -> list[Turn]:
        """Return the conversation; each tool result is a turn."""
        found = [Turn("system", text_of(body["system"]))] if body.get("system") else []
        for message in body["messages"]:
            blocks = message["content"] if isinstance(message["content"], list) else []
            results = [block for block in blocks if block["type"] == "tool_result"]
            found += [Turn("tool", text_of(block.get("content", "")), tool_call_id=block["tool_use_id"]) for block in results]
            calls = [{"name": block["name"], "args": block["input"], "id": block["id"]} for block in blocks if block["type"] == "tool_use"]
            if len(results) < len(blocks) or not blocks:
                found.append(Turn(message["role"], text_of(message["content"]), tuple(calls)))
        return found

    def tools(self, body: Mapping[str, Any]) -> list[str]:
        """Return the names of the tools."""
        return [tool["name"] for tool in body.get("tools") or ()]

    def whole(self, reply: Reply, body: Mapping[str, Any]) -> dict[str, Any]:
        """Return a message; arguments that are no JSON are left out, as the API does."""
        content: list[dict[str, Any]] = []
        if reply.reasoning:
            content.append({"type": "thinking", "thinking": reply.reasoning, "signature": seal(reply.reasoning)})
        if reply.text:
            content.append({"type": "text", "text": reply.text, "citations": None})
        for call in reply.tool_calls:
            args = call.get("args", {})
            given = {} if isinstance(args, str) else args
            content.append({"type": "tool_use", "id": call.get("id") or new_id("toolu"), "name": call["name"], "input": given})
        return {
            "id": new_id("msg"), "type": "message", "role": "assistant", "model": body["model"], "content": content,
            "stop_reason": STOPS[reply.why], "stop_sequence": "END" if reply.why == "stop_sequence" else None, "usage": _usage(reply),
        }  # fmt: skip

    def events(self, reply: Reply, body: Mapping[str, Any]) -> Iterator[str]:
        """Yield the events of a message; a ping is among them."""
        message = self.whole(reply, body)
        begun = {**message, "content": [], "stop_reason": None, "stop_sequence": None, "usage": {**message["usage"], "output_tokens": 1}}
        yield _event({"type": "message_start", "message": begun})
        yield _event({"type": "ping"})
        texts = iter([args_text(call) for call in reply.tool_calls])
        for index, block in enumerate(message["content"]):
            yield _event({"type": "content_block_start", "index": index, "content_block": _empty(block)})
            for delta in _deltas(block, next(texts) if block["type"] == "tool_use" else ""):
                yield _event({"type": "content_block_delta", "index": index, "delta": delta})
            yield _event({"type": "content_block_stop", "index": index})
        ended = {"stop_reason": message["stop_reason"], "stop_sequence": message["stop_sequence"]}
        usage = {key: message["usage"][key] for key in ("output_tokens", "output_tokens_details") if key in message["usage"]}
        yield _event({"type": "message_delta", "delta": ended, "usage": usage})
        yield _event({"type": "message_stop"})

    def failure(self, failure: Failure) -> dict[str, Any]:
        """Return the body of an error."""
        kind = failure.kind or KINDS.get(failure.status) or ("api_error" if failure.status >= 500 else "invalid_request_error")
        return {"type": "error", "error": {"type": kind, "message": failure.message}, "request_id": new_id("req")}

    def failure_event(self, failure: Failure) -> str:
        """Return the event of an error."""
        return _event(self.failure(failure))


def _event(data: dict[str, Any]) -> str:
    return sse(data, data["type"])


def _empty(block: dict[str, Any]) -> dict[str, Any]:
    match block["type"]:
        case "thinking":
            return {**block, "thinking": "", "signature": ""}
        case "text":
            return {**block, "text": ""}
        case _:
            return {**block, "input": {}}


def _deltas(block: dict[str, Any], args: str) -> Iterator[dict[str, Any]]:
    match block["type"]:
        case "thinking":
            yield from [{"type": "thinking_delta", "thinking": word} for word in words(block["thinking"])]
            yield {"type": "signature_delta", "signature": block["signature"]}
        case "text":
            yield from [{"type": "text_delta", "text": word} for word in words(block["text"])]
        case _:
            # The API sends an empty piece first.
            yield from [{"type": "input_json_delta", "partial_json": part} for part in ["", *halves(args)]]


def _usage(reply: Reply) -> dict[str, Any]:
    """Return the usage; the API counts what comes from a cache apart from the input."""
    read, written = reply.usage.get("cache_read", 0), reply.usage.get("cache_creation", 0)
    usage: dict[str, Any] = {
        "input_tokens": reply.usage.get("input", 0) - read - written,
        "output_tokens": reply.usage.get("output", 0),
        "cache_read_input_tokens": read,
        "cache_creation_input_tokens": written,
    }
    thinking = reply.usage.get("reasoning")
    return {**usage, "output_tokens_details": {"thinking_tokens": thinking}} if thinking else usage


def _check_thinking(body: Mapping[str, Any], choice: Mapping[str, Any]) -> None:
    thinking = body.get("thinking") or {}
    if thinking.get("type") == "enabled" and not 1024 <= thinking.get("budget_tokens", 0) < body["max_tokens"]:
        refuse("`max_tokens` must be greater than `thinking.budget_tokens`, which must be at least 1024.")
    if thinking.get("type") in {"enabled", "adaptive"} and choice.get("type") in {"any", "tool"}:
        refuse("Thinking may not be enabled when tool_choice forces tool use.")
    for message in body["messages"]:
        for block in message["content"] if isinstance(message["content"], list) else ():
            if block["type"] == "thinking" and block["signature"] != seal(block["thinking"]):
                refuse("Invalid `signature` in `thinking` block")


def _is_closed(schema: object) -> bool:
    if isinstance(schema, list):
        return all([_is_closed(part) for part in schema])
    if not isinstance(schema, dict):
        return True
    if schema.get("type") == "object" and schema.get("additionalProperties") is not False:
        return False
    return all([_is_closed(part) for part in schema.values()])


def _check_results(messages: list[dict[str, Any]]) -> None:
    waiting: list[str] = []
    for place, message in enumerate(messages):
        blocks = message["content"] if isinstance(message["content"], list) else []
        results = [block["tool_use_id"] for block in blocks if block["type"] == "tool_result"]
        if unknown := [found for found in results if found not in waiting]:
            refuse(f"messages.{place}: unexpected `tool_use_id` found in `tool_result` blocks: {unknown[0]}.")
        if len({*results}) < len(results):
            refuse(f"messages.{place}: each `tool_use` must have a single result.")
        if missing := [found for found in waiting if found not in results]:
            refuse(f"messages.{place}: `tool_use` ids were found without `tool_result` blocks immediately after: {missing[0]}.")
        if results and any([block["type"] != "tool_result" for block in blocks[: len(results)]]):
            refuse(f"messages.{place}: `tool_result` blocks must come first.")
        waiting = [block["id"] for block in blocks if block["type"] == "tool_use"]
        if len({*waiting}) < len(waiting):
            refuse(f"messages.{place}: `tool_use` ids must be unique")
    if waiting:
        refuse(f"`tool_use` ids were found without `tool_result` blocks immediately after: {waiting[0]}.")
