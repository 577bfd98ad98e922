"""Questions that tasks ask: all at once, answered in any order, and what has ended does not run again."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from itertools import permutations
from typing import Any

import pytest

from graphkit import START, Command, StateGraph, interrupt, once
from graphkit.errors import GraphInterrupt as Pause
from graphkit.errors import InterruptSwallowedError, MissingCheckpointerError, RunError
from graphkit.func import entrypoint, task


@pytest.fixture(params=["sync", "async"])
def kind(request):
    """Whether the functions of a workflow are coroutine functions."""
    return request.param


class Bench:
    """A workflow whose tasks work and ask side by side; it notes what runs and what must happen once."""

    def __init__(self, saver, kind):
        self.runs: list[str] = []
        self.effects: list[str] = []

        @task
        def work(n):
            self.runs.append(f"work {n}")
            return n

        def asking(n):
            self.runs.append(f"ask {n}")
            once("before", self.effects.append, f"before {n}")
            answer = interrupt(f"question {n}")
            once("after", self.effects.append, f"after {n}")
            return f"{n}: {answer}"

        async def aasking(n):
            await asyncio.sleep(0)
            return asking(n)

        ask = task(asking if kind == "sync" else aasking, name="ask")

        @entrypoint(checkpointer=saver)
        def flow(count):
            begun = [work(0), *[ask(n) for n in range(count)], work(1)]
            return [future.result() for future in begun]

        @entrypoint(checkpointer=saver)
        async def aflow(count):
            return await asyncio.gather(work(0), *[ask(n) for n in range(count)], work(1))

        self.flow = flow if kind == "sync" else aflow


def asked(result):
    return {question.value: question.id for question in result["__interrupt__"]} if isinstance(result, dict) else {}


def test_all_questions_surface_at_once_in_the_order_of_the_calls(driver, saver, kind):
    bench = Bench(saver, kind)

    paused = driver.invoke(bench.flow, 3, thread_id="t")
    ended = driver.invoke(
        bench.flow, Command(resume={identity: f"A{value[-1]}" for value, identity in asked(paused).items()}), thread_id="t"
    )

    assert list(asked(paused)) == ["question 0", "question 1", "question 2"]
    assert ended == [0, "0: A0", "1: A1", "2: A2", 1]
    assert Counter(bench.runs) == {"work 0": 1, "work 1": 1, "ask 0": 2, "ask 1": 2, "ask 2": 2}
    assert Counter(bench.effects) == {f"{when} {n}": 1 for n in range(3) for when in ("before", "after")}


@pytest.mark.parametrize("order", list(permutations([0, 1, 2])))
def test_answers_come_one_by_one_in_any_order(driver, saver, kind, order):
    bench = Bench(saver, kind)

    result = driver.invoke(bench.flow, 3, thread_id="t")
    ids = list(asked(result).values())
    pending = []
    for place in order:
        result = driver.invoke(bench.flow, Command(resume={ids[place]: f"A{place}"}), thread_id="t")
        pending.append(list(asked(result).values()))

    assert pending == [[ids[n] for n in range(3) if n not in order[: count + 1]] for count in range(3)]
    assert result == [0, "0: A0", "1: A1", "2: A2", 1]
    assert set(Counter(bench.effects).values()) == {1}


def test_one_question_takes_a_plain_answer(driver, saver, kind):
    bench = Bench(saver, kind)

    driver.invoke(bench.flow, 1, thread_id="t")

    assert driver.invoke(bench.flow, Command(resume="yes"), thread_id="t") == [0, "0: yes", 1]


def test_a_question_of_the_body_surfaces_with_those_of_its_tasks(driver, saver, kind):
    @task
    def ask(word):
        return interrupt(word)

    @entrypoint(checkpointer=saver)
    def flow(_given):
        futures = [ask("first"), ask("second")]
        own = interrupt("own")
        return [future.result() for future in futures], own

    @entrypoint(checkpointer=saver)
    async def aflow(_given):
        futures = [ask("first"), ask("second")]
        own = interrupt("own")
        return [await future for future in futures], own

    chosen = flow if kind == "sync" else aflow
    paused = driver.invoke(chosen, "go", thread_id="t")
    ids = asked(paused)
    half = driver.invoke(chosen, Command(resume={ids["own"]: "O"}), thread_id="t")
    ended = driver.invoke(chosen, Command(resume={ids["first"]: "F", ids["second"]: "S"}), thread_id="t")

    assert list(ids) == ["first", "second", "own"]
    assert list(asked(half)) == ["first", "second"]
    assert ended == (["F", "S"], "O")


def test_a_question_nobody_waits_for_is_asked(driver, saver, kind):
    @task
    def ask(word):
        return interrupt(word)

    @entrypoint(checkpointer=saver)
    def flow(_given):
        ask("first"), ask("second")
        return "done"

    @entrypoint(checkpointer=saver)
    async def aflow(_given):
        ask("first"), ask("second")
        return "done"

    chosen = flow if kind == "sync" else aflow
    paused = driver.invoke(chosen, "go", thread_id="t")

    assert list(asked(paused)) == ["first", "second"]
    assert driver.invoke(chosen, Command(resume=dict.fromkeys(asked(paused).values(), "x")), thread_id="t") == "done"


def test_a_task_inside_a_task_may_ask_beside_others(driver, saver, kind):
    @task
    def ask(word):
        return interrupt(word)

    @task
    def pair(name):
        first, second = ask(f"{name} 1"), ask(f"{name} 2")
        return [first.result(), second.result()]

    @task
    async def apair(name):
        return await asyncio.gather(ask(f"{name} 1"), ask(f"{name} 2"))

    @entrypoint(checkpointer=saver)
    def flow(_given):
        return [future.result() for future in [pair("a"), pair("b")]]

    @entrypoint(checkpointer=saver)
    async def aflow(_given):
        return await asyncio.gather(apair("a"), apair("b"))

    chosen = flow if kind == "sync" else aflow
    paused = driver.invoke(chosen, "go", thread_id="t")
    ids = asked(paused)
    half = driver.invoke(chosen, Command(resume={ids["b 1"]: "B1", ids["b 2"]: "B2", ids["a 2"]: "A2"}), thread_id="t")
    ended = driver.invoke(chosen, Command(resume="A1"), thread_id="t")

    assert list(ids) == ["a 1", "a 2", "b 1", "b 2"]
    assert list(asked(half)) == ["a 1"]
    assert ended == [["A1", "A2"], ["B1", "B2"]]


def test_a_loop_asks_one_question_after_the_other_and_repeats_no_work(driver, saver, kind):
    runs = []

    @task
    def work(n, answer):
        runs.append(n)
        return f"{n}{answer}"

    @entrypoint(checkpointer=saver)
    def flow(count):
        return [work(n, interrupt(f"question {n}")).result() for n in range(count)]

    @entrypoint(checkpointer=saver)
    async def aflow(count):
        return [await work(n, interrupt(f"question {n}")) for n in range(count)]

    chosen = flow if kind == "sync" else aflow
    result = driver.invoke(chosen, 4, thread_id="t")
    for n in range(4):
        assert list(asked(result)) == [f"question {n}"]
        result = driver.invoke(chosen, Command(resume="abcd"[n]), thread_id="t")

    assert result == ["0a", "1b", "2c", "3d"]
    assert runs == [0, 1, 2, 3]


def test_a_failure_beside_a_question_is_raised_where_its_result_is_asked_for(driver, saver):
    failures = [ValueError("broken")]

    @task
    def fail():
        if failures:
            raise failures.pop()
        return "fine"

    @task
    def ask():
        return interrupt("hello?")

    @entrypoint(checkpointer=saver)
    def flow(_given):
        failing, asking = fail(), ask()
        return failing.result(), asking.result()

    with pytest.raises(ValueError, match="broken"):
        driver.invoke(flow, "go", thread_id="t")

    assert list(asked(driver.invoke(flow, None, thread_id="t"))) == ["hello?"]
    assert driver.invoke(flow, Command(resume="yes"), thread_id="t") == ("fine", "yes")


def test_a_task_that_waits_for_another_one_pauses_with_it(driver, saver):
    @task
    def ask():
        return interrupt("hello?")

    @entrypoint(checkpointer=saver)
    def flow(_given):
        asking = ask()

        @task
        def echo():
            return asking.result() * 2

        return echo().result(), asking.result()

    paused = driver.invoke(flow, "go", thread_id="t")

    assert [question.value for question in paused["__interrupt__"]] == ["hello?"]
    assert driver.invoke(flow, Command(resume="yes"), thread_id="t") == ("yesyes", "yes")


def test_a_thread_of_the_body_may_wait_and_the_body_pauses(driver, saver):
    @task
    def ask(word):
        return interrupt(word)

    @entrypoint(checkpointer=saver)
    def flow(_given):
        futures = [ask("first"), ask("second")]
        with ThreadPoolExecutor(2) as pool:
            return list(pool.map(lambda future: future.result(), futures))

    paused = driver.invoke(flow, "go", thread_id="t")
    answers = {identity: value.upper() for value, identity in asked(paused).items()}

    assert list(answers.values()) == ["FIRST", "SECOND"]
    assert driver.invoke(flow, Command(resume=answers), thread_id="t") == ["FIRST", "SECOND"]


def test_questions_of_a_nodes_tasks_surface_at_once_though_one_is_late(driver, saver, kind):
    @task
    def ask(word):
        return interrupt(word)

    @task
    def late(word, beside):
        # The node has to have seen that the other one paused.
        while not beside[0].looked_at:
            time.sleep(0)
        return interrupt(word)

    @task
    async def alate(word, beside):
        while not beside[0].done():  # noqa: ASYNC110 - the other one has to have paused
            await asyncio.sleep(0)
        for _ in range(20):
            await asyncio.sleep(0)
        return interrupt(word)

    def node(_state):
        first = ask("first")
        return {"said": [future.result() for future in [first, late("late", (first,))]]}

    async def anode(_state):
        first = ask("first")
        return {"said": await asyncio.gather(first, alate("late", (first,)))}

    builder = StateGraph(dict[str, Any]).add_node("node", node if kind == "sync" else anode).add_edge(START, "node")
    graph = builder.compile(checkpointer=saver)
    ids = asked(driver.invoke(graph, {}, thread_id="t"))

    assert list(ids) == ["first", "late"]
    assert driver.invoke(graph, Command(resume={ids["first"]: 1, ids["late"]: 2}), thread_id="t") == {"said": [1, 2]}


def test_code_that_goes_on_after_a_question_of_a_task_fails_each_time(driver, saver):
    @task
    def ask():
        return interrupt("hello?")

    @entrypoint(checkpointer=saver)
    def flow(_given):
        try:
            return ask().result()
        except BaseException:  # noqa: BLE001 - what it is about
            return "went on"

    for given in ("go", None):
        with pytest.raises(InterruptSwallowedError):
            driver.invoke(flow, given, thread_id="t")


def test_a_task_that_goes_on_after_its_question_is_not_remembered(driver, saver):
    @task
    def ask():
        try:
            return interrupt("hello?")
        except BaseException:  # noqa: BLE001 - what it is about
            return "went on"

    @entrypoint(checkpointer=saver)
    def flow(_given):
        return ask().result()

    for given in ("go", None):
        with pytest.raises(InterruptSwallowedError):
            driver.invoke(flow, given, thread_id="t")


def test_a_question_needs_a_checkpointer(driver):
    @task
    def ask():
        return interrupt("hello?")

    @entrypoint()
    def flow(_given):
        return ask().result()

    with pytest.raises(MissingCheckpointerError):
        driver.invoke(flow, "go")


def test_a_pause_raised_by_hand_is_an_error(driver, saver):
    @task
    def ask():
        raise Pause(())

    @entrypoint(checkpointer=saver)
    def flow(_given):
        return ask().result()

    with pytest.raises(RunError, match="by hand"):
        driver.invoke(flow, "go", thread_id="t")
