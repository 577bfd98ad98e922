"""Reading a run while it goes. Unit: one superstep."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.workloads.supersteps import counter

if TYPE_CHECKING:
    from benchmarks.engine import Engine
    from benchmarks.lab import Figures, Lab


def values(engine: Engine, lab: Lab) -> Figures:
    return _streamed(engine, lab, "values", first={"count": 0}, last={"count": lab.size})


def updates(engine: Engine, lab: Lab) -> Figures:
    return _streamed(engine, lab, "updates", first={"step": {"count": 1}}, last={"step": {"count": lab.size}})


def updates_async(engine: Engine, lab: Lab) -> Figures:
    graph = counter(engine, lab.size, asynchronous=True).compile()

    async def read() -> object:
        last = None
        async for chunk in graph.astream({"count": 0}, {"recursion_limit": lab.size + 10}, stream_mode="updates"):
            last = chunk
        return last

    def cycle() -> None:
        assert lab.run(read()) == {"step": {"count": lab.size}}

    return lab.time(cycle)


def _streamed(engine: Engine, lab: Lab, mode: str, first: object, last: object) -> Figures:
    graph = counter(engine, lab.size).compile()

    def cycle() -> None:
        chunks = list(graph.stream({"count": 0}, {"recursion_limit": lab.size + 10}, stream_mode=mode))
        assert (chunks[0], chunks[-1]) == (first, last)

    return lab.time(cycle)
