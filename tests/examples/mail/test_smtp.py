"""The postbox on a server, against a real one."""

from __future__ import annotations

import logging
import os
import ssl
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from email import message_from_bytes
from email.policy import default

import pytest

from examples.email_assistant.errors import MailboxError, OutboxError, ToolError
from examples.email_assistant.mail.errors import (
    ConnectionLostError,
    InDoubtError,
    InsecureServerError,
    LoginRefusedError,
    RecipientRefusedError,
    ServerRefusedError,
    ServerUnreachableError,
)
from examples.email_assistant.mail.imap import SentFolder
from examples.email_assistant.mail.letter import Letter, envelope
from examples.email_assistant.mail.outbox import Outbox
from examples.email_assistant.mail.server import Server
from examples.email_assistant.mail.smtp import SmtpPostbox
from examples.email_assistant.mail.spool import Spool
from tests.examples.conftest import NOW, OWNER
from tests.examples.servers.submission import PASSWORD, USER, submission
from tests.examples.servers.wire import HOST, cut, free_port, scripted, silent

LETTER = Letter("Ada Stern <ada@example.com>", "bob@example.net, Ada <ada@example.com>", "Re: Grüße", "Hello Ada,\n\nja, gern: 東京.\n")


@pytest.fixture
def smtp(certified):
    with submission(certified) as running:
        yield running


@pytest.fixture
def postbox(smtp, tmp_path):
    return SmtpPostbox(smtp.server(), OWNER, tmp_path / "spool")


def send(postbox, letter=LETTER, key="t/1", answers=None):
    return postbox.send(letter, key=key, answers=answers, now=NOW)


def spooled(postbox):
    """Return how many mails lie in each folder of the spool."""
    return tuple(len(list((postbox.spool / place).glob("[nc]*/*.eml*"))) for place in ("outgoing", "in-doubt", "sent"))


UNSENT, DOUBTFUL, SENT = (1, 0, 0), (1, 1, 0), (0, 0, 1)


def test_the_server_gets_the_bytes_that_the_outbox_writes(smtp, postbox, tmp_path, mails):
    answers = mails["04-lab-move-question"]
    written = Outbox(tmp_path / "outbox", OWNER).send(LETTER, key="t/1", answers=answers, now=NOW)

    receipt = send(postbox, answers=answers)

    assert smtp.taken[0].original_content == written.file.read_bytes() == receipt.file.read_bytes()
    assert receipt.message_id == written.message_id


def test_a_sent_reply_continues_the_conversation_and_names_itself_after_its_key(smtp, postbox, mails):
    receipt = send(postbox, answers=mails["04-lab-move-question"])

    message = message_from_bytes(smtp.taken[0].original_content, policy=default)
    assert message["In-Reply-To"] == "<move-7@example.org>"
    assert message["References"].split()[-1] == "<move-7@example.org>"
    assert message["Message-ID"] == receipt.message_id
    assert message["Cc"].addresses[0].addr_spec == "bob@example.net"


def test_everybody_in_to_and_cc_gets_the_mail_once(smtp, postbox):
    send(postbox)

    assert (smtp.taken[0].mail_from, smtp.taken[0].rcpt_tos) == (OWNER.address, ["ada@example.com", "bob@example.net"])


@pytest.mark.parametrize(
    "to",
    [
        '"eve@example.net" <ada@example.com>',
        '"Stern, Ada <eve@example.net>" <ada@example.com>',
        "Ada (eve@example.net) <ada@example.com>",
        "Team: ada@example.com;",
    ],
)
def test_a_name_that_looks_like_an_address_gets_no_mail(smtp, postbox, to):
    send(postbox, replace(LETTER, to=to, cc=""))

    assert smtp.taken[0].rcpt_tos == ["ada@example.com"]


def test_a_line_with_dots_only_does_not_end_the_mail(smtp, postbox):
    body = "one\n.\nMAIL FROM:<eve@example.net>\r\n.\r\n..\r.\rend\n"

    send(postbox, replace(LETTER, content=body))

    assert len(smtp.taken) == 1
    assert message_from_bytes(smtp.taken[0].original_content, policy=default).get_content().split() == body.split()


def test_a_sent_mail_is_kept_and_never_sent_again(smtp, postbox):
    first = send(postbox)

    second = send(postbox, replace(LETTER, content="Something else"))

    assert second == first
    assert len(smtp.taken) == 1
    assert spooled(postbox) == SENT


def test_other_keys_are_other_mail(smtp, postbox):
    identities = {send(postbox, key=key).message_id for key in ("t/1", "t/2", "u/1")}

    assert len(identities) == len(smtp.taken) == 3


