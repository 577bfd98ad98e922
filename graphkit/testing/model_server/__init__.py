"""A model's provider for tests: real HTTP on the loopback interface, answers from a script, faults on demand."""

from __future__ import annotations

from graphkit.testing.model_server.server import ModelServer
from graphkit.testing.model_server.step import Cut, Failure, Garbled, Received, Reply, Script, Stall, Step, Turn

__all__ = ["Cut", "Failure", "Garbled", "ModelServer", "Received", "Reply", "Script", "Stall", "Step", "Turn"]
