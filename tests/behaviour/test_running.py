"""Running graphs: inputs and results, config and context, sync and async nodes under both drivers, failures."""

from __future__ import annotations

import _thread
import asyncio
import operator
import sys
import threading
import time
from dataclasses import dataclass
from typing import Annotated, TypedDict

import pytest
from pydantic import BaseModel

from graphkit import START, Runtime, StateGraph
from graphkit.errors import (
    EmptyInputError,
    InvalidConfigError,
    InvalidUpdateError,
    MissingCheckpointerError,
    MissingThreadIdError,
    RequestError,
)


class State(TypedDict):
    log: Annotated[list[str], operator.add]
    word: str


@dataclass
class Caller:
    name: str
    level: int = 1


class CallerModel(BaseModel):
    name: str
    level: int = 1


class CallerDict(TypedDict):
    name: str


def chain(*nodes, **options):
    builder = StateGraph(State, options.pop("context_schema", None)).add_sequence(list(nodes))
    first = nodes[0][0] if isinstance(nodes[0], tuple) else nodes[0].__name__
    return builder.add_edge(START, first).compile(**options)


def logs(word):
    return (word, lambda state: {"log": [word]})


async def anode(state):
    await asyncio.sleep(0)
    return {"log": [f"async {threading.current_thread() is threading.main_thread()}"]}


def test_invoke_returns_the_state(driver):
    assert driver.invoke(chain(logs("a"), logs("b")), {"log": ["i"], "word": "w"}) == {"log": ["i", "a", "b"], "word": "w"}


def test_an_empty_input_begins_a_turn(driver):
    assert driver.invoke(chain(logs("a")), {}) == {"log": ["a"]}


def test_no_input_and_no_thread_is_an_error(driver, saver):
    with pytest.raises(EmptyInputError):
        driver.invoke(chain(logs("a")), None)
    with pytest.raises(EmptyInputError):
        driver.invoke(chain(logs("a"), checkpointer=saver), None, thread_id="new")


def test_no_input_on_a_finished_thread_returns_the_state_and_saves_nothing(driver, saver):
    graph = chain(logs("a"), checkpointer=saver)
    driver.invoke(graph, {}, thread_id="t")
    before = len(driver.history(graph, thread_id="t"))

    assert driver.invoke(graph, None, thread_id="t") == {"log": ["a"]}
    assert len(driver.history(graph, thread_id="t")) == before


def test_a_second_input_begins_a_new_turn_on_the_same_state(driver, saver):
    graph = chain(logs("a"), checkpointer=saver)
    driver.invoke(graph, {"log": ["1"], "word": "w"}, thread_id="t")

    assert driver.invoke(graph, {"log": ["2"]}, thread_id="t") == {"log": ["1", "a", "2", "a"], "word": "w"}


def test_threads_do_not_know_each_other(driver, saver):
    graph = chain(logs("a"), checkpointer=saver)
    driver.invoke(graph, {"log": ["1"]}, thread_id="one")

    assert driver.invoke(graph, {"log": ["2"]}, thread_id="two") == {"log": ["2", "a"]}


@pytest.mark.parametrize("given", [5, "text", ["log"], object()])
def test_what_is_no_input_is_refused(driver, given):
    with pytest.raises(InvalidUpdateError, match="Input"):
        driver.invoke(chain(logs("a")), given)


def test_invoke_with_another_stream_mode_returns_the_chunks(driver):
    assert driver.invoke(chain(logs("a"), logs("b")), {}, stream_mode="updates") == [{"a": {"log": ["a"]}}, {"b": {"log": ["b"]}}]


def test_a_thread_is_named_by_the_short_form_or_by_config(driver, saver):
    graph = chain(logs("a"), checkpointer=saver)
    driver.invoke(graph, {}, thread_id="t")

    assert driver.invoke(graph, {}, {"configurable": {"thread_id": "t"}}) == {"log": ["a", "a"]}
    assert driver.invoke(graph, {}, {"configurable": {"thread_id": "t"}}, thread_id="t") == {"log": ["a", "a", "a"]}
    assert driver.get_state(graph, {"configurable": {"thread_id": "t"}}) == driver.get_state(graph, thread_id="t")


