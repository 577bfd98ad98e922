"""Values that cannot be stored: the node and the path are named, nothing that was done is lost, the thread goes on."""

from __future__ import annotations

import operator
import threading
from typing import Annotated, TypedDict

import pytest

from graphkit import START, Command, Send, StateGraph, interrupt, once
from graphkit.errors import UnserializableValueError

BAD = object()
T = {"configurable": {"thread_id": "t"}}


class State(TypedDict, total=False):
    log: Annotated[list[object], operator.add]
    word: object


class Shop:
    """START -> bad, sib -> last; ``broken`` says whether ``bad`` still does what cannot be stored."""

    def __init__(self, saver, mistake):
        self.ran: list[str] = []
        self.broken = True
        both = threading.Barrier(2)

        def bad(state):
            self.ran.append("bad")
            if not self.broken:
                return {"log": ["good"]}
            both.wait(10)
            return mistake(state)

        def node(name):
            def run(state):
                self.ran.append(name)
                if name == "sib":
                    both.wait(10)
                return {"log": [name]}

            return run

        builder = StateGraph(State).add_node("bad", bad).add_node("sib", node("sib")).add_node("last", node("last"))
        builder.add_edge(START, "bad").add_edge(START, "sib").add_edge("bad", "last").add_edge("sib", "last")
        self.graph = builder.compile(saver)


def asks(state):
    interrupt({"deep": [BAD]})


def remembers(state):
    once("fetch", lambda: {"deep": BAD})


MISTAKES = {
    "update": (lambda state: {"log": ["x", {"deep": [BAD]}]}, "deep"),
    "plain key": (lambda state: {"word": BAD}, "$.word"),
    "command": (lambda state: Command(update={"word": (1, BAD)}), "$.word[1]"),
    "list": (lambda state: [{"log": ["x"]}, {"word": {"a": BAD}}], "$.word.a"),
    "send": (lambda state: Command(goto=Send("last", {"deep": BAD})), "deep"),
    "question": (asks, "deep"),
    "once": (remembers, "deep"),
}


@pytest.mark.parametrize("durability", ["sync", "async", "exit"])
@pytest.mark.parametrize("mistake, path", MISTAKES.values(), ids=MISTAKES)
def test_a_value_that_cannot_be_stored_fails_its_node_alone(driver, saver, *, mistake, path, durability):
    shop = Shop(saver, mistake)

    with pytest.raises(UnserializableValueError) as caught:
        driver.invoke(shop.graph, {"log": ["i"]}, T, durability=durability)

    assert "'bad'" in str(caught.value) or "'bad'" in "".join(getattr(caught.value, "__notes__", ()))
    assert path in str(caught.value)
    assert caught.value.hint
    snapshot = driver.get_state(shop.graph, T)
    assert (snapshot.values, snapshot.next) == ({"log": ["i", "sib"]}, ("bad",))
    assert "last" not in shop.ran
    shop.broken = False
    assert driver.invoke(shop.graph, None, T) == {"log": ["i", "good", "sib", "last"]}
    assert sorted(shop.ran) == ["bad", "bad", "last", "sib"]


@pytest.mark.parametrize("durability", ["sync", "async", "exit"])
def test_a_node_alone_in_its_superstep_loses_nothing_either(driver, saver, durability):
    broken = [True]
    builder = StateGraph(State).add_node("a", lambda state: {"log": ["a"]})
    builder.add_node("b", lambda state: {"log": [BAD if broken else "b"]}).add_edge(START, "a").add_edge("a", "b")
    graph = builder.compile(saver)

    with pytest.raises(UnserializableValueError, match="'b'"):
        driver.invoke(graph, {"log": ["i"]}, T, durability=durability)

    assert driver.get_state(graph, T).values == {"log": ["i", "a"]}
    assert driver.get_state(graph, T).next == ("b",)
    broken.clear()
    assert driver.invoke(graph, None, T) == {"log": ["i", "a", "b"]}


def test_it_is_not_streamed_before_it_is_refused(saver):
    graph = StateGraph(State).add_node("a", lambda state: {"word": BAD}).add_edge(START, "a").compile(saver)
    chunks = graph.stream({}, T, stream_mode="updates")

    with pytest.raises(UnserializableValueError):
        next(chunks)


async def test_it_is_not_streamed_before_it_is_refused_in_a_loop_either(saver):
    graph = StateGraph(State).add_node("a", lambda state: {"word": BAD}).add_edge(START, "a").compile(saver)
    chunks = graph.astream({}, T, stream_mode="updates")

    with pytest.raises(UnserializableValueError):
        await anext(chunks)


def test_of_several_nodes_only_the_one_that_wrote_it_runs_again(driver, saver):
    both = threading.Barrier(2)
    ran, broken = [], [True]

    def node(name, value):
        def run(state):
            ran.append(name)
            if broken:
                both.wait(10)
            return {"log": [value() if broken else name]}

        return run

    builder = StateGraph(State).add_node("bad", node("bad", lambda: BAD)).add_node("good", node("good", lambda: "good"))
    graph = builder.add_edge(START, "bad").add_edge(START, "good").compile(saver)
    with pytest.raises(UnserializableValueError, match="'bad'"):
        driver.invoke(graph, {}, T)
    broken.clear()

    assert driver.invoke(graph, None, T) == {"log": ["bad", "good"]}
    assert sorted(ran) == ["bad", "bad", "good"]


def test_an_answer_that_cannot_be_stored_leaves_the_question_pending(driver, saver):
    ran = []

    def ask(state):
        ran.append("ask")
        return {"log": [interrupt("?")]}

    graph = StateGraph(State).add_node("ask", ask).add_edge(START, "ask").compile(saver)
    driver.invoke(graph, {}, T)

    with pytest.raises(UnserializableValueError, match=r"\$\.deep") as caught:
        driver.invoke(graph, Command(resume={"deep": BAD}), T)

    assert caught.value.hint
    assert ran == ["ask"]
    assert len(saver.pending_interrupts().items) == 1
    assert driver.invoke(graph, Command(resume="good"), T) == {"log": ["good"]}


def test_a_router_that_sends_what_cannot_be_stored_keeps_the_thread_where_it_is(driver, saver):
    broken = [True]
    builder = StateGraph(State).add_node("a", lambda state: {"log": ["a"]}).add_node("b", lambda state: {"log": state["log"]})
    builder.add_conditional_edges("a", lambda state: Send("b", {"log": [BAD if broken else "sent"]}), ["b"])
    graph = builder.add_edge(START, "a").compile(saver)

    with pytest.raises(UnserializableValueError, match="'a'"):
        driver.invoke(graph, {}, T)

    assert driver.get_state(graph, T).next == ("a",)
    broken.clear()
    assert driver.invoke(graph, None, T) == {"log": ["a", "sent"]}


def test_without_a_saver_anything_may_be_in_the_state(driver):
    graph = StateGraph(State).add_node("a", lambda state: {"word": BAD}).add_edge(START, "a").compile()

    assert driver.invoke(graph, {}) == {"word": BAD, "log": []}
