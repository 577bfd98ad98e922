"""Reading a thread: every field of StateSnapshot and PregelTask, at the newest checkpoint and at older ones."""

from __future__ import annotations

import operator
import threading
from datetime import UTC, datetime
from typing import Annotated, Any, TypedDict

import pytest

from graphkit import START, Command, PregelTask, Send, StateGraph, StateSnapshot, interrupt
from graphkit.errors import CheckpointNotFoundError, ThreadNotFoundError


class State(TypedDict, total=False):
    log: Annotated[list[str], operator.add]
    word: str


def logs(word):
    return lambda state: {"log": [word]}


def meeting(*nodes):
    """Return the nodes so that none of them ends before all have begun."""
    barrier = threading.Barrier(len(nodes))

    def met(node):
        def run(state):
            barrier.wait(10)
            return node(state)

        return run

    return [met(node) for node in nodes]


def boom(state):
    raise KeyError("boom")


def ask(state):
    return {"log": [interrupt({"q": 1})]}


def chain(saver, *names, **options):
    builder = StateGraph(State).add_sequence([(name, logs(name)) for name in names]).add_edge(START, names[0])
    return builder.compile(saver, **options)


def side_by_side(saver, **nodes):
    builder = StateGraph(State)
    for name, node in nodes.items():
        builder.add_node(name, node).add_edge(START, name).add_edge(name, "last")
    return builder.add_node("last", logs("last")).compile(saver)


def named(snapshot):
    return {task.name: task for task in snapshot.tasks}


def test_the_fields_are_those_of_langgraph_in_their_order():
    assert StateSnapshot._fields == ("values", "next", "config", "metadata", "created_at", "parent_config", "tasks", "interrupts")
    assert PregelTask._fields == ("id", "name", "path", "error", "interrupts", "state", "result")


def test_a_finished_thread_shows_its_state_and_nothing_to_do(driver, saver):
    graph = chain(saver, "a", "b")
    driver.invoke(graph, {"log": ["i"]}, thread_id="t")

    snapshot = driver.get_state(graph, thread_id="t")

    assert snapshot.values == {"log": ["i", "a", "b"]}
    assert (snapshot.next, snapshot.tasks, snapshot.interrupts) == ((), (), ())
    assert snapshot.metadata == {"source": "loop", "step": 2, "parents": {}}


def test_a_snapshot_names_its_checkpoint_and_the_one_before(driver, saver):
    graph = chain(saver, "a", "b")
    driver.invoke(graph, {}, thread_id="t")

    newest, before, *_ = driver.history(graph, thread_id="t")

    assert newest.config["configurable"].keys() == {"thread_id", "checkpoint_ns", "checkpoint_id"}
    assert newest.config["configurable"]["thread_id"] == "t"
    assert newest.config["configurable"]["checkpoint_ns"] == ""
    assert newest.parent_config == before.config
    assert driver.get_state(graph, newest.config) == newest
    assert driver.get_state(graph, before.config) == before


def test_created_at_is_an_iso_time_with_a_zone(driver, saver):
    graph = chain(saver, "a")
    before = datetime.now(UTC).timestamp()
    driver.invoke(graph, {}, thread_id="t")

    created = datetime.fromisoformat(driver.get_state(graph, thread_id="t").created_at)

    assert created.utcoffset() is not None
    assert before - 1 <= created.timestamp() <= datetime.now(UTC).timestamp() + 1


def test_a_thread_is_named_by_config_or_by_the_short_form(driver, saver):
    graph = chain(saver, "a")
    driver.invoke(graph, {}, thread_id="t")

    assert driver.get_state(graph, {"configurable": {"thread_id": "t"}}) == driver.get_state(graph, thread_id="t")


def test_an_interrupted_step_shows_what_its_finished_tasks_wrote(driver, saver):
    graph = side_by_side(saver, ask=ask, ask2=ask, sib=logs("sib"))
    driver.invoke(graph, {"log": ["i"]}, thread_id="t")

    snapshot = driver.get_state(graph, thread_id="t")

    assert snapshot.values == {"log": ["i", "sib"]}
    assert snapshot.next == ("ask", "ask2")
    tasks = named(snapshot)
    assert tasks["sib"].result == {"log": ["sib"]}
    assert tasks["sib"].interrupts == ()
    assert [found.value for found in tasks["ask"].interrupts] == [{"q": 1}]
    assert tasks["ask"].result is None
    assert snapshot.interrupts == tasks["ask"].interrupts + tasks["ask2"].interrupts


