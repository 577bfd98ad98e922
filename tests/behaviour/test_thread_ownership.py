"""One run per thread: a second one is refused and has run nothing; who lost the thread cannot write; the dead are replaced."""

from __future__ import annotations

import asyncio
import operator
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypedDict, cast

import pytest

from checkpointers.sqlite import SqliteSaver
from graphkit import START, Command, InMemorySaver, StateGraph, interrupt
from graphkit.errors import ConcurrentUpdateError, LeaseLostError, ThreadBusyError
from graphkit.storage.operations import Read
from graphkit.testing import Clock

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator

T = {"configurable": {"thread_id": "t"}}
ROOT = Path(__file__).parents[2]


class State(TypedDict, total=False):
    log: Annotated[list[str], operator.add]


class Shop:
    """START -> a -> b; what a node does besides is in ``during``, which nodes have run in ``ran``."""

    def __init__(self):
        self.ran = []
        self.during = {}
        builder = StateGraph(State).add_node("a", self._node("a")).add_node("b", self._node("b"))
        self.builder = builder.add_edge(START, "a").add_edge("a", "b")

    def _node(self, name):
        def run(state):
            self.ran.append(name)
            self.during.pop(name, lambda: None)()
            return {"log": [name]}

        return run


class Held:
    """A run in another thread that stays inside node ``a`` until ``let_go``."""

    def __init__(self, driver, shop, graph):
        self._go, inside = threading.Event(), threading.Event()

        def wait():
            inside.set()
            assert self._go.wait(10)

        shop.during["a"] = wait
        self._pool = ThreadPoolExecutor(1)
        self._run = self._pool.submit(driver.invoke, graph, {"log": ["first"]}, T)
        assert inside.wait(10)

    def let_go(self):
        self._go.set()
        self._pool.shutdown()
        return self._run.result()


def test_a_second_run_is_refused_and_has_run_nothing(driver, saver):
    shop = Shop()
    graph = shop.builder.compile(saver)
    held = Held(driver, shop, graph)

    inputs: list[object] = [{"log": ["second"]}, None, Command(goto="b")]
    for given in inputs:
        with pytest.raises(ThreadBusyError, match="'t'") as caught:
            driver.invoke(graph, given, T)
        assert caught.value.retryable
        assert caught.value.hint

    assert shop.ran == ["a"]
    assert held.let_go() == {"log": ["first", "a", "b"]}
    assert driver.invoke(graph, {"log": ["second"]}, T)["log"] == ["first", "a", "b", "second", "a", "b"]


def test_a_run_through_another_saver_on_the_same_file_is_refused_too(driver, tmp_path):
    shop = Shop()
    with SqliteSaver(tmp_path / "t.db") as one, SqliteSaver(tmp_path / "t.db") as two:
        held = Held(driver, shop, shop.builder.compile(one))

        with pytest.raises(ThreadBusyError):
            driver.invoke(shop.builder.compile(two), {"log": ["second"]}, T)

        assert shop.ran == ["a"]
        assert held.let_go() == {"log": ["first", "a", "b"]}


def test_edits_and_tidying_up_are_refused_while_a_run_holds_the_thread(driver, saver):
    shop = Shop()
    graph = shop.builder.compile(saver)
    held = Held(driver, shop, graph)

    for call in (
        lambda: driver.update_state(graph, T, {"log": ["edit"]}),
        lambda: saver.delete_thread("t"),
        lambda: saver.prune(["t"]),
    ):
        with pytest.raises(ThreadBusyError):
            call()

    assert held.let_go() == {"log": ["first", "a", "b"]}


def test_reading_and_other_threads_are_not_held_up(driver, saver):
    shop = Shop()
    graph = shop.builder.compile(saver)
    held = Held(driver, shop, graph)

    snapshot = driver.get_state(graph, T)
    other = driver.invoke(graph, {"log": ["other"]}, thread_id="other")

    assert (snapshot.values, snapshot.next) == ({"log": ["first"]}, ("a",))
    assert other == {"log": ["other", "a", "b"]}
    assert {found.thread_id: found.status for found in saver.threads().items} == {"t": "busy", "other": "idle"}
    held.let_go()


def failing(error):
    def fail():
        raise error

    return fail


