"""The command line: options in, exit code out.

Exit codes: 0 all went well (questions may wait), 1 something in the mailbox could not be read, 2 the assistant could not go on,
130 stopped by the keyboard. Nothing is lost in any case: run it again and it goes on.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from email.utils import parseaddr
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from rich.console import Console

from checkpointers.sqlite import SqliteSaver
from examples.email_assistant.assistant import Assistant, Human, Work
from examples.email_assistant.decisions import Decisions, load
from examples.email_assistant.deposit import folder
from examples.email_assistant.errors import AssistantError, OptionError
from examples.email_assistant.graph import build
from examples.email_assistant.mail import maildir
from examples.email_assistant.mail.maildir import Unreadable
from examples.email_assistant.mail.message import Address, Mail
from examples.email_assistant.mail.outbox import Outbox
from examples.email_assistant.meetings.agenda import Agenda
from examples.email_assistant.meetings.invitation import Invitations
from examples.email_assistant.rules.model import RuleModel
from examples.email_assistant.terminal import Person, printable, show_unreadable, show_work
from examples.email_assistant.tools import Toolbox
from graphkit.errors import GraphkitError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

HERE = Path(__file__).parent
DATABASE = "assistant.db"
OWN_NAMES = (DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm", "outbox", "meetings")
DEMO_MOMENT = "2026-03-12T09:00+01:00"


@dataclass(frozen=True, slots=True)
class Settings:
    """What one run works with."""

    mailbox: Path
    data: Path
    calendar: Path | None
    decisions: Path | None
    owner: Address
    zone: ZoneInfo
    clock: Callable[[], datetime]
    reset: bool


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the assistant over a mailbox and return the exit code."""
    console = Console(highlight=False, soft_wrap=True)
    complaints = Console(stderr=True, highlight=False, soft_wrap=True)
    try:
        return _run(_settings(_parser().parse_args(arguments)), console)
    except (AssistantError, GraphkitError) as error:
        complaints.print(f"email_assistant: {error}", style="red", markup=False)
        return 2
    except (KeyboardInterrupt, EOFError):
        complaints.print("\nStopped. What is saved stays saved; run it again to go on.", markup=False)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m examples.email_assistant",
        description="Sorts a mailbox, drafts replies, asks before it acts. Works with built-in rules: no AI, no key, no network.",
    )
    parser.add_argument("command", nargs="?", choices=["run"], default="run", help="what to do (default: run)")
    parser.add_argument("--mailbox", type=Path, metavar="DIR", help="a Maildir; it is read and never changed (default: the demo mailbox)")
    parser.add_argument("--data", type=Path, metavar="DIR", default=Path("demo-data"), help="where results are kept (default: %(default)s)")
    parser.add_argument(
        "--calendar", type=Path, metavar="FILE", help="your calendar as .ics (default: the demo calendar, or none with --mailbox)"
    )
    parser.add_argument(
        "--decisions", type=Path, metavar="FILE", help="answers to give without asking, as TOML (default: ask on the terminal)"
    )
    parser.add_argument("--owner", default="Mara Lindqvist <mara.lindqvist@example.org>", help="whose mailbox it is (default: %(default)s)")
    parser.add_argument("--timezone", default="Europe/Berlin", help="the owner's time zone (default: %(default)s)")
    parser.add_argument(
        "--now", metavar="TIME", help="the present, as 2026-03-12T09:00 (default: the clock; for the demo mailbox its own day)"
    )
    parser.add_argument("--reset", action="store_true", help="forget earlier runs and delete what they wrote")
    return parser