def test_two_different_thread_ids_are_refused(driver, saver):
    with pytest.raises(InvalidConfigError, match=r"'a'.*'b'"):
        driver.invoke(chain(logs("a"), checkpointer=saver), {}, {"configurable": {"thread_id": "b"}}, thread_id="a")


@pytest.mark.parametrize("config", [None, {}, {"configurable": {}}, {"configurable": {"user": "u"}}])
def test_a_graph_that_saves_needs_a_thread_id(driver, saver, config):
    with pytest.raises(MissingThreadIdError, match="thread_id="):
        driver.invoke(chain(logs("a"), checkpointer=saver), {}, config)


def test_a_thread_id_without_a_checkpointer_is_allowed_and_seen_by_nodes(driver):
    seen: list[object] = []
    graph = chain(("a", lambda state, config: seen.append(config["configurable"]["thread_id"])))

    driver.invoke(graph, {}, thread_id="t")

    assert seen == ["t"]


@pytest.mark.parametrize(
    "config, options",
    [
        ({"recursion_limt": 5}, {}),
        ({"callbacks": []}, {}),
        ({"configurable": 5}, {}),
        (5, {}),
        ({"metadata": ["x"]}, {}),
        ({"recursion_limit": 0}, {}),
        ({"recursion_limit": "5"}, {}),
        ({"max_concurrency": 0}, {}),
        ({"configurable": {"checkpoint_id": 5}}, {}),
        (None, {"recursion_limit": -1}),
        (None, {"max_concurrency": True}),
        (None, {"recursionlimit": 5}),
        (None, {"durability": "never"}),
    ],
    ids=str,
)
def test_a_wrong_config_is_refused_before_anything_runs(driver, config, options):
    ran: list[object] = []

    with pytest.raises(InvalidConfigError):
        driver.invoke(chain(("a", ran.append)), {}, config, **options)

    assert ran == []


def test_an_unknown_option_is_named_with_the_nearest_one(driver):
    with pytest.raises(InvalidConfigError, match=r"'recursionlimit'.*'recursion_limit'"):
        driver.invoke(chain(logs("a")), {}, recursionlimit=5)


@pytest.mark.parametrize("durability", ["sync", "async", "exit"])
def test_durability_without_a_checkpointer_is_a_clear_error(driver, durability):
    with pytest.raises(MissingCheckpointerError, match="checkpointer") as caught:
        driver.invoke(chain(logs("a")), {}, durability=durability)

    assert isinstance(caught.value, ValueError)
    assert isinstance(caught.value, RequestError)


def test_users_metadata_is_kept_with_each_checkpoint(driver, saver):
    graph = chain(logs("a"), checkpointer=saver)
    driver.invoke(graph, {}, {"metadata": {"tag": [1]}, "configurable": {"thread_id": "t", "user": "u"}})

    assert [snapshot.metadata["tag"] for snapshot in driver.history(graph, thread_id="t")] == [[1], [1], [1]]
    assert {snapshot.metadata["user"] for snapshot in driver.history(graph, thread_id="t")} == {"u"}


def context_seen(driver, context_schema, **options):
    seen: list[object] = []

    def node(state, runtime: Runtime[object]) -> None:
        seen.append(runtime.context)

    driver.invoke(chain(node, context_schema=context_schema), {}, **options)
    return seen[0]


def test_context_reaches_nodes_as_it_is(driver):
    mine = object()

    assert context_seen(driver, None, context=mine) is mine
    assert context_seen(driver, Caller, context=Caller("ann")) == Caller("ann")
    assert context_seen(driver, None) is None


@pytest.mark.parametrize("schema", [Caller, CallerModel])
def test_a_context_dict_is_made_into_the_context_schema(driver, schema):
    assert context_seen(driver, schema, context={"name": "ann"}) == schema(name="ann")


def test_a_context_schema_that_is_a_dict_gets_a_dict(driver):
    assert context_seen(driver, CallerDict, context={"name": "ann"}) == {"name": "ann"}


@pytest.mark.parametrize("schema", [Caller, CallerModel])
@pytest.mark.parametrize("context", [{"nmae": "ann"}, {}])
def test_a_context_that_does_not_fit_its_schema_is_refused(driver, schema, context):
    with pytest.raises(InvalidConfigError, match="context"):
        context_seen(driver, schema, context=context)


