"""The assistant itself as the subject of an evaluation: each case is worked through in a folder of its own."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, cast
from zoneinfo import ZoneInfo

from examples.email_assistant.choice import RULES, chosen
from examples.email_assistant.evaluation.judge import ModelJudge
from examples.email_assistant.evaluation.trajectory import Booked, Proposed, Returned, Sent
from examples.email_assistant.evaluation.working import Progress, question_of, work_through
from examples.email_assistant.graph import build
from examples.email_assistant.language import LanguageModel
from examples.email_assistant.mail.message import Address, parse
from examples.email_assistant.mail.outbox import Outbox
from examples.email_assistant.meetings.agenda import Agenda
from examples.email_assistant.meetings.invitation import Invitations
from examples.email_assistant.memory import Preferences
from examples.email_assistant.review import NOTIFY
from examples.email_assistant.tools import Toolbox
from graphkit import AIMessage, Command, HumanMessage, InMemorySaver, SystemMessage, ToolMessage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime

    from examples.email_assistant.evaluation.case import Case
    from examples.email_assistant.evaluation.judge import Judge
    from examples.email_assistant.evaluation.trajectory import Event, Trajectory
    from examples.email_assistant.evaluation.working import Answer, Question
    from examples.email_assistant.mail.message import Mail
    from examples.email_assistant.model import Model
    from examples.email_assistant.sorting import Triage
    from examples.email_assistant.state import State
    from graphkit import CompiledGraph, Interrupt
    from graphkit.agents import HumanInterrupt
    from graphkit.messages import ToolCall

OWNER = Address("Mara Lindqvist", "mara.lindqvist@example.org")
ZONE = ZoneInfo("Europe/Berlin")
CALENDAR = Path(__file__).parents[1] / "calendar.ics"
THREAD = "case"


@dataclass(frozen=True, slots=True)
class Subject:
    """A model with the assistant's graph around it; a `Sorter` and a `Worker`.

    Args:
        model: What is evaluated.
    """

    model: Model

    @property
    def name(self) -> str:
        """The model's name."""
        return self.model.name

    def triage(self, mail: Mail, now: datetime) -> Triage:
        """Sort one mail."""
        return self.model.triage(mail, now, Preferences(()))

    def run(self, case: Case) -> Trajectory:
        """Work on one mail to its end."""
        with TemporaryDirectory(prefix="graphkit-evaluation-") as folder:
            return work_through(case, AssistantDesk(self.model, Path(folder)))


@dataclass(slots=True)
class AssistantDesk:
    """The assistant on one case; a `Desk`.

    Args:
        model: Decides.
        folder: Where mail and meetings are written.
    """

    model: Model
    folder: Path
    _graph: CompiledGraph = field(init=False)
    _told: set[str] = field(default_factory=set)

    def begin(self, case: Case) -> Progress:
        """Work on the mail of a case until the first question or the end."""
        self._graph = build(self.model, toolbox(self.folder, lambda: case.now)).compile(checkpointer=InMemorySaver())
        self._graph.invoke({"thread": THREAD, "mail": case.mail}, thread_id=THREAD)
        return self._progress()

    def answer(self, question: Question, answer: Answer) -> Progress:
        """Give an answer and work on."""
        given = [{"type": answer.type, "args": answer.text or None}]
        self._graph.invoke(Command(resume={question.id: given}), thread_id=THREAD)
        return self._progress()

    def _progress(self) -> Progress:
        saved = self._graph.get_state(thread_id=THREAD)
        state = cast("State", saved.values)
        events = tuple(event for message in state.get("messages", []) for event in self._events(message))
        calls = state.get("proposed", {})
        return Progress(events, tuple(_question(interrupt, calls) for interrupt in saved.interrupts))

    def _events(self, message: object) -> Iterator[Event]:
        """Yield what a message says that has not been told yet."""
        if isinstance(message, AIMessage):
            for call in message.tool_calls:
                if call["id"] not in self._told:
                    self._told.add(call["id"])
                    yield Proposed(call["id"], call["name"], call["args"])
        if isinstance(message, ToolMessage) and f"result {message.tool_call_id}" not in self._told:
            self._told.add(f"result {message.tool_call_id}")
            if isinstance(message.artifact, dict) and message.status == "success":
                path = Path(message.artifact["file"])
                if path.suffix == ".eml":
                    yield Sent(message.tool_call_id, parse(path.read_bytes(), file=path.name))
                else:
                    yield Booked(message.tool_call_id, path.name)
            yield Returned(message.tool_call_id, message.text)


def toolbox(folder: Path, clock: Callable[[], datetime]) -> Toolbox:
    """Return tools that write into a folder."""
    meetings = folder / "meetings"
    return Toolbox(Outbox(folder / "outbox", OWNER), Invitations(meetings, OWNER), Agenda(CALENDAR, meetings, ZONE), ZONE, clock)


def subject_of(named: str | None) -> tuple[Subject, Judge | None]:
    """Return the model of an option as a subject, and as a judge if it can be one.

    Raises:
        OptionError: There is no such model, or its key is missing.
    """
    with TemporaryDirectory() as folder:
        tools = toolbox(Path(folder), lambda: cast("datetime", None)).tools()
    model = chosen(named or RULES, OWNER, ZONE, tools, os.environ).model
    if not isinstance(model, LanguageModel):
        return Subject(model), None
    chat = model.chat
    return Subject(model), ModelJudge(lambda system, user: chat.generate([SystemMessage(system), HumanMessage(user)]).text)


def _question(interrupt: Interrupt, calls: Mapping[str, ToolCall]) -> Question:
    request = cast("list[HumanInterrupt]", interrupt.value)[0]
    action, args = request["action_request"]["action"], request["action_request"]["args"]
    if action == NOTIFY:
        return question_of(interrupt.id, "", request)
    named = [identity for identity, call in calls.items() if call["name"] == action]
    exact = [identity for identity in named if calls[identity]["args"] == args]
    return question_of(interrupt.id, (exact or named)[0], request)
