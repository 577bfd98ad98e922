"""Answers held back, taken back, given: without a screen and without waiting."""

from __future__ import annotations

from dataclasses import replace

from examples.email_assistant.inbox.port import Answer, Given, Refused
from examples.email_assistant.inbox.session import Session
from tests.examples.inbox.conftest import NOW, question

ACCEPT = Answer(type="accept", args=None)
FIRST, SECOND = question(1), question(2)


def opened(undo: float = 5.0) -> Session:
    session = Session(undo)
    session.refresh([FIRST, SECOND])
    return session


def test_an_answer_is_due_when_its_time_has_come_and_not_before():
    session = opened()
    session.hold(FIRST, ACCEPT, now=10.0)

    assert session.due(14.9) == ()
    assert [held.question for held in session.due(15.0)] == [FIRST]
    assert session.due(99.0) == ()


def test_without_an_undo_window_an_answer_is_due_at_once():
    session = opened(undo=0)
    session.hold(FIRST, ACCEPT, now=10.0)

    assert len(session.due(10.0)) == 1


def test_the_chosen_answer_is_taken_back_else_the_last_one():
    session = opened()
    session.hold(FIRST, ACCEPT, 0)
    session.hold(SECOND, ACCEPT, 0)

    assert session.take_back("ask-1").question == FIRST
    assert session.take_back("ask-9").question == SECOND
    assert session.take_back("ask-9") is None
    assert session.is_open(FIRST)


def test_an_answer_that_is_being_given_cannot_be_taken_back():
    session = opened()
    session.hold(FIRST, ACCEPT, 0)
    session.flush()

    assert session.take_back("ask-1") is None
    assert not session.is_open(FIRST)


def test_a_question_answered_elsewhere_leaves_the_list_and_is_told():
    session = opened()

    assert session.refresh([SECOND]) == (FIRST,)
    assert session.waiting == (SECOND,)


def test_a_question_with_a_held_answer_stays_until_giving_it_told_what_became_of_it():
    session = opened()
    session.hold(FIRST, ACCEPT, 0)

    assert session.refresh([SECOND]) == ()
    assert session.waiting == (FIRST, SECOND)


def test_a_refused_answer_that_still_waits_stays_open_and_at_hand():
    session = opened()
    session.hold(FIRST, ACCEPT, 0)
    [held] = session.flush()
    session.settle(held, Refused("thread-busy", "Busy.", "Later.", is_pending=True), NOW)

    assert session.is_open(FIRST)
    assert session.attempts["ask-1"] == ACCEPT


def test_a_list_read_before_an_answer_was_given_does_not_bring_its_question_back():
    session = opened()
    session.hold(FIRST, ACCEPT, 0)
    [held] = session.flush()
    session.settle(held, Given((), "done"), NOW)

    session.refresh([FIRST, SECOND])

    assert session.waiting == (SECOND,)


def test_an_answer_that_is_asked_for_again_is_at_hand_for_the_new_question():
    session = opened()
    session.hold(FIRST, ACCEPT, 0)
    [held] = session.flush()
    again, other = replace(FIRST, interrupt_id="ask-8"), replace(FIRST, interrupt_id="ask-9", action="question")
    session.settle(held, Given((), "open", (again, other)), NOW)

    assert session.attempts == {"ask-8": ACCEPT}


def test_a_postponed_answer_is_due_later():
    session = opened()
    session.hold(FIRST, ACCEPT, now=0)
    session.postpone(60)

    assert session.due(64) == ()
    assert len(session.due(65)) == 1
