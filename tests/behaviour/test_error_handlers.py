# mypy: disable-error-code="arg-type, attr-defined, call-overload, comparison-overlap, has-type, index"
# mypy: disable-error-code="list-item, misc, typeddict-item, typeddict-unknown-key, operator"
# Values of the wrong type, and values of any type that come back, are what these tests are about.
from __future__ import annotations

import asyncio
from operator import add
from typing import Annotated, Literal, TypedDict

import pytest

from graphkit import END, START, Command, RetryPolicy, Send, StateGraph, interrupt, once
from graphkit.core.failure import NodeError
from graphkit.errors import InvalidGraphError, NodeFailedError, NodeTimeoutError, OutsideRunError, UnknownNodeError

AT_ONCE = RetryPolicy(initial_interval=0, jitter=False)
HANDLER = "__error_handler__risky"


class State(TypedDict):
    log: Annotated[list[str], add]


class OwnError(Exception):
    """Of a class that no codec knows."""


def fail(state):
    raise KeyError("broken")


def note(state, error: NodeError):
    return {"log": [f"{error.node}: {type(error.error).__name__}"]}


def log(name):
    return lambda state: {"log": [name]}


def graph_of(node=fail, handler=note, saver=None, **options):
    builder = StateGraph(State).add_node("risky", node, error_handler=handler, **options).add_node("next", log("next"))
    return builder.add_edge(START, "risky").add_edge("risky", "next").compile(checkpointer=saver)


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_the_handler_runs_in_place_of_what_would_have_come_next(driver, saver, kind):
    async def anote(state, error):
        return note(state, error)

    graph = graph_of(handler=note if kind == "sync" else anote, saver=saver)

    assert driver.invoke(graph, {"log": ["in"]}, thread_id="1") == {"log": ["in", "risky: KeyError"]}
    assert driver.get_state(graph, {"configurable": {"thread_id": "1"}}).next == ()


def test_a_node_that_does_not_fail_needs_no_handler(driver, saver):
    assert driver.invoke(graph_of(log("fine"), saver=saver), {"log": []}, thread_id="1") == {"log": ["fine", "next"]}


def test_the_handler_is_shown_as_a_node_and_the_failure_as_a_failure(driver):
    updates = driver.stream(graph_of(), {"log": []})
    ended = [part for part in driver.stream(graph_of(), {"log": []}, stream_mode="tasks") if "result" in part]
    drawing = graph_of().get_graph()

    assert updates == [{HANDLER: {"log": ["risky: KeyError"]}}]
    assert [(part["name"], part["error"]) for part in ended] == [("risky", "KeyError('broken')"), (HANDLER, None)]
    assert HANDLER in drawing.draw_mermaid()


def test_the_handler_sees_the_live_exception(driver, saver):
    error = OwnError("mine")
    seen = []

    def node(state):
        raise error

    driver.invoke(graph_of(node, lambda state, error: seen.append(error), saver), {"log": []}, thread_id="1")

    assert seen == [NodeError("risky", error)]


def test_the_handler_says_where_to_go(driver, saver):
    def go_on(state, error) -> Command[Literal["next"]]:
        return Command(goto="next", update={"log": ["mended"]})

    assert driver.invoke(graph_of(handler=go_on, saver=saver), {"log": []}, thread_id="1") == {"log": ["mended", "next"]}


def test_a_handler_may_want_nothing_of_the_failure(driver):
    assert driver.invoke(graph_of(handler=log("handled")), {"log": []}) == {"log": ["handled"]}


def test_the_attempts_are_used_up_first(driver, saver):
    attempts = []

    def node(state):
        attempts.append(1)
        raise ConnectionError

    assert driver.invoke(graph_of(node, saver=saver, retry_policy=AT_ONCE), {"log": []}, thread_id="1") == {
        "log": ["risky: ConnectionError"]
    }
    assert len(attempts) == 3


def test_a_timeout_is_a_failure(driver):
    async def node(state):
        await asyncio.Event().wait()

    assert driver.invoke(graph_of(node, timeout=0.02), {"log": []}) == {"log": ["risky: NodeTimeoutError"]}


def test_a_failing_router_is_a_failure_of_its_node(driver, saver):
    builder = StateGraph(State).add_node("risky", log("lost"), error_handler=note).add_node("next", log("next"))
    graph = builder.add_edge(START, "risky").add_conditional_edges("risky", fail, ["next", END]).compile(checkpointer=saver)

    assert driver.invoke(graph, {"log": []}, thread_id="1") == {"log": ["risky: KeyError"]}


def test_the_failure_of_a_subgraph_is_handled_in_its_parent(driver, saver):
    inner = StateGraph(State).add_node("broken", fail).add_edge(START, "broken").compile()

    assert driver.invoke(graph_of(inner, saver=saver), {"log": []}, thread_id="1") == {"log": ["risky: KeyError"]}


def test_a_question_is_no_failure(driver, saver):
    graph = graph_of(lambda state: {"log": [interrupt("which?")]}, saver=saver)

    assert "__interrupt__" in driver.invoke(graph, {"log": []}, thread_id="1")
    assert driver.invoke(graph, Command(resume="this"), thread_id="1") == {"log": ["this", "next"]}


def test_a_handler_may_ask_and_remember(driver, saver):
    sent = []

    def ask(state, error):
        once("report", sent.append, type(error.error).__name__)
        return {"log": [interrupt("skip it?")]}

    graph = graph_of(handler=ask, saver=saver)

    assert "__interrupt__" in driver.invoke(graph, {"log": []}, thread_id="1")
    assert driver.invoke(graph, Command(resume="skipped"), thread_id="1") == {"log": ["skipped"]}
    assert sent == ["KeyError"]


