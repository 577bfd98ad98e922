"""Which question an answer belongs to."""

from __future__ import annotations

import re

import pytest

from graphkit.core.command import MISSING
from graphkit.core.resume import Resolved, answered, forked_answers, interrupt_id, unknown
from graphkit.core.task import task_id
from graphkit.errors import AmbiguousResumeError, NothingToResumeError, UnknownInterruptError
from tests.unit.core.graphs import asked, position, question, saved, tasks_of

PENDING = question("t1", "sure?")
OTHER = question("t2", "really?")
ANSWERED = question("t3")
CANCELLED = question("t4")
SETTLED = (asked(ANSWERED, status="answered", answer=1), asked(CANCELLED, status="cancelled"))
ONE = (asked(PENDING), *SETTLED)
TWO = (asked(PENDING), asked(OTHER), *SETTLED)


def name(question):
    return question.interrupt.id


@pytest.mark.parametrize("resume", ["yes", None, False, 0, "", {}, [], {"a": 1}, {name(PENDING): 1, "a": 1}.keys()])
def test_one_answer_belongs_to_the_one_pending_question(resume):
    assert answered(resume, ONE).answers == ((name(PENDING), resume),)


@pytest.mark.parametrize(
    "resume", [{name(PENDING): "yes"}, {name(OTHER): None}, {name(OTHER): 1, name(PENDING): 2}], ids=["first", "second", "both"]
)
def test_answers_by_id_may_be_any_of_the_pending_ones_in_any_order(resume):
    assert dict(answered(resume, TWO).answers) == resume


def test_no_answer_matches_nothing():
    assert answered(MISSING, TWO) == Resolved()


@pytest.mark.parametrize(
    "resume, questions, kind, text",
    [
        ("yes", (), NothingToResumeError, "the thread waits for no answer"),
        ("yes", SETTLED, NothingToResumeError, "the thread waits for no answer"),
        ({}, (), NothingToResumeError, "the thread waits for no answer"),
        ("yes", TWO, AmbiguousResumeError, "One answer for 2 pending interrupts.*sure.*really"),
    ],
)
def test_what_fits_no_question_is_refused(resume, questions, kind, text):
    with pytest.raises(kind, match=text):
        answered(resume, questions)


@pytest.mark.parametrize("resume", [{"f" * 32: 1}, {name(PENDING): 1, "short": 1}, {name(ANSWERED): 1}, {name(CANCELLED): 1}])
def test_ids_that_are_not_pending_are_left_to_the_saver_which_knows_every_question(resume):
    assert answered(resume, TWO) == Resolved(tuple(resume.items()))


@pytest.mark.parametrize(
    "known, pending",
    [(None, "none"), (saved(position("a"), questions=TWO), "sure.*really"), (saved(position("a"), questions=SETTLED), "none")],
)
def test_the_saver_s_refusal_of_an_unknown_id_gets_a_hint_with_what_is_pending(known, pending):
    refused = UnknownInterruptError("Never asked.", hint="Look.", interrupt_id="i")

    error = unknown(refused, known)

    assert re.fullmatch(rf"Never asked. Pending: .*{pending}.*", str(error))
    assert error.facts["interrupt_id"] == "i"
    assert error.facts["pending"] == ((name(PENDING), name(OTHER)) if pending != "none" else ())


def test_the_error_for_an_ambiguous_answer_lists_the_ids_in_its_facts():
    with pytest.raises(AmbiguousResumeError) as caught:
        answered("yes", TWO)

    assert caught.value.facts["pending"] == (name(PENDING), name(OTHER))


def test_a_long_question_is_cut_in_the_error():
    with pytest.raises(AmbiguousResumeError) as caught:
        answered("yes", (asked(question("t1", "x" * 500)), asked(OTHER)))

    assert "x" * 60 in str(caught.value)
    assert "x" * 61 not in str(caught.value)


def test_answers_to_questions_with_a_schema_are_to_be_checked():
    strict = question("t5", response_schema={"type": "string"})

    resolved = answered({name(strict): 5, name(PENDING): 6}, (asked(strict), asked(PENDING)))

    assert resolved.schemas == ((name(strict), {"type": "string"}, 5),)


def fork():
    """Return (what is saved at an older checkpoint, the fork of it, the questions of its two tasks)."""
    old = position("a b", n=3, origin=2)
    first, second = tasks_of(old)
    questions = (question(first.id, "one"), question(second.id, "two", path=("outer",)))
    elsewhere = asked(question("another task"), n=3)
    outdated = asked(question(first.id, "outdated", slot="#9"), n=1)
    later = asked(question(second.id, "later", slot="#8"), n=4)
    known = saved(old, head=8, questions=(*[asked(q, n=3) for q in questions], elsewhere, outdated, later))
    return known, position("a b", n=9), questions


def test_an_answer_on_a_new_branch_goes_to_the_task_of_that_branch():
    known, branch, questions = fork()

    resolved = forked_answers({name(questions[1]): "yes"}, known, branch, "")

    task = task_id(branch, "", 1)
    assert resolved.answers == ((interrupt_id(task, "#0"), "yes"),)
    (moved,) = resolved.asked
    assert (moved.n, moved.status, moved.question.path) == (9, "pending", ("outer", task))
    assert moved.question.interrupt.id == interrupt_id(task, "#0")
    assert (moved.question.interrupt.value, moved.question.digest) == ("two", questions[1].digest)


def test_an_answered_question_can_be_answered_differently_on_a_new_branch():
    old = position("a", n=3)
    known = saved(old, head=8, questions=(asked(question(tasks_of(old)[0].id), n=3, status="answered", answer="no"),))

    assert [answer for _, answer in forked_answers("yes", known, position("a", n=9), "").answers] == ["yes"]


def test_one_answer_for_the_two_questions_of_an_older_checkpoint_is_ambiguous():
    known, branch, _ = fork()

    with pytest.raises(AmbiguousResumeError):
        forked_answers("yes", known, branch, "")


def test_an_id_that_the_older_checkpoint_did_not_ask_is_refused():
    known, branch, _ = fork()

    with pytest.raises(UnknownInterruptError, match=r"'f{32}'.*one.*two"):
        forked_answers({"f" * 32: 1}, known, branch, "")


def test_a_fork_without_an_answer_moves_no_question():
    known, branch, _ = fork()

    assert forked_answers(MISSING, known, branch, "") == Resolved()


def test_an_answer_on_a_fork_that_asks_nothing_is_refused():
    with pytest.raises(NothingToResumeError):
        forked_answers("yes", saved(position("a"), head=8), position("a", n=9), "")
