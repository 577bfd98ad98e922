"""Building graphs: nodes in all their forms, the edges between them and how they are drawn."""

from __future__ import annotations

import operator
from enum import Enum, StrEnum
from functools import partial
from typing import Annotated, Literal, TypedDict

import pytest

from graphkit import END, START, Command, Send, StateGraph
from graphkit.errors import GraphWarning, InvalidGraphError, UnknownNodeError


class State(TypedDict):
    log: Annotated[list[str], operator.add]
    flag: bool


class Step(StrEnum):
    LEFT = "left"
    RIGHT = "right"


class OldStep(str, Enum):  # noqa: UP042 - this form exists in older code
    LEFT = "left"
    RIGHT = "right"


def logs(word):
    return lambda state: {"log": [word]}


def new(*names):
    """Return a builder with one node per name, each of which logs its name."""
    builder = StateGraph(State)
    for name in names:
        builder.add_node(name, logs(name))
    return builder


def log_of(driver, builder, log=()):
    return driver.invoke(builder.compile(), {"log": list(log)})["log"]


def greet(state: State) -> State:
    return {"log": ["greet"]}  # type: ignore[typeddict-item]


async def agreet(state):
    return {"log": ["agreet"]}


class Greeter:
    def __init__(self, word: str) -> None:
        self.word = word

    def __call__(self, state: State) -> object:
        return {"log": [self.word]}

    def method(self, state: State) -> object:
        return {"log": [f"{self.word}!"]}


class AsyncGreeter:
    async def __call__(self, state: State) -> object:
        return {"log": ["async object"]}


def word_of(state, word):
    return {"log": [word]}


@pytest.mark.parametrize(
    "action, name, logged",
    [
        (greet, "greet", "greet"),
        (agreet, "agreet", "agreet"),
        (Greeter("object"), "Greeter", "object"),
        (Greeter("bound").method, "method", "bound!"),
        (AsyncGreeter(), "AsyncGreeter", "async object"),
        (partial(word_of, word="partial"), "word_of", "partial"),
        (StateGraph(State).add_sequence([greet]).set_entry_point("greet").compile(name="child"), "child", "greet"),
    ],
    ids=["function", "coroutine function", "callable object", "method", "async callable object", "partial", "compiled graph"],
)
def test_an_action_gives_its_node_a_name(driver, action, name, logged):
    assert log_of(driver, StateGraph(State).add_node(action).add_edge(START, name)) == [logged]
    assert log_of(driver, StateGraph(State).add_node("other", action).add_edge(START, "other")) == [logged]


def test_node_names_may_be_members_of_an_enum(driver):
    builder = StateGraph(State).add_node(Step.LEFT, logs("left")).add_node(OldStep.RIGHT, logs("right"))
    builder.add_edge(START, Step.LEFT).add_edge(OldStep.LEFT, Step.RIGHT).add_edge(OldStep.RIGHT, END)

    assert log_of(driver, builder) == ["left", "right"]


def test_a_node_may_have_the_name_of_a_state_key(driver):
    assert log_of(driver, new("log").add_edge(START, "log")) == ["log"]


@pytest.mark.parametrize("name", [START, END, "a|b", "a:b", "", "__mine"])
def test_names_that_mean_something_else_are_refused(name):
    with pytest.raises(InvalidGraphError):
        new().add_node(name, greet)


def test_a_name_can_be_given_once():
    with pytest.raises(InvalidGraphError, match="already a node 'a'"):
        new("a").add_node("a", greet)


@pytest.mark.parametrize("action", [5, "text", {"log": []}])
def test_an_action_must_be_callable(action):
    with pytest.raises(InvalidGraphError, match="'a'"):
        new().add_node("a", action)


def test_a_node_without_an_action_is_refused():
    with pytest.raises(InvalidGraphError, match="'a' has no action"):
        new().add_node("a")


def test_a_parameter_that_nothing_fills_is_refused_when_the_node_is_added():
    with pytest.raises(InvalidGraphError, match=r"'database'.*'a'.*runtime"):
        new().add_node("a", lambda state, database: None)
    with pytest.raises(InvalidGraphError, match="'database'"):
        new("a").add_conditional_edges("a", lambda state, database: END)


def test_parameters_with_defaults_keep_them(driver):
    def node(state, word="default", *rest, number=1, **more):
        return {"log": [f"{word}{number}{rest}{more}"]}

    assert log_of(driver, new().add_node(node).add_edge(START, "node")) == ["default1(){}"]


