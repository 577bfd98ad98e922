"""What goes wrong outside, as the command tells it: keys, models, mail, calendars, answers. Nothing is lost, nothing is sent."""

from __future__ import annotations

import json

import pytest

from examples.email_assistant.cli import main
from examples.email_assistant.mail.message import parse
from examples.email_assistant.rules.model import RuleModel
from graphkit.testing import Failure, ModelServer, Reply
from tests.examples.conftest import BERLIN, OWNER
from tests.examples.models.brain import Brain
from tests.examples.models.wires import OFFLINE, WIRES, sorted_as, terminal
from tests.examples.test_review import MAIL

RULES = RuleModel(OWNER, BERLIN)
LIMITED = Failure(429, "Slow down.", headers={"retry-after-ms": "1"})
DONE = Reply(tool_calls=[{"name": "done", "args": {}}])
DRAFT = Reply(tool_calls=[{"name": "write_email", "args": MAIL}])
NOTE = "From: Ada Stern <ada@example.com>\nTo: mara.lindqvist@example.org\nSubject: {0}\nMessage-ID: <{0}@example.com>\n{1}\n{2}\n"


@pytest.fixture(params=WIRES)
def wire(request):
    return request.param


@pytest.fixture
def box(tmp_path):
    """A Maildir to put mail into, and the options to work on it."""
    for part in ("new", "cur", "tmp"):
        (tmp_path / "box" / part).mkdir(parents=True)
    return tmp_path / "box"


@pytest.fixture
def command(box, tmp_path, monkeypatch, capsys):
    """Return a function that runs the command and returns exit code, output and complaints; a traceback would fail the test."""

    def run(typed, *arguments, mailbox=box):
        for name in ("ANTHROPIC_API_KEY", "OPENAI_API_KEY"):
            monkeypatch.delenv(name, raising=False)
        for name, value in typed.environment.items():
            monkeypatch.setenv(name, value)
        places = ["--mailbox", str(mailbox), "--data", str(tmp_path / "data"), "--now", "2026-03-12T09:00"]
        code = main([*places, *typed.arguments, *arguments])
        out, err = capsys.readouterr()
        assert "Traceback" not in out + err
        return code, out, err

    return run


def written(tmp_path):
    return sorted([*(tmp_path / "data").rglob("*.eml"), *(tmp_path / "data").rglob("*.ics")])


def put(box, name, body="Could you send me the report?", headers=""):
    (box / "new" / f"{name}.eml").write_bytes(NOTE.format(name, headers, body).encode())


@pytest.mark.parametrize("wire", ["anthropic", "openai"])
def test_an_expired_key_is_told_without_the_key_and_a_new_one_goes_on(wire, box, command, tmp_path):
    put(box, "one")

    with ModelServer(lambda received: sorted_as("notify", received), api_key="fresh-key") as server:
        code, _, err = command(terminal(wire, server, "expired-key"))
        assert code == 2
        assert f"email_assistant: {wire}:any did not accept the API key (401)" in err
        assert "Check the key" in err
        assert "expired-key" not in err
        assert server.requests == []
        again, out, _ = command(terminal(wire, server, "fresh-key"))

    assert (again, written(tmp_path)) == (0, [])
    assert "1 waiting for you" in out


@pytest.mark.parametrize("name, variable", [("anthropic:any", "ANTHROPIC_API_KEY"), ("openai:any", "OPENAI_API_KEY")])
def test_a_missing_key_is_told_before_anything_is_read(command, name, variable):
    code, out, err = command(terminal(OFFLINE, ModelServer([])), "--model", name)

    assert (code, out) == (2, "")
    assert f"There is no API key for '{name.partition(':')[0]}'. Set the environment variable {variable}" in err


@pytest.mark.parametrize("named", ["nobody:any", "anthropic", "http://127.0.0.1:1/v1", "ftp://x#y"])
def test_a_model_that_there_is_not_is_told(command, named):
    code, _, err = command(terminal(OFFLINE, ModelServer([])), "--model", named)

    assert code == 2
    assert err.startswith(f"email_assistant: --model {named}: ")


def test_a_failure_in_the_middle_of_the_mailbox_keeps_what_was_done_and_goes_on_there(wire, box, command, tmp_path):
    for name in ("a", "b", "c"):
        put(box, name)
    is_down = [True]

    def script(received):
        if is_down[0] and "Subject: b" in received.turns[1].text:
            return Failure(400, "Maintenance.")
        return sorted_as("notify", received)

    with ModelServer(script) as server:
        code, out, err = command(terminal(wire, server))
        assert code == 2
        assert "Maintenance." in err
        assert "a" in out
        asked_before = len(server.requests)
        is_down[0] = False
        again, out, _ = command(terminal(wire, server))

    assert again == 0
    assert "0 finished now, 0 earlier, 3 waiting for you" in out
    # Mail a was sorted already.
    assert (asked_before, len(server.requests)) == (2, 4)
    assert written(tmp_path) == []


def test_a_limit_is_waited_for_by_the_command(box, command):
    put(box, "one")
    left = [LIMITED]

    with ModelServer(lambda received: left.pop() if left else sorted_as("notify", received)) as server:
        code, out, _ = command(terminal("openai-compatible", server))

    assert (code, len(server.requests)) == (0, 2)
    assert "1 waiting for you" in out


