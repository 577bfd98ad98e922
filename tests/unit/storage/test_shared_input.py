"""The input of a turn and the update it makes are the same data; they are stored once and shown twice."""

from __future__ import annotations

import operator
from typing import Annotated, Any, TypedDict

import pytest

from checkpointers.sqlite import SqliteSaver
from graphkit import START, InMemorySaver, StateGraph

T: Any = {"configurable": {"thread_id": "t"}}
SECRET = "q" * 500


class State(TypedDict):
    log: Annotated[list, operator.add]
    total: Annotated[int, operator.add]
    word: str


@pytest.fixture(params=["memory", "sqlite"])
def graph(request, tmp_path):
    saver = InMemorySaver() if request.param == "memory" else SqliteSaver(tmp_path / "x.db")
    yield StateGraph(State).add_node("n", lambda state: {"log": ["n"]}).add_edge(START, "n").compile(checkpointer=saver)
    saver.close()


def inputs(graph):
    return [found for found in graph.get_state_history(T) if found.metadata["source"] == "input"]


def test_the_input_of_every_turn_is_shown_in_the_history(graph):
    given = [{"log": ["a", "b"], "total": 2, "word": "x"}, {"log": [], "total": 3}, {"word": "y"}]
    for update in given:
        graph.invoke(update, T)

    assert [found.tasks[0].result for found in inputs(graph)] == given[::-1]
    assert [graph.get_state(found.config).tasks[0].result for found in inputs(graph)] == given[::-1]


def test_a_turn_can_be_played_again_from_its_input(graph):
    graph.invoke({"log": ["a"], "word": "x"}, T)
    graph.invoke({"log": ["b"], "word": "y"}, T)
    [second, _] = inputs(graph)

    assert graph.invoke(None, second.config) == {"log": ["a", "n", "b", "n"], "total": 0, "word": "y"}


@pytest.mark.parametrize("keep", [1, 2, 3, 4])
def test_pruning_keeps_the_input_it_keeps(graph, keep):
    for word in "xyz":
        graph.invoke({"log": [word], "word": word}, T)
    graph.checkpointer.prune(["t"], keep=keep)

    assert [found.tasks[0].result for found in inputs(graph)] == [{"log": ["z"], "word": "z"}][: keep // 3]
    assert len(list(graph.get_state_history(T))) == keep


def test_the_input_takes_its_bytes_once(tmp_path):
    with SqliteSaver(tmp_path / "x.db") as saver:
        graph = StateGraph(State).add_node("n", lambda state: {}).add_edge(START, "n").compile(checkpointer=saver)
        graph.invoke({"log": [SECRET], "word": "x"}, T)

    assert (tmp_path / "x.db").read_bytes().count(SECRET.encode()) == 1
