"""What code inside a node can reach: interrupt, once, and the services of the run, through one ContextVar."""

from __future__ import annotations

from graphkit.scope.asking import interrupt, raise_all
from graphkit.scope.memory import once
from graphkit.scope.scope import RunScope, Scope, branch, current, enter, entered, leave
from graphkit.scope.services import (
    ExecutionInfo,
    Runtime,
    config_of,
    get_config,
    get_runtime,
    get_store,
    get_stream_writer,
    message_sink,
    runtime_of,
    store_of,
    streamed_from,
    writer_of,
)

__all__ = [
    "ExecutionInfo",
    "RunScope",
    "Runtime",
    "Scope",
    "branch",
    "config_of",
    "current",
    "enter",
    "entered",
    "get_config",
    "get_runtime",
    "get_store",
    "get_stream_writer",
    "interrupt",
    "leave",
    "message_sink",
    "once",
    "raise_all",
    "runtime_of",
    "store_of",
    "streamed_from",
    "writer_of",
]
