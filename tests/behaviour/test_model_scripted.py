# mypy: disable-error-code="arg-type, list-item"
"""A model that says what it was told to."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from graphkit.errors import InvalidModelError, ModelRateLimitError
from graphkit.messages import AIMessage, gather
from graphkit.models import ChatModel, Model, ScriptedModel
from tests.unit.models.ways import every_way

ADD = {"name": "add", "args": {"a": 1}, "id": "c1"}


def add(a: int) -> int:
    """Add one."""
    return a + 1


@every_way
def test_answers_come_in_order(ask):
    model = ScriptedModel(["one", AIMessage("two", id="m2"), [ADD]])

    found = [ask(model, "Hi") for _ in range(3)]

    assert [message.text for message in found] == ["one", "two", ""]
    assert found[1].id == "m2"
    assert found[2].tool_calls == [ADD]
    assert [message.stop_reason for message in found] == ["end", "end", "tool_calls"]


@every_way
def test_an_exception_is_raised(ask):
    model = ScriptedModel([ModelRateLimitError("slow down", retry_after=3), "now"])

    with pytest.raises(ModelRateLimitError):
        ask(model, "Hi")
    assert ask(model, "Hi").text == "now"


@every_way
def test_a_function_sees_the_request(ask):
    model = ScriptedModel([lambda request: f"{len(request.messages)} and {request.tools[0].name}", lambda request: lambda _: "deep"])
    bound = model.bind_tools([add])

    assert ask(bound, ["a", "b"]).text == "2 and add"
    assert ask(bound, "a").text == "deep"


@every_way
def test_one_function_answers_everything(ask):
    model = ScriptedModel(lambda request: request.messages[-1].text.upper())

    assert [ask(model, text).text for text in ("a", "b")] == ["A", "B"]


@every_way
def test_a_script_that_runs_out_says_so(ask):
    model = ScriptedModel(["one"], name="tiny")
    ask(model, "Hi")

    with pytest.raises(InvalidModelError, match=r"tiny was asked 2 times, but has 1 answers"):
        ask(model, "Hi")


def test_requests_are_kept_also_those_of_bound_models():
    model = ScriptedModel(["a", "b"])

    model.generate("one", temperature=0)
    model.bind_tools([add], tool_choice="add").generate([("system", "s"), ("user", "two")])

    assert [request.messages[-1].text for request in model.requests] == ["one", "two"]
    assert model.requests[0].settings == {"temperature": 0}
    assert model.requests[1].tool_choice == "add"


def test_text_comes_word_by_word():
    chunks = list(ScriptedModel([AIMessage("one  two\nthree ", tool_calls=[ADD])]).stream("Hi"))

    assert [chunk.text for chunk in chunks if chunk.text] == ["one", "  two", "\nthree "]
    assert len({chunk.id for chunk in chunks}) == 1
    assert gather(chunks).tool_calls == [ADD]


@every_way
@pytest.mark.parametrize(
    "message",
    [
        AIMessage(""),
        AIMessage("  \n "),
        AIMessage([{"type": "reasoning", "reasoning": "hm", "extras": {"signature": "s"}}, {"type": "text", "text": "so"}]),
        AIMessage("x", usage_metadata={"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}),
    ],
)
def test_a_message_is_given_as_it_is(ask, message):
    found = ask(ScriptedModel([message]), "Hi")

    assert (found.content, found.usage_metadata) == (message.content, message.usage_metadata)


def test_threads_get_one_answer_each():
    model = ScriptedModel([str(n) for n in range(50)])

    with ThreadPoolExecutor(8) as pool:
        found = [message.text for message in pool.map(lambda _: model.generate("Hi"), range(50))]

    assert sorted(found, key=int) == [str(n) for n in range(50)]


def test_a_call_without_an_id_gets_one():
    calls = ScriptedModel([[{"name": "add", "args": {}}, {"name": "add"}]]).generate("Hi").tool_calls

    assert len({call["id"] for call in calls}) == 2
    assert [call["args"] for call in calls] == [{}, {}]


@pytest.mark.parametrize("answers", ["one", 42, None])
def test_what_is_no_script_is_named_at_once(answers):
    with pytest.raises(InvalidModelError):
        ScriptedModel(answers)


@pytest.mark.parametrize("answer", [42, [42], [{"args": {}}]])
def test_what_is_no_answer_is_named_when_its_turn_comes(answer):
    with pytest.raises(InvalidModelError, match=r"Answer 1"):
        ScriptedModel([answer]).generate("Hi")


def test_it_is_a_model():
    model = ScriptedModel([], name="script")

    assert isinstance(model, ChatModel)
    assert Model is ChatModel
    assert (model.name, repr(model.bind(temperature=1))) == ("script", "ChatModel('script', settings={'temperature': 1})")
