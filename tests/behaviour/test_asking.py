"""What can go wrong with asking: swallowed questions, no place to wait, values that cannot be stored; schemas and deadlines."""

from __future__ import annotations

import asyncio
import operator
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Annotated, TypedDict

import pytest
from pydantic import BaseModel

from graphkit import START, Command, StateGraph, interrupt
from graphkit.errors import (
    GraphInterrupt,
    InterruptSwallowedError,
    InvalidAnswerError,
    InvalidConfigError,
    MissingCheckpointerError,
    OutsideRunError,
    RunError,
    UnserializableValueError,
)


class State(TypedDict):
    log: Annotated[list[object], operator.add]


class Approval(BaseModel):
    ok: bool
    words: str = ""


class Handle:
    """Something that cannot be stored."""


def graph_of(node, saver=None):
    return StateGraph(State).add_node("ask", node).add_edge(START, "ask").compile(checkpointer=saver)


def test_except_exception_does_not_catch_a_question(driver, saver):
    def ask(state):
        try:
            return {"log": [interrupt("?")]}
        except Exception:  # noqa: BLE001 - as the code around a tool has it
            return {"log": ["swallowed"]}

    graph = graph_of(ask, saver)
    paused = driver.invoke(graph, {"log": []}, thread_id="t")

    assert [question.value for question in paused["__interrupt__"]] == ["?"]
    assert driver.invoke(graph, Command(resume="A"), thread_id="t") == {"log": ["A"]}


def test_a_node_that_swallows_its_question_fails_and_nothing_of_it_is_kept(driver, saver):
    def ask(state):
        try:
            answer = interrupt("?")
        except:  # noqa: E722 - the worst a user can do
            answer = "none"
        return {"log": [f"acted on {answer}"]}

    graph = graph_of(ask, saver)

    with pytest.raises(InterruptSwallowedError, match="ask"):
        driver.invoke(graph, {"log": ["i"]}, thread_id="t")
    state = driver.get_state(graph, thread_id="t")
    assert (state.values, state.next, state.interrupts) == ({"log": ["i"]}, ("ask",), ())


def test_a_question_gathered_among_results_is_noticed(driver, saver):
    async def tool():
        return interrupt("?")

    async def ask(state):
        results = await asyncio.gather(tool(), return_exceptions=True)
        return {"log": [str(type(result).__name__) for result in results]}

    graph = graph_of(ask, saver)

    with pytest.raises(InterruptSwallowedError):
        driver.invoke(graph, {"log": []}, thread_id="t")


def test_the_question_of_a_subgraph_cannot_be_swallowed_by_the_node_that_called_it(driver, saver):
    child = graph_of(lambda state: {"log": [interrupt("?")]})

    def call(state):
        try:
            return child.invoke({"log": []})
        except BaseException:  # noqa: BLE001 - the worst a user can do
            return {"log": ["went on"]}

    graph = graph_of(call, saver)

    with pytest.raises(InterruptSwallowedError):
        driver.invoke(graph, {"log": []}, thread_id="t")
    assert driver.get_state(graph, thread_id="t").values == {"log": []}


def test_a_node_may_clean_up_while_it_asks(driver, saver):
    closed: list[str] = []

    def ask(state):
        try:
            return {"log": [interrupt("?")]}
        finally:
            closed.append("closed")

    graph = graph_of(ask, saver)
    driver.invoke(graph, {"log": []}, thread_id="t")

    assert driver.invoke(graph, Command(resume="A"), thread_id="t") == {"log": ["A"]}
    assert closed == ["closed", "closed"]


def test_asking_without_a_checkpointer_fails_at_once(driver):
    went_on: list[str] = []

    def ask(state):
        interrupt("?")
        went_on.append("on")

    with pytest.raises(MissingCheckpointerError, match="ask"):
        driver.invoke(graph_of(ask), {"log": []})
    assert went_on == []


