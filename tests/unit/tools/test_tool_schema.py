"""From a function to what a model is told about its arguments, and back from arguments to typed values."""

from __future__ import annotations

import datetime as dt
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from functools import partial
from typing import Annotated, Any, Literal

import pytest
from pydantic import AliasChoices, BaseModel, ConfigDict, Field, RootModel, field_validator
from typing_extensions import TypedDict

from graphkit.errors import InvalidToolError, ToolInvocationError
from graphkit.tools import InjectedState, Tool, tool


class Color(Enum):
    RED = "red"
    BLUE = "blue"


class Person(BaseModel):
    """Somebody."""

    name: str
    boss: Person | None = None


@dataclass
class Point:
    x: int
    y: int = 0


class Slot(TypedDict):
    hour: int


class Mail(BaseModel):
    """Write a mail."""

    to: str
    subject: str = "none"

    @field_validator("to")
    @classmethod
    def has_an_at(cls, value):
        if "@" not in value:
            raise ValueError("an address has an @")
        return value


class Aliased(BaseModel):
    """Search."""

    query: str = Field(alias="q")
    limit: int = Field(default=3, validation_alias=AliasChoices("limit", "n"))


class Open(BaseModel):
    """Anything."""

    model_config = ConfigDict(extra="allow")
    name: str


class Hidden(BaseModel):
    state: dict[str, int]


class Names(RootModel[list[str]]):
    """A list."""


class Opaque:
    pass


NO_FUNCTION: Any = {"type": "object"}
OTHER_FORMAT: Any = "both"


def made(function, **options):
    return tool(function, description="Does it.", **options)


def of(hint, default=...):
    """Return a tool with one parameter of this type that returns its argument."""

    def same(value):
        return value

    same.__annotations__ = {"value": hint}
    if default is not ...:
        same.__defaults__ = (default,)
    return made(same)


@pytest.mark.parametrize(
    "hint, schema",
    [
        (str, {"type": "string"}),
        (int | None, {"anyOf": [{"type": "integer"}, {"type": "null"}]}),
        (list[int], {"type": "array", "items": {"type": "integer"}}),
        (Literal["a", "b"], {"type": "string", "enum": ["a", "b"]}),
        (Annotated[int, "how many"], {"type": "integer", "description": "how many"}),
        (Annotated[int, Field(ge=1, description="how many")], {"type": "integer", "minimum": 1, "description": "how many"}),
        (dt.date, {"type": "string", "format": "date"}),
        (dict[str, float], {"type": "object", "additionalProperties": {"type": "number"}}),
        (Any, {}),
    ],
)
def test_a_type_becomes_a_schema_without_titles(hint, schema):
    assert of(hint).parameters == {
        "type": "object",
        "properties": {"value": schema},
        "required": ["value"],
        "additionalProperties": False,
    }


@pytest.mark.parametrize(
    "hint, given, value",
    [
        (int, "3", 3),
        (dt.date, "2024-05-01", dt.date(2024, 5, 1)),
        (Color, "red", Color.RED),
        (Person, {"name": "Ada", "boss": {"name": "Bo"}}, Person(name="Ada", boss=Person(name="Bo"))),
        (list[Point], [{"x": 1}], [Point(1)]),
        (Slot, {"hour": 9}, {"hour": 9}),
        (set[int], [1, 1], {1}),
        (tuple[int, str], [1, "a"], (1, "a")),
        (Decimal, "1.50", Decimal("1.50")),
        (int | None, None, None),
        (Person, Person(name="Ada"), Person(name="Ada")),
    ],
)
def test_the_function_gets_typed_values(hint, given, value):
    found = of(hint).invoke({"value": given})

    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    "hint, given, json",
    [
        (int, "3", 3),
        (dt.date, dt.date(2024, 5, 1), "2024-05-01"),
        (Color, "red", "red"),
        (Person, {"name": "Ada"}, {"name": "Ada"}),
        (list[Point], [{"x": "1"}], [{"x": 1, "y": 0}]),
    ],
)
def test_checked_arguments_are_json_and_stay_as_they_are_when_checked_again(hint, given, json):
    checking = of(hint)

    once = checking.check_args({"value": given})

    assert once == {"value": json}
    assert checking.check_args(once) == once


def test_checking_fills_in_no_defaults_and_runs_nothing():
    runs = []

    def send(to: str, urgent: bool = False):
        runs.append(to)

    assert made(send).check_args({"to": "a"}) == {"to": "a"}
    assert runs == []


def test_defaults_are_those_of_the_function_and_are_not_shared():
    def collect(item: str, seen: list[str] = [], limit: int = Field(default=3, description="at most")):  # noqa: B006 - what it is about
        seen.append(item)
        return [*seen, limit]

    collecting = made(collect)

    assert [collecting.invoke({"item": "a"}), collecting.invoke({"item": "b"})] == [["a", 3], ["b", 3]]
    assert collecting.parameters["required"] == ["item"]
    assert collecting.parameters["properties"]["limit"] == {"type": "integer", "default": 3, "description": "at most"}


