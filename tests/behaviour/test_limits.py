"""Limits of a run: supersteps, counted exactly, and tasks at the same time."""

from __future__ import annotations

import asyncio
import operator
import threading
from dataclasses import dataclass, field
from typing import Annotated, TypedDict

import pytest
from pydantic import BaseModel

from graphkit import END, START, Command, IsLastStep, RemainingSteps, Send, StateGraph, interrupt
from graphkit.errors import GraphRecursionError, InvalidUpdateError, RunError

PATIENCE = 20


class State(TypedDict):
    log: Annotated[list[str], operator.add]


class Watching(TypedDict):
    log: Annotated[list[object], operator.add]
    left: RemainingSteps
    last: IsLastStep


@dataclass
class WatchingRecord:
    left: RemainingSteps
    last: IsLastStep
    log: Annotated[list[object], operator.add] = field(default_factory=list)


class WatchingModel(BaseModel):
    log: Annotated[list[object], operator.add] = []
    left: RemainingSteps
    last: IsLastStep


def loop(checkpointer=None):
    """Return a graph whose only node runs for ever."""
    builder = StateGraph(State).add_node("a", lambda state: Command(update={"log": ["a"]}, goto="a")).add_edge(START, "a")
    return builder.compile(checkpointer)


def chain(length, checkpointer=None, **options):
    builder = StateGraph(State).add_sequence([(f"n{n}", lambda state, n=n: {"log": [str(n)]}) for n in range(length)])
    return builder.add_edge(START, "n0").compile(checkpointer, **options)


@pytest.mark.parametrize("length", [1, 3])
def test_a_graph_of_n_supersteps_runs_with_a_limit_of_n_and_not_with_less(driver, length):
    assert len(driver.invoke(chain(length), {}, recursion_limit=length)["log"]) == length
    if length > 1:
        with pytest.raises(GraphRecursionError):
            driver.invoke(chain(length), {}, recursion_limit=length - 1)


def test_a_limit_of_n_runs_n_supersteps_and_saves_them(driver, saver):
    graph = loop(saver)

    with pytest.raises(GraphRecursionError, match=r"Recursion limit of 3 reached"):
        driver.invoke(graph, {}, thread_id="t", recursion_limit=3)

    state = driver.get_state(graph, thread_id="t")
    assert (state.values, state.next) == ({"log": ["a", "a", "a"]}, ("a",))


def test_the_limit_is_the_same_when_a_run_goes_on(driver, saver):
    graph = loop(saver)
    with pytest.raises(GraphRecursionError):
        driver.invoke(graph, {}, thread_id="t", recursion_limit=3)

    with pytest.raises(GraphRecursionError):
        driver.invoke(graph, None, thread_id="t", recursion_limit=2)

    assert len(driver.get_state(graph, thread_id="t").values["log"]) == 5


@pytest.mark.parametrize("limit", [1, 2])
def test_the_limit_is_the_same_after_an_answer(driver, saver, limit):
    builder = StateGraph(State).add_node("ask", lambda state: {"log": [interrupt("?")]}).add_node("b", lambda state: {"log": ["b"]})
    graph = builder.add_edge(START, "ask").add_edge("ask", "b").add_edge("b", END).compile(saver)
    driver.invoke(graph, {}, thread_id="t", recursion_limit=1)

    if limit == 2:
        assert driver.invoke(graph, Command(resume="yes"), thread_id="t", recursion_limit=2) == {"log": ["yes", "b"]}
    else:
        with pytest.raises(GraphRecursionError):
            driver.invoke(graph, Command(resume="yes"), thread_id="t", recursion_limit=1)
        assert driver.get_state(graph, thread_id="t").next == ("b",)


def test_the_limit_is_the_same_after_a_breakpoint(driver, saver):
    graph = chain(4, saver, interrupt_before=["n2"])
    driver.invoke(graph, {}, thread_id="t", recursion_limit=3)

    assert len(driver.invoke(graph, None, thread_id="t", recursion_limit=2)["log"]) == 4


