"""The last check before a reviewed tool runs: the arguments it is called with are the ones that were approved.

Code between the approval and the tool, such as ``wrap_tool_call``, cannot change them.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from graphkit.agents.state import value_of
from graphkit.agents.verdict import digest_of
from graphkit.errors import ActionChangedError
from graphkit.messages import ToolCall
from graphkit.tools import Tool

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from graphkit.tools import ToolNode, ToolRuntime


@dataclass(frozen=True, slots=True, eq=False)
class ReviewedTool(Tool):
    """A tool that only runs with arguments that a verdict in the state has the digest of.

    Args:
        verdicts_key: Where the state has the verdicts.
    """

    verdicts_key: str = "verdicts"

    def run(self, args: Mapping[str, Any], runtime: ToolRuntime[Any, Any]) -> Any:  # noqa: ANN401 - as Tool
        """As Tool.

        Raises:
            ActionChangedError: The arguments are not the approved ones; the function was not called.
        """
        self._require_approved(args, runtime)
        return Tool.run(self, args, runtime)

    async def arun(self, args: Mapping[str, Any], runtime: ToolRuntime[Any, Any]) -> Any:  # noqa: ANN401 - as Tool
        """As ``run``."""
        self._require_approved(args, runtime)
        return await Tool.arun(self, args, runtime)

    def _require_approved(self, args: Mapping[str, Any], runtime: ToolRuntime[Any, Any]) -> None:
        identity = runtime.tool_call_id or ""
        verdict = (value_of(runtime.state, self.verdicts_key) or {}).get(identity)
        if verdict is None or verdict.digest != digest_of(ToolCall(name=self.name, args=dict(args), id=identity)):
            raise changed(identity, self.name, "its arguments changed on the way to the tool")


def guarded(node: ToolNode, reviewed: Collection[str], verdicts_key: str) -> ToolNode:
    """Return a ToolNode like ``node`` whose reviewed tools check what they run."""
    made = copy(node)
    made.tools_by_name = {
        name: _reviewed(tool, verdicts_key) if name in reviewed else tool for name, tool in node.tools_by_name.items()
    }  # fmt: skip
    return made


def changed(call_id: str, tool: str, why: str) -> ActionChangedError:
    """Return the error for a call that is not the one that was approved."""
    return ActionChangedError(
        f"The call {call_id!r} of {tool!r} would not run as it was approved: {why}. It has not run.",
        hint="Run the thread again from the message with the call, so that it is reviewed anew.",
        tool_call_id=call_id,
        tool=tool,
    )


def _reviewed(tool: Tool, verdicts_key: str) -> ReviewedTool:
    return ReviewedTool(**{field.name: getattr(tool, field.name) for field in fields(tool)}, verdicts_key=verdicts_key)
