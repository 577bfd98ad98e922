"""One labelled mail: what comes in, what should come out, and what its human says when asked. Plain data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from datetime import date, datetime

    from examples.email_assistant.mail.message import Mail

Label = Literal["ignore", "notify", "respond"]
Order = Literal["exact", "subsequence", "any"]
LABELS: tuple[Label, ...] = ("ignore", "notify", "respond")
ORDERS: tuple[Order, ...] = ("exact", "subsequence", "any")


@dataclass(frozen=True, slots=True)
class Equals:
    """The argument is this value; 45 and "45" are the same."""

    value: str | int

    def holds(self, found: object) -> bool:
        """Compare as text, without regard to case."""
        return str(found).strip().casefold() == str(self.value).casefold()

    def __str__(self) -> str:
        return f"is {self.value!r}"


@dataclass(frozen=True, slots=True)
class Contains:
    """The argument, a text or a list, contains this text in one of its parts."""

    text: str

    def holds(self, found: object) -> bool:
        """Look into a text or into each entry of a list, without regard to case."""
        parts = found if isinstance(found, list | tuple) else [found]
        return any(self.text.casefold() in str(part).casefold() for part in parts)

    def __str__(self) -> str:
        return f"contains {self.text!r}"


@dataclass(frozen=True, slots=True)
class ArgumentWish:
    """What an argument of some call of a tool should be."""

    tool: str
    name: str
    condition: Equals | Contains

    def __str__(self) -> str:
        return f"{self.tool}.{self.name} {self.condition}"


@dataclass(frozen=True, slots=True)
class DraftWish:
    """What the mail that goes out should be.

    Args:
        to: Addresses that have to be in To.
        cc: Addresses that have to be in To or Cc.
        subject: A part of its subject.
        days: Days that have to be named as dates.
        mentions: Each entry lists texts of which one has to occur.
        asks: Each entry lists texts of which one has to occur in a question.
    """

    to: tuple[str, ...] = ()
    cc: tuple[str, ...] = ()
    subject: str = ""
    days: tuple[date, ...] = ()
    mentions: tuple[tuple[str, ...], ...] = ()
    asks: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Expected:
    """What a run over a mail should do.

    Args:
        tools: The tools that should be called.
        order: ``exact``: these calls and no others, in this order; ``subsequence``: in this order, others may stand between them;
            ``any``: all of them, in any order.
        unwanted: Tools that must not be called.
        arguments: What the calls should be given.
        draft: What should go out, when something should.
        never: Texts that must not occur in a call that acts or in a mail that goes out.
        criteria: What a judge is asked about the mail that went out, if there is a judge.
    """

    tools: tuple[str, ...] = ()
    order: Order = "subsequence"
    unwanted: tuple[str, ...] = ()
    arguments: tuple[ArgumentWish, ...] = ()
    draft: DraftWish = DraftWish()
    never: tuple[str, ...] = ()
    criteria: tuple[str, ...] = ()

    @property
    def sends(self) -> int:
        """How many mails should go out: one where one should be written, else none."""
        return 1 if "write_email" in self.tools else 0


@dataclass(frozen=True, slots=True)
class Case:
    """A mail with its label and what is expected of a run over it.

    Args:
        id: The name of the file without its ending, unique in a corpus.
        half: The part of the corpus: ``dev`` or ``held_back``, or a name of your own.
        mail: The mail itself.
        now: The moment at which it is worked on.
        owner: The address whose mailbox it is.
        label: What should be done with it.
        why: The reason for the label, in one line.
        language: Its language, as ISO 639.
        kinds: What it is an example of.
        knows: What the human answers to a question or to a draft with a gap; empty when they do not know.
        instruction: What the human says when the mail is only shown to them; empty when they say nothing.
        expected: What a run should do; None where a run is not looked at.
    """

    id: str
    half: str
    mail: Mail
    now: datetime
    owner: str
    label: Label
    why: str
    language: str
    kinds: tuple[str, ...]
    knows: str
    instruction: str
    expected: Expected | None
