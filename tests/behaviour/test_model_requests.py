# mypy: disable-error-code="arg-type, attr-defined, list-item"
"""What is sent to a provider; the server refuses whatever the provider would not take."""

from __future__ import annotations

import pytest

from graphkit.errors import (
    EmptyInputError,
    InvalidChatHistoryError,
    InvalidMessageError,
    InvalidModelError,
    InvalidToolError,
    ModelRequestError,
    UnknownToolError,
)
from graphkit.messages import AIMessage, HumanMessage, RemoveMessage, SystemMessage, ToolMessage
from graphkit.testing import ModelServer, Reply
from tests.unit.models.ways import every_provider, every_way, generate, stream

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGNgYGD4DwABBAEAX+XDSwAAAABJRU5ErkJggg=="
ADD = {"name": "add", "args": {"a": 1}, "id": "call_a"}
SEND = {"name": "send", "args": {"to": "x"}, "id": "call_b"}


def add(a: int) -> int:
    """Add one."""
    return a + 1


def send(to: str) -> str:
    """Send it."""
    return to


def asked(provider, messages, *, ask=generate, bind=lambda model: model, **settings):
    """Return the request that a provider accepts."""
    with ModelServer(["Fine."]) as server, server.model(provider) as model:
        ask(bind(model), messages, **settings)
        return server.requests[0]


@every_provider
@every_way
def test_a_conversation_arrives_as_it_was_held(provider, ask):
    held = [
        SystemMessage("Be brief."),
        ("user", "Add and send."),
        AIMessage("Both.", tool_calls=[ADD, SEND]),
        ToolMessage("2", "call_a"),
        ToolMessage("no such address", "call_b", status="error"),
        AIMessage("Done, but for the mail."),
        ("user", "Why?"),
    ]

    turns = asked(provider, held, ask=ask, bind=lambda model: model.bind_tools([add, send])).turns

    assert [(turn.role, turn.text) for turn in turns] == [
        ("system", "Be brief."),
        ("user", "Add and send."),
        ("assistant", "Both."),
        ("tool", "2"),
        ("tool", "no such address"),
        ("assistant", "Done, but for the mail."),
        ("user", "Why?"),
    ]
    assert [dict(call) for call in turns[2].tool_calls] == [ADD, SEND]
    assert [turn.tool_call_id for turn in turns if turn.role == "tool"] == ["call_a", "call_b"]


@every_provider
def test_a_later_system_message_stays_where_it_is(provider):
    turns = asked(provider, [SystemMessage("One."), ("user", "Hi"), SystemMessage("Two."), ("user", "So?")]).turns

    assert [turn.role for turn in turns] == ["system", "user", "system", "user"]


@every_provider
@every_way
def test_an_answer_can_be_told_again_with_its_thoughts(provider, ask):
    with ModelServer([Reply("Add.", reasoning="I had better add.", tool_calls=[ADD]), "Two."]) as server, server.model(provider) as model:
        bound = model.bind_tools([add])
        first = ask(bound, "1 + 1?")
        second = ask(bound, ["1 + 1?", first, ToolMessage("2", "call_a")])

    assert second.content == "Two."
    thoughts = {"anthropic:test": "thinking", "openai:test": "reasoning", "openai-compatible:test": None}[provider]
    assert thoughts is None or f"'type': '{thoughts}'" in str(server.requests[1].body)


@every_provider
def test_an_answer_of_another_provider_is_told_again_without_its_thoughts(provider):
    for other in {"anthropic:test", "openai:test"} - {provider}:
        with (
            ModelServer([Reply("Add.", reasoning="SECRET THOUGHT", tool_calls=[ADD]), "Two."]) as server,
            server.model(other) as model,
            server.model(provider) as second,
        ):
            first = stream(model, "1 + 1?")
            second.bind_tools([add]).generate(["1 + 1?", first, ToolMessage("2", "call_a")])

        assert "SECRET THOUGHT" not in str(server.requests[1].body)


@every_provider
def test_images_are_sent_as_url_and_as_bytes(provider):
    message = HumanMessage(
        [
            {"type": "text", "text": "Compare."},
            {"type": "image", "url": "https://example.org/a.png"},
            {"type": "image", "base64": PIXEL, "mime_type": "image/png"},
            {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}},
        ]
    )

    request = asked(provider, [message])

    assert "https://example.org/a.png" in str(request.body)
    assert str(request.body).count(PIXEL) == 2


