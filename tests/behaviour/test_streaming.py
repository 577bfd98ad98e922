"""Streams: what each mode yields, in which order, and what happens when nobody reads on."""

from __future__ import annotations

import asyncio
import operator
import threading
from typing import Annotated, Any, TypedDict

import pytest

from graphkit import START, Command, Interrupt, Send, StateGraph, get_stream_writer, interrupt
from graphkit.errors import InvalidStreamModeError, MissingThreadIdError, UnknownKeyError

PATIENCE = 20


class State(TypedDict):
    log: Annotated[list[str], operator.add]
    word: str


class OnlyWord(TypedDict):
    word: str


def logs(word):
    return lambda state: {"log": [word]}


def writes_progress(state):
    get_stream_writer()({"prog": 1})
    return {"log": ["w"]}


def asks(state):
    return {"log": [interrupt({"q": 1})]}


def with_subgraph(checkpointer=None):
    """Return a -> sub(s1), where s1 writes to the custom stream."""
    child = StateGraph(State).add_node("s1", writes_progress).add_edge(START, "s1").compile()
    builder = StateGraph(State).add_node("a", logs("a")).add_node("sub", child)
    return builder.add_edge(START, "a").add_edge("a", "sub").compile(checkpointer)


def chain(*nodes, checkpointer=None):
    return StateGraph(State).add_sequence(list(nodes)).add_edge(START, nodes[0][0]).compile(checkpointer)


def beside(checkpointer):
    """Return a graph of a node that asks beside one that does not."""
    builder = StateGraph(State).add_node("ask", asks).add_node("sib", logs("sib"))
    return builder.add_edge(START, "ask").add_edge(START, "sib").compile(checkpointer)


def test_values_are_the_input_and_the_state_after_each_superstep(driver):
    assert driver.stream(with_subgraph(), {"log": ["i"]}, stream_mode="values") == [
        {"log": ["i"]},
        {"log": ["i", "a"]},
        {"log": ["i", "a", "w"]},
    ]


def test_updates_are_the_default_and_name_the_node(driver):
    expected = [{"a": {"log": ["a"]}}, {"sub": {"log": ["w"]}}]

    assert driver.stream(with_subgraph(), {"log": ["i"]}) == expected
    assert driver.stream(with_subgraph(), {"log": ["i"]}, stream_mode="updates") == expected


def test_custom_data_of_a_subgraph_is_shown_only_if_subgraphs_are(driver):
    graph = with_subgraph()

    shown = driver.stream(graph, {}, stream_mode="custom", subgraphs=True)

    assert driver.stream(graph, {}, stream_mode="custom") == []
    assert [(len(namespace), namespace[0].split(":")[0], data) for namespace, data in shown] == [(1, "sub", {"prog": 1})]


def test_a_list_of_modes_labels_the_chunks(driver):
    assert driver.stream(chain(("a", writes_progress)), {"log": ["i"]}, stream_mode=["values", "updates", "custom"]) == [
        ("values", {"log": ["i"]}),
        ("custom", {"prog": 1}),
        ("updates", {"a": {"log": ["w"]}}),
        ("values", {"log": ["i", "w"]}),
    ]


def test_a_list_of_one_mode_and_a_tuple_label_the_chunks_as_well(driver):
    graph = chain(("a", logs("a")))

    assert driver.stream(graph, {}, stream_mode=["updates"]) == [("updates", {"a": {"log": ["a"]}})]
    assert driver.stream(graph, {}, stream_mode=("updates",)) == [("updates", {"a": {"log": ["a"]}})]


def test_subgraphs_put_the_namespace_before_the_chunk(driver, saver):
    graph = with_subgraph(saver)

    chunks = driver.stream(graph, {"log": ["i"]}, thread_id="t", stream_mode="values", subgraphs=True)

    inner = chunks[2][0]
    assert inner[0].startswith("sub:")
    assert chunks == [
        ((), {"log": ["i"]}),
        ((), {"log": ["i", "a"]}),
        (inner, {"log": ["i", "a"]}),
        (inner, {"log": ["i", "a", "w"]}),
        ((), {"log": ["i", "a", "w"]}),
    ]


def test_subgraphs_and_a_list_of_modes_give_triples(driver):
    chunks = driver.stream(with_subgraph(), {}, stream_mode=["updates", "custom"], subgraphs=True)

    inner = chunks[1][0]
    assert chunks == [
        ((), "updates", {"a": {"log": ["a"]}}),
        (inner, "custom", {"prog": 1}),
        (inner, "updates", {"s1": {"log": ["w"]}}),
        ((), "updates", {"sub": {"log": ["w"]}}),
    ]


def test_the_namespace_of_a_subgraph_is_its_nodes_name_and_task_id(driver, saver):
    builder = StateGraph(State).add_node("sub", chain(("ask", asks)))
    graph = builder.add_edge(START, "sub").compile(saver)

    chunks = driver.stream(graph, {}, thread_id="t", stream_mode="values", subgraphs=True)

    assert {namespace for namespace, _ in chunks} == {(), (f"sub:{driver.get_state(graph, thread_id='t').tasks[0].id}",)}


