"""Questions and answers: each is answered once, none is lost, and those that wait are listed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from graphkit.core.effects import Asked, Commit, Filed
from graphkit.core.task import Done, Interrupted
from graphkit.errors import InterruptAlreadyAnsweredError, ThreadBusyError, UnknownInterruptError, UnserializableValueError
from graphkit.testing.checkpointers.subject import question, refuses

if TYPE_CHECKING:
    from graphkit.core.task import Question
    from graphkit.testing.checkpointers.subject import Subject


def ask(subject: Subject, thread_id: str, *questions: Question) -> None:
    """Write a thread that stops with these questions in its last step."""
    run = subject.writer(thread_id)
    run.step({"x": 1}, claim=True)
    filed = tuple([Filed(asked.task_id, 0, Interrupted((asked,))) for asked in questions])
    run.commit(Commit(outcomes=filed, asked=tuple([(asked, 0) for asked in questions]), release="interrupted"))


def answer(subject: Subject, thread_id: str, asked: Question, value: object) -> None:
    """Answer a question as a run does with its first commit."""
    subject.writer(thread_id).commit(Commit(answers=((asked.interrupt.id, value),), claim=True, release="idle"))


def a_question_comes_back_as_it_was(subject: Subject) -> None:
    """With the outcome that names it."""
    asked = question("q", {"amount": (1, 2)}, key="amount", response_schema={"type": "integer"}, deadline=datetime(2030, 1, 1, tzinfo=UTC))

    ask(subject, "t", asked)

    saved = subject.loaded("t")
    assert saved.questions == (Asked(asked, 0, "pending"),)
    assert saved.outcomes == {asked.task_id: Interrupted((asked,))}


def an_answer_is_taken_once(subject: Subject) -> None:
    """A second one is refused with all that comes with it, and the first one stays."""
    asked = question("q")
    ask(subject, "t", asked)
    answer(subject, "t", asked, "first")
    run = subject.writer("t")

    late = Commit((run.entry(run.next({"x": 2})),), answers=((asked.interrupt.id, "second"),), claim=True)
    refuses(InterruptAlreadyAnsweredError, run.commit, late)

    assert not run.hold.held
    assert subject.loaded("t").questions == (Asked(asked, 0, "answered", "first"),)
    assert len(subject.history("t")) == 1
    assert subject.call(subject.saver, "pending_interrupts").items == ()


def of_two_answers_at_once_one_wins(subject: Subject) -> None:
    """Both runs have seen the question pending."""
    asked = question("q")
    ask(subject, "t", asked)
    first, second = subject.writer("t"), subject.writer("t")
    first.commit(Commit(answers=((asked.interrupt.id, "first"),), claim=True))

    refuses(ThreadBusyError, second.commit, Commit(answers=((asked.interrupt.id, "second"),), claim=True))

    assert subject.loaded("t").questions == (Asked(asked, 0, "answered", "first"),)


def none_is_an_answer(subject: Subject) -> None:
    """And so is any other empty value."""
    questions = [question(name) for name in "abc"]
    ask(subject, "t", *questions)

    for asked, value in zip(questions, (None, False, ()), strict=True):
        answer(subject, "t", asked, value)

    assert [(asked.status, asked.answer) for asked in subject.loaded("t").questions] == [
        ("answered", None),
        ("answered", False),
        ("answered", ()),
    ]


def an_answer_needs_its_question(subject: Subject) -> None:
    """An id that was never asked, or is another thread's, is refused."""
    asked, foreign = question("q"), question("foreign")
    ask(subject, "t", asked)
    ask(subject, "other", foreign)

    refuses(UnknownInterruptError, answer, subject, "t", question("never"), 1)
    refuses(UnknownInterruptError, answer, subject, "t", foreign, 1)

    assert [info.pending for info in subject.call(subject.saver, "threads").items] == [1, 1]


def an_answer_that_cannot_be_stored_is_not_consumed(subject: Subject) -> None:
    """The question stays pending."""
    asked = question("q")
    ask(subject, "t", asked)

    refuses(UnserializableValueError, answer, subject, "t", asked, object())
    refuses(UnserializableValueError, ask, subject, "other", question("odd", object()))

    answer(subject, "t", asked, "yes")
    assert subject.load("other") is not None


def any_subset_can_be_answered(subject: Subject) -> None:
    """The rest goes on waiting."""
    one, two, three = question("1"), question("2"), question("3")
    ask(subject, "t", one, two, three)

    answer(subject, "t", two, 2)

    assert [asked.status for asked in subject.loaded("t").questions] == ["pending", "answered", "pending"]
    pending = subject.call(subject.saver, "pending_interrupts", thread_id="t").items
    assert [item.interrupt for item in pending] == [one.interrupt, three.interrupt]


def a_cancelled_question_is_settled(subject: Subject) -> None:
    """It is kept as a record; an answer comes too late. Cancelling what is answered changes nothing."""
    gone, kept = question("gone"), question("kept")
    ask(subject, "t", gone, kept)
    answer(subject, "t", kept, 1)

    subject.writer("t").commit(Commit(cancelled=(gone.interrupt.id, kept.interrupt.id, "0" * 32), claim=True, release="idle"))

    assert [asked.status for asked in subject.loaded("t").questions] == ["cancelled", "answered"]
    refuses(InterruptAlreadyAnsweredError, answer, subject, "t", gone, 1)