@every_provider
def test_a_document_is_sent_as_bytes(provider):
    message = HumanMessage([{"type": "file", "base64": "JVBERi0=", "mime_type": "application/pdf", "name": "a.pdf"}, "Read it."])

    body = str(asked(provider, [message]).body)

    assert "JVBERi0=" in body
    assert "a.pdf" in body


@every_provider
def test_a_result_of_blocks_is_sent(provider):
    held = ["Go", AIMessage(tool_calls=[ADD]), ToolMessage([{"type": "text", "text": "two"}, {"type": "text", "text": "!"}], "call_a")]

    turns = asked(provider, held, bind=lambda model: model.bind_tools([add])).turns

    assert turns[-1].text == "two!"


@every_provider
@every_way
def test_a_block_that_a_provider_has_no_form_for_is_not_sent(provider, ask):
    with ModelServer(["never"]) as server, server.model(provider) as model:
        with pytest.raises(ModelRequestError, match=r"block of type 'hologram'"):
            ask(model, [HumanMessage([{"type": "hologram", "angle": 3}])])

        assert server.requests == []


@every_provider
def test_a_block_that_lacks_what_makes_it_one_is_not_sent(provider):
    with ModelServer(["never"]) as server, server.model(provider) as model:
        for block in ({"type": "image"}, {"type": "image_url"}, {"type": "file", "base64": "eA=="}):
            with pytest.raises(InvalidMessageError):
                model.generate([HumanMessage([block])])

        assert server.requests == []


@every_provider
def test_a_mark_for_the_cache_reaches_only_the_provider_that_knows_it(provider):
    mark = {"cache_control": {"type": "ephemeral"}}
    held = [SystemMessage([{"type": "text", "text": "Long.", **mark}]), HumanMessage([{"type": "text", "text": "Hi", **mark}])]

    body = str(asked(provider, held).body)

    assert body.count("cache_control") == (2 if provider.startswith("anthropic") else 0)


@every_provider
def test_calls_that_could_not_be_read_are_told_with_their_answers(provider):
    broken = {"name": "add", "args": '{"a": ', "id": "call_x", "error": "cut"}
    held = ["Go", AIMessage(tool_calls=[ADD], invalid_tool_calls=[broken]), ToolMessage("2", "call_a"), ToolMessage("no JSON", "call_x")]

    turns = asked(provider, held, bind=lambda model: model.bind_tools([add])).turns

    assert [call["id"] for call in turns[1].tool_calls] == ["call_a", "call_x"]
    assert turns[1].tool_calls[1]["args"] == {"unreadable_arguments": '{"a": '}


@every_provider
def test_calls_that_could_not_be_read_and_have_no_answer_are_left_out(provider):
    broken = {"name": "add", "args": '{"a": ', "id": "call_x", "error": "cut"}

    turns = asked(provider, ["Go", AIMessage("Hm.", invalid_tool_calls=[broken]), ("user", "Well?")]).turns

    assert turns[1].tool_calls == ()


@every_provider
def test_an_empty_answer_is_left_out(provider):
    turns = asked(provider, ["Go", AIMessage(""), ("user", "Well?")]).turns

    assert [turn.role for turn in turns] == ["user", "user"]


@every_provider
@pytest.mark.parametrize(
    "choice, sent",
    [
        ("auto", {"auto"}),
        ("any", {"any", "required"}),
        ("required", {"any", "required"}),
        ("none", {"none"}),
        ("add", {"add"}),
    ],
)
def test_a_tool_can_be_forced_or_forbidden(provider, choice, sent):
    request = asked(provider, "Hi", bind=lambda model: model.bind_tools([add, send], tool_choice=choice))

    found = request.body["tool_choice"]
    if isinstance(found, dict):
        found = found.get("name") or found.get("function", found).get("name") or found["type"]
    assert found in sent
    assert request.tools == ("add", "send")


@every_provider
@pytest.mark.parametrize("parallel", [True, False])
def test_parallel_calls_can_be_allowed_or_not(provider, parallel):
    body = asked(provider, "Hi", bind=lambda model: model.bind_tools([add], parallel_tool_calls=parallel)).body

    if provider.startswith("anthropic"):
        assert body["tool_choice"] == {"type": "auto", "disable_parallel_tool_use": not parallel}
    else:
        assert body["parallel_tool_calls"] is parallel