@pytest.mark.parametrize("result", [None, {}])
def test_a_node_that_writes_nothing_shows_none_as_its_update_and_no_values(driver, result):
    chunks = driver.stream(chain(("a", lambda state: result), ("b", logs("b"))), {"log": ["i"]}, stream_mode=["updates", "values"])

    assert chunks == [
        ("values", {"log": ["i"]}),
        ("updates", {"a": None}),
        ("updates", {"b": {"log": ["b"]}}),
        ("values", {"log": ["i", "b"]}),
    ]


def test_several_updates_of_one_key_by_a_node_are_shown_as_a_list(driver):
    graph = chain(("a", lambda state: Command(update=[("log", ["1"]), ("log", ["2"])])))

    assert driver.stream(graph, {}) == [{"a": [{"log": ["1"]}, {"log": ["2"]}]}]


def test_each_send_has_an_update_of_its_own(driver):
    builder = StateGraph(State).add_node("w", lambda state: {"log": [state]})
    graph = builder.add_conditional_edges(START, lambda state: [Send("w", "1"), Send("w", "2")]).compile()

    assert sorted(chunk["w"]["log"] for chunk in driver.stream(graph, {})) == [["1"], ["2"]]


def test_updates_come_in_the_order_in_which_tasks_finish_and_values_after_all_of_them(driver):
    done = {name: threading.Event() for name in "abc"}

    def after(name, before):
        def node(state):
            assert before is None or done[before].wait(PATIENCE)
            return {"log": [name]}

        return node

    builder = StateGraph(State)
    for name, before in (("a", "b"), ("b", "c"), ("c", None)):
        builder.add_node(name, after(name, before)).add_edge(START, name)
    chunks = []
    graph = builder.compile()

    def note(chunk):
        chunks.append(chunk)
        if chunk[0] == "updates":
            done[next(iter(chunk[1]))].set()

    read(driver, graph, {}, note, stream_mode=["updates", "values"])

    assert [next(iter(chunk)) for mode, chunk in chunks if mode == "updates"] == ["c", "b", "a"]
    assert chunks[-1] == ("values", {"log": ["a", "b", "c"]})


def read(driver, graph, given, note, **options):
    """Read a stream chunk by chunk, each as soon as it is there."""
    if not driver.is_async:
        for chunk in graph.stream(given, **options):
            note(chunk)
        return

    async def reading():
        async for chunk in graph.astream(given, **options):
            note(chunk)

    asyncio.run(reading())


def test_custom_data_is_seen_while_the_node_still_runs(driver):
    seen = threading.Event()

    def node(state, writer):
        writer("tick")
        return {"word": str(seen.wait(PATIENCE))}

    chunks: list[object] = []

    def note(chunk):
        chunks.append(chunk)
        seen.set()

    read(driver, chain(("a", node)), {}, note, stream_mode=["custom", "updates"])

    assert chunks == [("custom", "tick"), ("updates", {"a": {"word": "True"}})]


def test_custom_data_of_an_async_node_is_seen_while_it_runs(driver):
    seen = threading.Event()

    async def node(state, writer):
        writer("tick")
        return {"word": str(await asyncio.to_thread(seen.wait, PATIENCE))}

    chunks: list[object] = []

    def note(chunk):
        chunks.append(chunk)
        seen.set()

    read(driver, chain(("a", node)), {}, note, stream_mode="custom")
    result = driver.invoke(chain(("a", node)), {})

    assert chunks == ["tick"]
    assert result["word"] == "True"


def test_custom_data_of_a_subgraph_is_seen_while_it_runs(driver):
    seen = threading.Event()

    def node(state, writer):
        writer("tick")
        return {"word": str(seen.wait(PATIENCE))}

    builder = StateGraph(State).add_node("sub", chain(("s", node))).add_edge(START, "sub")
    chunks: list[object] = []

    def note(chunk):
        chunks.append(chunk[1])
        seen.set()

    read(driver, builder.compile(), {}, note, stream_mode="custom", subgraphs=True)

    assert chunks == ["tick"]


def test_the_custom_data_of_a_node_keeps_its_order_and_may_be_anything(driver):
    data = [None, 0, "text", ("custom", 1), {"a": object()}]

    def node(state, writer):
        for item in data:
            writer(item)

    assert driver.stream(chain(("a", node)), {}, stream_mode="custom") == data


def test_an_update_is_durable_when_it_is_seen(driver, saver):
    graph = chain(("a", logs("a")), ("b", logs("b")), checkpointer=saver)
    stored: list[object] = []

    def note(chunk):
        stored.append(saver.get_tuple({"configurable": {"thread_id": "t"}}).checkpoint.values["log"])

    read(driver, graph, {}, note, thread_id="t")

    assert stored == [["a"], ["a", "b"]]


