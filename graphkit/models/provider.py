"""The port to a model: what is asked of it, and the four ways of asking. One provider serves one model."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator, Mapping

    from graphkit.messages import AIMessage, AIMessageChunk, AnyMessage
    from graphkit.tools import ToolSpec

TOOL_CHOICES = frozenset({"auto", "any", "none"})
"""What a tool choice may be besides the name of a tool."""


@dataclass(frozen=True, slots=True)
class Output:
    """The form an answer must have: JSON that fits a schema.

    Args:
        name: What to call it: letters, digits, ``_`` and ``-``.
        schema: A JSON schema of an object.
        description: What it is for; the model reads it.
    """

    name: str
    schema: Mapping[str, Any]
    description: str = ""


@dataclass(frozen=True, slots=True)
class ModelRequest:
    """What a model is asked.

    Args:
        messages: The conversation: complete, in order, checked.
        tools: What the model may call; a mapping is a tool of the provider's own, passed as it is.
        tool_choice: "auto" lets the model choose, "any" makes it call a tool, "none" forbids it, a name makes it call that tool.
            None leaves it to the provider.
        parallel_tool_calls: Whether several calls may come in one answer. None leaves it to the provider.
        output: The form of the answer, if it has to have one.
        settings: ``temperature``, ``max_tokens`` and so on; each provider knows its own.
    """

    messages: tuple[AnyMessage, ...]
    tools: tuple[ToolSpec | Mapping[str, Any], ...] = ()
    tool_choice: str | None = None
    parallel_tool_calls: bool | None = None
    output: Output | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)


class Provider(Protocol):
    """Answers requests of one model. Safe to use from several threads and event loops.

    Every method raises ModelError and its subclasses, and nothing else, for what goes wrong between here and the model.
    An answer has ``provider``, ``model`` and ``stop_reason`` in its response metadata.
    """

    @property
    def name(self) -> str:
        """Provider and model, as in "anthropic:claude-sonnet-5"."""
        ...

    @property
    def settings(self) -> frozenset[str]:
        """The names of the settings it knows."""
        ...

    @property
    def structured_method(self) -> str:
        """How it is best asked for JSON: "tool" or "json_schema"."""
        ...

    def generate(self, request: ModelRequest) -> AIMessage:
        """Return the whole answer."""
        ...

    async def agenerate(self, request: ModelRequest) -> AIMessage:
        """As ``generate``."""
        ...

    def stream(self, request: ModelRequest) -> Generator[AIMessageChunk, None, None]:
        """Yield the answer as it comes; the pieces together are what ``generate`` returns."""
        ...

    def astream(self, request: ModelRequest) -> AsyncGenerator[AIMessageChunk, None]:
        """As ``stream``."""
        ...

    def close(self) -> None:
        """Give connections back; a later request opens new ones."""
        ...

    async def aclose(self) -> None:
        """As ``close``, and also the connections of the running event loop."""
        ...