def test_a_sent_mail_that_a_mail_program_has_moved_is_not_sent_again(smtp, postbox):
    file = send(postbox).file
    moved = file.rename(postbox.spool / "sent" / "cur" / f"{file.name}:2,S")

    assert send(postbox).file == moved
    assert len(smtp.taken) == 1


@pytest.mark.parametrize("protection", ["tls", "starttls"])
def test_mail_goes_over_an_encrypted_connection_after_a_login(certified, tmp_path, protection, caplog):
    caplog.set_level(logging.DEBUG)
    with submission(certified, protection=protection, asks=True) as smtp:
        send(SmtpPostbox(smtp.server(USER, PASSWORD), OWNER, tmp_path))

    assert len(smtp.taken) == 1
    assert PASSWORD not in caplog.text


@pytest.mark.parametrize("password", ["not-the-one", "nicht-das-ß"])
def test_a_wrong_password_is_told_shown_nowhere_and_nothing_is_sent(certified, tmp_path, password):
    with submission(certified, protection="starttls", asks=True) as smtp:
        postbox = SmtpPostbox(smtp.server(USER, password), OWNER, tmp_path)
        with pytest.raises(LoginRefusedError, match="does not let mara in") as caught:
            send(postbox)

    assert password not in str(caught.value) + repr(postbox)
    assert smtp.taken == []
    assert spooled(postbox) == UNSENT


def test_after_a_login_that_failed_the_mail_is_sent_with_the_right_password(certified, tmp_path):
    with submission(certified, protection="starttls", asks=True) as smtp:
        with pytest.raises(LoginRefusedError):
            send(SmtpPostbox(smtp.server(USER, "not-the-one"), OWNER, tmp_path))

        send(SmtpPostbox(smtp.server(USER, PASSWORD), OWNER, tmp_path))

    assert len(smtp.taken) == 1


@pytest.mark.parametrize("protection", ["tls", "starttls"])
def test_a_certificate_nobody_vouches_for_is_refused(certified, tmp_path, protection):
    with submission(certified, protection=protection, asks=True) as smtp:
        server = replace(smtp.server(USER, PASSWORD), trust=ssl.create_default_context())
        with pytest.raises(InsecureServerError, match="certificate verify failed"):
            send(SmtpPostbox(server, OWNER, tmp_path))

    assert smtp.logins == []


def test_a_server_without_encryption_gets_no_password(smtp, tmp_path):
    server = replace(smtp.server(USER, PASSWORD), protection="starttls")

    with pytest.raises(InsecureServerError, match="offers no encryption"):
        send(SmtpPostbox(server, OWNER, tmp_path))
    assert smtp.logins == []


@pytest.mark.parametrize("answer, hint", [("550 no such user", "Correct the address"), ("451 try again", "Run it again later")])
def test_when_one_recipient_is_refused_nobody_gets_the_mail(smtp, postbox, answer, hint):
    smtp.manner.recipients["bob@example.net"] = answer

    with pytest.raises(RecipientRefusedError, match=r"does not take mail for bob@example\.net") as caught:
        send(postbox)

    assert hint in str(caught.value)
    assert smtp.taken == []
    assert spooled(postbox) == UNSENT


def test_a_refused_sender_is_told(smtp, postbox):
    smtp.manner.sender = "553 who are you"

    with pytest.raises(ServerRefusedError, match="refuses the sender: 553 who are you"):
        send(postbox)
    assert spooled(postbox) == UNSENT


@pytest.mark.parametrize("answer, words", [("554 looks like spam", "Ask who runs the server"), ("452 disk full", "may work later")])
def test_a_mail_that_is_refused_at_its_end_was_not_sent_and_can_be_sent_later(smtp, postbox, answer, words):
    smtp.manner.end = answer
    with pytest.raises(ServerRefusedError, match=words):
        send(postbox)
    assert spooled(postbox) == UNSENT

    smtp.manner.end = "250 OK"
    send(postbox)

    assert len(smtp.taken) == 1
    assert spooled(postbox) == SENT


def test_a_mail_that_is_too_large_for_the_server_is_refused(smtp, postbox):
    with pytest.raises(ServerRefusedError, match="552"):
        send(postbox, replace(LETTER, content="x" * 70 + "\n" + "y" * 3_000_000))
    assert spooled(postbox) == UNSENT


