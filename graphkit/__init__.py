"""State graphs for agents: typed state, supersteps, checkpoints after each of them, questions that wait for people.

The names are LangGraph's. Start with ``StateGraph``, ``START`` and ``END``; add ``interrupt`` and ``Command`` for
human review; compile with a saver (``InMemorySaver`` here, ``checkpointers.sqlite.SqliteSaver`` for a file).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphkit.core.channels import AnyValue, BinaryOperatorAggregate, EphemeralValue, LastValue, Topic, UntrackedValue
from graphkit.core.command import END, START, Command, Interrupt, Overwrite, Send
from graphkit.core.failure import NodeError
from graphkit.graph import (
    CompiledGraph,
    GraphOutput,
    IsLastStep,
    PregelTask,
    RemainingSteps,
    RunOptions,
    StateGraph,
    StateSnapshot,
    StateUpdate,
)
from graphkit.scope import ExecutionInfo, Runtime, get_config, get_runtime, get_store, get_stream_writer, interrupt, once
from graphkit.storage import InMemorySaver, MemorySaver

if TYPE_CHECKING:
    from graphkit.agents import create_react_agent
    from graphkit.core.policy import CachePolicy, RetryPolicy, TimeoutPolicy
    from graphkit.func import entrypoint, task
    from graphkit.messages import (
        REMOVE_ALL_MESSAGES,
        AIMessage,
        AIMessageChunk,
        AnyMessage,
        HumanMessage,
        MessagesState,
        RemoveMessage,
        SystemMessage,
        ToolMessage,
        add_messages,
        trim_messages,
    )
    from graphkit.models import init_chat_model, init_model
    from graphkit.storage import BaseStore, InMemoryStore
    from graphkit.storage.cache import InMemoryCache
    from graphkit.tools import InjectedState, InjectedStore, InjectedToolCallId, ToolNode, ToolRuntime, tool, tools_condition

__version__ = "0.1.0"

_LATER = {
    "graphkit.core.policy": ("CachePolicy", "RetryPolicy", "TimeoutPolicy"),
    "graphkit.agents": ("create_react_agent",),
    "graphkit.func": ("entrypoint", "task"),
    "graphkit.messages": (
        "REMOVE_ALL_MESSAGES",
        "AIMessage",
        "AIMessageChunk",
        "AnyMessage",
        "HumanMessage",
        "MessagesState",
        "RemoveMessage",
        "SystemMessage",
        "ToolMessage",
        "add_messages",
        "trim_messages",
    ),
    "graphkit.models": ("init_chat_model", "init_model"),
    "graphkit.storage": ("BaseStore", "InMemoryStore"),
    "graphkit.storage.cache": ("InMemoryCache",),
    "graphkit.tools": ("InjectedState", "InjectedStore", "InjectedToolCallId", "ToolNode", "ToolRuntime", "tool", "tools_condition"),
}
"""Names whose package is imported when one of them is first used."""

__all__ = [
    "END",
    "REMOVE_ALL_MESSAGES",
    "START",
    "AIMessage",
    "AIMessageChunk",
    "AnyMessage",
    "AnyValue",
    "BaseStore",
    "BinaryOperatorAggregate",
    "CachePolicy",
    "Command",
    "CompiledGraph",
    "EphemeralValue",
    "ExecutionInfo",
    "GraphOutput",
    "HumanMessage",
    "InMemoryCache",
    "InMemorySaver",
    "InMemoryStore",
    "InjectedState",
    "InjectedStore",
    "InjectedToolCallId",
    "Interrupt",
    "IsLastStep",
    "LastValue",
    "MemorySaver",
    "MessagesState",
    "NodeError",
    "Overwrite",
    "PregelTask",
    "RemainingSteps",
    "RemoveMessage",
    "RetryPolicy",
    "RunOptions",
    "Runtime",
    "Send",
    "StateGraph",
    "StateSnapshot",
    "StateUpdate",
    "SystemMessage",
    "TimeoutPolicy",
    "ToolMessage",
    "ToolNode",
    "ToolRuntime",
    "Topic",
    "UntrackedValue",
    "add_messages",
    "create_react_agent",
    "entrypoint",
    "get_config",
    "get_runtime",
    "get_store",
    "get_stream_writer",
    "init_chat_model",
    "init_model",
    "interrupt",
    "once",
    "task",
    "tool",
    "tools_condition",
    "trim_messages",
]


def __getattr__(name: str) -> object:
    for package, names in _LATER.items():
        if name in names:
            from importlib import import_module  # noqa: PLC0415 - most programs that run a graph need none of these

            return getattr(import_module(package), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
