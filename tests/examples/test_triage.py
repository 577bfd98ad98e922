"""Sorting mail: the demo mailbox as a table, and mail the rules were not written for."""

from __future__ import annotations

from datetime import date

import pytest

from examples.email_assistant.memory import Preferences
from examples.email_assistant.rules.reading import Intent, language, read
from examples.email_assistant.rules.triage import never_answered
from tests.examples.conftest import NOW

NOBODY = Preferences(())
EXPECTED = {
    "01-firmware-question": "respond",
    "02-lab-move-kickoff": "notify",
    "03-lab-move-cc": "notify",
    "04-lab-move-question": "respond",
    "05-probe-walkthrough": "respond",
    "06-audit-prep": "respond",
    "07-half-an-hour": "respond",
    "08-chapter-three": "respond",
    "09-html-only": "respond",
    "10-newsletter": "ignore",
    "11-parcel-notice": "ignore",
    "12-new-sign-in": "notify",
    "13-bounce": "notify",
    "14-out-of-office": "ignore",
    "15-invitation": "notify",
    "16-injection-plain": "notify",
    "17-injection-hidden": "notify",
    "18-german-meeting": "respond",
    "19-japanese-deadline": "respond",
    "20-spanish-question": "respond",
    "21-firmware-question-again": "respond",
    "22-no-date": "respond",
    "23-no-message-id": "ignore",
    "24-contract-attached": "respond",
    "25-no-context": "respond",
    "26-copied-in": "notify",
    "27-mailing-list": "ignore",
    "28-for-your-information": "notify",
    "29-french": "notify",
    "30-new-york": "respond",
    "31-gift-cards": "notify",
    "32-build-failed": "notify",
}


def test_the_demo_mailbox_is_sorted_as_expected(mails, model):
    assert {name: model.triage(mail, NOW, NOBODY).label for name, mail in sorted(mails.items())} == EXPECTED


def test_each_decision_names_the_rule_and_the_text_that_matched(mails, model):
    assert model.triage(mails["31-gift-cards"], NOW, NOBODY).reasons == ("possible fraud: 'gift cards'",)
    assert "no reply: Precedence: list" in model.triage(mails["27-mailing-list"], NOW, NOBODY).reasons


def test_a_mail_no_rule_fits_is_shown_to_the_human(mail_of, model):
    decision = model.triage(mail_of("The pump has been painted green."), NOW, NOBODY)

    assert (decision.label, decision.reasons) == ("notify", ("unsure: no rule fits",))


@pytest.mark.parametrize(
    "headers",
    [
        {"Auto-Submitted": "auto-replied"},
        {"Precedence": "bulk"},
        {"List-Id": "<list.example.com>"},
        {"List-Unsubscribe": "<mailto:leave@example.com>"},
        {"X-Auto-Response-Suppress": "All"},
        {"Return-Path": "<>"},
        {"From": "no-reply@example.com"},
        {"From": "Shop <orders-noreply@example.com>"},
        {"From": "MAILER-DAEMON@example.com"},
        {"Reply-To": "donotreply@example.com"},
        {"Content-Type": "multipart/report"},
        {"Subject": "Automatic reply: Hello"},
    ],
    ids=lambda headers: next(iter(headers)),
)
def test_a_machine_is_never_answered_whatever_it_asks(mail_of, model, headers):
    mail = mail_of("Mara, could you please answer by Friday?", **headers)

    assert never_answered(mail)
    assert model.triage(mail, NOW, NOBODY).label != "respond"


@pytest.mark.parametrize("address", ["ada@example.com", "norepinephrine@example.com", "nora@example.com", "bounceberry@example.com"])
def test_a_person_may_be_answered(mail_of, address):
    assert never_answered(mail_of("Could you come?", From=address, **{"Auto-Submitted": "no"})) == ()


@pytest.mark.parametrize(
    "text, tongue",
    [
        ("Could you please send it?", "en"),
        ("Können Sie das bitte tun?", "de"),
        ("¿Puedes venir el lunes?", "es"),
        ("はい、そうです", "ja"),
        ("42", ""),
    ],
)
def test_the_language_of_a_text_is_recognised(text, tongue):
    assert language(text) == tongue


@pytest.mark.parametrize(
    "body, intent, due",
    [
        ("Could you send it by Friday?", Intent.DEADLINE, date(2026, 3, 13)),
        ("Please answer before 20 March.", Intent.DEADLINE, date(2026, 3, 19)),
        ("Bitte antworten Sie bis zum 20. März.", Intent.DEADLINE, date(2026, 3, 20)),
        ("¿Puedes enviarlo antes del lunes?", Intent.DEADLINE, date(2026, 3, 15)),
        ("3月20日までに送ってください。", Intent.DEADLINE, date(2026, 3, 20)),
        ("Which one is it?", Intent.QUESTION, None),
        ("Please confirm the booking.", Intent.REQUEST, None),
        ("Can we meet tomorrow?", Intent.MEETING, None),
        ("The meeting was long.", Intent.NOTHING, None),
    ],
)
def test_what_a_mail_wants_is_read_from_its_sentences(mail_of, body, intent, due):
    reading = read(mail_of(body), date(2026, 3, 11))

    assert (reading.intent, reading.due) == (intent, due)


def test_a_question_in_quoted_mail_is_not_asked_again(mail_of):
    assert read(mail_of("I will.\n\nOn Monday Mara wrote:\n> Could you come on Friday?"), date(2026, 3, 11)).intent is Intent.NOTHING
