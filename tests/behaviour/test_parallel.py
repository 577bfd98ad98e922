"""Supersteps of several tasks: they run at the same time, are applied in a fixed order and fail one by one."""

from __future__ import annotations

import asyncio
import operator
import threading
from typing import Annotated, TypedDict

import pytest

from graphkit import START, Command, Overwrite, Send, StateGraph
from graphkit.errors import ConflictingWritesError, InvalidUpdateError, RunError

MANY = 100
PATIENCE = 20
"""Seconds after which a test that should meet others gives up; nothing waits that long when it works."""


class State(TypedDict):
    log: Annotated[list[str], operator.add]
    word: str


def fan(nodes, last=None):
    """Return a builder whose nodes all run in the first superstep."""
    builder = StateGraph(State)
    for name, action in nodes.items():
        builder.add_node(name, action).add_edge(START, name)
    if last is not None:
        builder.add_node("z", last).add_edge(list(nodes), "z")
    return builder


def logs(word):
    return lambda state: {"log": [word]}


def raises(error):
    def node(state):
        raise error

    return node


def test_a_hundred_sync_nodes_run_at_the_same_time(driver):
    barrier = threading.Barrier(MANY)

    def meets(state):
        barrier.wait(PATIENCE)
        return {"log": ["met"]}

    result = driver.invoke(fan({f"n{n}": meets for n in range(MANY)}).compile(), {})

    assert result["log"] == ["met"] * MANY


def test_a_hundred_async_nodes_run_at_the_same_time(driver):
    arrived: list[int] = []
    everybody: list[asyncio.Event] = []

    async def meets(state):
        arrived.append(1)
        if not everybody:
            everybody.append(asyncio.Event())
        if len(arrived) == MANY:
            everybody[0].set()
        await asyncio.wait_for(everybody[0].wait(), PATIENCE)
        return {"log": ["met"]}

    result = driver.invoke(fan({f"n{n}": meets for n in range(MANY)}).compile(), {})

    assert result["log"] == ["met"] * MANY


def test_a_hundred_sends_run_at_the_same_time(driver):
    barrier = threading.Barrier(MANY)

    def meets(state):
        barrier.wait(PATIENCE)
        return {"log": [str(state)]}

    builder = StateGraph(State).add_node(meets).add_conditional_edges(START, lambda state: [Send("meets", n) for n in range(MANY)])

    assert driver.invoke(builder.compile(), {})["log"] == [str(n) for n in range(MANY)]


def test_sync_and_async_nodes_of_a_superstep_run_at_the_same_time(driver):
    from_thread, from_loop = threading.Event(), threading.Event()

    def in_thread(state):
        from_thread.set()
        return {"log": [f"thread {from_loop.wait(PATIENCE)}"]}

    async def in_loop(state):
        from_loop.set()
        return {"log": [f"loop {await asyncio.to_thread(from_thread.wait, PATIENCE)}"]}

    assert driver.invoke(fan({"a": in_thread, "b": in_loop}).compile(), {})["log"] == ["thread True", "loop True"]


def test_every_task_sees_the_state_of_the_beginning_of_the_superstep(driver):
    seen: list[object] = []

    def node(state):
        seen.append((list(state["log"]), state["word"]))
        return {"log": ["x"]}

    driver.invoke(fan({"a": node, "b": node, "c": node}).compile(), {"log": ["i"], "word": "w"})

    assert seen == [(["i"], "w")] * 3


def finishing(order):
    """Return nodes that finish in the given order, whatever their names are."""
    done = {name: threading.Event() for name in order}

    def node(name, before):
        def run(state):
            assert before is None or done[before].wait(PATIENCE)
            done[name].set()
            return {"log": [name]}

        return run

    return {name: node(name, order[index - 1] if index else None) for index, name in enumerate(order)}


@pytest.mark.parametrize("order", ["abc", "cba", "bca"])
def test_the_result_does_not_depend_on_who_finishes_first(driver, saver, order):
    graph = fan(finishing(order), logs("z")).compile(saver)

    assert driver.invoke(graph, {"log": ["i"]}, thread_id="t")["log"] == ["i", "a", "b", "c", "z"]


