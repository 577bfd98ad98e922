"""Values of recent threads are kept decoded, and nobody who got a copy can change them."""

from __future__ import annotations

import operator
from dataclasses import dataclass
from typing import Annotated, Any, TypedDict

import pytest

from checkpointers.sqlite import SqliteSaver
from graphkit import START, InMemorySaver, StateGraph
from graphkit.storage import image as images
from graphkit.storage.operations import Read

T: Any = {"configurable": {"thread_id": "t"}}


class State(TypedDict):
    log: Annotated[list, operator.add]
    extra: Any


class Counting(InMemorySaver):
    """Counts the rows of chains that loads had to read."""

    def __init__(self):
        super().__init__()
        self.chained = 0
        inner = self._site.backend.run

        def run(operation):
            reply: Any = inner(operation)
            if isinstance(operation, Read):
                self.chained += len(reply.chain)
            return reply

        self._site.backend.run = run  # type: ignore[method-assign]


def chat(saver, make=lambda: None):
    def answer(state):
        return {"log": [{"role": "ai", "text": "b"}], "extra": make()}

    return StateGraph(State).add_node("answer", answer).add_edge(START, "answer").compile(checkpointer=saver)


def test_a_thread_that_goes_on_is_not_read_from_its_keyframe_again():
    saver = Counting()
    graph = chat(saver)

    for turn in range(20):
        graph.invoke({"log": [f"a{turn}"]}, T)

    assert saver.chained <= 2
    assert len(graph.get_state(T).values["log"]) == 40


def test_what_a_caller_does_to_a_result_does_not_reach_the_thread():
    graph = chat(InMemorySaver(), make=lambda: {"deep": [[1]]})
    result = graph.invoke({"log": ["a"]}, T)
    result["log"][1]["text"] = "changed"
    result["log"].append("more")
    result["extra"]["deep"][0].append(2)

    again = graph.invoke({"log": []}, T)

    assert again["log"] == ["a", {"role": "ai", "text": "b"}, {"role": "ai", "text": "b"}]
    assert again["extra"] == {"deep": [[1]]}


@dataclass
class Odd:
    items: list


def test_a_value_that_cannot_be_copied_safely_is_read_from_the_database_each_time():
    saver = Counting()
    saver.codec.register(Odd)
    graph = chat(saver, make=lambda: Odd([1]))
    for _ in range(8):
        result = graph.invoke({"log": ["a"]}, T)
        result["extra"].items.append(2)

    assert saver.chained > 10
    assert graph.get_state(T).values["extra"] == Odd([1])


def test_another_saver_on_the_same_file_is_noticed(tmp_path):
    with SqliteSaver(tmp_path / "x.db") as one, SqliteSaver(tmp_path / "x.db") as two:
        here, there = chat(one), chat(two)
        here.invoke({"log": ["a"]}, T)
        there.invoke({"log": ["b"]}, T)
        here.invoke({"log": ["c"]}, T)

        assert [entry for entry in there.invoke({"log": ["d"]}, T)["log"] if isinstance(entry, str)] == ["a", "b", "c", "d"]


def test_a_thread_that_was_pruned_or_made_anew_is_read_anew():
    saver = InMemorySaver()
    graph = chat(saver)
    graph.invoke({"log": ["a"]}, T)
    graph.invoke({"log": ["b"]}, T)
    saver.prune(["t"], keep=1)
    pruned = graph.invoke({"log": ["c"]}, T)["log"]
    saver.delete_thread("t")
    anew = graph.invoke({"log": ["d"]}, T)["log"]

    assert [entry for entry in pruned if isinstance(entry, str)] == ["a", "b", "c"]
    assert [entry for entry in anew if isinstance(entry, str)] == ["d"]


@pytest.mark.parametrize("bound", ["THREADS", "BYTES"])
def test_only_so_many_images_are_kept(monkeypatch, bound):
    monkeypatch.setattr(images, bound, 1)
    saver = Counting()
    graph = chat(saver)
    for _ in range(2):
        for name in "abc":
            graph.invoke({"log": ["a" * 100]}, thread_id=name)
    before = saver.chained

    graph.invoke({"log": []}, thread_id="a")

    assert saver.chained > before
    assert len(graph.invoke({"log": []}, thread_id="b")["log"]) == 5


def test_a_run_that_writes_many_rows_is_read_anew():
    saver = Counting()

    def count(state):
        return {"log": [1]}

    def route(state):
        return "count" if len(state["log"]) % 100 else "__end__"

    graph = StateGraph(State).add_node("count", count).add_edge(START, "count").add_conditional_edges("count", route).compile(saver)
    graph.invoke({"log": []}, T)
    graph.invoke({"log": []}, T)

    assert saver.chained > 0
    assert len(graph.get_state(T).values["log"]) == 200
