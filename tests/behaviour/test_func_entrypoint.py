"""Entrypoints: what they get and return, what a thread keeps, what a stream shows, and where they may be called."""

from __future__ import annotations

import operator
from dataclasses import dataclass
from typing import Annotated, TypedDict

import pytest

from graphkit import START, Command, InMemorySaver, Runtime, StateGraph, get_runtime, interrupt
from graphkit.errors import InvalidGraphError, MissingThreadIdError, ThreadNotFoundError
from graphkit.func import entrypoint, task


@task
def add(a, b):
    return a + b


def counting(saver):
    @entrypoint(checkpointer=saver)
    def count(n, *, previous=None):
        return (previous or 0) + n

    return count


def test_previous_is_what_the_last_call_on_the_thread_returned(driver, saver):
    count = counting(saver)

    results = [driver.invoke(count, n, thread_id=thread) for n, thread in [(1, "a"), (2, "a"), (10, "b"), (3, "a")]]

    assert results == [1, 3, 10, 6]


def test_an_entrypoint_may_return_one_thing_and_save_another(driver, saver):
    @entrypoint(checkpointer=saver)
    def flow(n, previous):
        return n * 100 if n > 2 else entrypoint.final(value=[n, previous], save=f"saved {n}")

    results = [driver.invoke(flow, n, thread_id="t") for n in (1, 2, 3, 2)]

    assert results == [[1, None], [2, "saved 1"], 300, [2, 300]]
    assert driver.get_state(flow, thread_id="t").values == [2, 300]


def test_async_functions_have_all_of_it(driver, saver):
    @entrypoint(checkpointer=saver)
    async def flow(n, previous, writer, config):
        writer("live")
        total = await add(n, previous or 0)
        return entrypoint.final(value=(total, config["configurable"]["thread_id"]), save=total)

    assert driver.invoke(flow, 1, thread_id="t") == (1, "t")
    assert driver.invoke(flow, 2, thread_id="t") == (3, "t")


def test_while_a_question_waits_the_state_is_what_the_call_before_returned(driver, saver):
    @entrypoint(checkpointer=saver)
    def flow(word, previous):
        return f"{previous} {word} {interrupt('go on?') if previous else ''}".strip()

    driver.invoke(flow, "one", thread_id="t")
    driver.invoke(flow, "two", thread_id="t")
    state = driver.get_state(flow, thread_id="t")
    ended = driver.invoke(flow, Command(resume="yes"), thread_id="t")

    assert (state.values, state.next) == ("None one", ("flow",))
    assert [question.value for question in state.interrupts] == ["go on?"]
    assert ended == "None one two yes"


def test_a_result_of_none_is_a_result(driver, saver):
    @entrypoint(checkpointer=saver)
    def flow(value, previous):
        return value

    driver.invoke(flow, "something", thread_id="t")

    assert driver.invoke(flow, Command(update=None, goto="flow"), thread_id="t") is None
    assert driver.get_state(flow, thread_id="t").values is None


def test_history_and_edits_are_those_of_a_graph_of_one_node(driver, saver):
    count = counting(saver)
    driver.invoke(count, 1, thread_id="t")

    steps = [(found.metadata["step"], found.values, found.next) for found in driver.history(count, thread_id="t")]
    driver.update_state(count, None, 40, thread_id="t")
    driver.update_state(count, None, entrypoint.final(value="shown", save=50), thread_id="t")

    assert steps == [(1, 1, ()), (0, None, ("count",)), (-1, None, ("__start__",))]
    assert driver.get_state(count, thread_id="t").values == "shown"
    assert driver.invoke(count, 2, thread_id="t") == 52


def test_a_run_begins_again_from_an_older_checkpoint(driver, saver):
    runs = []

    @task
    def work(n):
        runs.append(n)
        return n

    @entrypoint(checkpointer=saver)
    def flow(n):
        return work(n).result()

    driver.invoke(flow, 7, thread_id="t")
    before = driver.history(flow, thread_id="t")[1].config

    assert driver.invoke(flow, None, before) == 7
    assert runs == [7, 7]