def a_question_asked_again_stays_the_same(subject: Subject) -> None:
    """While it is pending; after that it is pending once more, without its old answer."""
    asked = question("q")
    ask(subject, "t", asked)
    subject.clock.advance(60)
    run = subject.writer("t")
    run.commit(Commit(asked=((asked, 0),), claim=True, release="interrupted"))
    [before] = subject.call(subject.saver, "pending_interrupts").items
    answer(subject, "t", asked, "old")

    run = subject.writer("t")
    run.commit(Commit(asked=((asked, 0),), claim=True, release="interrupted"))

    assert before.created_at == subject.clock.now - 60
    assert subject.loaded("t").questions == (Asked(asked, 0, "pending"),)


def a_question_and_its_answer_fit_in_one_commit(subject: Subject) -> None:
    """A question that moves to a new branch is answered there at once."""
    asked = question("q")
    run = subject.writer("t")
    run.step({"x": 1}, asked=((asked, 0),), answers=((asked.interrupt.id, "yes"),), claim=True, release="idle")

    assert subject.loaded("t").questions == (Asked(asked, 0, "answered", "yes"),)


def a_step_sees_its_own_settled_questions_only(subject: Subject) -> None:
    """Not those of earlier steps or other namespaces; the pending ones of the thread are seen everywhere."""
    old, inner, deep = question("old"), question("inner", namespace="sub"), question("deep", namespace="sub")
    ask(subject, "t", old)
    run = subject.writer("t")
    run.step({"x": 2}, answers=((old.interrupt.id, 1),), claim=True)
    run.step({"y": 1}, "sub")
    run.commit(Commit(asked=((inner, 0), (deep, 0))), "sub")
    run.commit(Commit(answers=((inner.interrupt.id, 1),)), "sub")

    assert subject.loaded("t").questions == (Asked(deep, 0, "pending"),)
    assert subject.loaded("t", "sub").questions == (Asked(inner, 0, "answered", 1), Asked(deep, 0, "pending"))


def the_history_shows_each_question_at_its_step(subject: Subject) -> None:
    """Settled ones there and nowhere else."""
    one, two = question("1"), question("2")
    run = subject.writer("t")
    run.step({"x": 0}, claim=True)
    run.commit(Commit(asked=((one, 0),)))
    run.step({"x": 1}, answers=((one.interrupt.id, "yes"),))
    run.commit(Commit(asked=((two, 1),)))
    run.step({"x": 2}, cancelled=(two.interrupt.id,))

    assert [saved.questions for saved in subject.history("t")] == [(), (Asked(two, 1, "cancelled"),), (Asked(one, 0, "answered", "yes"),)]


def a_task_waits_for_the_questions_of_its_subgraph(subject: Subject) -> None:
    """The outcome of the calling task names them, answered or not; their rows are the subgraph's."""
    one, two = question("1", namespace="sub"), question("2", namespace="sub")
    run = subject.writer("t")
    run.step({"x": 1}, claim=True)
    run.step({"y": 1}, "sub")
    run.commit(Commit(asked=((one, 0), (two, 0))), "sub")
    run.commit(Commit(answers=((one.interrupt.id, "yes"),)), "sub")
    run.commit(Commit(outcomes=(Filed("caller", 0, Interrupted((one, two))), Filed("sibling", 0, Done())), release="interrupted"))

    saved = subject.loaded("t")

    assert saved.outcomes == {"caller": Interrupted((one, two)), "sibling": Done()}
    assert saved.questions == (Asked(two, 0, "pending"),)


def pending_questions_are_listed_oldest_first(subject: Subject) -> None:
    """Over all threads or of one, in pages; the order is that of asking, whatever the clock says."""
    for number in range(5):
        ask(subject, f"t{number % 2}-{number}", question(f"a{number}", number), question(f"b{number}", number, namespace="sub"))
        subject.clock.advance(-10)

    found, cursor = [], None
    while True:
        page = subject.call(subject.saver, "pending_interrupts", limit=3, cursor=cursor)
        found.extend(page.items)
        cursor = page.cursor
        if cursor is None:
            break
    own = subject.call(subject.saver, "pending_interrupts", thread_id="t1-3")

    assert [item.interrupt.value for item in found] == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
    assert [item.thread_id for item in found[:4]] == ["t0-0", "t0-0", "t1-1", "t1-1"]
    assert [item.namespace for item in found[:2]] == ["", "sub"]
    assert [item.interrupt.value for item in own.items] == [3, 3]
    assert own.cursor is None
    assert subject.call(subject.saver, "pending_interrupts", thread_id="unknown").items == ()


CHECKS = (
    a_question_comes_back_as_it_was,
    an_answer_is_taken_once,
    of_two_answers_at_once_one_wins,
    none_is_an_answer,
    an_answer_needs_its_question,
    an_answer_that_cannot_be_stored_is_not_consumed,
    any_subset_can_be_answered,
    a_cancelled_question_is_settled,
    a_question_asked_again_stays_the_same,
    a_question_and_its_answer_fit_in_one_commit,
    a_step_sees_its_own_settled_questions_only,
    the_history_shows_each_question_at_its_step,
    a_task_waits_for_the_questions_of_its_subgraph,
    pending_questions_are_listed_oldest_first,
)
