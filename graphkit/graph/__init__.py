"""Declare graphs, compile them, run them."""

from __future__ import annotations

from graphkit.graph.builder import StateGraph
from graphkit.graph.compiled import CompiledGraph
from graphkit.graph.config import RunOptions
from graphkit.graph.output import GraphOutput
from graphkit.graph.schema import IsLastStep, RemainingSteps
from graphkit.graph.snapshot import PregelTask, StateSnapshot
from graphkit.graph.thread import StateUpdate

__all__ = [
    "CompiledGraph",
    "GraphOutput",
    "IsLastStep",
    "PregelTask",
    "RemainingSteps",
    "RunOptions",
    "StateGraph",
    "StateSnapshot",
    "StateUpdate",
]
