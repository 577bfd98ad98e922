# mypy: disable-error-code="dict-item, index, operator"
"""The server that stands in for providers: it answers in the shapes of the SDKs' own types, and refuses what they refuse."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from copy import deepcopy

import pytest

from graphkit.testing import Failure, ModelServer, Reply

TOOL = {"name": "add", "description": "Add.", "input_schema": {"type": "object", "properties": {}}}
FUNCTION = {"name": "add", "description": "Add.", "parameters": {"type": "object", "properties": {}}}
MESSAGES = {
    "model": "m",
    "max_tokens": 10,
    "system": "Be brief.",
    "messages": [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": [{"type": "text", "text": "So"}, {"type": "tool_use", "id": "c1", "name": "add", "input": {}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c1", "content": "2"}]},
    ],
    "tools": [TOOL],
}
CHAT = {
    "model": "m",
    "messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hi"},
        {
            "role": "assistant",
            "content": "So",
            "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "add", "arguments": "{}"}}],
        },
        {"role": "tool", "tool_call_id": "c1", "content": "2"},
    ],
    "tools": [{"type": "function", "function": FUNCTION}],
}
RESPONSES = {
    "model": "m",
    "input": [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "So"},
        {"type": "function_call", "call_id": "c1", "name": "add", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c1", "output": "2"},
    ],
    "tools": [{"type": "function", "strict": False, **FUNCTION}],
}
PATHS = {"/v1/messages": MESSAGES, "/v1/chat/completions": CHAT, "/v1/responses": RESPONSES}
FULL = Reply("one two", reasoning="hm hm", tool_calls=[{"name": "add", "args": {"a": 1}}], usage={"input": 9, "output": 4, "reasoning": 2})


def post(server, path, body, headers=None):
    """Return the status and the text of the answer."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    known = {"authorization": "Bearer k", "anthropic-version": "2023-06-01", **(headers or {})}
    request = urllib.request.Request(server.url + path, data, {name: value for name, value in known.items() if value})
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def at(body, *path):
    for part in path:
        body = body[part]
    return body


def put(*path, value):
    def change(body):
        at(body, *path[:-1])[path[-1]] = value

    return change


def drop(*path):
    def change(body):
        del at(body, *path[:-1])[path[-1]]

    return change


@pytest.mark.parametrize("path", PATHS)
def test_a_request_that_is_right_is_answered(path):
    with ModelServer(["Fine."]) as server:
        status, text = post(server, path, PATHS[path])

    assert status == 200
    assert "Fine." in text
    assert [turn.role for turn in server.requests[0].turns] == ["system", "user", "assistant", "tool"]
    assert server.requests[0].turns[2].tool_calls == ({"name": "add", "args": {}, "id": "c1"},)


REFUSED = [
    ("/v1/messages", drop("max_tokens"), "max_tokens"),
    ("/v1/messages", put("max_tokens", value=0), "minimum"),
    ("/v1/messages", drop("model"), "model"),
    ("/v1/messages", put("messages", value=[]), "messages"),
    ("/v1/messages", put("temperature", value=1), "temperature"),
    ("/v1/messages", put("messages", 0, "role", value="tool"), "'tool' is not one of"),
    ("/v1/messages", put("messages", 0, "content", value=""), "messages"),
    ("/v1/messages", put("messages", 0, "content", value=[{"type": "text", "text": ""}]), "messages"),
    ("/v1/messages", put("messages", 0, "content", value=[{"type": "input_text", "text": "x"}]), "messages"),
    ("/v1/messages", put("messages", 0, "extra", value=1), "extra"),
    ("/v1/messages", drop("messages", 0), "first message"),
    ("/v1/messages", drop("messages", 2), "without `tool_result`"),
    ("/v1/messages", put("messages", 2, "content", 0, "tool_use_id", value="c9"), "unexpected `tool_use_id`"),
    ("/v1/messages", put("messages", 1, "content", value="So"), "unexpected `tool_use_id`"),
    ("/v1/messages", put("tool_choice", value={"type": "tool", "name": "sub"}), "not found"),
    ("/v1/messages", put("tool_choice", value={"type": "required"}), "tool_choice"),
    ("/v1/messages", put("tools", value=[TOOL, TOOL]), "unique"),
    ("/v1/messages", put("tools", value=[{"type": "function", "function": FUNCTION}]), "tools"),
    ("/v1/messages", put("tools", 0, "name", value="a b"), "tools"),
    ("/v1/messages", put("thinking", value={"type": "enabled", "budget_tokens": 2000}), "budget_tokens"),
    (
        "/v1/messages",
        put("messages", 1, "content", 0, value={"type": "thinking", "thinking": "changed", "signature": "x"}),
        "Invalid `signature`",
    ),
    (
        "/v1/messages",
        put("output_config", value={"format": {"type": "json_schema", "schema": {"type": "object"}}}),
        "additionalProperties",
    ),
    ("/v1/chat/completions", drop("model"), "model"),
    ("/v1/chat/completions", put("messages", value=[]), "messages"),
    ("/v1/chat/completions", put("max_output_tokens", value=1), "max_output_tokens"),
    ("/v1/chat/completions", put("stream_options", value={"include_usage": True}), "stream_options"),
    ("/v1/chat/completions", put("messages", 1, "role", value="human"), "'human' is not one of"),
    ("/v1/chat/completions", put("messages", 1, "content", value=[{"type": "image", "source": {}}]), "messages"),
    ("/v1/chat/completions", put("messages", 2, "tool_calls", 0, "function", "arguments", value={}), "messages"),
    ("/v1/chat/completions", put("messages", 2, "tool_calls", 0, "function", "arguments", value="{"), "no JSON"),
    ("/v1/chat/completions", drop("messages", 3), "did not have response messages: c1"),
    ("/v1/chat/completions", drop("messages", 2), "must be a response to a preceding message"),
    ("/v1/chat/completions", put("messages", 3, "tool_call_id", value="c9"), "must be a response to a preceding message"),
    ("/v1/chat/completions", put("tool_choice", value="any"), "tool_choice"),
    ("/v1/chat/completions", put("tools", value=[FUNCTION]), "tools"),
    ("/v1/responses", drop("model"), "model"),
    ("/v1/responses", put("input", value=[]), "input"),
    ("/v1/responses", put("messages", value=[]), "messages"),
    ("/v1/responses", put("stop", value="x"), "stop"),
    ("/v1/responses", put("input", 1, "role", value="tool"), "'tool' is not one of"),
    ("/v1/responses", put("input", 1, "content", value=[{"type": "text", "text": "x"}]), "input"),
    ("/v1/responses", drop("input", 4), "No tool output found for function call c1"),
    ("/v1/responses", drop("input", 3), "No tool call found for function call output with call_id c1"),
    ("/v1/responses", put("tools", value=[{"type": "function", "function": FUNCTION}]), "tools"),
    (
        "/v1/responses",
        put("input", 2, value={"type": "reasoning", "id": "rs", "summary": [], "encrypted_content": "x"}),
        "could not be verified",
    ),
]


