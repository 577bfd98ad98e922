"""OpenAI's Chat Completions as a server speaks them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graphkit.testing.model_server.speech import (
    args_text,
    arguments,
    check_shape,
    fields,
    halves,
    new_id,
    one_of,
    refuse,
    sse,
    text_of,
    words,
)
from graphkit.testing.model_server.step import Turn

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from graphkit.testing.model_server.step import Failure, Reply

STOPS = {
    "end": "stop",
    "tool_calls": "tool_calls",
    "max_tokens": "length",
    "stop_sequence": "stop",
    "refusal": "stop",
    "pause": "stop",
}
KINDS = {401: "invalid_api_key", 404: "model_not_found", 429: "rate_limit_exceeded"}
NAME = {"type": "string", "pattern": "^[a-zA-Z0-9_-]{1,64}$"}
STRING = {"type": "string"}
TEXT_PART: dict[str, dict[str, Any]] = {"text": {"text": STRING}}
USER_PART: dict[str, dict[str, Any]] = {
    **TEXT_PART,
    "image_url": {"image_url": fields({"url": STRING, "detail?": {}})},
    "input_audio": {"input_audio": {"type": "object"}},
    "file": {"file": fields({"file_data?": STRING, "file_id?": STRING, "filename?": STRING})},
}
CALL = fields(
    {
        "id": {"type": "string", "minLength": 1},
        "type": {"const": "function"},
        "function": fields({"name": NAME, "arguments": STRING}),
        "extra_content?": {"type": "object"},
    }
)


def _content(parts: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    return {"anyOf": [STRING, {"type": "array", "minItems": 1, "items": one_of(parts)}]}


ROLES: dict[str, dict[str, Any]] = {
    "system": {"content": _content(TEXT_PART), "name?": NAME},
    "developer": {"content": _content(TEXT_PART), "name?": NAME},
    "user": {"content": _content(USER_PART), "name?": NAME},
    "tool": {"content": _content(TEXT_PART), "tool_call_id": STRING},
    "assistant": {
        "content?": {"anyOf": [{"type": "null"}, _content(TEXT_PART)]},
        "refusal?": {},
        "name?": NAME,
        "tool_calls?": {"type": "array", "minItems": 1, "items": CALL},
    },
}
MESSAGE = {
    "type": "object",
    "required": ["role"],
    "properties": {"role": {"enum": list(ROLES)}},
    "allOf": [{"if": {"properties": {"role": {"const": role}}}, "then": fields({"role": {}, **keys})} for role, keys in ROLES.items()],
}
FUNCTION = fields({"name": NAME, "description?": STRING, "parameters?": {"type": "object"}, "strict?": {"type": ["boolean", "null"]}})
FORM = fields({"name": NAME, "description?": STRING, "schema": {"type": "object"}, "strict?": {"type": ["boolean", "null"]}})
NUMBER, COUNT = {"type": "number"}, {"type": "integer", "minimum": 1}
BODY = fields(
    {
        "model": {"type": "string", "minLength": 1},
        "messages": {"type": "array", "minItems": 1, "items": MESSAGE},
        "tools?": {"type": "array", "minItems": 1, "items": fields({"type": {"const": "function"}, "function": FUNCTION})},
        "tool_choice?": {
            "anyOf": [
                {"enum": ["auto", "none", "required"]},
                fields({"type": {"const": "function"}, "function": fields({"name": NAME})}),
            ]
        },
        "parallel_tool_calls?": {"type": "boolean"},
        "response_format?": one_of({"text": {}, "json_object": {}, "json_schema": {"json_schema": FORM}}),
        "stream?": {"type": "boolean"},
        "stream_options?": fields({"include_usage?": {"type": "boolean"}}),
        "max_tokens?": COUNT,
        "max_completion_tokens?": COUNT,
        "temperature?": {"type": "number", "minimum": 0, "maximum": 2},
        "top_p?": {"type": "number", "minimum": 0, "maximum": 1},
        "stop?": {"anyOf": [STRING, {"type": "array", "items": STRING, "maxItems": 4}]},
        "seed?": {"type": "integer"},
        "reasoning_effort?": {"enum": ["none", "minimal", "low", "medium", "high", "xhigh", "max"]},
        "verbosity?": {"enum": ["low", "medium", "high"]},
        **{f"{name}?": NUMBER for name in ("frequency_penalty", "presence_penalty")},
        **{
            f"{name}?": {}
            for name in (
                "logit_bias", "logprobs", "top_logprobs", "metadata", "prompt_cache_key", "safety_identifier", "service_tier", "store",
                "user",
            )
        },
    }
)  # fmt: skip


class ChatSpeech:
    """Chat Completions."""

    def check(self, body: dict[str, Any]) -> None:
        """Refuse what the API refuses, above all calls without tool messages and tool messages without calls."""
        check_shape(body, BODY)
        check_choice(self.tools(body), body.get("tool_choice"))
        if "stream_options" in body and not body.get("stream"):
            refuse("The 'stream_options' parameter is only allowed when 'stream' is enabled.")
        _check_calls(body["messages"])

    def turns(self, body: Mapping[str, Any]) -> list[Turn]:
        """Return the conversation."""
        return [
            Turn(
                {"developer": "system"}.get(message["role"], message["role"]),
                text_of(message.get("content")),
                tuple(
                    [
                        {"name": call["function"]["name"], "args": arguments(call["function"]["arguments"]), "id": call["id"]}
                        for call in message.get("tool_calls") or ()
                    ]
                ),
                message.get("tool_call_id"),
            )
            for message in body["messages"]
        ]

    def tools(self, body: Mapping[str, Any]) -> list[str]:
        """Return the names of the tools."""
        return [tool["function"]["name"] for tool in body.get("tools") or ()]

    def whole(self, reply: Reply, body: Mapping[str, Any]) -> dict[str, Any]:
        """Return a completion."""
        said = "refusal" if reply.why == "refusal" else "content"
        message: dict[str, Any] = {"role": "assistant", "content": None, "refusal": None, said: reply.text or None}
        if reply.reasoning:
            message["reasoning_content"] = reply.reasoning
        if reply.tool_calls:
            message["tool_calls"] = [_call(call) for call in reply.tool_calls]
        choice = {"index": 0, "message": message, "finish_reason": STOPS[reply.why], "logprobs": None}
        return {**_head(body, "chat.completion"), "choices": [choice], "usage": _usage(reply)}

    def events(self, reply: Reply, body: Mapping[str, Any]) -> Iterator[str]:
        """Yield the chunks of a completion, the usage last if it is asked for."""
        head = _head(body, "chat.completion.chunk")
        said = "refusal" if reply.why == "refusal" else "content"
        yield _chunk(head, {"role": "assistant", "content": "", "refusal": None})
        for word in words(reply.reasoning):
            yield _chunk(head, {"reasoning_content": word})
        for word in words(reply.text):
            yield _chunk(head, {said: word})
        for index, call in enumerate(reply.tool_calls):
            whole = _call(call)
            yield _chunk(head, {"tool_calls": [{"index": index, **whole, "function": {"name": call["name"], "arguments": ""}}]})
            for part in halves(whole["function"]["arguments"]):
                yield _chunk(head, {"tool_calls": [{"index": index, "function": {"arguments": part}}]})
        yield _chunk(head, {}, STOPS[reply.why])
        if (body.get("stream_options") or {}).get("include_usage"):
            yield sse({**head, "choices": [], "usage": _usage(reply)})
        yield sse("[DONE]")

    def failure(self, failure: Failure) -> dict[str, Any]:
        """Return the body of an error."""
        return openai_failure(failure)

    def failure_event(self, failure: Failure) -> str:
        """Return the event of an error."""
        return sse(openai_failure(failure))


def openai_failure(failure: Failure) -> dict[str, Any]:
    """Return the body of an error of OpenAI's."""
    kind = "server_error" if failure.status >= 500 else "invalid_request_error"
    return {"error": {"message": failure.message, "type": kind, "param": None, "code": failure.kind or KINDS.get(failure.status)}}


