"""The mailbox on a server, against a real one."""

from __future__ import annotations

import logging
import ssl
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from examples.email_assistant.errors import MailboxError
from examples.email_assistant.mail import intake, maildir
from examples.email_assistant.mail.errors import (
    ConnectionLostError,
    InsecureServerError,
    LoginRefusedError,
    MailboxChangedError,
    MissingFolderError,
    ServerRefusedError,
    ServerUnreachableError,
)
from examples.email_assistant.mail.imap import HANDLED, ImapMailbox, SentFolder
from examples.email_assistant.mail.intake import Unreadable
from examples.email_assistant.mail.maildir import thread_id
from examples.email_assistant.mail.message import Mail
from examples.email_assistant.mail.server import Server
from tests.examples.conftest import EXAMPLE
from tests.examples.servers.dovecot import OTHER_PASSWORD, PASSWORD
from tests.examples.servers.wire import HOST, cut, free_port, scripted, silent

GREETING = (b"* OK hello", b"* CAPABILITY IMAP4rev1\r\nTAG OK done")


def mail(number: int, *, day: int = 1, body: str = "Hello") -> bytes:
    lines = [
        "From: Ada Stern <ada@example.com>",
        "To: mara.lindqvist@example.org",
        f"Subject: Mail {number}",
        f"Date: Mon, {day:02} Mar 2026 10:00:00 +0000",
        f"Message-ID: <mail-{number}@example.com>",
        'Content-Type: text/plain; charset="utf-8"',
        "Content-Transfer-Encoding: 8bit",
        "",
        body,
    ]
    return "\r\n".join(lines).encode() + b"\r\n"


@pytest.fixture
def box(imap_server, user):
    return ImapMailbox(imap_server.server(user))


def subjects(found):
    return [one.subject if isinstance(one, Mail) else "unreadable" for one in found]


def nameless(found):
    return replace(found, file="")


@pytest.mark.parametrize("protection", ["tls", "starttls", "none"])
def test_mail_is_read_oldest_first_over_each_kind_of_connection(imap_server, user, protection):
    imap_server.deliver(user, mail(1, day=3), mail(2, day=1), mail(3, day=2))

    assert subjects(ImapMailbox(imap_server.server(user, protection)).unread()) == ["Mail 2", "Mail 3", "Mail 1"]


def test_an_empty_folder_has_no_mail(box):
    assert box.unread() == []


def test_reading_changes_nothing_on_the_server_and_gives_the_same_again(imap_server, user, box):
    imap_server.deliver(user, mail(1), mail(2))

    first, second = box.unread(), box.unread()

    assert first == second
    assert len({one.file for one in first}) == 2
    assert imap_server.flags(user) == ["", ""]


def test_the_demo_mailbox_is_the_same_mail_on_a_server_as_in_a_maildir(imap_server, user, box):
    imap_server.deliver(user, *[path.read_bytes() for path in sorted((EXAMPLE / "mailbox").glob("*/*.eml"))])
    local = maildir.read(EXAMPLE / "mailbox")

    found = box.unread()

    assert sorted(map(nameless, found), key=str) == sorted(map(nameless, local), key=str)
    assert [thread_id(one) for one in found if isinstance(one, Mail) and one.date] == [
        thread_id(one) for one in local if isinstance(one, Mail) and one.date
    ]


def test_handled_mail_has_the_keyword_and_does_not_come_again(imap_server, user, box):
    imap_server.deliver(user, mail(1), mail(2))
    first, second = box.unread()

    box.mark_handled(first.file)
    box.mark_handled(first.file)

    assert box.unread() == [second]
    assert imap_server.flags(user) == [HANDLED, ""]


def test_mail_that_its_owner_has_read_or_deleted_does_not_wait(imap_server, user, box):
    imap_server.deliver(user, mail(1), mail(2), mail(3))
    with imap_server.client(user) as client:
        client.store("1", "+FLAGS", r"(\Seen)")
        client.store("2", "+FLAGS", r"(\Deleted)")

    assert subjects(box.unread()) == ["Mail 3"]


def test_marking_leaves_mail_that_its_owner_has_deleted_but_not_yet_purged(imap_server, user, box):
    imap_server.deliver(user, mail(1), mail(2))
    with imap_server.client(user) as client:
        client.store("1", "+FLAGS", r"(\Deleted)")
    (second,) = box.unread()

    box.mark_handled(second.file)

    assert imap_server.flags(user) == [r"\Deleted", HANDLED]


def test_where_keywords_are_not_permitted_handled_mail_becomes_seen(imap_server, user):
    imap_server.deliver(user, mail(1), mail(2), folder="Seen-only")
    box = ImapMailbox(imap_server.server(user, folder="Seen-only"))
    first, second = box.unread()

    box.mark_handled(first.file)

    assert box.unread() == [second]
    assert imap_server.flags(user, "Seen-only") == [r"\Seen", ""]


