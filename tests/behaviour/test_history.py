"""The history of a thread: its rhythm, its order and its filters."""

from __future__ import annotations

import operator
from typing import Annotated, TypedDict

import pytest

from checkpointers.sqlite import SqliteSaver
from graphkit import START, Command, StateGraph, interrupt
from graphkit.errors import CheckpointNotFoundError, InvalidConfigError, ThreadNotFoundError


class State(TypedDict, total=False):
    log: Annotated[list[str], operator.add]


def chain(saver, *names):
    builder = StateGraph(State).add_sequence([(name, lambda state, name=name: {"log": [name]}) for name in names])
    return builder.add_edge(START, names[0]).compile(saver)


def steps(history):
    return [(snapshot.metadata["source"], snapshot.metadata["step"]) for snapshot in history]


def at(thread_id, **metadata):
    return {"configurable": {"thread_id": thread_id}, "metadata": metadata}


def test_a_run_of_three_nodes_leaves_five_checkpoints_newest_first(driver, saver):
    graph = chain(saver, "a", "b", "c")
    driver.invoke(graph, {"log": ["i"]}, thread_id="t")

    history = driver.history(graph, thread_id="t")

    assert steps(history) == [("loop", 3), ("loop", 2), ("loop", 1), ("loop", 0), ("input", -1)]
    assert [snapshot.next for snapshot in history] == [(), ("c",), ("b",), ("a",), ("__start__",)]
    assert [snapshot.values.get("log", []) for snapshot in history] == [["i", "a", "b", "c"], ["i", "a", "b"], ["i", "a"], ["i"], []]


def test_each_checkpoint_names_the_one_it_was_made_from(driver, saver):
    graph = chain(saver, "a", "b", "c")
    driver.invoke(graph, {}, thread_id="t")

    history = driver.history(graph, thread_id="t")

    assert [snapshot.parent_config for snapshot in history] == [*[snapshot.config for snapshot in history[1:]], None]


def test_the_numbering_goes_on_over_invokes(driver, saver):
    graph = chain(saver, "a", "b", "c")
    driver.invoke(graph, {}, thread_id="t")
    driver.invoke(graph, {}, thread_id="t")

    assert steps(driver.history(graph, thread_id="t"))[:5] == [("loop", 8), ("loop", 7), ("loop", 6), ("loop", 5), ("input", 4)]


def test_a_pause_makes_no_checkpoint_of_its_own(driver, saver):
    builder = StateGraph(State).add_node("ask", lambda state: {"log": [interrupt("?")]}).add_edge(START, "ask")
    graph = builder.compile(saver)
    driver.invoke(graph, {}, thread_id="t")
    paused = steps(driver.history(graph, thread_id="t"))
    driver.invoke(graph, None, thread_id="t")
    asked_again = steps(driver.history(graph, thread_id="t"))
    driver.invoke(graph, Command(resume="yes"), thread_id="t")

    assert paused == asked_again == [("loop", 0), ("input", -1)]
    assert steps(driver.history(graph, thread_id="t")) == [("loop", 1), ("loop", 0), ("input", -1)]


def test_an_older_checkpoint_shows_all_nodes_that_ran_next_however_they_finished(driver, saver):
    builder = StateGraph(State).add_node("ask", lambda state: {"log": [interrupt("?")]}).add_node("sib", lambda state: {"log": ["sib"]})
    graph = builder.add_edge(START, "ask").add_edge(START, "sib").compile(saver)
    driver.invoke(graph, {}, thread_id="t")
    driver.invoke(graph, Command(resume="yes"), thread_id="t")

    assert [snapshot.next for snapshot in driver.history(graph, thread_id="t")] == [(), ("ask", "sib"), ("__start__",)]


def test_the_history_of_one_thread_has_nothing_of_another(driver, saver):
    graph = chain(saver, "a")
    driver.invoke(graph, {"log": ["one"]}, thread_id="one")
    driver.invoke(graph, {"log": ["two"]}, thread_id="two")

    assert [snapshot.values.get("log") for snapshot in driver.history(graph, thread_id="one")] == [["one", "a"], ["one"], []]


@pytest.mark.parametrize("limit", [1, 2, 5, 6])
def test_limit_leaves_the_newest(driver, saver, limit):
    graph = chain(saver, "a", "b", "c")
    driver.invoke(graph, {}, thread_id="t")

    assert driver.history(graph, thread_id="t", limit=limit) == driver.history(graph, thread_id="t")[:limit]


def test_before_leaves_what_is_older(driver, saver):
    graph = chain(saver, "a", "b", "c")
    driver.invoke(graph, {}, thread_id="t")
    history = driver.history(graph, thread_id="t")

    assert driver.history(graph, thread_id="t", before=history[1].config) == history[2:]
    assert driver.history(graph, thread_id="t", before=history[1].config, limit=1) == history[2:3]
    assert driver.history(graph, thread_id="t", before=history[-1].config) == []


