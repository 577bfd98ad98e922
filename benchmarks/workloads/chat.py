"""A conversation on SQLite that grows with each turn: a message of 200 bytes comes, a reply of 200 bytes goes. Unit: one turn."""

from __future__ import annotations

import hashlib
import operator
import sqlite3
import statistics
import time
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, TypedDict

from benchmarks.lab import Figures

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from benchmarks.engine import Engine
    from benchmarks.lab import Lab

MESSAGE_BYTES = 200
SLICE = 100
WARM_UP_TURNS = 20


class Message(TypedDict):
    """One message."""

    role: str
    content: str


class Chat(TypedDict):
    """State of the conversation."""

    messages: Annotated[list[Message], operator.add]


@dataclass(frozen=True, slots=True)
class Turn:
    """What one turn cost, in seconds."""

    wall: float
    cpu: float


def message(role: str, turn: int) -> Message:
    """A message whose text no compression can shrink to nothing."""
    text = hashlib.shake_256(f"{role} {turn}".encode()).hexdigest(MESSAGE_BYTES // 2)
    return {"role": role, "content": text}


def conversation(engine: Engine, lab: Lab) -> Figures:
    """Hold a conversation of ``lab.size`` turns and compare its last turns with its first ones."""
    _talk(engine, lab.file(), min(WARM_UP_TURNS, lab.size))
    path = lab.file()
    turns = _talk(engine, path, lab.size)
    edge = min(SLICE, len(turns) // 2)
    first, last = turns[:edge], turns[-edge:]
    return Figures(
        statistics.median(turn.wall for turn in turns),
        {
            "bytes": _bytes_on_disk(path),
            "first_turns": statistics.median(turn.wall for turn in first),
            "last_turns": statistics.median(turn.wall for turn in last),
            "growth_wall_median": statistics.median(turn.wall for turn in last) / statistics.median(turn.wall for turn in first),
            # The sum, unlike the median, also sees work that is done once in many turns.
            "growth_cpu_sum": sum(turn.cpu for turn in last) / sum(turn.cpu for turn in first),
        },
    )


def _talk(engine: Engine, path: Path, length: int) -> list[Turn]:
    def answer(state: Chat) -> Chat:
        return {"messages": [message("assistant", len(state["messages"]))]}

    builder = engine.StateGraph(Chat)
    builder.add_node("answer", answer)
    builder.add_edge(engine.START, "answer")
    builder.add_edge("answer", engine.END)
    config = {"configurable": {"thread_id": "chat"}}
    with engine.sqlite(path) as saver:
        graph = builder.compile(checkpointer=saver)
        turns = [_turn(graph, config, number) for number in range(length)]
        state = graph.get_state(config)
    assert len(state.values["messages"]) == 2 * length
    return turns


def _turn(graph: Any, config: Mapping[str, object], number: int) -> Turn:
    incoming = {"messages": [message("user", number)]}
    wall, cpu = time.perf_counter(), time.process_time()
    graph.invoke(incoming, config, durability="sync")
    return Turn(time.perf_counter() - wall, time.process_time() - cpu)


def _bytes_on_disk(path: Path) -> int:
    # A log that was not folded into the database yet belongs to its size, wherever the engine left it.
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return sum(file.stat().st_size for file in path.parent.glob(f"{path.name}*"))