def test_a_node_need_not_take_the_state(driver):
    assert log_of(driver, new().add_node("a", lambda: {"log": ["none"]}).add_edge(START, "a")) == ["none"]


def test_all_building_methods_can_be_chained(driver):
    builder = (
        StateGraph(State)
        .add_node("a", logs("a"))
        .add_node("b", logs("b"))
        .add_sequence([("c", logs("c")), ("d", logs("d"))])
        .set_entry_point("a")
        .add_edge("a", "b")
        .add_conditional_edges("b", lambda state: "c")
        .set_finish_point("d")
        .validate()
    )

    assert log_of(driver, builder) == ["a", "b", "c", "d"]


def test_several_static_edges_run_side_by_side_and_an_edge_given_twice_counts_once(driver):
    builder = new("a", "b", "c").add_edge(START, "a")
    builder.add_edge("a", "c").add_edge("a", "b").add_edge("a", "b")

    assert log_of(driver, builder) == ["a", "b", "c"]


def test_a_node_that_two_nodes_of_one_superstep_lead_to_runs_once(driver):
    builder = new("a", "b", "z").add_edge(START, "a").add_edge(START, "b").add_edge("a", "z").add_edge("b", "z")

    assert log_of(driver, builder) == ["a", "b", "z"]


def test_branches_of_unequal_length_run_a_plain_meeting_node_once_per_arrival(driver):
    builder = new("a", "b", "b2", "z").add_edge(START, "a").add_edge(START, "b")
    builder.add_edge("a", "z").add_edge("b", "b2").add_edge("b2", "z")

    assert log_of(driver, builder) == ["a", "b", "b2", "z", "z"]


def test_a_sequence_takes_functions_and_named_functions(driver):
    builder = StateGraph(State).add_sequence([greet, ("second", logs("second")), agreet]).add_edge(START, "greet")

    assert log_of(driver, builder) == ["greet", "second", "agreet"]


def test_an_empty_sequence_and_a_repeated_name_are_refused():
    with pytest.raises(InvalidGraphError, match="at least one"):
        new().add_sequence([])
    with pytest.raises(InvalidGraphError, match="greet"):
        new().add_sequence([greet, greet])


def test_edges_do_not_leave_the_end_or_enter_the_start():
    with pytest.raises(InvalidGraphError, match="END"):
        new("a").add_edge(END, "a")
    with pytest.raises(InvalidGraphError, match="START"):
        new("a").add_edge("a", START)
    with pytest.raises(InvalidGraphError, match="empty"):
        new("a").add_edge([], "a")


def test_a_later_change_of_the_builder_warns_and_does_not_reach_a_compiled_graph(driver):
    builder = new("a").add_edge(START, "a")
    graph = builder.compile()

    with pytest.warns(GraphWarning, match="after compile"):
        builder.add_node("b", logs("b"))
    with pytest.warns(GraphWarning, match="after compile"):
        builder.add_edge("a", "b")

    assert driver.invoke(graph, {}) == {"log": ["a"]}
    assert driver.invoke(builder.compile(), {}) == {"log": ["a", "b"]}


def test_one_builder_makes_independent_graphs(driver):
    builder = new("a", "b").add_edge(START, "a").add_edge("a", "b")
    stopping, running = builder.compile(interrupt_before=["b"]), builder.compile()

    assert driver.invoke(stopping, {})["log"] == ["a"]
    assert driver.invoke(running, {})["log"] == ["a", "b"]


def branching(path, **options):
    return new("left", "right").add_conditional_edges(START, path, **options)


@pytest.mark.parametrize(
    "found, expected",
    [
        ("left", ["left"]),
        (["right", "left"], ["left", "right"]),
        (("left",), ["left"]),
        (END, []),
        ([END, "right"], ["right"]),
        ([], []),
        (Step.LEFT, ["left"]),
        ([OldStep.RIGHT], ["right"]),
        (Send("left", {}), ["left"]),
        (Send(Step.RIGHT, {}), ["right"]),
        ([Send("right", {}), "left", Send("left", {})], ["left", "right", "left"]),
    ],
    ids=str,
)
def test_a_router_returns_names_the_end_sends_or_a_list_of_them(driver, saver, found, expected):
    graph = branching(lambda state: found).compile(saver)

    assert driver.invoke(graph, {}, thread_id="t")["log"] == expected


@pytest.mark.parametrize("found", ["lefd", START, None, True, 5, ["left", None], Send("lefd", {}), Send(START, {}), Send(END, {})], ids=str)
def test_a_router_that_returns_no_destination_fails_and_nothing_is_run(driver, found):
    with pytest.raises(UnknownNodeError):
        driver.invoke(branching(lambda state: found).compile(), {})


