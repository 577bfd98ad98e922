"""The assistant as a process that is killed: it carries out orders from its input and keeps its database open.

Called as ``python -m tests.examples.models.process FOLDER WAY sync|async URL``. Each line of input is ``[action, {scenario: place}]``
in JSON: "begin"; "answer", the question at this place; "go on". The reply is a line ``{scenario: questions left}``. With
"... and hold before TOOL" or "... after TOOL" it says ``{"holding": TOOL}`` and waits, just before or after that tool acts.
"""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from checkpointers.sqlite import SqliteSaver
from examples.email_assistant.evaluation.desk import toolbox
from examples.email_assistant.graph import build
from examples.email_assistant.language import LanguageModel
from examples.email_assistant.meetings.invitation import Invitations
from graphkit import Command
from graphkit.models import init_model
from tests.examples.conftest import NOW, OWNER
from tests.examples.models.planned import SCENARIOS, Planned, mail_for
from tests.examples.models.wires import OFFLINE

if TYPE_CHECKING:
    from examples.email_assistant.mail.port import Postbox


@dataclass
class HeldPostbox:
    """A postbox that can be held up, before or after it acts."""

    postbox: Postbox
    at: list[str]

    def send(self, letter, **how):
        hold(self.at, "before", "write_email")
        receipt = self.postbox.send(letter, **how)
        hold(self.at, "after", "write_email")
        return receipt


@dataclass(frozen=True)
class HeldInvitations(Invitations):
    """A place for meetings that can be held up."""

    at: list[str] = field(default_factory=list)

    def write(self, meeting, **how):
        hold(self.at, "before", "schedule_meeting")
        path = super().write(meeting, **how)
        hold(self.at, "after", "schedule_meeting")
        return path


def hold(at, moment, tool):
    if at == [moment, tool]:
        print(json.dumps({"holding": tool}), flush=True)
        sys.stdin.readline()


def request_of(graph, action, scenario, place):
    """Return what the graph is given."""
    match action:
        case "begin":
            return {"thread": scenario, "mail": mail_for(scenario)}
        case "answer":
            # The last question is answered first, so the place of a question stays what it was.
            question = graph.get_state(thread_id=scenario).interrupts[place]
            return Command(resume={question.id: SCENARIOS[scenario][place].given})
        case _:
            return None


def carry_out(graph, driver, action, scenario, place):
    """Carry out one order; return the questions that are left."""
    request = request_of(graph, action, scenario, place)
    # One call at a time, so that a test can know which one is through.
    config = {"configurable": {"thread_id": scenario}, "max_concurrency": 1}
    _ = asyncio.run(graph.ainvoke(request, config)) if driver == "async" else graph.invoke(request, config)
    return [question.value[0]["action_request"]["action"] for question in graph.get_state(thread_id=scenario).interrupts]


def main(folder, way, driver, url):
    plain = toolbox(folder, lambda: NOW)
    at = list[str]()
    box = replace(plain, postbox=HeldPostbox(plain.postbox, at), invitations=HeldInvitations(folder / "meetings", OWNER, at))
    model = Planned() if way == OFFLINE else LanguageModel(init_model(f"{way}:any", base_url=url, api_key="test-key"), OWNER, box.tools())
    with SqliteSaver(folder / "threads.db", synchronous="OFF") as saver:
        graph = build(model, box).compile(checkpointer=saver)
        while line := sys.stdin.readline():
            action, orders = json.loads(line)
            action, _, held = action.partition(" and hold ")
            at[:] = held.split()
            print(json.dumps({name: carry_out(graph, driver, action, name, place) for name, place in orders.items()}), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
