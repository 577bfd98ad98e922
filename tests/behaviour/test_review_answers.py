"""Answers in every form that review screens send; everything else is refused and uses up nothing."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Annotated, Literal

import pytest
from pydantic import AfterValidator, BaseModel

from graphkit import AIMessage, Command, InMemorySaver
from graphkit.agents import Review, create_react_agent
from graphkit.errors import InterruptAlreadyAnsweredError, InvalidAnswerError
from graphkit.models import ScriptedModel
from graphkit.tools import tool


class Room(BaseModel):
    name: str
    seats: int = 4


def not_in_the_past(moment: datetime) -> datetime:
    if moment < datetime(2026, 1, 1, tzinfo=UTC):
        raise ValueError("this is in the past")
    return moment


ARGS = {"guests": ["ada", "bo"], "minutes": 30, "room": {"name": "blue", "seats": 2}, "start": "2026-05-04T10:00:00Z", "note": "[1]"}
SHOWN = {"action": "meet", "args": ARGS}
CHANGED = {**ARGS, "guests": ["ada"], "minutes": 45}


def asking(saver, review, ran):
    """Return an agent that proposes one meeting, and what it asks about it."""

    @tool
    def meet(
        *,
        guests: list[str],
        minutes: int,
        room: Room,
        start: Annotated[datetime, AfterValidator(not_in_the_past)],
        note: str = "",
        color: Literal["red", "green"] | None = None,
    ) -> str:
        """Arrange a meeting."""
        ran.append((guests, minutes, room, start.year, note, color))
        return "arranged"

    model = ScriptedModel([AIMessage(tool_calls=[{"name": "meet", "args": ARGS, "id": "c"}], id="m"), "Done."])
    return create_react_agent(model, [meet], review={"meet": review}, checkpointer=saver)


def ask(driver, graph):
    [question] = driver.invoke(graph, {"messages": ["go"]}, thread_id="t")["__interrupt__"]
    return question


def result(driver, graph):
    values = driver.get_state(graph, thread_id="t").values
    return values["verdicts"]["c"], values["messages"][1].tool_calls[0]["args"], values["messages"][2]


ACCEPT = [
    [{"type": "accept", "args": None}],
    {"type": "accept"},
    {"type": "accept", "args": ""},
    {"type": "accept", "args": {}},
    {"type": "accept", "args": SHOWN},
    {"type": "accept", "args": ARGS},
    [{"type": "accept", "args": {"action": "meet", "args": {**ARGS, "guests": '["ada", "bo"]', "room": '{"seats":2,"name":"blue"}'}}}],
    {"decisions": [{"type": "approve"}]},
    json.dumps([{"type": "accept", "args": None}]),
    json.dumps({"decisions": [{"type": "approve"}]}),
    [{"type": "edit", "args": SHOWN}],
    {"decisions": [{"type": "edit", "edited_action": {"name": "meet", "args": ARGS}}]},
]
EDIT = [
    [{"type": "edit", "args": {"action": "meet", "args": CHANGED}}],
    {"type": "edit", "args": CHANGED},
    {"type": "edit", "args": {**CHANGED, "guests": '["ada"]', "room": '{"name": "blue", "seats": 2}'}},
    {"type": "edit", "args": {**CHANGED, "minutes": "45"}},
    {"decisions": [{"type": "edit", "edited_action": {"name": "meet", "args": CHANGED}}]},
    json.dumps({"type": "edit", "args": CHANGED}),
    json.dumps([{"type": "edit", "args": {**CHANGED, "guests": '["ada"]'}}]),
]
RESPONSE = [
    [{"type": "response", "args": "Later, please"}],
    {"type": "response", "args": " Later, please\n"},
    {"decisions": [{"type": "respond", "message": "Later, please"}]},
    {"decisions": [{"type": "reject", "message": "Later, please"}]},
    json.dumps({"type": "response", "args": "Later, please"}),
]
IGNORE = [
    [{"type": "ignore", "args": None}],
    {"type": "ignore"},
    {"type": "ignore", "args": ""},
    {"decisions": [{"type": "reject"}]},
    {"decisions": [{"type": "reject", "message": None}]},
    {"decisions": [{"type": "reject", "message": " "}]},
    json.dumps({"decisions": [{"type": "reject"}]}),
]


@pytest.mark.parametrize("answer", ACCEPT, ids=str)
def test_an_approval_is_understood_in_every_form(driver, answer):
    ran = []
    graph = asking(InMemorySaver(), True, ran)
    ask(driver, graph)

    driver.invoke(graph, Command(resume=answer), thread_id="t")

    verdict, args, message = result(driver, graph)
    assert (verdict.type, args, message.text) == ("accept", ARGS, "arranged")
    assert ran == [(["ada", "bo"], 30, Room(name="blue", seats=2), 2026, "[1]", None)]


@pytest.mark.parametrize("answer", EDIT, ids=str)
def test_an_edit_is_understood_in_every_form(driver, answer):
    ran = []
    graph = asking(InMemorySaver(), True, ran)
    ask(driver, graph)

    driver.invoke(graph, Command(resume=answer), thread_id="t")

    verdict, args, message = result(driver, graph)
    assert (verdict.type, verdict.args, args, message.text.split("\n")[0]) == ("edit", CHANGED, CHANGED, "arranged")
    assert ran == [(["ada"], 45, Room(name="blue", seats=2), 2026, "[1]", None)]


@pytest.mark.parametrize(
    "answers, kind, text, status",
    [(RESPONSE, "response", "Later, please", "error"), (IGNORE, "ignore", "", "error")],
    ids=["response", "ignore"],
)
def test_answers_that_run_nothing_are_understood_in_every_form(driver, answers, kind, text, status):
    for answer in answers:
        ran = []
        graph = asking(InMemorySaver(), True, ran)
        ask(driver, graph)

        driver.invoke(graph, Command(resume=answer), thread_id="t")

        verdict, args, message = result(driver, graph)
        assert (verdict.type, verdict.text, args, message.status) == (kind, text, ARGS, status), answer
        assert ran == []


def test_a_rejection_with_words_is_an_ignore_where_no_response_is_taken(driver):
    graph = asking(InMemorySaver(), ["accept", "ignore"], [])
    ask(driver, graph)

    driver.invoke(graph, Command(resume={"decisions": [{"type": "reject", "message": "too early"}]}), thread_id="t")

    verdict, _, message = result(driver, graph)
    assert (verdict.type, verdict.text) == ("ignore", "too early")
    assert "(too early)" in message.text


WRONG = [
    None,
    True,
    "",
    "yes",
    "accept",
    [],
    {},
    [{"type": "accept"}, {"type": "accept"}],
    {"type": "Accept"},
    {"type": "approve"},
    {"args": None},
    {"type": "accept", "args": {**ARGS, "minutes": 31}},
    {"type": "accept", "args": {"action": "meet", "args": {**ARGS, "guests": '["ada"]'}}},
    {"type": "accept", "args": {"action": "cancel", "args": ARGS}},
    {"type": "accept", "args": {"guests": ["ada", "bo"]}},
    {"type": "accept", "args": True},
    {"type": "accept", "more": 1},
    {"type": "response"},
    {"type": "response", "args": " \n"},
    {"type": "response", "args": ["words"]},
    {"type": "ignore", "args": {"reason": "x"}},
    {"type": "edit"},
    {"type": "edit", "args": None},
    {"type": "edit", "args": {}},
    {"type": "edit", "args": "more"},
    {"type": "edit", "args": {**ARGS, "minutes": "half an hour"}},
    {"type": "edit", "args": {**ARGS, "guests": "ada"}},
    {"type": "edit", "args": {**ARGS, "guests": '{"ada": 1}'}},
    {"type": "edit", "args": {**ARGS, "guests": [1]}},
    {"type": "edit", "args": {**ARGS, "room": {"seats": 2}}},
    {"type": "edit", "args": {**ARGS, "color": "blue"}},
    {"type": "edit", "args": {**ARGS, "bcc": ["eve"]}},
    {"type": "edit", "args": {"guests": ["ada"]}},
    {"type": "edit", "args": {"action": "cancel", "args": ARGS}},
    {"type": "edit", "args": {"action": "meet", "args": ARGS, "more": 1}},
    {"decisions": []},
    {"decisions": [{"type": "approve"}, {"type": "approve"}]},
    {"decisions": {"type": "approve"}},
    {"decisions": [{"type": "accept"}]},
    {"decisions": [{"type": "respond"}]},
    {"decisions": [{"type": "reject", "message": 5}]},
    {"decisions": [{"type": "edit", "edited_action": {"name": "cancel", "args": ARGS}}]},
    {"decisions": [{"type": "edit", "edited_action": {"name": "meet", "args": {"minutes": 1}}}]},
    {"decisions": [{"type": "edit"}]},
    '{"type": "acc',
    '"accept"',
    json.dumps(json.dumps({"type": "accept"})),
    json.dumps({"type": "edit", "args": {**ARGS, "minutes": None}}),
]


@pytest.mark.parametrize("wrong", WRONG, ids=str)
def test_a_wrong_answer_uses_up_nothing_and_a_right_one_still_works(driver, wrong):
    ran = []
    graph = asking(InMemorySaver(), True, ran)
    question = ask(driver, graph)

    with pytest.raises(InvalidAnswerError):
        driver.invoke(graph, Command(resume={question.id: wrong}), thread_id="t")
    assert [pending.id for pending in driver.get_state(graph, thread_id="t").interrupts] == [question.id]
    assert ran == []

    driver.invoke(graph, Command(resume={question.id: {"type": "accept"}}), thread_id="t")
    assert len(ran) == 1


@pytest.mark.parametrize("allowed", ["accept", "edit", "ignore", "response"])
def test_an_answer_that_is_not_allowed_is_refused(driver, saver, allowed):
    forms = {"accept": ACCEPT[0], "edit": EDIT[0], "ignore": IGNORE[0], "response": RESPONSE[0]}
    decisions = {"accept": ACCEPT[7], "edit": EDIT[4], "ignore": IGNORE[3], "response": RESPONSE[2]}
    graph = asking(saver, [allowed], [])
    question = ask(driver, graph)
    [shown] = question.value
    assert [name for name, is_allowed in shown["config"].items() if is_allowed] == [f"allow_{allowed}".replace("response", "respond")]

    for kind in {"accept", "edit", "ignore", "response"} - {allowed}:
        for answer in (forms[kind], decisions[kind], json.dumps(forms[kind])):
            with pytest.raises(InvalidAnswerError):
                driver.invoke(graph, Command(resume=answer), thread_id="t")

    driver.invoke(graph, Command(resume=forms[allowed]), thread_id="t")
    assert result(driver, graph)[0].type == allowed


def test_what_a_validator_of_the_tool_refuses_is_asked_again_with_the_complaint(driver, saver):
    ran = []
    graph = asking(saver, True, ran)
    first = ask(driver, graph)

    again = driver.invoke(graph, Command(resume={"type": "edit", "args": {**ARGS, "start": "1999-01-01T00:00:00Z"}}), thread_id="t")

    [second] = again["__interrupt__"]
    assert second.id != first.id
    assert second.value[0] == {**first.value[0], "description": second.value[0]["description"]}
    assert "this is in the past" in second.value[0]["description"]
    with pytest.raises(InterruptAlreadyAnsweredError):
        driver.invoke(graph, Command(resume={first.id: {"type": "accept"}}), thread_id="t")
    driver.invoke(graph, Command(resume={"type": "edit", "args": {**ARGS, "minutes": 5}}), thread_id="t")
    assert [each[1] for each in ran] == [5]


def test_what_a_check_of_the_program_refuses_is_asked_again_with_the_complaint(driver, saver):
    def check(call, state):
        return "Nobody is invited." if not call["args"]["guests"] else None

    ran = []
    graph = asking(saver, Review(check=check), ran)
    ask(driver, graph)

    for _ in range(2):
        again = driver.invoke(graph, Command(resume={"type": "edit", "args": {**ARGS, "guests": []}}), thread_id="t")
        assert "Nobody is invited." in again["__interrupt__"][0].value[0]["description"]

    driver.invoke(graph, Command(resume={"type": "accept"}), thread_id="t")
    assert [each[0] for each in ran] == [["ada", "bo"]]


def test_a_refusal_says_what_is_wrong(driver):
    graph = asking(InMemorySaver(), True, [])
    ask(driver, graph)

    def refusal(answer):
        with pytest.raises(InvalidAnswerError) as caught:
            driver.invoke(graph, Command(resume=answer), thread_id="t")
        return str(caught.value)

    assert "'aprove' is not one of" in refusal({"type": "aprove"})
    assert "$.args.minutes" in refusal({"type": "edit", "args": {**ARGS, "minutes": [1]}})
    assert "'bcc'" in refusal({"type": "edit", "args": {**ARGS, "bcc": "x"}})
    assert "'meet' was expected" in refusal({"type": "edit", "args": {"action": "send", "args": ARGS}})
    assert "no JSON" in refusal("yes, do it")