def test_the_history_shows_an_interrupted_step_as_it_began(driver, saver):
    graph = side_by_side(saver, ask=ask, sib=logs("sib"))
    driver.invoke(graph, {"log": ["i"]}, thread_id="t")

    assert driver.history(graph, thread_id="t")[0].values == {"log": ["i"]}


def test_a_failed_step_shows_the_error_as_text_and_keeps_the_work_of_its_siblings(driver, saver):
    bad, sib = meeting(boom, logs("sib"))
    graph = side_by_side(saver, bad=bad, sib=sib)
    with pytest.raises(KeyError):
        driver.invoke(graph, {"log": ["i"]}, thread_id="t")

    snapshot = driver.get_state(graph, thread_id="t")

    assert snapshot.next == ("bad",)
    assert named(snapshot)["bad"].error == "KeyError('boom')"
    assert named(snapshot)["sib"].error is None
    assert snapshot.values == {"log": ["i", "sib"]}
    assert snapshot.interrupts == ()


def test_every_failure_of_a_step_is_shown(driver, saver):
    def other(state):
        raise ValueError("other")

    bad, worse = meeting(boom, other)
    graph = side_by_side(saver, bad=bad, worse=worse)
    with pytest.raises(KeyError):
        driver.invoke(graph, {}, thread_id="t")

    tasks = named(driver.get_state(graph, thread_id="t"))

    assert tasks["worse"].error == "ValueError('other')"
    assert "boom" in tasks["bad"].error


def test_the_answered_question_of_a_finished_task_is_not_shown_any_more(driver, saver):
    graph = side_by_side(saver, ask=ask, ask2=ask)
    first = driver.invoke(graph, {"log": []}, thread_id="t")["__interrupt__"][0]
    driver.invoke(graph, Command(resume={first.id: "yes"}), thread_id="t")

    snapshot = driver.get_state(graph, thread_id="t")

    assert snapshot.next == ("ask2",)
    assert len(snapshot.interrupts) == 1
    assert snapshot.interrupts[0].id != first.id
    assert named(snapshot)["ask"].result == {"log": ["yes"]}


def test_an_older_checkpoint_is_shown_as_its_step_began(driver, saver):
    graph = chain(saver, "a", "b", "c")
    driver.invoke(graph, {"log": ["i"]}, thread_id="t")
    after_a = next(snapshot for snapshot in driver.history(graph, thread_id="t") if snapshot.next == ("b",))

    snapshot = driver.get_state(graph, after_a.config)

    assert snapshot.values == {"log": ["i", "a"]}
    assert [task.name for task in snapshot.tasks] == ["b"]


def test_an_older_checkpoint_shows_what_its_task_asked_but_not_as_pending(driver, saver):
    graph = side_by_side(saver, ask=ask)
    question = driver.invoke(graph, {"log": []}, thread_id="t")["__interrupt__"][0]
    asking = driver.get_state(graph, thread_id="t").config
    driver.invoke(graph, Command(resume="yes"), thread_id="t")

    then = driver.get_state(graph, asking)

    assert then.interrupts == ()
    assert [task.interrupts for task in then.tasks] == [(question,)]


def test_task_ids_stay_the_same_from_read_to_read(driver, saver):
    graph = side_by_side(saver, a=ask, b=ask)
    driver.invoke(graph, {"log": []}, thread_id="t")

    first, second = driver.get_state(graph, thread_id="t"), driver.get_state(graph, thread_id="t")
    driver.invoke(graph, None, thread_id="t")
    third = driver.get_state(graph, thread_id="t")

    ids = [task.id for task in first.tasks]
    assert len(set(ids)) == 2
    assert [task.id for task in second.tasks] == [task.id for task in third.tasks] == ids


def test_the_path_of_a_task_tells_edges_from_sends(driver, saver):
    def fan(state):
        return Command(goto=[Send("work", {"log": []}), Send("work", {"log": []}), "plain"])

    builder = StateGraph(State).add_node("fan", fan).add_node("work", logs("w")).add_node("plain", logs("p"))
    graph = builder.add_edge(START, "fan").compile(saver, interrupt_after=["fan"])
    driver.invoke(graph, {}, thread_id="t")

    tasks = driver.get_state(graph, thread_id="t").tasks

    assert [(task.name, task.path[0], task.path[-1]) for task in tasks] == [
        ("plain", "edge", "plain"),
        ("work", "send", "work"),
        ("work", "send", "work"),
    ]
    assert len({task.path for task in tasks}) == len({task.id for task in tasks}) == 3


