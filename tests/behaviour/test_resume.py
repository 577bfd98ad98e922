"""Answers: given in any order and any number, each to the question it names; everything else is refused and consumes nothing."""

from __future__ import annotations

import operator
from itertools import permutations
from typing import Annotated, TypedDict

import pytest

from graphkit import END, START, Command, StateGraph, interrupt
from graphkit.errors import (
    AmbiguousResumeError,
    InterruptAlreadyAnsweredError,
    InvalidUpdateError,
    MissingCheckpointerError,
    MissingThreadIdError,
    NothingToResumeError,
    RequestError,
    ThreadNotFoundError,
    UnknownInterruptError,
    UnserializableValueError,
)


class State(TypedDict):
    log: Annotated[list[object], operator.add]


class Handle:
    """Something that cannot be stored."""


def asking_graph(names, saver, runs):
    """Return a graph of nodes that ask side by side, each for its name; ``runs`` collects which of them run."""
    builder = StateGraph(State)
    for name in names:

        def ask(state, name=name):
            runs.append(name)
            return {"log": [(name, interrupt(name))]}

        builder.add_node(name, ask).add_edge(START, name)
    return builder.compile(checkpointer=saver)


def paused(driver, graph, thread_id="t"):
    """Start a thread and return the ids of its questions by what they ask."""
    return {question.value: question.id for question in driver.invoke(graph, {"log": []}, thread_id=thread_id)["__interrupt__"]}


def pending(driver, graph, thread_id="t"):
    return [question.value for question in driver.get_state(graph, thread_id=thread_id).interrupts]


@pytest.mark.parametrize("order", list(permutations("abc")), ids="".join)
def test_answers_may_come_one_by_one_in_any_order_and_rerun_only_their_own_task(driver, saver, order):
    runs: list[str] = []
    graph = asking_graph("abc", saver, runs)
    ids = paused(driver, graph)
    assert sorted(runs) == ["a", "b", "c"]

    for number, name in enumerate(order):
        runs.clear()
        result = driver.invoke(graph, Command(resume={ids[name]: name.upper()}), thread_id="t")
        assert runs == [name]
        assert [question.value for question in result.get("__interrupt__", ())] == sorted(order[number + 1 :])

    assert result == {"log": [("a", "A"), ("b", "B"), ("c", "C")]}


def test_some_of_the_answers_rerun_some_of_the_tasks(driver, saver):
    runs: list[str] = []
    graph = asking_graph("abcd", saver, runs)
    ids = paused(driver, graph)
    runs.clear()

    partly = driver.invoke(graph, Command(resume={ids["d"]: 4, ids["b"]: 2}), thread_id="t")
    ended = driver.invoke(graph, Command(resume={ids["c"]: 3, ids["a"]: 1}), thread_id="t")

    assert partly["log"] == [("b", 2), ("d", 4)]
    assert ended == {"log": [("a", 1), ("b", 2), ("c", 3), ("d", 4)]}
    assert sorted(runs[:2]) == ["b", "d"]
    assert sorted(runs[2:]) == ["a", "c"]


def test_a_plain_answer_serves_when_only_one_question_is_left(driver, saver):
    graph = asking_graph("ab", saver, [])
    ids = paused(driver, graph)
    driver.invoke(graph, Command(resume={ids["a"]: 1}), thread_id="t")

    assert driver.invoke(graph, Command(resume=2), thread_id="t") == {"log": [("a", 1), ("b", 2)]}


def test_a_dict_without_ids_is_a_plain_answer(driver, saver):
    graph = asking_graph("a", saver, [])
    paused(driver, graph)

    answer = {"type": "edit", "args": {"to": "x"}}
    assert driver.invoke(graph, Command(resume=answer), thread_id="t") == {"log": [("a", answer)]}


def test_an_answer_is_used_once_even_if_its_node_asks_again(driver, saver):
    builder = StateGraph(State).add_node("ask", lambda state: {"log": [interrupt("?"), interrupt("?")]}).add_edge(START, "ask")
    graph = builder.compile(checkpointer=saver)
    paused(driver, graph)

    second = driver.invoke(graph, Command(resume="A"), thread_id="t")
    again = driver.invoke(graph, None, thread_id="t")

    assert second["__interrupt__"] == again["__interrupt__"]
    assert driver.invoke(graph, Command(resume="B"), thread_id="t") == {"log": ["A", "B"]}


def one_of_two_answered(driver, saver, runs):
    graph = asking_graph("abc", saver, runs)
    ids = paused(driver, graph)
    driver.invoke(graph, Command(resume={ids["a"]: 1}), thread_id="t")
    runs.clear()
    return graph, ids


UNKNOWN = "0" * 32


def test_one_answer_for_several_questions_is_refused(driver, saver):
    runs: list[str] = []
    graph, ids = one_of_two_answered(driver, saver, runs)

    with pytest.raises(AmbiguousResumeError, match=ids["b"]):
        driver.invoke(graph, Command(resume="yes"), thread_id="t")
    assert runs == []
    assert pending(driver, graph) == ["b", "c"]