def test_asking_outside_of_a_node_is_refused():
    with pytest.raises(OutsideRunError):
        interrupt("?")


def test_raising_the_control_flow_by_hand_is_a_failure(driver, saver):
    def ask(state):
        raise GraphInterrupt(())

    with pytest.raises(RunError, match="ask"):
        driver.invoke(graph_of(ask, saver), {"log": []}, thread_id="t")


def test_a_router_may_ask(driver, saver):
    runs: list[str] = []
    builder = StateGraph(State).add_node("work", lambda state: runs.append("work")).add_node("left", lambda state: {"log": ["left"]})
    builder.add_edge(START, "work").add_conditional_edges("work", lambda state: interrupt("where?"))
    graph = builder.compile(checkpointer=saver)
    paused = driver.invoke(graph, {"log": []}, thread_id="t")

    ended = driver.invoke(graph, Command(resume="left"), thread_id="t")

    assert [question.value for question in paused["__interrupt__"]] == ["where?"]
    assert ended == {"log": ["left"]}


QUESTION = {"to": ("a@b.de", "c@d.fr"), "at": datetime(2026, 1, 2, tzinfo=UTC), "sum": Decimal("1.10"), "tags": {"x"}, "raw": b"\0"}


def test_what_is_asked_and_answered_keeps_its_types(driver, saver):
    graph = graph_of(lambda state: {"log": [interrupt(QUESTION)]}, saver)
    driver.invoke(graph, {"log": []}, thread_id="t")

    shown = driver.get_state(graph, thread_id="t").interrupts[0].value
    driver.invoke(graph, Command(resume=QUESTION), thread_id="t")

    assert shown == QUESTION
    assert [type(value) for value in shown.values()] == [type(value) for value in QUESTION.values()]
    assert driver.get_state(graph, thread_id="t").values == {"log": [QUESTION]}


@pytest.mark.parametrize("others", [False, True], ids=["alone", "beside another"])
def test_a_question_that_cannot_be_stored_fails_its_node_and_names_the_place(driver, saver, others):
    builder = StateGraph(State).add_node("ask", lambda state: interrupt({"args": [1, Handle()]})).add_edge(START, "ask")
    if others:
        builder.add_node("other", lambda state: {"log": ["other"]}).add_edge(START, "other")
    graph = builder.compile(checkpointer=saver)

    with pytest.raises(UnserializableValueError, match="ask") as failure:
        driver.invoke(graph, {"log": []}, thread_id="t")
    assert "args" in str(failure.value)
    assert "Handle" in str(failure.value)
    state = driver.get_state(graph, thread_id="t")
    assert (state.next, state.interrupts) == (("ask",), ())
    assert state.values == {"log": ["other"] if others else []}
    assert saver.pending_interrupts().items == ()


@pytest.mark.parametrize(
    "schema, answer, returned",
    [
        (Approval, {"ok": True}, Approval(ok=True)),
        (Approval, Approval(ok=False, words="no"), Approval(ok=False, words="no")),
        (int, 5, 5),
        (list[int], [1, 2], [1, 2]),
        (bool | None, None, None),
        ({"type": "object", "required": ["ok"]}, {"ok": 1}, {"ok": 1}),
        ({"enum": ["accept", "ignore"]}, "ignore", "ignore"),
    ],
    ids=str,
)
def test_an_answer_that_fits_the_response_schema_is_returned_in_its_type(driver, saver, schema, answer, returned):
    saver.codec.register(Approval)
    answers: list[object] = []
    graph = graph_of(lambda state: answers.append(interrupt("?", response_schema=schema)), saver)
    driver.invoke(graph, {"log": []}, thread_id="t")

    driver.invoke(graph, Command(resume=answer), thread_id="t")

    assert answers == [returned]
    assert type(answers[0]) is type(returned)


