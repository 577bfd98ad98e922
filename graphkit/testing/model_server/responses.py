"""OpenAI's Responses API as a server speaks it."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any

from graphkit.testing.model_server.chat import NAME, STRING, check_choice, openai_failure
from graphkit.testing.model_server.speech import (
    args_text,
    arguments,
    check_shape,
    fields,
    halves,
    new_id,
    one_of,
    refuse,
    seal,
    sse,
    text_of,
    words,
)
from graphkit.testing.model_server.step import Turn

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from graphkit.testing.model_server.step import Failure, Reply

INCOMPLETE = {"max_tokens": "max_output_tokens", "pause": "steered"}
PARTS: dict[str, dict[str, Any]] = {
    "input_text": {"text": STRING},
    "input_image": {"detail": {"enum": ["auto", "low", "high", "original"]}, "image_url?": STRING, "file_id?": STRING},
    "input_file": {"file_data?": STRING, "file_url?": STRING, "file_id?": STRING, "filename?": STRING},
}
CONTENT = {"anyOf": [STRING, {"type": "array", "minItems": 1, "items": one_of(PARTS)}]}
MESSAGE = fields(
    {
        "type?": {"const": "message"},
        "role": {"enum": ["user", "system", "developer", "assistant"]},
        "content": CONTENT,
        "phase?": {"enum": ["commentary", "final_answer"]},
    }
)
ITEMS = one_of(
    {
        "message": {"role": {}, "content": {}, "phase?": {}},
        "function_call": {"call_id": {"type": "string", "minLength": 1}, "name": NAME, "arguments": STRING, "id?": STRING, "status?": {}},
        "function_call_output": {"call_id": STRING, "output": CONTENT},
        "reasoning": {
            "id": STRING,
            "summary": {"type": "array", "items": one_of({"summary_text": {"text": STRING}})},
            "encrypted_content?": STRING,
            "content?": {},
        },
        "web_search_call": {"id": STRING, "status": {}, "action?": {}},
    }
)
TOOL = one_of(
    {
        "function": {
            "name": NAME,
            "strict": {"type": ["boolean", "null"]},
            "description?": STRING,
            "parameters": {"type": ["object", "null"]},
        },
        "web_search": {"search_context_size?": {}, "filters?": {}},
    }
)
FORM = one_of({"text": {}, "json_schema": {"name": NAME, "schema": {"type": "object"}, "strict?": {}, "description?": STRING}})
BODY = fields(
    {
        "model": {"type": "string", "minLength": 1},
        "input": {
            "anyOf": [
                {"type": "string", "minLength": 1},
                {"type": "array", "minItems": 1, "items": {"if": {"required": ["role"]}, "then": MESSAGE, "else": ITEMS}},
            ]
        },
        "instructions?": STRING,
        "tools?": {"type": "array", "items": TOOL},
        "tool_choice?": {"anyOf": [{"enum": ["auto", "none", "required"]}, fields({"type": {"const": "function"}, "name": NAME})]},
        "parallel_tool_calls?": {"type": "boolean"},
        "stream?": {"type": "boolean"},
        "store?": {"type": "boolean"},
        "max_output_tokens?": {"type": "integer", "minimum": 1},
        "temperature?": {"type": "number", "minimum": 0, "maximum": 2},
        "top_p?": {"type": "number", "minimum": 0, "maximum": 1},
        "reasoning?": fields({"effort?": STRING, "summary?": STRING, "context?": STRING, "mode?": STRING}),
        "text?": fields({"format?": FORM, "verbosity?": {"enum": ["low", "medium", "high"]}}),
        **{
            f"{name}?": {}
            for name in (
                "include", "max_tool_calls", "metadata", "previous_response_id", "prompt_cache_key", "safety_identifier", "service_tier",
                "top_logprobs", "truncation", "user",
            )
        },
    }
)  # fmt: skip


class ResponsesSpeech:
    """The Responses API."""

    def check(self, body: dict[str, Any]) -> None:
        """Refuse what the API refuses, above all calls without outputs and outputs without calls."""
        check_shape(body, BODY)
        check_choice(self.tools(body), body.get("tool_choice"))
        items = _items(body)
        called = [item["call_id"] for item in items if item.get("type") == "function_call"]
        answered = [item["call_id"] for item in items if item.get("type") == "function_call_output"]
        if missing := [found for found in called if found not in answered]:
            refuse(f"No tool output found for function call {missing[0]}.")
        if unknown := [found for found in answered if found not in called]:
            refuse(f"No tool call found for function call output with call_id {unknown[0]}.")
        if len({*answered}) < len(answered):
            refuse("A function call has two outputs.")
        _check_reasoning(items)

    def turns(self, body: Mapping[str, Any]) -> list[Turn]:
        """Return the conversation; items of one answer are one turn."""
        found = [Turn("system", body["instructions"])] if body.get("instructions") else []
        for item in _items(body):
            match item.get("type", "message"):
                case "message":
                    found.append(Turn({"developer": "system"}.get(item["role"], item["role"]), text_of(item["content"])))
                case "function_call":
                    call = {"name": item["name"], "args": arguments(item["arguments"]), "id": item["call_id"]}
                    before = found.pop() if found and found[-1].role == "assistant" else Turn("assistant", "")
                    found.append(Turn("assistant", before.text, (*before.tool_calls, call)))
                case "function_call_output":
                    found.append(Turn("tool", text_of(item["output"]), tool_call_id=item["call_id"]))
        return found

    def tools(self, body: Mapping[str, Any]) -> list[str]:
        """Return the names of the tools."""
        return [tool.get("name", tool["type"]) for tool in body.get("tools") or ()]

    def whole(self, reply: Reply, body: Mapping[str, Any]) -> dict[str, Any]:
        """Return a response."""
        incomplete = INCOMPLETE.get(reply.why)
        return {
            "id": new_id("resp"), "object": "response", "created_at": 0, "model": body["model"], "output": _output(reply),
            "status": "incomplete" if incomplete else "completed", "error": None,
            "incomplete_details": {"reason": incomplete} if incomplete else None,
            "parallel_tool_calls": True, "tool_choice": "auto", "tools": [], "usage": _usage(reply),
        }  # fmt: skip

    def events(self, reply: Reply, body: Mapping[str, Any]) -> Iterator[str]:
        """Yield the events of a response."""
        response, numbers = self.whole(reply, body), count()
        begun = {**response, "output": [], "status": "in_progress", "incomplete_details": None, "usage": None}

        def event(kind: str, **data: object) -> str:
            return sse({"type": kind, "sequence_number": next(numbers), **data}, kind)

        yield event("response.created", response=begun)
        yield event("response.in_progress", response=begun)
        for index, item in enumerate(response["output"]):
            place = {"output_index": index, "item_id": item["id"]}
            yield event("response.output_item.added", output_index=index, item=_empty(item))
            for kind, data in _deltas(item):
                yield event(kind, **place, **data)
            yield event("response.output_item.done", output_index=index, item=item)
        yield event(f"response.{response['status']}", response=response)

    def failure(self, failure: Failure) -> dict[str, Any]:
        """Return the body of an error."""
        return openai_failure(failure)

    def failure_event(self, failure: Failure) -> str:
        """Return the event of an error."""
        code = failure.kind or openai_failure(failure)["error"]["code"] or "server_error"
        return sse({"type": "error", "sequence_number": 1, "code": code, "message": failure.message, "param": None}, "error")


def _items(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"role": "user", "content": body["input"]}] if isinstance(body["input"], str) else body["input"]


def _check_reasoning(items: list[dict[str, Any]]) -> None:
    for item, following in zip(items, [*items[1:], {}], strict=True):
        if item.get("type") != "reasoning":
            continue
        thought = "".join([part["text"] for part in item["summary"]])
        if item.get("encrypted_content") != seal(thought):
            refuse(f"The encrypted content for item {item['id']} could not be verified.")
        if following.get("role") != "assistant" and following.get("type") not in {"function_call", "reasoning"}:
            refuse(f"Item '{item['id']}' of type 'reasoning' was provided without its required following item.")


def _output(reply: Reply) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    if reply.reasoning:
        summary = [{"type": "summary_text", "text": reply.reasoning}]
        items.append({"type": "reasoning", "id": new_id("rs"), "summary": summary, "encrypted_content": seal(reply.reasoning)})
    if reply.text:
        refused: dict[str, Any] = {"type": "refusal", "refusal": reply.text}
        said: dict[str, Any] = {"type": "output_text", "text": reply.text, "annotations": []}
        content = [refused if reply.why == "refusal" else said]
        items.append({"type": "message", "id": new_id("msg"), "role": "assistant", "status": "completed", "content": content})
    for call in reply.tool_calls:
        named = {"call_id": call.get("id") or new_id("call"), "name": call["name"], "arguments": args_text(call)}
        items.append({"type": "function_call", "id": new_id("fc"), "status": "completed", **named})
    return items


def _empty(item: dict[str, Any]) -> dict[str, Any]:
    match item["type"]:
        case "reasoning":
            return {**item, "summary": [], "encrypted_content": "not yet"}
        case "message":
            return {**item, "content": [], "status": "in_progress"}
        case _:
            return {**item, "arguments": "", "status": "in_progress"}


def _deltas(item: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    match item["type"]:
        case "reasoning":
            for word in words(item["summary"][0]["text"]):
                yield "response.reasoning_summary_text.delta", {"summary_index": 0, "delta": word}
        case "message":
            part = item["content"][0]
            more: dict[str, Any]
            kind, more = ("refusal", {}) if part["type"] == "refusal" else ("output_text", {"logprobs": []})
            for word in words(part.get("text") or part.get("refusal") or ""):
                yield f"response.{kind}.delta", {"content_index": 0, "delta": word, **more}
        case _:
            for text in halves(item["arguments"]):
                yield "response.function_call_arguments.delta", {"delta": text}
            yield "response.function_call_arguments.done", {"arguments": item["arguments"], "name": item["name"]}


def _usage(reply: Reply) -> dict[str, Any]:
    read, written = reply.usage.get("input", 0), reply.usage.get("output", 0)
    return {
        "input_tokens": read,
        "output_tokens": written,
        "total_tokens": read + written,
        "input_tokens_details": {
            "cached_tokens": reply.usage.get("cache_read", 0),
            "cache_write_tokens": reply.usage.get("cache_creation", 0),
        },
        "output_tokens_details": {"reasoning_tokens": reply.usage.get("reasoning", 0)},
    }
