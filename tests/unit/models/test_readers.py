# mypy: disable-error-code="arg-type, index, list-item"
"""Streams that the providers' descriptions do not tell of, but that servers send."""

from __future__ import annotations

import json

import pytest

from graphkit.errors import ModelError, ModelRefusalError
from graphkit.messages import AIMessage
from graphkit.models.answer import complete
from graphkit.models.anthropic import AnthropicMessages
from graphkit.models.openai_chat import ChatCompletions
from graphkit.models.openai_responses import OpenAIResponses
from graphkit.models.provider import ModelRequest


def read(wire, events):
    reader = wire.reader()
    message = complete([chunk for event in events for chunk in reader.read(event)])
    return message, reader.done


def delta(**keys):
    return {"id": "x", "model": "m", "choices": [{"index": 0, "delta": keys, "finish_reason": None}]}


def finish(reason="stop"):
    return {"id": "x", "model": "m", "choices": [{"index": 0, "delta": {}, "finish_reason": reason}]}


def call(index, id, name, args):
    return {"index": index, "id": id, "type": "function", "function": {"name": name, "arguments": args}}


CHAT = ChatCompletions("google", "m")


def test_parallel_calls_that_all_have_the_index_0_are_several():
    events = [delta(tool_calls=[call(0, "a", "add", '{"x": 1}')]), delta(tool_calls=[call(0, "b", "add", '{"x": 2}')]), finish()]

    message, done = read(CHAT, events)

    assert [(one["id"], one["args"]) for one in message.tool_calls] == [("a", {"x": 1}), ("b", {"x": 2})]
    assert (message.stop_reason, done) == ("tool_calls", True)


def test_calls_without_ids_get_ids_of_their_own():
    events = [delta(tool_calls=[call(0, "", "add", "{}"), call(1, None, "add", "{}")]), finish("tool_calls")]

    ids = [one["id"] for message in (read(CHAT, events)[0], read(CHAT, events)[0]) for one in message.tool_calls]

    assert len({*ids}) == 4


def test_an_id_that_is_repeated_with_every_piece_is_one_call():
    events = [delta(tool_calls=[call(0, "a", "add", '{"x"')]), delta(tool_calls=[call(0, "a", None, ": 1}")]), finish()]

    assert read(CHAT, events)[0].tool_calls == [{"name": "add", "args": {"x": 1}, "id": "a"}]


def test_what_comes_with_a_call_goes_back_with_it():
    signed = {**call(0, "a", "add", "{}"), "extra_content": {"google": {"thought_signature": "s"}}}
    message, _ = read(CHAT, [delta(tool_calls=[signed]), finish()])

    told = CHAT.arguments(ModelRequest((message,)))["messages"][0]["tool_calls"][0]
    elsewhere = ChatCompletions("xai", "m").arguments(ModelRequest((message,)))["messages"][0]["tool_calls"][0]

    assert told["extra_content"] == {"google": {"thought_signature": "s"}}
    assert "extra_content" not in elsewhere


@pytest.mark.parametrize("key", ["reasoning", "reasoning_content"])
def test_reasoning_has_two_names_in_chat_completions(key):
    message, _ = read(CHAT, [delta(**{key: "h"}), delta(**{key: "m"}), delta(content="so"), finish()])

    assert message.content == [{"type": "reasoning", "reasoning": "hm"}, {"type": "text", "text": "so"}]


@pytest.mark.parametrize("reason, expected", [("length", "max_tokens"), ("content_filter", "refusal"), ("eos", "other")])
def test_a_reason_of_any_name_is_a_stop(reason, expected):
    message, done = read(CHAT, [delta(content="x"), finish(reason)])

    assert (message.stop_reason, done) == (expected, True)
    assert message.response_metadata.get("finish_reason") == (reason if expected == "other" else None)


def test_a_stream_without_a_reason_is_not_done():
    assert read(CHAT, [delta(content="x")])[1] is False


