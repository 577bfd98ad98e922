# mypy: disable-error-code="arg-type, attr-defined, call-overload, comparison-overlap, has-type, index"
# mypy: disable-error-code="list-item, misc, typeddict-item, typeddict-unknown-key"
# Values of the wrong type, and values of any type that come back, are what these tests are about.
from __future__ import annotations

from operator import add
from typing import Annotated, TypedDict

import pytest

from graphkit import END, START, Command, RetryPolicy, StateGraph, get_runtime, interrupt, once
from graphkit.errors import InvalidGraphError
from graphkit.scope import branch, current, entered

AT_ONCE = RetryPolicy(initial_interval=0, jitter=False)


class State(TypedDict):
    log: Annotated[list[str], add]


class Flaky:
    """Fails a number of times, then returns an update."""

    def __init__(self, failures, error=ConnectionError):
        self.failures = failures
        self.error = error
        self.attempts = []

    def run(self):
        self.attempts.append(get_runtime().execution_info.node_attempt)
        if len(self.attempts) <= self.failures:
            raise self.error("not yet")
        return {"log": ["done"]}

    def node(self, driver):
        if not driver.is_async:
            return lambda state: self.run()

        async def node(state):
            return self.run()

        return node


def graph_of(node, saver=None, **options):
    return StateGraph(State).add_node("flaky", node, **options).add_edge(START, "flaky").compile(checkpointer=saver)


def test_a_node_that_fails_runs_again_in_the_same_superstep(driver, saver):
    flaky = Flaky(failures=2)
    graph = graph_of(flaky.node(driver), saver, retry_policy=AT_ONCE)

    result = driver.invoke(graph, {"log": ["in"]}, thread_id="1")

    assert result == {"log": ["in", "done"]}
    assert flaky.attempts == [1, 2, 3]
    assert [entry.metadata["step"] for entry in driver.history(graph, {"configurable": {"thread_id": "1"}})] == [1, 0, -1]


def test_the_last_failure_is_raised_when_the_attempts_are_used_up(driver):
    flaky = Flaky(failures=9)
    graph = graph_of(flaky.node(driver), retry_policy=AT_ONCE)

    with pytest.raises(ConnectionError, match="not yet"):
        driver.invoke(graph, {"log": []})

    assert flaky.attempts == [1, 2, 3]


def test_without_a_policy_nothing_is_tried_again(driver):
    flaky = Flaky(failures=1)

    with pytest.raises(ConnectionError):
        driver.invoke(graph_of(flaky.node(driver)), {"log": []})

    assert flaky.attempts == [1]


def test_of_several_policies_the_first_that_is_about_the_error_decides(driver):
    flaky = Flaky(failures=9, error=KeyError)
    policies = [RetryPolicy(retry_on=KeyError, max_attempts=2, initial_interval=0, jitter=False), AT_ONCE]

    with pytest.raises(KeyError):
        driver.invoke(graph_of(flaky.node(driver), retry_policy=policies), {"log": []})

    assert flaky.attempts == [1, 2]


def test_what_is_no_policy_is_refused_when_the_node_is_added():
    with pytest.raises(InvalidGraphError, match="no RetryPolicy"):
        StateGraph(State).add_node("flaky", lambda state: None, retry_policy=3)


def test_what_a_node_remembered_stays_remembered_over_attempts(driver, saver):
    sent = []
    failing = iter([True, False])

    def node(state):
        once("send", sent.append, "mail")
        if next(failing):
            raise ConnectionError
        return {"log": ["done"]}

    assert driver.invoke(graph_of(node, saver, retry_policy=AT_ONCE), {"log": []}, thread_id="1") == {"log": ["done"]}
    assert sent == ["mail"]


def test_a_question_is_no_failure_and_attempts_begin_anew_when_it_is_answered(driver, saver):
    attempts = []
    failing = iter([True, False, True, False])

    def node(state):
        attempts.append(get_runtime().execution_info.node_attempt)
        if next(failing):
            raise ConnectionError
        return {"log": [interrupt("which?")]}

    graph = graph_of(node, saver, retry_policy=AT_ONCE)

    assert "__interrupt__" in driver.invoke(graph, {"log": []}, thread_id="1")
    assert driver.invoke(graph, Command(resume="this"), thread_id="1") == {"log": ["this"]}
    assert attempts == [1, 2, 1, 2]


def test_a_failing_router_is_retried_together_with_its_node(driver):
    ran = []
    failing = iter([True, False])

    def node(state):
        ran.append("node")
        return {"log": ["x"]}

    def route(state):
        if next(failing):
            raise ConnectionError
        return END

    graph = (
        StateGraph(State).add_node("a", node, retry_policy=AT_ONCE).add_edge(START, "a").add_conditional_edges("a", route, [END]).compile()
    )

    assert driver.invoke(graph, {"log": []}) == {"log": ["x"]}
    assert ran == ["node", "node"]


def test_siblings_of_a_retried_node_run_once(driver, saver):
    flaky, ran = Flaky(failures=2), []
    builder = StateGraph(State).add_node("flaky", flaky.node(driver), retry_policy=AT_ONCE)
    builder.add_node("sibling", lambda state: ran.append(1)).add_edge(START, "flaky").add_edge(START, "sibling")

    driver.invoke(builder.compile(checkpointer=saver), {"log": []}, thread_id="1")

    assert ran == [1]


def test_a_retried_subgraph_goes_on_where_it_failed(driver, saver):
    flaky, ran = Flaky(failures=1), []
    inner = StateGraph(State).add_node("first", lambda state: ran.append(1)).add_node("flaky", flaky.node(driver))
    inner.add_edge(START, "first").add_edge("first", "flaky")
    outer = StateGraph(State).add_node("inner", inner.compile(), retry_policy=AT_ONCE).add_edge(START, "inner")

    assert driver.invoke(outer.compile(checkpointer=saver), {"log": []}, thread_id="1") == {"log": ["done"]}
    assert ran == [1]
    assert flaky.attempts == [1, 1]


def test_what_a_branch_of_a_node_remembered_stays_remembered_over_attempts(driver, saver):
    done = []
    failing = iter([True, False])

    def act(name):
        done.append(name)
        return name

    def work(name):
        with entered(branch(current(), name)):
            return once("act", act, name)

    def node(state):
        results = [work("a"), work("b")]
        if next(failing):
            raise ConnectionError
        return {"log": results}

    assert driver.invoke(graph_of(node, saver, retry_policy=AT_ONCE), {"log": []}, thread_id="1") == {"log": ["a", "b"]}
    assert done == ["a", "b"]
