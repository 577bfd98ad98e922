"""Tools: functions that a model may call, and the node that calls them."""

from __future__ import annotations

from graphkit.tools.condition import tools_condition
from graphkit.tools.inject import InjectedState, InjectedStore, InjectedToolCallId
from graphkit.tools.node import ToolNode
from graphkit.tools.policy import HandleErrors
from graphkit.tools.request import ToolCallRequest
from graphkit.tools.result import Result, content_of
from graphkit.tools.runtime import ToolRuntime
from graphkit.tools.spec import ToolSpec, tool_spec
from graphkit.tools.tool import Tool, tool

__all__ = [
    "HandleErrors",
    "InjectedState",
    "InjectedStore",
    "InjectedToolCallId",
    "Result",
    "Tool",
    "ToolCallRequest",
    "ToolNode",
    "ToolRuntime",
    "ToolSpec",
    "content_of",
    "tool",
    "tool_spec",
    "tools_condition",
]