# Anthropic -------------------------------------------------------------------------------------------------------------

CLAUDE = AnthropicMessages("m")


def whole(*content, stop="end_turn"):
    return {
        "id": "msg",
        "type": "message",
        "role": "assistant",
        "model": "m",
        "content": list(content),
        "stop_reason": stop,
        "usage": {"input_tokens": 1, "output_tokens": 1},
    }


def told(wire, message):
    """Return what a wire says of an answer in the next request."""
    arguments = wire.arguments(ModelRequest((message,)))
    return arguments["messages"][0]["content"] if "messages" in arguments else arguments["input"]


USE = {"type": "tool_use", "id": "c1", "name": "add", "input": {"a": 1}}
THOUGHT = {"type": "thinking", "thinking": "hm", "signature": "s1"}


@pytest.mark.parametrize(
    "content",
    [
        [THOUGHT, {"type": "text", "text": "so"}, USE],
        [THOUGHT, USE, {**THOUGHT, "signature": "s2"}, {**USE, "id": "c2"}],
        [{"type": "text", "text": "one"}, {"type": "text", "text": "two"}],
        [{"type": "text", "text": "one"}, USE, {"type": "text", "text": "two"}],
        [{"type": "redacted_thinking", "data": "xyz"}, {"type": "text", "text": "so"}],
        [{"type": "thinking", "thinking": "", "signature": "s"}, USE],
        [{"type": "text", "text": "cited", "citations": [{"type": "char_location", "cited_text": "c"}]}],
        [
            {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {"query": "x"}},
            {"type": "web_search_tool_result", "tool_use_id": "s1", "content": []},
            {"type": "text", "text": "found"},
        ],
        [{**USE, "caller": {"type": "direct"}}],
    ],
)
def test_an_answer_of_anthropic_goes_back_as_it_came(content):
    message = complete(CLAUDE.read(whole(*content)))

    assert told(CLAUDE, message) == content


def test_the_last_block_of_a_tool_of_anthropics_own_may_come_in_pieces():
    events = [
        {"type": "message_start", "message": whole()},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "server_tool_use", "id": "s", "name": "f", "input": {}}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "input_json_delta", "partial_json": '{"q": '}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "input_json_delta", "partial_json": "1}"}},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "pause_turn"}, "usage": {"output_tokens": 2}},
        {"type": "an_event_of_the_future"},
        {"type": "message_stop"},
    ]

    message, done = read(CLAUDE, events)

    assert message.content == [{"type": "server_tool_use", "id": "s", "name": "f", "input": {"q": 1}}]
    assert (message.stop_reason, done) == ("pause", True)


def test_thoughts_of_another_provider_stay_at_home():
    message = complete(CLAUDE.read(whole(THOUGHT, {"type": "text", "text": "so"})))

    assert told(OpenAIResponses("m"), message) == [{"role": "assistant", "content": "so"}]


@pytest.mark.parametrize("wire, key", [(CLAUDE, "signature"), (OpenAIResponses("m"), "id")])
@pytest.mark.parametrize("provider, kept", [(None, True), ("own", True), ("bedrock", False)])
def test_a_thought_belongs_to_the_provider_that_its_extras_name(wire, key, provider, kept):
    own = wire.name.partition(":")[0]
    named = {} if provider is None else {"provider": own if provider == "own" else provider}
    message = AIMessage([{"type": "reasoning", "reasoning": "hm", "extras": {key: "x", **named}}, {"type": "text", "text": "so"}])

    assert len(told(wire, message)) == (2 if kept else 1)


# Responses -------------------------------------------------------------------------------------------------------------

GPT = OpenAIResponses("m")


def response(*output, **keys):
    return {"id": "r", "model": "m", "status": "completed", "output": list(output), **keys}


def said(text, **keys):
    return {
        "type": "message",
        "id": "i",
        "role": "assistant",
        "status": "completed",
        "content": [{"type": "output_text", "text": text}],
        **keys,
    }


