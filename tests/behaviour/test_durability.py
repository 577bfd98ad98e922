"""Durability: when a superstep is written, what may run before that, and what a failed write stops."""

from __future__ import annotations

import asyncio
import operator
import threading
from typing import Annotated, TypedDict

import pytest

from graphkit import START, Command, InMemorySaver, Send, StateGraph, interrupt
from graphkit.errors import GraphRecursionError, InvalidConfigError, StorageUnavailableError
from tests.behaviour.recording import RecordingSaver

PATIENCE = 20
MODES = ("sync", "async", "exit")


class State(TypedDict):
    log: Annotated[list[str], operator.add]


def logs(word):
    return lambda state: {"log": [word]}


def chain(saver, *nodes):
    return StateGraph(State).add_sequence(list(nodes)).add_edge(START, nodes[0][0]).compile(saver)


def abc(saver):
    return chain(saver, *[(name, logs(name)) for name in "abc"])


def steps(driver, saver):
    """Return (step, source, log) of the checkpoints that another saver object finds, oldest first."""
    history = driver.history(abc(saver), thread_id="t")
    return [(snapshot.metadata["step"], snapshot.metadata["source"], snapshot.values["log"]) for snapshot in reversed(history)]


WHOLE = [(-1, "input", []), (0, "loop", []), (1, "loop", ["a"]), (2, "loop", ["a", "b"]), (3, "loop", ["a", "b", "c"])]


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_every_superstep_is_saved(driver, saver, mode):
    driver.invoke(abc(saver), {}, thread_id="t", durability=mode)

    assert steps(driver, saver) == WHOLE


def test_sync_is_the_default_and_costs_one_write_a_superstep(driver, saver):
    recording = RecordingSaver(saver)

    driver.invoke(abc(recording), {}, thread_id="t")

    assert recording.shape == [
        ("", 2, 0, True, None),
        ("", 1, 0, False, None),
        ("", 1, 0, False, None),
        ("", 1, 0, False, "idle"),
    ]


def test_with_exit_only_the_end_is_saved(driver, saver):
    recording = RecordingSaver(saver)

    driver.invoke(abc(recording), {}, thread_id="t", durability="exit")

    assert [checkpoints for _, checkpoints, *_ in recording.shape] == [0, 1]
    assert steps(driver, saver) == [WHOLE[-1]]


def test_with_exit_a_second_turn_follows_the_first(driver, saver):
    graph = abc(saver)
    driver.invoke(graph, {"log": ["1"]}, thread_id="t", durability="exit")

    result = driver.invoke(graph, {"log": ["2"]}, thread_id="t", durability="exit")
    history = driver.history(graph, thread_id="t")

    assert result["log"] == ["1", "a", "b", "c", "2", "a", "b", "c"]
    assert [snapshot.metadata["step"] for snapshot in history] == [8, 3]
    assert history[0].parent_config == history[1].config


def stored(saver):
    """Return the log that is stored now, None if there is no checkpoint."""
    found = saver.get_tuple({"configurable": {"thread_id": "t"}})
    return None if found is None else found.checkpoint.values["log"]


@pytest.mark.parametrize("mode, seen", [("sync", [[], ["a"], ["a", "b"]]), ("exit", [None, None, None])])
def test_what_a_node_finds_stored_when_it_begins(driver, saver, mode, seen):
    found: list[object] = []

    def node(name):
        def run(state):
            found.append(stored(saver))
            return {"log": [name]}

        return run

    driver.invoke(chain(saver, *[(name, node(name)) for name in "abc"]), {}, thread_id="t", durability=mode)

    assert found == seen


def test_async_lets_one_write_be_under_way_and_never_more(driver, saver):
    """Write 2 holds a's checkpoint: b may run meanwhile, c may not."""
    b_ran, ran, order = threading.Event(), [], []

    def before(number):
        order.append(f"write {number}")
        if number == 2:
            assert b_ran.wait(PATIENCE)
            order.append("write 2 goes on")

    def node(name):
        def run(state):
            ran.append(name)
            order.append(name)
            if name == "b":
                b_ran.set()
            return {"log": [name]}

        return run

    graph = chain(RecordingSaver(saver, before), *[(name, node(name)) for name in "abc"])
    driver.invoke(graph, {}, thread_id="t", durability="async")

    assert ran == ["a", "b", "c"]
    assert order.index("b") < order.index("write 2 goes on") < order.index("c")
    assert order.index("write 2 goes on") < order.index("write 3")
    assert steps(driver, saver) == WHOLE


def failing(saver, number):
    """Return a saver whose write ``number`` fails."""

    def before(count):
        if count == number:
            raise StorageUnavailableError("The disk is full.")

    return RecordingSaver(saver, before)


def noting(ran, name):
    def node(state):
        ran.append(name)
        return {"log": [name]}

    return name, node


@pytest.mark.parametrize(
    "mode, number, may_have_run",
    [
        ("sync", 1, [""]),
        ("sync", 2, ["a"]),
        ("sync", 3, ["ab"]),
        ("sync", 4, ["abc"]),
        ("async", 1, [""]),
        ("async", 2, ["a", "ab"]),
        ("async", 3, ["ab", "abc"]),
        ("async", 4, ["abc"]),
        ("exit", 1, [""]),
        ("exit", 2, ["abc"]),
    ],
)
def test_a_failed_write_is_raised_and_no_further_node_starts(driver, saver, mode, number, may_have_run):
    ran: list[str] = []
    graph = chain(failing(saver, number), *[noting(ran, name) for name in "abc"])

    with pytest.raises(StorageUnavailableError, match="disk is full"):
        driver.invoke(graph, {}, thread_id="t", durability=mode)

    assert "".join(ran) in may_have_run


