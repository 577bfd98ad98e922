"""What is handed to the outside world: mail and meetings, valid and written once."""

from __future__ import annotations

import os
from datetime import datetime
from email import message_from_bytes
from email.policy import default
from email.utils import parsedate_to_datetime

import pytest
from icalendar import Calendar

from examples.email_assistant import deposit
from examples.email_assistant.errors import OutboxError, ToolError
from examples.email_assistant.mail.outbox import Letter, Outbox, recipients, reference_chain
from examples.email_assistant.meetings.invitation import Invitations, Meeting
from tests.examples.conftest import BERLIN, NOW, OWNER

LETTER = Letter("Ada Stern <ada@example.com>", "", "Re: Grüße", "Hello Ada,\n\nja, gern: 東京.\n")


@pytest.fixture
def outbox(tmp_path):
    return Outbox(tmp_path / "outbox", OWNER)


@pytest.fixture
def invitations(tmp_path):
    return Invitations(tmp_path / "meetings", OWNER)


def written(path):
    return message_from_bytes(path.read_bytes(), policy=default)


def test_a_written_mail_is_valid_and_says_what_it_should(outbox, mail_of):
    message = written(outbox.write(LETTER, key="t/1", answers=mail_of(), now=NOW))

    assert message.defects == []
    assert [header for header in message.values() if getattr(header, "defects", ())] == []
    assert str(message["From"]) == "Mara Lindqvist <mara.lindqvist@example.org>"
    assert str(message["To"]) == "Ada Stern <ada@example.com>"
    assert message["Subject"] == "Re: Grüße"
    assert parsedate_to_datetime(message["Date"]) == NOW
    assert message["Message-ID"].endswith("@example.org>")
    assert message.get_content().replace("\r\n", "\n") == LETTER.content


def test_a_written_mail_has_the_line_ends_and_line_lengths_of_rfc_5322(outbox, mails):
    content = outbox.write(LETTER, key="t/1", answers=mails["04-lab-move-question"], now=NOW).read_bytes()

    assert content.count(b"\n") == content.count(b"\r\n")
    assert max(map(len, content.split(b"\r\n"))) <= 998
    assert content.isascii()


def test_a_reply_continues_the_conversation(outbox, mails):
    message = written(outbox.write(LETTER, key="t/1", answers=mails["04-lab-move-question"], now=NOW))

    assert message["In-Reply-To"] == "<move-7@example.org>"
    assert message["References"].split() == [f"<move-{number}@example.org>" for number in range(1, 8)]


def test_a_reply_to_a_mail_without_message_id_refers_to_nothing(outbox, mails):
    message = written(outbox.write(LETTER, key="t/1", answers=mails["23-no-message-id"], now=NOW))

    assert "In-Reply-To" not in message
    assert "References" not in message


def test_the_middle_of_a_very_long_conversation_is_left_out(mail_of):
    chain = reference_chain(mail_of(References=" ".join(f"<r{number}@example.com>" for number in range(100))))

    assert len(chain) == 20
    assert (chain[0], chain[-1]) == ("<r0@example.com>", "<test-1@example.com>")


def test_without_references_the_chain_begins_with_in_reply_to(mail_of):
    assert reference_chain(mail_of(**{"In-Reply-To": "<first@example.com>"})) == ("<first@example.com>", "<test-1@example.com>")


def test_very_long_message_ids_survive_in_references(outbox, mail_of):
    long = [f"<{'x' * 70}{number}@mail.example.com>" for number in range(6)]

    message = written(outbox.write(LETTER, key="t/1", answers=mail_of(References=" ".join(long)), now=NOW))

    assert message["References"].split() == [*long, "<test-1@example.com>"]


def test_a_mail_with_the_same_key_is_written_once(outbox, mail_of):
    first = outbox.write(LETTER, key="t/1", answers=mail_of(), now=NOW)
    content = first.read_bytes()

    second = outbox.write(Letter("eve@example.net", "", "Other", "Other"), key="t/1", answers=None, now=NOW)

    assert second == first
    assert first.read_bytes() == content
    assert len(list((outbox.path / "new").iterdir())) == 1


