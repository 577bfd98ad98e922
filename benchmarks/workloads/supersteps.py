"""The cost of one superstep: a node that adds one, and a router that sends the run back to it. Unit: one superstep."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any, TypedDict

if TYPE_CHECKING:
    from benchmarks.engine import Engine
    from benchmarks.lab import Figures, Lab


class Count(TypedDict):
    """State of the counter graph."""

    count: int


def counter(engine: Engine, steps: int, *, asynchronous: bool = False) -> Any:
    """Build, not compile, a graph that runs its one node ``steps`` times."""

    def step(state: Count) -> Count:
        return {"count": state["count"] + 1}

    async def astep(state: Count) -> Count:
        return {"count": state["count"] + 1}

    def route(state: Count) -> str:
        return "step" if state["count"] < steps else engine.END

    builder = engine.StateGraph(Count)
    builder.add_node("step", astep if asynchronous else step)
    builder.add_edge(engine.START, "step")
    builder.add_conditional_edges("step", route, ["step", engine.END])
    return builder


def config(thread: int, steps: int) -> dict[str, object]:
    """A run config for one thread, with room for ``steps`` supersteps."""
    return {"configurable": {"thread_id": f"t{thread}"}, "recursion_limit": steps + 10}


def plain(engine: Engine, lab: Lab) -> Figures:
    graph = counter(engine, lab.size).compile()

    def cycle() -> None:
        assert graph.invoke({"count": 0}, {"recursion_limit": lab.size + 10})["count"] == lab.size

    return lab.time(cycle)


def plain_async(engine: Engine, lab: Lab) -> Figures:
    graph = counter(engine, lab.size, asynchronous=True).compile()

    def cycle() -> None:
        result = lab.run(graph.ainvoke({"count": 0}, {"recursion_limit": lab.size + 10}))
        assert result["count"] == lab.size

    return lab.time(cycle)


def memory(engine: Engine, lab: Lab) -> Figures:
    return saved(engine, lab, engine.InMemorySaver(), "sync")


def memory_async(engine: Engine, lab: Lab) -> Figures:
    return asaved(engine, lab, engine.InMemorySaver())


def sqlite(engine: Engine, lab: Lab) -> Figures:
    return saved(engine, lab, lab.enter(engine.sqlite(lab.file())), "sync")


def sqlite_background(engine: Engine, lab: Lab) -> Figures:
    return saved(engine, lab, lab.enter(engine.sqlite(lab.file())), "async")


def sqlite_exit(engine: Engine, lab: Lab) -> Figures:
    return saved(engine, lab, lab.enter(engine.sqlite(lab.file())), "exit")


def sqlite_async(engine: Engine, lab: Lab) -> Figures:
    return asaved(engine, lab, lab.aenter(engine.async_sqlite(lab.file())))


def saved(engine: Engine, lab: Lab, saver: object, durability: str) -> Figures:
    """Time ``invoke`` on a saver; each repetition is a new thread."""
    graph = counter(engine, lab.size).compile(checkpointer=saver)
    threads = count()

    def cycle() -> None:
        result = graph.invoke({"count": 0}, config(next(threads), lab.size), durability=durability)
        assert result["count"] == lab.size

    return lab.time(cycle)


def asaved(engine: Engine, lab: Lab, saver: object) -> Figures:
    """Time ``ainvoke`` on a saver, each superstep committed before the next; each repetition is a new thread."""
    graph = counter(engine, lab.size, asynchronous=True).compile(checkpointer=saver)
    threads = count()

    def cycle() -> None:
        result = lab.run(graph.ainvoke({"count": 0}, config(next(threads), lab.size), durability="sync"))
        assert result["count"] == lab.size

    return lab.time(cycle)
