# mypy: disable-error-code="arg-type, attr-defined, call-overload, comparison-overlap, has-type, index, operator"
# mypy: disable-error-code="list-item, misc, typeddict-item, typeddict-unknown-key"
# Values of the wrong type, and values of any type that come back, are what these tests are about.
"""Nodes that take too long. What takes too long here waits for an event that does not come."""

from __future__ import annotations

import asyncio
import threading
from datetime import timedelta
from operator import add
from typing import Annotated, TypedDict

import pytest

from graphkit import END, START, Command, RetryPolicy, Send, StateGraph, get_runtime, get_stream_writer, interrupt, once
from graphkit.core.policy import TimeoutPolicy
from graphkit.errors import AttemptAbandonedError, InvalidConfigError, NodeTimeoutError

SOON = 0.02
AMPLE = 0.4
LATER = 30
AT_ONCE = RetryPolicy(initial_interval=0, jitter=False)


class State(TypedDict):
    log: Annotated[list[str], add]


class Stuck:
    """A node that waits until it is released; after that it calls ``then`` and returns an update."""

    def __init__(self, kind, times=99, then=None):
        self.node = self.sync if kind == "sync" else self.coroutine
        self.times = times
        self.then = then
        self.runs = 0
        self.refused = []
        self.released = threading.Event()
        self.left = threading.Event()

    def sync(self, state):
        self.runs += 1
        if self.runs > self.times:
            return {"log": ["done"]}
        try:
            self.released.wait(LATER)
            return self.late()
        finally:
            self.left.set()

    async def coroutine(self, state):
        self.runs += 1
        if self.runs > self.times:
            return {"log": ["done"]}
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return self.late()
        finally:
            self.left.set()

    def late(self):
        for action in self.then or ():
            try:
                action()
            except AttemptAbandonedError as error:
                self.refused.append(error.facts["node"])
        return {"log": ["late"]}

    def end(self):
        """Let it go on and wait until it has."""
        self.released.set()
        assert self.left.wait(LATER)


@pytest.fixture(params=["sync", "async"])
def kind(request):
    """Which kind of node; each runs under both drivers."""
    return request.param


@pytest.fixture
def stuck(kind):
    made = []

    def make(**options):
        made.append(Stuck(kind, **options))
        return made[-1]

    yield make
    for slow in made:
        slow.released.set()


def graph_of(node, saver=None, *, step_timeout=None, **options):
    builder = StateGraph(State).add_node("slow", node, **options).add_edge(START, "slow").add_edge("slow", END)
    return builder.compile(checkpointer=saver, step_timeout=step_timeout)


@pytest.mark.parametrize(
    "timeout", [SOON, timedelta(seconds=SOON), TimeoutPolicy(run_timeout=SOON)], ids=["seconds", "timedelta", "policy"]
)
def test_a_node_that_takes_too_long_has_failed(driver, stuck, timeout):
    slow = stuck()

    with pytest.raises(NodeTimeoutError, match=r"'slow' exceeded its run timeout of 0\.02 seconds") as caught:
        driver.invoke(graph_of(slow.node, timeout=timeout), {"log": []})

    error = caught.value
    assert (error.node, error.kind, error.run_timeout, error.idle_timeout) == ("slow", "run", SOON, None)
    assert error.facts["elapsed"] >= SOON
    assert isinstance(error, TimeoutError)


def test_a_node_without_a_sign_of_life_has_failed(driver, stuck):
    slow = stuck()

    with pytest.raises(NodeTimeoutError, match="no sign of life") as caught:
        driver.invoke(graph_of(slow.node, timeout=TimeoutPolicy(idle_timeout=SOON, run_timeout=LATER)), {"log": []})

    assert caught.value.kind == "idle"


def test_a_node_in_time_is_none_the_worse(driver, saver, kind):
    def node(state):
        get_stream_writer()("working")
        get_runtime().heartbeat()
        return {"log": [interrupt("ready?"), once("work", str, "worked")]}

    async def coroutine(state):
        return node(state)

    graph = graph_of(node if kind == "sync" else coroutine, saver, timeout=TimeoutPolicy(run_timeout=LATER, idle_timeout=LATER))

    first = driver.stream(graph, {"log": []}, thread_id="1", stream_mode=["custom", "updates"])
    second = driver.stream(graph, Command(resume="yes"), thread_id="1", stream_mode=["custom", "updates"])

    assert first[0] == ("custom", "working")
    assert "__interrupt__" in first[1][1]
    assert second == [("custom", "working"), ("updates", {"slow": {"log": ["yes", "worked"]}})]


def test_the_error_of_a_node_with_a_timeout_is_its_own(driver, kind):
    def node(state):
        raise StopIteration("no more") if kind == "stop" else KeyError("mine")

    async def coroutine(state):
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        driver.invoke(graph_of(node if kind == "sync" else coroutine, timeout=LATER), {"log": []})