@pytest.mark.parametrize("path, change, complaint", REFUSED)
def test_a_request_that_is_wrong_is_refused_and_takes_no_step(path, change, complaint):
    body = deepcopy(PATHS[path])
    change(body)

    with ModelServer(["Fine."]) as server:
        status, text = post(server, path, body)
        later, _ = post(server, path, PATHS[path])

    assert (status, later) == (400, 200)
    assert complaint in json.loads(text)["error"]["message"]
    assert complaint in server.requests[0].refusal


def test_what_belongs_to_http_is_checked():
    with ModelServer([], api_key="k") as server:
        assert post(server, "/v1/messages", MESSAGES, {"authorization": "Bearer x"})[0] == 401
        assert post(server, "/v1/messages", MESSAGES, {"authorization": ""})[0] == 401
        assert post(server, "/v1/messages", MESSAGES, {"anthropic-version": ""})[0] == 400
        assert post(server, "/v1/elsewhere", MESSAGES)[0] == 404
        assert post(server, "/v1/responses", b"{")[0] == 400
        assert post(server, "/v1/responses", b"[]")[0] == 400


def types_of(path):
    """Return the SDK's types of a whole answer and of an event."""
    from anthropic.types import Message, RawMessageStreamEvent
    from openai.types.chat import ChatCompletion, ChatCompletionChunk
    from openai.types.responses import Response, ResponseStreamEvent

    return {
        "/v1/messages": (Message, RawMessageStreamEvent),
        "/v1/chat/completions": (ChatCompletion, ChatCompletionChunk),
        "/v1/responses": (Response, ResponseStreamEvent),
    }[path]


REPLIES = [Reply("Fine."), FULL, Reply("No.", stop="refusal"), Reply("cut", stop="max_tokens"), Reply(tool_calls=[{"name": "add"}])]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("reply", REPLIES)
def test_answers_have_the_shape_that_the_sdk_describes(path, reply):
    from pydantic import TypeAdapter

    with ModelServer([reply]) as server:
        _, text = post(server, path, PATHS[path])

    TypeAdapter(types_of(path)[0]).validate_json(text)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("reply", REPLIES)
def test_events_have_the_shape_that_the_sdk_describes(path, reply):
    from pydantic import TypeAdapter

    with ModelServer([reply]) as server:
        _, text = post(server, path, {**PATHS[path], "stream": True})
    lines = [line.removeprefix("data: ") for line in text.splitlines() if line.startswith("data: ")]
    events = [line for line in lines if line not in {"[DONE]", '{"type": "ping"}'}]

    adapter = TypeAdapter(types_of(path)[1])
    assert len([adapter.validate_json(event) for event in events]) > 2


@pytest.mark.parametrize("path", PATHS)
def test_a_failure_has_headers_and_a_body_of_the_providers_form(path):
    with ModelServer([Failure(429, "Slow down.", headers={"retry-after": "2"})]) as server:
        status, text = post(server, path, PATHS[path])

    assert status == 429
    assert json.loads(text)["error"]["message"] == "Slow down."


def test_a_function_answers_what_it_sees():
    with ModelServer(lambda request: Reply(f"{request.format}: {request.turns[-1].text}")) as server:
        texts = [post(server, path, body)[1] for path, body in PATHS.items()]

    assert [format_ in text for format_, text in zip(("messages: 2", "chat: 2", "responses: 2"), texts, strict=True)] == [True] * 3


def test_a_script_that_runs_out_says_so():
    with ModelServer([]) as server:
        status, text = post(server, "/v1/responses", RESPONSES)

    assert (status, "0 steps" in text) == (400, True)
