"""Whatever happens to whichever write: the thread goes on, nothing acknowledged runs again, nobody acts or asks twice."""

from __future__ import annotations

import asyncio
import operator
from collections import Counter
from contextlib import suppress
from typing import Annotated, TypedDict, get_args

import pytest

from checkpointers.sqlite import SqliteSaver
from checkpointers.sqlite.backend import SqliteBackend
from graphkit import START, Command, StateGraph, interrupt, once
from graphkit.errors import StorageUnavailableError, ThreadNotFoundError
from graphkit.storage import Checkpointer
from graphkit.storage.memory import MemoryBackend
from graphkit.testing import Clock
from tests.faults.faulty import Died, Faulty, Mode

T = {"configurable": {"thread_id": "t"}}
END = ["i", "plan", "left", "mid", "right", "approve:yes", "execute", "report"]


class State(TypedDict):
    log: Annotated[list[str], operator.add]


class World:
    """What is left when a process dies: the database, the clock, and what its nodes have done to the world.

    Attributes:
        ran: Names of the nodes that were entered, in order.
        effects: How often each action was carried out.
        lost: What was in the writes that did not reach the database.
        answered: The questions that were answered, in order; a question whose answer was lost is there twice.
        acknowledged: For each run, the nodes whose updates reached the caller, and how many had run by then.
    """

    def __init__(self, kind, path):
        self.clock = Clock()
        self.ran: list[str] = []
        self.effects: Counter[str] = Counter()
        self.lost: Counter[str] = Counter()
        self.answered: list[str] = []
        self.acknowledged: list[tuple[frozenset[str], int]] = []
        self._path = path
        self._memory = MemoryBackend() if kind == "memory" else None

    def process(self, k, mode):
        """Return a new saver, whose k-th write goes wrong, and its faulty backend. The one before is never released."""
        self.clock.advance(31)
        backend = self._memory or SqliteSaver(self._path, synchronous="OFF")._site.backend
        faulty = Faulty(backend, k, mode)
        return Checkpointer(faulty, clock=self.clock), faulty

    def act(self, what, faulty):
        assert what != "pay" or self.answered
        faulty.act()
        self.effects[what] += 1
        return what

    async def aact(self, what, faulty):
        await asyncio.sleep(0)
        return self.act(what, faulty)

    def graph(self, faulty, *, is_async):
        """plan -> left, mid (once), right -> approve (interrupt) -> execute (once) -> report."""
        action = {"mid": "fetch", "execute": "pay"}

        def run(name):
            def node(state):
                with faulty.node():
                    self.ran.append(name)
                    if name in action:
                        once(action[name], self.act, action[name], faulty)
                    return {"log": [f"approve:{interrupt('pay?')}" if name == "approve" else name]}

            async def anode(state):
                with faulty.node():
                    self.ran.append(name)
                    if name in action:
                        await once(action[name], self.aact, action[name], faulty)
                    return {"log": [f"approve:{interrupt('pay?')}" if name == "approve" else name]}

            return anode if is_async else node

        builder = StateGraph(State)
        for name in ("plan", "left", "mid", "right", "approve", "execute", "report"):
            builder.add_node(name, run(name))
        for side in ("left", "mid", "right"):
            builder.add_edge("plan", side)
        builder.add_edge(["left", "mid", "right"], "approve")
        return builder.add_edge(START, "plan").add_edge("approve", "execute").add_edge("execute", "report")


class SyncDriver:
    is_async = False

    def state(self, graph):
        return graph.get_state(T)

    def run(self, graph, given, durability):
        yield from graph.stream(given, T, stream_mode="updates", durability=durability)


class AsyncDriver:
    is_async = True

    def state(self, graph):
        return asyncio.run(graph.aget_state(T))

    def run(self, graph, given, durability):
        acknowledged = []

        async def collect():
            async for chunk in graph.astream(given, T, stream_mode="updates", durability=durability):
                acknowledged.append(chunk)  # noqa: PERF401 - what came before the failure counts

        try:
            asyncio.run(collect())
        except BaseException:
            yield from acknowledged
            raise
        yield from acknowledged


@pytest.fixture(params=[SyncDriver, AsyncDriver], ids=["sync", "async"])
def driver(request):
    return request.param()