def _settings(options: argparse.Namespace) -> Settings:
    zone = _zone(options.timezone)
    is_demo = options.mailbox is None
    name, address = parseaddr(options.owner)
    if "@" not in address:
        raise OptionError(f"--owner {options.owner!r} is no mail address.", hint="Write it as 'Name <name@example.org>'.")
    moment = options.now or (DEMO_MOMENT if is_demo else None)
    return Settings(
        mailbox=options.mailbox or HERE / "mailbox",
        data=options.data,
        calendar=options.calendar or (HERE / "calendar.ics" if is_demo else None),
        decisions=options.decisions,
        owner=Address(name, address.lower()),
        zone=zone,
        clock=_fixed(moment, zone) if moment else partial(datetime.now, zone),
        reset=options.reset,
    )


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


def _run(settings: Settings, console: Console) -> int:
    human: Human = _human(settings, console)
    found = maildir.read(settings.mailbox)
    if settings.reset:
        _reset(settings.data)
    folder(settings.data)
    model = RuleModel(settings.owner, settings.zone)
    console.print(f"Mailbox {settings.mailbox} of {settings.owner}", markup=False)
    console.print(f"Model {model.name}: patterns and templates; no key and no network is used.", markup=False)
    console.print(f"It is {settings.clock():%A %Y-%m-%d %H:%M %Z}.\n", markup=False)
    with SqliteSaver(settings.data / DATABASE) as saver:
        graph = build(model, _toolbox(settings)).compile(checkpointer=saver)
        assistant = Assistant(graph, human, model.name)
        done, unreadable = _work(assistant, found, console)
    _summary(done, unreadable, settings, console)
    is_damaged = any(work.mail.damage for work in done)
    return 1 if unreadable or is_damaged else 0


def _work(assistant: Assistant, found: list[Mail | Unreadable], console: Console) -> tuple[list[Work], int]:
    done: list[Work] = []
    seen: set[str] = set()
    for entry in found:
        if isinstance(entry, Unreadable):
            show_unreadable(console, entry)
            continue
        done.append(assistant.work(entry, seen))
        show_work(console, done[-1])
    return done, len(found) - len(done)


def _toolbox(settings: Settings) -> Toolbox:
    meetings = settings.data / "meetings"
    agenda = Agenda(settings.calendar, meetings, settings.zone)
    # A calendar that cannot be read is told before anybody is asked anything.
    agenda.busy(settings.clock().date())
    outbox = Outbox(settings.data / "outbox", settings.owner)
    return Toolbox(outbox, Invitations(meetings, settings.owner), agenda, settings.zone, settings.clock)


def _human(settings: Settings, console: Console) -> Human:
    if settings.decisions is not None:
        return load(settings.decisions)
    if sys.stdin.isatty() and sys.stdout.isatty():
        return Person(console)
    return Decisions(Path("(none)"), ())


def _reset(data: Path) -> None:
    """Delete what the assistant itself wrote; whatever else is in the folder stays."""
    for name in OWN_NAMES:
        path = data / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def _summary(done: list[Work], unreadable: int, settings: Settings, console: Console) -> None:
    labels = Counter(work.state["triage"].label for work in done if work.progress != "duplicate")
    progress = Counter(work.progress for work in done)
    mails = sorted((settings.data / "outbox").glob("*/*.eml"))
    meetings = sorted((settings.data / "meetings").glob("*.ics"))
    lines = [
        f"\n{len(done)} mails: " + ", ".join(f"{labels[label]} {label}" for label in ("respond", "notify", "ignore")),
        *([f"{progress['duplicate']} of them came twice"] if progress["duplicate"] else []),
        f"{progress['finished']} finished now, {progress['finished before']} earlier, {progress['waiting']} waiting for you",
        *([f"{unreadable} files could not be read"] if unreadable else []),
        *(printable(f"{work.mail.file}: {one}") for work in done for one in work.mail.damage),
        f"Mail to send: {len(mails)} in {settings.data / 'outbox'}",
        f"Meetings:     {len(meetings)} in {settings.data / 'meetings'}",
        f"Saved state:  {settings.data / DATABASE}",
    ]
    for line in lines:
        console.print(line, markup=False)
    if progress["waiting"]:
        console.print("Run it on a terminal without --decisions to answer what waits.", markup=False)