@pytest.mark.parametrize("also", [(), ("b",), ("b", "c")], ids=len)
def test_an_unknown_id_is_refused_together_with_everything_beside_it(driver, saver, also):
    runs: list[str] = []
    graph, ids = one_of_two_answered(driver, saver, runs)

    with pytest.raises(UnknownInterruptError, match=UNKNOWN):
        driver.invoke(graph, Command(resume={**{ids[name]: 2 for name in also}, UNKNOWN: 3}), thread_id="t")
    assert runs == []
    assert pending(driver, graph) == ["b", "c"]


def test_keys_that_are_no_ids_beside_an_id_are_refused(driver, saver):
    runs: list[str] = []
    graph, ids = one_of_two_answered(driver, saver, runs)

    with pytest.raises(UnknownInterruptError, match="comment"):
        driver.invoke(graph, Command(resume={ids["b"]: 2, "comment": "ok"}), thread_id="t")
    assert runs == []
    assert pending(driver, graph) == ["b", "c"]


def test_the_id_of_another_thread_is_refused(driver, saver):
    runs: list[str] = []
    graph, _ = one_of_two_answered(driver, saver, runs)
    foreign = paused(driver, graph, "other")
    runs.clear()

    with pytest.raises(UnknownInterruptError):
        driver.invoke(graph, Command(resume={foreign["b"]: 2}), thread_id="t")
    assert runs == []
    assert pending(driver, graph) == ["b", "c"]
    assert pending(driver, graph, "other") == ["a", "b", "c"]


def test_a_second_answer_to_a_question_of_this_step_is_refused(driver, saver):
    runs: list[str] = []
    graph, ids = one_of_two_answered(driver, saver, runs)

    with pytest.raises(InterruptAlreadyAnsweredError, match=ids["a"]):
        driver.invoke(graph, Command(resume={ids["a"]: "changed my mind", ids["b"]: 2}), thread_id="t")
    assert runs == []
    assert pending(driver, graph) == ["b", "c"]


def test_a_late_answer_to_a_question_of_an_earlier_step_is_refused_as_answered(driver, saver):
    graph = asking_graph("a", saver, runs := [])
    ids = paused(driver, graph)
    driver.invoke(graph, Command(resume={ids["a"]: 1}), thread_id="t")
    runs.clear()

    with pytest.raises(InterruptAlreadyAnsweredError, match=ids["a"]):
        driver.invoke(graph, Command(resume={ids["a"]: 2}), thread_id="t")
    assert runs == []
    assert driver.get_state(graph, thread_id="t").values == {"log": [("a", 1)]}


def test_the_first_question_of_a_node_cannot_be_answered_again_while_its_second_waits(driver, saver):
    builder = StateGraph(State).add_node("ask", lambda state: {"log": [interrupt("one"), interrupt("two")]}).add_edge(START, "ask")
    graph = builder.compile(checkpointer=saver)
    ids = paused(driver, graph)
    driver.invoke(graph, Command(resume={ids["one"]: "A"}), thread_id="t")

    with pytest.raises(InterruptAlreadyAnsweredError):
        driver.invoke(graph, Command(resume={ids["one"]: "B"}), thread_id="t")
    assert driver.invoke(graph, Command(resume="C"), thread_id="t") == {"log": ["A", "C"]}


def test_an_answered_question_of_a_subgraph_cannot_be_answered_again(driver, saver):
    inner = StateGraph(State).add_node("ask", lambda state: {"log": [interrupt("one"), interrupt("two")]}).add_edge(START, "ask").compile()
    graph = StateGraph(State).add_node("inner", inner).add_edge(START, "inner").compile(checkpointer=saver)
    ids = paused(driver, graph)
    driver.invoke(graph, Command(resume={ids["one"]: "A"}), thread_id="t")

    with pytest.raises(InterruptAlreadyAnsweredError):
        driver.invoke(graph, Command(resume={ids["one"]: "B"}), thread_id="t")
    assert driver.invoke(graph, Command(resume="C"), thread_id="t") == {"log": ["A", "C"]}


def test_an_answer_on_a_thread_nobody_started_is_refused_and_makes_no_thread(driver, saver):
    graph = asking_graph("a", saver, runs := [])

    for resume in ("yes", {UNKNOWN: "yes"}, None):
        with pytest.raises(NothingToResumeError):
            driver.invoke(graph, Command(resume=resume), thread_id="new")
    assert runs == []
    assert saver.threads().items == ()
    with pytest.raises(ThreadNotFoundError):
        driver.get_state(graph, thread_id="new")


@pytest.mark.parametrize("resume", ["yes", None, {}], ids=repr)
def test_an_answer_on_a_finished_thread_is_refused(driver, saver, resume):
    graph = StateGraph(State).add_node("a", lambda state: {"log": ["a"]}).add_edge(START, "a").compile(checkpointer=saver)
    driver.invoke(graph, {"log": []}, thread_id="t")

    with pytest.raises(NothingToResumeError):
        driver.invoke(graph, Command(resume=resume), thread_id="t")
    assert len(driver.history(graph, thread_id="t")) == 3


