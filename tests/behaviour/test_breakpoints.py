"""Breakpoints: a run stops before or after nodes and goes on when it is invoked without input."""

from __future__ import annotations

import operator
from itertools import pairwise
from typing import Annotated, TypedDict

import pytest

from graphkit import END, START, Command, Send, StateGraph, interrupt
from graphkit.errors import UnknownNodeError


class State(TypedDict):
    log: Annotated[list[str], operator.add]


def new(*names):
    builder = StateGraph(State)
    for name in names:
        builder.add_node(name, lambda state, name=name: {"log": [name]})
    return builder


def chain(*names):
    builder = new(*names).add_edge(START, names[0])
    for before, after in pairwise(names):
        builder.add_edge(before, after)
    return builder


def stops(driver, graph, **options):
    """Run a thread to its end; return (log, next) at each stop."""
    found: list[tuple[object, tuple[str, ...]]] = []
    given: object = {}
    while not found or (found[-1][1] and len(found) < 9):
        log = driver.invoke(graph, given, thread_id="t", **options)["log"]
        found.append((log, driver.get_state(graph, thread_id="t").next))
        given = None
    return found


BEFORE_B = [(["a"], ("b",)), (["a", "b", "c"], ())]
AFTER_B = [(["a", "b"], ("c",)), (["a", "b", "c"], ())]


@pytest.mark.parametrize("names", ["b", ["b"], ("b",)])
def test_a_run_stops_before_a_node_and_goes_on_without_input(driver, saver, names):
    builder = chain("a", "b", "c")

    assert stops(driver, builder.compile(saver, interrupt_before=names)) == BEFORE_B


def test_a_run_stops_after_a_node_and_goes_on_without_input(driver, saver):
    assert stops(driver, chain("a", "b", "c").compile(saver, interrupt_after=["b"])) == AFTER_B


def test_breakpoints_can_be_given_with_each_call(driver, saver):
    graph = chain("a", "b", "c").compile(saver)

    assert stops(driver, graph, interrupt_before=["b"]) == BEFORE_B


def test_breakpoints_of_a_call_replace_those_of_compile(driver, saver):
    graph = chain("a", "b", "c").compile(saver, interrupt_before=["b"])

    assert stops(driver, graph, interrupt_before=["c"]) == [(["a", "b"], ("c",)), (["a", "b", "c"], ())]


def test_an_empty_list_switches_the_breakpoints_of_compile_off(driver, saver):
    graph = chain("a", "b", "c").compile(saver, interrupt_before=["b"], interrupt_after=["b"])

    assert stops(driver, graph, interrupt_before=[], interrupt_after=[]) == [(["a", "b", "c"], ())]


@pytest.mark.parametrize("where", ["compile", "call"])
def test_a_star_stands_for_every_node(driver, saver, where):
    options = {"interrupt_before": "*"}
    graph = chain("a", "b").compile(saver, **(options if where == "compile" else {}))

    assert stops(driver, graph, **(options if where == "call" else {})) == [([], ("a",)), (["a"], ("b",)), (["a", "b"], ())]


def test_a_star_after_stops_after_every_node_but_the_last(driver, saver):
    graph = chain("a", "b", "c").compile(saver, interrupt_after="*")

    assert stops(driver, graph) == [(["a"], ("b",)), (["a", "b"], ("c",)), (["a", "b", "c"], ())]


def test_an_unknown_breakpoint_of_a_call_is_refused_before_anything_runs(driver, saver):
    graph = chain("a", "b").compile(saver)

    with pytest.raises(UnknownNodeError, match=r"'bb'.*'b'"):
        driver.invoke(graph, {}, thread_id="t", interrupt_before=["bb"])
    with pytest.raises(UnknownNodeError, match="'__start__'"):
        driver.invoke(graph, {}, thread_id="t", interrupt_after=[START])


def test_a_stop_is_shown_in_the_stream_and_not_in_the_result(driver, saver):
    graph = chain("a", "b").compile(saver, interrupt_before=["b"])

    assert driver.stream(graph, {}, thread_id="t") == [{"a": {"log": ["a"]}}, {"__interrupt__": ()}]
    assert driver.invoke(graph, {}, thread_id="u") == {"log": ["a"]}


def test_a_stopped_thread_has_a_next_node_and_no_questions(driver, saver):
    graph = chain("a", "b").compile(saver, interrupt_before=["b"])
    driver.invoke(graph, {}, thread_id="t")

    state = driver.get_state(graph, thread_id="t")

    assert (state.next, state.interrupts, [task.name for task in state.tasks]) == (("b",), (), ["b"])
    assert [info.status for info in saver.threads().items] == ["interrupted"]


def test_a_node_in_a_loop_is_stopped_before_each_time(driver, saver):
    builder = new("a").add_edge(START, "a").add_conditional_edges("a", lambda state: "a" if len(state["log"]) < 3 else END)

    assert stops(driver, builder.compile(saver, interrupt_before=["a"])) == [
        ([], ("a",)),
        (["a"], ("a",)),
        (["a", "a"], ("a",)),
        (["a", "a", "a"], ()),
    ]


