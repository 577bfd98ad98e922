"""What the tests of the e-mail assistant share: its fixtures, its owner, a desk to work at."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from examples.email_assistant.graph import build
from examples.email_assistant.mail import maildir
from examples.email_assistant.mail.message import Address, Mail, parse
from examples.email_assistant.mail.outbox import Outbox
from examples.email_assistant.meetings.agenda import Agenda
from examples.email_assistant.meetings.invitation import Invitations
from examples.email_assistant.rules.model import RuleModel
from examples.email_assistant.tools import Toolbox
from graphkit import Command, CompiledGraph, InMemorySaver

EXAMPLE = Path(__file__).parents[2] / "examples" / "email_assistant"
BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 3, 12, 9, tzinfo=BERLIN)
OWNER = Address("Mara Lindqvist", "mara.lindqvist@example.org")


@dataclass(frozen=True)
class Desk:
    """An assistant in a temporary folder; ``begin`` works on a mail until a question, ``answer`` answers it."""

    folder: Path
    graph: CompiledGraph

    def begin(self, mail, thread="mail-1"):
        return self.graph.invoke({"thread": thread, "mail": mail}, thread_id=thread)

    def answer(self, answer, thread="mail-1"):
        return self.graph.invoke(Command(resume=answer), thread_id=thread)

    def state(self, thread="mail-1"):
        return self.graph.get_state(thread_id=thread).values

    @property
    def mails(self):
        return sorted((self.folder / "outbox").glob("new/*.eml"))

    @property
    def meetings(self):
        return sorted((self.folder / "meetings").glob("*.ics"))


@pytest.fixture(scope="session")
def mails() -> dict[str, Mail]:
    """The demo mailbox by file name without ending."""
    return {mail.file.removesuffix(".eml"): mail for mail in maildir.read(EXAMPLE / "mailbox") if isinstance(mail, Mail)}


@pytest.fixture(scope="session")
def model() -> RuleModel:
    return RuleModel(OWNER, BERLIN)


@pytest.fixture
def toolbox(tmp_path) -> Toolbox:
    agenda = Agenda(EXAMPLE / "calendar.ics", tmp_path / "meetings", BERLIN)
    return Toolbox(Outbox(tmp_path / "outbox", OWNER), Invitations(tmp_path / "meetings", OWNER), agenda, BERLIN, lambda: NOW)


@pytest.fixture
def desk_of(tmp_path, toolbox):
    """Return a function that sets up a desk with a model."""
    return lambda model: Desk(tmp_path, build(model, toolbox).compile(checkpointer=InMemorySaver()))


@pytest.fixture
def desk(desk_of, model):
    return desk_of(model)


@pytest.fixture
def mail_of():
    """Return a function that makes a mail of a body and headers."""

    def make(body: str = "Hello", **headers: str) -> Mail:
        usual = {
            "From": "Ada Stern <ada@example.com>",
            "To": "mara.lindqvist@example.org",
            "Subject": "Hello",
            "Date": "Wed, 11 Mar 2026 10:00:00 +0100",
            "Message-ID": "<test-1@example.com>",
            "Content-Type": 'text/plain; charset="utf-8"',
        }
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        lines = [f"{name}: {value}" for name, value in (usual | given).items() if value]
        return parse("\n".join([*lines, "", body]).encode(), file="test.eml")

    return make