def test_sync_and_async_nodes_and_routers_run_under_both_drivers(driver):
    async def path(state):
        return "last"

    builder = StateGraph(State).add_sequence([logs("a"), ("b", anode)]).add_node(*logs("last")).add_edge(START, "a")
    graph = builder.add_conditional_edges("b", path).compile()

    log = driver.invoke(graph, {})["log"]

    assert (log[0], log[2]) == ("a", "last")
    assert log[1].startswith("async")


async def test_async_nodes_run_under_invoke_while_a_loop_is_running():
    graph = chain(("a", anode), logs("b"))

    assert graph.invoke({}) == {"log": ["async False", "b"]}
    assert [list(chunk) for chunk in graph.stream({})] == [["a"], ["b"]]
    assert graph.batch([{}, {}]) == [{"log": ["async False", "b"]}] * 2


async def test_sync_nodes_do_not_block_the_loop_of_ainvoke():
    loop_went_on = threading.Event()

    def node(state):
        return {"word": str(loop_went_on.wait(10))}

    async def beside():
        loop_went_on.set()

    result, _ = await asyncio.gather(chain(("a", node)).ainvoke({}), beside())

    assert result["word"] == "True"


async def test_one_compiled_graph_serves_many_tasks_of_a_loop_at_once():
    graph = chain(logs("a"), ("b", anode))

    results = await asyncio.gather(*[graph.ainvoke({"log": [str(n)]}) for n in range(50)])

    assert [result["log"][0] for result in results] == [str(n) for n in range(50)]
    assert {len(result["log"]) for result in results} == {3}


def test_one_compiled_graph_serves_many_threads_at_once(saver):
    graph = chain(logs("a"), ("b", anode), checkpointer=saver)
    results: dict[int, object] = {}
    together = threading.Barrier(8)

    def call(n):
        together.wait(10)
        results[n] = graph.invoke({"log": [str(n)]}, thread_id=f"t{n}")["log"][:2]

    threads = [threading.Thread(target=call, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert results == {n: [str(n), "a"] for n in range(8)}


def test_what_a_node_raises_reaches_the_caller_with_the_nodes_name(driver):
    class MineError(Exception):
        pass

    def fails(state):
        raise MineError("mine")

    with pytest.raises(MineError, match="mine") as caught:
        driver.invoke(chain(logs("a"), ("b", fails)), {})

    assert any("'b'" in note for note in caught.value.__notes__)


def test_what_a_router_raises_reaches_the_caller_and_the_node_runs_again(driver, saver):
    ran: list[str] = []
    broken = [True]

    def path(state):
        if broken:
            raise KeyError(broken.pop())
        return "z"

    builder = StateGraph(State).add_node("a", lambda state: ran.append("a")).add_node(*logs("z")).add_edge(START, "a")
    graph = builder.add_conditional_edges("a", path).compile(saver)
    with pytest.raises(KeyError):
        driver.invoke(graph, {}, thread_id="t")

    assert driver.get_state(graph, thread_id="t").next == ("a",)
    assert driver.invoke(graph, None, thread_id="t") == {"log": ["z"]}


def test_a_sync_node_that_outlives_its_event_loop_ends_quietly(monkeypatch):
    complaints: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", complaints.append)
    begun, loop_is_gone, wrote = threading.Event(), threading.Event(), threading.Event()

    def outlives(state, writer):
        begun.set()
        loop_is_gone.wait(10)
        writer("nobody hears")
        wrote.set()

    async def run():
        async def read():
            return [chunk async for chunk in chain(("a", outlives)).astream({}, stream_mode="custom")]

        task = asyncio.create_task(read())
        await asyncio.to_thread(begun.wait, 10)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    before = _thread._count()
    asyncio.run(run())
    loop_is_gone.set()
    wrote.wait(10)
    while _thread._count() > before:
        time.sleep(0)

    assert wrote.is_set()
    assert complaints == []


def test_a_cancelled_run_can_be_continued(saver):
    async def run():
        begun = asyncio.Event()

        async def waits(state):
            begun.set()
            await asyncio.Event().wait()

        task = asyncio.create_task(chain(logs("a"), ("b", waits), checkpointer=saver).ainvoke({}, thread_id="t"))
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(run())
    graph = chain(logs("a"), logs("b"), checkpointer=saver)

    assert graph.get_state(thread_id="t").next == ("b",)
    assert graph.invoke(None, thread_id="t") == {"log": ["a", "b"]}