def test_an_unknown_target_of_a_router_is_named_with_the_nearest_node(driver):
    with pytest.raises(UnknownNodeError, match=r"'choose' of node '__start__'.*'lefd'.*'left'"):
        driver.invoke(branching(choose).compile(), {"flag": True})


def choose(state):
    return "lefd"


@pytest.mark.parametrize("path_map", [{True: "left", False: "right", 3: END}, {1: "left", 0: "right"}])
def test_a_path_map_translates_what_a_router_returns(driver, path_map):
    builder = branching(lambda state: state["flag"], path_map=path_map)

    assert driver.invoke(builder.compile(), {"flag": True})["log"] == ["left"]
    assert driver.invoke(builder.compile(), {"flag": False})["log"] == ["right"]


def test_a_path_map_can_be_a_list_of_names_and_lead_to_the_end(driver):
    assert log_of(driver, branching(lambda state: END, path_map=["left", "right", END])) == []
    assert log_of(driver, branching(lambda state: ["right", "left"], path_map=["left", "right"])) == ["left", "right"]


def test_a_result_that_is_not_in_the_path_map_is_an_error_that_names_the_router(driver):
    with pytest.raises(UnknownNodeError, match=r"'choose'.*'lefd'.*path_map"):
        driver.invoke(branching(choose, path_map=["left", "right"]).compile(), {})


def test_a_send_passes_a_path_map_by(driver):
    assert log_of(driver, branching(lambda state: Send("right", {}), path_map={"no": "left"})) == ["right"]


def test_several_routers_of_a_node_all_fire(driver):
    builder = new("a", "left", "right").add_edge(START, "a")
    builder.add_conditional_edges("a", lambda state: "right").add_conditional_edges("a", lambda state: "left")

    assert log_of(driver, builder) == ["a", "left", "right"]


def test_a_router_is_given_the_state_with_its_own_nodes_update_but_not_its_siblings(driver):
    seen: list[object] = []

    def router(state):
        seen.append(state["log"])
        return END

    builder = new("a", "b").add_edge(START, "a").add_edge(START, "b").add_conditional_edges("b", router)

    assert log_of(driver, builder, ["i"]) == ["i", "a", "b"]
    assert seen == [["i", "b"]]


def test_a_router_may_be_a_coroutine_function_or_take_nothing(driver):
    async def path(state):
        return "left"

    assert log_of(driver, branching(path)) == ["left"]
    assert log_of(driver, branching(lambda: "right")) == ["right"]


def test_a_conditional_entry_point_sees_the_input(driver):
    builder = new("left", "right").set_conditional_entry_point(lambda state: state["log"][0])

    assert log_of(driver, builder, ["right"]) == ["right", "right"]


def test_routers_and_static_edges_of_a_node_add_up(driver):
    builder = new("a", "left", "right").add_edge(START, "a").add_edge("a", "left").add_conditional_edges("a", lambda state: "right")

    assert log_of(driver, builder) == ["a", "left", "right"]


def test_a_drawing_shows_declared_edges_only():
    def path(state) -> Literal["left", "__end__"]:
        return "left"

    def jump(state) -> Command[Literal["right"]]:
        return Command(goto="right")

    builder = new("left", "right").add_node("jump", jump, destinations={"right": "go"}).add_edge(START, "jump")
    builder.add_conditional_edges("left", path).add_conditional_edges("right", lambda state: "left", {"back": "left"})
    drawing = builder.compile().get_graph()

    assert [(line.source, line.target, line.label, line.conditional) for line in drawing.edges] == [
        (START, "jump", None, False),
        ("left", "left", None, True),
        ("left", END, None, True),
        ("right", "left", "back", True),
        ("jump", "right", "go", True),
    ]
    assert set(drawing.nodes) == {START, "left", "right", "jump", END}


def test_a_router_without_declared_targets_draws_no_edge():
    drawing = branching(lambda state: "left").compile().get_graph()

    assert drawing.edges == ()
    assert "left" in drawing.draw_mermaid()
    assert "left" in drawing.draw_ascii()


def test_a_join_is_drawn_as_an_edge_from_each_of_its_nodes():
    builder = new("a", "b", "c").add_edge(START, "a").add_edge(START, "b").add_edge(["a", "b"], "c").add_edge("c", END)
    drawn = {(line.source, line.target) for line in builder.compile().get_graph().edges}

    assert drawn == {(START, "a"), (START, "b"), ("a", "c"), ("b", "c"), ("c", END)}