def reasoning(id, *parts, **keys):
    return {"type": "reasoning", "id": id, "summary": [{"type": "summary_text", "text": part} for part in parts], **keys}


SEARCH = {"type": "web_search_call", "id": "ws", "status": "completed"}
FUNCTION = {"type": "function_call", "id": "fc", "call_id": "c1", "name": "add", "arguments": '{"a": 1}', "status": "completed"}


@pytest.mark.parametrize(
    "output, expected",
    [
        ([reasoning("r1", "one", encrypted_content="e"), said("so")], [reasoning("r1", "one", encrypted_content="e"), "so"]),
        ([reasoning("r1", "one", "two"), FUNCTION], [reasoning("r1", "one", "two"), "c1"]),
        ([reasoning("r1"), FUNCTION], [reasoning("r1"), "c1"]),
        (
            [reasoning("r1", "a"), FUNCTION, reasoning("r2", "b"), {**FUNCTION, "call_id": "c2"}],
            [reasoning("r1", "a"), "c1", reasoning("r2", "b"), "c2"],
        ),
        ([said("look", phase="commentary"), said("so", phase="final_answer")], [("look", "commentary"), ("so", "final_answer")]),
        ([SEARCH, said("so")], [SEARCH, "so"]),
    ],
)
def test_an_answer_of_openai_goes_back_as_it_came(output, expected):
    items = told(GPT, complete(GPT.read(response(*output))))

    assert [_short(item) for item in items] == expected


def _short(item):
    if item.get("type") == "function_call":
        return item["call_id"]
    if "role" in item:
        return (item["content"], item["phase"]) if "phase" in item else item["content"]
    return item


def test_a_stream_of_openai_with_phases_keeps_them_apart():
    events = [{"type": "response.created", "response": response()}]
    for index, (text, phase) in enumerate([("look", "commentary"), ("so", "final_answer")]):
        item = said(text, phase=phase)
        events += [
            {"type": "response.output_item.added", "output_index": index, "item": {**item, "content": []}},
            {"type": "response.output_text.delta", "output_index": index, "delta": text[:2]},
            {"type": "response.output_text.delta", "output_index": index, "delta": text[2:]},
            {"type": "response.output_item.done", "output_index": index, "item": item},
        ]
    events.append({"type": "response.completed", "response": response()})

    message, done = read(GPT, events)

    assert [(block["text"], block["extras"]["phase"]) for block in message.content] == [("look", "commentary"), ("so", "final_answer")]
    assert done


def test_a_failed_response_is_an_error_of_its_kind():
    with pytest.raises(ModelRefusalError, match="not allowed"):
        GPT.read(response(status="failed", error={"code": "bio_policy", "message": "not allowed"}))
    with pytest.raises(ModelError):
        GPT.read(response(status="failed", error=None))


def test_a_content_filter_is_a_refusal():
    message = complete(GPT.read(response(said("x"), status="incomplete", incomplete_details={"reason": "content_filter"})))

    assert message.stop_reason == "refusal"


def test_annotations_are_kept_with_their_text():
    item = said("so")
    item["content"][0]["annotations"] = [{"type": "url_citation", "url": "u"}]

    message = complete(GPT.read(response(item)))

    assert message.content == [
        {"type": "text", "text": "so", "extras": {"provider": "openai", "annotations": [{"type": "url_citation", "url": "u"}]}}
    ]


@pytest.mark.parametrize("wire", [CHAT, CLAUDE, GPT])
def test_messages_stay_json(wire):
    answer = {
        "google": {"id": "x", "model": "m", "choices": [{"message": {"content": "hi"}, "finish_reason": "stop"}]},
        "anthropic": whole(THOUGHT, USE, {"type": "text", "text": "x"}),
        "openai": response(reasoning("r", "a"), FUNCTION, said("x")),
    }[wire.name.partition(":")[0]]

    message = complete(wire.read(answer))

    json.dumps([message.content, message.response_metadata, message.usage_metadata])