def test_filter_compares_source_and_step(driver, saver):
    graph = chain(saver, "a", "b")
    driver.invoke(graph, {}, thread_id="t")
    driver.invoke(graph, {}, thread_id="t")

    assert steps(driver.history(graph, thread_id="t", filter={"source": "input"})) == [("input", 3), ("input", -1)]
    assert steps(driver.history(graph, thread_id="t", filter={"source": "loop", "step": 1})) == [("loop", 1)]
    assert driver.history(graph, thread_id="t", filter={"source": "input", "step": 1}) == []


def test_filter_compares_the_users_own_metadata(driver, saver):
    graph = chain(saver, "a")
    driver.invoke(graph, {}, at("t", team="blue", round=1))
    driver.invoke(graph, {}, at("t", team="red", round=2))
    driver.invoke(graph, {}, at("t", team="blue", round=3))

    assert steps(driver.history(graph, thread_id="t", filter={"team": "red"})) == [("loop", 4), ("loop", 3), ("input", 2)]
    assert steps(driver.history(graph, thread_id="t", filter={"team": "blue", "source": "input"})) == [("input", 5), ("input", -1)]
    assert steps(driver.history(graph, thread_id="t", filter={"team": "blue"}, limit=1)) == [("loop", 7)]
    assert driver.history(graph, thread_id="t", filter={"colour": "blue"}) == []


def test_filter_limit_and_before_work_together_on_a_long_history(driver, saver):
    graph = chain(saver, "a")
    for number in range(40):
        driver.invoke(graph, {"log": [str(number)]}, at("t", even=number % 2 == 0))
    inputs = [snapshot for snapshot in driver.history(graph, thread_id="t") if snapshot.metadata["source"] == "input"]
    wanted = [snapshot for snapshot in inputs if snapshot.metadata["even"]]

    found = driver.history(graph, thread_id="t", filter={"source": "input", "even": True}, before=wanted[3].config, limit=10)

    assert found == wanted[4:14]


@pytest.mark.parametrize("limit", [0, -1, "3", 1.5, True])
def test_a_limit_that_is_no_positive_integer_is_refused(driver, saver, limit):
    graph = chain(saver, "a")
    driver.invoke(graph, {}, thread_id="t")

    with pytest.raises(InvalidConfigError, match="limit"):
        driver.history(graph, thread_id="t", limit=limit)


def test_before_has_to_name_a_checkpoint(driver, saver):
    graph = chain(saver, "a")
    driver.invoke(graph, {}, thread_id="t")

    with pytest.raises(CheckpointNotFoundError):
        driver.history(graph, thread_id="t", before={"configurable": {"thread_id": "t", "checkpoint_id": "yesterday"}})


def test_an_unknown_thread_is_an_error_with_and_without_filters(driver, saver):
    graph = chain(saver, "a")

    with pytest.raises(ThreadNotFoundError, match="nobody"):
        driver.history(graph, thread_id="nobody")


def test_a_run_id_in_the_metadata_does_not_swallow_a_second_input(driver, saver):
    graph = chain(saver, "a")
    driver.invoke(graph, {"log": ["1"]}, at("t", run_id="same"))

    assert driver.invoke(graph, {"log": ["2"]}, at("t", run_id="same")) == {"log": ["1", "a", "2", "a"]}


def test_the_history_is_the_same_for_another_saver_on_the_same_file(driver, tmp_path):
    path = tmp_path / "threads.db"
    with SqliteSaver(path) as saver:
        graph = chain(saver, "a", "b")
        driver.invoke(graph, {"log": ["i"]}, at("t", team="blue"))
        driver.update_state(graph, {"configurable": {"thread_id": "t"}}, {"log": ["edit"]})
        written = driver.history(graph, thread_id="t")

    with SqliteSaver(path) as saver:
        assert driver.history(chain(saver, "a", "b"), thread_id="t") == written


def test_durability_exit_leaves_only_the_end(driver, saver):
    graph = chain(saver, "a", "b", "c")
    driver.invoke(graph, {"log": ["i"]}, thread_id="t", durability="exit")

    history = driver.history(graph, thread_id="t")

    assert steps(history) == [("loop", 3)]
    assert history[0].values == {"log": ["i", "a", "b", "c"]}
    assert history[0].parent_config is None


def test_edits_replays_and_new_turns_tell_their_source(driver, saver):
    graph = chain(saver, "a", "b")
    driver.invoke(graph, {}, thread_id="t")
    after_a = driver.history(graph, thread_id="t")[1]
    driver.update_state(graph, {"configurable": {"thread_id": "t"}}, {"log": ["edit"]}, as_node="b")
    driver.invoke(graph, None, after_a.config)

    assert steps(driver.history(graph, thread_id="t"))[:3] == [("loop", 3), ("fork", 2), ("update", 3)]