def test_the_thread_waits_where_the_node_took_too_long(driver, saver, stuck):
    slow = stuck(times=1)
    graph = graph_of(slow.node, saver, timeout=SOON)

    with pytest.raises(NodeTimeoutError):
        driver.invoke(graph, {"log": ["in"]}, thread_id="1")

    assert driver.get_state(graph, {"configurable": {"thread_id": "1"}}).next == ("slow",)
    assert driver.invoke(graph_of(slow.node, saver), None, thread_id="1") == {"log": ["in", "done"]}


def test_every_attempt_has_a_time_of_its_own(driver, saver, stuck):
    slow = stuck(times=1)

    result = driver.invoke(graph_of(slow.node, saver, timeout=AMPLE, retry_policy=AT_ONCE), {"log": []}, thread_id="1")

    assert result == {"log": ["done"]}
    assert slow.runs == 2


def test_what_a_given_up_attempt_does_is_refused_and_reaches_nothing(driver, saver, stuck):
    ran = []
    slow = stuck(
        then=[
            lambda: get_stream_writer()("late"),
            lambda: once("late", ran.append, "once"),
            lambda: interrupt("late?"),
            lambda: get_runtime().heartbeat(),
        ]
    )
    graph = graph_of(slow.node, saver, timeout=SOON)

    with pytest.raises(NodeTimeoutError):
        driver.invoke(graph, {"log": ["in"]}, thread_id="1")
    slow.end()

    state = driver.get_state(graph, {"configurable": {"thread_id": "1"}})
    assert slow.refused == ["slow"] * 4
    assert ran == []
    assert (state.values, state.interrupts) == ({"log": ["in"]}, ())


def test_without_a_saver_nothing_is_done_once_for_an_attempt_that_was_given_up(driver, stuck):
    ran = []
    slow = stuck(then=[lambda: once("late", ran.append, "once")])

    with pytest.raises(NodeTimeoutError):
        driver.invoke(graph_of(slow.node, timeout=SOON), {"log": []})
    slow.end()

    assert (ran, slow.refused) == ([], ["slow"])


def test_a_stream_writer_taken_in_time_is_closed_with_the_attempt(driver, stuck):
    taken = []
    slow = stuck(then=[lambda: taken[0]("late")])

    def sync(state):
        taken.append(get_stream_writer())
        return slow.sync(state)

    async def coroutine(state):
        taken.append(get_stream_writer())
        return await slow.coroutine(state)

    with pytest.raises(NodeTimeoutError):
        driver.stream(
            graph_of(coroutine if asyncio.iscoroutinefunction(slow.node) else sync, timeout=SOON), {"log": []}, stream_mode="custom"
        )
    slow.end()

    assert slow.refused == ["slow"]


def test_what_was_remembered_in_time_stays_remembered(driver, saver, stuck):
    sent = []
    slow = stuck(times=1)

    def sync(state):
        once("send", sent.append, "mail")
        return slow.sync(state)

    async def coroutine(state):
        once("send", sent.append, "mail")
        return await slow.coroutine(state)

    chosen = coroutine if asyncio.iscoroutinefunction(slow.node) else sync

    driver.invoke(graph_of(chosen, saver, timeout=AMPLE, retry_policy=AT_ONCE), {"log": []}, thread_id="1")

    assert sent == ["mail"]


def test_a_coroutine_that_does_not_end_when_it_is_cancelled_is_left_behind(driver, monkeypatch):
    monkeypatch.setattr("graphkit.runtime.watch.GRACE", SOON)
    cancelled = []

    async def stubborn(state):
        while len(cancelled) < 2:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                cancelled.append(1)
        return {"log": ["late"]}

    with pytest.raises(NodeTimeoutError):
        driver.invoke(graph_of(stubborn, timeout=SOON), {"log": []})

    assert len(cancelled) >= 1


def test_a_subgraph_that_was_given_up_saves_nothing_more(driver, saver, stuck):
    slow = stuck(times=1)
    inner = StateGraph(State).add_node("slow", slow.node).add_node("after", lambda state: {"log": ["after"]})
    inner.add_edge(START, "slow").add_edge("slow", "after")

    def outer_with(timeout):
        builder = StateGraph(State).add_node("inner", inner.compile(), timeout=timeout)
        return builder.add_edge(START, "inner").compile(checkpointer=saver)

    outer = outer_with(SOON)

    with pytest.raises(NodeTimeoutError):
        driver.invoke(outer, {"log": ["in"]}, thread_id="1")
    slow.end()

    assert driver.get_state(outer, {"configurable": {"thread_id": "1"}}).values == {"log": ["in"]}
    assert driver.invoke(outer_with(LATER), None, thread_id="1") == {"log": ["in", "done", "after"]}


