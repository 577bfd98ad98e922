"""What code inside a node can reach: config, store, writer and runtime, as parameters and by functions, at any depth."""

from __future__ import annotations

import asyncio
import operator
import threading
from contextvars import ContextVar, copy_context
from functools import partial
from typing import Annotated, Any, TypedDict

import pytest

from graphkit import START, Runtime, Send, StateGraph, get_config, get_runtime, get_store, get_stream_writer, interrupt, once
from graphkit.errors import OutsideRunError


class State(TypedDict):
    log: Annotated[list[str], operator.add]


STORE = object()
"""Stands for a store: it is handed through as it is."""


def graph_of(node, **options):
    return StateGraph(State).add_node("node", node).add_edge(START, "node").compile(**options)


def reached():
    """Return what the functions reach here."""
    runtime: Runtime[Any] = get_runtime()
    get_stream_writer()("written")
    return (
        get_config()["configurable"]["user"],
        get_store() is STORE,
        runtime.context,
        runtime.store is STORE,
        runtime.execution_info.node,
    )


ALL = ("ann", True, "context", True, "node")
OPTIONS: dict[str, Any] = {"config": {"configurable": {"user": "ann"}}, "context": "context", "stream_mode": ["custom", "updates"]}


def in_helper(state):
    return {"log": [reached()]}


def in_thread(state):
    found: list[Any] = []
    thread = threading.Thread(target=partial(copy_context().run, lambda: found.append(reached())))
    thread.start()
    thread.join()
    return {"log": found}


async def in_coroutine(state):
    await asyncio.sleep(0)
    return {"log": [reached()]}


async def in_asyncio_task(state):
    async def later():
        await asyncio.sleep(0)
        return reached()

    return {"log": await asyncio.gather(asyncio.create_task(later()))}


async def in_to_thread(state):
    return {"log": [await asyncio.to_thread(reached)]}


@pytest.mark.parametrize("node", [in_helper, in_thread, in_coroutine, in_asyncio_task, in_to_thread])
@pytest.mark.parametrize("width", [1, 2])
def test_everything_is_reached_from_helpers_threads_and_tasks_of_a_node(driver, node, width):
    builder = StateGraph(State).add_node("node", node).add_node("other", lambda state: None)
    for name in ("node", "other")[:width]:
        builder.add_edge(START, name)
    builder.add_conditional_edges("node", lambda state: "other")

    chunks = driver.stream(builder.compile(store=STORE), {}, **OPTIONS)

    assert [data for mode, data in chunks if mode == "custom"] == ["written"]
    assert ("updates", {"node": {"log": [ALL]}}) in chunks


def test_parameters_by_name_are_the_same_services(driver):
    seen: dict[str, object] = {}

    def node(state, config, store, runtime: Runtime[str], writer):
        seen.update(
            config=config == get_config(),
            store=store is get_store() is STORE,
            context=runtime.context == get_runtime().context == "context",
            info=runtime.execution_info == get_runtime().execution_info,
        )
        writer("by name")

    chunks = driver.stream(graph_of(node, store=STORE), {}, **OPTIONS)

    assert seen == {"config": True, "store": True, "context": True, "info": True}
    assert ("custom", "by name") in chunks


def test_parameters_can_be_keyword_only_and_the_state_can_have_any_name(driver):
    def node(anything, *, runtime):
        return {"log": [runtime.context, *anything["log"]]}

    assert driver.invoke(graph_of(node), {"log": ["i"]}, context="c")["log"] == ["i", "c", "i"]


async def anode(state, *, config):
    return {"log": [config["configurable"]["user"]]}


class Tool:
    def __call__(self, state: State, runtime: Runtime[str]) -> object:
        return {"log": [runtime.context]}


def test_async_nodes_and_callable_objects_get_parameters_as_well(driver):
    config = {"configurable": {"user": "ann"}}

    assert driver.invoke(graph_of(anode), {}, config)["log"] == ["ann"]
    assert driver.invoke(graph_of(Tool()), {}, context="c")["log"] == ["c"]


