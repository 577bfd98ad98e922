# mypy: disable-error-code="index, typeddict-item"
"""What comes back from a provider, over HTTP, through its SDK: the same for every wire format and every way of asking."""

from __future__ import annotations

import json

import pytest

from graphkit.errors import GraphkitError
from graphkit.messages import gather
from graphkit.testing import ModelServer, Reply
from tests.unit.models.ways import PROVIDERS, every_provider, every_way, stream, whole_ways

ADD = {"name": "add", "args": {"a": 1, "b": [2, "ü"]}, "id": "call_a"}
SEND = {"name": "send", "args": {}, "id": "call_b"}


@every_provider
@every_way
def test_text_comes_back_as_a_string(provider, ask):
    with ModelServer(["Hello  there,\nfriend. "]) as server, server.model(provider) as model:
        message = ask(model, "Hi")

    assert message.content == "Hello  there,\nfriend. "
    assert message.stop_reason == "end"
    assert message.tool_calls == message.invalid_tool_calls == []


@every_provider
@every_way
def test_tool_calls_come_back_in_order_with_their_arguments(provider, ask):
    with ModelServer([Reply("Both.", tool_calls=[ADD, SEND])]) as server, server.model(provider) as model:
        message = ask(model, "Hi")

    assert [dict(call) for call in message.tool_calls] == [ADD, SEND]
    assert (message.content, message.stop_reason) == ("Both.", "tool_calls")


@every_provider
@every_way
def test_reasoning_comes_before_the_text_and_apart_from_it(provider, ask):
    with ModelServer([Reply("Four.", reasoning="Two and two ...")]) as server, server.model(provider) as model:
        message = ask(model, "2 + 2?")

    thought, text = message.content
    assert (thought["type"], thought["reasoning"]) == ("reasoning", "Two and two ...")
    assert text == {"type": "text", "text": "Four."}
    assert message.text == "Four."


@every_provider
@every_way
def test_tokens_are_counted_the_same_everywhere(provider, ask):
    usage = {"input": 50, "output": 20, "cache_read": 30, "cache_creation": 5, "reasoning": 7}
    with ModelServer([Reply("Hi", usage=usage)]) as server, server.model(provider) as model:
        message = ask(model, "Hi")

    assert message.usage_metadata == {
        "input_tokens": 50,
        "output_tokens": 20,
        "total_tokens": 70,
        "input_token_details": {"cache_read": 30, "cache_creation": 5},
        "output_token_details": {"reasoning": 7},
    }


@every_provider
@every_way
@pytest.mark.parametrize("stop", ["end", "max_tokens", "refusal"])
def test_the_stop_reason_has_one_name_for_all(provider, ask, stop):
    with ModelServer([Reply("Well", stop=stop)]) as server, server.model(provider) as model:
        message = ask(model, "Hi")

    assert message.stop_reason == stop
    assert message.text == "Well"


@every_way
@pytest.mark.parametrize("stop", ["stop_sequence", "pause"])
def test_anthropic_stops_for_reasons_of_its_own(ask, stop):
    with ModelServer([Reply("Well", stop=stop)]) as server, server.model("anthropic:test") as model:
        message = ask(model, "Hi")

    assert message.stop_reason == stop


@every_provider
@every_way
def test_the_metadata_names_provider_and_model(provider, ask):
    with ModelServer(["Hi"]) as server, server.model(provider) as model:
        message = ask(model, "Hi")

    assert message.response_metadata["provider"] == provider.partition(":")[0]
    assert message.response_metadata["model"] == "test"
    assert message.response_metadata["response_id"]
    json.dumps(message.response_metadata)


