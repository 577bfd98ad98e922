"""What the server does with a request, in words that are the same for every wire format."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

Format: TypeAlias = Literal["messages", "chat", "responses"]
"""Anthropic's Messages, OpenAI's Chat Completions, OpenAI's Responses."""
Stop: TypeAlias = Literal["end", "tool_calls", "max_tokens", "stop_sequence", "refusal", "pause"]


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer of the model.

    Args:
        text: What it says.
        tool_calls: What it calls: ``{"name", "args"}`` and an ``id`` if it matters; ``args`` as a string is sent as it is, for
            arguments that break off or are no JSON.
        reasoning: What it thinks first; the server checks that it comes back unchanged, or not at all.
        stop: Why it stops; by default "tool_calls" or "end".
        usage: Tokens: ``input``, ``output``, ``cache_read``, ``cache_creation``, ``reasoning``.
    """

    text: str = ""
    tool_calls: Sequence[Mapping[str, Any]] = field(default=(), kw_only=True)
    reasoning: str = field(default="", kw_only=True)
    stop: Stop | None = field(default=None, kw_only=True)
    usage: Mapping[str, int] = field(default_factory=lambda: {"input": 10, "output": 5}, kw_only=True)

    @property
    def why(self) -> Stop:
        """Why it stops."""
        return self.stop or ("tool_calls" if self.tool_calls else "end")


@dataclass(frozen=True, slots=True)
class Failure:
    """An error, in the body that the provider would send.

    Args:
        status: The HTTP status.
        message: What the provider says.
        kind: Its name for it (``error.type`` at Anthropic, ``error.code`` at OpenAI); by default the usual one of the status.
        headers: More headers, ``{"retry-after": "2"}`` for one.
        body: This text instead of a body of the provider's form.
        midway: Send it as an event of a stream that has begun with status 200; only for requests that stream.
    """

    status: int
    message: str = "It did not work."
    kind: str | None = field(default=None, kw_only=True)
    headers: Mapping[str, str] = field(default_factory=dict, kw_only=True)
    body: str | None = field(default=None, kw_only=True)
    midway: bool = field(default=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Cut:
    """A connection that is lost.

    Args:
        reply: What would have been sent.
        after: How many bytes of the body arrive.
        quietly: End the body as if it were complete, instead of breaking the connection.
    """

    reply: Reply
    after: int
    quietly: bool = False


@dataclass(frozen=True, slots=True)
class Garbled:
    """An answer of which one event, or the whole body, is no JSON.

    Args:
        reply: What would have been sent.
        event: Which event of a stream, from 0.
    """

    reply: Reply
    event: int = 0


@dataclass(frozen=True, slots=True)
class Stall:
    """No answer, until the client gives up or the server is closed.

    Args:
        reply: Of a stream, what would have been sent.
        after: How many events of it are sent first.
    """

    reply: Reply = field(default_factory=Reply)
    after: int = 0


@dataclass(frozen=True, slots=True)
class Turn:
    """A message of a request, in words that are the same for every wire format.

    Args:
        role: "system", "user", "assistant" or "tool".
        text: What it says.
        tool_calls: What it calls: ``{"name", "args", "id"}``.
        tool_call_id: The call it answers.
    """

    role: str
    text: str
    tool_calls: tuple[Mapping[str, Any], ...] = ()
    tool_call_id: str | None = None


@dataclass(frozen=True, slots=True)
class Received:
    """A request that was accepted or refused.

    Args:
        format: Its wire format.
        path: Its path.
        body: Its body.
        headers: Its headers, names in lower case.
        turns: Its conversation.
        tools: The names of its tools.
        refusal: Why it was refused; None if it was not.
    """

    format: Format
    path: str
    body: dict[str, Any]
    headers: Mapping[str, str]
    turns: tuple[Turn, ...]
    tools: tuple[str, ...]
    refusal: str | None = None


Step: TypeAlias = Reply | Failure | Cut | Garbled | Stall | str | Sequence[Mapping[str, Any]]
"""What to do with a request; a string is a Reply that says it, a list of calls a Reply that makes them."""
Script: TypeAlias = Sequence[Step] | Callable[[Received], Step]