def test_a_default_that_is_no_json_is_left_out_of_the_schema_without_a_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        keeping = of(int | None, default=Opaque())

    assert "default" not in keeping.parameters["properties"]["value"]


def test_descriptions_come_from_annotated_before_field_before_the_docstring():
    @tool
    def plan(a: Annotated[int, "said here"], b: int, c: int, d: int = Field(default=1, description="in the field")):
        """Make a plan
        for the day.

        Args:
            a: not shown
            b (int): from the
                docstring
            d: not shown
        """

    described = {name: schema.get("description") for name, schema in plan.parameters["properties"].items()}

    assert plan.description == "Make a plan for the day."
    assert described == {"a": "said here", "b": "from the docstring", "c": None, "d": "in the field"}


def test_nested_models_are_defined_beside_the_properties():
    parameters = of(Person).parameters

    assert parameters["properties"] == {"value": {"$ref": "#/$defs/Person"}}
    assert parameters["$defs"]["Person"]["required"] == ["name"]


def test_names_that_pydantic_keeps_for_itself_can_be_parameters():
    def odd(schema: str, json: int = 1, _hidden: str = "h", model_name: str = "m", copy: bool = True):
        return [schema, json, _hidden, model_name, copy]

    odd_tool = made(odd)

    assert list(odd_tool.parameters["properties"]) == ["schema", "json", "_hidden", "model_name", "copy"]
    assert odd_tool.invoke({"schema": "s", "_hidden": "x", "copy": "no"}) == ["s", 1, "x", "m", False]
    assert odd_tool.check_args({"schema": "s", "json": "2"}) == {"schema": "s", "json": 2}


def test_parameters_by_position_and_by_name_only_are_passed_as_they_must_be():
    def join(a: str, /, b: str, *, c: str = "c"):
        return a + b + c

    assert made(join).invoke({"a": "1", "b": "2"}) == "12c"


def test_a_method_a_partial_and_a_callable_object_can_be_tools():
    class Counter:
        def __init__(self, start):
            self.start = start

        def add(self, n: int) -> int:
            """Add."""
            return self.start + n

        def __call__(self, n: int) -> int:
            """Add twice."""
            return self.start + 2 * n

    counter = Counter(10)

    assert tool(counter.add).invoke({"n": 1}) == 11
    assert tool(counter, name="twice").invoke({"n": 1}) == 12
    assert tool(counter, name="twice").description == "Add twice."
    assert tool(partial(Counter.add, counter), name="bound").invoke({"n": 2}) == 12


@pytest.mark.parametrize(
    "args, wrong",
    [
        ({}, {"to": "is required", "count": "is required"}),
        ({"to": 1, "count": "x"}, {"to": "valid string", "count": "(not 'x')"}),
        ({"too": "a", "to": "a", "count": 1}, {"too": "Did you mean 'to'?"}),
        ({"to": "a", "count": 1, "people": [{"nam": "x"}]}, {"people.0.name": "is required"}),
        ({"zzz": 1, "count": "x"}, {"zzz": "no such argument", "to": "is required", "count": "valid integer"}),
        ({"to": "a", "count": 1, "state": {}}, {"state": "no such argument"}),
    ],
)
def test_every_wrong_argument_is_named_and_nothing_runs(args, wrong):
    runs = []

    def send(to: str, count: int, state: Annotated[dict, InjectedState], people: list[Person] | None = None):
        runs.append(to)

    sending = made(send)

    with pytest.raises(ToolInvocationError) as raised:
        sending.invoke(args)

    found: Any = raised.value.facts["arguments"]
    assert found.keys() == wrong.keys()
    assert all(words in found[place] for place, words in wrong.items())
    assert all(place in str(raised.value) for place in wrong)
    assert runs == []


@pytest.mark.parametrize("args", [None, "text", ["a"], 3])
def test_arguments_that_are_no_dict_are_refused(args):
    with pytest.raises(ToolInvocationError, match="are a dict"):
        of(int).invoke(args)


def test_a_long_value_is_cut_in_the_error():
    with pytest.raises(ToolInvocationError) as raised:
        of(int).invoke({"value": "x" * 10_000})

    assert len(str(raised.value)) < 500


def test_a_model_of_its_own_brings_its_validators_and_is_closed():
    def write(to: str, subject: str) -> str:
        return f"{subject} for {to}"

    writing = tool(write, args_schema=Mail)

    assert writing.description == "Write a mail."
    assert writing.args_schema is writing.tool_call_schema is Mail
    assert writing.invoke({"to": "a@b"}) == "none for a@b"
    with pytest.raises(ToolInvocationError, match="an address has an @"):
        writing.invoke({"to": "a"})
    with pytest.raises(ToolInvocationError, match="there is no such argument"):
        writing.invoke({"to": "a@b", "cc": "c"})