def test_a_failing_handler_fails_the_run_and_is_tried_again_alone(driver, saver):
    ran, failing = [], iter([True, False])

    def node(state):
        ran.append("risky")
        raise KeyError

    def handler(state, error):
        ran.append(type(error.error).__name__)
        if next(failing):
            raise OwnError
        return {"log": ["handled"]}

    graph = graph_of(node, handler, saver)

    with pytest.raises(OwnError):
        driver.invoke(graph, {"log": []}, thread_id="1")
    assert driver.get_state(graph, {"configurable": {"thread_id": "1"}}).next == (HANDLER,)
    assert driver.invoke(graph, None, thread_id="1") == {"log": ["handled"]}
    assert ran == ["risky", "KeyError", "KeyError"]


@pytest.mark.parametrize(
    "error, expected", [(ValueError("text", 3), ValueError), (OwnError("text"), NodeFailedError)], ids=["known", "own"]
)
def test_after_a_crash_the_handler_is_told_what_was_stored(driver, saver, error, expected):
    seen, failing = [], iter([True, False])

    def node(state):
        raise error

    def handler(state, error):
        seen.append(error)
        if next(failing):
            raise KeyboardInterrupt

    graph = graph_of(node, handler, saver)
    with pytest.raises(KeyboardInterrupt):
        driver.invoke(graph, {"log": []}, thread_id="1")

    driver.invoke(graph, None, thread_id="1")

    told = seen[1].error
    assert seen[0].error is error
    assert (seen[1].node, type(told)) == ("risky", expected)
    assert "text" in str(told)


def test_a_failing_sibling_without_a_handler_stops_the_run_and_nothing_is_lost(driver, saver):
    ran, failing = [], iter([True, False])

    def risky(state):
        ran.append("risky")
        raise KeyError

    def sibling(state):
        ran.append("sibling")
        if next(failing):
            raise OwnError
        return {"log": ["sibling"]}

    builder = StateGraph(State).add_node("risky", risky, error_handler=note).add_node("sibling", sibling).add_node("next", log("next"))
    builder.add_edge(START, "risky").add_edge(START, "sibling").add_edge("risky", "next")
    graph = builder.compile(checkpointer=saver)

    with pytest.raises(OwnError):
        driver.invoke(graph, {"log": []}, thread_id="1")
    updates = driver.stream(graph, None, thread_id="1")

    assert updates == [{"sibling": {"log": ["sibling"]}}, {HANDLER: {"log": ["risky: KeyError"]}}]
    assert sorted(ran) == ["risky", "sibling", "sibling"]


def test_a_join_does_not_count_a_failed_node(driver):
    builder = StateGraph(State).add_node("risky", fail, error_handler=note).add_node("other", log("other")).add_node("both", log("both"))
    builder.add_edge(START, "risky").add_edge(START, "other").add_edge(["risky", "other"], "both")

    assert driver.invoke(builder.compile(), {"log": []}) == {"log": ["other", "risky: KeyError"]}


def test_of_many_sent_the_handler_sees_the_one_that_failed(driver, saver):
    def work(sent):
        if sent["n"] % 2:
            raise ValueError(sent["n"])
        return {"log": [f"{sent['n']}"]}

    def handler(sent, error):
        return {"log": [f"{sent['n']} failed"]}

    builder = StateGraph(State).add_node("work", work, error_handler=handler)
    builder.add_conditional_edges(START, lambda state: [Send("work", {"n": n}) for n in range(4)], ["work"])

    assert driver.invoke(builder.compile(checkpointer=saver), {"log": []}, thread_id="1") == {"log": ["0", "2", "1 failed", "3 failed"]}


def test_nobody_else_starts_a_handler(driver, saver):
    builder = StateGraph(State).add_node("risky", fail, error_handler=note).add_node("first", lambda state: Command(goto=HANDLER))
    graph = builder.add_edge(START, "first").compile(checkpointer=saver)

    with pytest.raises(UnknownNodeError):
        driver.invoke(graph, {"log": []}, thread_id="1")
    with pytest.raises(OutsideRunError, match="no node has failed"):
        driver.invoke(graph, Command(goto=HANDLER), thread_id="2")


@pytest.mark.parametrize("wrong", ["handler", 3, lambda state, error, more: None], ids=["text", "number", "parameter"])
def test_what_cannot_handle_errors_is_refused_when_the_node_is_added(wrong):
    with pytest.raises(InvalidGraphError, match=r"error.handler of node 'risky'"):
        StateGraph(State).add_node("risky", fail, error_handler=wrong)


def test_a_node_that_only_a_handler_leads_to_is_no_mistake(driver):
    def mend(state, error) -> Command[Literal["mend"]]:
        return Command(goto="mend")

    builder = StateGraph(State).add_node("risky", fail, error_handler=mend).add_node("mend", log("mended"))

    assert driver.invoke(builder.add_edge(START, "risky").add_edge("risky", END).compile(), {"log": []}) == {"log": ["mended"]}


def test_where_a_handler_may_go_is_checked():
    def lost(state, error) -> Command[Literal["nowhere"]]:
        return Command(goto="nowhere")

    builder = StateGraph(State).add_node("risky", fail, error_handler=lost).add_edge(START, "risky")

    with pytest.raises(UnknownNodeError, match="nowhere"):
        builder.compile()


def test_a_graph_that_begins_nowhere_is_refused_although_it_has_a_handler():
    with pytest.raises(InvalidGraphError, match="entrypoint"):
        StateGraph(State).add_node("risky", fail, error_handler=note).compile()


def test_a_timeout_that_no_handler_takes_over_is_raised(driver):
    async def node(state):
        await asyncio.Event().wait()

    with pytest.raises(NodeTimeoutError):
        driver.invoke(graph_of(node, handler=None, timeout=0.02), {"log": []})
