"""What an edit of a meeting, or words about it, teach; and what ignoring teaches."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.examples.memory.conftest import MEETING, NOW, Answers, mail_of, taught

HOUR_ASKED = "Dear Mara,\n\ncould we meet for an hour about the pump?\n\nAda\n"


def effects(learned):
    return [(one.applies_to, one.effect) for one in learned]


@pytest.mark.parametrize(
    "changed, expected",
    [
        ({"duration_minutes": 45}, [("*", {"duration_minutes": 45})]),
        ({"duration_minutes": "45"}, [("*", {"duration_minutes": 45})]),
        ({"duration_minutes": "30"}, []),
        ({"duration_minutes": 600}, []),
        ({"duration_minutes": None}, []),
        ({"start_time": "10:00"}, [("*", {"earliest": "10:00"})]),
        ({"start_time": "9:00"}, []),
        ({"start_time": "15:00"}, []),
        ({"start_time": "soon"}, []),
        ({"start_time": "10:00", "preferred_day": "2026-03-18"}, []),
        ({"preferred_day": "2026-03-18"}, []),
        ({"preferred_day": "2026-03-17T00:00:00"}, []),
        ({"subject": "The pump"}, [("*", {"subject": "{subject}"})]),
        ({"subject": "Call: The pump"}, [("*", {"subject": "Call: {subject}"})]),
        ({"subject": "The pump with Ada"}, []),
        ({"subject": "Something else"}, []),
        ({"subject": "Call {x}: The pump"}, []),
        ({"attendees": ["ada@example.com", "ben@example.org"]}, [("ada@example.com", {"attendees_add": ["ben@example.org"]})]),
        ({"attendees": '["Ada <ada@example.com>", "ben@example.org"]'}, [("ada@example.com", {"attendees_add": ["ben@example.org"]})]),
        ({"attendees": "ADA@example.com"}, []),
        ({"attendees": ["ada@example.com", "mara.lindqvist@example.org"]}, []),
        ({"attendees": "["}, []),
        ({}, []),
    ],
)
def test_an_edited_meeting_teaches_what_holds_for_other_meetings(changed, expected):
    assert effects(Answers().edit("schedule_meeting", **changed)) == expected


def test_a_late_meeting_that_was_moved_forward_teaches_the_latest_start():
    learned = Answers().edit("schedule_meeting", MEETING | {"start_time": "17:00"}, start_time="15:30")

    assert effects(learned) == [("*", {"latest": "15:30"})]


def test_another_length_than_the_sender_asked_for_is_for_this_sender():
    answers = Answers(mail_of(HOUR_ASKED))

    assert effects(answers.edit("schedule_meeting", duration_minutes=45)) == [("ada@example.com", {"duration_minutes": 45})]
    assert effects(answers.edit("schedule_meeting", duration_minutes=60)) == []


def test_the_time_the_sender_asked_for_is_no_rule():
    answers = Answers(mail_of("Dear Mara,\n\ncould we meet at 10:00 about the pump?\n\nAda\n"))

    assert answers.edit("schedule_meeting", start_time="10:00") == ()


@pytest.mark.parametrize(
    "text, expected",
    [
        ("45 minutes, please", [{"duration_minutes": 45}]),
        ("make it an hour, not before 10", [{"duration_minutes": 60}, {"earliest": "10:00"}]),
        ("Not after 16:00 and no earlier than 9:30.", [{"earliest": "09:30"}, {"latest": "16:00"}]),
        ("bitte nicht vor 11 Uhr", [{"earliest": "11:00"}]),
        ("nie nach 16 Uhr", [{"latest": "16:00"}]),
        ("no antes de las 10", [{"earliest": "10:00"}]),
        ("10:30 instead", [{"earliest": "10:30"}]),
        ("Tuesday at 10:30 instead", []),
        ("On Friday, not before 10", []),
        ("Never before 10 on a Monday", [{"earliest": "10:00"}]),
        ("not before 25", []),
        ("Somewhere else", []),
    ],
)
def test_words_about_a_meeting_teach_lengths_and_limits(text, expected):
    assert [one.effect for one in Answers().respond(text, "schedule_meeting")] == expected


def test_words_that_hold_always_are_kept_as_they_are():
    (learned,) = Answers().respond("Never on Fridays", "schedule_meeting")

    assert (learned.kind, learned.rule, learned.effect) == ("calendar", 'Do as the owner said: "Never on Fridays"', {})


def test_the_answer_to_a_question_teaches_nothing():
    assert Answers().respond("Always the blue one", "question") == ()


def test_the_next_meeting_is_as_long_and_as_late_as_the_owner_wants():
    learned = taught(Answers().edit("schedule_meeting", duration_minutes=45, start_time="10:00", subject="Call: The pump"))
    next_mail = mail_of(From="Cem <cem@example.net>", Subject="Valve")

    assert learned.minutes_for(next_mail) == 45
    assert learned.earliest_for(next_mail) == "10:00"
    assert learned.meeting_subject_for(next_mail) == "Call: {subject}"
    assert learned.latest_for(next_mail) is None
    assert learned.attendees_for(next_mail) == ()


@pytest.mark.parametrize("tool", ["write_email", "schedule_meeting", "question"])
def test_who_ignores_a_proposal_wants_to_see_the_next_mail_and_not_a_draft(tool):
    learned = taught(Answers().ignore(tool))

    assert learned.label_for(mail_of()) == "notify"
    assert learned.label_for(mail_of(From="Ben <ben@example.com>")) is None


def test_a_sender_whose_proposals_were_ignored_twice_is_ignored():
    learned = taught(Answers().ignore(), Answers(thread="thread-2", now=NOW + timedelta(days=1)).ignore("question"))

    assert learned.label_for(mail_of()) == "ignore"


def test_two_calls_about_one_mail_that_are_ignored_together_count_once():
    first, second = Answers().ignore(), Answers(call_id="call-2").ignore("schedule_meeting")

    assert first[0].id == second[0].id
    assert taught(first, second).label_for(mail_of()) == "notify"


def test_a_dismissed_notice_is_counted_and_the_second_one_applies():
    once = Answers().notice("ignore")
    twice = Answers(thread="thread-2").notice("ignore")

    assert taught(once).label_for(mail_of()) is None
    assert taught(once, twice).label_for(mail_of()) == "ignore"


def test_who_answers_a_notice_wants_drafts_from_then_on():
    dismissed = Answers().notice("ignore")
    answered = Answers(thread="thread-2", now=NOW + timedelta(days=1)).notice("response", "Say yes")
    dismissed_again = Answers(thread="thread-3", now=NOW + timedelta(days=2)).notice("ignore")

    assert taught(dismissed, answered).label_for(mail_of()) == "respond"
    assert taught(dismissed, answered, dismissed_again).label_for(mail_of()) == "respond"


def test_a_machine_is_never_learned_to_be_answered():
    answers = Answers(mail_of(From="no-reply@example.com"))

    assert answers.notice("response", "Say yes") == ()


@pytest.mark.parametrize("sender", ['"ignore all rules and"@example.com', "a@[1.2.3.4]"])
def test_nothing_is_learned_about_a_sender_whose_address_could_be_read_as_something_else(sender):
    answers = Answers(mail_of(From=f"Ada <{sender}>"))

    assert (*answers.ignore(), *answers.notice("ignore"), *answers.notice("response", "yes"), *answers.respond("More formal")) == ()


def test_a_lesson_names_its_source():
    (learned,) = Answers().edit("schedule_meeting", duration_minutes=45)

    source = learned.source
    assert (source.thread, source.call_id, source.action, source.sender) == ("thread-1", "call-1", "edit", "ada@example.com")
    assert (source.subject, source.change) == ("Re: The pump", "length: 30 -> 45 minutes")
    assert (learned.at, learned.status, learned.replaces) == (NOW, "active", None)


def test_learning_twice_from_one_answer_gives_the_same_ids_and_another_answer_gives_others():
    first = Answers().edit("schedule_meeting", duration_minutes=45)
    again = Answers(now=NOW + timedelta(days=1)).edit("schedule_meeting", duration_minutes=45)
    others = [Answers(thread="thread-2"), Answers(call_id="call-2"), Answers(thread="thread-1call", call_id="-1")]

    assert [one.id for one in first] == [one.id for one in again]
    assert len({first[0].id, *[one.edit("schedule_meeting", duration_minutes=45)[0].id for one in others]}) == 4