def test_edge_triggered_nodes_come_first_by_name_then_sends_as_they_were_issued(driver):
    def first(state) -> Command[str]:
        return Command(goto=[Send("w2", {}), "p", Send("w1", {})])

    builder = StateGraph(State).add_node("first", first, destinations={}).add_edge(START, "first").add_edge("first", "m")
    for name in ("w1", "w2", "p", "m"):
        builder.add_node(name, logs(name))

    assert driver.invoke(builder.compile(), {})["log"] == ["m", "p", "w2", "w1"]


def test_a_router_of_the_start_mixes_names_and_sends(driver):
    builder = StateGraph(State).add_node("w", lambda state: {"log": [state["word"]]}).add_node("y", logs("y"))
    builder.add_conditional_edges(START, lambda state: [Send("w", {"word": "1"}), "y", Send("w", {"word": "2"})])

    assert driver.invoke(builder.compile(), {"log": ["i"]})["log"] == ["i", "y", "1", "2"]


def counted(ran, name, error=None):
    """Return a node that notes each of its runs and raises ``error`` the first time."""

    def node(state):
        ran.append(name)
        if error is not None and ran.count(name) == 1:
            raise error
        return {"log": [name]}

    return node


def test_siblings_of_a_failed_task_are_kept_and_not_repeated(driver, saver):
    ran: list[str] = []
    failed = threading.Event()

    def slow(state):
        ran.append("slow")
        assert failed.wait(PATIENCE)
        return {"log": ["slow"]}

    def bad(state):
        ran.append("bad")
        if ran.count("bad") == 1:
            failed.set()
            raise KeyError("boom")
        return {"log": ["bad"]}

    graph = fan({"bad": bad, "fast": counted(ran, "fast"), "slow": slow}, counted(ran, "z")).compile(saver)
    with pytest.raises(KeyError, match="boom"):
        driver.invoke(graph, {"log": ["i"]}, thread_id="t")
    state = driver.get_state(graph, thread_id="t")
    result = driver.invoke(graph, None, thread_id="t")

    assert state.next == ("bad",)
    assert state.values["log"] == ["i", "fast", "slow"]
    assert {task.name: task.error for task in state.tasks} == {"bad": "KeyError('boom')", "fast": None, "slow": None}
    assert result["log"] == ["i", "bad", "fast", "slow", "z"]
    assert sorted(ran) == ["bad", "bad", "fast", "slow", "z"]


def test_async_siblings_of_a_failed_task_are_not_cancelled(driver, saver):
    failed = threading.Event()

    async def slow(state):
        assert await asyncio.to_thread(failed.wait, PATIENCE)
        return {"log": ["slow"]}

    async def bad(state):
        failed.set()
        raise KeyError("boom")

    graph = fan({"bad": bad, "slow": slow}).compile(saver)
    with pytest.raises(KeyError):
        driver.invoke(graph, {}, thread_id="t")

    assert driver.get_state(graph, thread_id="t").values["log"] == ["slow"]


def test_of_several_failures_the_first_by_order_is_raised_with_the_others_attached(driver, saver):
    errors = {"b": ValueError("from b"), "a": KeyError("from a"), "c": OSError("from c")}
    barrier = threading.Barrier(4)

    def fails(name):
        def node(state):
            barrier.wait(PATIENCE)
            raise errors[name]

        return node

    def fine(state):
        barrier.wait(PATIENCE)
        return {"log": ["fine"]}

    graph = fan({**{name: fails(name) for name in errors}, "d": fine}).compile(saver)
    with pytest.raises(KeyError, match="from a") as caught:
        driver.invoke(graph, {}, thread_id="t")
    tasks = driver.get_state(graph, thread_id="t").tasks

    assert caught.value.sibling_errors == (errors["b"], errors["c"])  # type: ignore[attr-defined]
    assert [("'b'" in note, "'c'" in note) for note in caught.value.__notes__] == [(False, False), (True, False), (False, True)]
    assert [task.error for task in tasks] == ["KeyError('from a')", "ValueError('from b')", "OSError('from c')", None]


def test_a_failed_superstep_without_a_checkpointer_raises_as_well(driver):
    with pytest.raises(KeyError, match="boom"):
        driver.invoke(fan({"a": logs("a"), "b": raises(KeyError("boom"))}).compile(), {})


