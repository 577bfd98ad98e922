"""update_state in the middle of a superstep: what has finished is never lost, with its update and where it leads."""

from __future__ import annotations

import operator
import threading
from typing import Annotated, TypedDict

import pytest

from graphkit import START, Command, Send, StateGraph, interrupt
from graphkit.errors import NothingToResumeError, RequestError

T = {"configurable": {"thread_id": "t"}}


class State(TypedDict, total=False):
    log: Annotated[list[str], operator.add]
    word: str


class Runs(list[str]):
    """Which nodes have run."""

    def node(self, name, **update):
        def run(state):
            self.append(name)
            return {"log": [name], **update}

        return run

    def ask(self, name):
        def run(state):
            self.append(name)
            return {"log": [f"{name}:{interrupt(f'{name}?')}"]}

        return run


@pytest.fixture
def ran():
    return Runs()


def parallel(saver, ran, *, then: bool = True):
    """START -> ask, sib -> last."""
    builder = StateGraph(State).add_node("ask", ran.ask("ask")).add_node("sib", ran.node("sib"))
    builder.add_edge(START, "ask").add_edge(START, "sib")
    if then:
        builder.add_node("last", ran.node("last")).add_edge("ask", "last").add_edge("sib", "last")
    return builder.compile(saver)


def counted(values):
    return sorted(values["log"])


def test_an_edit_keeps_the_finished_siblings_of_a_pending_question(driver, saver, ran):
    graph = parallel(saver, ran)
    driver.invoke(graph, {"log": ["i"]}, thread_id="t")
    question = driver.get_state(graph, thread_id="t").interrupts

    driver.update_state(graph, T, {"log": ["edit"]})

    snapshot = driver.get_state(graph, thread_id="t")
    assert counted(snapshot.values) == ["edit", "i", "sib"]
    assert (snapshot.next, snapshot.interrupts) == (("ask",), question)
    assert counted(driver.invoke(graph, Command(resume="yes"), thread_id="t")) == ["ask:yes", "edit", "i", "last", "sib"]
    assert sorted(ran) == ["ask", "ask", "last", "sib"]


def test_several_edits_in_a_row_keep_the_finished_siblings(driver, saver, ran):
    graph = parallel(saver, ran)
    [question] = driver.invoke(graph, {"log": ["i"]}, thread_id="t")["__interrupt__"]

    for number in range(3):
        driver.update_state(graph, T, {"log": [f"edit{number}"]}, as_node=START)

    assert driver.get_state(graph, thread_id="t").interrupts == (question,)
    assert counted(driver.invoke(graph, Command(resume={question.id: "yes"}), thread_id="t")) == [
        "ask:yes",
        "edit0",
        "edit1",
        "edit2",
        "i",
        "last",
        "sib",
    ]
    assert sorted(ran) == ["ask", "ask", "last", "sib"]


def test_an_edit_in_the_name_of_an_asking_node_keeps_its_sibling_and_cancels_its_question(driver, saver, ran):
    graph = parallel(saver, ran)
    [question] = driver.invoke(graph, {"log": ["i"]}, thread_id="t")["__interrupt__"]

    driver.update_state(graph, T, {"log": ["edit"]}, as_node="ask")

    snapshot = driver.get_state(graph, thread_id="t")
    assert (snapshot.next, snapshot.interrupts) == (("last",), ())
    assert saver.pending_interrupts().items == ()
    with pytest.raises(RequestError):
        driver.invoke(graph, Command(resume={question.id: "late"}), thread_id="t")
    assert counted(driver.invoke(graph, None, thread_id="t")) == ["edit", "i", "last", "sib"]
    assert sorted(ran) == ["ask", "last", "sib"]


def test_a_cancelled_question_is_recorded_as_such(driver, saver, ran):
    builder = StateGraph(State).add_node("ask", ran.ask("ask")).add_edge(START, "ask")
    graph = builder.compile(saver)
    [question] = driver.invoke(graph, {}, thread_id="t")["__interrupt__"]
    asking = driver.get_state(graph, thread_id="t").config

    driver.update_state(graph, T, {"log": ["edit"]}, as_node="ask")

    then = driver.get_state(graph, asking)
    assert [task.interrupts for task in then.tasks] == [(question,)]
    assert then.interrupts == ()
    with pytest.raises(NothingToResumeError):
        driver.invoke(graph, Command(resume="late"), thread_id="t")
    assert ran == ["ask"]


def test_where_a_finished_sibling_leads_is_kept_with_its_update(driver, saver, ran):
    builder = StateGraph(State).add_node("ask", ran.ask("ask")).add_node("sib", ran.node("sib"))
    builder.add_node("x", ran.node("x")).add_node("y", ran.node("y"))
    builder.add_edge(START, "ask").add_edge(START, "sib").add_edge("ask", "x").add_edge("sib", "y")
    graph = builder.compile(saver)
    driver.invoke(graph, {}, thread_id="t")

    driver.update_state(graph, T, {"log": ["edit"]}, as_node="ask")

    assert driver.get_state(graph, thread_id="t").next == ("x", "y")
    assert counted(driver.invoke(graph, None, thread_id="t")) == ["edit", "sib", "x", "y"]


def test_a_join_counts_the_finished_sibling_of_an_edited_node(driver, saver, ran):
    builder = StateGraph(State).add_node("ask", ran.ask("ask")).add_node("sib", ran.node("sib")).add_node("last", ran.node("last"))
    graph = builder.add_edge(START, "ask").add_edge(START, "sib").add_edge(["ask", "sib"], "last").compile(saver)
    driver.invoke(graph, {}, thread_id="t")

    driver.update_state(graph, T, {"log": ["edit"]}, as_node="ask")

    assert driver.get_state(graph, thread_id="t").next == ("last",)
    assert counted(driver.invoke(graph, None, thread_id="t")) == ["edit", "last", "sib"]


def test_an_edit_after_a_failure_keeps_the_finished_siblings(driver, saver, ran):
    broken, both = [True], threading.Barrier(2)

    def bad(state):
        ran.append("bad")
        if broken:
            both.wait(10)
            raise ValueError("bad")
        return {"log": [f"bad sees {state.get('word')}"]}

    def sib(state):
        ran.append("sib")
        both.wait(10)
        return {"log": ["sib"]}

    builder = StateGraph(State).add_node("bad", bad).add_node("sib", sib)
    graph = builder.add_edge(START, "bad").add_edge(START, "sib").compile(saver)
    with pytest.raises(ValueError, match="bad"):
        driver.invoke(graph, {}, thread_id="t")

    driver.update_state(graph, T, {"word": "repaired"}, as_node=START)
    broken.clear()

    assert counted(driver.invoke(graph, None, thread_id="t")) == ["bad sees repaired", "sib"]
    assert sorted(ran) == ["bad", "bad", "sib"]


def test_sends_that_have_finished_live_on_in_an_edit(driver, saver, ran):
    def work(state):
        ran.append(state["word"])
        return {"log": [interrupt("?")]} if state["word"] == "1" else {"log": [state["word"]]}

    builder = StateGraph(State).add_node("work", work)
    builder.add_conditional_edges(START, lambda state: [Send("work", {"word": str(number)}) for number in range(3)], ["work"])
    graph = builder.compile(saver)
    driver.invoke(graph, {}, thread_id="t")

    driver.update_state(graph, T, {"word": "edit"}, as_node=START)

    assert driver.get_state(graph, thread_id="t").next == ("work",)
    assert driver.invoke(graph, Command(resume="yes"), thread_id="t") == {"log": ["0", "yes", "2"], "word": "edit"}
    assert sorted(ran) == ["0", "1", "1", "2"]
