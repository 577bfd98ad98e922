"""Tasks: they begin when they are called, run side by side, and what has ended does not run again."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import as_completed, wait
from dataclasses import dataclass
from typing import Any

import pytest

from graphkit import START, Command, InMemorySaver, RetryPolicy, StateGraph, get_runtime, interrupt, once
from graphkit.errors import InterruptMismatchError, InterruptSwallowedError, OutsideRunError, RunError, UnserializableValueError
from graphkit.func import entrypoint, task

NO_WAIT = RetryPolicy(max_attempts=3, initial_interval=0, jitter=False, retry_on=ConnectionError)


def test_a_task_called_outside_of_a_run_is_refused():
    @task
    def alone():
        return 1

    with pytest.raises(OutsideRunError, match="'alone'"):
        alone()


def test_sync_tasks_run_side_by_side(driver, saver):
    together = threading.Barrier(3, timeout=20)

    @task
    def meet(n):
        together.wait()
        return n * 10

    @entrypoint(checkpointer=saver)
    def flow(count):
        return [future.result() for future in [meet(n) for n in range(count)]]

    assert driver.invoke(flow, 3, thread_id="t") == [0, 10, 20]


def test_async_tasks_run_side_by_side(driver, saver):
    @task
    async def meet(n, everybody):
        everybody.append(n)
        while len(everybody) < 3:  # noqa: ASYNC110 - the three have to meet
            await asyncio.sleep(0)
        return n * 10

    @entrypoint(checkpointer=saver)
    async def flow(count):
        everybody = []
        futures = [meet(n, everybody) for n in range(count)]
        return await asyncio.gather(*futures)

    assert driver.invoke(flow, 3, thread_id="t") == [0, 10, 20]


def test_a_sync_task_of_an_async_entrypoint_runs_in_a_thread(driver, saver):
    together = threading.Barrier(2, timeout=20)

    @task
    def meet(n):
        together.wait()
        return n

    @entrypoint(checkpointer=saver)
    async def flow(_given):
        first, second = meet(1), meet(2)
        return [await second, await first]

    assert driver.invoke(flow, "go", thread_id="t") == [2, 1]


def test_an_async_task_of_a_sync_entrypoint_has_a_result_to_wait_for(driver, saver):
    @task
    async def double(n):
        await asyncio.sleep(0)
        return n * 2

    @entrypoint(checkpointer=saver)
    def flow(n):
        return double(double(n).result()).result()

    assert driver.invoke(flow, 3, thread_id="t") == 12


def test_max_concurrency_holds_for_tasks(driver):
    running, most = [], []

    @task
    def work(n):
        running.append(n)
        most.append(len(running))
        running.remove(n)
        return n

    @task
    async def awork(n):
        running.append(n)
        most.append(len(running))
        await asyncio.sleep(0)
        running.remove(n)
        return n

    @entrypoint()
    def flow(count):
        return [future.result() for future in [work(n) for n in range(count)]]

    @entrypoint()
    async def aflow(count):
        return await asyncio.gather(*[awork(n) for n in range(count)])

    assert driver.invoke(flow, 5, {"max_concurrency": 1}) == driver.invoke(aflow, 5, {"max_concurrency": 1}) == [0, 1, 2, 3, 4]
    assert max(most) == 1


def test_futures_are_those_of_the_standard_library(driver, saver):
    @task
    def fail():
        raise KeyError("no")

    @task
    def work(n):
        return n

    @entrypoint(checkpointer=saver)
    def flow(_given):
        futures = [work(1), work(2)]
        wait(futures)
        failed = fail()
        error = failed.exception()
        return [future.done() for future in futures], sorted([done.result() for done in as_completed(futures)]), repr(error)

    assert driver.invoke(flow, "go", thread_id="t") == ([True, True], [1, 2], "KeyError('no')")


@pytest.fixture(params=["sync", "async"])
def kind(request):
    """Whether the functions of a workflow are coroutine functions."""
    return request.param


class Bench:
    """A workflow of three steps, in both kinds, that notes each run and fails as often as it is told."""

    def __init__(self, saver, kind, **options):
        self.runs: list[str] = []
        self.failures: list[BaseException] = []
        step = task(self.step, **options)
        astep = task(self.astep, **options)

        @entrypoint(checkpointer=saver)
        def flow(word):
            self.runs.append("body")
            first, second = step(word, "a"), step(word, "b")
            both = first.result() + second.result()
            return step(both, "c").result()

        @entrypoint(checkpointer=saver)
        async def aflow(word):
            self.runs.append("body")
            both = "".join(await asyncio.gather(astep(word, "a"), astep(word, "b")))
            return await astep(both, "c")

        self.flow = flow if kind == "sync" else aflow

    def step(self, word, letter):
        self.runs.append(letter)
        if letter == "c" and self.failures:
            raise self.failures.pop()
        return word + letter

    async def astep(self, word, letter):
        return self.step(word, letter)


def test_what_has_ended_does_not_run_again_after_a_failure(driver, saver, kind):
    bench = Bench(saver, kind)
    bench.failures = [ValueError("broken")]

    with pytest.raises(ValueError, match="broken"):
        driver.invoke(bench.flow, "x", thread_id="t")
    again = driver.invoke(bench.flow, None, thread_id="t")

    assert again == "xaxbc"
    assert sorted(bench.runs) == ["a", "b", "body", "body", "c", "c"]


@pytest.mark.parametrize("durability", ["async", "exit"])
def test_other_durabilities_keep_results_over_a_failure(driver, saver, kind, durability):
    bench = Bench(saver, kind)
    bench.failures = [ValueError("broken")]

    with pytest.raises(ValueError, match="broken"):
        driver.invoke(bench.flow, "x", thread_id="t", durability=durability)

    assert driver.invoke(bench.flow, None, thread_id="t", durability=durability) == "xaxbc"
    assert sorted(bench.runs) == ["a", "b", "body", "body", "c", "c"]


def test_a_policy_of_a_task_runs_only_the_task_again(driver, saver, kind):
    bench = Bench(saver, kind, retry_policy=NO_WAIT)
    bench.failures = [ConnectionError(), ConnectionError()]

    assert driver.invoke(bench.flow, "x", thread_id="t") == "xaxbc"
    assert sorted(bench.runs) == ["a", "b", "body", "c", "c", "c"]


def test_the_attempts_of_a_policy_are_counted_for_each_run(driver, saver, kind):
    bench = Bench(saver, kind, retry_policy=NO_WAIT)
    bench.failures = [ConnectionError()] * 4

    with pytest.raises(ConnectionError):
        driver.invoke(bench.flow, "x", thread_id="t")

    assert driver.invoke(bench.flow, None, thread_id="t") == "xaxbc"
    assert bench.runs.count("c") == 5


@pytest.mark.parametrize("saves", [True, False])
def test_a_policy_of_the_entrypoint_keeps_the_results_of_tasks(driver, saver, saves):
    runs, failures = [], [ConnectionError(), ConnectionError()]

    @task
    def inner(n):
        runs.append("inner")
        return n

    @task
    def outer(n):
        runs.append("outer")
        found = inner(n).result()
        if failures:
            raise failures.pop()
        return found

    @entrypoint(checkpointer=saver if saves else None, retry_policy=NO_WAIT)
    def flow(n):
        runs.append("body")
        return inner(n + 1).result(), outer(n).result(), get_runtime().execution_info.node_attempt

    assert driver.invoke(flow, 1, thread_id="t" if saves else None) == (2, 1, 3)
    assert runs == ["body", "inner", "outer", "inner", "body", "outer", "body", "outer"]


def test_tasks_call_tasks_and_each_level_is_remembered(driver, saver, kind):
    runs, failures = [], [ValueError("broken")]

    @task
    def leaf(n):
        runs.append(f"leaf {n}")
        return n

    @task
    def branch(n):
        runs.append(f"branch {n}")
        found = [leaf(n).result(), leaf(n + 1).result()]
        if n == 20 and failures:
            raise failures.pop()
        return sum(found)

    @task
    async def abranch(n):
        runs.append(f"branch {n}")
        found = await asyncio.gather(leaf(n), leaf(n + 1))
        if n == 20 and failures:
            raise failures.pop()
        return sum(found)

    @entrypoint(checkpointer=saver)
    def flow(_given):
        return [future.result() for future in [branch(10), branch(20)]]

    @entrypoint(checkpointer=saver)
    async def aflow(_given):
        return await asyncio.gather(abranch(10), abranch(20))

    chosen = flow if kind == "sync" else aflow
    with pytest.raises(ValueError, match="broken"):
        driver.invoke(chosen, "go", thread_id="t")

    assert driver.invoke(chosen, None, thread_id="t") == [21, 41]
    assert sorted(runs) == ["branch 10", "branch 20", "branch 20", "leaf 10", "leaf 11", "leaf 20", "leaf 21"]


def test_a_rerun_with_other_arguments_is_refused_and_runs_nothing(driver, saver):
    runs, passed = [], ["first", "second"]

    @task
    def pay(amount):
        runs.append(amount)
        return amount

    @entrypoint(checkpointer=saver)
    def flow(_given):
        paid = pay(passed.pop(0)).result()
        return paid, interrupt("fine?")

    driver.invoke(flow, "go", thread_id="t")
    with pytest.raises(InterruptMismatchError, match="'pay'") as caught:
        driver.invoke(flow, Command(resume="yes"), thread_id="t")

    assert caught.value.facts["call"] == "@pay:0"
    assert runs == ["first"]
    passed.append("first")
    assert driver.invoke(flow, None, thread_id="t") == ("first", "yes")


def test_arguments_that_cannot_be_stored_are_known_by_their_class(driver, saver):
    class Client:
        pass

    runs = []

    @task
    def fetch(client, *, page):
        runs.append(page)
        return page

    @entrypoint(checkpointer=saver)
    def flow(_given):
        return fetch(Client(), page=1).result(), interrupt("fine?")

    driver.invoke(flow, "go", thread_id="t")

    assert driver.invoke(flow, Command(resume="yes"), thread_id="t") == (1, "yes")
    assert runs == [1]


def test_a_result_that_cannot_be_stored_names_the_task_and_the_place(driver, saver):
    @task
    def fetch():
        return {"page": [print]}

    @entrypoint(checkpointer=saver)
    def flow(_given):
        return fetch().result()

    with pytest.raises(UnserializableValueError, match="task 'fetch'") as caught:
        driver.invoke(flow, "go", thread_id="t")

    assert caught.value.facts["path"] == "$.page[0]"


@dataclass
class Page:
    number: int


def test_classes_of_annotations_are_stored_and_found_again(driver, saver):
    runs = []

    @task
    def fetch(number: int) -> Page:
        runs.append(number)
        return Page(number)

    @entrypoint(checkpointer=saver)
    def flow(given: Page) -> Page:
        page = fetch(given.number + 1).result()
        return Page(page.number * interrupt("times?"))

    driver.invoke(flow, Page(1), thread_id="t")

    assert driver.invoke(flow, Command(resume=10), thread_id="t") == Page(20)
    assert runs == [2]


def test_a_failure_nobody_looked_at_fails_the_workflow(driver, saver, kind):
    runs = []

    @task
    def fail():
        raise KeyError("lost")

    @task
    def work():
        runs.append("work")

    @entrypoint(checkpointer=saver)
    def flow(_given):
        fail(), work()
        return "done"

    @entrypoint(checkpointer=saver)
    async def aflow(_given):
        fail(), work()
        return "done"

    with pytest.raises(KeyError, match="lost"):
        driver.invoke(flow if kind == "sync" else aflow, "go", thread_id="t")

    assert runs == ["work"]


def test_a_body_may_handle_the_failure_of_a_task(driver, saver, kind):
    @task
    def fail():
        raise KeyError("lost")

    @entrypoint(checkpointer=saver)
    def flow(_given):
        try:
            return fail().result()
        except KeyError:
            return "handled"

    @entrypoint(checkpointer=saver)
    async def aflow(_given):
        try:
            return await fail()
        except KeyError:
            return "handled"

    assert driver.invoke(flow if kind == "sync" else aflow, "go", thread_id="t") == "handled"


def test_a_body_that_fails_leaves_no_task_behind(driver, saver):
    begun, go_on, ended = threading.Event(), threading.Event(), []

    @task
    def slow():
        begun.set()
        go_on.wait(20)
        ended.append("slow")

    @entrypoint(checkpointer=saver)
    def flow(_given):
        slow()
        begun.wait(20)
        go_on.set()
        raise ValueError("body")

    with pytest.raises(ValueError, match="body"):
        driver.invoke(flow, "go", thread_id="t")

    assert ended == ["slow"]


def test_a_timeout_cancels_an_attempt(driver, saver):
    attempts = []

    @task(timeout=0.01, retry_policy=RetryPolicy(max_attempts=2, initial_interval=0))
    async def slow():
        attempts.append("begun")
        if len(attempts) == 1:
            await asyncio.Event().wait()
        return "in time"

    @task(timeout=0.01)
    async def endless():
        await asyncio.Event().wait()

    @entrypoint(checkpointer=saver)
    async def flow(_given):
        return await slow(), await endless()

    with pytest.raises(TimeoutError, match="Task 'endless' took longer"):
        driver.invoke(flow, "go", thread_id="t")

    assert attempts == ["begun", "begun"]


def test_an_event_loop_is_not_blocked_by_result(driver, saver):
    @task
    async def work():
        return 1

    @entrypoint(checkpointer=saver)
    async def flow(_given):
        future = work()
        try:
            return future.result()
        except RunError as error:
            return error.hint, await future, future.result()

    assert driver.invoke(flow, "go", thread_id="t") == ("Await the future.", 1, 1)


def test_a_coroutine_can_be_given_up(driver, saver):
    ended = []

    @task
    async def endless(begun):
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("endless")

    @entrypoint(checkpointer=saver)
    async def flow(_given):
        begun = asyncio.Event()
        future = endless(begun)
        await begun.wait()
        given_up = future.cancel()
        with pytest.raises(asyncio.CancelledError):
            await future
        return given_up, future.cancel()

    assert driver.invoke(flow, "go", thread_id="t") == (True, False)
    assert ended == ["endless"]


def test_who_stops_waiting_for_a_coroutine_gives_it_up(driver, saver):
    ended = []

    @task
    async def endless(begun):
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("endless")

    @entrypoint(checkpointer=saver)
    async def flow(_given):
        begun = asyncio.Event()

        async def waiting():
            await endless(begun)

        waiter = asyncio.create_task(waiting())
        await begun.wait()
        waiter.cancel()
        return "given up"

    assert driver.invoke(flow, "go", thread_id="t") == "given up"
    assert ended == ["endless"]


def test_a_task_that_has_not_begun_can_be_cancelled(driver, saver):
    go_on, runs = threading.Event(), []

    @task
    def work(n):
        runs.append(n)
        go_on.wait(20)
        return n

    @task
    async def awork(n):
        runs.append(n)
        return n

    @entrypoint(checkpointer=saver)
    def flow(_given):
        first, second = work(1), work(2)
        cancelled = second.cancel()
        go_on.set()
        return first.result(), cancelled, second.cancelled()

    @entrypoint(checkpointer=saver)
    async def aflow(_given):
        first, second = awork(1), awork(2)
        second.cancel()
        with pytest.raises(asyncio.CancelledError):
            await second
        return await first

    assert driver.invoke(flow, "go", {"max_concurrency": 1}, thread_id="t") == (1, True, True)
    assert driver.invoke(aflow, "go", {"max_concurrency": 1}, thread_id="u") == 1
    assert runs == [1, 1]


def test_services_are_filled_in_unless_they_are_passed(driver, saver):
    @task
    def place(word, config=None, *, store=None):
        return word, config["configurable"]["thread_id"] if isinstance(config, dict) else config, store

    @entrypoint(checkpointer=saver, store="the store")
    def flow(word):
        return place(word).result(), place(word, "mine", store="other").result()

    assert driver.invoke(flow, "w", thread_id="t") == (("w", "t", "the store"), ("w", "mine", "other"))


def test_a_method_can_be_a_task(driver, saver):
    class Counter:
        step = 5

        @task
        def add(self, n):
            return n + self.step

    @entrypoint(checkpointer=saver)
    def flow(n):
        return Counter().add(n).result()

    assert driver.invoke(flow, 1, thread_id="t") == 6


def graph_of(node, saver):
    return StateGraph(dict[str, Any]).add_node("node", node).add_edge(START, "node").compile(checkpointer=saver)


def test_tasks_run_in_nodes_of_graphs(driver, saver, kind):
    runs = []

    @task
    def work(n):
        runs.append(n)
        return n

    def node(_state):
        futures = [work(1), work(2)]
        return {"found": [future.result() for future in futures], "answer": interrupt("go on?")}

    async def anode(_state):
        return {"found": await asyncio.gather(work(1), work(2)), "answer": interrupt("go on?")}

    graph = graph_of(node if kind == "sync" else anode, saver)
    driver.invoke(graph, {}, thread_id="t")

    assert driver.invoke(graph, Command(resume="yes"), thread_id="t") == {"found": [1, 2], "answer": "yes"}
    assert sorted(runs) == [1, 2]


def test_a_node_that_ignores_the_question_of_its_task_fails(driver, saver):
    @task
    def ask():
        interrupt("hello?")

    def node(_state):
        wait([ask()])
        return {"went": "on"}

    with pytest.raises(InterruptSwallowedError):
        driver.invoke(graph_of(node, saver), {}, thread_id="t")


def test_once_in_a_task_belongs_to_the_call(driver, saver):
    effects, failures = [], [ValueError("broken")]

    @task
    def work(n):
        once("act", effects.append, n)
        if n == 2 and failures:
            raise failures.pop()
        return n

    @entrypoint(checkpointer=saver)
    def flow(_given):
        return [future.result() for future in [work(1), work(2)]]

    with pytest.raises(ValueError, match="broken"):
        driver.invoke(flow, "go", thread_id="t")

    assert driver.invoke(flow, None, thread_id="t") == [1, 2]
    assert sorted(effects) == [1, 2]


def test_a_new_turn_runs_tasks_anew(driver, saver, kind):
    bench = Bench(saver, kind)

    driver.invoke(bench.flow, "x", thread_id="t")
    driver.invoke(bench.flow, "x", thread_id="t")

    assert bench.runs.count("a") == 2


def test_an_unfinished_task_is_cancelled_with_its_run():
    begun, ended = [], []

    @task
    async def endless():
        begun.append("endless")
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("endless")

    @entrypoint(checkpointer=InMemorySaver())
    async def flow(_given):
        return await endless()

    async def main():
        running = asyncio.create_task(flow.ainvoke("go", thread_id="t"))
        while not begun:  # noqa: ASYNC110 - the run has to be in the middle
            await asyncio.sleep(0)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        return list(ended)

    assert asyncio.run(main()) == ["endless"]
