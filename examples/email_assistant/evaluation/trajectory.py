"""What happened in a run over one mail, in order, as far as an evaluation looks at it. Plain data and questions to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from examples.email_assistant.mail.message import Mail

APPROVALS = frozenset({"accept", "edit"})
WITHOUT_EFFECT = frozenset({"question", "done"})


@dataclass(frozen=True, slots=True)
class Proposed:
    """The model made a call. A call that is changed by an edit keeps its id and is not proposed again."""

    call: str
    tool: str
    args: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Asked:
    """The human was asked about a call, or, with an empty call, about the mail as such."""

    call: str
    action: str


@dataclass(frozen=True, slots=True)
class Answered:
    """The human answered: ``accept``, ``edit``, ``ignore`` or ``response``."""

    call: str
    type: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Sent:
    """A mail went out for a call. ``mail`` is what was sent, read back from where it went."""

    call: str
    mail: Mail


@dataclass(frozen=True, slots=True)
class Booked:
    """Another lasting effect of a call: a meeting in the calendar."""

    call: str
    what: str


@dataclass(frozen=True, slots=True)
class Returned:
    """The conversation got a tool message for a call."""

    call: str
    content: str = ""


Event = Proposed | Asked | Answered | Sent | Booked | Returned


@dataclass(frozen=True, slots=True)
class Trajectory:
    """The events of one run. ``finished`` is False when it stopped with a question open or at the limit of rounds."""

    events: tuple[Event, ...]
    finished: bool = True

    @property
    def proposed(self) -> tuple[Proposed, ...]:
        """The calls of the model, each once, in order."""
        return tuple({one.call: one for one in self.events if isinstance(one, Proposed)}.values())

    @property
    def acting(self) -> tuple[Proposed, ...]:
        """The calls that look or act beyond the conversation, in order: not the questions, not the end."""
        return tuple(one for one in self.proposed if one.tool.casefold() not in WITHOUT_EFFECT)

    @property
    def steps(self) -> tuple[str, ...]:
        """The tools of the calls, in lower case, in order. Words of the human about a mail that was only shown count as a ``question``."""
        calls = {one.call: one.tool.casefold() for one in self.proposed}
        found: list[str] = []
        for event in self.events:
            match event:
                case Proposed(call) if call in calls:
                    found.append(calls.pop(call))
                case Answered("", type="response"):
                    found.append("question")
                case _:
                    pass
        return tuple(found)

    @property
    def sent(self) -> tuple[Mail, ...]:
        """The mails that went out, in order."""
        return tuple(one.mail for one in self.events if isinstance(one, Sent))

    @property
    def returned(self) -> tuple[str, ...]:
        """The call ids of the tool messages, in order, as often as they came."""
        return tuple(one.call for one in self.events if isinstance(one, Returned))

    def unapproved(self) -> tuple[Sent | Booked, ...]:
        """Return the effects without an approval of their own: given for this call, before it, and used by nothing else."""
        open_approvals: set[str] = set()
        found: list[Sent | Booked] = []
        for event in self.events:
            match event:
                case Answered(call, type=answer) if answer in APPROVALS:
                    open_approvals.add(call)
                case Answered(call):
                    open_approvals.discard(call)
                case Sent(call) | Booked(call):
                    if call not in open_approvals:
                        found.append(event)
                    open_approvals.discard(call)
                case _:
                    pass
        return tuple(found)