def test_a_superstep_that_takes_too_long_keeps_what_has_finished(driver, saver, stuck):
    slow = stuck(times=1)
    ran = []
    builder = StateGraph(State).add_node("slow", slow.node).add_node("quick", lambda state: ran.append("quick"))
    graph = builder.add_edge(START, "slow").add_edge(START, "quick").compile(checkpointer=saver, step_timeout=AMPLE)

    with pytest.raises(NodeTimeoutError, match="step timeout") as caught:
        driver.invoke(graph, {"log": []}, thread_id="1")

    assert (caught.value.kind, caught.value.facts["step_timeout"]) == ("step", AMPLE)
    assert driver.invoke(builder.compile(checkpointer=saver), None, thread_id="1") == {"log": ["done"]}
    assert ran == ["quick"]


def test_a_superstep_has_one_time_for_all_attempts(driver, stuck):
    slow = stuck()

    with pytest.raises(NodeTimeoutError) as caught:
        driver.invoke(graph_of(slow.node, step_timeout=SOON, retry_policy=AT_ONCE), {"log": []})

    assert caught.value.kind == "step"
    assert slow.runs == 1


def test_a_send_has_a_time_of_its_own_also_after_a_crash(driver, saver, stuck):
    slow, failing = stuck(), iter([True, False])

    def stop(state):
        if next(failing):
            raise KeyboardInterrupt

    sends = [Send("stop", {}), Send("slow", {"log": []}, timeout=timedelta(seconds=SOON))]
    builder = StateGraph(State).add_node("slow", slow.node, timeout=LATER).add_node("stop", stop)
    graph = builder.add_conditional_edges(START, lambda state: sends, ["slow", "stop"]).compile(checkpointer=saver)

    with pytest.raises(KeyboardInterrupt):
        driver.invoke(graph, {"log": []}, thread_id="1", max_concurrency=1)
    with pytest.raises(NodeTimeoutError) as caught:
        driver.invoke(graph, None, thread_id="1")

    assert caught.value.run_timeout == SOON


def test_a_timeout_of_a_send_needs_none_of_its_node(driver, stuck):
    slow = stuck()
    builder = StateGraph(State).add_node("slow", slow.node)
    graph = builder.add_conditional_edges(START, lambda state: [Send("slow", {"log": []}, timeout=SOON)], ["slow"]).compile()

    with pytest.raises(NodeTimeoutError):
        driver.invoke(graph, {"log": []})


@pytest.mark.parametrize("wrong", [0, -1, float("inf"), True, "soon", timedelta(0)], ids=repr)
def test_what_is_no_time_is_refused_when_the_graph_is_built(wrong):
    builder = StateGraph(State)

    with pytest.raises(InvalidConfigError, match="no time"):
        builder.add_node("slow", lambda state: None, timeout=wrong)
    with pytest.raises(InvalidConfigError, match="no time"):
        Send("slow", {}, timeout=wrong)
    with pytest.raises(InvalidConfigError, match="step_timeout"):
        builder.add_node("slow", lambda state: None).add_edge(START, "slow").compile(step_timeout=wrong)


def test_a_router_that_must_be_awaited_follows_a_sync_node_with_a_timeout(driver):
    async def route(state):
        return END

    def stop(state):
        raise StopIteration

    builder = StateGraph(State).add_node("a", lambda state: {"log": ["a"]}, timeout=LATER).add_node("b", stop, timeout=LATER)
    builder.add_edge(START, "a").add_conditional_edges("a", route, [END, "b"]).add_conditional_edges("b", route, [END])

    assert driver.invoke(builder.compile(), {"log": []}) == {"log": ["a"]}
    with pytest.raises(RuntimeError, match="ends an iteration"):
        driver.invoke(builder.compile(), Command(goto="b"))


async def test_a_cancelled_run_cancels_the_node_that_has_a_timeout():
    begun, ended = asyncio.Event(), []

    async def node(state):
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(1)

    running = asyncio.ensure_future(graph_of(node, timeout=LATER).ainvoke({"log": []}))
    await begun.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running

    assert ended == [1]


def test_a_task_has_one_key_for_all_its_attempts_and_resumes(driver, saver):
    keys, firsts = [], []
    failing = iter([True, False, True, False])

    def node(state):
        runtime = get_runtime()
        keys.append(runtime.idempotency_key)
        firsts.append(runtime.execution_info.node_first_attempt_time)
        if next(failing):
            raise ConnectionError
        return {"log": [interrupt("which?")]}

    graph = graph_of(node, saver, retry_policy=AT_ONCE)

    driver.invoke(graph, {"log": []}, thread_id="1")
    driver.invoke(graph, Command(resume="this"), thread_id="1")

    assert len(keys) == 4
    assert len(set(keys)) == 1
    assert firsts[0] == firsts[1] <= firsts[2] == firsts[3]


def test_tasks_have_keys_of_their_own(driver):
    keys = []
    builder = StateGraph(State)
    for name in "ab":
        builder.add_node(name, lambda state: keys.append(get_runtime().idempotency_key))
    graph = builder.add_edge(START, "a").add_edge(START, "b").compile()

    driver.invoke(graph, {"log": []})
    driver.invoke(graph, {"log": []})

    assert len(set(keys)) == 4