def test_where_nothing_can_be_marked_that_is_told(imap_server, user):
    imap_server.deliver(user, mail(1), folder="Read-only")
    box = ImapMailbox(imap_server.server(user, folder="Read-only"))
    (first,) = box.unread()

    with pytest.raises(ServerRefusedError):
        box.mark_handled(first.file)


def test_marking_mail_that_is_gone_is_no_error(imap_server, user, box):
    imap_server.deliver(user, mail(1))
    (first,) = box.unread()
    with imap_server.client(user) as client:
        client.store("1", "+FLAGS", r"(\Deleted)")
        client.expunge()

    box.mark_handled(first.file)

    assert box.unread() == []


def test_after_the_folder_was_made_anew_an_old_name_marks_nothing(imap_server, user):
    box = ImapMailbox(imap_server.server(user, folder="Work"))
    imap_server.deliver(user, mail(1), folder="Work")
    (old,) = box.unread()
    with imap_server.client(user) as client:
        client.delete("Work")
    imap_server.deliver(user, mail(2), folder="Work")

    with pytest.raises(MailboxChangedError, match="made anew"):
        box.mark_handled(old.file)
    assert subjects(box.unread()) == ["Mail 2"]


def test_the_same_mail_in_a_folder_made_anew_has_the_same_thread(imap_server, user):
    box = ImapMailbox(imap_server.server(user, folder="Work"))
    imap_server.deliver(user, mail(1), folder="Work")
    (old,) = box.unread()
    with imap_server.client(user) as client:
        client.delete("Work")
    imap_server.deliver(user, mail(1), folder="Work")

    (new,) = box.unread()

    assert new.file != old.file
    assert isinstance(new, Mail)
    assert isinstance(old, Mail)
    assert (new.digest, thread_id(new)) == (old.digest, thread_id(old))


@pytest.mark.parametrize("key", ["01-firmware-question.eml", "imap-00000000-1-1", "imap-1-1", ""])
def test_a_key_of_another_mailbox_is_refused_before_anything_is_asked_of_the_server(key):
    box = ImapMailbox(Server("imap", "none", HOST, free_port(), "ada"))

    with pytest.raises(MailboxError, match="no mail of the folder"):
        box.mark_handled(key)


def test_mail_older_than_asked_for_is_left_out(imap_server, user, box):
    imap_server.deliver(user, mail(1))
    today = datetime.now(UTC).date()

    assert len(replace(box, since=today - timedelta(days=2)).unread()) == 1
    assert replace(box, since=today + timedelta(days=2)).unread() == []
    assert replace(box, since=date(1999, 1, 1)).unread() == box.unread()


def test_more_mail_than_fits_into_one_request_is_read(imap_server, user, box, monkeypatch):
    monkeypatch.setattr("examples.email_assistant.mail.imap.AT_ONCE", 2)
    imap_server.deliver(user, *[mail(number, day=number) for number in range(1, 6)])

    assert subjects(box.unread()) == [f"Mail {number}" for number in range(1, 6)]


def test_a_folder_with_a_name_in_any_script_is_found(imap_server, user):
    folder = "Büro/東京 & Co"
    imap_server.deliver(user, folder='"B&APw-ro/&Z3FOrA- &- Co"')
    SentFolder(imap_server.server(user, folder=folder)).keep(mail(1))

    assert subjects(ImapMailbox(replace(imap_server.server(user, folder=folder))).unread()) == []
    assert imap_server.flags(user, '"B&APw-ro/&Z3FOrA- &- Co"') == [r"\Seen"]


def test_broken_mail_does_not_keep_the_rest_from_being_read(imap_server, user, box):
    imap_server.deliver(user, mail(1), b"no mail at all\r\n", b"\r\n", mail(2, day=2))

    assert subjects(box.unread()) == ["Mail 1", "Mail 2", "unreadable", "unreadable"]


