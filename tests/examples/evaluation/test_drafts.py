"""What is checked in a mail that went out."""

from __future__ import annotations

from calendar import month_name
from datetime import date

import pytest

from examples.email_assistant.evaluation import drafts
from examples.email_assistant.evaluation.case import DraftWish
from examples.email_assistant.evaluation.days import names_day
from examples.email_assistant.evaluation.drafts import draft_checks, gaps
from tests.examples.evaluation.conftest import case_of, letter


def failed(wish=DraftWish(), sent=None):  # noqa: B008  (frozen)
    return {name for name, why in draft_checks(case_of().mail, wish, sent or letter()).items() if why}


def test_a_proper_reply_fails_nothing():
    wish = DraftWish(to=("ada@example.com",), cc=("ben@example.com",), subject="pump", mentions=(("yes", "no"),))

    assert failed(wish, letter(Cc="ben@example.com")) == set()


@pytest.mark.parametrize(
    "sent, wish, check",
    [
        (letter(To="ben@example.com"), DraftWish(to=("ada@example.com",)), drafts.RECIPIENTS),
        (letter(To="ben@example.com", Cc="ada@example.com"), DraftWish(to=("ada@example.com",)), drafts.RECIPIENTS),
        (letter(), DraftWish(cc=("ben@example.com",)), drafts.RECIPIENTS),
        (letter(Subject="Re: Hello"), DraftWish(subject="Pump"), drafts.SUBJECT),
        (letter(In_Reply_To=""), DraftWish(), drafts.HEADERS),
        (letter(In_Reply_To="<other@example.com>"), DraftWish(), drafts.HEADERS),
        (letter(References=""), DraftWish(), drafts.HEADERS),
        (letter(References="<pump-1@example.com> <pump-0@example.org>"), DraftWish(), drafts.HEADERS),
        (letter("It is [your answer to: 'Which?']."), DraftWish(), drafts.GAP),
        (letter("on 21 March"), DraftWish(days=(date(2026, 3, 20),)), drafts.DAYS),
        (letter("no"), DraftWish(mentions=(("yes", "of course"),)), drafts.MENTIONS),
        (letter("What time is it?\n\nThe colour is blue."), DraftWish(asks=(("colour",),)), drafts.ASKS),
    ],
)
def test_what_is_wrong_with_a_mail_is_found(sent, wish, check):
    assert failed(wish, sent) == {check}


def test_what_stands_in_quoted_mail_is_not_said():
    sent = letter("No.\n\nOn Monday Ada Stern <ada@example.com> wrote:\n> Is it yes?")

    assert failed(DraftWish(mentions=(("yes",),)), sent) == {drafts.MENTIONS}


def test_a_question_may_go_over_two_lines():
    assert failed(DraftWish(asks=(("colour",),)), letter("Thanks. Which\ncolour is it?")) == set()


def test_mail_without_an_id_cannot_be_referred_to():
    mail = letter(Message_ID="")

    assert draft_checks(mail, DraftWish(), letter(In_Reply_To="", References=""))[drafts.HEADERS] == ""


@pytest.mark.parametrize(
    "text", ["[your answer]", "Dear [insert name],", "TODO", "{{ name }}", "<your name>", "by ____ at the latest", "[TBD]"]
)
def test_a_gap_is_found(text):
    assert gaps(f"Hello, {text} and so on.")


@pytest.mark.parametrize(
    "text", ["[probe-users] Which one?", "see [1]", "a < b and b > c", "snake_case", "<ada@example.com>", "[2026-03-20]"]
)
def test_ordinary_brackets_are_no_gap(text):
    assert gaps(text) == ()


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-20", "by 20 March", "March 20", "March 20th, 2026", "the 20th of March", "20. März",
        "20 mars", "20 de marzo", "20 marzo", "20 maart",
        "20 de março", "20 Mar", "20.3.", "20.03.2026", "20/03", "3/20", "3月20日", "Friday, 20 March",
    ],
)  # fmt: skip
def test_a_day_is_named_in_many_ways(text):
    assert names_day(f"You get it {text}, as promised.", date(2026, 3, 20))


@pytest.mark.parametrize(
    "text",
    [
        "on Friday",
        "20",
        "120 March",
        "20 May",
        "March 201",
        "13月20日",
        "3月2日",
        "2026-03-02",
        "in 2026",
        "20.30",
        "at 3:20",
        "March 20:15",
    ],
)
def test_another_day_is_not_taken_for_it(text):
    assert not names_day(f"You get it {text} sharp", date(2026, 3, 20))


@pytest.mark.parametrize("month", range(1, 13))
def test_every_month_is_known(month):
    name = month_name[month]

    assert names_day(f"on 5 {name}", date(2026, month, 5))
    assert not names_day(f"on 5 {name}", date(2026, month % 12 + 1, 5))