@pytest.mark.parametrize(
    "schema, answer",
    [
        (Approval, {"ok": "perhaps"}),
        (Approval, {"words": "no"}),
        (Approval, None),
        (int, "5"),
        (list[int], [1, "x"]),
        ({"type": "object", "required": ["ok"]}, {}),
        ({"enum": ["accept", "ignore"]}, "acept"),
        ({"type": "object", "properties": {"args": {"type": "object"}}}, {"args": []}),
    ],
    ids=str,
)
def test_a_wrong_answer_is_refused_before_any_node_runs_and_the_question_stays(driver, saver, schema, answer):
    runs: list[str] = []

    def ask(state):
        runs.append("ask")
        return {"log": [interrupt("?", response_schema=schema)]}

    graph = graph_of(ask, saver)
    pending = driver.invoke(graph, {"log": []}, thread_id="t")["__interrupt__"]

    with pytest.raises(InvalidAnswerError, match=pending[0].id):
        driver.invoke(graph, Command(resume=answer), thread_id="t")
    assert runs == ["ask"]
    assert list(driver.get_state(graph, thread_id="t").interrupts) == pending
    assert driver.invoke(graph, None, thread_id="t")["__interrupt__"] == pending


def test_of_two_answers_with_one_wrong_none_is_used(driver, saver):
    runs: list[str] = []
    builder = StateGraph(State)
    for name in "ab":

        def ask(state, name=name):
            runs.append(name)
            return {"log": [interrupt(name, response_schema=int)]}

        builder.add_node(name, ask).add_edge(START, name)
    graph = builder.compile(checkpointer=saver)
    pending = {question.value: question.id for question in driver.invoke(graph, {"log": []}, thread_id="t")["__interrupt__"]}

    with pytest.raises(InvalidAnswerError):
        driver.invoke(graph, Command(resume={pending["a"]: 1, pending["b"]: "one"}), thread_id="t")
    assert sorted(runs) == ["a", "b"]
    assert {question.id for question in driver.get_state(graph, thread_id="t").interrupts} == set(pending.values())


def test_a_question_carries_its_schema_in_json_form(driver, saver):
    graph = graph_of(lambda state: interrupt("?", response_schema=Approval), saver)

    [question] = driver.invoke(graph, {"log": []}, thread_id="t")["__interrupt__"]

    assert question.response_schema == Approval.model_json_schema()
    assert driver.get_state(graph, thread_id="t").interrupts[0].response_schema == Approval.model_json_schema()


def test_a_deadline_is_stored_with_the_question_and_fires_nothing(driver, saver):
    deadline = datetime(2020, 1, 1, 12, tzinfo=timezone(timedelta(hours=2)))
    graph = graph_of(lambda state: {"log": [interrupt("?", deadline=deadline)]}, saver)

    [question] = driver.invoke(graph, {"log": []}, thread_id="t")["__interrupt__"]

    assert question.deadline == deadline
    assert driver.get_state(graph, thread_id="t").interrupts[0].deadline == deadline
    assert saver.pending_interrupts().items[0].interrupt.deadline == deadline
    assert driver.invoke(graph, Command(resume="late"), thread_id="t") == {"log": ["late"]}


def test_a_deadline_without_a_time_zone_is_refused(driver, saver):
    graph = graph_of(lambda state: interrupt("?", deadline=datetime(2030, 1, 1)), saver)  # noqa: DTZ001 - that is the point

    with pytest.raises(InvalidConfigError, match="time zone"):
        driver.invoke(graph, {"log": []}, thread_id="t")


def test_a_deadline_is_no_part_of_what_is_asked(driver, saver):
    deadlines = iter([datetime(2030, 1, day, tzinfo=UTC) for day in (1, 2)])
    graph = graph_of(lambda state: {"log": [interrupt("?", deadline=next(deadlines))]}, saver)
    driver.invoke(graph, {"log": []}, thread_id="t")

    assert driver.invoke(graph, Command(resume="A"), thread_id="t") == {"log": ["A"]}
