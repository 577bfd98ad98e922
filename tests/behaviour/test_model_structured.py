# mypy: disable-error-code="arg-type, list-item, misc"
"""Answers as values of a schema, over HTTP and from a script."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from datetime import date
from typing import Literal

import pytest
from pydantic import BaseModel, Field, field_validator
from typing_extensions import TypedDict

from graphkit.errors import InvalidModelError, ModelRefusalError, ModelRequestError, ModelResponseError
from graphkit.messages import AIMessage
from graphkit.models import ScriptedModel
from graphkit.testing import ModelServer, Reply
from tests.unit.models.ways import PROVIDERS, every_provider


class Triage(BaseModel):
    """What to do with a mail."""

    action: Literal["answer", "ignore"]
    due: date = Field(description="By when.")

    @field_validator("due")
    @classmethod
    def not_too_early(cls, value: date) -> date:
        if value.year < 2000:
            message = "too early"
            raise ValueError(message)
        return value


class Place(TypedDict):
    """A place."""

    town: str


@dataclass
class Point:
    x: int
    y: int


SCHEMA = {
    "title": "Sum of it",
    "type": "object",
    "properties": {"total": {"type": "integer"}},
    "required": ["total"],
    "additionalProperties": False,
}
GOOD = {"action": "answer", "due": "2030-01-02"}


def invoke(model, messages, **settings):
    return model.invoke(messages, **settings)


def ainvoke(model, messages, **settings):
    return asyncio.run(model.ainvoke(messages, **settings))


both_ways = pytest.mark.parametrize("ask", [invoke, ainvoke])
methods = pytest.mark.parametrize("method", ["auto", "tool", "json_schema"])


def answering(value):
    """Answer as it is asked: with a call of the tool that is forced, or with text."""

    def answer(request):
        return [{"name": request.tools[0], "args": value}] if request.tools else json.dumps(value)

    return answer


@every_provider
@both_ways
@methods
@pytest.mark.parametrize(
    "schema, value, expected",
    [
        (Triage, GOOD, Triage(action="answer", due=date(2030, 1, 2))),
        (Place, {"town": "Ulm"}, {"town": "Ulm"}),
        (Point, {"x": 1, "y": 2}, Point(1, 2)),
        (SCHEMA, {"total": 3}, {"total": 3}),
    ],
    ids=["pydantic", "typed-dict", "dataclass", "json-schema"],
)
def test_an_answer_becomes_a_value_of_the_schema(  # noqa: PLR0917 - each is a parameter
    provider, ask, method, schema, value, expected
):
    with ModelServer(answering(value)) as server, server.model(provider) as model:
        found = ask(model.with_structured_output(schema, method=method), "Go")

    assert found == expected
    assert server.requests[0].refusal is None


@every_provider
@both_ways
@methods
@pytest.mark.parametrize(
    "value, complaint",
    [
        ({"action": "eat", "due": "2030-01-02"}, "action"),
        ({"action": "answer"}, "due"),
        ({"action": "answer", "due": "1999-01-01"}, "too early"),
    ],
)
def test_an_answer_that_does_not_fit_is_refused_with_the_complaint(provider, ask, method, value, complaint):
    with (
        ModelServer(answering(value)) as server,
        server.model(provider) as model,
        pytest.raises(ModelResponseError, match=complaint) as caught,
    ):
        ask(model.with_structured_output(Triage, method=method), "Go")

    assert caught.value.retryable


@both_ways
def test_an_answer_that_does_not_fit_a_json_schema_says_where(ask):
    model = ScriptedModel(['{"total": "many"}']).with_structured_output(SCHEMA)

    with pytest.raises(ModelResponseError, match=r"\$\.total: 'many' is not of type 'integer'"):
        ask(model, "Go")


@every_provider
@both_ways
def test_a_refusal_is_no_value(provider, ask):
    with (
        ModelServer([Reply("I would rather not.", stop="refusal")]) as server,
        server.model(provider) as model,
        pytest.raises(ModelRefusalError, match="I would rather not"),
    ):
        ask(model.with_structured_output(Triage), "Go")


@every_provider
@methods
def test_half_of_a_value_is_no_value(provider, method):
    text = '{"action": "answer", "du'

    def cut(request):
        if request.tools:
            return Reply(tool_calls=[{"name": "Triage", "args": text}], stop="max_tokens")
        return Reply(text, stop="max_tokens")

    with ModelServer(cut) as server, server.model(provider) as model, pytest.raises(ModelResponseError, match="ran out of tokens"):
        model.with_structured_output(Triage, method=method).invoke("Go")


@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_message_can_be_had_as_well(provider):
    with ModelServer([json.dumps(GOOD), "Good morning!"]) as server, server.model(provider) as model:
        asked = model.with_structured_output(Triage, method="json_schema", include_raw=True)
        good, bad = asked.invoke("Go"), asked.invoke("Go")

    assert (good["parsed"].action, good["parsing_error"]) == ("answer", None)
    assert (bad["parsed"], bad["raw"].text) == (None, "Good morning!")
    assert isinstance(bad["parsing_error"], ModelResponseError)


@both_ways
@pytest.mark.parametrize(
    "answer",
    [
        AIMessage(""),
        AIMessage("Good morning!"),
        AIMessage(tool_calls=[{"name": "other", "args": GOOD, "id": "c"}]),
        AIMessage(invalid_tool_calls=[{"name": "Triage", "args": '{"action"', "id": "c", "error": "cut"}]),
        AIMessage("[]"),
    ],
)
def test_an_answer_without_a_value_is_refused(ask, answer):
    with pytest.raises(ModelResponseError, match="Triage"):
        ask(ScriptedModel([answer]).with_structured_output(Triage), "Go")


@both_ways
@pytest.mark.parametrize("text", ["{}", "```json\n{}\n```", "```\n{}\n```", "\n {} \n"])
def test_json_may_come_wrapped_as_in_a_chat(ask, text):
    model = ScriptedModel([text.replace("{}", json.dumps(GOOD))]).with_structured_output(Triage)

    assert ask(model, "Go").action == "answer"


@pytest.mark.parametrize("schema", [int, list[int], 42, {"type": "array"}, {"type": "nonsense"}, {}])
def test_what_is_no_schema_of_an_object_is_named_at_once(schema):
    with pytest.raises(InvalidModelError):
        ScriptedModel([]).with_structured_output(schema)


def test_a_method_that_does_not_exist_is_named_at_once():
    with pytest.raises(InvalidModelError, match=r"Did you mean 'json_schema'"):
        ScriptedModel([]).with_structured_output(Triage, method="json_scheme")


@pytest.mark.parametrize("provider", ["openai:test", "openai-compatible:test"])
@pytest.mark.parametrize("schema, strict", [(SCHEMA, True), (Triage, False)])
def test_a_schema_is_kept_strictly_where_it_can_be(provider, schema, strict):
    with ModelServer(["{}"]) as server, server.model(provider) as model:
        model.with_structured_output(schema, include_raw=True).invoke("Go")
        body = server.requests[0].body

    form = body["text"]["format"] if provider == "openai:test" else body["response_format"]["json_schema"]
    assert form["strict"] is strict


def test_a_schema_that_anthropic_cannot_keep_to_is_not_sent():
    schema = {"type": "object", "properties": {"anything": {}}}
    with ModelServer(["{}"]) as server, server.model("anthropic:test") as model:
        with pytest.raises(ModelRequestError, match="cannot keep to the schema"):
            model.with_structured_output(schema, method="json_schema").invoke("Go")

        assert server.requests == []


def test_tools_that_are_bound_are_not_called_for_a_value():
    def add(a: int) -> int:
        """Add one."""
        return a

    for provider in PROVIDERS:
        with ModelServer(answering(GOOD)) as server, server.model(provider) as model:
            model.bind_tools([add]).with_structured_output(Triage, method="tool").invoke("Go")

        assert server.requests[0].tools == ("Triage",)
