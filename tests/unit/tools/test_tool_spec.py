"""What models are told, from every form in which people have tools."""

from __future__ import annotations

import typing

import pytest
from pydantic import BaseModel, Field, RootModel
from typing_extensions import TypedDict

from graphkit.errors import InvalidToolError
from graphkit.tools import ToolSpec, tool, tool_spec

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
WEATHER = ToolSpec("weather", "Tell the weather.", SCHEMA)


def weather(city: str) -> str:
    """Tell the weather."""
    return city


class Weather(BaseModel):
    """Tell the weather."""

    city: str = Field(description="Where.")


class Tree(BaseModel):
    parts: list[Tree] = []


class Typed(TypedDict):
    """Tell the weather."""

    city: str


class Old(typing.TypedDict):
    city: str


class Names(RootModel[list[str]]):
    pass


@pytest.mark.parametrize(
    "thing",
    [
        WEATHER,
        {"name": "weather", "description": "Tell the weather.", "parameters": SCHEMA},
        {"name": "weather", "description": "Tell the weather.", "input_schema": SCHEMA},
        {"type": "custom", "name": "weather", "description": "Tell the weather.", "input_schema": SCHEMA},
        {"type": "function", "name": "weather", "description": "Tell the weather.", "parameters": SCHEMA, "strict": True},
        {"type": "function", "function": {"name": "weather", "description": "Tell the weather.", "parameters": SCHEMA}},
        {"title": "weather", "description": "Tell the weather.", **SCHEMA},
    ],
)
def test_every_form_of_a_dict_is_read(thing):
    assert tool_spec(thing) == WEATHER


@pytest.mark.parametrize("thing", [weather, tool(weather)])
def test_a_function_is_read_as_the_tool_it_would_be(thing):
    assert tool_spec(thing) == ToolSpec("weather", "Tell the weather.", {**SCHEMA, "additionalProperties": False})


def test_a_class_is_named_and_described_by_itself():
    spec = tool_spec(Weather)

    assert (spec.name, spec.description) == ("Weather", "Tell the weather.")
    assert spec.parameters["properties"] == {"city": {"type": "string", "description": "Where."}}
    assert tool_spec(Typed) == ToolSpec("Typed", "Tell the weather.", SCHEMA)


def test_a_model_that_contains_itself_is_an_object_at_the_top():
    spec = tool_spec(Tree)

    assert spec.description == ""
    assert spec.parameters["type"] == "object"
    assert spec.parameters["properties"]["parts"]["items"] == {"$ref": "#/$defs/Tree"}
    assert "Tree" in spec.parameters["$defs"]


def test_a_tool_without_parameters_is_an_object_without_properties():
    assert tool_spec({"name": "now"}) == ToolSpec("now", "", {"type": "object", "properties": {}})
    assert tool_spec({"type": "function", "name": "now"}).parameters == {"type": "object", "properties": {}}


@pytest.mark.parametrize(
    "thing",
    [
        None,
        3,
        "weather",
        int,
        Names,
        Old,
        {},
        {"name": ""},
        {"name": 3},
        {"type": "web_search_20250305", "name": "web_search"},
        {"type": "web_search"},
        {"name": "a", "parameters": {"type": "array"}},
        {"name": "a", "parameters": "text"},
        {"name": "a", "description": 3},
    ],
)
def test_anything_else_is_refused(thing):
    with pytest.raises(InvalidToolError):
        tool_spec(thing)
