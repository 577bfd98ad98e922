"""What one thread of the assistant knows: the state of the graph, and questions about it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal, NamedTuple

from examples.email_assistant.mail.message import Mail
from examples.email_assistant.sorting import Triage
from graphkit import AIMessage, HumanMessage, MessagesState, ToolMessage
from graphkit.agents import Verdict
from graphkit.messages import ToolCall

if TYPE_CHECKING:
    from collections.abc import Sequence

    from graphkit.messages import AnyMessage, InvalidToolCall

Fate = Literal["ran", "answered", "feedback", "ignored", "error"]
"""What came of a call: it ran; a human answered the question it was; sent it back with words; ignored it; it could not run."""

GUIDANCE = "guidance"
"""Id of the message with what a human wrote when a mail was only shown to them."""


class State(MessagesState, total=False):
    """The state of a thread. One thread works on one mail.

    ``proposed`` are the calls of the last AI message as the model made them, ``verdicts`` what was decided about them, by call id.
    """

    thread: str
    mail: Mail
    model: str
    triage: Triage
    proposed: dict[str, ToolCall]
    verdicts: dict[str, Verdict]
    outcome: str


class Exchange(NamedTuple):
    """A call of earlier and what came of it; ``words`` are the human's, for an answer or feedback."""

    call: ToolCall
    fate: Fate
    content: str
    words: str


def exchanges(messages: list[AnyMessage]) -> list[Exchange]:
    """Return all calls of a conversation that have a tool message, in order."""
    results = {message.tool_call_id: message for message in messages if isinstance(message, ToolMessage)}
    calls = [call for message in messages if isinstance(message, AIMessage) for call in message.tool_calls]
    return [_exchange(call, results[call["id"]]) for call in calls if call["id"] in results]


def guidance(messages: list[AnyMessage]) -> str:
    """Return what the human wrote when the mail was only shown to them; empty when they wrote nothing."""
    return next((message.text for message in reversed(messages) if isinstance(message, HumanMessage) and message.id == GUIDANCE), "")


def files(messages: list[AnyMessage]) -> list[str]:
    """Return what the tools left in the world, as they name it: files, or Message-IDs of mail that was sent."""
    artifacts = [message.artifact for message in messages if isinstance(message, ToolMessage) and message.status == "success"]
    return [artifact["file"] for artifact in artifacts if isinstance(artifact, dict) and "file" in artifact]


def with_own_ids(message: AIMessage, earlier: Sequence[AIMessage]) -> AIMessage:
    """Return a message whose calls have ids that no other call of the thread has: an id stands for one effect.

    Some local servers number the calls of each answer anew.
    """
    taken = {call["id"] for one in earlier for call in _calls(one)}
    if taken.isdisjoint(ids := [call["id"] for call in _calls(message)]) and len({*ids}) == len(ids):
        return message
    tool_calls, broken = [call.copy() for call in message.tool_calls], [call.copy() for call in message.invalid_tool_calls]
    for call in (*tool_calls, *broken):
        given, number = call["id"], 2
        while call["id"] in taken:
            call["id"], number = f"{given}-{number}", number + 1
        taken.add(call["id"])
    return replace(message, tool_calls=tool_calls, invalid_tool_calls=broken)


def _calls(message: AIMessage) -> list[ToolCall | InvalidToolCall]:
    return [*message.tool_calls, *message.invalid_tool_calls]


def _exchange(call: ToolCall, result: ToolMessage) -> Exchange:
    decided, words = result.additional_kwargs.get("review"), result.additional_kwargs.get("words", "")
    fate: Fate
    match decided:
        case "response":
            fate = "answered" if call["name"] == "question" else "feedback"
        case "ignore":
            fate = "ignored"
        case _:
            fate = "ran" if result.status == "success" else "error"
    return Exchange(call, fate, result.text, words)
