"""Many runs of one graph in one call."""

from __future__ import annotations

import asyncio
import threading
from typing import TypedDict

import pytest

from graphkit import START, StateGraph
from graphkit.errors import InvalidConfigError, UnknownKeyError

PATIENCE = 20


class State(TypedDict):
    number: int


def doubling(checkpointer=None):
    return (
        StateGraph(State).add_node("double", lambda state: {"number": state["number"] * 2}).add_edge(START, "double").compile(checkpointer)
    )


def graph_of(node):
    return StateGraph(State).add_node("node", node).add_edge(START, "node").compile()


def only_even(state):
    if state["number"] % 2:
        raise ValueError(f"{state['number']} is odd")


def test_results_come_in_the_order_of_the_inputs(driver):
    assert driver.batch(doubling(), [{"number": n} for n in range(20)]) == [{"number": 2 * n} for n in range(20)]


def test_no_inputs_give_no_results(driver):
    assert driver.batch(doubling(), []) == []


def test_runs_of_a_batch_run_at_the_same_time(driver):
    barrier = threading.Barrier(10)

    def meets(state):
        barrier.wait(PATIENCE)

    assert len(driver.batch(graph_of(meets), [{"number": n} for n in range(10)])) == 10


def test_max_concurrency_limits_the_runs_at_the_same_time(driver):
    running, most, lock = [0], [0], threading.Lock()
    two_at_once = threading.Barrier(2)

    def node(state):
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        two_at_once.wait(PATIENCE)
        with lock:
            running[0] -= 1

    driver.batch(graph_of(node), [{"number": n} for n in range(8)], max_concurrency=2)

    assert most == [2]


def test_each_input_may_have_a_config_of_its_own(driver, saver):
    graph = doubling(saver)
    configs = [{"configurable": {"thread_id": f"t{n}"}} for n in range(3)]

    driver.batch(graph, [{"number": n} for n in range(3)], configs)

    assert [driver.get_state(graph, config).values["number"] for config in configs] == [0, 2, 4]


def test_one_config_counts_for_all_inputs(driver):
    seen: list[object] = []

    def node(state, config):
        seen.append(config["configurable"]["user"])

    driver.batch(graph_of(node), [{"number": 1}, {"number": 2}], {"configurable": {"user": "ann"}})

    assert seen == ["ann", "ann"]


def test_the_number_of_configs_must_fit(driver):
    with pytest.raises(InvalidConfigError, match="2 inputs, but 1 config"):
        driver.batch(doubling(), [{"number": 1}, {"number": 2}], [{}])


def test_context_reaches_every_run(driver):
    seen: list[object] = []

    def node(state, runtime):
        seen.append(runtime.context)

    driver.batch(graph_of(node), [{"number": 1}, {"number": 2}], context="mine")

    assert seen == ["mine", "mine"]


def test_the_first_failure_by_order_is_raised(driver):
    with pytest.raises(ValueError, match="1 is odd"):
        driver.batch(graph_of(only_even), [{"number": n} for n in (0, 1, 2, 3)])


def test_failures_can_be_returned_instead(driver):
    results = driver.batch(graph_of(only_even), [{"number": n} for n in (0, 1, 2)], return_exceptions=True)

    assert [type(result) for result in results] == [dict, ValueError, dict]


def test_a_wrong_input_fails_only_its_run(driver):
    results = driver.batch(doubling(), [{"number": 1}, {"nubmer": 1}], return_exceptions=True)

    assert results[0] == {"number": 2}
    assert isinstance(results[1], UnknownKeyError)


def test_a_wrong_option_is_refused_once(driver):
    with pytest.raises(InvalidConfigError, match="recursionlimit"):
        driver.batch(doubling(), [{"number": 1}], recursionlimit=3)


async def test_a_cancelled_batch_cancels_its_runs():
    begun, ended = asyncio.Event(), asyncio.Event()

    async def waits(state):
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    task = asyncio.create_task(graph_of(waits).abatch([{"number": 1}]))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert ended.is_set()
