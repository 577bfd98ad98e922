"""A store in a graph: nodes reach it by parameter, function and runtime, on any thread, in subgraphs."""

from __future__ import annotations

import operator
from typing import Annotated, TypedDict

import pytest

from checkpointers.sqlite import SqliteSaver, SqliteStore
from graphkit import END, START, Command, Runtime, Send, StateGraph, get_store, interrupt
from graphkit.errors import StoreConflictError, UnserializableValueError
from graphkit.storage import InMemoryStore
from graphkit.testing import Clock
from graphkit.testing.store_suite.subject import indexed

NS = ("memories", "ada")


class State(TypedDict, total=False):
    note: str
    found: Annotated[list[str], operator.add]


@pytest.fixture(params=["memory", "sqlite"])
def store(request, tmp_path):
    """The place where items are kept."""
    if request.param == "memory":
        yield InMemoryStore(index=indexed())
        return
    with SqliteStore(tmp_path / "threads.db", index=indexed()) as opened:
        yield opened


def graph_of(node, **options):
    return StateGraph(State).add_node("node", node).add_edge(START, "node").add_edge("node", END).compile(**options)


def adapted(driver, plain, waiting):
    """Return the node for a driver: async graphs call the async methods."""
    return waiting if driver.is_async else plain


def remember(driver):
    def plain(state: State, store):
        store.put(NS, state["note"], {"text": state["note"]})
        return {"found": [item.key for item in store.search(NS)]}

    async def waiting(state: State, store):
        await store.aput(NS, state["note"], {"text": state["note"]})
        return {"found": [item.key for item in await store.asearch(NS)]}

    return adapted(driver, plain, waiting)


def test_what_one_thread_remembers_another_one_finds(driver, saver, store):
    graph = graph_of(remember(driver), checkpointer=saver, store=store)

    driver.invoke(graph, {"note": "sun"}, thread_id="1")
    state = driver.invoke(graph, {"note": "rain"}, thread_id="2")

    assert state["found"] == ["rain", "sun"]
    assert store.get(NS, "sun").value == {"text": "sun"}


def test_a_node_reaches_the_store_in_three_ways(driver, store):
    seen = []

    def plain(state: State, store, runtime: Runtime):
        seen.append([each is store for each in (store, runtime.store, get_store())])

    async def waiting(state: State, store, runtime: Runtime):
        plain(state, store, runtime)

    driver.invoke(graph_of(adapted(driver, plain, waiting), store=store), {"note": "sun"})

    assert seen == [[True, True, True]]


@pytest.mark.parametrize("called", [False, True], ids=["as a node", "by a call"])
def test_a_subgraph_writes_to_the_store_of_its_parent(driver, saver, store, called):
    inner = graph_of(remember(driver))

    def calls(state: State):
        return inner.invoke({"note": state["note"]})

    async def acalls(state: State):
        return await inner.ainvoke({"note": state["note"]})

    outer = graph_of(adapted(driver, calls, acalls) if called else inner, checkpointer=saver, store=store)

    driver.invoke(outer, {"note": "sun"}, thread_id="1")

    assert [item.key for item in store.search(NS)] == ["sun"]


def test_parallel_tasks_write_side_by_side(driver, saver, store):
    builder = StateGraph(State)
    builder.add_node("node", remember(driver)).add_edge("node", END)
    builder.add_conditional_edges(START, lambda state: [Send("node", {"note": f"{n}"}) for n in range(8)], ["node"])

    state = driver.invoke(builder.compile(checkpointer=saver, store=store), {"note": "all"}, thread_id="1")

    assert sorted(item.key for item in store.search(NS)) == [str(n) for n in range(8)]
    assert len(state["found"]) >= 8


def test_a_node_finds_by_meaning(driver, store):
    store.put(NS, "likes", {"text": "sun sun"})
    store.put(NS, "hates", {"text": "rain"})

    def plain(state: State):
        return {"found": [item.key for item in get_store().search(NS, query=state["note"], limit=1)]}

    async def waiting(state: State):
        return {"found": [item.key for item in await get_store().asearch(NS, query=state["note"], limit=1)]}

    state = driver.invoke(graph_of(adapted(driver, plain, waiting), store=store), {"note": "sun"})

    assert state["found"] == ["likes"]


def test_a_version_keeps_a_late_answer_from_overwriting_a_newer_item(driver, saver, store):
    store.put(NS, "address", {"street": "old"})

    async def waiting(state: State):
        answer = interrupt("which version?")
        await get_store().aput(NS, "address", {"street": "asked"}, if_version=answer)

    def plain(state: State):
        answer = interrupt("which version?")
        get_store().put(NS, "address", {"street": "asked"}, if_version=answer)

    graph = graph_of(adapted(driver, plain, waiting), checkpointer=saver, store=store)
    driver.invoke(graph, {"note": "x"}, thread_id="1")
    read = store.get(NS, "address").version
    store.put(NS, "address", {"street": "newer"})

    with pytest.raises(StoreConflictError):
        driver.invoke(graph, Command(resume=read), thread_id="1")

    assert store.get(NS, "address").value == {"street": "newer"}


def test_an_error_of_the_store_names_the_node(driver, store):
    def plain(state: State, store):
        store.put(NS, "k", {"call": print})

    async def waiting(state: State, store):
        await store.aput(NS, "k", {"call": print})

    with pytest.raises(UnserializableValueError) as caught:
        driver.invoke(graph_of(adapted(driver, plain, waiting), store=store), {"note": "x"})

    assert caught.value.facts["path"] == "$.call"
    assert "node" in caught.value.__notes__[0]


def test_threads_and_items_live_in_one_file(driver, tmp_path):
    path, clock = tmp_path / "all.db", Clock()
    with SqliteSaver(path, clock=clock) as saver, SqliteStore(path, clock=clock) as store:
        graph = graph_of(remember(driver), checkpointer=saver, store=store)
        driver.invoke(graph, {"note": "sun"}, thread_id="1")

    with SqliteSaver(path, clock=clock) as saver, SqliteStore(path, clock=clock) as store:
        graph = graph_of(remember(driver), checkpointer=saver, store=store)

        assert driver.get_state(graph, thread_id="1").values["found"] == ["sun"]
        assert driver.invoke(graph, {"note": "rain"}, thread_id="1")["found"] == ["sun", "rain", "sun"]
