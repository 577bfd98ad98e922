"""A graph as a node of another one: three nodes inside, called again and again. Unit: one call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypedDict

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.engine import Engine
    from benchmarks.lab import Figures, Lab


class Calls(TypedDict):
    """State of parent and child."""

    calls: int


def subgraph(engine: Engine, lab: Lab) -> Figures:
    return _called(engine, lab, _chain(engine, [_one, _same, _same]))


def subgraph_three_deep(engine: Engine, lab: Lab) -> Figures:
    inner = _chain(engine, [_one])
    return _called(engine, lab, _chain(engine, [_chain(engine, [inner])]))


def _called(engine: Engine, lab: Lab, child: Any) -> Figures:
    def route(state: Calls) -> str:
        return "child" if state["calls"] < lab.size else engine.END

    builder = engine.StateGraph(Calls)
    builder.add_node("child", child)
    builder.add_edge(engine.START, "child")
    builder.add_conditional_edges("child", route, ["child", engine.END])
    graph = builder.compile()

    def cycle() -> None:
        assert graph.invoke({"calls": 0}, {"recursion_limit": lab.size + 10})["calls"] == lab.size

    return lab.time(cycle)


def _one(state: Calls) -> Calls:
    return {"calls": state["calls"] + 1}


def _same(_state: Calls) -> None:
    return None


def _chain(engine: Engine, actions: list[Callable[[Calls], object] | Any]) -> Any:
    builder = engine.StateGraph(Calls)
    names = [f"node{number}" for number in range(len(actions))]
    for name, action in zip(names, actions, strict=True):
        builder.add_node(name, action)
    for before, after in zip([engine.START, *names], [*names, engine.END], strict=True):
        builder.add_edge(before, after)
    return builder.compile()
