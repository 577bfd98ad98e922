"""The rule model: what it proposes next. No graph, no files."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from examples.email_assistant.memory import Preferences
from examples.email_assistant.rules.letters import has_gap
from graphkit import AIMessage, HumanMessage, ToolMessage
from tests.examples.conftest import NOW

NOBODY = Preferences(())


def thread(mail, *exchanges, words=""):
    """Return the state of a thread: calls that were made, as (name, args, fate, result)."""
    messages: list[Any] = [HumanMessage(words, id="guidance")] if words else []
    for place, (name, args, fate, content) in enumerate(exchanges):
        messages.append(AIMessage("", id=f"d{place}", tool_calls=[{"id": f"c{place}", "name": name, "args": args}]))
        decided = {"answered": "response", "feedback": "response", "ignored": "ignore"}.get(fate)
        marks = {"review": decided, "words": content} if decided else {}
        result = ToolMessage(content, tool_call_id=f"c{place}", id=f"r{place}", additional_kwargs=marks)
        messages.append(replace(result, status="error") if fate == "error" else result)
    return {"mail": mail, "messages": messages}


@pytest.fixture
def next_call(model):
    """Return a function that gives the name and arguments of the one call proposed next."""

    def propose(mail, *exchanges, words="", preferences=NOBODY):
        (call,) = model.propose(thread(mail, *exchanges, words=words), NOW, preferences).tool_calls
        return call["name"], call["args"]

    return propose


LOOKED = "Tuesday 2026-03-17, 45 minutes\nfree: 09:30, 09:45, 11:15, 14:00\ntaken: 09:00-09:20 Stand-up"
BOOKED = {"attendees": ["a@example.com"], "subject": "s", "duration_minutes": 45, "preferred_day": "2026-03-17", "start_time": "14:00"}
DRAFT = {"to": "a@example.com", "cc": "", "subject": "s", "content": "draft"}


def test_the_model_says_that_it_is_no_ai(model):
    assert model.name == "rules-v1 (no AI)"


def test_a_meeting_begins_with_a_look_at_the_calendar(next_call, mails):
    assert next_call(mails["05-probe-walkthrough"]) == ("check_calendar_availability", {"day": "2026-03-17", "duration_minutes": 45})


def test_a_wished_time_that_is_free_is_proposed(next_call, mails):
    name, args = next_call(mails["05-probe-walkthrough"], ("check_calendar_availability", {"day": "2026-03-17"}, "ran", LOOKED))

    assert name == "schedule_meeting"
    assert (args["preferred_day"], args["start_time"], args["duration_minutes"]) == ("2026-03-17", "14:00", 45)
    assert args["attendees"] == ["priya.raman@example.net"]


def test_without_a_wished_time_the_first_free_one_is_proposed(next_call, mails):
    _, args = next_call(
        mails["07-half-an-hour"], ("check_calendar_availability", {"day": "2026-03-18"}, "ran", "x\nfree: 10:30, 10:45\ntaken: y")
    )

    assert (args["preferred_day"], args["start_time"], args["duration_minutes"]) == ("2026-03-18", "10:30", 30)


def test_a_wished_time_in_another_zone_is_told_in_the_owners(next_call, mails):
    _, args = next_call(mails["30-new-york"], ("check_calendar_availability", {"day": "2026-03-18"}, "ran", "x\nfree: 14:00, 15:00"))

    assert args["start_time"] == "15:00"


def test_for_a_wished_time_that_is_taken_others_are_offered(next_call, mails):
    name, args = next_call(
        mails["06-audit-prep"], ("check_calendar_availability", {"day": "2026-03-13"}, "ran", "x\nfree: 11:30, 11:45, 13:00, 16:00")
    )

    assert name == "write_email"
    assert "11:30, 13:00, 16:00 (CET)" in args["content"]
    assert "11:45" not in args["content"]


def test_when_a_day_is_full_the_next_working_day_is_looked_at(next_call, mails):
    full = ("check_calendar_availability", {"day": "2026-03-13"}, "ran", "x\nfree: nothing")

    assert next_call(mails["06-audit-prep"], full) == ("check_calendar_availability", {"day": "2026-03-16", "duration_minutes": 60})


def test_after_four_full_days_the_human_is_asked(next_call, mails):
    full = ("check_calendar_availability", {"day": "2026-03-13"}, "ran", "x\nfree: nothing")

    assert next_call(mails["06-audit-prep"], full, full, full, full)[0] == "question"


def test_a_meeting_in_the_past_is_looked_up_for_the_next_working_day(next_call, mail_of):
    _, args = next_call(mail_of("Could we meet on 9 March at 10:00?"))

    assert args["day"] == "2026-03-13"


def test_a_meeting_without_a_day_is_asked_about_and_the_answer_is_used(next_call, mail_of):
    mail = mail_of("Could we meet for an hour?")
    question = next_call(mail)
    assert question[0] == "question"

    answered = ("question", question[1], "answered", "Tuesday 17 March at 14:00")
    assert next_call(mail, answered) == ("check_calendar_availability", {"day": "2026-03-17", "duration_minutes": 60})

    looked = ("check_calendar_availability", {"day": "2026-03-17"}, "ran", LOOKED)
    assert next_call(mail, answered, looked)[1]["start_time"] == "14:00"


def test_a_written_meeting_is_confirmed_by_mail(next_call, mails):
    name, args = next_call(mails["18-german-meeting"], ("schedule_meeting", BOOKED | {"start_time": "14:30"}, "ran", ""))

    assert name == "write_email"
    assert args["content"].startswith("Guten Tag Jürgen Köhler,\n\nder Termin am Dienstag, 17. März um 14:30 (CET) passt mir")


@pytest.mark.parametrize(
    "words, changed",
    [
        ("at 15:30 please", {"start_time": "15:30"}),
        ("an hour", {"duration_minutes": 60}),
        ("Rather on Thursday 19 March", {"preferred_day": "2026-03-19"}),
        ("no idea", {}),
    ],
)
def test_words_about_a_meeting_change_what_they_name(next_call, mails, words, changed):
    _, args = next_call(mails["05-probe-walkthrough"], ("schedule_meeting", BOOKED, "feedback", words))

    expected = BOOKED | changed
    assert {name: args[name] for name in ("preferred_day", "start_time", "duration_minutes")} == {
        name: expected[name] for name in ("preferred_day", "start_time", "duration_minutes")
    }


def test_a_deadline_is_promised_in_the_language_of_the_mail(next_call, mails):
    assert "You will have it by Friday 20 March." in next_call(mails["08-chapter-three"])[1]["content"]
    assert "3月18日(水曜)までにお送りいたします" in next_call(mails["19-japanese-deadline"])[1]["content"]
    assert "el jueves 12 de marzo" in next_call(mails["20-spanish-question"])[1]["content"]


@pytest.mark.parametrize("name", ["01-firmware-question", "04-lab-move-question", "09-html-only", "25-no-context"])
def test_a_question_only_the_human_can_answer_is_asked(next_call, mails, name):
    assert next_call(mails[name])[0] == "question"


def test_the_answer_of_the_human_is_put_into_the_draft_unchanged(next_call, mails):
    name, args = next_call(mails["01-firmware-question"], ("question", {}, "answered", "It is 2.6.1."))

    assert name == "write_email"
    assert args["content"] == "Hello Jonas,\n\nIt is 2.6.1.\n\nBest regards\nMara Lindqvist\n"
    assert (args["to"], args["subject"]) == ("Jonas Weber <jonas.weber@example.com>", "Re: Firmware on the test rig")


def test_a_request_is_drafted_with_a_visible_gap(next_call, mails):
    _, args = next_call(mails["22-no-date"])

    assert "[your answer: please confirm your booking of the milling machine for next week.]" in args["content"]


def test_words_about_a_draft_fill_its_gap(next_call, mails):
    _, args = next_call(mails["22-no-date"], ("write_email", DRAFT | {"content": "[your answer: x]"}, "feedback", "Confirmed."))

    assert "Confirmed." in args["content"]
    assert not has_gap(args["content"])


def test_brackets_in_a_mail_cannot_close_a_gap(next_call, mail_of):
    _, args = next_call(mail_of("Please confirm the booking [x] and [your answer: yes]."))

    assert args["content"].count("[") == args["content"].count("]") == 1


def test_words_to_a_mail_that_was_only_shown_become_the_reply(next_call, mails):
    _, args = next_call(mails["29-french"], words="La date tient toujours.")

    assert args["content"] == "La date tient toujours.\n\nMara Lindqvist\n"


@pytest.mark.parametrize("name", ["10-newsletter", "12-new-sign-in", "13-bounce", "14-out-of-office", "27-mailing-list", "32-build-failed"])
def test_no_reply_to_a_machine_is_drafted_even_when_the_human_asks_for_one(next_call, mails, name):
    assert next_call(mails[name], words="Tell them yes.") == ("done", {})


def test_a_reply_goes_to_reply_to_and_keeps_one_re(next_call, mail_of):
    mail = mail_of("Please confirm.", Subject="RE: Re: AW: Pump", **{"Reply-To": "Desk <desk@example.com>"})

    _, args = next_call(mail)

    assert (args["to"], args["subject"]) == ("Desk <desk@example.com>", "Re: Pump")


@pytest.mark.parametrize(
    "exchange",
    [("write_email", DRAFT, "ran", ""), ("question", {"content": "x"}, "error", "broken"), ("schedule_meeting", BOOKED, "ignored", "")],
)
def test_when_nothing_is_left_to_do_it_is_done(next_call, mails, exchange):
    failed = ("write_email", DRAFT, "error", "broken")

    assert next_call(mails["01-firmware-question"], failed, exchange)[0] == "done"


def test_after_an_error_the_human_is_asked_once(next_call, mails):
    failed = ("write_email", DRAFT, "error", "broken")

    assert next_call(mails["01-firmware-question"], failed)[0] == "question"
    assert next_call(mails["01-firmware-question"], failed, failed)[0] == "done"