def test_the_limit_is_the_same_after_a_failure(driver, saver):
    ran: list[str] = []

    def fails_once(state):
        ran.append("x")
        if len(ran) == 1:
            raise KeyError("boom")

    builder = StateGraph(State).add_sequence([("a", fails_once), ("b", lambda state: {"log": ["b"]})]).add_edge(START, "a")
    graph = builder.compile(saver)
    with pytest.raises(KeyError):
        driver.invoke(graph, {}, thread_id="t", recursion_limit=2)

    assert driver.invoke(graph, None, thread_id="t", recursion_limit=2)["log"] == ["b"]


def test_a_router_at_the_start_costs_no_superstep(driver):
    builder = StateGraph(State).add_node("a", lambda state: {"log": ["a"]}).add_conditional_edges(START, lambda state: "a")

    assert driver.invoke(builder.compile(), {}, recursion_limit=1) == {"log": ["a"]}


def test_parallel_tasks_count_as_one_superstep(driver):
    builder = StateGraph(State).add_node("w", lambda state: {"log": ["w"]})
    builder.add_conditional_edges(START, lambda state: [Send("w", {}) for _ in range(5)])

    assert len(driver.invoke(builder.compile(), {}, recursion_limit=1)["log"]) == 5


def test_a_deferred_node_counts_as_a_superstep(driver):
    builder = StateGraph(State).add_node("a", lambda state: {"log": ["a"]}).add_node("z", lambda state: {"log": ["z"]}, defer=True)
    graph = builder.add_edge(START, "a").add_edge("a", "z").compile()

    assert driver.invoke(graph, {}, recursion_limit=2) == {"log": ["a", "z"]}
    with pytest.raises(GraphRecursionError):
        driver.invoke(graph, {}, recursion_limit=1)


def test_the_error_shows_the_last_nodes_and_the_limit(driver):
    builder = StateGraph(State).add_node("ping", lambda state: None).add_node("pong", lambda state: None)
    builder.add_edge(START, "ping").add_edge("ping", "pong").add_conditional_edges("pong", lambda state: "ping")

    with pytest.raises(GraphRecursionError, match=r"limit of 5.*ping -> pong -> ping -> pong -> ping.*recursion_limit") as caught:
        driver.invoke(builder.compile(), {}, {"recursion_limit": 5})

    assert isinstance(caught.value, RecursionError)
    assert isinstance(caught.value, RunError)
    assert caught.value.facts["limit"] == 5
    assert caught.value.code == "recursion-limit"


def test_the_keyword_wins_over_config(driver):
    with pytest.raises(GraphRecursionError, match="limit of 2"):
        driver.invoke(loop(), {}, {"recursion_limit": 9}, recursion_limit=2)


def test_a_subgraph_inherits_the_limit_and_counts_its_own_supersteps(driver):
    builder = StateGraph(State).add_node("sub", chain(3)).add_edge(START, "sub")

    assert driver.invoke(builder.compile(), {}, recursion_limit=3)["log"] == ["0", "1", "2"]
    with pytest.raises(GraphRecursionError):
        driver.invoke(builder.compile(), {}, recursion_limit=2)


def test_chunks_before_the_limit_are_streamed(driver):
    graph = loop()
    chunks: list[object] = []

    async def read():
        async for chunk in graph.astream({}, recursion_limit=2):
            chunks.append(chunk)  # noqa: PERF401 - the chunks before the error count

    with pytest.raises(GraphRecursionError):
        asyncio.run(read()) if driver.is_async else chunks.extend(graph.stream({}, recursion_limit=2))

    assert chunks == [{"a": {"log": ["a"]}}] * 2


def watch(state):
    get = state.get if isinstance(state, dict) else lambda key: getattr(state, key)
    return {"log": [(get("left"), get("last"))]}


@pytest.mark.parametrize("schema", [Watching, WatchingRecord, WatchingModel])
def test_remaining_steps_count_down_to_zero_in_the_last_step(driver, schema):
    builder = StateGraph(schema).add_sequence([(f"n{n}", watch) for n in range(4)]).add_edge(START, "n0")

    result = driver.invoke(builder.compile(), {}, recursion_limit=4)

    assert result == {"log": [(3, False), (2, False), (1, False), (0, True)]}


