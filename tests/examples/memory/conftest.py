"""What the tests of learned preferences share: a mail, answers to calls about it, stores."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from checkpointers.sqlite import SqliteStore
from examples.email_assistant.mail.message import Mail, parse
from examples.email_assistant.memory import Memory, Preference, Preferences, Source, lessons, lessons_of_notice
from graphkit.agents import Verdict
from graphkit.messages import ToolCall
from graphkit.storage import InMemoryStore

NOW = datetime(2026, 3, 12, 9, tzinfo=UTC)
OWNER = "mara.lindqvist@example.org"
DRAFT = {
    "to": "Ada Stern <ada@example.com>",
    "cc": "",
    "subject": "Re: The pump",
    "content": "Hello Ada,\n\nThank you for your mail. You will have it by Tuesday 17 March.\n\nBest regards\nMara Lindqvist\n",
}
MEETING = {
    "attendees": ["ada@example.com"],
    "subject": "Re: The pump",
    "duration_minutes": 30,
    "preferred_day": "2026-03-17",
    "start_time": "09:00",
}
PROPOSED: dict[str, dict[str, Any]] = {"write_email": DRAFT, "schedule_meeting": MEETING, "question": {"content": "Which one?"}}


def mail_of(body="Dear Mara,\n\ncould we meet about the pump? It is with Ben.\n\nAda\n", **headers) -> Mail:
    usual = {
        "From": "Ada Stern <ada@example.com>",
        "To": f"Mara Lindqvist <{OWNER}>",
        "Subject": "Re: The pump",
        "Message-ID": "<pump-1@example.com>",
        "Content-Type": 'text/plain; charset="utf-8"',
    }
    given = usual | {name.replace("_", "-"): value for name, value in headers.items()}
    return parse("\n".join([*(f"{name}: {value}" for name, value in given.items()), "", body]).encode(), file="mail.eml")


@dataclass
class Answers:
    """Gives answers of the owner and returns the lessons."""

    mail: Mail = field(default_factory=mail_of)
    thread: str = "thread-1"
    call_id: str = "call-1"
    now: datetime = NOW

    def edit(self, tool="write_email", proposed=None, **changed):
        before = proposed or PROPOSED[tool]
        return self._learned(tool, Verdict(self.call_id, tool, "edit", "", before | changed), before)

    def rewrite(self, old, new, proposed=None):
        before = proposed or DRAFT
        assert old in before["content"]
        return self.edit(proposed=before, content=before["content"].replace(old, new))

    def respond(self, text, tool="write_email"):
        return self._learned(tool, Verdict(self.call_id, tool, "response", "", {}, text))

    def ignore(self, tool="write_email"):
        return self._learned(tool, Verdict(self.call_id, tool, "ignore", ""))

    def accept(self, tool="write_email"):
        return self._learned(tool, Verdict(self.call_id, tool, "accept", "", PROPOSED[tool]))

    def notice(self, kind, text=""):
        return lessons_of_notice(self.mail, Verdict("notice", "notify", kind, "", {}, text), self.now, self.thread)

    def _learned(self, tool, verdict, before=None):
        call = ToolCall(name=tool, args=before or PROPOSED[tool], id=self.call_id)
        return lessons(self.mail, call, verdict, self.now, self.thread)


class Hands:
    """A clock that goes on by a minute each time it is looked at."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        self.now += timedelta(minutes=1)
        return self.now


def entry(
    id="e1", kind="response", effect=None, applies_to="*", *, rule="A rule.", sender="", hours=0, by_hand=False, **fields
) -> Preference:
    source = Source(id, "call-1", "by hand" if by_hand else "edit", "The pump", "something", sender)
    return Preference(id, kind, rule, applies_to, effect or {}, source, NOW + timedelta(hours=hours), **fields)


def taught(*learned) -> Preferences:
    """Return what several answers taught together."""
    return Preferences(tuple([one for some in learned for one in some]))


@pytest.fixture(params=["memory", "sqlite"])
def store(request, tmp_path):
    if request.param == "memory":
        yield InMemoryStore()
        return
    with SqliteStore(tmp_path / "assistant.db") as opened:
        yield opened


@pytest.fixture
def memory(store):
    return Memory(store, OWNER, clock=Hands())
