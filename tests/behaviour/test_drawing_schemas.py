"""What a graph says about its input, output, context and config, as JSON schemas and pydantic models."""

from __future__ import annotations

import operator
import subprocess
import sys
from dataclasses import dataclass, field
from typing import Annotated, Literal, NotRequired, TypedDict

import pytest
from jsonschema import Draft202012Validator, ValidationError, validate
from pydantic import BaseModel, Field, PydanticUserError

from graphkit import START, IsLastStep, MessagesState, RemainingSteps, StateGraph
from graphkit.errors import InvalidConfigError, InvalidSchemaError


class Part(TypedDict):
    """A part of a state."""

    size: int
    parts: NotRequired[list[Part]]


class Thing:
    """Nothing that JSON has a word for."""


class Typed(TypedDict):
    """A typed dict."""

    log: Annotated[list[str], operator.add]
    name: Annotated[str, Field(description="who")]
    number: NotRequired[int]
    parts: dict[str, Part] | None
    kind: Literal["a", "b"]
    thing: Thing
    left: RemainingSteps


@dataclass
class Data:
    name: str
    log: Annotated[list[str], operator.add]
    tags: list[str] = field(default_factory=list)
    level: int = 3
    last: IsLastStep = False


class Model(BaseModel):
    """A model."""

    name: str
    log: Annotated[list[str], operator.add] = []


class Managed(Model):
    """A model with a computed key."""

    left: RemainingSteps = 0


class Secret(TypedDict):
    password: str


@dataclass
class Context:
    user: str
    locale: str = "en"


class In(TypedDict):
    name: str


class Out(TypedDict):
    log: Annotated[list[str], operator.add]


def private(state: Secret):
    return {}


def public(state):
    return {"password": "x"}


def graph_of(schema, **options):
    builder = StateGraph(schema, **options).add_node(public).add_node(private)
    return builder.add_edge(START, "public").add_edge("public", "private").compile()


@pytest.mark.parametrize("schema", [Typed, Data, Model, Managed, MessagesState, Annotated[list[str], operator.add], int])
def test_every_kind_of_state_has_a_valid_json_schema(schema):
    graph = graph_of(schema)

    Draft202012Validator.check_schema(graph.get_input_jsonschema())
    Draft202012Validator.check_schema(graph.get_output_jsonschema())


def test_a_typed_dict_is_described_without_private_and_computed_keys():
    schema = graph_of(Typed).get_input_jsonschema()

    assert schema["title"] == "Typed"
    assert schema["description"] == "A typed dict."
    assert set(schema["properties"]) == {"log", "name", "number", "parts", "kind", "thing"}
    assert schema["properties"]["name"] == {"description": "who", "title": "Name", "type": "string"}
    assert schema["properties"]["kind"]["enum"] == ["a", "b"]
    assert schema["$defs"]["Part"]["required"] == ["size"]


def test_an_input_needs_no_key_that_its_reducer_begins():
    graph = graph_of(Typed)

    assert graph.get_input_jsonschema()["required"] == ["name", "parts", "kind", "thing"]
    assert graph.get_output_jsonschema()["required"] == ["log", "name", "parts", "kind", "thing"]


def test_a_dataclass_keeps_its_defaults():
    schema = graph_of(Data).get_input_jsonschema()

    assert schema["required"] == ["name"]
    assert schema["properties"]["level"]["default"] == 3
    assert "last" not in schema["properties"]


def test_a_pydantic_model_describes_itself():
    graph = graph_of(Model)

    assert graph.get_input_schema() is Model
    assert graph.get_output_schema() is Model
    assert graph.get_input_jsonschema() == Model.model_json_schema()


def test_a_computed_key_of_a_pydantic_model_is_left_out():
    schema = graph_of(Managed).get_input_jsonschema()

    assert set(schema["properties"]) == {"name", "log"}
    assert schema["description"] == "A model with a computed key."


def test_a_bare_type_is_described_without_its_reducer():
    schema = graph_of(Annotated[list[str], operator.add]).get_input_jsonschema()

    assert schema == {"items": {"type": "string"}, "title": "Input", "type": "array"}


def test_input_and_output_schemas_are_those_that_were_given():
    graph = graph_of(Typed, input_schema=In, output_schema=Out)

    assert set(graph.get_input_jsonschema()["properties"]) == {"name"}
    assert set(graph.get_output_jsonschema()["properties"]) == {"log"}


def test_messages_are_told_apart_by_their_type():
    schema = graph_of(MessagesState).get_input_jsonschema()

    assert schema["$defs"]["HumanMessage"]["properties"]["type"]["const"] == "human"
    validate({"messages": [{"type": "human", "content": "hi"}, {"type": "ai", "content": [{"type": "text", "text": "yes"}]}]}, schema)
    with pytest.raises(ValidationError):
        validate({"messages": [{"type": "nobody", "content": "hi"}]}, schema)


def test_a_model_reads_an_input():
    model = graph_of(Data).get_input_schema()

    assert model.__name__ == "Data"
    assert model.model_validate({"name": "a"}).root.level == 3
    assert graph_of(In).get_input_schema().model_validate({"name": "a"}).root == {"name": "a"}


def test_a_context_is_described_if_there_is_one():
    schema = graph_of(In, context_schema=Context).get_context_jsonschema()

    assert schema["required"] == ["user"]
    assert schema["properties"]["locale"] == {"default": "en", "title": "Locale", "type": "string"}
    assert graph_of(In).get_context_jsonschema() is None


def test_a_config_is_described_by_its_keys():
    graph = graph_of(In)
    schema = graph.get_config_jsonschema()

    validate({"configurable": {"thread_id": "1"}, "recursion_limit": 10, "metadata": {"user": "a"}}, schema)
    with pytest.raises(ValidationError):
        validate({"callbacks": []}, schema)
    assert set(graph.config_schema(include=["tags"]).model_fields) == {"tags"}
    with pytest.raises(InvalidConfigError, match="'tags'"):
        graph.config_schema(include=["tag"])


class Refuses:
    """A type that tells pydantic that it cannot be described."""

    @classmethod
    def __get_pydantic_core_schema__(cls, source, handler):
        raise PydanticUserError("not to be described", code=None)


class Odd(TypedDict):
    value: Refuses


def test_a_schema_that_pydantic_cannot_describe_is_told():
    with pytest.raises(InvalidSchemaError, match="Odd"):
        graph_of(Odd).get_input_jsonschema()


def test_pydantic_is_loaded_by_nobody_who_does_not_ask():
    code = (
        "import sys; from typing import TypedDict; from graphkit import START, StateGraph\n"
        "class S(TypedDict):\n    a: int\n"
        "g = StateGraph(S).add_node('n', lambda s: s).add_edge(START, 'n').compile()\n"
        "g.get_graph(xray=True).draw_svg(); list(g.get_subgraphs()); print('pydantic' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "False"
