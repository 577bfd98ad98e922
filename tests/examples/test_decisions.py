"""The file of decisions and the terminal: two ways to answer."""

from __future__ import annotations

from io import StringIO

import pytest
from rich.console import Console

from examples.email_assistant.assistant import Asked
from examples.email_assistant.decisions import load
from examples.email_assistant.errors import DecisionsError, InvalidReplyError
from examples.email_assistant.review import NOTIFY
from examples.email_assistant.terminal import Person
from graphkit.agents import HumanInterrupt
from tests.examples.conftest import EXAMPLE

MAIL = {"to": "ada@example.com", "cc": "", "subject": "Re: Hello", "content": "Hello Ada"}
ALL = {"allow_ignore": True, "allow_respond": True, "allow_edit": True, "allow_accept": True}


@pytest.fixture
def ask(mail_of):
    """Return a function that makes a question."""

    def make(action="write_email", redrafts=0, args=MAIL, config=ALL, **headers):
        request: HumanInterrupt = {"action_request": {"action": action, "args": args}, "config": config, "description": "Shall I?"}
        return Asked(mail_of(**headers), request, redrafts)

    return make


@pytest.fixture
def decisions_of(tmp_path):
    """Return a function that reads decisions from text."""

    def make(text):
        path = tmp_path / "decisions.toml"
        path.write_text(text)
        return load(path)

    return make


@pytest.mark.parametrize(
    "criteria, fits",
    [
        ("", True),
        ('sender = "ADA@"', True),
        ('sender = "stern"', True),
        ('sender = "bob"', False),
        ('subject = "hell"', True),
        ('subject = "pump"', False),
        ('tool = "write_email"', True),
        ('tool = "notify"', False),
        ("redraft = 0", True),
        ("redraft = 1", False),
    ],
)
def test_a_decision_answers_the_questions_it_fits(decisions_of, ask, criteria, fits):
    answer = decisions_of(f'[[decision]]\n{criteria}\nanswer = "accept"\n').answer(ask())

    assert answer == ({"type": "accept", "args": None} if fits else None)


def test_the_first_decision_that_fits_answers(decisions_of, ask):
    decisions = decisions_of('[[decision]]\ntool = "notify"\nanswer = "ignore"\n[[decision]]\nanswer = "response"\ntext = "no"\n')

    assert decisions.answer(ask()) == {"type": "response", "args": "no"}
    assert decisions.answer(ask(action=NOTIFY, args={})) == {"type": "ignore", "args": None}


def test_an_edit_changes_only_what_it_names(decisions_of, ask):
    decisions = decisions_of('[[decision]]\nanswer = "edit"\nargs = { subject = "Other" }\n')

    assert decisions.answer(ask()) == {"type": "edit", "args": MAIL | {"subject": "Other"}}


def test_a_decision_that_is_not_possible_is_told_with_its_place(decisions_of, ask):
    decisions = decisions_of('[[decision]]\nanswer = "accept"\n')

    with pytest.raises(DecisionsError, match=r"Decision 1 of .*decisions.toml cannot answer write_email for 'Hello': No\. .*pending"):
        decisions.refused(ask(), InvalidReplyError("No.", hint="Say something else."))


@pytest.mark.parametrize(
    "text, problem",
    [
        ("[[decision", "is no TOML file"),
        ("[settings]\nx = 1\n", "something else than"),
        ('decision = "accept"\n', "something else than"),
        ("decision = [1]\n", "is no table"),
        ('[[decision]]\nanswer = "accept"\nsubjekt = "x"\n', "unknown key 'subjekt'"),
        ("[[decision]]\nanswer = 1\n", "answer cannot be 1"),
        ('[[decision]]\nanswer = "approve"\n', "no possible answer: 'approve'"),
        ('[[decision]]\nsubject = "x"\n', "no possible answer: None"),
        ('[[decision]]\nanswer = "accept"\ntool = "send"\n', "unknown tool 'send'"),
        ('[[decision]]\nanswer = "response"\n', "responds without words"),
    ],
)
def test_a_file_that_says_something_else_is_refused(decisions_of, text, problem):
    with pytest.raises(DecisionsError, match=problem):
        decisions_of(text)


def test_a_file_that_is_not_there_or_no_text_is_refused(tmp_path):
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")

    with pytest.raises(DecisionsError, match="cannot be read"):
        load(tmp_path / "missing")
    with pytest.raises(DecisionsError, match="is no TOML file"):
        load(tmp_path / "binary")


def test_the_decisions_of_the_demo_are_read():
    assert len(load(EXAMPLE / "demo.toml").decisions) > 10


def type_in(monkeypatch, *lines):
    """Return a person who types these lines, and what they see."""
    screen = StringIO()
    console = Console(file=screen, width=100)
    typed = iter(lines)
    monkeypatch.setattr("builtins.input", lambda *_: next(typed))
    return Person(console), screen


def test_at_the_terminal_the_question_is_shown_and_the_answer_taken(monkeypatch, ask):
    person, screen = type_in(monkeypatch, "accept")

    assert person.answer(ask()) == {"type": "accept", "args": None}
    assert "Approve: write_email" in screen.getvalue()
    assert "Shall I?" in screen.getvalue()


def test_a_mail_cannot_give_commands_to_the_terminal(monkeypatch, ask):
    person, screen = type_in(monkeypatch, "")
    asked = ask()
    asked.request["description"] = "Pay \x1b[2J\x1b[H\x9b1mnothing\u202e to eve\r!"

    person.answer(asked)

    assert "Pay \ufffd[2J\ufffd[H\ufffd1mnothing\ufffd to eve\ufffd!" in screen.getvalue()
    assert "\x1b" not in screen.getvalue()


def test_at_the_terminal_an_empty_line_decides_later(monkeypatch, ask):
    person, _ = type_in(monkeypatch, "")

    assert person.answer(ask()) is None


def test_at_the_terminal_only_possible_answers_are_offered(monkeypatch, ask):
    person, screen = type_in(monkeypatch, "accept", "ignore")

    assert person.answer(ask(action=NOTIFY, args={}, config=ALL | {"allow_accept": False, "allow_edit": False})) == {
        "type": "ignore",
        "args": None,
    }
    assert "[response/ignore/later]" in screen.getvalue()


def test_at_the_terminal_words_may_have_several_lines(monkeypatch, ask):
    person, _ = type_in(monkeypatch, "response", "one", "", "two", ".")

    assert person.answer(ask()) == {"type": "response", "args": "one\n\ntwo"}


def test_at_the_terminal_an_empty_line_keeps_an_argument(monkeypatch, ask):
    person, _ = type_in(monkeypatch, "edit", "", "", "Other", "")

    assert person.answer(ask()) == {"type": "edit", "args": MAIL | {"subject": "Other"}}


def test_at_the_terminal_a_list_stays_a_list_and_a_number_a_number(monkeypatch, ask):
    person, _ = type_in(monkeypatch, "edit", "ada@example.com, bob@example.com", "45")

    answer = person.answer(ask(args={"attendees": ["ada@example.com"], "duration_minutes": 30}))

    assert answer["args"] == {"attendees": ["ada@example.com", "bob@example.com"], "duration_minutes": 45}


def test_at_the_terminal_an_answer_that_was_not_taken_is_told(monkeypatch, ask):
    person, screen = type_in(monkeypatch)

    person.refused(ask(), InvalidReplyError("'nobody' is no list of mail addresses.", hint="Correct it."))

    assert "is no list of mail addresses" in screen.getvalue()
