"""State graphs for agents: typed state, supersteps, checkpoints after each of them, questions that wait for people.

The names are LangGraph's. Start with ``StateGraph``, ``START`` and ``END``; add ``interrupt`` and ``Command`` for
human review; compile with a saver (``InMemorySaver`` here, ``checkpointers.sqlite.SqliteSaver`` for a file).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphkit.core.channels import AnyValue, BinaryOperatorAggregate, EphemeralValue, LastValue, Topic, UntrackedValue
from graphkit.core.command import END, START, Command, Interrupt, Overwrite, Send
from graphkit.core.policy import RetryPolicy
from graphkit.graph import CompiledGraph, IsLastStep, PregelTask, RemainingSteps, RunOptions, StateGraph, StateSnapshot, StateUpdate
from graphkit.scope import ExecutionInfo, Runtime, get_config, get_runtime, get_store, get_stream_writer, interrupt, once
from graphkit.storage import InMemorySaver, MemorySaver

if TYPE_CHECKING:
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

__version__ = "0.1.0"

_LATER = {
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
    "BinaryOperatorAggregate",
    "Command",
    "CompiledGraph",
    "EphemeralValue",
    "ExecutionInfo",
    "HumanMessage",
    "InMemorySaver",
    "Interrupt",
    "IsLastStep",
    "LastValue",
    "MemorySaver",
    "MessagesState",
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
    "ToolMessage",
    "Topic",
    "UntrackedValue",
    "add_messages",
    "get_config",
    "get_runtime",
    "get_store",
    "get_stream_writer",
    "interrupt",
    "once",
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
