# mypy: disable-error-code="arg-type, attr-defined, call-overload, comparison-overlap, has-type, index"
# mypy: disable-error-code="list-item, misc, typeddict-item, typeddict-unknown-key, operator"
# Values of the wrong type, and values of any type that come back, are what these tests are about.
from __future__ import annotations

import asyncio
from dataclasses import dataclass
from operator import add
from typing import Annotated, TypedDict

import pytest

from checkpointers.sqlite.cache import SqliteCache
from graphkit import END, START, Command, RetryPolicy, Send, StateGraph, interrupt
from graphkit.core.policy import CachePolicy
from graphkit.errors import InvalidConfigError, InvalidGraphError, StorageUnavailableError, UnknownNodeError, UnserializableValueError
from graphkit.storage.cache import InMemoryCache
from graphkit.testing import Clock


class State(TypedDict):
    x: int
    log: Annotated[list[str], add]


class Asked(TypedDict):
    x: int


@dataclass
class AskedClass:
    x: int


@pytest.fixture
def clock():
    return Clock(100.0)


@pytest.fixture(params=["memory", "sqlite"])
def cache(request, tmp_path, clock):
    """Where results are kept."""
    if request.param == "memory":
        yield InMemoryCache(clock=clock)
        return
    with SqliteCache(tmp_path / "cache.db", clock=clock) as opened:
        yield opened


class Counting:
    """A node that counts its runs."""

    def __init__(self, result=None):
        self.runs = 0
        self.result = result

    def node(self, state: Asked):
        self.runs += 1
        return {"log": [f"{state['x']}"]} if self.result is None else self.result(state)

    async def coroutine(self, state: Asked):
        return self.node(state)


def graph_of(node, cache, saver=None, *, policy=None, **options):
    builder = StateGraph(State).add_node("a", node, cache_policy=policy or CachePolicy(), **options)
    builder.add_node("b", lambda state: {"log": ["b"]})
    return builder.add_edge(START, "a").compile(cache=cache, checkpointer=saver)


@pytest.mark.parametrize("kind", ["node", "coroutine"])
def test_what_came_of_an_input_is_used_again_for_the_same_input(driver, cache, kind):
    counting = Counting()
    graph = graph_of(getattr(counting, kind), cache)

    results = [driver.invoke(graph, {"x": x, "log": []}) for x in (1, 1, 2, 1)]

    assert [result["log"] for result in results] == [["1"], ["1"], ["2"], ["1"]]
    assert counting.runs == 2


def test_a_kept_result_is_an_update_like_any_other(driver, cache, saver):
    graph = graph_of(Counting().node, cache, saver)

    first = driver.stream(graph, {"x": 1, "log": []}, thread_id="1")
    second = driver.stream(graph, {"x": 1, "log": []}, thread_id="2")

    assert first == [{"a": {"log": ["1"]}}]
    assert second == [{"a": {"log": ["1"]}, "__metadata__": {"cached": True}}]
    assert driver.get_state(graph, {"configurable": {"thread_id": "2"}}).values["log"] == ["1"]


def test_routing_is_kept_with_the_update(driver, cache, saver):
    counting = Counting(lambda state: Command(update={"log": ["a"]}, goto=["b", Send("b", {"x": 1}, timeout=30)]))
    graph = graph_of(counting.node, cache, saver)

    results = [driver.invoke(graph, {"x": 1, "log": []}, thread_id=thread)["log"] for thread in "12"]

    assert results == [["a", "b", "b"]] * 2
    assert counting.runs == 1


def test_routers_of_a_kept_result_are_not_asked_again(driver, cache):
    asked, counting = [], Counting()

    def route(state):
        asked.append(1)
        return "b"

    builder = StateGraph(State).add_node("a", counting.node, cache_policy=CachePolicy()).add_node("b", lambda state: {"log": ["b"]})
    builder.add_edge(START, "a").add_conditional_edges("a", route, ["b", END])
    graph = builder.compile(cache=cache)

    results = [driver.invoke(graph, {"x": 1, "log": []})["log"] for _ in range(2)]

    assert results == [["1", "b"]] * 2
    assert asked == [1]


def test_without_a_cache_or_without_a_policy_nothing_is_kept(driver, cache):
    counting = Counting()
    without_cache = graph_of(counting.node, None)
    without_policy = StateGraph(State).add_node("a", counting.node).add_edge(START, "a").compile(cache=cache)

    for graph in (without_cache, without_cache, without_policy, without_policy):
        driver.invoke(graph, {"x": 1, "log": []})

    assert counting.runs == 4


def test_a_result_is_good_for_its_time(driver, cache, clock):
    counting = Counting()
    graph = graph_of(counting.node, cache, policy=CachePolicy(ttl=60))

    driver.invoke(graph, {"x": 1, "log": []})
    clock.advance(59)
    driver.invoke(graph, {"x": 1, "log": []})
    clock.advance(1)
    driver.invoke(graph, {"x": 1, "log": []})

    assert counting.runs == 2


def test_key_func_says_what_a_result_depends_on(driver, cache):
    counting = Counting()
    graph = graph_of(counting.node, cache, policy=CachePolicy(key_func=lambda state: str(state["x"] % 2)))

    for x in (1, 3, 2):
        driver.invoke(graph, {"x": x, "log": []})

    assert counting.runs == 2


def test_the_default_key_is_what_the_node_sees_with_its_types(driver, cache):
    counting = Counting()

    def node(state: AskedClass):
        return counting.node({"x": state.x})

    for graph in (graph_of(node, cache), graph_of(node, cache)):
        for x in (1, 1, True):
            driver.invoke(graph, {"x": x, "log": ["of no matter"]})

    assert counting.runs == 2