@pytest.mark.parametrize("mode, number", [("sync", 1), ("sync", 2), ("sync", 3), ("async", 2), ("async", 3), ("exit", 2)])
def test_after_a_failed_write_the_thread_is_free_and_goes_on_from_what_was_saved(driver, saver, mode, number):
    with pytest.raises(StorageUnavailableError):
        driver.invoke(abc(failing(saver, number)), {}, thread_id="t", durability=mode)

    given: object = {} if stored(saver) is None else None

    assert driver.invoke(abc(saver), given, thread_id="t")["log"] == ["a", "b", "c"]


def test_an_update_is_not_streamed_when_its_write_fails(driver, saver):
    chunks: list[object] = []

    async def read():
        async for chunk in abc(failing(saver, 3)).astream({}, thread_id="t"):
            chunks.append(chunk)  # noqa: PERF401 - the chunks before the error count

    with pytest.raises(StorageUnavailableError):
        asyncio.run(read()) if driver.is_async else chunks.extend(abc(failing(saver, 3)).stream({}, thread_id="t"))

    assert chunks == [{"a": {"log": ["a"]}}]


def fan(saver, **nodes):
    builder = StateGraph(State)
    for name, node in nodes.items():
        builder.add_node(name, node).add_edge(START, name)
    return builder.compile(saver)


def fails(state):
    raise KeyError("boom")


@pytest.mark.parametrize("mode", MODES)
def test_a_failure_keeps_the_last_superstep_and_finished_siblings(driver, saver, mode):
    builder = StateGraph(State).add_node("first", logs("first")).add_node("bad", fails).add_node("good", logs("good"))
    graph = builder.add_edge(START, "first").add_edge("first", "bad").add_edge("first", "good").compile(saver)

    with pytest.raises(KeyError):
        driver.invoke(graph, {}, thread_id="t", durability=mode)

    state = driver.get_state(graph, thread_id="t")
    assert (state.values["log"], state.next) == (["first", "good"], ("bad",))
    assert [info.status for info in saver.threads().items] == ["error"]


@pytest.mark.parametrize("mode", MODES)
def test_a_question_is_saved_and_can_be_answered_by_another_saver_object(driver, saver, mode):
    def ask(state):
        return {"log": [interrupt("?")]}

    asking = fan(RecordingSaver(saver), ask=ask, sib=logs("sib"))
    driver.invoke(asking, {"log": ["i"]}, thread_id="t", durability=mode)

    result = driver.invoke(fan(saver, ask=ask, sib=fails), Command(resume="yes"), thread_id="t", durability=mode)

    assert result["log"] == ["i", "yes", "sib"]


@pytest.mark.parametrize("mode", MODES)
def test_the_recursion_limit_leaves_a_saved_state(driver, saver, mode):
    with pytest.raises(GraphRecursionError):
        driver.invoke(abc(saver), {}, thread_id="t", recursion_limit=2, durability=mode)

    assert stored(saver) == ["a", "b"]
    assert driver.invoke(abc(saver), None, thread_id="t")["log"] == ["a", "b", "c"]


@pytest.mark.parametrize("mode", MODES)
def test_a_subgraph_inherits_durability(driver, saver, mode):
    recording = RecordingSaver(saver)
    child = chain(None, ("x", logs("x")), ("y", logs("y")))
    graph = StateGraph(State).add_node("sub", child).add_node("z", logs("z")).add_edge(START, "sub").add_edge("sub", "z").compile(recording)

    result = driver.invoke(graph, {}, thread_id="t", durability=mode)

    inner = sum(checkpoints for level, checkpoints, *_ in recording.shape if level == "sub")
    outer = sum(checkpoints for level, checkpoints, *_ in recording.shape if level == "")
    assert result["log"] == ["x", "y", "z"]
    assert (outer, inner) == ((1, 1) if mode == "exit" else (4, 4))


def test_siblings_that_still_run_are_waited_for_with_the_outcome_saved(driver, saver):
    """A finished task is filed while its sibling still runs; the last one is saved with the superstep."""
    filed = threading.Event()

    def before(number):
        if number == 2:
            filed.set()

    def slow(state):
        return {"log": [str(filed.wait(PATIENCE))]}

    recording = RecordingSaver(saver, before)
    driver.invoke(fan(recording, a=logs("fast"), b=slow), {}, thread_id="t")

    assert stored(saver) == ["fast", "True"]
    assert [outcomes for _, _, outcomes, *_ in recording.shape] == [0, 1, 0]


def test_with_exit_finished_siblings_are_not_filed_one_by_one(driver, saver):
    recording = RecordingSaver(saver)
    builder = StateGraph(State).add_node("w", lambda state: {"log": [str(state)]})
    graph = builder.add_conditional_edges(START, lambda state: [Send("w", n) for n in range(5)]).compile(recording)

    driver.invoke(graph, {}, thread_id="t", durability="exit")

    assert len(recording.shape) == 2
    assert stored(saver) == ["0", "1", "2", "3", "4"]


def test_an_unknown_durability_is_refused(driver):
    with pytest.raises(InvalidConfigError, match=r"'always'.*sync, async, exit"):
        driver.invoke(abc(InMemorySaver()), {}, thread_id="t", durability="always")
