"""State schemas: which classes may describe a state, what nodes see of it, and what may be written to it."""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, NotRequired, TypedDict

import pytest
import typing_extensions as te
from pydantic import BaseModel, Field, field_validator

from graphkit import START, Command, Overwrite, StateGraph
from graphkit.errors import InvalidSchemaError, InvalidStateError, InvalidUpdateError, ReducerError, UnknownKeyError


class Plain(TypedDict):
    count: int
    log: Annotated[list[str], operator.add]


class Loose(TypedDict, total=False):
    count: int
    name: str


class Needed(TypedDict):
    count: int
    name: NotRequired[str]
    log: NotRequired[Annotated[list[str], operator.add]]


class Extended(te.TypedDict):
    count: te.Annotated[int, operator.add]
    name: te.NotRequired[str]
    fixed: te.ReadOnly[te.Annotated[list[str], operator.add]]


@dataclass
class Record:
    count: int = 7
    name: str | None = None
    items: list[str] = field(default_factory=lambda: ["default"])
    log: Annotated[list[str], operator.add] = field(default_factory=lambda: ["seed"])


@dataclass
class Partly:
    count: int = 1
    fixed: int = field(init=False, default=5)


class Named(BaseModel):
    name: str = Field("nobody", alias="Name")


class Inner(BaseModel):
    size: int


class Model(BaseModel):
    count: int = 7
    name: str = "nobody"
    inner: Inner | None = None
    log: Annotated[list[str], operator.add] = Field(default_factory=lambda: ["seed"])

    @field_validator("name")
    @classmethod
    def never_empty(cls, value: str) -> str:
        if not value:
            raise ValueError("a name is needed")
        return value


def graph_of(schema, node, **options):
    return StateGraph(schema, **options).add_node("node", node).add_edge(START, "node").compile()


def kept(seen):
    """Return a node that keeps what it is given and writes nothing."""

    def node(state):
        seen.append(state)

    return node


def test_a_node_sees_only_keys_that_have_a_value(driver):
    seen: list[object] = []

    driver.invoke(graph_of(Loose, kept(seen)), {"count": 1})

    assert seen == [{"count": 1}]


def test_a_reducer_key_begins_with_the_empty_value_of_its_type(driver):
    seen: list[object] = []

    result = driver.invoke(graph_of(Plain, kept(seen)), {"count": 1})

    assert seen == [{"count": 1, "log": []}]
    assert result == {"count": 1, "log": []}


def test_input_goes_through_the_reducers(driver):
    result = driver.invoke(graph_of(Plain, lambda state: {"log": ["node"]}), {"log": ["input"]})

    assert result == {"log": ["input", "node"]}


def test_not_required_keys_keep_their_reducers(driver):
    result = driver.invoke(graph_of(Needed, lambda state: {"log": ["node"], "name": "n"}), {"count": 1, "log": ["input"]})

    assert result == {"count": 1, "name": "n", "log": ["input", "node"]}


def test_typed_dicts_of_typing_extensions_are_read_alike(driver):
    result = driver.invoke(graph_of(Extended, lambda state: {"count": 2, "fixed": ["b"], "name": "n"}), {"count": 1, "fixed": ["a"]})

    assert result == {"count": 3, "fixed": ["a", "b"], "name": "n"}


def test_a_dataclass_node_sees_an_instance_with_its_defaults(driver):
    seen: list[object] = []

    driver.invoke(graph_of(Record, kept(seen)), {"name": "given"})

    assert seen == [Record(count=7, name="given", items=["default"], log=["seed"])]


@pytest.mark.parametrize("schema", [Record, Model])
def test_defaults_are_start_values_of_all_keys_also_of_those_with_a_reducer(driver, schema):
    result = driver.invoke(graph_of(schema, lambda state: {"log": ["node"]}), {"log": ["input"]})

    assert result["count"] == 7
    assert result["log"] == ["seed", "input", "node"]


def test_default_factories_make_a_new_value_for_each_run(driver):
    seen: list[list[str]] = []

    def spoil(state):
        seen.append(list(state.items))
        state.items.append("spoiled")

    graph = graph_of(Record, spoil)
    driver.invoke(graph, {})
    driver.invoke(graph, {})

    assert seen == [["default"], ["default"]]


