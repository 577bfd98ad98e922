"""Mail of machines, and people who are not part of a conversation."""

from __future__ import annotations

import pytest

from examples.email_assistant.mail.automatic import reason_not_to_answer
from examples.email_assistant.mail.circle import copied, outsiders, strangers
from examples.email_assistant.mail.letter import Letter
from tests.examples.conftest import OWNER

MACHINES = {
    "10-newsletter",
    "11-parcel-notice",
    "12-new-sign-in",
    "13-bounce",
    "14-out-of-office",
    "27-mailing-list",
    "32-build-failed",
}


def test_of_the_demo_mailbox_the_mail_of_machines_is_not_answered(mails):
    assert {name for name, mail in mails.items() if reason_not_to_answer(mail)} == MACHINES


@pytest.mark.parametrize(
    "header, value",
    [
        ("Auto-Submitted", "auto-generated"),
        ("Auto-Submitted", "AUTO-REPLIED (vacation); owner=x"),
        ("Precedence", "Bulk"),
        ("Precedence", "list"),
        ("List-Id", "<news.example.net>"),
        ("List-Unsubscribe", "<https://example.net/out>"),
        ("X-Auto-Response-Suppress", "OOF, AutoReply"),
        ("X-Autoreply", "yes"),
        ("Return-Path", "<>"),
        ("Return-Path", "< >"),
        ("Content-Type", 'multipart/report; boundary="b"'),
        ("From", "No Reply <no-reply@example.com>"),
        ("From", "noreply+17@example.com"),
        ("From", "MAILER-DAEMON@example.com"),
        ("From", "ticket-do-not-reply@example.com"),
        ("From", "bounces+ada=example.org@example.com"),
        ("Reply-To", "donotreply@example.com"),
    ],
)
def test_a_sign_of_a_machine_is_a_reason_not_to_answer(mail_of, header, value):
    assert reason_not_to_answer(mail_of(**{header: value}))


@pytest.mark.parametrize(
    "header, value",
    [
        ("Auto-Submitted", "no"),
        ("Auto-Submitted", "No (really)"),
        ("Precedence", "first-class"),
        ("X-Auto-Response-Suppress", "None"),
        ("Return-Path", "<ada@example.com>"),
        ("From", "Noreen Plyler <noreen.plyler@example.com>"),
        ("From", "postmastery@example.com"),
    ],
)
def test_a_person_may_be_answered(mail_of, header, value):
    assert reason_not_to_answer(mail_of(**{header: value})) is None


def test_a_second_header_that_says_machine_counts(mail_of):
    assert reason_not_to_answer(mail_of(**{"Auto-Submitted": "no\nAuto-Submitted: auto-replied"}))


def test_recipients_outside_of_the_conversation_are_told_once_each(mail_of):
    mail = mail_of(Cc="Bob <bob@example.com>")
    letter = Letter("Ada <ADA@example.com>, eve@example.net", "bob@example.com, Eve <EVE@example.net>, carl@example.org", "Hi", "Hi")

    assert outsiders(letter, mail) == ("eve@example.net", "carl@example.org")
    assert strangers(["bob@example.com", " Carl@example.org "], mail) == ("carl@example.org",)


def test_a_reply_to_somebody_else_is_outside_of_the_conversation(mail_of):
    mail = mail_of(**{"Reply-To": "collector@example.net"})

    assert outsiders(Letter(str(mail.reply_to), "", "Hi", "Hi"), mail) == ("collector@example.net",)


@pytest.mark.parametrize("line", ["nobody", '"ada@example.com" <eve@example.net>', "ada@example.com <eve@example.net>"])
def test_a_name_or_a_broken_line_does_not_hide_an_outsider(mail_of, line):
    assert outsiders(Letter(line, "", "Hi", "Hi"), mail_of())


def test_a_reply_to_all_goes_to_everybody_else_once(mails, mail_of):
    mail = mail_of(To="mara.lindqvist@example.org, Bob <bob@example.com>", Cc="bob@example.com, Carl <carl@example.org>, ada@example.com")

    assert [one.address for one in copied(mail, OWNER)] == ["bob@example.com", "carl@example.org"]
    assert [one.address for one in copied(mails["04-lab-move-question"], OWNER)] == ["tomas.novak@example.org", "aiko.tanabe@example.com"]
