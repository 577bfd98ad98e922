"""The terminal: shows questions, takes answers, and tells what happened."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.console import Group
from rich.markup import escape
from rich.panel import Panel
from rich.prompt import Prompt
from rich.text import Text

from examples.email_assistant.assistant import Answer
from examples.email_assistant.review import NOTIFY, allowed_answers
from examples.email_assistant.state import exchanges, files

if TYPE_CHECKING:
    from rich.console import Console

    from examples.email_assistant.assistant import Arguments, Asked, Reply, Work
    from examples.email_assistant.errors import InvalidReplyError
    from examples.email_assistant.mail.maildir import Unreadable
    from graphkit.agents import AnswerType

# A mail could move the cursor, clear the screen or turn text around, and so make a question look like another one.
UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
LATER = "later"
LABEL_STYLES = {"ignore": "dim", "notify": "yellow", "respond": "green"}
LONGEST_LINE = 100


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody at the terminal.

    Args:
        console: Where to ask.
    """

    console: Console

    def answer(self, asked: Asked) -> Answer | None:
        """Show a question and return what the person says; None when they want to decide later."""
        title = "Shown to you" if asked.action == NOTIFY else f"Approve: {asked.action}"
        self.console.print(Panel(Text(printable(asked.request["description"])), title=title, title_align="left", border_style="yellow"))
        kind = self._choose(allowed_answers(asked.request))
        return None if kind is None else Answer(type=kind, args=self._args(kind, asked))

    def refused(self, asked: Asked, error: InvalidReplyError) -> None:  # noqa: ARG002 - the question is shown again anyway
        """Tell the person why their answer was not taken."""
        self.console.print(Text(printable(str(error)), style="red"))

    def _choose(self, allowed: list[AnswerType]) -> AnswerType | None:
        chosen = Prompt.ask("Your answer", choices=[*allowed, LATER], default=LATER, console=self.console)
        return next((kind for kind in allowed if kind == chosen), None)

    def _args(self, kind: AnswerType, asked: Asked) -> str | Arguments | None:
        match kind:
            case "response":
                return self._lines("Your words")
            case "edit":
                return self._edited(asked.request["action_request"]["args"])
            case _:
                return None

    def _edited(self, args: Arguments) -> Arguments:
        self.console.print("Each argument in turn; an empty line keeps what is there.", style="dim")
        edited = dict(args)
        for name, value in args.items():
            if name == "content":
                edited[name] = self._lines("content") or value
            else:
                shown = ", ".join(value) if isinstance(value, list) else str(value)
                said = Prompt.ask(escape(name), default=printable(shown), console=self.console)
                edited[name] = _as_before(said, value)
        return edited

    def _lines(self, name: str) -> str:
        self.console.print(f"{name} (end with a line that has only a full stop):", style="dim")
        lines: list[str] = []
        while (line := self.console.input()) != ".":
            if not line and not lines:
                break
            lines.append(line)
        return "\n".join(lines)


def _as_before(said: str, value: object) -> object:
    """Return what was typed in the type the argument had."""
    if isinstance(value, list):
        return [part.strip() for part in said.split(",") if part.strip()]
    return int(said) if isinstance(value, int) and said.strip().isdecimal() else said


def show_work(console: Console, work: Work) -> None:
    """Print one mail and what happened to it in this run."""
    state = work.state
    if work.progress == "duplicate":
        console.print(_line("same mail", work.mail.sender.name or work.mail.sender.address, work.mail.subject, "dim"))
        console.print(Text(f"    worked on already as {state['mail'].file}", style="dim"))
        return
    triage = state["triage"]
    console.print(_line(triage.label, work.mail.sender.name or work.mail.sender.address, work.mail.subject, LABEL_STYLES[triage.label]))
    if work.progress == "finished before":
        console.print(Text(f"    finished in an earlier run: {state['outcome']}", style="dim"))
        return
    console.print(Text(f"    because   {_short(triage.reasons[0])}", style="dim"))
    for reply in work.replies:
        console.print(Text(f"    {_told(reply)}", style="yellow" if reply.answer is None else ""))
    for file in files(state.get("messages", [])):
        console.print(Text(f"    written   {file}", style="green"))
    for exchange in exchanges(state.get("messages", [])):
        if exchange.fate == "error":
            console.print(Text(f"    failed    {_short(exchange.content)}", style="red"))
    if state["outcome"].startswith("left to you"):
        console.print(Text(f"    {state['outcome']}", style="yellow"))


def show_unreadable(console: Console, found: Unreadable) -> None:
    """Print a file of the mailbox that is no mail."""
    console.print(Group(_line("unreadable", found.file, "", "red"), Text(f"    {printable(found.reason)}", style="red")))


def _line(label: str, sender: str, subject: str, style: str) -> Text:
    return Text.assemble((f"{label:<10}", f"bold {style}"), printable(f"{sender}: {subject}" if subject else sender))


def _told(reply: Reply) -> str:
    action = "shown" if reply.asked.action == NOTIFY else f"asked     {reply.asked.action}"
    answer = reply.answer
    if answer is None:
        return f"{action:<28} -> waits for you"
    words = f": {_short(answer['args'])}" if isinstance(answer["args"], str) and answer["args"] else ""
    return f"{action:<28} -> {answer['type']}{words}"


def printable(text: str) -> str:
    """Return text of a mail with everything replaced that a terminal would obey instead of showing."""
    return UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", text)


def _short(text: str) -> str:
    line = " ".join(printable(text).split())
    return line if len(line) <= LONGEST_LINE else line[: LONGEST_LINE - 4] + " ..."
