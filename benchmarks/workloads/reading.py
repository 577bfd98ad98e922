"""Looking at a thread of many checkpoints on SQLite. Units: one call, one call, one checkpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks.workloads.supersteps import config, counter

if TYPE_CHECKING:
    from benchmarks.engine import Engine
    from benchmarks.lab import Figures, Lab

CALLS = 20
NEWEST = 10


def get_state(engine: Engine, lab: Lab) -> Figures:
    graph, thread = _finished_thread(engine, lab)

    def cycle() -> None:
        for _ in range(CALLS):
            assert graph.get_state(thread).values == {"count": lab.size}

    return lab.time(cycle, CALLS)


def newest_of_history(engine: Engine, lab: Lab) -> Figures:
    graph, thread = _finished_thread(engine, lab)

    def cycle() -> None:
        for _ in range(CALLS):
            assert len(list(graph.get_state_history(thread, limit=NEWEST))) == NEWEST

    return lab.time(cycle, CALLS)


def whole_history(engine: Engine, lab: Lab) -> Figures:
    graph, thread = _finished_thread(engine, lab)
    checkpoints = lab.size + 2

    def cycle() -> None:
        assert len(list(graph.get_state_history(thread))) == checkpoints

    return lab.time(cycle, checkpoints)


def _finished_thread(engine: Engine, lab: Lab) -> tuple[Any, dict[str, object]]:
    graph = counter(engine, lab.size).compile(checkpointer=lab.enter(engine.sqlite(lab.file())))
    thread = config(0, lab.size)
    graph.invoke({"count": 0}, thread)
    return graph, thread