def test_a_dataclass_field_that_init_does_not_take_keeps_its_default_and_can_be_written(driver):
    seen: list[object] = []

    def node(state):
        seen.append(state.fixed)
        return {"fixed": state.fixed + 1}

    builder = StateGraph(Partly).add_sequence([("a", node), ("b", node)]).add_edge(START, "a")

    assert driver.invoke(builder.compile(), {}) == {"count": 1, "fixed": 7}
    assert seen == [5, 6]


@pytest.mark.parametrize("given", [{"name": "ann"}, Named(Name="ann")])
def test_a_pydantic_field_with_an_alias_is_a_key_by_its_own_name(driver, given):
    assert driver.invoke(graph_of(Named, lambda state: {"name": state.name + "!"}), given) == {"name": "ann!"}


def test_a_pydantic_node_sees_a_model_and_the_result_is_a_dict(driver):
    seen: list[object] = []

    result = driver.invoke(graph_of(Model, kept(seen)), {"name": "given", "inner": {"size": 1}})

    assert seen == [Model(name="given", inner=Inner(size=1), log=["seed"])]
    assert result == {"count": 7, "name": "given", "inner": Inner(size=1), "log": ["seed"]}


@pytest.mark.parametrize("given", [Model(name="given"), {"name": "given"}])
def test_an_input_may_be_an_instance_of_the_schema(driver, given):
    assert driver.invoke(graph_of(Model, lambda state: {"count": 1}), given) == {
        "count": 1,
        "name": "given",
        "inner": None,
        "log": ["seed"],
    }


def test_an_input_may_be_a_dataclass_instance(driver):
    result = driver.invoke(graph_of(Record, lambda state: {"count": state.count + 1}), Record(count=1, name="given"))

    assert (result["count"], result["name"]) == (2, "given")


@pytest.mark.parametrize("update", [Model(count=1), {"count": 1}])
def test_a_returned_model_writes_only_the_fields_it_was_given(driver, update):
    result = driver.invoke(graph_of(Model, lambda state: update), {"name": "kept"})

    assert result == {"count": 1, "name": "kept", "inner": None, "log": ["seed"]}


def test_a_returned_dataclass_leaves_keys_with_default_values_alone(driver):
    given = {"count": 1, "name": "kept", "items": ["kept"], "log": ["input"]}

    result = driver.invoke(graph_of(Record, lambda state: Record(count=2)), given)

    assert (result["count"], result["name"], result["items"]) == (2, "kept", ["kept"])


def test_a_command_may_carry_an_instance(driver):
    result = driver.invoke(graph_of(Record, lambda state: Command(update=Record(count=2))), {"name": "kept"})

    assert (result["count"], result["name"]) == (2, "kept")


@pytest.mark.parametrize("schema", [Record, Model])
def test_an_instance_that_is_changed_and_returned_doubles_nothing(driver, schema):
    def node(state):
        state.count += 1
        return state

    result = driver.invoke(graph_of(schema, node), {"count": 1, "log": ["input"]})

    assert (result["count"], result["log"]) == (2, ["seed", "input"])


def test_a_wrong_update_of_a_pydantic_state_fails_where_it_is_written_and_names_node_and_key(driver):
    ran: list[str] = []
    builder = StateGraph(Model).add_sequence([("writes", lambda state: {"count": "many"}), ("reads", lambda state: ran.append("reads"))])

    with pytest.raises(InvalidStateError, match=r"'writes'.*'count'") as caught:
        driver.invoke(builder.add_edge(START, "writes").compile(), {})

    assert ran == []
    assert (caught.value.facts["node"], caught.value.facts["key"]) == ("writes", "count")


def test_a_wrong_update_of_the_last_node_is_refused_as_well(driver):
    with pytest.raises(InvalidStateError, match="a name is needed"):
        driver.invoke(graph_of(Model, lambda state: {"name": ""}), {})


def test_a_wrong_value_that_a_reducer_makes_names_the_node_and_the_key(driver):
    with pytest.raises(InvalidStateError, match=r"'log'.*'node'"):
        driver.invoke(graph_of(Model, lambda state: {"log": [1]}), {})


def test_updates_are_stored_as_the_schema_converts_them(driver):
    result = driver.invoke(graph_of(Model, lambda state: {"count": "12", "inner": {"size": "3"}}), {})

    assert (result["count"], result["inner"]) == (12, Inner(size=3))


def test_an_overwrite_is_validated_like_any_update(driver):
    update = {"count": Overwrite("12"), "log": Overwrite(["new"])}

    assert driver.invoke(graph_of(Model, lambda state: update), {"count": 1})["count"] == 12
    for wrong in ({"count": Overwrite("many")}, {"log": Overwrite("text")}):
        with pytest.raises(InvalidStateError, match="'node'"):
            driver.invoke(graph_of(Model, lambda state, wrong=wrong: wrong), {})