def test_mail_of_ten_megabytes_is_read(imap_server, user, box):
    attachment = b"QUJD" * 19 + b"\r\n"
    big = (
        b"From: ada@example.com\r\nSubject: Plans\r\nMessage-ID: <big@example.com>\r\nMIME-Version: 1.0\r\n"
        b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nSee attached.\r\n--b\r\n'
        b'Content-Type: application/pdf\r\nContent-Disposition: attachment; filename="plan.pdf"\r\n'
        b"Content-Transfer-Encoding: base64\r\n\r\n" + attachment * (10_000_000 // len(attachment)) + b"--b--\r\n"
    )
    imap_server.deliver(user, big)

    (found,) = box.unread()

    assert isinstance(found, Mail)
    assert found.text == "See attached."
    assert found.attachments[0].size > 7_000_000


def test_mail_beyond_the_limit_is_told_and_not_fetched(imap_server, user, box, monkeypatch):
    monkeypatch.setattr(intake, "LARGEST", 400)
    imap_server.deliver(user, mail(1), mail(2, body="x" * 400))
    monkeypatch.setattr("examples.email_assistant.mail.imap.CONTENT", "BODY.PEEK[]<0.401>")

    found = [one for one in box.unread() if isinstance(one, Unreadable)]

    assert len(found) == 1
    assert "more than 400" in found[0].reason


def test_a_connection_lost_anywhere_is_told_and_loses_nothing(imap_server, user):
    imap_server.deliver(user, mail(1), mail(2, body="x" * 5000))
    whole = ImapMailbox(imap_server.server(user)).unread()
    found, failed = [], 0
    for after in range(0, 8000, 199):
        with cut(imap_server.plain, after=after) as port:
            box = ImapMailbox(replace(imap_server.server(user), port=port))
            try:
                found.append(box.unread())
            except (ConnectionLostError, ServerUnreachableError):
                failed += 1

    assert failed > 30
    assert all(one == whole for one in found)
    assert ImapMailbox(imap_server.server(user)).unread() == whole


def test_a_connection_lost_while_marking_is_told(imap_server, user, box):
    imap_server.deliver(user, mail(1))
    (first,) = box.unread()

    with cut(imap_server.plain, after=900) as port, pytest.raises(ConnectionLostError, match="broke the connection"):
        ImapMailbox(replace(box.server, port=port)).mark_handled(first.file)

    box.mark_handled(first.file)
    assert box.unread() == []


def test_a_wrong_password_is_told_and_shown_nowhere(imap_server, user, box, caplog):
    secret = "open-sesame-42"
    caplog.set_level(logging.DEBUG)

    with pytest.raises(LoginRefusedError, match=f"does not let {user} in") as caught:
        ImapMailbox(replace(box.server, password=secret)).unread()

    assert secret not in str(caught.value) + repr(caught.value) + caplog.text + repr(replace(box.server, password=secret))
    assert caught.value.hint


@pytest.mark.parametrize("password", [PASSWORD, OTHER_PASSWORD])
def test_the_right_password_is_in_no_log(box, caplog, password):
    caplog.set_level(logging.DEBUG)

    ImapMailbox(replace(box.server, password=password)).unread()

    assert password not in caplog.text


def test_a_server_that_repeats_the_password_is_not_quoted_with_it():
    with scripted(*GREETING, b"TAG NO you said open-sesame \x1b[31m") as port, pytest.raises(LoginRefusedError, match="you said") as caught:
        ImapMailbox(Server("imap", "none", HOST, port, "ada", "open-sesame", timeout=2)).unread()

    assert "open-sesame" not in str(caught.value)
    assert "\x1b" not in str(caught.value)


def test_a_missing_folder_is_told_with_its_name(imap_server, user):
    with pytest.raises(MissingFolderError, match="no folder 'Nowhere'"):
        ImapMailbox(imap_server.server(user, folder="Nowhere")).unread()


def test_a_server_that_is_not_there_is_told():
    with pytest.raises(ServerUnreachableError, match="cannot be reached"):
        ImapMailbox(Server("imap", "none", HOST, free_port(), "ada")).unread()


def test_a_server_that_says_nothing_is_told_after_the_timeout():
    with silent() as port, pytest.raises(ServerUnreachableError, match="timed out"):
        ImapMailbox(Server("imap", "none", HOST, port, "ada", timeout=0.2)).unread()


def test_a_server_that_falls_silent_is_told_after_the_timeout():
    with scripted(*GREETING, b"* OK still here") as port, pytest.raises(ConnectionLostError, match=r"said nothing for 0\.2 seconds"):
        ImapMailbox(Server("imap", "none", HOST, port, "ada", "secret", timeout=0.2)).unread()


@pytest.mark.parametrize("protection", ["tls", "starttls"])
def test_a_certificate_nobody_vouches_for_is_refused(imap_server, user, protection):
    server = replace(imap_server.server(user, protection), trust=ssl.create_default_context())

    with pytest.raises(InsecureServerError, match="certificate verify failed"):
        ImapMailbox(server).unread()


def test_a_server_without_encryption_gets_no_password():
    with scripted(*GREETING) as port, pytest.raises(InsecureServerError, match="offers no encryption"):
        ImapMailbox(Server("imap", "starttls", HOST, port, "ada", "secret", timeout=2)).unread()


def test_a_copy_of_a_sent_mail_is_kept_once_and_seen(imap_server, user):
    imap_server.deliver(user, folder="Sent")
    sent = SentFolder(imap_server.server(user, folder="Sent"))

    sent.keep(mail(1))
    sent.keep(mail(1))
    sent.keep(mail(2))

    assert imap_server.flags(user, "Sent") == [r"\Seen", r"\Seen"]


def test_a_missing_folder_for_copies_is_told(imap_server, user):
    with pytest.raises(MissingFolderError):
        SentFolder(imap_server.server(user, folder="Nowhere")).keep(mail(1))