def test_mail_with_other_keys_is_other_mail(outbox, mail_of):
    paths = {outbox.write(LETTER, key=key, answers=mail_of(), now=NOW) for key in ("t/1", "t/2", "u/1")}

    assert len(paths) == len({written(path)["Message-ID"] for path in paths}) == 3


def test_a_mail_that_a_mail_program_has_moved_is_not_written_again(outbox):
    path = outbox.write(LETTER, key="t/1", answers=None, now=NOW)
    moved = path.rename(outbox.path / "cur" / f"{path.name}:2,S")

    assert outbox.write(LETTER, key="t/1", answers=None, now=NOW) == moved
    assert list((outbox.path / "new").iterdir()) == []


@pytest.mark.parametrize("to", ["", "nobody", "ada@", "@example.com", "a b@example.com,", "ada@example.com, nobody"])
def test_what_is_no_address_is_refused_before_anything_is_written(outbox, to):
    with pytest.raises(ToolError):
        outbox.write(Letter(to, "", "Hi", "Hi"), key="t/1", answers=None, now=NOW)

    assert not outbox.path.exists()


@pytest.mark.parametrize("subject", ["Hi\nBcc: eve@example.net", "Hi\r\n\r\nbody"])
def test_a_subject_cannot_smuggle_in_a_header(outbox, subject):
    with pytest.raises(ToolError, match="header that cannot be written"):
        outbox.write(Letter("ada@example.com", "", subject, "Hi"), key="t/1", answers=None, now=NOW)


def test_several_recipients_are_told_apart():
    assert [str(one) for one in recipients('"Oduya, Grace" <grace@example.com>, bob@example.org')] == [
        '"Oduya, Grace" <grace@example.com>',
        "bob@example.org",
    ]


def test_a_meeting_is_valid_and_says_what_it_should(invitations):
    meeting = Meeting("Prüfstand", datetime(2026, 3, 19, 14, 30, tzinfo=BERLIN), 60, ("ada@example.com", "bob@example.org"))

    calendar = Calendar.from_ical(invitations.write(meeting, key="t/1", now=NOW).read_bytes())
    (event,) = calendar.events

    assert (calendar["METHOD"], calendar["VERSION"]) == ("REQUEST", "2.0")
    assert str(event["UID"]).endswith("@example.org")
    assert event["SUMMARY"] == "Prüfstand"
    assert (event.start, event.end) == (meeting.start, meeting.end)
    assert event["ORGANIZER"] == "mailto:mara.lindqvist@example.org"
    assert [str(guest) for guest in event.attendees] == ["mailto:ada@example.com", "mailto:bob@example.org"]
    assert not event.errors


def test_a_meeting_over_the_change_to_summer_time_keeps_its_length():
    meeting = Meeting("Night shift", datetime(2026, 3, 29, 1, 30, tzinfo=BERLIN), 60, ("ada@example.com",))

    assert meeting.end == datetime(2026, 3, 29, 3, 30, tzinfo=BERLIN)


def test_a_meeting_with_the_same_key_is_written_once(invitations):
    meeting = Meeting("One", datetime(2026, 3, 19, 14, tzinfo=BERLIN), 60, ("ada@example.com",))
    first = invitations.write(meeting, key="t/1", now=NOW)
    content = first.read_bytes()

    assert invitations.write(Meeting("Two", meeting.start, 30, ()), key="t/1", now=NOW) == first
    assert first.read_bytes() == content


def test_of_two_writers_at_the_same_moment_one_wins(tmp_path, monkeypatch):
    target = tmp_path / "file"
    link = os.link

    def late(source, name):
        target.write_bytes(b"the other writer")
        link(source, name)

    monkeypatch.setattr(os, "link", late)

    assert deposit.deposit(target, b"mine", staging=tmp_path).read_bytes() == b"the other writer"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_disk_that_refuses_leaves_nothing_and_is_told(tmp_path, monkeypatch):
    def refuse(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", refuse)

    with pytest.raises(OutboxError, match="No space left on device"):
        deposit.deposit(tmp_path / "file", b"mine", staging=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").write_bytes(b"")

    with pytest.raises(OutboxError, match="cannot be made"):
        deposit.folder(tmp_path / "file" / "outbox")