def test_mail_that_a_model_left_is_told_on_the_terminal(wire, box, command, tmp_path):
    put(box, "one")

    with ModelServer(lambda received: sorted_as("respond", received) if len(server.requests) == 1 else Reply("Sent!")) as server:
        code, out, _ = command(terminal(wire, server))

    assert code == 0
    assert "left to you: the model wrote text and called no tool" in out
    assert written(tmp_path) == []


@pytest.mark.parametrize("way", [OFFLINE, *WIRES])
def test_a_mail_of_ten_megabytes_is_read_as_far_as_is_sensible(way, box, command, tmp_path):
    put(box, "big", "Could you send me the report?\n" + "All work and no play.\n" * 480_000)

    with ModelServer(lambda received: sorted_as("notify", received)) as server:
        code, out, _ = command(terminal(way, server))

    assert (box / "new" / "big.eml").stat().st_size > 10_000_000
    assert code == 1
    assert "big.eml: text of" in out
    assert "1 waiting for you" in out
    assert all(len(json.dumps(received.body)) < 60_000 for received in server.requests)
    assert written(tmp_path) == []


@pytest.mark.parametrize("way", [OFFLINE, *WIRES])
def test_mail_that_cannot_be_read_keeps_no_other_mail_from_being_worked_on(way, box, command, tmp_path):
    put(box, "charset", "Could you come? \udce9".encode("utf-8", "replace").decode(), "Content-Type: text/plain; charset=klingon-8\n")
    put(box, "parts", "--x\nno end", 'Content-Type: multipart/mixed; boundary="x"\n')
    (box / "new" / "noise.eml").write_bytes(bytes(range(256)) * 40)
    (box / "new" / "empty.eml").write_bytes(b"")
    put(box, "good")

    with ModelServer(lambda received: sorted_as("notify", received)) as server:
        code, out, _ = command(terminal(way, server))

    assert code == 1
    assert "unknown charset 'klingon-8'" in out
    assert "'noise.eml' is no mail" in out
    assert "'empty.eml' is no mail" in out
    assert "2 files could not be read" in out
    assert "3 waiting for you" in out
    assert [received.refusal for received in server.requests] == ([] if way == OFFLINE else [None] * 3)
    assert len(list((box / "new").iterdir())) == 5
    assert written(tmp_path) == []


ZONED = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:test
BEGIN:VEVENT
UID:1
DTSTART;TZID={zone}:20260317T090000
DTEND;TZID={zone}:20260317T100000
SUMMARY:Call with New York
END:VEVENT
END:VCALENDAR
"""
MEET = "Hello Mara,\n\ncould we meet on Tuesday 17 March at 14:00 about the valve?\n\nThank you"


@pytest.mark.parametrize("way", [OFFLINE, *WIRES])
def test_time_that_is_taken_in_another_zone_is_not_offered(way, box, command, tmp_path, capsys):
    put(box, "meet", MEET, "Date: Wed, 11 Mar 2026 10:00:00 +0100\n")
    (tmp_path / "own.ics").write_text(ZONED.format(zone="America/New_York").replace("\n", "\r\n"))

    mail = parse((box / "new" / "meet.eml").read_bytes(), file="meet.eml")
    with ModelServer(Brain(RULES, [mail])) as server:
        typed = terminal(way, server)
        code, _, _ = command(typed, "--calendar", str(tmp_path / "own.ics"))
        assert code == 0
        main(["inbox", "--data", str(tmp_path / "data"), "--mailbox", str(box), "--json", *typed.arguments])

    (question,) = json.loads(capsys.readouterr().out)["waiting"]
    # Nine in New York is two in the afternoon in Berlin: the two change their clocks on different days.
    assert question["action"] == "write_email"
    assert "is taken" in question["description"]
    assert "14:" not in question["args"]["content"]
    assert written(tmp_path) == []


def test_a_calendar_with_a_zone_that_there_is_not_is_told_before_any_model_is_asked(wire, box, command, tmp_path):
    put(box, "meet", MEET)
    (tmp_path / "own.ics").write_text(ZONED.format(zone="Mars/Crater").replace("\n", "\r\n"))

    with ModelServer([]) as server:
        code, out, err = command(terminal(wire, server), "--calendar", str(tmp_path / "own.ics"))

    assert (code, out, server.requests) == (2, "", [])
    assert "there is no time zone 'Mars/Crater'" in err


def test_a_missing_mailbox_is_told_before_any_model_is_asked(wire, command, tmp_path):
    with ModelServer([]) as server:
        code, out, err = command(terminal(wire, server), mailbox=tmp_path / "nowhere")

    assert (code, out, server.requests) == (2, "", [])
    assert "nowhere is no Maildir" in err


def test_an_answer_of_the_wrong_form_in_a_file_stops_and_the_question_waits(wire, box, command, tmp_path):
    put(box, "one")
    (tmp_path / "bad.toml").write_text('[[decision]]\ntool = "write_email"\nanswer = "edit"\nargs = { to = "nobody" }\n')
    (tmp_path / "good.toml").write_text('[[decision]]\ntool = "write_email"\nanswer = "accept"\n')
    steps = iter([None, DRAFT, DONE])

    def script(received):
        step = next(steps)
        return sorted_as("respond", received) if step is None else step

    with ModelServer(script) as server:
        code, _, err = command(terminal(wire, server), "--decisions", str(tmp_path / "bad.toml"))
        assert code == 2
        assert "cannot answer write_email" in err
        assert written(tmp_path) == []
        again, _, _ = command(terminal(wire, server), "--decisions", str(tmp_path / "good.toml"))

    assert again == 0
    assert len(written(tmp_path)) == 1
