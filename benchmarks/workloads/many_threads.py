"""Many threads at once on one event loop and one database; each runs five nodes that wait 10 ms. Unit: the whole crowd."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from benchmarks.lab import Figures, stopwatch
from benchmarks.workloads.supersteps import Count

if TYPE_CHECKING:
    from benchmarks.engine import Engine
    from benchmarks.lab import Lab

STEPS = 5
WAIT_SECONDS = 0.01
WARM_UP_THREADS = 10


def crowd(engine: Engine, lab: Lab) -> Figures:
    async def step(state: Count) -> Count:
        await asyncio.sleep(WAIT_SECONDS)
        return {"count": state["count"] + 1}

    builder = engine.StateGraph(Count)
    names = [f"step{number}" for number in range(STEPS)]
    for name in names:
        builder.add_node(name, step)
    for before, after in zip([engine.START, *names], [*names, engine.END], strict=True):
        builder.add_edge(before, after)
    graph = builder.compile(checkpointer=lab.aenter(engine.async_sqlite(lab.file())))

    async def run(prefix: str, threads: int) -> None:
        configs = [{"configurable": {"thread_id": f"{prefix}{number}"}} for number in range(threads)]
        results = await asyncio.gather(*(graph.ainvoke({"count": 0}, config, durability="sync") for config in configs))
        assert all(result["count"] == STEPS for result in results)

    lab.run(run("warm", WARM_UP_THREADS))
    return Figures(stopwatch(lambda: lab.run(run("t", lab.size))))