def test_a_node_can_end_in_time(driver):
    def node(state: Watching):
        return Command(update={"log": ["x"]}, goto=END if state["last"] else "node")

    graph = StateGraph(Watching).add_node(node).add_edge(START, "node").compile()

    assert len(driver.invoke(graph, {}, recursion_limit=7)["log"]) == 7


def test_remaining_steps_begin_anew_when_a_run_goes_on(driver, saver):
    builder = StateGraph(Watching).add_sequence([(f"n{n}", watch) for n in range(3)]).add_edge(START, "n0")
    graph = builder.compile(saver, interrupt_before=["n1"])
    driver.invoke(graph, {}, thread_id="t", recursion_limit=4)

    assert driver.invoke(graph, None, thread_id="t", recursion_limit=2)["log"] == [(3, False), (1, False), (0, True)]


def test_routers_see_remaining_steps(driver):
    builder = StateGraph(Watching).add_node("a", watch).add_edge(START, "a")
    builder.add_conditional_edges("a", lambda state: END if state["last"] else "a")

    assert len(driver.invoke(builder.compile(), {}, recursion_limit=5)["log"]) == 5


@pytest.mark.parametrize("update", [{"left": 5}, {"last": True}])
def test_computed_keys_cannot_be_written(driver, update):
    with pytest.raises(InvalidUpdateError, match="computed"):
        driver.invoke(StateGraph(Watching).add_node("a", lambda state: update).add_edge(START, "a").compile(), {})
    with pytest.raises(InvalidUpdateError, match="computed"):
        driver.invoke(StateGraph(Watching).add_node("a", watch).add_edge(START, "a").compile(), update)


class Gauge:
    """Counts how many tasks are inside at the same time; lets them go in groups."""

    def __init__(self, group: int) -> None:
        self.most = 0
        self._inside = 0
        self._lock = threading.Lock()
        self._group = threading.Barrier(group)

    def visit(self) -> None:
        self.enter()
        self._group.wait(PATIENCE)
        self.leave()

    def enter(self) -> None:
        with self._lock:
            self._inside += 1
            self.most = max(self.most, self._inside)

    def leave(self) -> None:
        with self._lock:
            self._inside -= 1


def sends(node, count):
    builder = StateGraph(State).add_node("w", node)
    return builder.add_conditional_edges(START, lambda state: [Send("w", n) for n in range(count)]).compile()


@pytest.mark.parametrize("limit", [1, 3])
@pytest.mark.parametrize("where", ["config", "keyword"])
def test_max_concurrency_limits_tasks_at_the_same_time_and_uses_all_it_may(driver, limit, where):
    gauge = Gauge(limit)

    def node(state):
        gauge.visit()
        return {"log": [str(state)]}

    options = {"config": {"max_concurrency": limit}} if where == "config" else {"max_concurrency": limit}
    result = driver.invoke(sends(node, 9), {}, **options)

    assert gauge.most == limit
    assert result["log"] == [str(n) for n in range(9)]


def test_max_concurrency_counts_async_tasks(driver):
    gauge = Gauge(1)

    async def node(state):
        gauge.enter()
        for _ in range(5):
            await asyncio.sleep(0)
        gauge.leave()

    driver.invoke(sends(node, 9), {}, max_concurrency=2)

    assert gauge.most == 2


def test_tasks_that_waited_for_their_turn_when_another_failed_run_later_and_none_runs_twice(driver, saver):
    ran: list[int] = []

    def node(state):
        ran.append(state)
        if state == 1 and ran.count(1) == 1:
            raise KeyError("boom")
        return {"log": [str(state)]}

    builder = StateGraph(State).add_node("w", node).add_conditional_edges(START, lambda state: [Send("w", n) for n in range(4)])
    graph = builder.compile(saver)
    with pytest.raises(KeyError):
        driver.invoke(graph, {}, thread_id="t", max_concurrency=1)

    assert driver.invoke(graph, None, thread_id="t", max_concurrency=1)["log"] == ["0", "1", "2", "3"]
    assert sorted(ran) == [0, 1, 1, 2, 3]
