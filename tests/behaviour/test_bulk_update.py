"""bulk_update_state: several supersteps of edits in one transaction."""

from __future__ import annotations

import operator
from typing import Annotated, TypedDict

import pytest

from graphkit import END, START, Command, StateGraph, StateUpdate, interrupt
from graphkit.errors import (
    ConflictingWritesError,
    InvalidConfigError,
    InvalidUpdateError,
    RequestError,
    UnknownKeyError,
    UnknownNodeError,
    UnserializableValueError,
)

T = {"configurable": {"thread_id": "t"}}


class State(TypedDict, total=False):
    log: Annotated[list[str], operator.add]
    word: str


def build(saver):
    """START -> a -> b, c -> d (joined)."""
    builder = StateGraph(State)
    for name in "abcd":
        builder.add_node(name, lambda state, name=name: {"log": [name]})
    return builder.add_edge(START, "a").add_edge("a", "b").add_edge("a", "c").add_edge(["b", "c"], "d").compile(saver)


def log(word, as_node=None):
    return StateUpdate({"log": [word]}, as_node)


def test_each_inner_list_is_one_superstep(driver, saver):
    graph = build(saver)

    made = driver.bulk_update_state(graph, T, [[log("i", START)], [log("A", "a")], [log("B", "b"), log("C", "c")]])

    history = driver.history(graph, thread_id="t")
    assert [snapshot.values["log"] for snapshot in history] == [["i", "A", "B", "C"], ["i", "A"], ["i"]]
    assert [snapshot.next for snapshot in history] == [("d",), ("b", "c"), ("a",)]
    assert {snapshot.metadata["source"] for snapshot in history} == {"update"}
    assert history[0].config == made
    assert [snapshot.parent_config for snapshot in history] == [history[1].config, history[2].config, None]


def test_the_thread_goes_on_from_there(driver, saver):
    graph = build(saver)
    driver.bulk_update_state(graph, T, [[log("i", START)], [log("A", "a")], [log("B", "b"), log("C", "c")]])

    assert driver.invoke(graph, None, thread_id="t") == {"log": ["i", "A", "B", "C", "d"]}


def test_it_adds_to_a_thread_that_has_run(driver, saver):
    graph = build(saver)
    driver.invoke(graph, {"log": ["i"]}, thread_id="t")

    driver.bulk_update_state(graph, T, [[log("one", "d")], [log("two", "d")]])

    snapshot = driver.get_state(graph, thread_id="t")
    assert snapshot.values == {"log": ["i", "a", "b", "c", "d", "one", "two"]}
    assert (snapshot.next, snapshot.metadata["step"]) == ((), 5)


def test_an_input_needs_its_run_afterwards(driver, saver):
    graph = build(saver)

    driver.bulk_update_state(graph, T, [[log("i", "__input__")]])

    assert driver.get_state(graph, thread_id="t").next == ("__start__",)
    assert driver.invoke(graph, None, thread_id="t") == {"log": ["i", "a", "b", "c", "d"]}


@pytest.mark.parametrize("special", ["__input__", "__copy__", END])
def test_special_names_are_alone_in_their_superstep(driver, saver, special):
    graph = build(saver)
    driver.invoke(graph, {}, thread_id="t")
    before = driver.history(graph, thread_id="t")

    with pytest.raises(InvalidUpdateError, match="alone"):
        driver.bulk_update_state(graph, T, [[log("x", special), log("y", "a")]])

    assert driver.history(graph, thread_id="t") == before


@pytest.mark.parametrize("supersteps", [[], [[]], [[StateUpdate({"log": ["x"]}, "a")], []]])
def test_nothing_to_update_is_refused(driver, saver, supersteps):
    graph = build(saver)
    driver.invoke(graph, {}, thread_id="t")
    before = driver.history(graph, thread_id="t")

    with pytest.raises(InvalidConfigError, match="nothing to update"):
        driver.bulk_update_state(graph, T, supersteps)

    assert driver.history(graph, thread_id="t") == before


@pytest.mark.parametrize(
    "wrong, error",
    [
        ([log("x", "nowhere")], UnknownNodeError),
        ([StateUpdate({"lgo": ["x"]}, "a")], UnknownKeyError),
        ([StateUpdate("text", "a")], InvalidUpdateError),
        ([StateUpdate({"log": [object()]}, "a")], UnserializableValueError),
        ([StateUpdate({"word": "1"}, "b"), StateUpdate({"word": "2"}, "c")], ConflictingWritesError),
    ],
)
def test_one_wrong_superstep_and_none_is_written(driver, saver, wrong, error):
    graph = build(saver)
    driver.invoke(graph, {"log": ["i"]}, thread_id="t")
    before = driver.history(graph, thread_id="t")

    with pytest.raises(error):
        driver.bulk_update_state(graph, T, [[log("fine", "a")], wrong, [log("fine", "a")]])

    assert driver.history(graph, thread_id="t") == before
    assert driver.invoke(graph, {"log": ["2"]}, thread_id="t")["log"][-5:] == ["2", "a", "b", "c", "d"]


def test_a_wrong_first_edit_makes_no_thread(driver, saver):
    graph = build(saver)

    with pytest.raises(UnknownNodeError):
        driver.bulk_update_state(graph, T, [[log("i", START)], [log("x", "nowhere")]])

    assert saver.threads().items == ()


def test_edits_of_one_superstep_are_applied_in_the_order_they_are_given(driver, saver):
    graph = build(saver)

    driver.bulk_update_state(graph, T, [[log("i", START)], [log("1", "c"), log("2", "b"), log("3", "a")]])

    assert driver.get_state(graph, thread_id="t").values == {"log": ["i", "1", "2", "3"]}


def test_it_can_begin_at_an_older_checkpoint(driver, saver):
    graph = build(saver)
    driver.invoke(graph, {"log": ["i"]}, thread_id="t")
    after_a = next(snapshot for snapshot in driver.history(graph, thread_id="t") if snapshot.next == ("b", "c"))

    driver.bulk_update_state(graph, after_a.config, [[log("B", "b"), log("C", "c")], [log("D", "d")]])

    assert driver.get_state(graph, thread_id="t").values == {"log": ["i", "a", "B", "C", "D"]}
    assert driver.get_state(graph, thread_id="t").next == ()


def test_pending_questions_are_cancelled_by_edits_that_leave_their_task_behind(driver, saver):
    builder = StateGraph(State).add_node("ask", lambda state: {"log": [interrupt("?")]}).add_node("b", lambda state: {"log": ["b"]})
    graph = builder.add_edge(START, "ask").add_edge("ask", "b").compile(saver)
    [question] = driver.invoke(graph, {}, thread_id="t")["__interrupt__"]

    driver.bulk_update_state(graph, T, [[log("A", "ask")], [log("B", "b")]])

    assert saver.pending_interrupts().items == ()
    with pytest.raises(RequestError):
        driver.invoke(graph, Command(resume={question.id: "late"}), thread_id="t")
    assert driver.get_state(graph, thread_id="t").values == {"log": ["A", "B"]}
