"""Crashes, refused writes, breakpoints, failures and questions on the way change nothing about where a run ends."""

from __future__ import annotations

import asyncio
import operator
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Annotated, TypedDict, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphkit import START, Command, InMemorySaver, Send, StateGraph, interrupt, once
from graphkit.errors import StorageUnavailableError, ThreadNotFoundError
from graphkit.storage import Checkpointer
from graphkit.storage.memory import MemoryBackend
from graphkit.testing import Clock
from tests.faults.faulty import Died, Faulty, Mode

# Random graphs have nodes that jump and have edges, and nodes that nothing leads to.
pytestmark = pytest.mark.filterwarnings("ignore::graphkit.errors.GraphWarning")

T = {"configurable": {"thread_id": "t"}}
KINDS = ("plain", "ask", "ask twice", "once", "flaky", "fan", "goto")


class State(TypedDict, total=False):
    log: Annotated[list[str], operator.add]
    marks: Annotated[dict[str, str], operator.or_]


@dataclass(frozen=True)
class Plan:
    """A small graph without loops: node ``i`` leads to nodes after it; ``joins`` are (sources, target)."""

    kinds: tuple[str, ...]
    entries: tuple[int, ...]
    edges: tuple[tuple[int, ...], ...]
    joins: tuple[tuple[tuple[int, ...], int], ...]


@st.composite
def plans(draw):
    size = draw(st.integers(2, 5))
    kinds = tuple(draw(st.lists(st.sampled_from(KINDS), min_size=size, max_size=size)))
    entries = tuple(sorted(draw(st.sets(st.integers(0, size - 1), min_size=1, max_size=3))))
    edges = tuple(tuple(sorted(draw(st.sets(st.integers(i + 1, size - 1), max_size=2)))) if i + 1 < size else () for i in range(size))
    joins = []
    if size > 2 and draw(st.booleans()):
        target = draw(st.integers(2, size - 1))
        joins.append((tuple(sorted(draw(st.sets(st.integers(0, target - 1), min_size=2, max_size=3)))), target))
    return Plan(kinds, entries, edges, tuple(joins))


class Failing(Exception):
    """What a flaky node raises the first time."""


class World:
    """What survives processes: the database, the clock and what the nodes have done."""

    def __init__(self, *, calm):
        self.calm = calm
        self.backend = MemoryBackend()
        self.clock = Clock()
        self.failed: set[str] = set()
        self.effects: Counter[str] = Counter()
        self.lost: Counter[str] = Counter()

    def process(self, k=0, mode="refuses"):
        """Begin a new process, whose k-th write goes wrong; the one before is never released."""
        self.clock.advance(31)
        return Faulty(self.backend, k, mode)

    def ask(self, question):
        """Ask, or in a calm world know the answer."""
        return answer_to(question) if self.calm else interrupt(question)

    def act(self, key, process):
        process.act()
        self.effects[key] += 1
        return key

    def node(self, plan, index, process, state):
        with process.node():
            return self.body(plan, index, process, state)

    def body(self, plan, index, process, state):
        """Note what the node sees, so that a wrong order or a wrong state shows."""
        name, kind = f"n{index}", plan.kinds[index]
        seen = f"{name} sees {len(state['log'])} {sorted(state.get('marks', {}).items())}"
        said = [seen]
        if kind.startswith("ask"):
            said += [self.ask(f"{seen} {number}?") for number in range(2 if kind == "ask twice" else 1)]
        elif kind == "once":
            said.append(once("act", self.act, seen, process))
        elif kind == "flaky" and not self.calm and seen not in self.failed:
            self.failed.add(seen)
            raise Failing(seen)
        update = {"log": said, "marks": {name: seen, "last": name}}
        if kind == "fan":
            return Command(update=update, goto=[Send("work", {"log": [f"{seen} {part}"]}) for part in range(3)])
        if kind == "goto" and plan.edges[index] and len(state["log"]) % 2:
            return Command(update=update, goto=f"n{plan.edges[index][-1]}")
        return update

    def work(self, process, state):
        process.act()
        word = state["log"][0]
        return {"log": [self.ask(f"{word}?") if word.endswith("1") else word], "marks": {"last": word}}

    def graph(self, plan, process, saver):
        builder = StateGraph(State).add_node("work", partial(self.work, process))
        for index in range(len(plan.kinds)):
            builder.add_node(
                f"n{index}", partial(self.node, plan, index, process), destinations=["work", *[f"n{to}" for to in plan.edges[index]]]
            )
            for to in plan.edges[index] if plan.kinds[index] != "goto" else ():
                builder.add_edge(f"n{index}", f"n{to}")
        for sources, target in plan.joins:
            builder.add_edge([f"n{source}" for source in sources], f"n{target}")
        for entry in plan.entries:
            builder.add_edge(START, f"n{entry}")
        return builder.compile(saver)