def test_a_connection_that_breaks_after_the_mail_leaves_it_in_doubt_and_it_is_never_sent_again(smtp, postbox):
    smtp.manner.end = ""
    with pytest.raises(InDoubtError, match="did not say whether it took it") as caught:
        send(postbox)
    smtp.manner.end = "250 OK"

    for _ in range(3):
        with pytest.raises(InDoubtError, match="Nobody knows whether"):
            send(postbox)

    assert len(smtp.taken) == 1
    assert spooled(postbox) == DOUBTFUL
    (file,) = Spool(postbox.spool).in_doubt()
    assert str(file) in str(caught.value)
    assert file.read_bytes() == smtp.taken[0].original_content


def test_a_mail_in_doubt_is_not_even_brought_to_the_server(smtp, postbox):
    smtp.manner.end = ""
    with pytest.raises(InDoubtError):
        send(postbox)

    with pytest.raises(InDoubtError):
        send(replace(postbox, server=replace(postbox.server, port=free_port())))


def test_a_doubt_settled_as_sent_is_a_sent_mail(smtp, postbox):
    smtp.manner.end = ""
    with pytest.raises(InDoubtError):
        send(postbox)
    (file,) = Spool(postbox.spool).in_doubt()
    (postbox.spool / "sent" / "new").mkdir(parents=True, exist_ok=True)
    file.rename(postbox.spool / "sent" / "new" / file.name)

    assert send(postbox).file.parts[-3] == "sent"
    assert len(smtp.taken) == 1


def test_a_doubt_settled_as_not_sent_is_sent_again(smtp, postbox):
    smtp.manner.end = ""
    with pytest.raises(InDoubtError):
        send(postbox)
    smtp.manner.end = "250 OK"
    Spool(postbox.spool).in_doubt()[0].unlink()

    send(postbox)

    assert [one.original_content for one in smtp.taken] == [smtp.taken[0].original_content] * 2
    assert spooled(postbox) == SENT


def test_an_answer_that_is_none_leaves_the_mail_in_doubt(tmp_path):
    lines = (b"220 hello", b"250 here", b"250 OK", b"250 OK", b"250 OK", b"354 go on")
    with scripted(*lines, *[b""] * 3) as port, pytest.raises(InDoubtError):
        send(SmtpPostbox(Server("smtp", "none", HOST, port, timeout=2), OWNER, tmp_path))


def test_a_connection_lost_before_the_end_of_the_mail_has_sent_nothing(smtp, postbox):
    outcomes = []
    for after in range(0, 420, 20):
        with cut(smtp.port, after=after) as port:
            broken = replace(postbox, server=replace(postbox.server, port=port))
            try:
                send(broken, key=f"t/{after}")
                outcomes.append("sent")
            except (ServerUnreachableError, ConnectionLostError):
                outcomes.append("unsent")
            except InDoubtError:
                outcomes.append("in doubt")

    places = spooled(postbox)
    assert outcomes.count("sent") == places[2] > 0
    assert outcomes.count("unsent") > 5
    assert outcomes.count("in doubt") == places[1]
    assert outcomes.count("sent") <= len(smtp.taken) <= outcomes.count("sent") + outcomes.count("in doubt")


def test_of_two_processes_that_send_the_same_mail_one_sends_it(smtp, postbox):
    results = []

    def meanwhile():
        smtp.manner.before_end = lambda: None
        with pytest.raises(InDoubtError, match="another process"):
            Spool(postbox.spool).claim(next((postbox.spool / "outgoing" / "new").iterdir()).stem)
        results.append("the second was refused")

    smtp.manner.before_end = meanwhile

    send(postbox)

    assert results == ["the second was refused"]
    assert len(smtp.taken) == 1


def test_a_mail_another_process_sent_since_the_first_look_is_not_sent(smtp, postbox, monkeypatch):
    first = send(postbox)
    real = Spool.sent
    looks = iter([None])
    monkeypatch.setattr(Spool, "sent", lambda spool, name: next(looks, real(spool, name)))

    assert send(postbox) == first
    assert len(smtp.taken) == 1
    assert spooled(postbox) == SENT


KILLED = """
import os, sys
from pathlib import Path
from examples.email_assistant.mail import spool
from examples.email_assistant.mail.letter import Letter
from examples.email_assistant.mail.server import Server
from examples.email_assistant.mail.smtp import SmtpPostbox
from tests.examples.conftest import NOW, OWNER

port, folder, moment = int(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
calls = 0
def counted(function):
    def call(*args, **kwargs):
        global calls
        calls += 1
        if calls == moment:
            os.kill(os.getpid(), 9)
        return function(*args, **kwargs)
    return call
for name in ("link", "fsync", "unlink"):
    setattr(os, name, counted(getattr(os, name)))
box = SmtpPostbox(Server("smtp", "none", "127.0.0.1", port, timeout=10), OWNER, folder)
box.send(Letter(f"to-{moment}@example.com", "", "Hi", "Hello"), key="t/1", answers=None, now=NOW)
"""
LAST_MOMENT = 13


