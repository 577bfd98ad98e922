"""Questions: how nodes ask, what a caller sees of it, and that each answer comes back to the question it belongs to."""

from __future__ import annotations

import operator
from itertools import count
from typing import Annotated, TypedDict

import pytest
from pydantic import BaseModel

from graphkit import START, Interrupt, Send, StateGraph, get_stream_writer, interrupt
from graphkit.core.command import Command
from graphkit.errors import (
    InterruptMismatchError,
    InvalidConfigError,
)


class State(TypedDict):
    log: Annotated[list[object], operator.add]


class Approval(BaseModel):
    ok: bool
    words: str = ""


def asking(*questions, runs=None):
    """Return a node that asks one question after the other and logs the answers; ``runs`` collects its runs."""

    def node(state):
        if runs is not None:
            runs.append(questions[0])
        return {"log": [interrupt(question) for question in questions]}

    return node


def side_by_side(saver, **nodes):
    """Return a graph whose nodes all run in its first superstep."""
    builder = StateGraph(State)
    for name, node in nodes.items():
        builder.add_node(name, node).add_edge(START, name)
    return builder.compile(checkpointer=saver)


def asked(result):
    return [question.value for question in result.get("__interrupt__", ())]


def conversation(driver, graph, given, answers):
    """Start a thread and answer one question after the other; return all results."""
    return [
        driver.invoke(graph, given, thread_id="t"),
        *[driver.invoke(graph, Command(resume=answer), thread_id="t") for answer in answers],
    ]


def ids(result):
    """Return the ids of the pending questions by what they ask."""
    return {question.value: question.id for question in result["__interrupt__"]}


@pytest.mark.parametrize("durability", ["sync", "async", "exit"])
def test_a_question_pauses_the_run_and_the_answer_is_what_interrupt_returns(driver, saver, durability):
    runs: list[str] = []
    graph = side_by_side(saver, ask=asking({"q": 1}, runs=None), other=lambda state: runs.append("other"))

    paused = driver.invoke(graph, {"log": ["i"]}, thread_id="t", durability=durability)
    ended = driver.invoke(graph, Command(resume=("yes", {1, 2})), thread_id="t", durability=durability)

    assert list(paused) == ["log", "__interrupt__"]
    assert isinstance(paused["__interrupt__"], list)
    assert asked(paused) == [{"q": 1}]
    assert ended == {"log": ["i", ("yes", {1, 2})]}
    assert runs == ["other"]


def test_streams_show_a_question_as_a_tuple_after_what_its_siblings_did(driver, saver):
    graph = side_by_side(saver, ask=asking("?"))

    updates = driver.stream(graph, {"log": ["i"]}, thread_id="u")
    values = driver.stream(graph, {"log": ["i"]}, thread_id="v", stream_mode="values")

    assert [list(chunk) for chunk in updates] == [["__interrupt__"]]
    assert [(type(chunk["__interrupt__"]), chunk["__interrupt__"][0].value) for chunk in updates] == [(tuple, "?")]
    assert values[0] == {"log": ["i"]}
    assert values[-1]["log"] == ["i"]
    assert [question.value for question in values[-1]["__interrupt__"]] == ["?"]


def test_what_a_node_writes_before_it_asks_is_seen_before_the_question(driver, saver):
    def ask(state):
        get_stream_writer()("drafting")
        interrupt("?")

    chunks = driver.stream(side_by_side(saver, ask=ask), {"log": []}, thread_id="t", stream_mode=["custom", "updates"])

    assert [mode for mode, _ in chunks] == ["custom", "updates"]


def test_the_state_lists_every_question_that_was_returned_and_streamed(driver, saver):
    graph = side_by_side(saver, a=asking("first"), b=asking("second"), done=lambda state: {"log": ["done"]})
    streamed = [question for chunk in driver.stream(graph, {"log": []}, thread_id="t") for question in chunk.get("__interrupt__", ())]

    state = driver.get_state(graph, thread_id="t")

    assert list(state.interrupts) == streamed == driver.invoke(graph, None, thread_id="t")["__interrupt__"]
    assert state.next == ("a", "b")
    assert state.values == {"log": ["done"]}
    assert {task.name: [question.value for question in task.interrupts] for task in state.tasks} == {
        "a": ["first"],
        "b": ["second"],
        "done": [],
    }


def test_an_interrupt_id_has_32_hexadecimal_digits_and_stays_the_same(driver, saver):
    graph = side_by_side(saver, ask=asking("?"))
    first = driver.invoke(graph, {"log": []}, thread_id="t")["__interrupt__"][0]

    assert len(first.id) == 32
    assert not set(first.id) - set("0123456789abcdef")
    assert driver.invoke(graph, None, thread_id="t")["__interrupt__"] == [first]
    assert driver.get_state(graph, thread_id="t").tasks[0].interrupts == (first,)
    assert first == Interrupt("?", first.id)


