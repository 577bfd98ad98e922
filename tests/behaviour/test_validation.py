"""What compile() refuses, and what it warns about."""

from __future__ import annotations

import warnings
from enum import StrEnum
from typing import Literal, TypedDict

import pytest

from graphkit import END, START, Command, InMemorySaver, Send, StateGraph
from graphkit.errors import DefinitionError, GraphkitError, GraphWarning, InvalidGraphError, UnknownNodeError


class State(TypedDict):
    word: str


class Way(StrEnum):
    LEFT = "left"
    RIGHT = "right"


def nothing(state: State) -> None:
    return None


def new(*names):
    builder = StateGraph(State)
    for name in names:
        builder.add_node(name, nothing)
    return builder


def to_left(state) -> Literal["left"]:
    return "left"


def to_way(state) -> Literal[Way.LEFT, Way.RIGHT]:
    return Way.LEFT


def to_many(state) -> list[Literal["left", "right"]]:
    return ["left"]


def to_left_or_send(state) -> Literal["left"] | Send:
    return "left"


def jumps_left(state) -> Command[Literal["left"]]:
    return Command(goto="left")


def jumps_or_ends(state) -> Command[Literal["left", "__end__"]] | dict[str, str]:
    return {}


def jumps_anywhere(state) -> Command:
    return Command(goto="left")


def compiled_silently(builder):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return builder.compile()


def test_a_graph_needs_an_entry_point():
    with pytest.raises(InvalidGraphError, match=r"must have an entrypoint.*add_edge\(START"):
        new("a").compile()


def test_a_graph_without_nodes_is_refused():
    with pytest.raises(DefinitionError):
        StateGraph(State).compile()


UNKNOWN = {
    "the target of an edge": lambda: new("left").add_edge(START, "left").add_edge("left", "lefd"),
    "the source of an edge": lambda: new("left").add_edge(START, "left").add_edge("lefd", "left"),
    "the entry point": lambda: new("left").set_entry_point("lefd"),
    "the finish point": lambda: new("left").add_edge(START, "left").set_finish_point("lefd"),
    "a source of a join": lambda: new("left", "b").add_edge(START, "left").add_edge(["left", "lefd"], "b"),
    "the target of a join": lambda: new("left", "b").add_edge(START, "left").add_edge(START, "b").add_edge(["left", "b"], "lefd"),
    "the source of a router": lambda: new("left").add_edge(START, "left").add_conditional_edges("lefd", lambda state: END),
    "a name in a path_map": lambda: new("left").add_conditional_edges(START, lambda state: 1, {1: "lefd"}),
    "a name in a list of targets": lambda: new("left").add_conditional_edges(START, lambda state: "left", ["left", "lefd"]),
    "a Literal of a router": lambda: new("right", "lefd").add_conditional_edges(START, to_left),
    "a Literal in a list of a router": lambda: new("right", "lefd").add_conditional_edges(START, to_many),
    "an Enum in a Literal of a router": lambda: new("right", "lefd").add_conditional_edges(START, to_way),
    "a Literal of a Command": lambda: new("lefd").add_node("a", jumps_left).add_edge(START, "a"),
    "a destination": lambda: new("left").add_node("a", jumps_anywhere, destinations=["lefd"]).add_edge(START, "a"),
}


@pytest.mark.parametrize("what", UNKNOWN)
def test_an_unknown_name_is_refused_and_the_nearest_one_named(what):
    with pytest.raises(UnknownNodeError, match=r"lef[dt].*Did you mean 'lef[dt]'|lef[dt].*Known") as caught:
        UNKNOWN[what]().compile()

    assert isinstance(caught.value, ValueError)
    assert caught.value.hint


@pytest.mark.parametrize("where", ["interrupt_before", "interrupt_after"])
@pytest.mark.parametrize("names", ["lefd", ["left", "lefd"]])
def test_a_breakpoint_must_be_a_node(where, names):
    with pytest.raises(UnknownNodeError, match=r"breakpoint 'lefd'.*'left'"):
        new("left").add_edge(START, "left").compile(**{where: names})


def test_validate_checks_breakpoints_and_returns_the_builder():
    builder = new("left").add_edge(START, "left")

    assert builder.validate(["left"]) is builder
    with pytest.raises(UnknownNodeError, match="'lefd'"):
        builder.validate(interrupt=["lefd"])


@pytest.mark.parametrize("router", [to_left, to_many, to_way])
def test_annotations_tell_where_a_router_may_lead(router):
    graph = compiled_silently(new("left", "right").add_edge(START, "right").add_conditional_edges("right", router))

    assert "left" in {line.target for line in graph.get_graph().edges if line.source == "right"}


