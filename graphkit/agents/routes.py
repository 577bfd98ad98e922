"""Where an agent goes next: pure functions of the state."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from graphkit.agents.settle import is_over
from graphkit.agents.transcript import messages_of, open_calls
from graphkit.core.command import END, Send
from graphkit.messages import ToolMessage, last_ai_message

if TYPE_CHECKING:
    from graphkit.agents.policy import Reviews
    from graphkit.messages import AIMessage


@dataclass(frozen=True, slots=True)
class Turn:
    """How many supersteps it takes to go on after the model has called tools.

    Args:
        calls: Until the calls have their tool messages.
        reply: From there until the model's reply has ended the run.
        direct: Tools whose result ends the run without a reply.
    """

    calls: int
    reply: int
    direct: frozenset[str]

    def is_too_long(self, answer: AIMessage, remaining: int | None) -> bool:
        """Tell whether the steps that are left do not do for the calls of an answer and for what the model says to them."""
        if remaining is None or not (answer.tool_calls or answer.invalid_tool_calls):
            return False
        ends = not answer.invalid_tool_calls and all([call["name"] in self.direct for call in answer.tool_calls])
        return remaining < self.calls + (0 if ends else self.reply)


@dataclass(frozen=True, slots=True)
class Routes:
    """The routers of an agent.

    Args:
        begin: Where a turn begins: the model, or the hook before it.
        end: Where the run ends: END, or the structured answer.
        has_tools: Whether there is a tools node.
        reviews: What is reviewed, None for nothing.
        direct: Tools whose result ends the run.
        each: Whether each call is a task of its own.
    """

    begin: str
    end: str
    has_tools: bool
    reviews: Reviews | None
    direct: frozenset[str]
    each: bool

    def after_model(self, state: Any) -> str | list[Send]:  # noqa: ANN401 - any state that has messages
        """Go to the review, to the tools, back to the model if every call is answered already, or to the end."""
        messages = messages_of(state)
        message = last_ai_message(messages)
        if message is None:
            return self.end
        calls = open_calls(messages, message)
        if not calls:
            return self.begin if isinstance(messages[-1], ToolMessage) and self.has_tools else self.end
        if not self.has_tools:
            return self.end
        if self.reviews is not None:
            return "review" if any([call["name"] in self.reviews.tools for call in calls]) else "tools"
        return [Send("tools", [call]) for call in calls] if self.each else "tools"

    def after_tools(self, state: Any) -> str:  # noqa: ANN401 - any state that has messages
        """End after an ignored call or a tool that returns directly; else the model goes on."""
        messages = messages_of(state)
        message = last_ai_message(messages)
        if message is None:
            return self.begin
        if self.reviews is not None and is_over(state):
            return END
        last = messages[-1]
        if isinstance(last, ToolMessage) and last.status == "error" and last.name in self.direct:
            return self.begin
        return END if any([call["name"] in self.direct for call in message.tool_calls]) else self.begin