def test_a_run_that_fails_gives_the_thread_back(driver, saver):
    shop = Shop()
    graph = shop.builder.compile(saver)
    shop.during["b"] = failing(ValueError("broken"))

    with pytest.raises(ValueError, match="broken"):
        driver.invoke(graph, {}, T)

    assert [found.status for found in saver.threads().items] == ["error"]
    assert driver.invoke(graph, None, T) == {"log": ["a", "b"]}
    assert shop.ran == ["a", "b", "b"]


def test_a_run_that_is_broken_off_from_the_keyboard_gives_the_thread_back(saver):
    shop = Shop()
    graph = shop.builder.compile(saver)
    shop.during["b"] = failing(KeyboardInterrupt())

    with pytest.raises(KeyboardInterrupt):
        graph.invoke({}, T)

    assert [found.status for found in saver.threads().items] == ["error"]
    assert graph.invoke(None, T) == {"log": ["a", "b"]}


def test_a_stream_that_is_not_read_to_its_end_gives_the_thread_back(saver):
    shop = Shop()
    graph = shop.builder.compile(saver)

    with closing(cast("Generator[object, None, None]", graph.stream({}, T, stream_mode="updates"))) as stream:
        next(stream)

    assert [found.status for found in saver.threads().items] == ["error"]
    assert graph.invoke(None, T) == {"log": ["a", "b"]}


async def test_an_async_stream_that_is_closed_gives_the_thread_back(saver):
    shop = Shop()
    graph = shop.builder.compile(saver)

    async with aclosing(cast("AsyncGenerator[object, None]", graph.astream({}, T, stream_mode="updates"))) as stream:
        await anext(stream)

    assert await graph.ainvoke(None, T) == {"log": ["a", "b"]}


async def test_a_cancelled_run_gives_the_thread_back_and_can_go_on(saver):
    inside, ran = asyncio.Event(), []

    async def node(state):
        ran.append("node")
        if len(ran) == 1:
            inside.set()
            await asyncio.Event().wait()
        return {"log": ["node"]}

    graph = StateGraph(State).add_node("node", node).add_edge(START, "node").compile(saver)
    task = asyncio.create_task(graph.ainvoke({"log": ["i"]}, T))
    await inside.wait()
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task

    assert await graph.ainvoke(None, T) == {"log": ["i", "node"]}
    assert task.cancelled()


def test_an_interrupted_thread_is_held_by_nobody(driver, saver):
    builder = StateGraph(State).add_node("ask", lambda state: {"log": [interrupt("?")]}).add_edge(START, "ask")
    graph = builder.compile(saver)
    driver.invoke(graph, {}, T)

    assert [found.status for found in saver.threads().items] == ["interrupted"]
    driver.update_state(graph, T, {"log": ["edit"]})
    assert driver.invoke(graph, Command(resume="yes"), T) == {"log": ["edit", "yes"]}


def lenders(kind, tmp_path, clock):
    """Return two savers on the same threads, with their own claims."""
    if kind == "memory":
        one = InMemorySaver(clock=clock)
        return one, one
    return SqliteSaver(tmp_path / "t.db", clock=clock), SqliteSaver(tmp_path / "t.db", clock=clock)


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_who_lost_the_thread_cannot_write_and_runs_no_further_node(driver, kind, tmp_path):
    clock, sleeper, other = Clock(), Shop(), Shop()
    one, two = lenders(kind, tmp_path, clock)
    taken = []

    def sleep():
        clock.advance(31)
        with ThreadPoolExecutor(1) as pool:
            taken.append(pool.submit(driver.invoke, other.builder.compile(two), {"log": ["second"]}, T).result())

    sleeper.during["a"] = sleep

    with pytest.raises(LeaseLostError) as caught:
        driver.invoke(sleeper.builder.compile(one), {"log": ["first"]}, T)

    assert caught.value.hint
    assert sleeper.ran == ["a"]
    assert taken == [{"log": ["first", "second", "a", "b"]}]
    assert driver.get_state(other.builder.compile(two), T).values == taken[0]
    one.close()
    two.close()


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_a_node_that_works_long_keeps_the_thread_by_the_heartbeat(driver, kind, tmp_path):
    clock, shop, rival = Clock(), Shop(), Shop()
    one, two = lenders(kind, tmp_path, clock)
    refused = []

    def work():
        for _ in range(5):
            clock.advance(20)
            one.extend_leases()
            with pytest.raises(ThreadBusyError) as caught, ThreadPoolExecutor(1) as pool:
                pool.submit(driver.invoke, rival.builder.compile(two), {"log": ["rival"]}, T).result()
            refused.append(caught.value)

    shop.during["a"] = work

    assert driver.invoke(shop.builder.compile(one), {}, T) == {"log": ["a", "b"]}
    assert len(refused) == 5
    assert rival.ran == []
    one.close()
    two.close()


