"""All measurements as one table: what is run, how large, and what the result has to reach."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from benchmarks import floors
from benchmarks.engine import Engine
from benchmarks.lab import Figures, Lab
from benchmarks.workloads import chat, fan_out, many_threads, nesting, questions, reading, start, streams, supersteps

Measure = Callable[[Engine, Lab], Figures]
Floor = Callable[[Lab], Figures]


@dataclass(frozen=True, slots=True)
class Limit:
    """The most a figure of graphkit's may be."""

    figure: str
    at_most: float


@dataclass(frozen=True, slots=True)
class Workload:
    """One line of the comparison.

    Args:
        title: What is done, for the table.
        unit: What ``Figures.seconds`` is per.
        measure: The workload; both engines run it.
        size: Units of one repetition.
        quick: The same for ``--quick``.
        floor: The same work without an engine.
        target: How many times faster than LangGraph graphkit has to be; None when nothing was promised.
        limits: What graphkit's own figures have to keep.
        alone: LangGraph is not run, because at this size it would take minutes.
    """

    title: str
    unit: str
    measure: Measure
    size: int
    quick: int
    floor: Floor | None = None
    target: float | None = None
    limits: tuple[Limit, ...] = ()
    alone: bool = False

    @property
    def promised(self) -> bool:
        """Whether something has to be reached."""
        return self.target is not None or bool(self.limits)


CHAT_LIMITS: Final = (Limit("bytes", 1_000_000), Limit("growth_wall_median", 1.3), Limit("growth_cpu_sum", 1.3))

CATALOGUE: Final[Mapping[str, Workload]] = {
    "import": Workload("import, new process", "process", start.cold_import, 5, 2, floors.imports, 8),
    "first_answer": Workload("import, build, run one node, new process", "process", start.first_answer, 5, 2),
    "step": Workload("superstep, no saver", "superstep", supersteps.plain, 1000, 300, floors.calls, 15),
    "step_async": Workload("superstep, no saver, async", "superstep", supersteps.plain_async, 1000, 300, floors.calls_async, 25),
    "memory": Workload("superstep, in-memory saver", "superstep", supersteps.memory, 1000, 300, floors.calls, 15),
    "memory_async": Workload("superstep, in-memory saver, async", "superstep", supersteps.memory_async, 1000, 300, floors.calls_async),
    "sqlite": Workload("superstep, SQLite FULL, sync durability", "superstep", supersteps.sqlite, 500, 200, floors.commits, 2.2),
    "sqlite_async": Workload(
        "superstep, SQLite FULL, sync durability, async", "superstep", supersteps.sqlite_async, 300, 100, floors.commits
    ),
    "sqlite_background": Workload("superstep, SQLite FULL, async durability", "superstep", supersteps.sqlite_background, 500, 200),
    "sqlite_exit": Workload("superstep, SQLite FULL, exit durability", "superstep", supersteps.sqlite_exit, 1000, 300),
    "resume": Workload("interrupt and resume, SQLite FULL", "thread", questions.interrupt_and_resume, 100, 50, floors.commits_twice, 6),
    "threads": Workload("threads at once, 5 steps of 10 ms, SQLite FULL, async", "crowd", many_threads.crowd, 1000, 200, floors.crowd, 25),
    "sends": Workload("fan-out by Send", "task", fan_out.sends, 1000, 300, floors.calls),
    "sends_async": Workload("fan-out by Send, async", "task", fan_out.sends_async, 1000, 300, floors.tasks_async),
    "parallel": Workload("parallel nodes and a join", "task", fan_out.parallel, 100, 100, floors.calls),
    "parallel_async": Workload("parallel nodes and a join, async", "task", fan_out.parallel_async, 100, 100, floors.tasks_async),
    "chat": Workload("chat, SQLite FULL", "turn", chat.conversation, 200, 100, floors.chat_commits),
    "chat_long": Workload(
        "long chat, SQLite FULL", "turn", chat.conversation, 1000, 1000, floors.chat_commits, limits=CHAT_LIMITS, alone=True
    ),
    "subgraph": Workload("call of a 3-node subgraph", "call", nesting.subgraph, 200, 50, floors.calls),
    "subgraph_deep": Workload("call of a subgraph, three deep", "call", nesting.subgraph_three_deep, 100, 50, floors.calls),
    "stream_values": Workload("superstep, stream values", "superstep", streams.values, 1000, 300, floors.calls),
    "stream_updates": Workload("superstep, stream updates", "superstep", streams.updates, 1000, 300, floors.calls),
    "stream_updates_async": Workload("superstep, stream updates, async", "superstep", streams.updates_async, 1000, 300, floors.calls_async),
    "get_state": Workload("get_state of a long thread, SQLite", "call", reading.get_state, 1000, 200),
    "history_newest": Workload("newest 10 of a long history, SQLite", "call", reading.newest_of_history, 1000, 200),
    "history": Workload("whole history, SQLite", "checkpoint", reading.whole_history, 1000, 200),
}
