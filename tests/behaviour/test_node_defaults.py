# mypy: disable-error-code="arg-type, attr-defined, index, typeddict-item"
# Values of the wrong type, and values of any type that come back, are what these tests are about.
from __future__ import annotations

import asyncio
from operator import add
from typing import Annotated, TypedDict

import pytest

from graphkit import START, RetryPolicy, StateGraph
from graphkit.errors import GraphWarning, InvalidConfigError, InvalidGraphError, NodeTimeoutError

AT_ONCE = RetryPolicy(initial_interval=0, jitter=False)


class State(TypedDict):
    log: Annotated[list[str], add]


class Failing:
    def __init__(self):
        self.runs = 0

    def __call__(self, state):
        self.runs += 1
        raise ConnectionError


async def forever(state):
    await asyncio.Event().wait()


def note(state, error):
    return {"log": [f"{error.node}: {type(error.error).__name__}"]}


def graph_of(builder, **options):
    return builder.add_edge(START, "a").compile(**options)


@pytest.mark.parametrize("first", [True, False], ids=["before", "after"])
def test_defaults_hold_for_nodes_added_before_and_after(driver, first):
    node, builder = Failing(), StateGraph(State)
    if first:
        builder.set_node_defaults(retry_policy=AT_ONCE, error_handler=note)
    builder.add_node("a", node)
    if not first:
        builder.set_node_defaults(retry_policy=AT_ONCE, error_handler=note)

    assert driver.invoke(graph_of(builder), {"log": []}) == {"log": ["a: ConnectionError"]}
    assert node.runs == 3


def test_what_a_node_says_itself_goes_before_the_defaults(driver, saver):
    node = Failing()
    builder = StateGraph(State).set_node_defaults(retry_policy=AT_ONCE, error_handler=note, timeout=30)
    twice = RetryPolicy(max_attempts=2, initial_interval=0, jitter=False)
    builder.add_node("a", node, retry_policy=twice, error_handler=lambda state: {"log": ["mine"]})

    assert driver.invoke(graph_of(builder, checkpointer=saver), {"log": []}, thread_id="1") == {"log": ["mine"]}
    assert node.runs == 2


def test_every_node_is_timed_by_the_default(driver):
    builder = StateGraph(State).set_node_defaults(timeout=0.02).add_node("a", forever)

    with pytest.raises(NodeTimeoutError):
        driver.invoke(graph_of(builder), {"log": []})


def test_what_a_later_call_leaves_out_stays(driver):
    node = Failing()
    builder = StateGraph(State).set_node_defaults(retry_policy=AT_ONCE).set_node_defaults(error_handler=note).add_node("a", node)

    assert driver.invoke(graph_of(builder), {"log": []}) == {"log": ["a: ConnectionError"]}
    assert node.runs == 3


def test_error_handlers_are_tried_again_and_timed_but_nothing_handles_their_failure(driver):
    handler, slow = Failing(), StateGraph(State).set_node_defaults(timeout=0.02).add_node("a", Failing(), error_handler=forever)
    builder = StateGraph(State).set_node_defaults(retry_policy=AT_ONCE, error_handler=handler).add_node("a", Failing())

    with pytest.raises(ConnectionError):
        driver.invoke(graph_of(builder), {"log": []})
    with pytest.raises(NodeTimeoutError, match="__error_handler__a"):
        driver.invoke(graph_of(slow), {"log": []})

    assert handler.runs == 3


def test_subgraphs_have_defaults_of_their_own(driver):
    node = Failing()
    inner = graph_of(StateGraph(State).add_node("a", node))
    outer = StateGraph(State).set_node_defaults(error_handler=note).add_node("a", inner)

    assert driver.invoke(graph_of(outer), {"log": []}) == {"log": ["a: ConnectionError"]}
    assert node.runs == 1


@pytest.mark.parametrize(
    "wrong, kind",
    [({"retry_policy": 3}, InvalidGraphError), ({"timeout": 0}, InvalidConfigError), ({"error_handler": 3}, InvalidGraphError)],
)
def test_what_is_no_policy_is_refused(wrong, kind):
    with pytest.raises(kind):
        StateGraph(State).set_node_defaults(**wrong)


def test_defaults_that_come_too_late_are_warned_about():
    builder = StateGraph(State).add_node("a", lambda state: None)
    graph_of(builder)

    with pytest.warns(GraphWarning, match="set_node_defaults after compile"):
        builder.set_node_defaults(timeout=1)
