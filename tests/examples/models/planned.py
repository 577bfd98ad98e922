"""A model that proposes what the mail's subject names, so that a mail says which calls come in one message; then it is done."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from email import message_from_bytes
from email.policy import default
from typing import TYPE_CHECKING, NamedTuple

from icalendar import Calendar

from examples.email_assistant.mail.message import Mail, parse
from examples.email_assistant.sorting import Triage
from examples.email_assistant.state import exchanges
from graphkit import AIMessage, ToolMessage
from graphkit.agents.settle import EDITED
from graphkit.messages import ToolCall
from tests.examples.test_review import ARGS, MAIL, MEETING

if TYPE_CHECKING:
    from pathlib import Path

    from examples.email_assistant.state import State

EDITS = {"write_email": MAIL | {"content": "Edited"}, "schedule_meeting": MEETING | {"duration_minutes": 45}}
WORDS = "shorter, please"


class Cell(NamedTuple):
    """A cell of the table: a tool and what the person answers."""

    tool: str
    answer: str

    @property
    def given(self):
        """What the person sends."""
        args = {"response": WORDS, "edit": {"action": self.tool, "args": EDITS.get(self.tool)}}.get(self.answer)
        return [{"type": self.answer, "args": args}]

    @property
    def args(self):
        """What is on record when it is settled."""
        return EDITS[self.tool] if self.answer == "edit" else ARGS[self.tool]

    @property
    def effect(self):
        """What it leaves in the world; None for nothing."""
        if self.answer not in {"accept", "edit"}:
            return None
        if self.tool == "write_email":
            return "mail", self.args["to"], self.args["subject"], self.args["content"]
        return "meeting", self.args["subject"], self.args["preferred_day"], self.args["duration_minutes"]

    @property
    def fate(self):
        """What its tool message says."""
        if self.answer == "response":
            return "answered" if self.tool == "question" else "feedback"
        return {"ignore": "ignored"}.get(self.answer, "ran")


CELLS = [
    *[Cell(tool, answer) for tool in ("write_email", "schedule_meeting") for answer in ("ignore", "response", "accept", "edit")],
    *[Cell("question", answer) for answer in ("ignore", "response")],
]
SINGLES = [(cell,) for cell in CELLS]
PAIRS = list(itertools.product(CELLS, repeat=2))
SCENARIOS = {"+".join([f"{cell.tool}-{cell.answer}" for cell in cells]): cells for cells in [*SINGLES, *PAIRS]}


@dataclass(frozen=True)
class Planned:
    """The model."""

    name: str = "planned"

    def triage(self, mail, now, preferences):
        return Triage("respond", ("planned",))

    def propose(self, state, now, preferences):
        turns = sum(isinstance(message, AIMessage) for message in state.get("messages", []))
        tools = state["mail"].subject.split() if turns == 0 else ["done"]
        calls = [ToolCall(name=tool, args=ARGS.get(tool, {}), id=f"call-{turns + 1}-{place}") for place, tool in enumerate(tools, 1)]
        return AIMessage("planned", id=f"planned-{turns + 1}", tool_calls=calls)


def mail_for(name: str) -> Mail:
    """Return the mail of a scenario."""
    subject = " ".join([cell.tool for cell in SCENARIOS[name]])
    people = "From: Ada Stern <ada@example.com>\nTo: mara.lindqvist@example.org"
    text = f"{people}\nMessage-ID: <{name}@example.com>\nSubject: {subject}\n\n{name}?\n"
    return parse(text.encode(), file=f"{name}.eml")


def effects(folder: Path) -> list[tuple[object, ...]]:
    """Return what is in the world: every mail and meeting."""
    found = list[tuple[object, ...]]()
    for path in folder.glob("outbox/*/*.eml*"):
        message = message_from_bytes(path.read_bytes(), policy=default)
        found.append(("mail", str(message["To"]), str(message["Subject"]), message.get_content().strip()))
    for path in folder.glob("meetings/*.ics"):
        (event,) = Calendar.from_ical(path.read_bytes()).events
        minutes = round((event.end - event.start).total_seconds() / 60)
        found.append(("meeting", str(event["SUMMARY"]), f"{event.start:%Y-%m-%d}", minutes))
    return sorted(found, key=str)


def require_end(cells, state: State, found) -> None:
    """Assert that a thread is over as the table says: each effect once, each call with one tool message."""
    wanted = [cell.effect for cell in cells if cell.effect is not None]
    assert found == sorted(wanted, key=str)
    is_cancelled = any(cell.answer == "ignore" for cell in cells)
    assert state["outcome"] == ("cancelled by you" if is_cancelled else "done")
    messages = state["messages"]
    first = next(message for message in messages if isinstance(message, AIMessage))
    assert [call["args"] for call in first.tool_calls] == [cell.args for cell in cells]
    rest = [] if is_cancelled else [("done", "ran")]
    settled = exchanges(messages)
    assert [(one.call["name"], one.fate) for one in settled] == [*[(cell.tool, cell.fate) for cell in cells], *rest]
    assert [one.words for one in settled[: len(cells)]] == [WORDS if cell.answer == "response" else "" for cell in cells]
    assert [EDITED in one.content for one in settled[: len(cells)]] == [cell.answer == "edit" for cell in cells]
    kinds = [type(message).__name__ for message in messages]
    assert kinds == ["AIMessage", *["ToolMessage"] * len(cells), *([] if is_cancelled else ["AIMessage", "ToolMessage"])]
    answered = [message.tool_call_id for message in messages if isinstance(message, ToolMessage)]
    assert len(answered) == len({*answered})
