"""What the tests of the evaluation share: a case to work on, mails, and a subject that follows a script."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from examples.email_assistant.evaluation import Case, Expected, Progress, Trajectory, shipped, work_through
from examples.email_assistant.evaluation.desk import OWNER, ZONE, Subject
from examples.email_assistant.mail.message import parse
from examples.email_assistant.rules.model import RuleModel


@dataclass(frozen=True)
class Sorts:
    """The built-in rules as a subject that only sorts."""

    subject: Subject

    @property
    def name(self) -> str:
        return self.subject.name

    def triage(self, mail, now):
        return self.subject.triage(mail, now)


@pytest.fixture(scope="session")
def corpus() -> tuple[Case, ...]:
    return shipped()


@pytest.fixture(scope="session")
def rules() -> Sorts:
    return Sorts(Subject(RuleModel(OWNER, ZONE)))


def letter(body="Hello Ada,\n\nyes.\n", **headers):
    """Return a mail that goes out, an answer to the mail of `case_of`."""
    usual = {
        "From": "Mara Lindqvist <mara.lindqvist@example.org>",
        "To": "Ada Stern <ada@example.com>",
        "Subject": "Re: Pump",
        "In-Reply-To": "<pump-1@example.com>",
        "References": "<pump-0@example.org> <pump-1@example.com>",
        "Content-Type": 'text/plain; charset="utf-8"',
    }
    given = usual | {name.replace("_", "-"): value for name, value in headers.items()}
    return parse("\n".join([*(f"{name}: {value}" for name, value in given.items() if value), "", body]).encode(), file="sent.eml")


def case_of(*, expected=Expected(), **changes) -> Case:  # noqa: B008  (frozen)
    """Return a case about a pump."""
    text = (
        "From: Ada Stern <ada@example.com>\nTo: mara.lindqvist@example.org\nCc: Ben <ben@example.com>\nSubject: Pump\n"
        "Message-ID: <pump-1@example.com>\nReferences: <pump-0@example.org>\n\nMara, which pump is it?\n"
    )
    case = Case(
        id="pump",
        half="dev",
        mail=parse(text.encode(), file="pump.eml"),
        now=datetime(2026, 3, 12, 9, tzinfo=ZoneInfo("Europe/Berlin")),
        owner=OWNER.address,
        label="respond",
        why="a question",
        language="en",
        kinds=("question",),
        knows="",
        instruction="",
        expected=expected,
    )
    return replace(case, **changes)


@dataclass(frozen=True)
class Said:
    label: str
    reasons: tuple[str, ...] = ()


@dataclass
class Scripted:
    """A subject, and a desk, that give what is written down and remember what they were told."""

    stops: list[Progress]
    label: str = "respond"
    name: str = "scripted"
    answers: list = field(default_factory=list)

    def triage(self, mail, now):
        return Said(self.label, ("it is written down",))

    def run(self, case) -> Trajectory:
        return work_through(case, Scripted(list(self.stops), answers=self.answers))

    def begin(self, case):
        return self.stops.pop(0)

    def answer(self, question, answer):
        self.answers.append(answer)
        return self.stops.pop(0)
