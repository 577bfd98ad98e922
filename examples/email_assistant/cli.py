"""The command line: options in, exit code out.

Exit codes of ``run``: 0 all went well (questions may wait), 1 something in the mailbox could not be read, 2 the assistant could not go
on, 130 stopped by the keyboard. Nothing is lost in any case: run it again and it goes on.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from examples.email_assistant.assistant import Assistant, Human, Work
from examples.email_assistant.decisions import Decisions, load
from examples.email_assistant.errors import AssistantError
from examples.email_assistant.evaluation import command as evaluation
from examples.email_assistant.evaluation.desk import subject_of
from examples.email_assistant.inbox import command as inbox
from examples.email_assistant.inbox.desk import GraphDesk
from examples.email_assistant.mail.maildir import Unreadable
from examples.email_assistant.memory import command as memory
from examples.email_assistant.review import understand
from examples.email_assistant.terminal import Person, printable, show_unreadable, show_work
from examples.email_assistant.workplace import DATABASE, PLACES, add_model, add_places, reset, settings_of, workplace
from graphkit.errors import GraphkitError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from examples.email_assistant.mail.message import Mail
    from examples.email_assistant.mail.port import Mailbox
    from examples.email_assistant.workplace import Settings

COMMANDS = ("run", "inbox", "memory", "evaluate", "graph")


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says and return the exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if not given or given[0] not in {*COMMANDS, "-h", "--help"}:
        given.insert(0, "run")
    # Emoji codes such as :x: would be replaced in paths, addresses and mail text.
    console = Console(highlight=False, soft_wrap=True, emoji=False)
    complaints = Console(stderr=True, highlight=False, soft_wrap=True, emoji=False)
    options = _parser().parse_args(_places_first(given))
    try:
        return int(options.go(options, console))
    except (AssistantError, GraphkitError) as error:
        complaints.print(f"email_assistant: {error}", style="red", markup=False)
        return 2
    except (KeyboardInterrupt, EOFError):
        complaints.print("\nStopped. What is saved stays saved; run it again to go on.", markup=False)
        return 130


def _places_first(given: list[str]) -> list[str]:
    """Move the options that say where things are to the front, so that they may stand after a command of a command."""
    moved, kept = [given[0]], list[str]()
    rest = iter(given[1:])
    for one in rest:
        if one in PLACES:
            moved += [one, *([value] if (value := next(rest, None)) is not None else [])]
        else:
            (moved if one.partition("=")[0] in PLACES else kept).append(one)
    return [*moved, *kept]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m examples.email_assistant",
        description="Sorts a mailbox, drafts replies, asks before it acts. Works with built-in rules: no AI, no key, no network.",
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    run = commands.add_parser("run", help="work through the mailbox (the default)")
    add_places(run)
    add_model(run)
    run.add_argument("--decisions", type=Path, metavar="FILE", help="answers to give unasked, as TOML (default: ask on the terminal)")
    run.add_argument("--reset", action="store_true", help="forget earlier runs and delete what they wrote")
    run.set_defaults(go=_run)
    waiting = commands.add_parser("inbox", help="what waits for an answer, over all threads: a screen, or JSON for scripts")
    add_places(waiting)
    add_model(waiting)
    inbox.add_arguments(waiting)
    waiting.set_defaults(go=_inbox)
    remembered = commands.add_parser("memory", help="what the assistant has learned about you: list, edit, undo")
    add_places(remembered)
    memory.add_arguments(remembered)
    remembered.set_defaults(go=_memory)
    measured = commands.add_parser("evaluate", help="measure a model on the labelled mails that come with the assistant")
    evaluation.add_arguments(measured)
    measured.set_defaults(go=_evaluate)
    drawn = commands.add_parser("graph", help="print the graph as a Mermaid diagram")
    add_places(drawn)
    drawn.set_defaults(go=_graph)
    return parser


def _run(options: argparse.Namespace, console: Console) -> int:
    settings = settings_of(options)
    human: Human = _human(options.decisions, console)
    if options.reset:
        reset(settings.data)
    with workplace(settings) as place:
        found = place.mailbox.unread()
        console.print(f"Mailbox {settings.mailbox} of {settings.owner}", markup=False)
        console.print(f"Model {place.choice.model.name}: {place.choice.note}", markup=False)
        console.print(f"It is {settings.clock():%A %Y-%m-%d %H:%M %Z}.\n", markup=False)
        assistant = Assistant(place.graph, human, place.choice.model.name)
        done, unreadable = _work(assistant, place.mailbox, found, console)
    _summary(done, unreadable, settings, console)
    is_damaged = any(work.mail.damage for work in done)
    return 1 if unreadable or is_damaged else 0


def _inbox(options: argparse.Namespace, console: Console) -> int:
    with workplace(settings_of(options)) as place:
        tools = place.toolbox.node().tools_by_name
        return inbox.run(options, GraphDesk(place.graph, place.saver, place.choice.model.name, partial(understand, tools)), console)


def _memory(options: argparse.Namespace, console: Console) -> int:
    with workplace(settings_of(options)) as place:
        return memory.run(options, place.memory, console)


def _evaluate(options: argparse.Namespace, console: Console) -> int:
    subject, judge = subject_of(options.model)
    return evaluation.run(options, subject, console, judge)


def _graph(options: argparse.Namespace, console: Console) -> int:
    with workplace(settings_of(options)) as place:
        console.print(place.graph.get_graph().draw_mermaid(), markup=False, highlight=False)
    return 0


def _work(assistant: Assistant, mailbox: Mailbox, found: list[Mail | Unreadable], console: Console) -> tuple[list[Work], int]:
    done: list[Work] = []
    seen: set[str] = set()
    for entry in found:
        if isinstance(entry, Unreadable):
            show_unreadable(console, entry)
            continue
        work = assistant.work(entry, seen)
        if work.progress != "waiting":
            mailbox.mark_handled(entry.file)
        done.append(work)
        show_work(console, work)
    return done, len(found) - len(done)


def _human(decisions: Path | None, console: Console) -> Human:
    if decisions is not None:
        return load(decisions)
    if sys.stdin.isatty() and sys.stdout.isatty():
        return Person(console)
    return Decisions(Path("(none)"), ())


def _summary(done: list[Work], unreadable: int, settings: Settings, console: Console) -> None:
    labels = Counter(work.state["triage"].label for work in done if work.progress != "duplicate")
    progress = Counter(work.progress for work in done)
    meetings = sorted((settings.data / "meetings").glob("*.ics"))
    lines = [
        f"\n{len(done)} mails: " + ", ".join(f"{labels[label]} {label}" for label in ("respond", "notify", "ignore")),
        *([f"{progress['duplicate']} of them came twice"] if progress["duplicate"] else []),
        f"{progress['finished']} finished now, {progress['finished before']} earlier, {progress['waiting']} waiting for you",
        *([f"{unreadable} files could not be read"] if unreadable else []),
        *(printable(f"{work.mail.file}: {one}") for work in done for one in work.mail.damage),
        _mail_written(settings),
        f"Meetings:     {len(meetings)} in {settings.data / 'meetings'}",
        f"Saved state:  {settings.data / DATABASE}",
    ]
    for line in lines:
        console.print(line, markup=False)
    if progress["waiting"]:
        console.print("Answer what waits with the command inbox, or run it on a terminal without --decisions.", markup=False)


def _mail_written(settings: Settings) -> str:
    outbox = Path(settings.postbox)
    if not outbox.is_dir():
        return f"Mail goes to: {settings.postbox}"
    return f"Mail to send: {len(sorted(outbox.glob('*/*.eml')))} in {outbox}"
