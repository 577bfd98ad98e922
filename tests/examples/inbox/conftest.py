"""What the tests of the inbox share: a desk of data, clocks that stand still, a pilot that waits for what it started."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from examples.email_assistant.errors import AssistantError
from examples.email_assistant.inbox.app import InboxApp, Timing
from examples.email_assistant.inbox.desk import GraphDesk
from examples.email_assistant.inbox.listing import QuestionList
from examples.email_assistant.inbox.port import AnswerType, Arguments, Given, Original, Refused, Said, Waiting
from examples.email_assistant.inbox.recipients import strangers
from graphkit import InMemorySaver

NOW = datetime(2026, 3, 12, 9, tzinfo=UTC)
ALL: frozenset[AnswerType] = frozenset({"accept", "edit", "response", "ignore"})
ARGS: Arguments = {
    "to": "Ada Stern <ada@example.com>",
    "cc": "",
    "subject": "Re: The rig",
    "content": "Hello Ada,\n\nthe rig is free on Tuesday at ten.\nPlease bring the probe.\n\nMara",
}
MAIL = Original(
    sender="Ada Stern <ada@example.com>",
    to=("Mara Lindqvist <mara@example.org>",),
    cc=(),
    subject="The rig",
    date=NOW - timedelta(days=1),
    body="Hello Mara,\n\nis the rig free next week?\n\nAda",
)


class Hands:
    """A timer that only moves when it is told to."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def question(number: int = 1, **changed: Any) -> Waiting:
    """Return a question about a mail, asked ``number`` hours after the first possible one."""
    usual = Waiting(
        thread=f"thread-{number}",
        interrupt_id=f"ask-{number}",
        action="write_email",
        args=ARGS,
        allowed=ALL,
        description="**From:** Ada Stern <ada@example.com>\n\n> Hello Mara,\n\n**rules-v1 proposes write_email:** A reply.\n\nto: Ada",
        subject=f"The rig {number}",
        sender=f"Ada Stern {number} <ada@example.com>",
        since=NOW - timedelta(hours=400 - number),
    )
    return replace(usual, **changed)


@dataclass
class PaperDesk:
    """A desk of data. ``results`` says what the next answers come to; without one an answer is taken and its question gone."""

    questions: list[Waiting]
    mail: Original = MAIL
    model: str = "rules-v1 (no AI)"
    said: tuple[Said, ...] = ()
    results: list[Given | Refused] = field(default_factory=list)
    given: list[tuple[str, str, Any]] = field(default_factory=list)
    trouble: AssistantError | None = None

    def waiting(self):
        if self.trouble is not None:
            raise self.trouble
        return tuple(self.questions)

    def original(self, thread):
        return self.mail

    def conversation(self, thread):
        return self.said

    def outsiders(self, thread, args):
        return strangers(args, self.mail)

    def objection(self, question, answer):
        if answer["type"] == "edit" and "[" in str(answer["args"]["args"].get("content", "")):
            return Refused("invalid-reply", "The edited mail still has a gap.", "Replace the text in square brackets.", is_pending=True)
        return None

    def answer(self, thread, interrupt_id, answer):
        self.given.append((thread, interrupt_id, answer))
        result = self.results.pop(0) if self.results else Given((f"outbox/new/{thread}.eml",), "done")
        if isinstance(result, Given) or not result.is_pending:
            self.questions = [one for one in self.questions if one.interrupt_id != interrupt_id]
        return result


class Sitting:
    """An inbox that runs, with hands to press its keys."""

    def __init__(self, app: InboxApp, pilot, hands: Hands) -> None:
        self.app, self.pilot, self.hands = app, pilot, hands

    async def settle(self) -> None:
        """Wait for all that reading and giving; of what asks the person, until its dialog is there or gone."""
        await self.pilot.pause()
        while self._is_busy():
            await self.pilot.pause()

    def _is_busy(self) -> bool:
        running = [worker for worker in self.app.workers if not worker.is_finished]
        asking = [worker for worker in running if worker.group == "asking"]
        # Each question to the person is a worker with a screen of its own on the stack.
        return len(running) > len(asking) or len(asking) > len(self.app.screen_stack) - 1

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.settle()

    async def pass_time(self, seconds: float) -> None:
        self.hands.seconds += seconds
        self.app.tick()
        await self.settle()

    @property
    def text(self) -> str:
        """What is on the screen, line by line."""
        strips = self.app.screen._compositor.render_strips()
        return "\n".join(strip.text.rstrip() for strip in strips)

    @property
    def highlighted(self) -> str | None:
        return self.app.query_one(QuestionList).current

    def is_enabled(self, action: str) -> bool:
        return self.app.check_action(action, ()) is True


@pytest.fixture
def sitting():
    """Return a function that opens the inbox over a desk."""

    @asynccontextmanager
    async def start(desk, *, undo=5.0, poll=0.0, size=(110, 40), edit=lambda text: text):
        hands = Hands()
        app = InboxApp(desk, Timing(undo=undo, poll=poll, clock=lambda: NOW, timer=hands), edit)
        async with app.run_test(size=size) as pilot:
            opened = Sitting(app, pilot, hands)
            await opened.settle()
            yield opened

    return start


@pytest.fixture
def real_desk(tmp_path, mails, model, toolbox):
    """Return a function that puts mails of the demo mailbox on a desk over a real graph."""
    from examples.email_assistant.graph import build
    from examples.email_assistant.review import understand

    def start(*names: str, saver=None, toolbox=toolbox) -> GraphDesk:
        saver = saver or InMemorySaver()
        graph = build(model, toolbox).compile(checkpointer=saver)
        for name in names:
            graph.invoke({"thread": name, "mail": mails[name]}, thread_id=name)
        return GraphDesk(graph, saver, model.name, partial(understand, {tool.name: tool for tool in toolbox.tools()}))

    return start
