"""The command ``inbox``: the screen on a terminal, a plain list elsewhere, JSON for scripts.

Exit codes: 0 it was done (also when nothing waits), 1 what was asked for cannot be done (an answer was refused, there is no such
thread), 2 wrong options, or the saved state cannot be reached. An answer that was not given leaves its question waiting.
"""

from __future__ import annotations

import argparse
import math
import sys
from typing import TYPE_CHECKING, assert_never

from examples.email_assistant.errors import AssistantError
from examples.email_assistant.inbox import documents
from examples.email_assistant.inbox.inert import fitted, inert, line
from examples.email_assistant.inbox.port import ANSWERS, Given, Refused, refusal
from graphkit.errors import GraphkitError, RequestError

if TYPE_CHECKING:
    from rich.console import Console

    from examples.email_assistant.inbox.port import Desk, Waiting

DONE, REFUSED, BROKEN = 0, 1, 2
SENDER_WIDTH, SUBJECT_WIDTH = 24, 48


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the inbox to a parser of the command line."""
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of opening the screen")
    parser.add_argument(
        "--undo", type=_seconds, default=5.0, metavar="SECONDS", help="how long an answer can be taken back; 0: not at all (default: 5)"
    )
    parser.add_argument(
        "--poll", type=_seconds, default=5.0, metavar="SECONDS", help="how often to look for new questions; 0: on ctrl+r only (default: 5)"
    )
    requests = parser.add_subparsers(dest="request", metavar="{show,answer}", title="for scripts (always JSON)")
    show = requests.add_parser("show", help="print one thread: its questions, its mail, what was said")
    show.add_argument("thread", metavar="THREAD")
    answer = requests.add_parser("answer", help="answer one question and print what came of it")
    answer.add_argument("thread", metavar="THREAD")
    answer.add_argument("interrupt", metavar="INTERRUPT")
    answer.add_argument("--type", choices=ANSWERS, required=True, help="the answer")
    answer.add_argument("--args", metavar="JSON", help="what it carries, as JSON; - reads it from standard input")


def run(options: argparse.Namespace, desk: Desk, console: Console) -> int:
    """Do what the options say and return the exit code.

    Args:
        options: As `add_arguments` describes them.
        desk: The assistant.
        console: Standard output. The screen opens only when it is a terminal.
    """
    is_json = options.json or options.request is not None
    try:
        if options.request == "show":
            return _show(options.thread, desk, console)
        if options.request == "answer":
            return _answer(options, desk, console)
        if is_json:
            return _print(console, documents.listing(desk.waiting(), desk.model))
        return _screen(options, desk, console) if console.is_terminal and sys.stdin.isatty() else _list(desk, console)
    except (GraphkitError, AssistantError) as error:
        if not is_json:
            raise
        _print(console, documents.refused(refusal(error, is_pending=True)))
        return REFUSED if isinstance(error, RequestError) else BROKEN


def _show(thread: str, desk: Desk, console: Console) -> int:
    mail, said = desk.original(thread), desk.conversation(thread)
    return _print(console, documents.thread(thread, [one for one in desk.waiting() if one.thread == thread], mail, said))


def _answer(options: argparse.Namespace, desk: Desk, console: Console) -> int:
    thread, interrupt_id = options.thread, options.interrupt
    question = next((one for one in desk.waiting() if (one.thread, one.interrupt_id) == (thread, interrupt_id)), None)
    written = sys.stdin.read() if options.args == "-" else options.args
    answer = documents.answer_of(options.type, written, question.action if question else "")
    # A question that does not wait is refused by the desk, which knows why.
    result = desk.answer(thread, interrupt_id, answer)
    match result:
        case Given():
            return _print(console, documents.given(thread, interrupt_id, answer, result))
        case Refused():
            _print(console, documents.refused(result))
            return REFUSED
        case _:
            assert_never(result)


def _screen(options: argparse.Namespace, desk: Desk, console: Console) -> int:
    # The screen is loaded only when there is one to show: scripts start faster without it.
    from examples.email_assistant.inbox.app import InboxApp, Timing  # noqa: PLC0415
    from examples.email_assistant.inbox.pages import told  # noqa: PLC0415

    app = InboxApp(desk, Timing(undo=options.undo, poll=options.poll))
    app.run()
    for event in app.session.events:
        console.print(f"{event.moment:%H:%M:%S}  {told(event)}", markup=False, highlight=False)
    console.print(f"{len(app.session.waiting)} waiting for you", markup=False, highlight=False)
    return DONE if app.return_code in {None, 0} else BROKEN


def _list(desk: Desk, console: Console) -> int:
    waiting = desk.waiting()
    for question in waiting:
        console.print(_row(question), markup=False, highlight=False, soft_wrap=True)
    console.print(f"{len(waiting)} waiting for you (open the inbox on a terminal, or use --json)", markup=False, highlight=False)
    return DONE


def _row(question: Waiting) -> str:
    mark = "!" if question.outsiders else " "
    sender = fitted(question.sender, SENDER_WIDTH)
    subject = fitted(question.subject, SUBJECT_WIDTH)
    return f"{mark} {question.since:%Y-%m-%d %H:%M}  {question.kind:<8}  {sender}: {subject}  {line(inert(question.thread))}"


def _print(console: Console, document: str) -> int:
    # Not through print(): it would wrap long lines and colour words.
    console.file.write(document + "\n")
    console.file.flush()
    return DONE


def _seconds(written: str) -> float:
    seconds = float(written)
    if not math.isfinite(seconds) or seconds < 0:
        raise argparse.ArgumentTypeError(f"{written!r} is no number of seconds")
    return seconds