def test_updates_show_each_task_and_then_the_entrypoint(driver, saver):
    @entrypoint(checkpointer=saver)
    def flow(n, writer):
        first = add(n, 1).result()
        writer("half")
        return entrypoint.final(value=add(first, 1).result(), save="kept")

    modes = ["updates", "custom", "values"]
    streamed = driver.stream(flow, 1, thread_id="t", stream_mode=modes)
    again = driver.stream(flow, 5, thread_id="t")

    end = [("updates", {"add": 3}), ("updates", {"flow": 3}), ("values", 3)]
    assert streamed == [("updates", {"add": 2}), ("custom", "half"), *end]
    assert again == [{"add": 6}, {"add": 7}, {"flow": 7}]


def test_values_show_the_result_and_nothing_before(driver, saver):
    count = counting(saver)
    driver.invoke(count, 1, thread_id="t")

    assert driver.stream(count, 2, thread_id="t", stream_mode="values") == [3]
    assert driver.invoke(count, 3, thread_id="t", stream_mode="updates") == [{"count": 6}]


def test_streams_show_questions_and_what_has_ended_is_not_shown_again(driver, saver):
    @entrypoint(checkpointer=saver)
    def flow(n, previous):
        return add(n, 1).result(), interrupt("go on?")

    paused = driver.stream(flow, 1, thread_id="t", stream_mode=["updates", "values"])
    ended = driver.stream(flow, Command(resume="yes"), thread_id="t", stream_mode=["updates", "values"])

    question = driver.history(flow, thread_id="t")[1].tasks[0].interrupts
    assert paused == [("updates", {"add": 2}), ("updates", {"__interrupt__": question}), ("values", {"__interrupt__": question})]
    assert ended == [("updates", {"flow": (2, "yes")}), ("values", (2, "yes"))]


def test_tasks_and_debug_modes_show_what_was_returned(driver, saver):
    @entrypoint(checkpointer=saver)
    def flow(n):
        return entrypoint.final(value=n, save="kept")

    begun, ended = driver.stream(flow, 1, thread_id="t", stream_mode="tasks")

    assert (begun["name"], begun["input"]) == ("flow", 1)
    assert ended["result"] == 1


@dataclass
class Context:
    name: str


def test_context_store_and_runtime_reach_the_function_and_its_tasks(driver, saver):
    @task
    def inside():
        return get_runtime(Context).context.name

    @entrypoint(checkpointer=saver, store="the store", context_schema=Context)
    def flow(_given, runtime: Runtime[Context], store):
        return runtime.context.name, store, inside().result()

    assert driver.invoke(flow, "go", thread_id="t", context={"name": "Ada"}) == ("Ada", "the store", "Ada")


def test_many_runs_side_by_side(driver):
    @entrypoint()
    def flow(n):
        return add(n, 1).result()

    assert driver.batch(flow, [1, 2, 3]) == [2, 3, 4]


class State(TypedDict):
    n: int
    log: Annotated[list[str], operator.add]


def test_an_entrypoint_is_a_node_of_a_graph(driver, saver):
    runs = []

    @task
    def work(n):
        runs.append(n)
        return n

    @entrypoint()
    def step(state):
        return {"n": work(state["n"] + 1).result(), "log": [interrupt("go on?")]}

    graph = StateGraph(State).add_node(step).add_edge(START, "step").compile(checkpointer=saver)
    paused = driver.invoke(graph, {"n": 1, "log": []}, thread_id="t")
    ended = driver.invoke(graph, Command(resume="yes"), thread_id="t")

    assert [question.value for question in paused["__interrupt__"]] == ["go on?"]
    assert ended == {"n": 2, "log": ["yes"]}
    assert runs == [2]