def test_private_keys_and_the_whole_state_are_in_values(driver):
    builder = StateGraph(State, output_schema=OnlyWord).add_node("a", lambda state: {"log": ["a"], "word": "w"}).add_edge(START, "a")

    assert driver.stream(builder.compile(), {}, stream_mode="values")[-1] == {"log": ["a"], "word": "w"}
    assert driver.invoke(builder.compile(), {}) == {"word": "w"}


def test_a_question_is_a_tuple_in_streams_and_a_list_in_the_result(driver, saver):
    graph = chain(("ask", asks), checkpointer=saver)

    updates = driver.stream(graph, {"log": ["i"]}, thread_id="u")
    values = driver.stream(graph, {"log": ["i"]}, thread_id="v", stream_mode="values")
    result = driver.invoke(graph, {"log": ["i"]}, thread_id="r")

    (question,) = result["__interrupt__"]
    assert isinstance(question, Interrupt)
    assert (type(result["__interrupt__"]), question.value, result["log"]) == (list, {"q": 1}, ["i"])
    assert updates == [{"__interrupt__": (Interrupt({"q": 1}, updates[0]["__interrupt__"][0].id),)}]
    assert values == [{"log": ["i"]}, {"log": ["i"], "__interrupt__": (Interrupt({"q": 1}, values[1]["__interrupt__"][0].id),)}]


def test_a_kept_sibling_is_shown_again_on_resume_and_marked_as_cached(driver, saver):
    graph = beside(saver)
    first = driver.stream(graph, {"log": ["i"]}, thread_id="t")

    second = driver.stream(graph, Command(resume="yes"), thread_id="t")

    assert {"sib": {"log": ["sib"]}} in first
    assert second == [{"sib": {"log": ["sib"]}, "__metadata__": {"cached": True}}, {"ask": {"log": ["yes"]}}]


def test_the_last_values_of_a_paused_superstep_include_finished_siblings(driver, saver):
    values = driver.stream(beside(saver), {"log": ["i"]}, thread_id="t", stream_mode="values")

    assert values[-1]["log"] == ["i", "sib"]


@pytest.mark.parametrize("mode", ["valeus", "", [], ["values", "nothing"], ["values", 5]], ids=str)
def test_an_unknown_stream_mode_is_refused_when_stream_is_called(driver, mode):
    call = chain(("a", logs("a"))).astream if driver.is_async else chain(("a", logs("a"))).stream

    with pytest.raises(InvalidStreamModeError, match=r"'values'"):
        call({}, stream_mode=mode)


def test_errors_of_the_request_are_raised_when_stream_is_called(driver, saver):
    graph = chain(("a", logs("a")), checkpointer=saver)
    call = graph.astream if driver.is_async else graph.stream

    with pytest.raises(MissingThreadIdError):
        call({})
    with pytest.raises(UnknownKeyError, match="'wrod'"):
        call({"wrod": "x"}, thread_id="t")


def test_an_error_comes_after_the_chunks_before_it(driver):
    def fails(state):
        raise KeyError("boom")

    chunks: list[object] = []

    with pytest.raises(KeyError):
        read(driver, chain(("a", logs("a")), ("b", fails)), {}, chunks.append)

    assert chunks == [{"a": {"log": ["a"]}}]


def test_custom_data_of_a_node_that_fails_is_seen(driver):
    def fails(state, writer):
        writer("tick")
        raise KeyError("boom")

    chunks: list[object] = []

    with pytest.raises(KeyError):
        read(driver, chain(("a", fails)), {}, chunks.append, stream_mode="custom")

    assert chunks == ["tick"]


@pytest.mark.parametrize("mode", ["updates", "custom"])
def test_a_stream_that_is_closed_early_can_be_continued(driver, saver, mode):
    graph = chain(("a", writes_progress), ("b", writes_progress), checkpointer=saver)

    async def read_one():
        chunks = graph.astream({}, thread_id="t", stream_mode=mode)
        await anext(chunks)
        await chunks.aclose()

    if driver.is_async:
        asyncio.run(read_one())
    else:
        chunks = graph.stream({}, thread_id="t", stream_mode=mode)
        next(chunks)
        chunks.close()

    assert driver.invoke(graph, None, thread_id="t") == {"log": ["w", "w"]}


def test_a_stream_goes_on_only_when_the_next_chunk_is_asked_for():
    ran: list[str] = []
    chunks = chain(("a", lambda state: ran.append("a")), ("b", lambda state: ran.append("b"))).stream({})
    before = list(ran)
    next(chunks)

    assert (before, ran) == ([], ["a"])


def test_a_bare_state_is_shown_as_it_is(driver):
    state: Any = Annotated[list, operator.add]
    graph = StateGraph(state).add_node("a", lambda state: ["a"]).add_edge(START, "a").compile()

    assert driver.stream(graph, ["i"], stream_mode=["updates", "values"]) == [
        ("values", ["i"]),
        ("updates", {"a": ["a"]}),
        ("values", ["i", "a"]),
    ]