def test_a_process_killed_at_any_moment_never_leads_to_a_second_mail(smtp, tmp_path):
    moments = range(1, LAST_MOMENT + 1)
    arguments = {moment: [sys.executable, "-c", KILLED, str(smtp.port), str(tmp_path / str(moment)), str(moment)] for moment in moments}
    children = {moment: subprocess.Popen(words) for moment, words in arguments.items()}
    codes = [child.wait(timeout=60) for child in children.values()]
    before = [person for one in smtp.taken for person in one.rcpt_tos]
    ends = [after_a_kill(smtp, tmp_path / str(moment), f"to-{moment}@example.com") for moment in moments]

    assert (codes[0], codes[-1]) == (-9, 0), "the moments have to reach from the first to behind the last"
    assert set(ends) == {"sent", "in doubt"}
    assert set(before) < {f"to-{moment}@example.com" for moment in moments}
    assert max(Counter(person for one in smtp.taken for person in one.rcpt_tos).values()) == 1


def after_a_kill(smtp, folder, to):
    try:
        send(SmtpPostbox(smtp.server(), OWNER, folder), Letter(to, "", "Hi", "Hello"))
    except InDoubtError:
        return "in doubt"
    assert to in [person for one in smtp.taken for person in one.rcpt_tos]
    return "sent"


def test_a_disk_that_refuses_before_the_mail_is_handed_over_sends_nothing(smtp, postbox, monkeypatch):
    def refuse(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", refuse)

    with pytest.raises(OutboxError, match="No space left on device"):
        send(postbox)
    assert smtp.taken == []


def test_a_disk_that_refuses_after_the_mail_was_sent_leaves_it_in_doubt(smtp, postbox, monkeypatch):
    def refuse(*_):
        raise OSError(28, "No space left on device")

    smtp.manner.before_end = lambda: monkeypatch.setattr(os, "link", refuse)
    with pytest.raises(OutboxError, match="No space left on device"):
        send(postbox)
    monkeypatch.undo()

    with pytest.raises(InDoubtError):
        send(postbox)
    assert len(smtp.taken) == 1


@pytest.mark.parametrize(
    "to",
    [
        "",
        "nobody",
        "jürgen@example.com",
        "ada@bücher.example",
        "ada@example.com\nBcc: eve@example.net",
        "=?utf-8?q?eve=40example=2Enet=2C?= <ada@example.com>",
    ],
)
def test_what_is_no_address_is_refused_before_anything_is_written_or_sent(smtp, postbox, to):
    with pytest.raises(ToolError):
        send(postbox, replace(LETTER, to=to))

    assert smtp.taken == []
    assert not postbox.spool.exists()


def test_a_server_that_is_not_there_is_told_and_the_mail_is_kept(postbox):
    absent = replace(postbox, server=replace(postbox.server, port=free_port()))

    with pytest.raises(ServerUnreachableError, match="cannot be reached"):
        send(absent)
    assert spooled(absent) == UNSENT


def test_a_server_that_says_nothing_is_told_after_the_timeout(tmp_path):
    with silent() as port, pytest.raises(ServerUnreachableError, match="timed out"):
        send(SmtpPostbox(Server("smtp", "none", HOST, port, timeout=0.2), OWNER, tmp_path))


def test_a_copy_goes_into_the_sent_folder_of_the_account(smtp, postbox, imap_server, user):
    imap_server.deliver(user, folder="Sent")
    keeping = replace(postbox, copies=SentFolder(imap_server.server(user, folder="Sent")))

    receipt = send(keeping)

    assert receipt.warning == ""
    assert imap_server.flags(user, "Sent") == [r"\Seen"]


def test_a_copy_that_cannot_be_kept_is_told_and_the_mail_counts_as_sent(smtp, postbox):
    class Full:
        def keep(self, content):
            raise MailboxError("The folder is full.", hint="Empty it.")

    receipt = send(replace(postbox, copies=Full()))

    assert "no copy could be kept: The folder is full. Empty it." in receipt.warning
    assert spooled(postbox) == SENT
    assert send(postbox) == replace(receipt, warning="")
    assert len(smtp.taken) == 1


def test_the_envelope_names_each_address_once():
    content = b"From: Mara <mara@example.org>\r\nTo: a@example.com, B <b@example.com>\r\nCc: a@example.com, c@example.com\r\n\r\n"

    assert envelope(content) == ("mara@example.org", ["a@example.com", "b@example.com", "c@example.com"])