def check_choice(names: list[str], choice: object) -> None:
    """Refuse a choice without tools, or of a tool that is not there."""
    if choice and not names:
        refuse("'tool_choice' is only allowed when 'tools' are specified.")
    name = (choice.get("function") or choice).get("name") if isinstance(choice, dict) else None
    if name is not None and name not in names:
        refuse(f"Tool choice '{name}' not found in 'tools' parameter.")


def _check_calls(messages: list[dict[str, Any]]) -> None:
    waiting: list[str] = []
    for place, message in enumerate(messages):
        if message["role"] == "tool":
            if message["tool_call_id"] not in waiting:
                refuse(f"messages[{place}]: messages with role 'tool' must be a response to a preceding message with 'tool_calls'.")
            waiting.remove(message["tool_call_id"])
            continue
        _check_answered(waiting)
        if message["role"] == "assistant" and not message.get("content") and not message.get("tool_calls"):
            refuse(f"messages[{place}]: an assistant message needs 'content' or 'tool_calls'.")
        waiting = [call["id"] for call in message.get("tool_calls") or ()]
    _check_answered(waiting)


def _check_answered(waiting: list[str]) -> None:
    if waiting:
        refuse(
            "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. "
            f"The following tool_call_ids did not have response messages: {', '.join(waiting)}"
        )


def _head(body: Mapping[str, Any], kind: str) -> dict[str, Any]:
    return {"id": new_id("chatcmpl"), "object": kind, "created": 0, "model": body["model"]}


def _chunk(head: dict[str, Any], delta: dict[str, Any], reason: str | None = None) -> str:
    return sse({**head, "choices": [{"index": 0, "delta": delta, "finish_reason": reason, "logprobs": None}]})


def _call(call: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {"id": call.get("id") or new_id("call"), "type": "function"}
    if "extra_content" in call:
        found["extra_content"] = call["extra_content"]
    return {**found, "function": {"name": call["name"], "arguments": args_text(call)}}


def _usage(reply: Reply) -> dict[str, Any]:
    read, written = reply.usage.get("input", 0), reply.usage.get("output", 0)
    return {
        "prompt_tokens": read,
        "completion_tokens": written,
        "total_tokens": read + written,
        "prompt_tokens_details": {
            "cached_tokens": reply.usage.get("cache_read", 0),
            "cache_write_tokens": reply.usage.get("cache_creation", 0),
        },
        "completion_tokens_details": {"reasoning_tokens": reply.usage.get("reasoning", 0)},
    }