def test_entrypoints_and_graphs_are_called_inside_entrypoints_and_tasks(driver, saver):
    runs = []

    def node(state):
        runs.append("node")
        return {"log": [interrupt(f"graph {state['n']}")]}

    graph = StateGraph(State).add_node("node", node).add_edge(START, "node").compile()

    @entrypoint()
    def inner(n):
        runs.append("inner")
        return add(n, 1).result(), interrupt(f"inner {n}")

    @task
    def delegate(n):
        return inner.invoke(n), graph.invoke({"n": n, "log": []})["log"]

    @entrypoint(checkpointer=saver)
    def outer(_given):
        return [future.result() for future in [delegate(1), delegate(2)]]

    result, rounds = driver.invoke(outer, "go", thread_id="t"), []
    while isinstance(result, dict):
        rounds.append([question.value for question in result["__interrupt__"]])
        result = driver.invoke(outer, Command(resume={q.id: q.value.upper() for q in result["__interrupt__"]}), thread_id="t")

    assert rounds == [["inner 1", "inner 2"], ["graph 1", "graph 2"]]
    assert result == [((2, "INNER 1"), ["GRAPH 1"]), ((3, "INNER 2"), ["GRAPH 2"])]


def test_an_inner_entrypoint_keeps_previous_if_it_was_told_to(driver, saver):
    @entrypoint(checkpointer=True)
    def inner(n, previous):
        return (previous or 0) + n

    @entrypoint(checkpointer=saver)
    def outer(n):
        return inner.invoke(n)

    assert [driver.invoke(outer, n, thread_id="t") for n in (1, 2, 3)] == [1, 3, 6]


def test_inner_entrypoints_are_shown_with_their_place(driver, saver):
    @entrypoint()
    def inner(n):
        return add(n, 1).result()

    @entrypoint(checkpointer=saver)
    def outer(n):
        return inner.invoke(n)

    streamed = driver.stream(outer, 1, thread_id="t", subgraphs=True)

    assert [(len(path), chunk) for path, chunk in streamed] == [(1, {"add": 2}), (1, {"inner": 2}), (0, {"outer": 2})]


def test_a_thread_has_to_be_named(driver, saver):
    count = counting(saver)

    with pytest.raises(MissingThreadIdError):
        driver.invoke(count, 1)
    with pytest.raises(ThreadNotFoundError):
        driver.get_state(count, thread_id="nobody")


def test_breakpoints_stop_before_the_function(driver, saver):
    count = counting(saver)

    driver.invoke(count, 5, thread_id="t", interrupt_before=["count"])

    assert driver.get_state(count, thread_id="t").next == ("count",)
    assert driver.invoke(count, None, thread_id="t") == 5


def generator(_given):
    yield 1


async def agenerator(_given):
    yield 1


@pytest.mark.parametrize("function", [generator, agenerator])
@pytest.mark.parametrize("decorate", [entrypoint(), task, task(name="other")], ids=["entrypoint", "task", "named"])
def test_generators_are_refused(decorate, function):
    with pytest.raises(InvalidGraphError, match="generator function"):
        decorate(function)


def test_mistakes_in_the_declaration_are_named():
    with pytest.raises(InvalidGraphError, match="parentheses"):
        entrypoint(counting)  # type: ignore[arg-type]
    with pytest.raises(InvalidGraphError, match="'second'"):
        entrypoint()(lambda first, second: None)
    with pytest.raises(InvalidGraphError, match="RetryPolicy"):
        task(retry_policy=3)(print)  # type: ignore[call-overload]
    with pytest.raises(InvalidGraphError, match="thread cannot be stopped"):
        task(timeout=1)(lambda: None)
    with pytest.raises(InvalidGraphError, match="positive"):
        entrypoint(timeout=0)(lambda given: None)
    with pytest.raises(InvalidGraphError, match="name"):
        task(name="")(print)
    with pytest.raises(InvalidGraphError, match="cannot be called"):
        entrypoint()(3)  # type: ignore[arg-type]


def test_names_and_words_of_the_function_are_kept():
    @entrypoint(checkpointer=InMemorySaver())
    def flow(given):
        """What it does."""

    assert (flow.name, flow.__doc__, repr(flow), repr(add)) == ("flow", "What it does.", "Workflow('flow')", "Task('add')")
    assert isinstance(flow.checkpointer, InMemorySaver)
    assert flow.store is None
