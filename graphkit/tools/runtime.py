"""What a tool can reach of the run it is called in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic

from typing_extensions import TypeVar

from graphkit.core.record import record
from graphkit.scope import ExecutionInfo, Scope, config_of, current, runtime_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from graphkit.tools.tool import Tool

ContextT = TypeVar("ContextT", default=Any)
StateT = TypeVar("StateT", default=Any)


@record
class ToolRuntime(Generic[ContextT, StateT]):
    """What a parameter annotated with ``ToolRuntime`` gets; a model does not see such a parameter.

    Args:
        state: The graph's state, as ToolNode got it; None where there is none.
        context: The object passed as ``context=``.
        config: The config of the run; changing it changes nothing.
        stream_writer: Writes to ``stream_mode="custom"``.
        tool_call_id: The call that is being answered; None for a tool that code calls.
        store: The store the graph was compiled with.
        tools: The tools of the ToolNode.
        execution_info: Ids of the running task; None outside of a run.
    """

    state: StateT
    context: ContextT
    config: Mapping[str, Any]
    stream_writer: Callable[[object], None]
    tool_call_id: str | None
    store: Any
    tools: Sequence[Tool] = ()
    execution_info: ExecutionInfo | None = None


def runtime_for(
    state: object, config: Mapping[str, Any] | None, tools: Sequence[Tool] = (), call_id: str | None = None
) -> ToolRuntime[Any, Any]:
    """Return the runtime of a call made by the running code.

    Args:
        state: What the tool sees as the state.
        config: Used where no graph runs.
        tools: The tools at hand.
        call_id: The call.
    """
    scope = current()
    if scope is None:
        return ToolRuntime(state, None, config or {}, _nowhere, call_id, None, tools)
    found = runtime_of(scope)  # type: ignore[var-annotated]
    return ToolRuntime(
        state, found.context, config_of(scope), found.stream_writer, call_id, found.store, tools, found.execution_info
    )  # fmt: skip


def state_seen() -> object:
    """Return what the running node sees of the state; None outside of a run."""
    scope = current()
    return scope.seen if scope is not None else None


def graph_state(scope: Scope) -> dict[str, Any]:
    """Return the graph's state as it was before the present superstep, for a node whose input is another one."""
    return dict(scope.task.checkpoint.values)


def _nowhere(data: object) -> None:
    """Write for nobody."""
