"""A new process: what it takes to import the library, and to answer for the first time. Unit: one process, byte code cached."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from typing import TYPE_CHECKING, Final

from benchmarks.lab import Figures

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmarks.engine import Engine, EngineName
    from benchmarks.lab import Lab

IMPORTS: Final[Mapping[EngineName, str]] = {
    "graphkit": "from graphkit import END, START, Command, InMemorySaver, Send, StateGraph, interrupt",
    "langgraph": """
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, Send, interrupt
""",
}
FIRST_ANSWER: Final = """
from typing import TypedDict
class State(TypedDict):
    count: int
builder = StateGraph(State)
builder.add_node("step", lambda state: {"count": state["count"] + 1})
builder.add_edge(START, "step")
builder.add_edge("step", END)
assert builder.compile().invoke({"count": 0}) == {"count": 1}
"""
WATCH: Final = """
import time
start = time.perf_counter()
{work}
seconds = time.perf_counter() - start
import json, sys
print(json.dumps([seconds, sorted(sys.modules)]))
"""
HEAVY: Final = frozenset({"pydantic", "pydantic_core", "anthropic", "openai"})
"""What ``import graphkit`` has no use for."""


def cold_import(engine: Engine, lab: Lab) -> Figures:
    return processes(IMPORTS[engine.name], lab, refused=HEAVY if engine.name == "graphkit" else frozenset())


def first_answer(engine: Engine, lab: Lab) -> Figures:
    return processes(IMPORTS[engine.name] + FIRST_ANSWER, lab, refused=frozenset())


def processes(work: str, lab: Lab, refused: frozenset[str]) -> Figures:
    """Run ``work`` in ``lab.size`` new processes after one that fills the byte code cache.

    Raises:
        RuntimeError: A refused module was loaded.
    """
    runs = [_process(work, refused) for _ in range(lab.size + 1)][1:]
    return Figures(statistics.median(run.seconds for run in runs), {"modules": runs[0].extra["modules"]})


def _process(work: str, refused: frozenset[str]) -> Figures:
    # With this variable set, a library that no installer has compiled would be compiled anew each time.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    command = [sys.executable, "-c", WATCH.format(work=work)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    seconds, modules = json.loads(done.stdout)
    if found := refused.intersection(modules):
        raise RuntimeError(f"The import loads {', '.join(sorted(found))}, which it must not.")
    return Figures(seconds, {"modules": len(modules)})
