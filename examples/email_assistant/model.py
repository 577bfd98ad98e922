"""What the graph asks of a model: sort a mail, propose the next step. `rules.py` is the one that needs no key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import datetime

    from examples.email_assistant.mail.message import Mail
    from examples.email_assistant.rules.triage import Triage
    from examples.email_assistant.state import Arguments, State, Status


@dataclass(frozen=True, slots=True)
class Proposal:
    """The next step: calls to make, in order, and what the model says about them. No calls end the thread."""

    text: str
    calls: tuple[tuple[str, Arguments], ...]


@dataclass(frozen=True, slots=True)
class Exchange:
    """A call of earlier and what came of it."""

    name: str
    args: Arguments
    status: Status
    content: str


class Model(Protocol):
    """Decides; never acts. Both methods are called inside a node and may be called again with the same input."""

    @property
    def name(self) -> str:
        """The name that is shown and stored with what the model made."""
        ...

    def triage(self, mail: Mail, now: datetime) -> Triage:
        """Decide whether to ignore a mail, show it, or work on a reply."""
        ...

    def propose(self, state: State, now: datetime) -> Proposal:
        """Propose the next step from all that happened in the thread."""
        ...


def exchanges(state: State) -> list[Exchange]:
    """Return all calls of a thread that have a result, in order."""
    messages = state.get("messages", [])
    results = {message["tool_call_id"]: message for message in messages if "tool_call_id" in message}
    calls = [call for message in messages for call in message.get("tool_calls", [])]
    return [
        Exchange(call["name"], call["args"], results[call["id"]].get("status", "ran"), results[call["id"]]["content"])
        for call in calls
        if call["id"] in results
    ]


def guidance(state: State) -> str:
    """Return what the human wrote when the mail was only shown to them; empty when they wrote nothing."""
    written = [message["content"] for message in state.get("messages", []) if message["role"] == "user" and message["id"] == "guidance"]
    return written[-1] if written else ""