def test_conflicting_updates_fail_their_writers_and_spare_the_others(driver, saver):
    ran: list[str] = []
    second_try = threading.Event()

    def writes(name):
        def node(state):
            ran.append(name)
            return {"log": [name]} if second_try.is_set() else {"word": name}

        return node

    graph = fan({"a": writes("a"), "b": writes("b"), "c": counted(ran, "c")}).compile(saver)
    with pytest.raises(ConflictingWritesError, match="'a', 'b'"):
        driver.invoke(graph, {}, thread_id="t")
    second_try.set()
    state = driver.get_state(graph, thread_id="t")

    assert (state.next, state.values) == (("a", "b"), {"log": ["c"]})
    assert driver.invoke(graph, None, thread_id="t")["log"] == ["a", "b", "c"]
    assert sorted(ran) == ["a", "a", "b", "b", "c"]


async def araises_stop(state):
    raise StopAsyncIteration


@pytest.mark.parametrize("node", [lambda state: next(iter([])), araises_stop])
@pytest.mark.parametrize("others", [{}, {"a": logs("a")}])
def test_a_node_that_raises_stop_iteration_fails_like_any_other(driver, saver, node, others):
    graph = fan({**others, "b": node}).compile(saver)

    with pytest.raises((StopIteration, StopAsyncIteration, RuntimeError, RunError)) as caught:
        driver.invoke(graph, {}, thread_id="t")

    state = driver.get_state(graph, thread_id="t")
    assert any("'b'" in note for note in caught.value.__notes__)
    assert (state.next, state.values["log"]) == (("b",), list(others))
    assert state.tasks[-1].error is not None


def test_new_input_after_a_failure_keeps_what_the_siblings_did(driver, saver):
    ran: list[str] = []
    graph = fan({"a": counted(ran, "a"), "b": counted(ran, "b", KeyError("boom"))}).compile(saver)
    with pytest.raises(KeyError):
        driver.invoke(graph, {"log": ["1"]}, thread_id="t")

    assert driver.invoke(graph, {"log": ["2"]}, thread_id="t")["log"] == ["1", "a", "2", "a", "b"]


def test_a_failed_send_is_repeated_alone(driver, saver):
    ran: list[int] = []

    def worker(state):
        ran.append(state)
        if state == 2 and ran.count(2) == 1:
            raise KeyError("boom")
        return {"log": [str(state)]}

    builder = StateGraph(State).add_node(worker).add_conditional_edges(START, lambda state: [Send("worker", n) for n in (3, 2, 1)])
    graph = builder.compile(saver)
    with pytest.raises(KeyError):
        driver.invoke(graph, {}, thread_id="t", max_concurrency=3)

    assert driver.invoke(graph, None, thread_id="t")["log"] == ["3", "2", "1"]
    assert ran.count(2) == 2


def test_an_update_that_is_refused_fails_only_its_node(driver, saver):
    ran: list[str] = []
    graph = fan({"a": counted(ran, "a"), "b": lambda state: 5}).compile(saver)

    with pytest.raises(InvalidUpdateError, match="'b'"):
        driver.invoke(graph, {}, thread_id="t")

    assert driver.get_state(graph, thread_id="t").next == ("b",)


def test_an_overwrite_beside_other_updates_wins_whoever_finishes_last(driver):
    graph = fan({"a": logs("a"), "b": lambda state: {"log": Overwrite(["b"])}, "c": logs("c")}).compile()

    assert driver.invoke(graph, {"log": ["i"]})["log"] == ["b"]


class StopNow(BaseException):
    """Not an Exception: what KeyboardInterrupt and SystemExit are."""


@pytest.mark.parametrize("names", ["a", "ab"])
def test_a_base_exception_leaves_the_run_and_gives_the_thread_back(driver, saver, names):
    ran: list[str] = []
    nodes = {name: logs(name) for name in names}
    nodes["a"] = counted(ran, "a", StopNow())
    graph = fan(nodes).compile(saver)

    with pytest.raises(StopNow):
        driver.invoke(graph, {}, thread_id="t")

    assert driver.invoke(graph, None, thread_id="t")["log"] == list(names)