def test_an_answer_at_a_breakpoint_is_refused(driver, saver):
    graph = StateGraph(State).add_node("a", lambda state: {"log": ["a"]}).add_edge(START, "a").compile(saver, interrupt_before=["a"])
    driver.invoke(graph, {"log": []}, thread_id="t")

    with pytest.raises(NothingToResumeError):
        driver.invoke(graph, Command(resume="yes"), thread_id="t")
    assert driver.get_state(graph, thread_id="t").next == ("a",)


def test_answering_needs_a_checkpointer_and_a_thread(driver, saver):
    with pytest.raises(MissingCheckpointerError):
        driver.invoke(asking_graph("a", None, []), Command(resume="yes"))
    with pytest.raises(MissingThreadIdError):
        driver.invoke(asking_graph("a", saver, []), Command(resume="yes"))


def test_an_answer_that_cannot_be_stored_is_refused_and_the_question_stays(driver, saver):
    graph = asking_graph("a", saver, runs := [])
    ids = paused(driver, graph)
    runs.clear()

    with pytest.raises(UnserializableValueError, match=ids["a"]) as failure:
        driver.invoke(graph, Command(resume={"edit": [1, Handle()]}), thread_id="t")
    assert "$.edit[1]" in str(failure.value)
    assert runs == []
    assert pending(driver, graph) == ["a"]
    assert driver.invoke(graph, Command(resume="A"), thread_id="t") == {"log": [("a", "A")]}


def test_every_refused_answer_is_an_error_of_the_request_with_a_hint(driver, saver):
    graph, _ = one_of_two_answered(driver, saver, [])

    for resume in ("scalar", {UNKNOWN: 1}):
        with pytest.raises(RequestError) as failure:
            driver.invoke(graph, Command(resume=resume), thread_id="t")
        assert failure.value.hint


def test_a_stream_refuses_an_answer_before_its_first_chunk_and_streams_what_an_answer_brings(driver, saver):
    graph, ids = one_of_two_answered(driver, saver, [])

    with pytest.raises(UnknownInterruptError):
        driver.stream(graph, Command(resume={UNKNOWN: 1}), thread_id="t")
    chunks = driver.stream(graph, Command(resume={ids["c"]: 3}), thread_id="t")
    assert [list(chunk) for chunk in chunks] == [["a", "__metadata__"], ["c"], ["__interrupt__"]]
    assert chunks[0]["__metadata__"] == {"cached": True}
    assert [question.value for question in chunks[2]["__interrupt__"]] == ["b"]


def test_new_input_cancels_the_questions_with_a_record_and_keeps_what_siblings_did(driver, saver):
    runs: list[str] = []
    graph, ids = one_of_two_answered(driver, saver, runs)
    old = driver.get_state(graph, thread_id="t")

    result = driver.invoke(graph, {"log": ["new"]}, thread_id="t")

    assert result["log"] == [("a", 1), "new"]
    assert sorted(runs) == ["a", "b", "c"]
    assert len(saver.pending_interrupts().items) == 3
    assert {question.id for question in result["__interrupt__"]}.isdisjoint(ids.values())
    assert [task.name for task in driver.get_state(graph, old.config).tasks if task.interrupts] == ["b", "c"]
    assert driver.get_state(graph, old.config).interrupts == ()


def test_a_cancelled_question_cannot_be_answered(driver, saver):
    runs: list[str] = []
    graph, ids = one_of_two_answered(driver, saver, runs)
    driver.invoke(graph, {"log": ["new"]}, thread_id="t")
    runs.clear()

    with pytest.raises(InterruptAlreadyAnsweredError, match="cancelled"):
        driver.invoke(graph, Command(resume={ids["b"]: 2}), thread_id="t")
    assert runs == []
    assert pending(driver, graph) == ["a", "b", "c"]


def test_input_that_is_refused_cancels_nothing(driver, saver):
    graph, _ = one_of_two_answered(driver, saver, [])

    with pytest.raises(InvalidUpdateError):
        driver.invoke(graph, {"lgo": []}, thread_id="t")
    assert pending(driver, graph) == ["b", "c"]


def test_the_same_question_of_the_past_is_answered_anew_on_a_branch_of_its_own(driver, saver):
    builder = StateGraph(State).add_node("ask", lambda state: {"log": [interrupt("?")]}).add_edge(START, "ask").add_edge("ask", END)
    graph = builder.compile(checkpointer=saver)
    paused(driver, graph)
    old = driver.get_state(graph, thread_id="t").config
    driver.invoke(graph, Command(resume="first"), thread_id="t")

    assert driver.invoke(graph, Command(resume="second"), old) == {"log": ["second"]}
    assert driver.invoke(graph, Command(resume="third"), old) == {"log": ["third"]}
    logs = [state.values["log"] for state in driver.history(graph, thread_id="t")]
    assert [log for log in logs if log] == [["third"], ["second"], ["first"]]