@every_provider
@every_way
@pytest.mark.parametrize("args", ['{"to": "a@exam', '{"to": [1, 2}', '["no", "object"]'])
def test_arguments_that_are_no_object_make_an_invalid_call(provider, ask, args):
    if provider.startswith("anthropic") and ask.__name__ in {"generate", "agenerate"}:
        pytest.skip("a whole message of Anthropic holds arguments as JSON, not as text")
    broken = {"name": "send", "args": args, "id": "call_b"}
    with ModelServer([Reply("Both.", tool_calls=[ADD, broken])]) as server, server.model(provider) as model:
        message = ask(model, "Hi")

    assert [call["id"] for call in message.tool_calls] == ["call_a"]
    assert [(call["id"], call["name"], call["args"]) for call in message.invalid_tool_calls] == [("call_b", "send", args)]
    assert "JSON" in message.invalid_tool_calls[0]["error"]


@every_provider
@every_way
@pytest.mark.parametrize("args", ['{"to": "a@exam', "", '{"to": "a@example.org"}', "{}"])
def test_the_call_that_the_token_limit_cut_off_is_never_made(provider, ask, args):
    cut = {"name": "send", "args": args, "id": "call_b"}
    with ModelServer([Reply("", tool_calls=[ADD, cut], stop="max_tokens")]) as server, server.model(provider) as model:
        message = ask(model, "Hi")

    assert [call["id"] for call in message.tool_calls] == ["call_a"]
    assert [call["id"] for call in message.invalid_tool_calls] == ["call_b"]
    assert "truncated" in message.invalid_tool_calls[0]["error"]
    assert message.stop_reason == "max_tokens"


@every_provider
def test_pieces_come_one_by_one_under_one_id(provider):
    with ModelServer([Reply("one two three four", tool_calls=[ADD])]) as server, server.model(provider) as model:
        chunks = list(model.stream("Hi"))

    assert [chunk.text for chunk in chunks if chunk.text] == ["one", " two", " three", " four"]
    assert len({chunk.id for chunk in chunks}) == 1
    assert gather(chunks).id == chunks[0].id


@every_provider
@whole_ways
def test_a_stream_gathers_to_what_comes_in_one_piece(provider, ask):
    reply = Reply("one two", reasoning="hm hm", tool_calls=[ADD, SEND], usage={"input": 3, "output": 4})
    with ModelServer([reply, reply]) as server, server.model(provider) as model:
        whole, gathered = ask(model, "Hi"), stream(model, "Hi")

    assert _said(whole) == _said(gathered)


def _said(message):
    content = [{**block, "extras": {**block["extras"], "id": ""}} if "extras" in block else block for block in message.content]
    return content, message.tool_calls, message.usage_metadata, message.stop_reason


@every_provider
@every_way
def test_every_message_has_an_id_of_its_own(provider, ask):
    with ModelServer(["a", "a"]) as server, server.model(provider) as model:
        ids = [ask(model, "Hi").id, ask(model, "Hi").id]

    assert None not in ids
    assert len({*ids}) == 2


@every_provider
@every_way
def test_a_refused_request_says_what_the_provider_said(provider, ask):
    with ModelServer([]) as server, server.model(provider) as model, pytest.raises(GraphkitError, match="The script has 0 steps"):
        ask(model, "Hi")


@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_known_names_are_the_same_methods(provider):
    with ModelServer(["a"]) as server, server.model(provider) as model:
        assert model.invoke("Hi", {"tags": ["x"]}).content == "a"


@pytest.mark.parametrize("name", ["google:gemini-x", "xai:grok-x", "ollama:llama3.2:3b", "openai:gpt-x"])
@every_way
def test_others_are_reached_through_chat_completions(name, ask):
    api = {"api": "chat"} if name.startswith("openai:") else {}
    with ModelServer([Reply("Hi", tool_calls=[ADD])]) as server, server.model(name, **api) as model:
        message = ask(model, "Hi")

    assert (message.text, message.response_metadata["provider"]) == ("Hi", name.partition(":")[0])
    assert server.requests[0].path == "/v1/chat/completions"
    assert server.requests[0].body["model"] == name.partition(":")[2]
