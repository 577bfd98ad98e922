"""Tools by name, and whether a call can run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from graphkit.agents.verdict import is_json
from graphkit.errors import ToolInvocationError

if TYPE_CHECKING:
    from collections.abc import Callable

    from graphkit.messages import ToolCall
    from graphkit.tools import Tool, ToolNode

Tools: TypeAlias = "Sequence[Tool | Callable[..., Any]] | ToolNode"
"""Tools, functions that are to become tools, or a ToolNode that has them."""


def tools_of(tools: Tools) -> Mapping[str, Tool]:
    """Return tools by name.

    Raises:
        InvalidToolError: Something is no tool, or two have the same name.
    """
    return node_of(tools).tools_by_name if not isinstance(tools, Sequence) or tools else {}


def node_of(tools: Tools, messages_key: str = "messages") -> ToolNode:
    """Return a ToolNode of tools, or the one that was given.

    Raises:
        InvalidToolError: As in tools_of.
    """
    from graphkit.tools import ToolNode  # noqa: PLC0415 - pydantic is only loaded when there are tools

    return tools if isinstance(tools, ToolNode) else ToolNode(tools, messages_key=messages_key)


def problem(call: ToolCall, tools: Mapping[str, Tool]) -> str | None:
    """Return why a call of a known tool cannot run, None if it can; what no tool is known for, can."""
    if not is_json(call["args"]):
        return "The arguments are not what JSON has."
    tool = tools.get(call["name"])
    if tool is None:
        return None
    try:
        tool.check_args(call["args"])
    except ToolInvocationError as error:
        return f"{error.message} {error.hint or ''}".strip()
    return None