def next_input(driver, world, graph):
    """Return (what to give the graph now, the state it is in); None when nothing is left to do."""
    try:
        snapshot = driver.state(graph)
    except ThreadNotFoundError:
        return {"log": ["i"]}, None
    if snapshot.interrupts:
        world.answered.append(snapshot.interrupts[0].id)
        return Command(resume={snapshot.interrupts[0].id: "yes"}), snapshot
    return (None, snapshot) if snapshot.next else ("done", snapshot)


def run_on(driver, world, graph, given, durability):
    """Run until the run ends or fails, and note what reached the caller."""
    seen: set[str] = set()
    try:
        for chunk in driver.run(graph, given, durability):
            if "__metadata__" not in chunk:
                assert seen.isdisjoint(chunk)
                seen |= chunk.keys() - {"__interrupt__"}
    finally:
        world.acknowledged.append((frozenset(seen), len(world.ran)))


def live(driver, world, durability, k, mode):
    """Live one life: until the work is done, or until the process dies. Return whether it is done, and the writes it took."""
    saver, faulty = world.process(k, mode)
    graph = world.graph(faulty, is_async=driver.is_async).compile(saver)
    try:
        while True:
            given, snapshot = next_input(driver, world, graph)
            if given == "done":
                return True, faulty.writes
            begun = len(world.ran)
            with suppress(StorageUnavailableError):
                run_on(driver, world, graph, given, durability)
            if snapshot is not None:
                assert not set(snapshot.values["log"]).intersection(world.ran[begun:])
    except Died:
        return False, faulty.writes
    finally:
        faulty.settle()
        world.lost += faulty.lost
        saver._site.heartbeat.stop()
        if isinstance(faulty.backend, SqliteBackend):
            faulty.close()


@pytest.mark.parametrize("mode", get_args(Mode))
@pytest.mark.parametrize("kind, durability", [("memory", "sync"), ("sqlite", "sync"), ("memory", "async")])
def test_a_failure_at_any_write(driver, tmp_path, *, kind, durability, mode):
    k = survived = 0
    while not survived:
        k += 1
        world = World(kind, tmp_path / f"{k}.db")
        done, writes = live(driver, world, durability, k, mode)
        survived = writes < k
        if not done:
            done, _ = live(driver, world, durability, 0, mode)

        saver, faulty = world.process(0, mode)
        snapshot = driver.state(world.graph(faulty, is_async=driver.is_async).compile(saver))
        faulty.close()
        where = (k, world.ran, world.effects, world.lost)
        assert done, where
        assert snapshot.values == {"log": END}, where
        assert (snapshot.next, snapshot.interrupts) == ((), ()), where
        assert len(set(world.answered)) == 1, where
        if durability == "sync":
            check_promises(world, where)
    assert k > 8


def check_promises(world, where):
    """What only holds when each superstep is durable before the next begins."""
    for acknowledged, at in world.acknowledged:
        assert acknowledged.isdisjoint(world.ran[at:]), where
    # An action is repeated only if the process died, or the database failed, before its result was stored.
    assert world.effects == {"fetch": 1 + world.lost["memo fetch"], "pay": 1 + world.lost["memo pay"]}, where
    assert len(world.answered) == 1 + world.lost["answer"], where


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_a_sibling_that_was_filed_before_the_process_died_does_not_run_again(driver, tmp_path, kind):
    world = World(kind, tmp_path / "t.db")

    def compiled(faulty, saver):
        def slow(state):
            world.ran.append("slow")
            if world.ran.count("slow") == 1:
                assert faulty.filed.wait(10)
                faulty.dead = True
                raise Died
            return {"log": ["slow"]}

        def fast(state):
            world.ran.append("fast")
            return {"log": ["fast"]}

        return StateGraph(State).add_node(slow).add_node(fast).add_edge(START, "slow").add_edge(START, "fast").compile(saver)

    saver, faulty = world.process(0, "dies before")
    with pytest.raises(Died):
        list(driver.run(compiled(faulty, saver), {"log": ["i"]}, "sync"))
    saver, faulty = world.process(0, "dies before")
    graph = compiled(faulty, saver)
    list(driver.run(graph, None, "sync"))

    assert sorted(world.ran) == ["fast", "slow", "slow"]
    assert driver.state(graph).values == {"log": ["i", "fast", "slow"]}
    faulty.close()