def test_routers_get_parameters_and_reach_everything(driver):
    found: list[object] = []

    def path(state, config, runtime):
        found.append((reached(), config["configurable"]["user"], runtime.context))
        return "last"

    builder = StateGraph(State).add_node("node", lambda state: None).add_node("last", lambda state: {"log": ["last"]})
    builder.add_edge(START, "node").add_conditional_edges("node", path)

    driver.invoke(builder.compile(store=STORE), {}, **{**OPTIONS, "stream_mode": "values"})

    assert found == [(ALL, "ann", "context")]


def test_a_router_of_the_start_reaches_everything(driver):
    found: list[object] = []

    def path(state, runtime):
        found.append((runtime.context, get_config()["configurable"]["user"]))
        return []

    builder = StateGraph(State).add_node("node", lambda state: None).add_conditional_edges(START, path)
    driver.invoke(builder.compile(), {}, {"configurable": {"user": "ann"}}, context="context")

    assert found == [("context", "ann")]


def test_config_names_the_thread_the_checkpoint_and_the_limit(driver, saver):
    seen: list[dict[str, Any]] = []
    graph = graph_of(lambda state, config: seen.append(config), checkpointer=saver)

    config = {"configurable": {"thread_id": "t"}, "tags": ["x"], "metadata": {"m": 1}, "recursion_limit": 9, "run_name": "r"}
    driver.invoke(graph, {}, config)

    (found,) = seen
    before = driver.history(graph, thread_id="t")[1].config["configurable"]
    assert found["configurable"] == {"thread_id": "t", "checkpoint_ns": "", "checkpoint_id": before["checkpoint_id"]}
    assert (found["tags"], found["metadata"], found["recursion_limit"], found["run_name"]) == (["x"], {"m": 1}, 9, "r")


def test_what_a_node_does_to_its_config_changes_nothing(driver):
    seen: list[object] = []

    def spoil(state, config):
        config["configurable"]["user"] = "eve"
        config["tags"] = ["spoiled"]

    builder = StateGraph(State).add_sequence([("a", spoil), ("b", lambda state, config: seen.append(config["configurable"]["user"]))])
    given = {"configurable": {"user": "ann"}}
    driver.invoke(builder.add_edge(START, "a").compile(), {}, given)

    assert seen == ["ann"]
    assert given == {"configurable": {"user": "ann"}}


def test_execution_info_names_task_node_run_and_thread(driver, saver):
    infos = []
    builder = StateGraph(State).add_node("w", lambda state: infos.append(get_runtime().execution_info))
    graph = builder.add_conditional_edges(START, lambda state: [Send("w", {}), Send("w", {})]).compile(saver)
    driver.invoke(graph, {}, thread_id="t")

    assert {info.node for info in infos} == {"w"}
    assert {info.thread_id for info in infos} == {"t"}
    assert len({info.task_id for info in infos}) == 2
    assert len({info.run_id for info in infos}) == 1
    assert {info.checkpoint_ns for info in infos} == {""}


def nested(inner, *, called):
    """Return a graph that has ``inner`` as the node of a subgraph, two levels deep."""
    child = StateGraph(State).add_node("node", inner).add_edge(START, "node").compile()
    if called == "as node":
        middle = StateGraph(State).add_node("child", child).add_edge(START, "child").compile()
        return StateGraph(State).add_node("middle", middle).add_edge(START, "middle")
    if called == "in function":
        middle = StateGraph(State).add_node("child", lambda state: child.invoke({"log": []})).add_edge(START, "child").compile()
        return StateGraph(State).add_node("middle", lambda state: middle.invoke({"log": []})).add_edge(START, "middle")

    async def call(state):
        return await child.ainvoke({"log": []})

    middle = StateGraph(State).add_node("child", call).add_edge(START, "child").compile()
    return StateGraph(State).add_node("middle", middle).add_edge(START, "middle")


@pytest.mark.parametrize("called", ["as node", "in function", "in coroutine"])
@pytest.mark.parametrize("inner", [in_helper, in_coroutine])
def test_nested_graphs_inherit_config_context_and_store(driver, called, inner):
    graph = nested(inner, called=called).compile(store=STORE)

    result = driver.invoke(graph, {}, **{**OPTIONS, "stream_mode": "values"})

    assert result["log"] == [ALL]