def test_a_router_does_not_leave_the_end():
    with pytest.raises(DefinitionError):
        new("left").add_edge(START, "left").add_conditional_edges(END, lambda state: "left").compile()


@pytest.mark.parametrize(
    "make",
    [
        lambda: new("left").add_conditional_edges(START, lambda state: 1, {1: START, 2: "left"}),
        lambda: new("left").add_edge(START, "left").add_conditional_edges("left", lambda state: END, [START, END]),
        lambda: new().add_node("a", jumps_anywhere, destinations=[START, END]).add_edge(START, "a"),
    ],
    ids=["path_map", "targets", "destinations"],
)
def test_nothing_leads_back_to_the_start(make):
    with pytest.raises(DefinitionError):
        make().compile()


def test_the_same_router_twice_on_a_node_is_refused_and_two_lambdas_are_not():
    builder = new("left").add_edge(START, "left").add_conditional_edges("left", to_left)

    with pytest.raises(InvalidGraphError, match=r"'to_left' is already a router of 'left'"):
        builder.add_conditional_edges("left", to_left)
    builder.add_conditional_edges("left", lambda state: END).add_conditional_edges("left", lambda state: END)

    assert compiled_silently(builder)


def test_a_node_that_nothing_leads_to_is_warned_about():
    builder = new("left", "lost").add_edge(START, "left").add_edge("left", END)

    with pytest.warns(GraphWarning, match="'lost'"):
        builder.compile()


def test_a_node_that_only_an_unreachable_node_leads_to_is_warned_about_as_well():
    builder = new("left", "lost", "behind").add_edge(START, "left").add_edge("left", END).add_edge("lost", "behind")

    with pytest.warns(GraphWarning) as caught:
        builder.compile()

    assert sorted(name for name in ("lost", "behind") if any(repr(name) in str(item.message) for item in caught)) == ["behind", "lost"]


def test_a_node_that_a_router_without_declared_targets_may_reach_is_not_warned_about():
    assert compiled_silently(new("left", "right").add_edge(START, "left").add_conditional_edges("left", lambda state: "right"))


def test_a_router_that_may_return_a_send_may_lead_anywhere():
    builder = new("left", "right").add_edge(START, "left").add_conditional_edges("left", to_left_or_send)

    assert compiled_silently(builder)


def test_a_node_that_is_declared_a_destination_is_reachable():
    builder = new("left").add_node("a", jumps_left).add_edge(START, "a").add_edge("left", END)

    assert compiled_silently(builder)


def test_a_loop_without_a_way_out_is_warned_about():
    builder = new("a", "b").add_edge(START, "a").add_edge("a", "b").add_edge("b", "a")

    with pytest.warns(GraphWarning, match=r"'a', 'b'.*loop"):
        builder.compile()


def test_a_loop_with_a_router_as_its_way_out_is_not_warned_about():
    builder = new("a", "b").add_edge(START, "a").add_edge("a", "b").add_conditional_edges("b", lambda state: "a", ["a", END])

    assert compiled_silently(builder)


@pytest.mark.parametrize("node", [jumps_left, jumps_anywhere, jumps_or_ends])
def test_goto_beside_a_static_edge_is_warned_about_because_both_run(node):
    builder = new("left").add_node("a", node).add_edge(START, "a").add_edge("a", "left").add_edge("left", END)

    with pytest.warns(GraphWarning, match=r"'a'.*goto.*edges"):
        builder.compile()


def test_warnings_point_at_the_line_that_compiles():
    with pytest.warns(GraphWarning) as caught:
        new("left", "lost").add_edge(START, "left").add_edge("left", END).compile()

    assert caught[0].filename == __file__


def test_a_clean_graph_compiles_silently():
    builder = new("left", "right").add_conditional_edges(START, to_way).add_edge("left", END).add_edge("right", END)

    assert compiled_silently(builder)


def test_definition_errors_are_graphkit_errors_with_a_code():
    with pytest.raises(GraphkitError, match=r"\[invalid-graph\]$") as caught:
        new("a").compile()

    assert caught.value.code == "invalid-graph"


def test_a_graph_that_runs_by_itself_cannot_inherit_its_checkpointer(driver):
    graph = new("a").add_edge(START, "a").compile(checkpointer=True)

    with pytest.raises(ValueError, match="subgraph"):
        driver.invoke(graph, {"word": "x"}, thread_id="t")


def test_a_checkpointer_must_be_a_saver():
    with pytest.raises(GraphkitError, match="InMemorySaver"):
        new("a").add_edge(START, "a").compile(checkpointer=InMemorySaver)
