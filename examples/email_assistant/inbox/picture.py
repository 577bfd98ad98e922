"""The picture of the inbox in the README, made from a real small run: ``python -m examples.email_assistant.inbox.picture OUT.svg``.

The run uses the demo mailbox, the built-in rules and a clock of its own, so the same code gives the same picture.
"""

from __future__ import annotations

import argparse
import asyncio
import re
from datetime import datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from examples.email_assistant.graph import build
from examples.email_assistant.inbox.app import InboxApp, Timing
from examples.email_assistant.inbox.desk import GraphDesk
from examples.email_assistant.inbox.listing import QuestionList
from examples.email_assistant.mail import maildir
from examples.email_assistant.mail.message import Address, Mail
from examples.email_assistant.mail.outbox import Outbox
from examples.email_assistant.meetings.agenda import Agenda
from examples.email_assistant.meetings.invitation import Invitations
from examples.email_assistant.review import understand
from examples.email_assistant.rules.model import RuleModel
from examples.email_assistant.tools import Toolbox
from graphkit import InMemorySaver

if TYPE_CHECKING:
    from collections.abc import Sequence

EXAMPLE = Path(__file__).parents[1]
ZONE = ZoneInfo("Europe/Berlin")
OWNER = Address("Mara Lindqvist", "mara.lindqvist@example.org")
NOW = datetime(2026, 3, 12, 9, tzinfo=ZONE)
FIRST_ASKED = datetime(2026, 3, 12, 4, 20, tzinfo=ZONE)
BETWEEN = 23 * 60.0
SIZE = (120, 36)
CHOSEN = ("01-", "04-", "05-", "09-", "15-", "18-", "22-", "26-", "29-", "30-")
HIGHLIGHTED = 1
FONT_FACES = re.compile(r"\s*@font-face \{.*?\}", re.DOTALL)


class Steady:
    """A clock that stands still until it is moved on."""

    def __init__(self, start: float) -> None:
        self.seconds = start

    def __call__(self) -> float:
        """Return the seconds since the epoch."""
        return self.seconds


def desk(folder: Path) -> GraphDesk:
    """Return a desk over a few mails of the demo mailbox, each worked on until its first question."""
    clock = Steady(FIRST_ASKED.timestamp())
    saver = InMemorySaver(clock=clock)
    agenda = Agenda(EXAMPLE / "calendar.ics", folder / "meetings", ZONE)
    toolbox = Toolbox(Outbox(folder / "outbox", OWNER), Invitations(folder / "meetings", OWNER), agenda, ZONE, lambda: NOW)
    model = RuleModel(OWNER, ZONE)
    graph = build(model, toolbox).compile(checkpointer=saver)
    for mail in maildir.read(EXAMPLE / "mailbox"):
        if isinstance(mail, Mail) and mail.file.startswith(CHOSEN):
            thread = maildir.thread_id(mail)
            graph.invoke({"thread": thread, "mail": mail}, thread_id=thread)
            clock.seconds += BETWEEN
    tools = {tool.name: tool for tool in toolbox.tools()}
    return GraphDesk(graph, saver, model.name, partial(understand, tools))


async def picture(folder: Path) -> str:
    """Return the main screen as SVG."""
    app = InboxApp(desk(folder), Timing(undo=5, poll=0, clock=lambda: NOW, timer=Steady(0)))
    async with app.run_test(size=SIZE) as pilot:
        await app.workers.wait_for_complete()
        await pilot.pause()
        app.query_one(QuestionList).highlighted = HIGHLIGHTED
        await pilot.pause()
        await app.workers.wait_for_complete()
        await pilot.pause()
        return portable(app.export_screenshot(title="Inbox of the e-mail assistant"))


def portable(svg: str) -> str:
    """Return a picture that loads no fonts from elsewhere."""
    return FONT_FACES.sub("", svg).replace("Fira Code, monospace", "ui-monospace, SFMono-Regular, Menlo, Consolas, monospace")


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the picture."""
    parser = argparse.ArgumentParser(prog="python -m examples.email_assistant.inbox.picture", description=__doc__.partition("\n")[0])
    parser.add_argument("out", type=Path, metavar="OUT.svg", help="the file to write")
    out: Path = parser.parse_args(arguments).out
    with TemporaryDirectory() as folder:
        out.write_text(asyncio.run(picture(Path(folder))) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
