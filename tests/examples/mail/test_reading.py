"""Reading mail: every fixture, and what real mailboxes have in store."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from examples.email_assistant.errors import MailboxError, UnreadableMailError
from examples.email_assistant.mail import intake, maildir
from examples.email_assistant.mail.maildir import Unreadable, second_thread_id, thread_id
from examples.email_assistant.mail.message import fresh_text, parse
from tests.examples.conftest import EXAMPLE


def test_every_file_of_the_demo_mailbox_is_read_without_damage(mails):
    files = list((EXAMPLE / "mailbox").glob("*/*.eml"))

    assert len(mails) == len(files) >= 26
    assert [mail.file for mail in mails.values() if mail.damage] == []
    assert all(mail.subject and mail.text and mail.sender.address for mail in mails.values())


def test_reading_the_mailbox_changes_nothing_in_it():
    before = {path: path.read_bytes() for path in (EXAMPLE / "mailbox").rglob("*") if path.is_file()}

    maildir.read(EXAMPLE / "mailbox")

    assert {path: path.read_bytes() for path in (EXAMPLE / "mailbox").rglob("*") if path.is_file()} == before


def test_mail_is_read_oldest_first_and_mail_without_a_date_last():
    found = maildir.read(EXAMPLE / "mailbox")

    assert found[0].file == "10-newsletter.eml"
    assert found[-1].file == "22-no-date.eml"


@pytest.mark.parametrize(
    "name, subject, words",
    [
        ("18-german-meeting", "Abstimmung Prüfstand", "Hätten Sie am Donnerstag, den 19. März um 14:30 Uhr"),
        ("19-japanese-deadline", "試験報告書のご送付について", "3月18日までにお送りいただけますか"),
        ("20-spanish-question", "Certificados de calibración", "¿Podrías enviarme los certificados"),
        ("29-french", "Délai de livraison des capteurs", "nous n\u2019avons pas encore reçu"),
        ("09-html-only", "Drift of unit 0417", "- 0415: 0.02\u2009°C".replace("\u2009", " ")),
    ],
)
def test_text_in_any_charset_and_encoding_is_read(mails, name, subject, words):
    assert mails[name].subject == subject
    assert words in mails[name].text


def test_the_headers_of_a_conversation_are_kept(mails):
    mail = mails["04-lab-move-question"]

    assert mail.message_id == "<move-7@example.org>"
    assert mail.in_reply_to == "<move-6@example.org>"
    assert mail.references == tuple(f"<move-{number}@example.org>" for number in range(1, 7))
    assert [one.address for one in mail.cc] == ["tomas.novak@example.org", "aiko.tanabe@example.com"]


def test_the_headers_of_machines_are_kept(mails):
    assert mails["10-newsletter"].automation["Precedence"] == "bulk"
    assert "List-Unsubscribe" in mails["10-newsletter"].automation
    assert mails["13-bounce"].automation == {"Auto-Submitted": "auto-replied", "Return-Path": "<>"}
    assert mails["13-bounce"].content_type == "multipart/report"


def test_an_invitation_is_known_by_its_calendar_part(mails):
    assert mails["15-invitation"].calendar_method == "REQUEST"


def test_an_attachment_is_known_by_name_type_and_size(mails):
    (attachment,) = mails["24-contract-attached"].attachments

    assert (attachment.name, attachment.content_type, attachment.size) == ("Wartungsvertrag für 2026.pdf", "application/pdf", 77)


def test_text_that_html_hides_is_told_from_text_that_is_seen(mail_of):
    mail = mail_of(
        '<p>Seen<p style="display: none">not seen</p> again <img src="x"><span hidden>nor this</span></p>', Content_Type="text/html"
    )

    assert "Seen" in mail.text
    assert "again" in mail.text
    assert "not seen" not in mail.text
    assert mail.hidden == "not seennor this"


def test_quoted_mail_is_no_fresh_text(mails):
    mail = mails["04-lab-move-question"]

    assert "how many crates" in mail.fresh
    assert "rigger" in mail.text
    assert "rigger" not in mail.fresh


@pytest.mark.parametrize("line", ["On Monday, Ada wrote:", "Am 3.3. schrieb Ada:", "El lunes, Ada escribió:", "-----Original Message-----"])
def test_what_stands_below_the_introduction_of_a_quote_is_not_fresh(line):
    assert fresh_text(f"Yes.\n\n{line}\nDo you come?") == "Yes."


def test_a_mail_without_date_or_message_id_is_read(mails):
    assert mails["22-no-date"].date is None
    assert mails["23-no-message-id"].message_id == ""
    assert thread_id(mails["23-no-message-id"]) != thread_id(mails["22-no-date"])


def test_a_date_without_a_zone_is_read_as_utc(mail_of):
    assert mail_of(Date="Wed, 11 Mar 2026 10:00:00 -0000").date == datetime(2026, 3, 11, 10, tzinfo=UTC)


def test_a_date_that_is_none_is_told_as_damage(mail_of):
    mail = mail_of(Date="the day before yesterday")

    assert mail.date is None
    assert "the day before yesterday" in mail.damage[0]


def test_an_unknown_charset_is_read_as_far_as_possible_and_told_as_damage(mail_of):
    mail = mail_of("Grüße, please answer", Content_Type='text/plain; charset="klingon-8"')

    assert mail.text == "Grüße, please answer"
    assert mail.damage == ("unknown charset 'klingon-8': read as UTF-8 as far as possible",)


def test_a_name_with_a_comma_is_quoted_when_it_is_written(mails):
    assert str(mails["09-html-only"].sender) == '"Oduya, Grace (Northgate Clinics)" <g.oduya@northgate.example.com>'


@pytest.mark.parametrize("data", [b"", b"\x00\xff\xfe", b"no headers at all", b"Subject: nobody\n\nHello", b"From: nobody at all\n\nHello"])
def test_a_file_that_is_no_mail_is_refused_with_its_name(data):
    with pytest.raises(UnreadableMailError, match=r"broken\.eml"):
        parse(data, file="broken.eml")


def test_a_file_that_is_no_mail_does_not_keep_the_others_from_being_read(tmp_path):
    (tmp_path / "cur").mkdir()
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "a").write_bytes(b"\x00")
    (tmp_path / "new" / "b").write_bytes(b"From: ada@example.com\nSubject: Hi\n\nHello")

    found = maildir.read(tmp_path)

    assert sorted(type(one).__name__ for one in found) == ["Mail", "Unreadable"]
    assert [one.file for one in found if isinstance(one, Unreadable)] == ["a"]


def test_a_mail_of_unreasonable_size_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(intake, "LARGEST", 10)
    (tmp_path / "cur").mkdir()
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "a").write_bytes(b"From: ada@example.com\n\nHello")

    (found,) = maildir.read(tmp_path)

    assert isinstance(found, Unreadable)


def test_a_folder_that_is_no_maildir_is_refused(tmp_path):
    with pytest.raises(MailboxError, match="is no Maildir"):
        maildir.read(tmp_path)


def test_the_thread_of_a_mail_depends_on_its_message_id_alone(mails, mail_of):
    assert thread_id(mails["01-firmware-question"]) == thread_id(mails["21-firmware-question-again"])
    assert thread_id(mail_of("one")) == thread_id(mail_of("two"))
    assert second_thread_id(mail_of("one")) != second_thread_id(mail_of("two"))


@pytest.mark.parametrize(
    "raw, expected",
    [(b"Gr\xc3\xbc\xc3\x9fe", "Grüße"), (b"Gr\xfc\xdfe", "Grüße"), (b"quote \x93so\x94", "quote “so”"), (b"=?klingon?q?abc?=", "abc")],
)
def test_a_header_with_bytes_of_no_charset_is_read_as_a_person_would(raw, expected):
    mail = parse(b"From: Ada <ada@example.com>\nSubject: " + raw + b"\nTo: " + raw + b" <b@example.com>\n\nHello", file="x")

    assert mail.subject == expected
    mail.to[0].name.encode()


@pytest.mark.parametrize(
    "content",
    [
        b"<![" * 40_000,
        b"<!--" * 40_000,
        b"<a " * 40_000,
        b"<?" * 40_000,
        b"<b>" * 40_000 + b"</i>" * 40_000,
        b"<" * 200_000,
        b"&" * 200_000,
    ],
    ids=lambda content: content[:4].decode(),
)
def test_hostile_html_is_read_and_the_reader_does_not_hang(content):
    mail = parse(b"From: a@example.com\nContent-Type: text/html\n\n<p>Hello</p>" + content, file="x")

    assert mail.text.startswith("Hello")


@pytest.mark.parametrize("name", ["To", "Cc", "Subject", "References", "Content-Type", "Date", "Message-ID"])
@pytest.mark.parametrize("piece", [b"a@example.com, ", b'"a" ', b"=?utf-8?q?a?= ", b"<a@b> ", b"a=b; "])
def test_a_header_of_unreasonable_length_is_cut_and_told(name, piece):
    data = b"From: ada@example.com\n" + name.encode() + b": " + piece * (100_000 // len(piece)) + b"\n\nHello"

    mail = parse(data, file="x")

    assert f"header {name} is cut" in mail.damage


@pytest.mark.parametrize(
    "data",
    [
        b"From: a@example.com\n" + b"X-A: b\n" * 200_000 + b"\nHello",
        b"From: a@example.com\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\nx\n" * 1000 + b"--b--",
        b"From: a@example.com\n\n" + b"--b\n" * 30_000,
        b"From: a@example.com\nTo: " + b"(" * 15_000 + b"\n\nHello",
        b"From: a@example.com\n"
        + b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (number, number) for number in range(3000)),
    ],
    ids=["headers", "parts", "boundaries", "comments", "nesting"],
)
def test_mail_made_to_break_its_reader_is_refused_with_its_name(data):
    with pytest.raises(UnreadableMailError, match="trap"):
        parse(data, file="trap")


def test_a_text_of_ten_megabytes_is_cut_and_told():
    mail = parse(b"From: a@example.com\nSubject: Log\n\n" + b"hello world\n" * 900_000, file="x")

    assert len(mail.text) == 500_000
    assert "only the first 500000 are read" in mail.damage[0]
