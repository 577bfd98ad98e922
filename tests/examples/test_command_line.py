"""The assistant as its user meets it: the command, its output, its files, its exit codes."""

from __future__ import annotations

import shutil
import subprocess
import sys
from email import message_from_bytes
from email.policy import default
from email.utils import getaddresses, parsedate_to_datetime
from pathlib import Path

import pytest
from icalendar import Calendar

from examples.email_assistant.cli import main
from examples.email_assistant.mail import maildir
from examples.email_assistant.mail.message import Mail
from tests.examples.conftest import EXAMPLE

ROOT = EXAMPLE.parents[1]
DEMO = ["--decisions", str(EXAMPLE / "demo.toml")]


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own, with nobody at the terminal."""
    command = [sys.executable, "-m", "examples.email_assistant", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60, check=False)


@pytest.fixture(scope="module")
def demo(tmp_path_factory) -> tuple[Path, str]:
    """The folder and the output of one run of the demo."""
    data = tmp_path_factory.mktemp("demo")
    finished = run("--data", data, *DEMO)
    assert (finished.returncode, finished.stderr) == (0, "")
    return data, finished.stdout


@pytest.fixture
def mailbox(tmp_path):
    """A Maildir to put mail into."""
    for part in ("new", "cur", "tmp"):
        (tmp_path / "box" / part).mkdir(parents=True)
    return tmp_path / "box"


def files(data: Path) -> dict[str, bytes]:
    return {str(path.relative_to(data)): path.read_bytes() for path in sorted(data.rglob("*.*")) if path.suffix in {".eml", ".ics"}}


def originals() -> dict[str, Mail]:
    return {one.message_id: one for one in maildir.read(EXAMPLE / "mailbox") if isinstance(one, Mail)}


def test_the_demo_tells_what_was_sorted_asked_decided_and_written(demo):
    data, output = demo

    assert "rules-v1 (no AI)" in output
    assert "respond   Jonas Weber: Firmware on the test rig" in output
    assert "asked     schedule_meeting   -> edit" in output
    assert "shown                        -> waits for you" in output
    assert "32 mails: 14 respond, 12 notify, 5 ignore" in output
    assert "29 finished now, 0 earlier, 2 waiting for you" in output
    assert f"Mail to send: 13 in {data / 'outbox'}" in output
    assert f"Meetings:     4 in {data / 'meetings'}" in output


def test_every_mail_of_the_demo_is_valid_and_answers_a_mail_of_the_mailbox(demo):
    known = originals()
    paths = sorted((demo[0] / "outbox" / "new").iterdir())

    for path in paths:
        message = message_from_bytes(path.read_bytes(), policy=default)
        original = known[message["In-Reply-To"]]
        assert not message.defects
        assert not [name for name, value in message.items() if getattr(value, "defects", ())]
        assert parsedate_to_datetime(message["Date"]).tzinfo is not None
        assert message["Message-ID"].startswith("<")
        assert message["From"].addresses[0].addr_spec == "mara.lindqvist@example.org"
        assert [address for _, address in getaddresses([message["To"]])] == [original.reply_to.address]
        assert message["References"].split() == [*original.references, original.message_id]
        assert message["Subject"].lower() == "re: " + original.subject.lower().removeprefix("re: ")
        assert message.get_content().strip()
    assert len(paths) == len({path.name for path in paths}) == 13


def test_every_meeting_of_the_demo_is_valid(demo):
    for path in (demo[0] / "meetings").glob("*.ics"):
        calendar = Calendar.from_ical(path.read_bytes())
        (event,) = calendar.events
        assert calendar["METHOD"] == "REQUEST"
        assert not event.errors
        assert event["UID"]
        assert event.end > event.start


def test_the_demo_leaves_no_unfinished_files(demo):
    assert list((demo[0] / "outbox" / "tmp").iterdir()) == []
    assert list((demo[0] / "meetings" / "unfinished").iterdir()) == []


def test_nothing_is_written_for_an_injection_or_an_ignored_question(demo):
    answered = {
        message_from_bytes(content, policy=default)["In-Reply-To"] for name, content in files(demo[0]).items() if name.endswith(".eml")
    }

    assert not answered & {
        "<mig-001@example.net>",
        "<price-2026-3@supplier.example.com>",
        "<short-9921@example.com>",
        "<handbook-ch3@example.org>",
    }


def test_a_second_run_does_nothing_twice(demo):
    before = files(demo[0])

    finished = run("--data", demo[0], *DEMO)

    assert finished.returncode == 0
    assert "0 finished now, 29 earlier, 2 waiting for you" in finished.stdout
    assert files(demo[0]) == before


def test_what_one_process_asked_another_process_answers(tmp_path):
    asking = run("--data", tmp_path)
    assert "26 waiting for you" in asking.stdout
    assert files(tmp_path) == {}

    answering = run("--data", tmp_path, *DEMO)

    assert "24 finished now, 5 earlier, 2 waiting for you" in answering.stdout
    assert len(files(tmp_path)) == 17


def test_two_processes_on_one_mailbox_write_nothing_twice(tmp_path, demo):
    command = [sys.executable, "-m", "examples.email_assistant", "--data", str(tmp_path), *DEMO]
    both = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    complaints = [process.communicate(timeout=60)[1] for process in both]

    finished = run("--data", tmp_path, *DEMO)

    assert {process.returncode for process in both} <= {0, 2}
    assert all(process.returncode == 0 or "email_assistant: " in told for process, told in zip(both, complaints, strict=True))
    assert all("Traceback" not in told for told in complaints)
    assert finished.returncode == 0
    assert files(tmp_path) == files(demo[0])


def test_reset_forgets_and_deletes_only_what_the_assistant_wrote(tmp_path, capsys):
    (tmp_path / "mine.txt").write_text("keep")
    main(["--data", str(tmp_path), *DEMO])
    before = files(tmp_path)

    assert main(["--data", str(tmp_path), "--reset", *DEMO]) == 0

    assert "29 finished now, 0 earlier" in capsys.readouterr().out
    assert files(tmp_path) == before
    assert (tmp_path / "mine.txt").read_text() == "keep"


def test_another_mail_with_a_known_message_id_is_not_lost(mailbox, tmp_path, capsys):
    first = "From: ada@example.com\nTo: mara.lindqvist@example.org\nMessage-ID: <same@example.com>\nSubject: {}\n\nPlease confirm {}.\n"
    (mailbox / "new" / "a").write_text(first.format("One", "one"))
    options = ["--mailbox", str(mailbox), "--data", str(tmp_path / "data"), "--now", "2026-03-12T09:00"]
    main(options)
    (mailbox / "new" / "0-comes-later").write_text(first.format("Two", "two"))
    (mailbox / "new" / "b").write_text(first.format("One", "one"))
    capsys.readouterr()

    main(options)

    output = capsys.readouterr().out
    assert "2 waiting for you" in output
    assert "1 of them came twice" in output


def test_a_file_that_is_no_mail_is_told_and_the_others_are_worked_on(mailbox, tmp_path, capsys):
    shutil.copy(EXAMPLE / "mailbox" / "new" / "01-firmware-question.eml", mailbox / "new" / "good.eml")
    (mailbox / "new" / "broken.eml").write_bytes(b"\x00\x01")

    assert main(["--mailbox", str(mailbox), "--data", str(tmp_path / "data")]) == 1

    output = capsys.readouterr().out
    assert "unreadable" in output
    assert "'broken.eml' is no mail: it has no sender." in output
    assert "1 files could not be read" in output
    assert "1 waiting for you" in output
    assert (mailbox / "new" / "broken.eml").exists()


def test_a_mail_with_an_unknown_charset_is_shown_and_told(mailbox, tmp_path, capsys):
    (mailbox / "new" / "odd.eml").write_bytes(
        b"From: ada@example.com\nTo: mara.lindqvist@example.org\nContent-Type: text/plain; charset=klingon-8\n\nCould you come?\n"
    )

    assert main(["--mailbox", str(mailbox), "--data", str(tmp_path / "data")]) == 1

    output = capsys.readouterr().out
    assert "odd.eml: unknown charset 'klingon-8'" in output
    assert "1 waiting for you" in output


@pytest.mark.parametrize(
    "arguments, problem",
    [
        (["--mailbox", "missing"], "missing is no Maildir"),
        (["--decisions", "missing.toml"], "The decisions file missing.toml cannot be read"),
        (["--decisions", "broken.toml"], "broken.toml is no TOML file"),
        (["--calendar", "missing.ics"], "The calendar missing.ics cannot be read"),
        (["--calendar", "broken.toml"], "broken.toml is no iCalendar file"),
        (["--owner", "nobody"], "--owner 'nobody' is no mail address"),
        (["--timezone", "Mars/Crater"], "There is no time zone 'Mars/Crater'"),
        (["--now", "soon"], "--now 'soon' is no time"),
        (["--data", "broken.toml"], "The folder broken.toml cannot be made"),
    ],
)
def test_an_option_that_cannot_be_used_is_told_before_anything_happens(tmp_path, monkeypatch, capsys, arguments, problem):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "broken.toml").write_text("[[decision")

    assert main(arguments) == 2

    assert f"email_assistant: {problem}" in capsys.readouterr().err
    assert not list(tmp_path.rglob("*.eml"))


def test_a_decision_that_is_not_possible_stops_the_run_and_leaves_the_question_pending(tmp_path, capsys):
    (tmp_path / "bad.toml").write_text('[[decision]]\ntool = "question"\nanswer = "accept"\n')

    assert main(["--data", str(tmp_path / "data"), "--decisions", str(tmp_path / "bad.toml")]) == 2

    assert "Decision 1 of" in capsys.readouterr().err
    assert main(["--data", str(tmp_path / "data"), *DEMO]) == 0
    assert len(files(tmp_path / "data")) == 17


def test_a_database_that_is_none_is_told(tmp_path, capsys):
    (tmp_path / "assistant.db").write_bytes(b"this is no database, and long enough to be taken for one" * 100)

    assert main(["--data", str(tmp_path), *DEMO]) == 2

    assert "email_assistant: " in capsys.readouterr().err
    assert files(tmp_path) == {}


def test_the_keyboard_stops_the_run_without_a_traceback(tmp_path, monkeypatch, capsys):
    def stop(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("examples.email_assistant.mail.maildir.read", stop)

    assert main(["--data", str(tmp_path)]) == 130
    assert "run it again to go on" in capsys.readouterr().err
