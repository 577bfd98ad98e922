"""What one thread of the assistant knows: the state of the graph and the shapes in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal, NotRequired, TypedDict

from examples.email_assistant.mail.message import Mail
from examples.email_assistant.rules.triage import Triage

AnswerType = Literal["accept", "edit", "ignore", "response"]
Status = Literal["ran", "answered", "feedback", "ignored", "skipped", "error"]
Arguments = dict[str, str | int | list[str]]
"""The arguments of a tool, as JSON has them."""


class ToolCall(TypedDict):
    """A call that a model proposes; its id is unique in the thread."""

    id: str
    name: str
    args: Arguments


class Message(TypedDict):
    """A message of the conversation: of the mail or the human (user), the model (assistant) or a tool."""

    id: str
    role: Literal["user", "assistant", "tool"]
    content: str
    tool_calls: NotRequired[list[ToolCall]]
    tool_call_id: NotRequired[str]
    status: NotRequired[Status]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a human said about one call; ``text`` are their words for a response."""

    type: AnswerType
    text: str = ""


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What came of a call: words for the conversation, and the file it left, if any."""

    content: str
    status: Status = "ran"
    file: str = ""


def merge_messages(current: list[Message], new: list[Message]) -> list[Message]:
    """Put new messages behind the old ones; one with a known id takes the place of the old one."""
    merged = {message["id"]: message for message in current}
    merged.update({message["id"]: message for message in new})
    return list(merged.values())


class State(TypedDict, total=False):
    """The state of a thread. One thread works on one mail.

    ``verdicts`` are those of the calls that wait to be executed, by call id; ``results`` those of all calls so far.
    """

    thread: str
    mail: Mail
    model: str
    triage: Triage
    messages: Annotated[list[Message], merge_messages]
    verdicts: dict[str, Verdict]
    results: dict[str, ToolResult]
    outcome: str


def last_calls(state: State) -> list[ToolCall]:
    """Return the calls of the last message of the model; empty when it made none."""
    own = [message for message in state.get("messages", []) if message["role"] == "assistant"]
    return own[-1].get("tool_calls", []) if own else []


def redrafts(state: State) -> int:
    """Return how often a human sent a proposal back."""
    return sum(message.get("status") == "feedback" for message in state.get("messages", []))
