"""Working through a case with the human that is written down in it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from examples.email_assistant.evaluation import (
    Answered,
    Expected,
    Progress,
    Proposed,
    Question,
    Returned,
    Sent,
    question_of,
    work,
    work_through,
)
from examples.email_assistant.evaluation.working import CRASHED, Answer, answer_of
from tests.examples.evaluation.conftest import Scripted, case_of, letter

ARGS = {"to": "ada@example.com", "cc": "", "subject": "Re: Pump", "content": "Blue."}
ALL = frozenset({"accept", "edit", "ignore", "response"})
ASKS = Question("i1", "w", "write_email", ARGS, ALL)
NEEDS = Question("i0", "q", "question", {"content": "Which?"}, frozenset({"ignore", "response"}))
SHOWN = Question("i9", "", "notify", {}, frozenset({"ignore", "response"}))
STOPS = [
    Progress((Proposed("w", "write_email", ARGS),), (ASKS,)),
    Progress((Sent("w", letter()), Returned("w"))),
]
WANTED = Expected(tools=("write_email",))


def test_a_run_goes_from_question_to_question_until_nothing_is_open():
    trajectory = work_through(case_of(), Scripted(list(STOPS)))

    assert [type(one).__name__ for one in trajectory.events] == ["Proposed", "Asked", "Answered", "Sent", "Returned"]
    assert trajectory.finished


def test_a_desk_that_never_stops_asking_is_left_at_the_limit():
    trajectory = work_through(case_of(), Scripted([Progress((), (ASKS,))] * 5), limit=4)

    assert sum(isinstance(one, Answered) for one in trajectory.events) == 4
    assert not trajectory.finished


@pytest.mark.parametrize(
    "question, said",
    [
        (ASKS, Answer("accept")),
        (NEEDS, Answer("response", "It is blue.")),
        (SHOWN, Answer("response", "Say blue.")),
        (replace(ASKS, args=ARGS | {"content": "It is [your answer]."}), Answer("response", "It is blue.")),
        (replace(NEEDS, allowed=frozenset({"ignore"})), Answer("ignore")),
    ],
    ids=["a proposal", "a question", "a mail", "a gap", "nothing but ignore"],
)
def test_the_human_says_what_is_written_down(question, said):
    case = case_of(knows="It is blue.", instruction="Say blue.")

    assert answer_of(case, question, has_told=False) == said


def test_a_human_who_knows_nothing_ignores_questions_and_accepts_gaps():
    gap = replace(ASKS, args=ARGS | {"content": "[your answer]"})

    assert answer_of(case_of(), NEEDS, has_told=False) == Answer("ignore")
    assert answer_of(case_of(), gap, has_told=False) == Answer("accept")


def test_a_gap_that_stays_after_the_human_spoke_is_accepted_and_found():
    gap = replace(ASKS, args=ARGS | {"content": "[your answer]"})
    stops = [
        Progress((Proposed("w", "write_email", dict(gap.args)),), (gap,)),
        Progress((Returned("w"), Proposed("v", "write_email", dict(gap.args))), (replace(gap, call="v"),)),
        Progress((Sent("v", letter("[your answer]")), Returned("v"))),
    ]

    (run,) = work([case_of(expected=WANTED, knows="Blue.")], Scripted(stops)).runs

    assert [one.name for one in run.checks if not one.passed] == ["no gap left"]


def test_runs_are_counted_by_check():
    good, bad = case_of(expected=WANTED), case_of(id="bad", expected=Expected(tools=("question",)))
    working = work([good, bad, case_of(expected=None)], Scripted(STOPS))

    assert (len(working.runs), working.passed) == (2, 1)
    assert working.by_check["no effect before approval"] == (2, 2)
    assert working.by_check["as many mails as expected"] == (1, 2)
    assert working.broken_promises == ()


def test_a_broken_promise_is_told_with_its_case():
    unasked = [Progress((Proposed("w", "write_email", ARGS), Sent("w", letter()), Returned("w")))]

    ((case, check),) = work([case_of(expected=WANTED)], Scripted(unasked)).broken_promises

    assert (case, check.name, check.why) == ("pump", "no effect before approval", "sent for call 'w'")


def test_a_subject_that_breaks_has_failed_on_that_mail():
    (run,) = work([case_of(expected=WANTED)], Scripted([])).runs

    assert [(one.name, one.why) for one in run.checks] == [(CRASHED, "IndexError: pop from empty list")]


def test_a_question_of_agent_inbox_is_read():
    config = {"allow_ignore": True, "allow_respond": True, "allow_edit": False, "allow_accept": False}
    request = {"action_request": {"action": "question", "args": {"content": "Which?"}}, "config": config, "description": "..."}

    assert question_of("i0", "q", request) == NEEDS


def test_a_question_of_another_form_is_refused():
    with pytest.raises(TypeError, match="has str where it should have an object"):
        question_of("i0", "q", {"action_request": "question", "config": {}})
