"""Wide supersteps: many Sends to one node, and many nodes next to each other with a join. Unit: one task."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Annotated, Any, TypedDict

if TYPE_CHECKING:
    from benchmarks.engine import Engine
    from benchmarks.lab import Figures, Lab


class Results(TypedDict):
    """State of both graphs; every task adds one item."""

    results: Annotated[list[int], operator.add]


class Piece(TypedDict):
    """Input of one Send."""

    number: int


def sends(engine: Engine, lab: Lab) -> Figures:
    return _invoked(_map_graph(engine, lab.size, asynchronous=False), lab)


def sends_async(engine: Engine, lab: Lab) -> Figures:
    return _ainvoked(_map_graph(engine, lab.size, asynchronous=True), lab)


def parallel(engine: Engine, lab: Lab) -> Figures:
    return _invoked(_wide_graph(engine, lab.size, asynchronous=False), lab)


def parallel_async(engine: Engine, lab: Lab) -> Figures:
    return _ainvoked(_wide_graph(engine, lab.size, asynchronous=True), lab)


def _map_graph(engine: Engine, tasks: int, *, asynchronous: bool) -> Any:
    def split(_state: Results) -> list[Any]:
        return [engine.Send("work", {"number": number}) for number in range(tasks)]

    def work(piece: Piece) -> Results:
        return {"results": [piece["number"]]}

    async def awork(piece: Piece) -> Results:
        return {"results": [piece["number"]]}

    builder = engine.StateGraph(Results)
    builder.add_node("work", awork if asynchronous else work)
    builder.add_conditional_edges(engine.START, split, ["work"])
    builder.add_edge("work", engine.END)
    return builder.compile()


def _wide_graph(engine: Engine, tasks: int, *, asynchronous: bool) -> Any:
    def work(_state: Results) -> Results:
        return {"results": [1]}

    async def awork(_state: Results) -> Results:
        return {"results": [1]}

    def join(_state: Results) -> None:
        return None

    names = [f"node{number}" for number in range(tasks)]
    builder = engine.StateGraph(Results)
    builder.add_node("join", join)
    for name in names:
        builder.add_node(name, awork if asynchronous else work)
        builder.add_edge(engine.START, name)
    builder.add_edge(names, "join")
    builder.add_edge("join", engine.END)
    return builder.compile()


def _invoked(graph: Any, lab: Lab) -> Figures:
    def cycle() -> None:
        assert len(graph.invoke({"results": []})["results"]) == lab.size

    return lab.time(cycle)


def _ainvoked(graph: Any, lab: Lab) -> Figures:
    def cycle() -> None:
        assert len(lab.run(graph.ainvoke({"results": []}))["results"]) == lab.size

    return lab.time(cycle)
