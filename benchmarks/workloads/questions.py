"""A run that asks, stops, and goes on with the answer, each step durable. Unit: one thread, from question to end."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any, TypedDict

if TYPE_CHECKING:
    from benchmarks.engine import Engine
    from benchmarks.lab import Figures, Lab


class Approval(TypedDict, total=False):
    """State of the asking graph."""

    subject: str
    answer: str
    done: bool


def asking(engine: Engine) -> Any:
    """Build, not compile, a graph that asks once and then finishes."""

    def ask(state: Approval) -> Approval:
        return {"answer": engine.interrupt({"approve": state["subject"]})}

    def finish(_state: Approval) -> Approval:
        return {"done": True}

    builder = engine.StateGraph(Approval)
    builder.add_node("ask", ask)
    builder.add_node("finish", finish)
    builder.add_edge(engine.START, "ask")
    builder.add_edge("ask", "finish")
    builder.add_edge("finish", engine.END)
    return builder


def interrupt_and_resume(engine: Engine, lab: Lab) -> Figures:
    graph = asking(engine).compile(checkpointer=lab.enter(engine.sqlite(lab.file())))
    threads = count()

    def one_thread() -> None:
        config = {"configurable": {"thread_id": f"t{next(threads)}"}}
        asked = graph.invoke({"subject": "a letter"}, config, durability="sync")
        assert "__interrupt__" in asked
        result = graph.invoke(engine.Command(resume="yes"), config, durability="sync")
        assert result == {"subject": "a letter", "answer": "yes", "done": True}

    def cycle() -> None:
        for _ in range(lab.size):
            one_thread()

    return lab.time(cycle)