def test_a_wrong_input_is_refused_before_any_node_runs(driver):
    ran: list[object] = []

    with pytest.raises(InvalidStateError, match=r"Input.*'count'"):
        driver.invoke(graph_of(Model, kept(ran)), {"count": "many"})

    assert ran == []


def test_a_bare_type_is_the_state_itself(driver):
    graph = graph_of(Annotated[list, operator.add], lambda state: [len(state)])

    assert driver.invoke(graph, ["a", "b"]) == ["a", "b", 2]


def test_a_bare_type_without_a_reducer_is_replaced(driver):
    assert driver.invoke(graph_of(int, lambda state: state + 1), 1) == 2


@pytest.mark.parametrize(
    "annotation, update, expected",
    [
        (Sequence[int], [1], [1]),
        (Mapping[str, int], {"a": 1}, {"a": 1}),
        (set[int], {1}, {1}),
        (int, 5, 5),
        (str, "a", "a"),
    ],
)
def test_reducers_begin_with_an_empty_value_even_for_abstract_types(driver, annotation, update, expected):
    merge = {Sequence[int]: operator.add, int: operator.add, str: operator.add}.get(annotation, operator.or_)

    assert driver.invoke(graph_of(Annotated[annotation, merge], lambda state: update), type(update)()) == expected


class Unstartable:
    """A type without a value of its own."""

    def __init__(self, size: int) -> None:
        self.size = size

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Unstartable) and other.size == self.size

    __hash__ = None  # type: ignore[assignment]


def widest(left: Unstartable, right: Unstartable) -> Unstartable:
    return max(left, right, key=lambda item: item.size)


class Widths(TypedDict):
    width: Annotated[Unstartable, widest]


def test_without_a_start_value_the_first_update_is_taken_as_it_is(driver):
    builder = StateGraph(Widths).add_sequence(
        [("a", lambda state: {"width": Unstartable(3)}), ("b", lambda state: {"width": Unstartable(2)})],
    )

    assert driver.invoke(builder.add_edge(START, "a").compile(), {}) == {"width": Unstartable(3)}


class NotesState(TypedDict):
    notes: Annotated[list[str], "what was noted", operator.add]
    text: Annotated[str, "only a comment"]


def test_only_a_callable_annotation_is_a_reducer(driver):
    result = driver.invoke(graph_of(NotesState, lambda state: {"notes": ["b"], "text": "new"}), {"notes": ["a"], "text": "old"})

    assert result == {"notes": ["a", "b"], "text": "new"}


def test_a_reducer_that_raises_names_the_key_and_the_node(driver):
    with pytest.raises(ReducerError, match=r"'log'.*'node'") as caught:
        driver.invoke(graph_of(Plain, lambda state: {"log": None}), {})

    assert isinstance(caught.value.__cause__, TypeError)


class WrongReducer(TypedDict):
    value: Annotated[int, lambda only: only]


class ReservedKey(TypedDict):
    __interrupt__: str


class Unresolvable(TypedDict):
    value: NoSuchType  # type: ignore[name-defined] # noqa: F821


@pytest.mark.parametrize(
    "schema, message",
    [(WrongReducer, "value"), (ReservedKey, "__interrupt__"), (Unresolvable, "NoSuchType"), (5, "5")],
)
def test_schemas_that_cannot_be_read_are_refused(schema, message):
    with pytest.raises(InvalidSchemaError, match=message):
        StateGraph(schema)


def test_unknown_keys_of_updates_and_inputs_are_refused_with_the_nearest_name(driver):
    graph = graph_of(Plain, lambda state: {"cuont": 1})

    with pytest.raises(UnknownKeyError, match=r"'node'.*'cuont'.*'count'"):
        driver.invoke(graph, {"count": 1})
    with pytest.raises(UnknownKeyError, match=r"Input.*'lgo'.*'log'"):
        driver.invoke(graph, {"lgo": ["a"]})


@pytest.mark.parametrize("update", [5, "text", [1, 2], ("count", 1), object()])
def test_what_is_no_update_is_refused_and_names_the_node(driver, update):
    with pytest.raises(InvalidUpdateError, match=r"'node'.*Expected dict, got"):
        driver.invoke(graph_of(Plain, lambda state: update), {"count": 1})