def test_metadata_has_the_users_own_and_what_is_primitive_in_configurable(driver, saver):
    graph = chain(saver, "a")
    config = {
        "configurable": {"thread_id": "t", "user_id": "u1", "plan": 3, "nested": {"no": 1}, "__private": "no"},
        "metadata": {"team": "blue", "tags": ["x", "y"]},
    }
    driver.invoke(graph, {}, config)

    metadata = driver.get_state(graph, thread_id="t").metadata

    assert metadata == {"source": "loop", "step": 1, "parents": {}, "user_id": "u1", "plan": 3, "team": "blue", "tags": ["x", "y"]}


def test_metadata_of_the_user_cannot_pose_as_source_or_step(driver, saver):
    graph = chain(saver, "a")
    driver.invoke(graph, {}, {"configurable": {"thread_id": "t"}, "metadata": {"source": "mine", "step": 99, "parents": "none"}})

    steps = [(snapshot.metadata["source"], snapshot.metadata["step"]) for snapshot in driver.history(graph, thread_id="t")]

    assert steps == [("loop", 1), ("loop", 0), ("input", -1)]


def test_an_unknown_thread_is_an_error(driver, saver):
    graph = chain(saver, "a")

    with pytest.raises(ThreadNotFoundError, match="nobody"):
        driver.get_state(graph, thread_id="nobody")


def test_an_unknown_checkpoint_is_an_error(driver, saver):
    graph = chain(saver, "a")
    driver.invoke(graph, {}, thread_id="t")

    with pytest.raises(CheckpointNotFoundError):
        driver.get_state(graph, {"configurable": {"thread_id": "t", "checkpoint_id": "00000001-0123456789abcdef"}})


def test_a_checkpoint_of_another_thread_is_unknown(driver, saver):
    graph = chain(saver, "a")
    driver.invoke(graph, {}, thread_id="t")
    driver.invoke(graph, {}, thread_id="u")
    foreign = driver.get_state(graph, thread_id="u").config["configurable"]["checkpoint_id"]

    with pytest.raises(CheckpointNotFoundError):
        driver.get_state(graph, {"configurable": {"thread_id": "t", "checkpoint_id": foreign}})


def test_reading_changes_nothing(driver, saver):
    graph = side_by_side(saver, ask=ask, sib=logs("sib"))
    driver.invoke(graph, {"log": ["i"]}, thread_id="t")
    first = driver.history(graph, thread_id="t")

    driver.get_state(graph, thread_id="t").values["log"].append("mine")
    driver.get_state(graph, first[-1].config)

    assert driver.history(graph, thread_id="t") == first


def test_a_thread_can_be_read_while_it_runs(driver, saver):
    seen = []

    def node(state):
        seen.append(graph.get_state(thread_id="t"))
        return {"log": ["a"]}

    graph = StateGraph(State).add_node("a", node).add_edge(START, "a").compile(saver)
    driver.invoke(graph, {"log": ["i"]}, thread_id="t")

    [during] = seen
    assert (during.values, during.next) == ({"log": ["i"]}, ("a",))


def test_a_state_of_a_bare_type_is_shown_bare(driver, saver):
    schema: Any = Annotated[list, operator.add]
    graph = StateGraph(schema).add_node("a", lambda state: ["a"]).add_edge(START, "a").compile(saver)
    driver.invoke(graph, ["i"], thread_id="t")

    assert driver.get_state(graph, thread_id="t").values == ["i", "a"]


def test_values_have_all_keys_of_the_state_not_only_the_output(driver, saver):
    class Out(TypedDict):
        word: str

    builder = StateGraph(State, output_schema=Out).add_node("a", lambda state: {"word": "w", "log": ["a"]}).add_edge(START, "a")
    graph = builder.compile(saver)

    assert driver.invoke(graph, {}, thread_id="t") == {"word": "w"}
    assert driver.get_state(graph, thread_id="t").values == {"word": "w", "log": ["a"]}