def test_aliases_are_the_names_a_model_uses():
    def search(query: str, limit: int):
        return query * limit

    searching = tool(search, args_schema=Aliased)

    assert searching.invoke({"q": "x", "n": 2}) == "xx"
    assert searching.check_args({"q": "x"}) == {"q": "x"}
    with pytest.raises(ToolInvocationError, match=r"Did you mean|Known"):
        searching.invoke({"query": "x"})


def test_an_open_model_and_a_function_with_kwargs_take_anything():
    def anything(**given):
        return given

    assert tool(anything, args_schema=Open).invoke({"name": "a", "more": [1]}) == {"name": "a", "more": [1]}


def no_hint(a, b: int):
    """No hint."""


def variable(*args: int):
    """Variable."""


def keywords(**kwargs: int):
    """Keywords."""


def undescribed(a: int):
    return a


def unresolved(a: Missing):  # type: ignore[name-defined]  # noqa: F821 - what it is about
    """Unresolved."""


def misnamed(city: str):
    """Misnamed.

    Args:
        citi: the town
    """


def opaque(a: Opaque):
    """Opaque."""


def calls(a: Callable[[], int]):
    """Calls."""


def generator(a: int):
    """Generator."""
    yield a


async def async_generator(a: int):
    """Generator."""
    yield a


class WithMethod:
    def method(self, a: int):
        """Unbound."""


def state_taker(state: Annotated[dict, InjectedState]):
    """Takes the state."""


def takes_to(to: str):
    """Takes one."""


def takes_three(to: str, subject: str, body: str):
    """Takes three."""


@pytest.mark.parametrize(
    "make, words",
    [
        (lambda: tool(no_hint), "'a' of the tool 'no_hint' has no type"),
        (lambda: tool(variable), "takes \\*args"),
        (lambda: tool(keywords), "takes \\*\\*kwargs"),
        (lambda: tool(undescribed), "no description"),
        (lambda: tool(unresolved), "'Missing' is not defined"),
        (lambda: tool(misnamed), "describes 'citi'.*Did you mean 'city'"),
        (lambda: tool(opaque), "cannot be checked"),
        (lambda: tool(calls), "no JSON schema"),
        (lambda: tool(generator), "is a generator"),
        (lambda: tool(async_generator), "is a generator"),
        (lambda: tool(WithMethod.method), "bound method"),
        (lambda: tool("a name", description="x")(takes_to), "cannot be the name"),
        (lambda: tool("x" * 65)(takes_to), "cannot be the name"),
        (lambda: tool(lambda: 1, description="x"), "cannot be the name"),
        (lambda: tool(Person), "cannot become a tool"),
        (lambda: tool(tool(takes_to)), "cannot become a tool"),
        (lambda: tool()(NO_FUNCTION), "cannot become a tool"),
        (lambda: tool(takes_to, response_format=OTHER_FORMAT), "does not exist"),
        (lambda: tool(takes_to, args_schema=Mail), "'subject', which the function does not take"),
        (lambda: tool(takes_three, args_schema=Mail), "Nothing fills the parameter 'body'"),
        (lambda: tool(state_taker, args_schema=Hidden), "args_schema must not have it"),
        (lambda: tool(takes_to, args_schema=Names), "with fields"),
        (lambda: tool(takes_to, args_schema=NO_FUNCTION), "with fields"),
        (lambda: tool(dict.update, name="update", description="x"), "takes \\*args|cannot be read|has no type"),
    ],
)
def test_what_cannot_be_a_tool_is_refused_where_it_is_made(make, words):
    with pytest.raises(InvalidToolError, match=words):
        make()


@pytest.mark.parametrize("decorator", [tool, tool(), tool("takes_to"), tool(name="takes_to"), tool(return_direct=False)])
def test_every_form_of_the_decorator_makes_the_tool(decorator):
    made_tool = decorator(takes_to)

    assert isinstance(made_tool, Tool)
    assert (made_tool.name, made_tool.description, made_tool.return_direct) == ("takes_to", "Takes one.", False)


def test_a_tool_is_called_like_its_function_and_cannot_be_changed():
    same = of(int)

    assert same("not checked") == "not checked"
    with pytest.raises(AttributeError):
        same.name = "other"


def test_options_are_kept():
    found = tool("other", description="Words.", return_direct=True, response_format="content_and_artifact")(takes_to)

    assert (found.name, found.description, found.return_direct, found.response_format) == ("other", "Words.", True, "content_and_artifact")
