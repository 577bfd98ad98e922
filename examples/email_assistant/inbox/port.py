"""What the inbox needs of an assistant. The screen and the command line know these names and nothing of the graph behind them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, TypedDict

from examples.email_assistant.errors import AssistantError
from graphkit.errors import GraphkitError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

AnswerType = Literal["accept", "edit", "ignore", "response"]
ANSWERS: tuple[AnswerType, ...] = ("accept", "edit", "response", "ignore")
KINDS: Mapping[str, str] = {"write_email": "mail", "schedule_meeting": "meeting", "question": "question"}
Value = str | int | list[str]
Arguments = dict[str, Value]
"""The arguments of a proposed call, as JSON has them."""


class Edited(TypedDict):
    """What an edit carries: the action it is about, unchanged, and all its arguments."""

    action: str
    args: Arguments


class Answer(TypedDict):
    """What a human says: words for a response, arguments for an edit, None for the others."""

    type: AnswerType
    args: str | Edited | None


class ActionRequest(TypedDict):
    """What a question is about."""

    action: str
    args: Arguments


class AllowedAnswers(TypedDict):
    """Which answers a question takes."""

    allow_ignore: bool
    allow_respond: bool
    allow_edit: bool
    allow_accept: bool


class Request(TypedDict):
    """A question in the form that review screens for LangGraph read."""

    action_request: ActionRequest
    config: AllowedAnswers
    description: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """A question that waits for a human.

    Args:
        thread: The thread that asks.
        interrupt_id: The question's id; it never stands for another question.
        action: The tool that wants to run, or a label when a mail is only shown.
        args: The proposed arguments; empty for a label.
        allowed: The answers it takes.
        description: The question in words, as markdown. Parts of it come from the mail: untrusted.
        subject: Of the mail. Untrusted.
        sender: Of the mail, as in its header. Untrusted.
        since: When it was asked; has a time zone.
        redrafts: How often a proposal was sent back before.
        outsiders: Recipients that are not part of the conversation, as addresses.
    """

    thread: str
    interrupt_id: str
    action: str
    args: Arguments
    allowed: frozenset[AnswerType]
    description: str
    subject: str
    sender: str
    since: datetime
    redrafts: int = 0
    outsiders: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        """One word for the action, as a list shows it."""
        return KINDS.get(self.action, self.action if self.args or not self.allowed else "notice")


@dataclass(frozen=True, slots=True)
class Original:
    """The mail a thread works on, as its sender wrote it: all of it is untrusted."""

    sender: str
    to: tuple[str, ...]
    cc: tuple[str, ...]
    subject: str
    date: datetime | None
    body: str
    attachments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Said:
    """One entry of a conversation."""

    role: str
    text: str


@dataclass(frozen=True, slots=True)
class Given:
    """An answer was taken.

    Args:
        files: What the assistant wrote because of it.
        outcome: Where its thread stands now, in words.
        following: The questions the thread asks next.
    """

    files: tuple[str, ...]
    outcome: str
    following: tuple[Waiting, ...] = ()


@dataclass(frozen=True, slots=True)
class Refused:
    """An answer was not taken, or the assistant stopped behind it.

    Args:
        code: A word for programs.
        message: What happened.
        hint: What to do.
        is_pending: True when the question still waits for an answer.
    """

    code: str
    message: str
    hint: str
    is_pending: bool


class Desk(Protocol):
    """An assistant as the inbox sees it. Calls may come from any thread, answers one at a time.

    All but ``answer`` raise GraphkitError or AssistantError when the saved state cannot be read.
    """

    @property
    def model(self) -> str:
        """The name of the model that made the proposals."""
        ...

    def waiting(self) -> tuple[Waiting, ...]:
        """Return what waits in all threads, oldest first."""
        ...

    def original(self, thread: str) -> Original:
        """Return the mail of a thread."""
        ...

    def conversation(self, thread: str) -> tuple[Said, ...]:
        """Return what was said in a thread so far, oldest first."""
        ...

    def outsiders(self, thread: str, args: Arguments) -> tuple[str, ...]:
        """Return the recipients among arguments that are not part of the conversation."""
        ...

    def objection(self, question: Waiting, answer: Answer) -> Refused | None:
        """Tell why an answer cannot be given, None when it can. Nothing is given yet."""
        ...

    def answer(self, thread: str, interrupt_id: str, answer: Answer) -> Given | Refused:
        """Give an answer and run the thread to its next question or its end."""
        ...


def refusal(error: Exception, *, is_pending: bool) -> Refused:
    """Return an error as data: its code, what happened and what to do."""
    match error:
        case GraphkitError():
            return Refused(error.code, error.message, error.hint or "", is_pending)
        case AssistantError():
            return Refused(_dashed(type(error).__name__.removesuffix("Error")), error.message, error.hint, is_pending)
        case _:
            return Refused("failed", f"{type(error).__name__}: {error}", "", is_pending)


def allowed_words(allowed: Iterable[AnswerType]) -> str:
    """Return answers as words, in the order of the screen."""
    chosen = frozenset(allowed)
    return ", ".join(answer for answer in ANSWERS if answer in chosen)


def _dashed(name: str) -> str:
    return "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in name).strip("-")