def answer_to(question):
    return f"{question}!"


def step(graph, *, one_by_one, invoke):
    """Give the thread what it waits for; return False when nothing is left to do."""
    try:
        snapshot = graph.get_state(T)
    except ThreadNotFoundError:
        invoke({"log": ["i"]})
        return True
    if not snapshot.next:
        return False
    asked = snapshot.interrupts[:1] if one_by_one else snapshot.interrupts
    invoke(Command(resume={question.id: answer_to(question.value) for question in asked}) if asked else None)
    return True


def live(world, plan, life):
    """Live until the work is done, or until the process dies; return whether it is done."""
    k, mode, breakpoints, one_by_one, is_async = life
    faulty = world.process(k, mode)
    saver = Checkpointer(faulty, clock=world.clock)
    graph = world.graph(plan, faulty, saver)

    def invoke(given):
        options = {"interrupt_before": "*"} if breakpoints else {}
        with suppress(Failing, StorageUnavailableError):
            if is_async:
                asyncio.run(graph.ainvoke(given, T, **options))
            else:
                graph.invoke(given, T, **options)

    try:
        for _ in range(500):
            if not step(graph, one_by_one=one_by_one, invoke=invoke):
                return True
    except Died:
        return False
    finally:
        faulty.settle()
        world.lost += faulty.lost
        saver._site.heartbeat.stop()
    raise AssertionError("The thread does not get anywhere.")


lives = st.tuples(st.integers(1, 12), st.sampled_from(get_args(Mode)), st.booleans(), st.booleans(), st.booleans())


@given(plan=plans(), troubles=st.lists(lives, max_size=4), last=st.booleans())
def test_a_run_with_interruptions_ends_like_one_without(plan, troubles, last):
    calm = World(calm=True)
    expected = calm.graph(plan, calm.process(), InMemorySaver()).invoke({"log": ["i"]}, T)
    world = World(calm=False)

    for trouble in troubles:
        if live(world, plan, trouble):
            break
    else:
        assert live(world, plan, (0, "refuses", last, not last, last))

    process = world.process()
    found = world.graph(plan, process, Checkpointer(process, clock=world.clock)).get_state(T)
    assert found.values == expected
    assert found.next == ()
    assert set(world.effects) == set(calm.effects)
    assert world.effects.total() - world.lost["memo act"] == calm.effects.total()


class Turns:
    """Lets tasks end in a given order, each in an iteration of the loop of its own."""

    def __init__(self, order):
        self._order = order
        self._events = {name: asyncio.Event() for name in order}
        self._events[order[0]].set()
        self.ended: list[str] = []

    async def end(self, name):
        await self._events[name].wait()
        self.ended.append(name)
        following = self._order.index(name) + 1
        if following < len(self._order):
            self._events[self._order[following]].set()


TASKS = ("a", "b", "c", "s0", "s1", "s2")


def ordered(order, kinds):
    """Return the history of a graph whose parallel tasks end in ``order``, and the order in which they did."""
    turns = Turns(order)

    async def task(name, state):
        await turns.end(name)
        said = interrupt(name) if kinds[name] == "ask" else name
        return Command(update={"log": [said], "marks": {"last": name}}, goto="after" if kinds[name] == "goto" else ())

    def fan(state):
        return Command(update={"log": ["fan"]}, goto=["a", "b", "c", *[Send("send", {"log": [name]}) for name in ("s2", "s0", "s1")]])

    async def send(state):
        return await task(state["log"][0], state)

    async def run():
        builder = (
            StateGraph(State).add_node("fan", fan, destinations=["a", "b", "c", "send"]).add_node("send", send, destinations=["after"])
        )
        for name in "abc":
            builder.add_node(name, partial(task, name), destinations=["after"])
        builder.add_node("after", lambda state: {"log": ["after"]}).add_edge(["a", "b"], "after").add_edge(START, "fan")
        graph = builder.compile(InMemorySaver())
        result = await graph.ainvoke({"log": ["i"]}, T)
        asked = [question.value for question in result.get("__interrupt__", ())]
        halfway = (await graph.aget_state(T)).values
        while questions := (await graph.aget_state(T)).interrupts:
            await graph.ainvoke(Command(resume={question.id: f"{question.value}!" for question in questions}), T)
        history = [(found.values, found.next, found.metadata) async for found in graph.aget_state_history(T)]
        return asked, halfway, history

    return asyncio.run(run()), turns.ended


@given(order=st.permutations(TASKS), kinds=st.fixed_dictionaries({name: st.sampled_from(["plain", "ask", "goto"]) for name in TASKS}))
def test_the_order_in_which_parallel_tasks_end_makes_no_difference(order, kinds):
    expected, _ = ordered(TASKS, kinds)

    found, ended = ordered(order, kinds)

    assert ended[: len(TASKS)] == list(order)
    assert found == expected
