"""When a run waits for the disk: before anything it did is told, and before something happens outside."""

from __future__ import annotations

import asyncio
from operator import add
from typing import Annotated, Any, TypedDict

import pytest

from checkpointers.sqlite import SqliteSaver
from checkpointers.sqlite.schema import settings
from graphkit import START, Command, StateGraph, interrupt, once

LEVELS = {settings("FULL"): "FULL", settings("NORMAL"): "NORMAL"}


class State(TypedDict):
    log: Annotated[list[str], add]


class Watched(SqliteSaver):
    """A saver that keeps what its connection was told."""

    def __init__(self, path):
        super().__init__(path)
        self.seen: list[str] = []


@pytest.fixture
def saver(tmp_path):
    """A saver whose commits can be seen with whether they waited for the disk."""
    with Watched(tmp_path / "graph.db") as saver:
        saver.setup()
        backend: Any = saver._site.backend
        backend._group._connection.set_trace_callback(lambda text: _note(saver.seen, text))
        yield saver


def _note(seen, text):
    if text in LEVELS:
        seen.append(LEVELS[text])
    elif text == "COMMIT" or not text.strip().upper().startswith(("SELECT", "BEGIN", "--", "PRAGMA", "WITH")):
        seen.append("commit" if text == "COMMIT" else "write")


def disk(saver):
    """Return for each writing transaction whether it waited for the disk, in order."""
    waits, level, wrote = [], "FULL", False
    for entry in saver.seen:
        if entry in {"FULL", "NORMAL"}:
            level = entry
        elif entry == "write":
            wrote = True
        else:
            waits += [level == "FULL"] if wrote else []
            wrote = False
    saver.seen.clear()
    return waits


def run(driver, graph, given, **options):
    return (
        asyncio.run(graph.ainvoke(given, thread_id="1", **options)) if driver == "async" else graph.invoke(given, thread_id="1", **options)
    )


@pytest.mark.parametrize("driver", ["sync", "async"])
def test_an_input_becomes_durable_with_what_comes_of_it_and_an_answer_before_a_node_may_act_on_it(saver, driver):
    graph = StateGraph(State).add_node("ask", lambda state: {"log": [interrupt("?")]}).add_edge(START, "ask").compile(checkpointer=saver)

    run(driver, graph, {"log": []})
    asked = disk(saver)
    run(driver, graph, Command(resume="yes"))

    assert asked == [False, True]
    assert disk(saver) == [True, True]


@pytest.mark.parametrize("driver", ["sync", "async"])
def test_every_superstep_is_durable_before_the_next_begins(saver, driver):
    graph = (
        StateGraph(State)
        .add_sequence([("a", lambda state: None), ("b", lambda state: None)])
        .add_edge(START, "a")
        .compile(checkpointer=saver)
    )

    run(driver, graph, {"log": []})

    assert disk(saver) == [False, True, True]


@pytest.mark.parametrize("driver", ["sync", "async"])
def test_everything_before_is_durable_when_once_acts(saver, driver):
    seen = []

    def act():
        seen.append(disk(saver))

    graph = StateGraph(State).add_node("act", lambda state: once("act", act)).add_edge(START, "act").compile(checkpointer=saver)

    run(driver, graph, {"log": []})

    assert seen == [[False, True]]
    assert disk(saver) == [True, True]


def test_an_input_that_fails_its_node_is_durable_when_the_failure_is_told(saver):
    graph = StateGraph(State).add_node("fail", lambda state: 1 / 0).add_edge(START, "fail").compile(checkpointer=saver)

    with pytest.raises(ZeroDivisionError):
        graph.invoke({"log": []}, thread_id="1")

    assert disk(saver)[-1] is True


def test_an_edit_of_a_thread_is_durable_when_it_returns(saver):
    graph = StateGraph(State).add_node("a", lambda state: None).add_edge(START, "a").compile(checkpointer=saver)
    run("sync", graph, {"log": []})
    disk(saver)

    graph.update_state({"configurable": {"thread_id": "1"}}, {"log": ["x"]})

    assert disk(saver) == [True]
