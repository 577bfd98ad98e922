"""State graphs for agents: typed state, supersteps, checkpoints after each of them, questions that wait for people.

The names are LangGraph's. Start with ``StateGraph``, ``START`` and ``END``; add ``interrupt`` and ``Command`` for
human review; compile with a saver (``InMemorySaver`` here, ``checkpointers.sqlite.SqliteSaver`` for a file).
"""

from __future__ import annotations

from graphkit.core.channels import AnyValue, BinaryOperatorAggregate, EphemeralValue, LastValue, Topic, UntrackedValue
from graphkit.core.command import END, START, Command, Interrupt, Overwrite, Send
from graphkit.graph import CompiledGraph, IsLastStep, PregelTask, RemainingSteps, RunOptions, StateGraph, StateSnapshot, StateUpdate
from graphkit.scope import ExecutionInfo, Runtime, get_config, get_runtime, get_store, get_stream_writer, interrupt, once
from graphkit.storage import InMemorySaver, MemorySaver

__version__ = "0.1.0"

__all__ = [
    "END",
    "START",
    "AnyValue",
    "BinaryOperatorAggregate",
    "Command",
    "CompiledGraph",
    "EphemeralValue",
    "ExecutionInfo",
    "InMemorySaver",
    "Interrupt",
    "IsLastStep",
    "LastValue",
    "MemorySaver",
    "Overwrite",
    "PregelTask",
    "RemainingSteps",
    "RunOptions",
    "Runtime",
    "Send",
    "StateGraph",
    "StateSnapshot",
    "StateUpdate",
    "Topic",
    "UntrackedValue",
    "get_config",
    "get_runtime",
    "get_store",
    "get_stream_writer",
    "interrupt",
    "once",
]