@pytest.mark.parametrize(
    "provider, tool",
    [
        ("anthropic:test", {"type": "web_search_20260318", "name": "web_search"}),
        ("openai:test", {"type": "web_search"}),
    ],
)
def test_a_tool_of_the_providers_own_is_passed_as_it_is(provider, tool):
    request = asked(provider, "Hi", bind=lambda model: model.bind_tools([add, tool]))

    assert tool in request.body["tools"]
    assert request.tools == ("add", "web_search")


@every_provider
@every_way
def test_settings_reach_the_provider_under_its_own_names(provider, ask):
    body = asked(
        provider, "Hi", ask=ask, bind=lambda model: model.bind(max_tokens=99, effort="low"), extra_body={"metadata": {"k": "v"}}
    ).body

    assert body["metadata"] == {"k": "v"}
    match provider:
        case "anthropic:test":
            assert (body["max_tokens"], body["output_config"]) == (99, {"effort": "low"})
        case "openai:test":
            assert (body["max_output_tokens"], body["reasoning"], body["store"]) == (99, {"effort": "low"}, False)
        case _:
            assert (body["max_tokens"], body["reasoning_effort"]) == (99, "low")


def test_openai_itself_has_renamed_the_limit():
    with ModelServer(["Hi"]) as server, server.model("openai:x", api="chat", max_tokens=9) as model:
        model.generate("Hi")
        assert server.requests[0].body["max_tokens"] == 9

    from graphkit.models import init_model

    wire = init_model("openai:x", api="chat", api_key="k").provider.wire
    assert wire.limit == "max_completion_tokens"


def test_stop_sequences_may_be_one():
    assert asked("anthropic:test", "Hi", stop="END").body["stop_sequences"] == ["END"]
    assert asked("ollama:test", "Hi", stop=["END"], temperature=0, seed=1).body["stop"] == ["END"]


def test_a_setting_of_none_is_left_to_the_provider():
    body = asked("openai:test", "Hi", bind=lambda model: model.bind(temperature=0.5), temperature=None).body

    assert "temperature" not in body


@every_provider
def test_a_setting_that_the_provider_does_not_have_is_named(provider):
    with ModelServer(["never"]) as server, server.model(provider) as model:
        with pytest.raises(InvalidModelError, match=r"max_tokens"):
            model.bind(max_token=3)
        with pytest.raises(InvalidModelError, match=r"no setting 'temprature'"):
            model.generate("Hi", temprature=3)

    assert server.requests == []


def test_anthropic_takes_a_temperature_only_as_what_graphkit_does_not_know():
    with ModelServer(["never"]) as server, server.model("anthropic:test") as model, pytest.raises(InvalidModelError, match=r"extra_body"):
        model.bind(temperature=0)


@every_provider
def test_what_every_provider_would_refuse_is_not_sent(provider):
    call = AIMessage(tool_calls=[ADD])
    with ModelServer(["never"]) as server, server.model(provider) as model:
        for messages, error in [
            ([], EmptyInputError),
            (["Hi", call], InvalidChatHistoryError),
            (["Hi", call, HumanMessage("wait"), ToolMessage("2", "call_a")], InvalidChatHistoryError),
            (["Hi", ToolMessage("2", "call_a")], InvalidChatHistoryError),
            (["Hi", call, ToolMessage("2", "call_a"), ToolMessage("3", "call_a")], InvalidChatHistoryError),
            ([RemoveMessage("x")], InvalidMessageError),
            ([42], InvalidMessageError),
        ]:
            with pytest.raises(error):
                model.generate(messages)

        assert server.requests == []


def test_tools_are_checked_when_they_are_bound():
    with ModelServer([]) as server, server.model("openai:test") as model:
        with pytest.raises(InvalidToolError, match=r"named 'add'"):
            model.bind_tools([add, add])
        with pytest.raises(UnknownToolError, match=r"Did you mean 'send'"):
            model.bind_tools([add, send], tool_choice="sent")
        with pytest.raises(InvalidToolError):
            model.bind_tools([42])


def test_binding_makes_another_model():
    with ModelServer(["a", "b"]) as server, server.model("openai:test") as model:
        model.bind_tools([add]).bind(temperature=1).generate("Hi")
        model.generate("Hi")

    assert [request.tools for request in server.requests] == [("add",), ()]
    assert [request.body.get("temperature") for request in server.requests] == [1, None]
