"""Where mail comes from and goes to, as a person writes it; and the mailbox on files."""

from __future__ import annotations

import pytest

from examples.email_assistant.errors import MailboxError, OptionError
from examples.email_assistant.mail.imap import ImapMailbox, SentFolder
from examples.email_assistant.mail.maildir import MaildirMailbox
from examples.email_assistant.mail.outbox import Outbox
from examples.email_assistant.mail.places import mailbox, postbox
from examples.email_assistant.mail.server import server
from examples.email_assistant.mail.smtp import SmtpPostbox
from tests.examples.conftest import EXAMPLE, OWNER

SECRETS = {"EMAIL_ASSISTANT_IMAP_PASSWORD": "in-secret", "EMAIL_ASSISTANT_SMTP_PASSWORD": "out-secret"}


@pytest.mark.parametrize(
    "address, expected",
    [
        ("imaps://ada@mail.example.org", ("imap", "tls", "mail.example.org", 993, "ada", "INBOX")),
        ("imap://ada@x.example@mx.example.org:1143/Work/Lab", ("imap", "starttls", "mx.example.org", 1143, "ada@x.example", "Work/Lab")),
        ("imaps://a%2Fb@[::1]/%E6%9D%B1", ("imap", "tls", "::1", 993, "a/b", "東")),
        ("smtps://ada@mail.example.org", ("smtp", "tls", "mail.example.org", 465, "ada", "INBOX")),
        ("smtp://mail.example.org", ("smtp", "starttls", "mail.example.org", 587, "", "INBOX")),
        ("smtp+plain://127.0.0.1:2525", ("smtp", "none", "127.0.0.1", 2525, "", "INBOX")),
    ],
)  # fmt: skip
def test_an_address_says_how_to_reach_a_server(address, expected):
    found = server(address, SECRETS)

    assert (found.kind, found.protection, found.host, found.port, found.user, found.folder) == expected
    assert "secret" not in repr(found) + str(found)


def test_the_password_may_be_in_a_file(tmp_path):
    (tmp_path / "password").write_text("from a file\n")

    assert (
        server("imaps://ada@mail.example.org", {"EMAIL_ASSISTANT_IMAP_PASSWORD_FILE": str(tmp_path / "password")}).password == "from a file"
    )


@pytest.mark.parametrize(
    "address, words",
    [
        ("imaps://ada:hunter2@mail.example.org", "must not hold the password"),
        ("imaps://ada:hunter2@mail.example.org:x", "cannot be read"),
        ("pop3://ada@mail.example.org", "no kind of mail server 'pop3'"),
        ("imaps://mail.example.org", "names no user"),
        ("imaps://ada@mail.example.org/INBOX?x=hunter2", "'\\?'"),
        ("imap+plain://ada@mail.example.org", "unencrypted"),
        ("smtp+plain://localhost.example.org", "unencrypted"),
        ("imaps://", "has no host"),
    ],
)
def test_an_address_that_cannot_be_used_is_told_without_its_password(address, words):
    with pytest.raises(OptionError, match=words) as caught:
        server(address, SECRETS)

    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("environment", [{}, {"EMAIL_ASSISTANT_IMAP_PASSWORD_FILE": "/nowhere/password"}])
def test_a_missing_password_is_told_with_the_name_of_its_variable(environment):
    with pytest.raises(OptionError, match="EMAIL_ASSISTANT_IMAP_PASSWORD"):
        server("imaps://ada@mail.example.org", environment)


def test_a_folder_is_a_place_on_files_and_an_address_one_on_a_server(tmp_path):
    assert mailbox(str(tmp_path), {}) == MaildirMailbox(tmp_path)
    assert isinstance(mailbox("imaps://ada@mail.example.org", SECRETS), ImapMailbox)
    assert postbox(str(tmp_path), OWNER, {}, data=tmp_path) == Outbox(tmp_path, OWNER)
    sending = postbox("smtps://ada@mail.example.org", OWNER, SECRETS, data=tmp_path, sent="imaps://ada@mail.example.org/Sent")
    assert isinstance(sending, SmtpPostbox)
    assert isinstance(sending.copies, SentFolder)
    assert sending.spool == tmp_path / "spool"


def test_a_server_of_the_other_kind_is_refused(tmp_path):
    with pytest.raises(OptionError, match="is no IMAP server"):
        mailbox("smtps://ada@mail.example.org", SECRETS)
    with pytest.raises(OptionError, match="is no SMTP server"):
        postbox("imaps://ada@mail.example.org", OWNER, SECRETS, data=tmp_path)


@pytest.fixture
def files(tmp_path):
    for part in ("new", "cur", "tmp"):
        (tmp_path / part).mkdir()
    for number, place in ((1, "new/one"), (2, "new/two"), (3, "cur/three:2,F"), (4, "cur/four:2,S")):
        (tmp_path / place).write_bytes(f"From: ada@example.com\nDate: Mon, 0{number} Mar 2026 10:00:00 +0000\n\nHello".encode())
    return tmp_path


def names(box):
    return [one.file for one in box.unread()]


def test_a_maildir_is_not_changed_unless_that_was_asked_for(files):
    before = sorted(path.name for path in files.rglob("*"))
    box = MaildirMailbox(files)

    box.mark_handled("one")

    assert names(box) == ["one", "two", "three", "four"]
    assert sorted(path.name for path in files.rglob("*")) == before


def test_handled_mail_of_a_maildir_gets_the_flag_and_does_not_come_again(files):
    box = MaildirMailbox(files, mark="S")
    assert names(box) == ["one", "two", "three"]

    for key in ("one", "three", "three", "nowhere", "../cur/four"):
        box.mark_handled(key)

    assert names(box) == ["two"]
    assert sorted(path.name for path in (files / "cur").iterdir()) == ["four:2,S", "one:2,S", "three:2,FS"]


def test_the_key_of_a_mail_stays_when_it_is_marked(files):
    MaildirMailbox(files, mark="S").mark_handled("one")

    assert set(names(MaildirMailbox(files))) == {"one", "two", "three", "four"}


def test_marking_in_a_maildir_that_is_gone_is_told():
    with pytest.raises(MailboxError, match="cannot be marked"):
        MaildirMailbox(EXAMPLE / "no such folder", mark="S").mark_handled("one")