def test_another_version_node_or_function_has_results_of_its_own(driver, cache):
    counting, other = Counting(), Counting()
    graphs = [
        graph_of(counting.node, cache),
        graph_of(counting.node, cache, policy=CachePolicy(version="2")),
        graph_of(other.coroutine, cache),
        StateGraph(State).add_node("c", counting.node, cache_policy=CachePolicy()).add_edge(START, "c").compile(cache=cache),
    ]

    for graph in graphs:
        driver.invoke(graph, {"x": 1, "log": []})

    assert (counting.runs, other.runs) == (3, 1)


def test_failures_are_not_kept_and_attempts_are(driver, cache):
    failing = iter([True, True, False])

    def answer(state):
        if next(failing):
            raise ConnectionError
        return {"log": ["done"]}

    counting = Counting(answer)
    graph = graph_of(counting.node, cache)
    patient = graph_of(counting.node, cache, retry_policy=RetryPolicy(initial_interval=0, jitter=False))

    with pytest.raises(ConnectionError):
        driver.invoke(graph, {"x": 1, "log": []})
    results = [driver.invoke(patient, {"x": 1, "log": []})["log"] for _ in range(2)]

    assert results == [["done"]] * 2
    assert counting.runs == 3


def test_what_a_person_answered_is_not_kept(driver, cache, saver):
    counting = Counting(lambda state: {"log": [interrupt("which?")]})
    graph = graph_of(counting.node, cache, saver)

    answers = []
    for thread in "12":
        driver.invoke(graph, {"x": 1, "log": []}, thread_id=thread)
        answers.append(driver.invoke(graph, Command(resume=thread), thread_id=thread)["log"])

    assert answers == [["1"], ["2"]]


def test_an_error_handler_takes_over_as_without_a_cache(driver, cache):
    def fail(state):
        raise KeyError

    graph = graph_of(fail, cache, error_handler=lambda state, error: {"log": ["handled"]})

    assert [driver.invoke(graph, {"x": 1, "log": []})["log"] for _ in range(2)] == [["handled"]] * 2


def test_clearing_forgets_what_is_named(driver, cache):
    counting, other = Counting(), Counting()
    builder = StateGraph(State).set_node_defaults(cache_policy=CachePolicy())
    graph = builder.add_node("a", counting.node).add_node("b", other.node).add_edge(START, "a").add_edge("a", "b").compile(cache=cache)
    clear = (lambda nodes=None: asyncio.run(graph.aclear_cache(nodes))) if driver.is_async else graph.clear_cache

    driver.invoke(graph, {"x": 1, "log": []})
    clear(["a"])
    driver.invoke(graph, {"x": 1, "log": []})
    assert (counting.runs, other.runs) == (2, 1)
    clear()
    driver.invoke(graph, {"x": 1, "log": []})
    assert (counting.runs, other.runs) == (3, 2)
    with pytest.raises(UnknownNodeError, match="'c'"):
        clear(["c"])


def test_an_entry_that_does_not_fit_the_graph_counts_as_none(driver, cache):
    counting = Counting()
    graph = graph_of(counting.node, cache)
    kept = graph.parts.spec.nodes["a"].action.cached
    key = (kept.namespace, cache.codec.digest({"x": 1}))

    for odd in (3, [[["y", 1]], [], []], [[], ["gone"], []], [[], [], [["gone", 1]]], [[], []]):
        cache.set({key: (odd, None)})
        driver.invoke(graph, {"x": 1, "log": []})

    assert counting.runs == 5


def test_a_cache_that_fails_costs_a_run_and_no_more(driver, tmp_path):
    counting = Counting()
    cache = SqliteCache(tmp_path / "cache.db")
    cache.close()
    with pytest.raises(StorageUnavailableError):
        cache.get([])

    assert [driver.invoke(graph_of(counting.node, cache), {"x": 1, "log": []})["log"] for _ in range(2)] == [["1"]] * 2
    assert counting.runs == 2


def test_what_cannot_be_a_key_or_be_kept_names_the_node(driver, cache):
    bad_key = graph_of(Counting().node, cache, policy=CachePolicy(key_func=lambda state: object()))
    bad_result = graph_of(Counting(lambda state: {"log": [object()]}).node, cache)
    broken = graph_of(Counting().node, cache, policy=CachePolicy(key_func=lambda state: state["y"]))

    for graph in (bad_key, bad_result):
        with pytest.raises(UnserializableValueError, match="Node 'a'"):
            driver.invoke(graph, {"x": 1, "log": []})
    with pytest.raises(KeyError):
        driver.invoke(broken, {"x": 1, "log": []})


def test_another_process_uses_what_was_kept(driver, tmp_path):
    first, second = Counting(), Counting()

    for counting in (first, second):
        with SqliteCache(tmp_path / "cache.db") as cache:
            assert driver.invoke(graph_of(counting.node, cache), {"x": 1, "log": []})["log"] == ["1"]

    assert (first.runs, second.runs) == (1, 0)


@pytest.mark.parametrize("wrong", [{"ttl": 0}, {"ttl": "1"}, {"key_func": "x"}, {"version": 2}], ids=repr)
def test_a_policy_that_makes_no_sense_is_refused(wrong):
    with pytest.raises(InvalidConfigError):
        CachePolicy(**wrong)


def test_what_is_no_policy_or_no_cache_is_refused():
    with pytest.raises(InvalidGraphError, match="no CachePolicy"):
        StateGraph(State).add_node("a", lambda state: None, cache_policy=60)
    with pytest.raises(InvalidGraphError, match="no cache"):
        graph_of(lambda state: None, {})