def test_several_questions_in_one_node_are_asked_one_after_the_other(driver, saver):
    runs: list[str] = []
    graph = side_by_side(saver, ask=asking("one", "two", "three", runs=runs))
    results = conversation(driver, graph, {"log": []}, [1, 2, 3])

    assert [asked(result) for result in results] == [["one"], ["two"], ["three"], []]
    assert len({result["__interrupt__"][0].id for result in results[:3]}) == 3
    assert results[-1] == {"log": [1, 2, 3]}
    assert len(runs) == 4


def test_parallel_nodes_that_ask_the_same_get_their_own_answers(driver, saver):
    graph = side_by_side(saver, a=asking("?"), b=asking("?"), c=asking("?"))
    questions = driver.invoke(graph, {"log": []}, thread_id="t")["__interrupt__"]
    by_node = {task.name: task.interrupts[0].id for task in driver.get_state(graph, thread_id="t").tasks}

    answers = {by_node[name]: f"for {name}" for name in "cab"}
    ended = driver.invoke(graph, Command(resume=answers), thread_id="t")

    assert len({question.id for question in questions}) == 3
    assert ended["log"] == ["for a", "for b", "for c"]


def test_sends_ask_one_question_each_and_those_that_are_done_do_not_run_again(driver, saver):
    runs: list[int] = []

    def work(item):
        runs.append(item)
        return {"log": [(item, interrupt(item) if item % 2 else "none")]}

    builder = StateGraph(State).add_node("work", work)
    builder.add_conditional_edges(START, lambda state: [Send("work", item) for item in range(4)])
    graph = builder.compile(checkpointer=saver)
    pending = ids(driver.invoke(graph, {"log": []}, thread_id="t"))
    first = sorted(runs)

    ended = driver.invoke(graph, Command(resume={pending[3]: "three", pending[1]: "one"}), thread_id="t")

    assert list(pending) == [1, 3]
    assert first == [0, 1, 2, 3]
    assert sorted(runs[4:]) == [1, 3]
    assert ended["log"] == [(0, "none"), (1, "one"), (2, "none"), (3, "three")]


def nested(levels, leaf, counts):
    """Return a builder whose graph calls graphs as nodes, ``levels`` deep, with a counting node before each of them."""

    def counting(state):
        counts.append(levels)

    builder = StateGraph(State).add_node("before", counting)
    inner = nested(levels - 1, leaf, counts).compile() if levels else leaf
    return builder.add_node("inner", inner).add_edge(START, "before").add_edge("before", "inner")


def test_a_question_three_graphs_deep_reaches_the_caller_and_its_answer_goes_down_again(driver, saver):
    counts: list[int] = []
    runs: list[str] = []
    graph = nested(3, asking("one", "two", runs=runs), counts).compile(checkpointer=saver)
    results = conversation(driver, graph, {"log": ["i"]}, "AB")

    assert [asked(result) for result in results] == [["one"], ["two"], []]
    assert results[-1] == {"log": ["i", "A", "B"]}
    assert counts == [3, 2, 1, 0]
    assert len(runs) == 3


def test_parallel_questions_of_different_depths_are_answered_by_id_in_any_order(driver, saver):
    counts: list[int] = []
    deep, flat = nested(2, asking("deep"), counts).compile(), nested(0, asking("flat"), counts).compile()
    graph = side_by_side(saver, deep=deep, flat=flat, top=asking("top"))
    pending = ids(driver.invoke(graph, {"log": []}, thread_id="t"))
    before = sorted(counts)

    partly = driver.invoke(graph, Command(resume={pending["deep"]: "D"}), thread_id="t")
    ended = driver.invoke(graph, Command(resume={pending["top"]: "T", pending["flat"]: "F"}), thread_id="t")

    assert sorted(pending) == ["deep", "flat", "top"]
    assert ids(partly) == {"flat": pending["flat"], "top": pending["top"]}
    assert ended["log"] == ["D", "F", "T"]
    assert sorted(counts) == before


def test_a_graph_called_inside_a_node_function_goes_on_where_it_asked(driver, saver):
    steps: list[str] = []
    inner = StateGraph(State).add_node("s1", lambda state: steps.append("s1")).add_node("s2", asking("one", "two"))
    child = inner.add_edge(START, "s1").add_edge("s1", "s2").compile()

    def call(state):
        steps.append("body")
        return {"log": child.invoke({"log": []})["log"]}

    graph = side_by_side(saver, call=call)
    results = conversation(driver, graph, {"log": ["i"]}, "AB")

    assert [asked(result) for result in results] == [["one"], ["two"], []]
    assert results[-1] == {"log": ["i", "A", "B"]}
    assert steps == ["body", "s1", "body", "body"]


