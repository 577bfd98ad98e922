"""The inbox for scripts: one JSON document, exit codes, and the plain list where there is no terminal."""

from __future__ import annotations

import argparse
import io
import json

import pytest
from rich.console import Console

from examples.email_assistant.errors import MailboxError
from examples.email_assistant.inbox import command, picture
from examples.email_assistant.inbox.port import Refused
from graphkit.errors import StorageUnavailableError
from tests.examples.inbox.conftest import ARGS, PaperDesk, question

MEETING = "05-probe-walkthrough"


def run(desk, *arguments: str) -> tuple[int, str]:
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    output = io.StringIO()
    code = command.run(parser.parse_args(arguments), desk, Console(file=output, width=40))
    return code, output.getvalue()


def document(desk, *arguments: str) -> tuple[int, dict]:
    code, output = run(desk, *arguments)
    assert output.isascii()
    return code, json.loads(output)


def test_the_list_is_one_document(real_desk):
    code, found = document(real_desk(MEETING), "--json")

    [waiting] = found["waiting"]
    assert (code, found["schema"], found["count"], found["model"]) == (0, "graphkit-inbox/1", 1, "rules-v1 (no AI)")
    assert waiting["allowed"] == ["accept", "edit", "response", "ignore"]
    assert set(waiting) == {
        *("thread", "interrupt_id", "action", "args", "allowed", "subject", "sender", "since", "redrafts", "outsiders", "description")
    }


def test_an_empty_list_is_no_failure():
    assert document(PaperDesk([]), "--json") == (0, {"schema": "graphkit-inbox/1", "model": "rules-v1 (no AI)", "count": 0, "waiting": []})


def test_one_thread_is_shown_with_its_mail_and_what_was_said(real_desk):
    code, found = document(real_desk(MEETING), "--json", "show", MEETING)

    assert code == 0
    assert found["mail"]["from"].startswith("Priya Raman")
    assert found["conversation"][0]["role"] == "assistant"
    assert [one["action"] for one in found["waiting"]] == ["schedule_meeting"]


def test_a_script_accepts_edits_and_answers_until_nothing_waits(real_desk):
    desk = real_desk(MEETING)
    [meeting] = desk.waiting()
    edit = json.dumps({**meeting.args, "duration_minutes": 45})

    first, edited = document(desk, "answer", MEETING, meeting.interrupt_id, "--type", "edit", "--args", edit)
    mail = edited["following"][0]["interrupt_id"]
    second, accepted = document(desk, "--json", "answer", MEETING, mail, "--type", "accept")

    assert (first, second) == (0, 0)
    assert edited["files"][0].endswith(".ics")
    assert accepted["files"][0].endswith(".eml")
    assert document(desk, "--json")[1]["count"] == 0


def test_arguments_come_from_standard_input_too(monkeypatch):
    desk = PaperDesk([question(1)])
    monkeypatch.setattr("sys.stdin", io.StringIO('"Shorter, please."'))

    assert document(desk, "answer", "thread-1", "ask-1", "--type", "response", "--args", "-")[0] == 0
    assert desk.given[0][2] == {"type": "response", "args": "Shorter, please."}


@pytest.mark.parametrize("args", [ARGS, {"action": "write_email", "args": ARGS}])
def test_an_edit_is_taken_with_and_without_its_action(args):
    desk = PaperDesk([question(1)])

    document(desk, "answer", "thread-1", "ask-1", "--type", "edit", "--args", json.dumps(args))

    assert desk.given[0][2] == {"type": "edit", "args": {"action": "write_email", "args": ARGS}}


@pytest.mark.parametrize(
    "kind, args, message",
    [
        ("edit", "{", "--args cannot be read"),
        ("edit", "[]", "Arguments are an object"),
        ("response", "{}", "A response needs words."),
        ("accept", '"yes"', "accept carries no arguments."),
    ],
)
def test_arguments_that_cannot_be_read_are_told_and_nothing_is_given(kind, args, message):
    desk = PaperDesk([question(1)])

    code, found = document(desk, "answer", "thread-1", "ask-1", "--type", kind, "--args", args)

    assert code == 2
    assert found["error"]["message"].startswith(message)
    assert set(found["error"]) == {"code", "message", "hint", "is_pending"}
    assert desk.given == []


def test_a_refused_answer_ends_with_one(real_desk):
    desk = real_desk(MEETING)
    [meeting] = desk.waiting()
    document(desk, "answer", MEETING, meeting.interrupt_id, "--type", "accept")

    code, found = document(desk, "answer", MEETING, meeting.interrupt_id, "--type", "accept")

    assert (code, found["error"]["code"], found["error"]["is_pending"]) == (1, "interrupt-already-answered", False)


def test_an_unknown_thread_ends_with_one(real_desk):
    code, found = document(real_desk(), "show", "nobody")

    assert (code, found["error"]["code"]) == (1, "thread-not-found")


@pytest.mark.parametrize(
    "trouble, kind",
    [(StorageUnavailableError("Gone.", hint="Bring it back."), "storage-unavailable"), (MailboxError("Gone.", hint="Back."), "mailbox")],
)
def test_a_state_that_cannot_be_reached_ends_with_two(trouble, kind):
    code, found = document(PaperDesk([], trouble=trouble), "--json")

    assert (code, found["error"]["code"], found["error"]["message"]) == (2, kind, "Gone.")


@pytest.mark.parametrize(
    "arguments",
    [["answer", "t", "i"], ["answer", "t", "i", "--type", "maybe"], ["--undo", "-1"], ["--poll", "soon"], ["--undo", "nan"], ["dance"]],
)
def test_wrong_options_end_with_two(arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        run(PaperDesk([]), *arguments)

    assert ended.value.code == 2
    assert "usage:" in capsys.readouterr().err


def test_where_there_is_no_terminal_a_plain_inert_list_is_printed():
    desk = PaperDesk([question(1, subject="[red]\x1b[2J", outsiders=("x@evil.example",)), question(2)])

    code, output = run(desk)

    assert code == 0
    assert output.splitlines()[0].startswith("! 2026-")
    assert "[red]␛[2J  thread-1" in output
    assert "2 waiting for you" in output


def test_a_refusal_says_whether_the_question_still_waits():
    desk = PaperDesk([question(1)], results=[Refused("thread-busy", "Busy.", "Later.", is_pending=True)])

    code, found = document(desk, "answer", "thread-1", "ask-1", "--type", "accept")

    assert code == 1
    assert found["error"] == {"code": "thread-busy", "message": "Busy.", "hint": "Later.", "is_pending": True}


def test_the_picture_of_the_readme_is_the_same_each_time_and_loads_nothing(tmp_path):
    for name in ("one.svg", "two.svg"):
        picture.main([str(tmp_path / name)])
    drawn = (tmp_path / "one.svg").read_text()

    assert drawn == (tmp_path / "two.svg").read_text()
    assert "url(http" not in drawn
    assert "waiting" in drawn.replace("&#160;", " ")
