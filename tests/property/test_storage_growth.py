"""What a long conversation costs on disk: bytes and rows, both linear in what is said."""

from __future__ import annotations

import hashlib
import operator
import sqlite3
from contextlib import closing
from typing import Annotated, TypedDict

import pytest

from checkpointers.sqlite import SqliteSaver
from graphkit import START, StateGraph

TURNS = 1_000
MEASURED_AT = (0, 100, 900, 1_000)
COUNTS = {
    "checkpoints": "SELECT count(*) FROM checkpoints",
    "outcomes": "SELECT count(*) FROM outcomes",
    "memos": "SELECT count(*) FROM memos",
    "questions": "SELECT count(*) FROM questions",
    "threads": "SELECT count(*) FROM threads",
}


class Chat(TypedDict):
    messages: Annotated[list[dict[str, str]], operator.add]


def message(role, number):
    """Return a message of 200 characters that no compression can shrink to nothing."""
    return {"role": role, "content": hashlib.shake_256(f"{role} {number}".encode()).hexdigest(100)}


def measured(path):
    """Return the size of the file, its log folded in, and the rows of its tables."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        rows = {table: connection.execute(text).fetchone()[0] for table, text in COUNTS.items()}
    return sum(file.stat().st_size for file in path.parent.glob(f"{path.name}*")), rows


@pytest.fixture(scope="module", params=["question and answer", "one message a turn"])
def growth(request, tmp_path_factory):
    """Hold the conversation once; return {turns: (bytes, rows)}, and what the thread knows in the end."""
    answers = request.param == "question and answer"
    path = tmp_path_factory.mktemp("growth") / "chat.db"

    def answer(state):
        return {"messages": [message("assistant", len(state["messages"]))]} if answers else None

    found = {}
    with SqliteSaver(path, synchronous="OFF") as saver:
        saver.setup()
        graph = StateGraph(Chat).add_node("answer", answer).add_edge(START, "answer").compile(saver)
        for number in range(TURNS + 1):
            if number in MEASURED_AT:
                found[number] = measured(path)
            if number < TURNS:
                graph.invoke({"messages": [message("user", number)]}, thread_id="t")
        state = graph.get_state(thread_id="t").values
    return found, state, (2 if answers else 1) * TURNS


def test_the_whole_conversation_is_kept(growth):
    _, state, expected = growth

    assert len(state["messages"]) == expected
    assert state["messages"][0] == message("user", 0)


def test_a_thousand_turns_are_less_than_a_megabyte(growth):
    found, _, _ = growth

    assert found[TURNS][0] < 1_000_000


def test_the_last_hundred_turns_cost_as_many_bytes_as_the_first(growth):
    found, _, _ = growth
    first, last = found[100][0] - found[0][0], found[1_000][0] - found[900][0]

    assert last <= 1.3 * first


def test_each_turn_adds_the_same_rows(growth):
    found, _, _ = growth
    first = {table: found[100][1][table] - found[0][1][table] for table in COUNTS}
    last = {table: found[1_000][1][table] - found[900][1][table] for table in COUNTS}

    assert last == {**first, "threads": 0}
    assert last["checkpoints"] == 300
    assert last["outcomes"] == last["memos"] == last["questions"] == 0
