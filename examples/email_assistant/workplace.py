"""Everything one run of the assistant works with, put together from options: places, model, memory, graph."""

from __future__ import annotations

import os
import shutil
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from email.utils import parseaddr
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from checkpointers.sqlite import SqliteSaver, SqliteStore
from examples.email_assistant.choice import chosen
from examples.email_assistant.deposit import folder
from examples.email_assistant.errors import OptionError
from examples.email_assistant.graph import build
from examples.email_assistant.mail.message import Address
from examples.email_assistant.mail.places import mailbox, postbox
from examples.email_assistant.meetings.agenda import Agenda
from examples.email_assistant.meetings.invitation import Invitations
from examples.email_assistant.memory import Memory
from examples.email_assistant.tools import Toolbox

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator

    from examples.email_assistant.choice import Choice
    from examples.email_assistant.mail.port import Mailbox
    from graphkit import CompiledGraph
    from graphkit.storage import Checkpointer

HERE = Path(__file__).parent
DATABASE = "assistant.db"
OWN_NAMES = (DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm", "outbox", "meetings")
PLACES = ("--data", "--mailbox", "--postbox", "--sent", "--calendar", "--owner", "--timezone", "--now")
"""The options of `add_places`; each takes a value."""

DEMO_MOMENT = "2026-03-12T09:00+01:00"
DEMO_OWNER = "Mara Lindqvist <mara.lindqvist@example.org>"


@dataclass(frozen=True, slots=True)
class Settings:
    """What the options of the command line say.

    Args:
        mailbox: The folder of a Maildir, or the address of an IMAP server.
        postbox: The folder of a Maildir, or the address of an SMTP server.
        sent: The address of an IMAP folder for copies of what is sent; empty for none.
        data: The folder for everything the assistant keeps.
        calendar: The owner's calendar; None for none.
        owner: Whose mailbox it is.
        zone: The owner's time zone.
        clock: Returns the present moment, with a zone.
        model: The model that was named; None for the usual one.
    """

    mailbox: str
    postbox: str
    sent: str
    data: Path
    calendar: Path | None
    owner: Address
    zone: ZoneInfo
    clock: Callable[[], datetime]
    model: str | None


@dataclass(frozen=True, slots=True)
class Workplace:
    """What one run works with.

    Args:
        mailbox: Where mail comes from.
        toolbox: What acts.
        choice: The model.
        memory: The owner's preferences.
        saver: Keeps the threads.
        graph: The assistant.
    """

    mailbox: Mailbox
    toolbox: Toolbox
    choice: Choice
    memory: Memory
    saver: Checkpointer
    graph: CompiledGraph


def add_places(parser: argparse.ArgumentParser) -> None:
    """Add the options that say where things are and whose they are."""
    parser.add_argument("--data", type=Path, metavar="DIR", default=Path("demo-data"), help="where results are kept (default: %(default)s)")
    parser.add_argument(
        "--mailbox", metavar="PLACE", help="a Maildir, which is read and never changed, or imaps://user@host (default: the demo mailbox)"
    )
    parser.add_argument("--postbox", metavar="PLACE", help="where mail goes: a folder, or smtps://user@host (default: outbox in --data)")
    parser.add_argument("--sent", metavar="PLACE", default="", help="with a server: imaps://user@host/Sent gets a copy of what is sent")
    parser.add_argument(
        "--calendar", type=Path, metavar="FILE", help="your calendar as .ics (default: the demo calendar, or none with --mailbox)"
    )
    parser.add_argument("--owner", default=DEMO_OWNER, help="whose mailbox it is (default: %(default)s)")
    parser.add_argument("--timezone", default="Europe/Berlin", help="the owner's time zone (default: %(default)s)")
    parser.add_argument(
        "--now", metavar="TIME", help="the present, as 2026-03-12T09:00 (default: the clock; for the demo mailbox its own day)"
    )


def add_model(parser: argparse.ArgumentParser) -> None:
    """Add the option that names the model."""
    parser.add_argument(
        "--model",
        metavar="NAME",
        help="rules; provider:model, such as ollama:qwen3; URL#model for a server of yours (default: by the key that is set, else rules)",
    )


def settings_of(options: argparse.Namespace) -> Settings:
    """Read options.

    Raises:
        OptionError: One has a value that cannot be used.
    """
    zone = _zone(options.timezone)
    is_demo = options.mailbox is None
    name, address = parseaddr(options.owner)
    if "@" not in address:
        raise OptionError(f"--owner {options.owner!r} is no mail address.", hint="Write it as 'Name <name@example.org>'.")
    moment = options.now or (DEMO_MOMENT if is_demo else None)
    return Settings(
        mailbox=options.mailbox or str(HERE / "mailbox"),
        postbox=options.postbox or str(options.data / "outbox"),
        sent=options.sent,
        data=options.data,
        calendar=options.calendar or (HERE / "calendar.ics" if is_demo else None),
        owner=Address(name, address.lower()),
        zone=zone,
        clock=_fixed(moment, zone) if moment else partial(datetime.now, zone),
        model=getattr(options, "model", None),
    )


@contextmanager
def workplace(settings: Settings) -> Iterator[Workplace]:
    """Open everything a run works with.

    Raises:
        AssistantError: A place cannot be used.
        StorageError: The database cannot be used.
    """
    source = mailbox(settings.mailbox, os.environ)
    meetings = settings.data / "meetings"
    agenda = Agenda(settings.calendar, meetings, settings.zone)
    # A calendar that cannot be read is told before anybody is asked anything.
    agenda.busy(settings.clock().date())
    out = postbox(settings.postbox, settings.owner, os.environ, data=settings.data, sent=settings.sent)
    toolbox = Toolbox(out, Invitations(meetings, settings.owner), agenda, settings.zone, settings.clock)
    choice = chosen(settings.model, settings.owner, settings.zone, toolbox.tools(), os.environ)
    folder(settings.data)
    with ExitStack() as stack:
        saver = stack.enter_context(SqliteSaver(settings.data / DATABASE))
        memory = Memory(stack.enter_context(SqliteStore(settings.data / DATABASE)), settings.owner.address)
        graph = build(choice.model, toolbox, memory).compile(checkpointer=saver)
        yield Workplace(source, toolbox, choice, memory, saver, graph)


def reset(data: Path) -> None:
    """Delete what the assistant itself wrote; whatever else is in the folder stays."""
    for name in OWN_NAMES:
        path = data / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise OptionError(f"There is no time zone {name!r}.", hint="Write it as Europe/Berlin.") from error


def _fixed(moment: str, zone: ZoneInfo) -> Callable[[], datetime]:
    try:
        now = datetime.fromisoformat(moment)
    except ValueError as error:
        raise OptionError(f"--now {moment!r} is no time.", hint="Write it as 2026-03-12T09:00.") from error
    fixed = now.astimezone(zone) if now.tzinfo else now.replace(tzinfo=zone)
    return lambda: fixed