@pytest.mark.parametrize("called", ["as node", "in function", "in coroutine"])
def test_what_a_nested_node_writes_is_seen_by_the_reader_of_the_outermost_stream(driver, called):
    chunks = driver.stream(nested(in_helper, called=called).compile(store=STORE), {}, **OPTIONS, subgraphs=True)

    (namespace,) = [namespace for namespace, mode, _ in chunks if mode == "custom"]
    assert [level.split(":")[0] for level in namespace] == ["middle", "child"]


def test_a_nested_call_may_have_a_context_and_a_store_of_its_own(driver):
    seen: list[object] = []
    own = object()
    child = graph_of(lambda state, runtime: seen.append((runtime.context, runtime.store is own)), store=own)

    def calls(state, runtime):
        child.invoke({}, context="inner")
        seen.append(runtime.context)

    outer = graph_of(calls, store=STORE)
    driver.invoke(outer, {}, context="outer")

    assert seen == [("inner", True), "outer"]


def test_after_a_nested_call_the_functions_reach_the_outer_node_again(driver):
    child = graph_of(lambda state: None)

    def node(state):
        before = get_runtime().execution_info
        child.invoke({})
        return {"log": [str(before == get_runtime().execution_info)]}

    assert driver.invoke(graph_of(node), {})["log"] == ["True"]


def test_parallel_tasks_each_reach_their_own(driver):
    together = threading.Barrier(5)

    def worker(state):
        first = get_runtime().execution_info.task_id
        together.wait(20)
        return {"log": [str(first == get_runtime().execution_info.task_id)]}

    builder = StateGraph(State).add_node(worker).add_conditional_edges(START, lambda state: [Send("worker", n) for n in range(5)])

    assert driver.invoke(builder.compile(), {})["log"] == ["True"] * 5


MINE: ContextVar[str] = ContextVar("mine", default="nothing")


@pytest.mark.parametrize("width", [1, 2])
def test_context_variables_of_the_caller_are_seen_in_nodes(driver, width):
    builder = StateGraph(State)
    for name in "ab"[:width]:
        builder.add_node(name, lambda state: {"log": [MINE.get()]}).add_edge(START, name)
    token = MINE.set("the caller's")
    try:
        result = driver.invoke(builder.compile(), {})
    finally:
        MINE.reset(token)

    assert result["log"] == ["the caller's"] * width


@pytest.mark.parametrize(
    "function",
    [get_config, get_store, get_stream_writer, get_runtime, lambda: interrupt("?"), lambda: once("key", str)],
    ids=["get_config", "get_store", "get_stream_writer", "get_runtime", "interrupt", "once"],
)
def test_outside_of_a_run_there_is_nothing_to_reach(driver, function):
    driver.invoke(graph_of(lambda state: None), {})

    with pytest.raises(OutsideRunError, match="outside of a running node") as caught:
        function()

    assert isinstance(caught.value, RuntimeError)


def test_a_writer_without_a_reader_does_nothing(driver):
    graph = graph_of(lambda state, writer: writer("nobody hears"))

    assert driver.invoke(graph, {"log": ["i"]}) == {"log": ["i"]}
    assert driver.stream(graph, {"log": ["i"]}, stream_mode="values") == [{"log": ["i"]}]


def test_without_a_store_there_is_none(driver):
    seen: list[object] = []

    driver.invoke(graph_of(lambda state, store: seen.append((store, get_store()))), {})

    assert seen == [(None, None)]


def test_max_concurrency_given_as_a_keyword_is_in_the_config_of_a_node(driver):
    seen = []
    graph = StateGraph(dict).add_node("a", lambda state, config: seen.append(config.get("max_concurrency"))).add_edge(START, "a").compile()

    driver.invoke(graph, {}, max_concurrency=3)
    driver.invoke(graph, {}, {"max_concurrency": 4})
    driver.invoke(graph, {})

    assert seen == [3, 4, None]
