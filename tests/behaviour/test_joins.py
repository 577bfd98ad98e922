"""Meeting points: joins that wait for a fixed set of nodes, and deferred nodes that wait for everything."""

from __future__ import annotations

import operator
from typing import Annotated, TypedDict

import pytest

from graphkit import END, START, Command, Send, StateGraph
from graphkit.errors import InvalidGraphError


class State(TypedDict):
    log: Annotated[list[str], operator.add]
    way: str


def new(*names, **deferred):
    builder = StateGraph(State)
    for name in names:
        builder.add_node(name, lambda state, name=name: {"log": [name]}, defer=deferred.get(name, False))
    return builder


def log_of(driver, builder, **given):
    return driver.invoke(builder.compile(), given)["log"]


def test_a_join_runs_once_after_all_its_nodes(driver):
    builder = new("a", "b", "b2", "z").add_edge(START, "a").add_edge(START, "b").add_edge("b", "b2").add_edge(["a", "b2"], "z")

    assert log_of(driver, builder) == ["a", "b", "b2", "z"]


def test_a_join_of_one_node_is_an_edge(driver):
    assert log_of(driver, new("a", "z").add_edge(START, "a").add_edge(["a"], "z")) == ["a", "z"]


def test_a_join_fires_again_after_all_its_nodes_have_run_again(driver):
    builder = new("a", "b", "z").add_edge(START, "a").add_edge(START, "b").add_edge(["a", "b"], "z")
    builder.add_conditional_edges("z", lambda state: ["a", "b"] if len(state["log"]) < 6 else END)

    assert log_of(driver, builder) == ["a", "b", "z", "a", "b", "z"]


def test_after_it_has_fired_a_join_waits_for_all_its_nodes_again(driver):
    builder = new("a", "b", "z").add_edge(START, "a").add_edge(START, "b").add_edge(["a", "b"], "z")
    builder.add_conditional_edges("z", lambda state: state["way"])

    assert log_of(driver, builder, way="a") == ["a", "b", "z", "a"]
    assert log_of(driver, builder, way="b") == ["a", "b", "z", "b"]


def test_a_join_does_not_fire_when_one_of_its_nodes_has_run_twice(driver):
    builder = new("a", "b", "z").add_edge(START, "a").add_edge(["a", "b"], "z")
    builder.add_conditional_edges("a", lambda state: "a" if len(state["log"]) < 2 else END)
    builder.add_conditional_edges(START, lambda state: [])
    builder.add_conditional_edges("z", lambda state: "b" if state.get("way") else END)

    assert log_of(driver, builder) == ["a", "a"]


def half(saver):
    """Return a graph whose turn runs one of the two nodes that a join waits for."""
    builder = new("a", "b", "z").add_conditional_edges(START, lambda state: state["way"]).add_edge(["a", "b"], "z")
    return builder.compile(saver)


def test_half_a_join_is_forgotten_when_a_new_turn_begins(driver, saver):
    graph = half(saver)
    driver.invoke(graph, {"way": "a"}, thread_id="t")

    result = driver.invoke(graph, {"way": "b"}, thread_id="t")

    assert result["log"] == ["a", "b"]


def test_half_a_join_is_kept_while_the_turn_is_paused(driver, saver):
    builder = new("a", "b", "b2", "z").add_edge(START, "a").add_edge(START, "b").add_edge("b", "b2").add_edge(["a", "b2"], "z")
    graph = builder.compile(saver)
    driver.invoke(graph, {}, thread_id="t", interrupt_before=["b2"])

    assert driver.invoke(graph, None, thread_id="t")["log"] == ["a", "b", "b2", "z"]


def test_two_joins_with_the_same_nodes_fire_both(driver):
    builder = new("a", "b", "y", "z").add_edge(START, "a").add_edge(START, "b").add_edge(["a", "b"], "z").add_edge(["b", "a"], "y")

    assert log_of(driver, builder) == ["a", "b", "y", "z"]


def test_a_send_counts_as_a_run_for_a_join(driver):
    builder = new("a", "b", "z").add_conditional_edges(START, lambda state: [Send("a", {}), "b"]).add_edge(["a", "b"], "z")

    assert log_of(driver, builder) == ["b", "a", "z"]


@pytest.mark.parametrize("sources, target", [([START, "a"], "b"), (["a", "b"], END), (["a", END], "b")])
def test_a_join_connects_nodes(sources, target):
    with pytest.raises(InvalidGraphError):
        new("a", "b").add_edge(sources, target)


def test_a_deferred_node_runs_when_nothing_else_is_left(driver):
    builder = new("a", "b", "b2", "z", z=True).add_edge(START, "a").add_edge(START, "b")
    builder.add_edge("a", "z").add_edge("b", "b2").add_edge("b2", "z")

    assert log_of(driver, builder) == ["a", "b", "b2", "z"]


def test_a_deferred_node_waits_for_a_loop_and_for_sends(driver):
    def again(state) -> Command[str]:
        more: list[Send | str] = [] if state["log"] else [Send("w", {}), Send("w", {}), "loop"]
        return Command(update={"log": ["loop"]}, goto=[*more, "z"])

    builder = new("w", "z", z=True).add_node("loop", again, destinations=["w", "loop", "z"]).add_edge(START, "loop")
    builder.add_edge("w", "z")

    assert log_of(driver, builder) == ["loop", "loop", "w", "w", "z"]


def test_a_deferred_node_waits_for_a_chain_of_sends(driver):
    def more(state):
        return Command(update={"log": [str(state)]}, goto=[Send("w", state - 1)] if state else [])

    builder = new("z", z=True).add_node("w", more).add_conditional_edges(START, lambda state: ["z", Send("w", 2)])

    assert log_of(driver, builder) == ["2", "1", "0", "z"]


def test_deferred_nodes_run_together_and_nodes_after_them_as_usual(driver):
    builder = new("a", "b", "y", "z", "last", y=True, z=True).add_edge(START, "a").add_edge(START, "z").add_edge("a", "b")
    builder.add_edge("a", "y").add_edge("y", "last").add_edge("z", "last")

    assert log_of(driver, builder) == ["a", "b", "y", "z", "last"]


def test_a_deferred_node_survives_a_pause(driver, saver):
    builder = new("a", "b", "z", z=True).add_edge(START, "a").add_edge(START, "z").add_edge("a", "b")
    graph = builder.compile(saver)
    driver.invoke(graph, {}, thread_id="t", interrupt_before=["b"])

    assert driver.invoke(graph, None, thread_id="t")["log"] == ["a", "b", "z"]


def test_a_deferred_node_that_waits_is_forgotten_when_a_new_turn_begins(driver, saver):
    builder = new("a", "b", "z", z=True).add_conditional_edges(START, lambda state: ["a", "z"] if state["way"] == "both" else ["a"])
    graph = builder.add_conditional_edges("a", lambda state: "b").compile(saver)
    driver.invoke(graph, {"way": "both"}, thread_id="t", interrupt_before=["b"])

    assert driver.invoke(graph, {"way": "one"}, thread_id="t")["log"] == ["a", "a", "b"]


def test_a_deferred_join_waits_for_all_and_for_everything_else(driver):
    builder = new("a", "b", "c", "z", z=True).add_edge(START, "a").add_edge(START, "b").add_edge("b", "c").add_edge(["a", "b"], "z")

    assert log_of(driver, builder) == ["a", "b", "c", "z"]