def test_two_graphs_called_in_one_node_ask_after_each_other_and_none_of_them_starts_anew(driver, saver):
    steps: list[str] = []

    def child(name):
        builder = StateGraph(State).add_node("work", lambda state: steps.append(name)).add_node("ask", asking(name))
        return builder.add_edge(START, "work").add_edge("work", "ask").compile()

    left, right = child("left"), child("right")

    def call(state):
        return {"log": left.invoke({"log": []})["log"] + right.invoke({"log": []})["log"] + [interrupt("own")]}

    graph = side_by_side(saver, call=call)
    results = conversation(driver, graph, {"log": []}, "ABC")

    assert [asked(result) for result in results] == [["left"], ["right"], ["own"], []]
    assert results[-1] == {"log": ["A", "B", "C"]}
    assert steps == ["left", "right"]


def test_a_loop_of_nodes_asks_anew_each_time_around(driver, saver):
    builder = StateGraph(State).add_node("ask", asking("again?")).add_edge(START, "ask")
    builder.add_conditional_edges("ask", lambda state: "ask" if state["log"][-1] == "yes" else "__end__")
    graph = builder.compile(checkpointer=saver)
    results = conversation(driver, graph, {"log": []}, ("yes", "yes", "no"))

    assert len({result["__interrupt__"][0].id for result in results[:3]}) == 3
    assert results[-1] == {"log": ["yes", "yes", "no"]}


@pytest.mark.parametrize("answer", [None, False, 0, "", [], {}, ()], ids=repr)
def test_an_answer_may_be_falsy(driver, saver, answer):
    graph = side_by_side(saver, ask=asking("one", "two"))
    pending = driver.invoke(graph, {"log": []}, thread_id="t")["__interrupt__"][0].id

    second = driver.invoke(graph, Command(resume=answer), thread_id="t")
    ended = driver.invoke(graph, Command(resume={second["__interrupt__"][0].id: answer}), thread_id="t")

    assert second["__interrupt__"][0].id != pending
    assert ended == {"log": [answer, answer]}
    assert type(ended["log"][0]) is type(answer)


def test_named_questions_get_their_answers_whatever_the_order_of_asking(driver, saver):
    orders = iter([("a", "b"), ("b", "a"), ("b", "a")])

    def ask(state):
        answers = {key: interrupt("?", key=key) for key in next(orders)}
        return {"log": [answers["a"], answers["b"]]}

    graph = side_by_side(saver, ask=ask)
    results = conversation(driver, graph, {"log": []}, ("for a", "for b"))

    assert [question.key for result in results[:2] for question in result["__interrupt__"]] == ["a", "b"]
    assert results[-1] == {"log": ["for a", "for b"]}


@pytest.mark.parametrize("keys", [("twice", "twice"), ("",), ("#0",), (7,)], ids=repr)
def test_the_key_of_a_question_is_a_name_of_its_own(driver, saver, keys):
    graph = side_by_side(saver, ask=lambda state: [interrupt("?", key=key) for key in keys])

    with pytest.raises(InvalidConfigError):
        conversation(driver, graph, {"log": []}, "A")


def test_an_answer_never_goes_to_another_question_than_the_one_that_was_shown(driver, saver):
    numbers = count()
    acted: list[object] = []

    def ask(state):
        acted.append(interrupt(f"pay {next(numbers)}?"))

    graph = side_by_side(saver, ask=ask)
    driver.invoke(graph, {"log": []}, thread_id="t")

    with pytest.raises(InterruptMismatchError, match="ask"):
        driver.invoke(graph, Command(resume="yes"), thread_id="t")
    assert acted == []
    assert driver.get_state(graph, thread_id="t").next == ("ask",)


def test_an_answer_is_kept_when_a_rerun_asked_something_else_and_used_when_it_asks_the_same_again(driver, saver):
    texts = iter(["pay 5?", "pay 9?", "pay 5?"])
    graph = side_by_side(saver, ask=lambda state: {"log": [interrupt(next(texts))]})
    driver.invoke(graph, {"log": []}, thread_id="t")

    with pytest.raises(InterruptMismatchError):
        driver.invoke(graph, Command(resume="yes"), thread_id="t")
    assert driver.invoke(graph, None, thread_id="t") == {"log": ["yes"]}


def test_unnamed_questions_that_change_places_are_noticed(driver, saver):
    orders = iter([("a", "b"), ("b", "a")])
    graph = side_by_side(saver, ask=lambda state: {"log": [interrupt(text) for text in next(orders)]})
    driver.invoke(graph, {"log": []}, thread_id="t")

    with pytest.raises(InterruptMismatchError):
        driver.invoke(graph, Command(resume="for a"), thread_id="t")


def test_a_changed_response_schema_is_another_question(driver, saver):
    schemas = iter([{"type": "integer"}, {"type": "number"}])
    graph = side_by_side(saver, ask=lambda state: interrupt("?", response_schema=next(schemas)))
    driver.invoke(graph, {"log": []}, thread_id="t")

    with pytest.raises(InterruptMismatchError):
        driver.invoke(graph, Command(resume=1), thread_id="t")
