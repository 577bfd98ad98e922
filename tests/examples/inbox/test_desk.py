"""The desk over the real graph: what waits, what is told of it, what an answer comes to."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import TypedDict

import pytest

from examples.email_assistant.inbox.desk import GraphDesk
from examples.email_assistant.inbox.port import Answer, Edited, Given, Original, Refused
from examples.email_assistant.inbox.recipients import strangers
from examples.email_assistant.mail.message import Mail
from graphkit import START, Command, InMemorySaver, StateGraph, interrupt

ACCEPT = Answer(type="accept", args=None)
MEETING, QUESTION, NOTICE = "05-probe-walkthrough", "01-firmware-question", "15-invitation"


def waiting(desk, thread):
    [found] = [one for one in desk.waiting() if one.thread == thread]
    return found


def test_the_list_has_every_thread_that_waits_oldest_first(real_desk):
    desk = real_desk(MEETING, QUESTION, NOTICE)

    assert [(one.thread, one.kind) for one in desk.waiting()] == [(MEETING, "meeting"), (QUESTION, "question"), (NOTICE, "notice")]
    assert all(one.since.tzinfo for one in desk.waiting())


def test_a_long_list_is_read_in_pages_and_is_complete(real_desk, mails, monkeypatch):
    monkeypatch.setattr("examples.email_assistant.inbox.desk.PAGE", 2)
    desk = real_desk()
    for number in range(7):
        desk.graph.invoke({"thread": f"t{number}", "mail": mails[QUESTION]}, thread_id=f"t{number}")

    assert [one.thread for one in desk.waiting()] == [f"t{number}" for number in range(7)]


def test_a_question_tells_what_it_takes_and_the_mail_it_is_about(real_desk):
    desk = real_desk(QUESTION)
    question = waiting(desk, QUESTION)

    assert question.allowed == {"response", "ignore"}
    assert question.subject == "Firmware on the test rig"
    assert "jonas.weber@" in question.sender
    assert desk.original(QUESTION).body.startswith("Hi Mara")
    assert desk.conversation(QUESTION)[0].role == "assistant"


def test_an_accepted_meeting_is_written_and_the_next_question_follows(real_desk):
    desk = real_desk(MEETING)

    result = desk.answer(MEETING, waiting(desk, MEETING).interrupt_id, ACCEPT)

    assert isinstance(result, Given)
    assert [Path(file).suffix for file in result.files] == [".ics"]
    assert [one.kind for one in result.following] == ["mail"]
    assert desk.waiting() == result.following


def test_an_edit_runs_with_the_edited_arguments(real_desk):
    desk = real_desk(MEETING)
    question = waiting(desk, MEETING)
    args = {**question.args, "subject": "A walk", "duration_minutes": 45}

    result = desk.answer(MEETING, question.interrupt_id, Answer(type="edit", args=Edited(action=question.action, args=args)))

    assert isinstance(result, Given)
    assert "SUMMARY:A walk" in Path(result.files[0]).read_text()


def test_words_and_an_ignore_reach_the_graph(real_desk):
    desk = real_desk(QUESTION, NOTICE)

    answered = desk.answer(QUESTION, waiting(desk, QUESTION).interrupt_id, Answer(type="response", args="Version 4."))
    ignored = desk.answer(NOTICE, waiting(desk, NOTICE).interrupt_id, Answer(type="ignore", args=None))

    assert [one.kind for one in answered.following] == ["mail"]
    assert "Version 4." in str(answered.following[0].args["content"])
    assert ignored == Given((), "seen by you")


def test_a_proposal_that_was_sent_back_counts_its_redrafts(real_desk):
    desk = real_desk(MEETING)
    desk.answer(MEETING, waiting(desk, MEETING).interrupt_id, Answer(type="response", args="At 15:00 please"))

    assert waiting(desk, MEETING).redrafts == 1


def test_the_second_answer_to_a_question_is_refused_as_answered_already(real_desk):
    desk = real_desk(MEETING)
    question = waiting(desk, MEETING)
    desk.graph.invoke(Command(resume={question.interrupt_id: [ACCEPT]}), thread_id=MEETING)

    result = desk.answer(MEETING, question.interrupt_id, ACCEPT)

    assert isinstance(result, Refused)
    assert (result.code, result.is_pending) == ("interrupt-already-answered", False)


@pytest.mark.parametrize(
    "answer, message",
    [
        (Answer(type="accept", args=None), "'accept' is no answer to question here."),
        (Answer(type="response", args="  "), "A response needs words."),
    ],
)
def test_an_answer_that_does_not_fit_is_refused_and_the_question_stays_the_same(real_desk, answer, message):
    desk = real_desk(QUESTION)
    question = waiting(desk, QUESTION)

    result = desk.answer(QUESTION, question.interrupt_id, answer)

    assert isinstance(result, Refused)
    assert (result.message, result.is_pending) == (message, True)
    assert desk.waiting() == (question,)


def test_an_edit_that_cannot_run_is_refused_before_anything_is_given(real_desk):
    desk = real_desk(MEETING)
    question = waiting(desk, MEETING)
    answer = Answer(type="edit", args=Edited(action=question.action, args={**question.args, "start_time": "late"}))

    refused = desk.objection(question, answer)

    assert refused is not None
    assert "start_time" in refused.message
    assert "late" in refused.message
    assert desk.waiting() == (question,)


def test_an_unknown_thread_and_an_unknown_question_are_refused(real_desk):
    desk = real_desk(MEETING)

    assert desk.answer("nobody", "0" * 32, ACCEPT).code == "thread-not-found"
    assert desk.answer(MEETING, "0" * 32, ACCEPT).code == "unknown-interrupt"
    assert desk.answer(MEETING, "x", ACCEPT).code == "unknown-interrupt"
    assert [one.kind for one in desk.waiting()] == ["meeting"]


class Blocked(TypedDict, total=False):
    mail: Mail
    left: object
    right: object


def test_a_busy_thread_is_told_and_the_question_waits(real_desk, mails):
    inside, go_on = Event(), Event()

    def ask(name):
        request = {
            "action_request": {"action": name, "args": {}},
            "config": {"allow_accept": True, "allow_edit": False, "allow_respond": False, "allow_ignore": False},
            "description": "",
        }
        answer = interrupt([request])
        if name == "left":
            inside.set()
            assert go_on.wait(10)
        return {name: answer}

    builder = StateGraph(Blocked)
    for name in ("left", "right"):
        builder.add_node(name, lambda state, name=name: ask(name))
        builder.add_edge(START, name)
    saver = InMemorySaver()
    graph = builder.compile(checkpointer=saver)
    graph.invoke({"mail": mails[QUESTION]}, thread_id="t")
    desk = GraphDesk(graph, saver, "none", lambda answer, request: None)
    left, right = sorted(desk.waiting(), key=lambda one: one.action)
    with ThreadPoolExecutor(1) as pool:
        run = pool.submit(desk.answer, "t", left.interrupt_id, ACCEPT)
        assert inside.wait(10)
        result = desk.answer("t", right.interrupt_id, ACCEPT)
        go_on.set()

    assert isinstance(result, Refused)
    assert (result.code, result.is_pending) == ("thread-busy", True)
    assert run.result() == Given((), "", (right,))


def test_a_failure_behind_a_saved_answer_says_that_the_answer_is_saved(real_desk, toolbox, tmp_path):
    desk = real_desk(MEETING)
    question = waiting(desk, MEETING)
    (tmp_path / "meetings").write_text("a file where a folder should be")

    result = desk.answer(MEETING, question.interrupt_id, ACCEPT)

    assert isinstance(result, Refused)
    assert (result.code, result.is_pending) == ("outbox", False)
    assert "Your answer is saved" in result.hint


def test_a_question_of_another_form_is_in_the_list_and_takes_no_answer(real_desk, mails):
    desk = real_desk()
    builder = StateGraph(Blocked)
    builder.add_node("ask", lambda state: {"left": interrupt("plain words")})
    builder.add_edge(START, "ask")
    other = builder.compile(checkpointer=desk.saver)
    other.invoke({"mail": mails[QUESTION]}, thread_id="odd")

    [question] = replace(desk, graph=other).waiting()

    assert (question.thread, question.allowed) == ("odd", frozenset())
    assert "cannot be read" in question.description


@pytest.mark.parametrize(
    "args, outside",
    [
        ({"to": "Ada <ADA@example.com>"}, ()),
        ({"to": "ada@example.com", "cc": "x@evil.example"}, ("x@evil.example",)),
        ({"attendees": ["bob@example.org", "x@evil.example", "x@evil.example"]}, ("x@evil.example",)),
        ({"to": '"ada@example.com" <x@evil.example>'}, ("x@evil.example",)),
        ({"to": "ada@example.com, bob@example.org"}, ()),
        ({"subject": "x@evil.example"}, ()),
    ],
)
def test_recipients_outside_the_conversation_are_named(args, outside):
    mail = Original("Ada <ada@example.com>", ("mara@example.org",), ("Bob <bob@example.org>",), "s", None, "b")

    assert strangers(args, mail) == outside


def test_a_recipient_that_cannot_be_made_out_counts_as_outside():
    mail = Original("Ada <ada@example.com>", (), (), "s", None, "b")

    assert strangers({"to": "ada@example.com", "cc": "(("}, mail) == ("((",)


def test_without_a_check_of_its_own_the_desk_lets_the_graph_ask_again(real_desk):
    checked = real_desk(MEETING)
    desk = GraphDesk(checked.graph, checked.saver, checked.model)
    question = waiting(desk, MEETING)
    answer = Answer(type="edit", args=Edited(action=question.action, args={**question.args, "start_time": "late"}))

    assert desk.objection(question, answer) is None
    result = desk.answer(MEETING, question.interrupt_id, answer)

    assert isinstance(result, Given)
    assert [(one.action, one.args) for one in result.following] == [(question.action, question.args)]
    assert result.following[0].interrupt_id != question.interrupt_id
