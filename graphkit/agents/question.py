"""What a person is asked about a call, in the form that review screens for LangGraph read.

A question is made of the call and the state alone, so that asking it again asks the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from typing_extensions import TypedDict

if TYPE_CHECKING:
    from collections.abc import Collection

    from graphkit.agents.policy import Allowed, Describe, Review
    from graphkit.messages import ToolCall


class ActionRequest(TypedDict):
    """A call: the tool and its arguments."""

    action: str
    args: dict[str, Any]


class HumanInterruptConfig(TypedDict):
    """Which answers are taken."""

    allow_ignore: bool
    allow_respond: bool
    allow_edit: bool
    allow_accept: bool


class HumanInterrupt(TypedDict):
    """A question. The value of an interrupt is a list with one of these."""

    action_request: ActionRequest
    config: HumanInterruptConfig
    description: str


class HumanResponse(TypedDict):
    """An answer: ``args`` is None, the words of a response, or the ActionRequest of an edit."""

    type: Literal["accept", "ignore", "response", "edit"]
    args: str | ActionRequest | None


def question(call: ToolCall, allowed: Allowed, description: str) -> list[HumanInterrupt]:
    """Return the value to interrupt with."""
    return [
        HumanInterrupt(
            action_request=ActionRequest(action=call["name"], args=call["args"]),
            config=HumanInterruptConfig(
                allow_ignore="ignore" in allowed,
                allow_respond="response" in allowed,
                allow_edit="edit" in allowed,
                allow_accept="accept" in allowed,
            ),
            description=description,
        )
    ]


def description(call: ToolCall, state: object, review: Review, describe: Describe | None, notes: Collection[str]) -> str:
    """Return the text of a question: notes and warnings first, then what the call would do.

    Args:
        call: The call.
        state: The graph's state.
        review: That of the tool.
        describe: For tools that have none of their own.
        notes: What comes before everything else, such as what was wrong with the last answer.
    """
    warnings = [f"**Warning:** {line}" for line in (review.warn(call, state) if review.warn is not None else ())]
    shown = (review.describe or describe or _listed)(call, state)
    return "\n\n".join([*notes, *warnings, shown])


def _listed(call: ToolCall, _state: object) -> str:
    """Short arguments come one a line, longer ones as paragraphs below."""
    short: list[str] = []
    long: list[str] = []
    for name, value in call["args"].items():
        text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
        if "\n" in text or len(text) > 100:
            long.append(f"**{name}:**\n\n{text}")
        else:
            short.append(f"- {name}: {text}")
    return "\n\n".join([f"**{call['name']}**", *(["\n".join(short)] if short else []), *long])