def test_a_run_that_died_counts_as_failed_when_its_lease_is_over(driver):
    clock, shop = Clock(), Shop()
    saver = InMemorySaver(clock=clock)
    graph = shop.builder.compile(saver)
    seen = []

    def look():
        seen.append(saver.threads().items[0].status)
        clock.advance(31)
        seen.append(saver.threads().items[0].status)
        clock.advance(-31)

    shop.during["a"] = look
    driver.invoke(graph, {}, T)

    assert seen == ["busy", "error"]


def test_a_thread_that_moved_on_between_reading_and_claiming_is_left_alone(driver, saver):
    shop, other = Shop(), Shop()
    graph = shop.builder.compile(saver)
    driver.invoke(graph, {}, T)
    shop.ran.clear()
    backend = saver._site.backend
    name = "arun" if driver.is_async and isinstance(saver, SqliteSaver) else "run"
    real = getattr(backend, name)

    def overtaken(operation):
        reply = real(operation)
        setattr(backend, name, real)
        assert isinstance(operation, Read)
        with ThreadPoolExecutor(1) as pool:
            pool.submit(other.builder.compile(saver).invoke, {"log": ["faster"]}, T).result()
        return reply

    async def aovertaken(operation):
        reply = await real(operation)
        setattr(backend, name, real)
        await other.builder.compile(saver).ainvoke({"log": ["faster"]}, T)
        return reply

    setattr(backend, name, aovertaken if name == "arun" else overtaken)
    with pytest.raises(ConcurrentUpdateError, match="after it was read") as caught:
        driver.invoke(graph, {"log": ["slower"]}, T)

    assert caught.value.retryable
    assert shop.ran == []
    assert driver.get_state(graph, T).values == {"log": ["a", "b", "faster", "a", "b"]}


def test_of_many_runs_at_once_each_is_in_the_state_or_was_refused(saver):
    builder = StateGraph(State).add_node("a", lambda state: {"log": ["a"]}).add_edge(START, "a")
    graph = builder.compile(saver)
    start = threading.Barrier(8)

    def run(number):
        start.wait(10)
        try:
            graph.invoke({"log": [str(number)]}, T)
        except (ThreadBusyError, ConcurrentUpdateError):
            return None
        return str(number)

    with ThreadPoolExecutor(8) as pool:
        won = sorted(filter(None, pool.map(run, range(8))))

    log = cast("State", graph.get_state(T).values)["log"]
    assert sorted(log[::2]) == won
    assert log[1::2] == ["a"] * len(won)
    assert won


CRASH = """
import os, sys
from checkpointers.sqlite import SqliteSaver
from graphkit import START, StateGraph
def a(state):
    return {"log": ["a"]}
def b(state):
    os._exit(9)
import operator
from typing import TYPE_CHECKING, Annotated, TypedDict, cast
State = TypedDict("State", {"log": Annotated[list[str], operator.add]})
builder = StateGraph(State).add_node("a", a).add_node("b", b).add_edge(START, "a").add_edge("a", "b")
builder.compile(SqliteSaver(sys.argv[1])).invoke({"log": ["i"]}, thread_id="t")
"""


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="without /proc the lease has to run out")
def test_a_thread_whose_process_died_is_taken_over_at_once(driver, tmp_path):
    died = subprocess.run([sys.executable, "-c", CRASH, str(tmp_path / "t.db")], cwd=ROOT, check=False, timeout=60)
    shop = Shop()

    with SqliteSaver(tmp_path / "t.db") as saver:
        graph = shop.builder.compile(saver)
        assert driver.get_state(graph, T).next == ("b",)
        assert driver.invoke(graph, None, T) == {"log": ["i", "a", "b"]}

    assert died.returncode == 9
    assert shop.ran == ["b"]