def test_a_run_is_not_stopped_twice_between_the_same_two_nodes(driver, saver):
    graph = chain("a", "b").compile(saver, interrupt_after=["a"], interrupt_before=["b"])

    assert stops(driver, graph) == [(["a"], ("b",)), (["a", "b"], ())]


def test_a_run_that_goes_on_passes_the_place_where_it_was_whatever_breakpoints_the_call_names(driver, saver):
    graph = chain("a", "b", "c").compile(saver)
    driver.invoke(graph, {}, thread_id="t", interrupt_after=["a"])

    assert driver.invoke(graph, None, thread_id="t", interrupt_before=["b"])["log"] == ["a", "b", "c"]


def test_a_stop_before_one_of_several_tasks_stops_all_of_them(driver, saver):
    builder = new("a", "b", "c").add_edge(START, "a").add_edge("a", "b").add_edge("a", "c")

    assert stops(driver, builder.compile(saver, interrupt_before=["c"])) == [(["a"], ("b", "c")), (["a", "b", "c"], ())]


def test_a_stop_before_a_send_keeps_its_argument(driver, saver):
    builder = StateGraph(State).add_node("w", lambda state: {"log": [str(state)]})
    builder.add_conditional_edges(START, lambda state: [Send("w", 1), Send("w", 2)])

    assert stops(driver, builder.compile(saver, interrupt_before=["w"])) == [([], ("w", "w")), (["1", "2"], ())]


def test_a_stop_before_a_deferred_node(driver, saver):
    builder = new("a").add_node("z", lambda state: {"log": ["z"]}, defer=True).add_edge(START, "a").add_edge("a", "z")

    assert stops(driver, builder.compile(saver, interrupt_before=["z"])) == [(["a"], ("z",)), (["a", "z"], ())]


def test_the_state_can_be_edited_at_a_stop_and_the_run_goes_on_from_there(driver, saver):
    graph = chain("a", "b", "c").compile(saver, interrupt_before=["b"])
    driver.invoke(graph, {}, thread_id="t")

    driver.update_state(graph, {"configurable": {"thread_id": "t"}}, {"log": ["edited"]})

    assert driver.get_state(graph, thread_id="t").next == ("b",)
    assert driver.invoke(graph, None, thread_id="t")["log"] == ["a", "edited", "b", "c"]


def test_new_input_at_a_stop_begins_a_new_turn_that_stops_again(driver, saver):
    graph = chain("a", "b").compile(saver, interrupt_before=["b"])
    driver.invoke(graph, {"log": ["1"]}, thread_id="t")

    assert driver.invoke(graph, {"log": ["2"]}, thread_id="t")["log"] == ["1", "a", "2", "a"]
    assert driver.get_state(graph, thread_id="t").next == ("b",)


def test_a_command_at_a_stop_goes_on_as_well(driver, saver):
    graph = chain("a", "b").compile(saver, interrupt_before=["b"])
    driver.invoke(graph, {}, thread_id="t")

    assert driver.invoke(graph, Command(update={"log": ["told"]}), thread_id="t")["log"] == ["a", "told", "b"]


def test_a_stop_and_a_question_in_one_node(driver, saver):
    builder = new("a").add_node("ask", lambda state: {"log": [interrupt("?")]}).add_edge(START, "a").add_edge("a", "ask")
    graph = builder.compile(saver, interrupt_before=["ask"], interrupt_after=["ask"])

    assert driver.invoke(graph, {}, thread_id="t") == {"log": ["a"]}
    assert "__interrupt__" in driver.invoke(graph, None, thread_id="t")
    assert driver.invoke(graph, Command(resume="yes"), thread_id="t") == {"log": ["a", "yes"]}


def test_a_breakpoint_inside_a_subgraph_stops_the_whole_run(driver, saver):
    child = chain("x", "y").compile(interrupt_before=["y"])
    graph = new("z").add_node("sub", child).add_edge(START, "sub").add_edge("sub", "z").compile(saver)

    first = driver.invoke(graph, {}, thread_id="t")
    state = driver.get_state(graph, thread_id="t", subgraphs=True)

    assert "z" not in first["log"]
    assert (state.next, state.tasks[0].state.next) == (("sub",), ("y",))
    assert driver.invoke(graph, None, thread_id="t")["log"] == ["x", "y", "z"]


def test_without_a_checkpointer_a_run_stops_as_well(driver):
    graph = chain("a", "b").compile(interrupt_before=["b"])

    assert driver.invoke(graph, {}) == {"log": ["a"]}


@pytest.mark.parametrize("durability", ["sync", "async", "exit"])
def test_a_stop_is_saved_with_every_durability(driver, saver, durability):
    graph = chain("a", "b", "c").compile(saver)

    assert stops(driver, graph, interrupt_before=["b"], durability=durability) == BEFORE_B
