"""The same work without any engine: what no library on this interpreter and this disk can go below."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import count
from typing import TYPE_CHECKING

from benchmarks.lab import Figures, stopwatch
from benchmarks.workloads.chat import message
from benchmarks.workloads.many_threads import STEPS, WAIT_SECONDS
from benchmarks.workloads.start import processes

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from benchmarks.lab import Lab
    from benchmarks.workloads.supersteps import Count

Row = tuple[str, int, bytes]

STANDARD_MODULES = "import collections, contextvars, dataclasses, enum, functools, hashlib, inspect, json, threading, typing"


def imports(lab: Lab) -> Figures:
    """Import what an engine needs of the standard library."""
    return processes(STANDARD_MODULES, lab, refused=frozenset())


def calls(lab: Lab) -> Figures:
    """A function call and a dict merge per unit."""

    def cycle() -> None:
        state: Count = {"count": 0}
        while state["count"] < lab.size:
            state = {**state, **_step(state)}

    return lab.time(cycle)


def calls_async(lab: Lab) -> Figures:
    """An awaited coroutine and a dict merge per unit."""

    async def run() -> None:
        state: Count = {"count": 0}
        while state["count"] < lab.size:
            state = {**state, **(await _astep(state))}

    return lab.time(lambda: lab.run(run()))


def tasks_async(lab: Lab) -> Figures:
    """One asyncio task per unit."""

    async def run() -> None:
        await asyncio.gather(*(asyncio.create_task(_astep({"count": number})) for number in range(lab.size)))

    return lab.time(lambda: lab.run(run()))


def commits(lab: Lab) -> Figures:
    """A durable transaction per unit, with the bytes of a small checkpoint."""
    return _committed(lab, bytes(120), each=1)


def commits_twice(lab: Lab) -> Figures:
    """Two durable transactions per unit: a question and its answer."""
    return _committed(lab, bytes(200), each=2)


def chat_commits(lab: Lab) -> Figures:
    """A durable transaction per unit, with the two messages of a turn."""
    body = json.dumps([message("user", 0), message("assistant", 0)]).encode()
    return _committed(lab, body, each=1)


def crowd(lab: Lab) -> Figures:
    """As many asyncio tasks as threads; one worker commits whatever waits in one transaction."""

    async def step(queue: asyncio.Queue[tuple[Row, asyncio.Future[None]]], thread: int) -> None:
        for number in range(STEPS):
            await asyncio.sleep(WAIT_SECONDS)
            durable = asyncio.get_running_loop().create_future()
            queue.put_nowait(((f"t{thread}", number, bytes(120)), durable))
            await durable

    async def run(path: Path) -> None:
        queue: asyncio.Queue[tuple[Row, asyncio.Future[None]]] = asyncio.Queue()
        with ThreadPoolExecutor(1) as pool, closing(_database(path)) as connection:
            writer = asyncio.create_task(_write_groups(queue, pool, connection))
            await asyncio.gather(*(step(queue, thread) for thread in range(lab.size)))
            writer.cancel()

    return Figures(stopwatch(lambda: lab.run(run(lab.file()))))


async def _write_groups(
    queue: asyncio.Queue[tuple[Row, asyncio.Future[None]]], pool: ThreadPoolExecutor, connection: sqlite3.Connection
) -> None:
    while True:
        group = [await queue.get()]
        while not queue.empty():
            group.append(queue.get_nowait())
        await asyncio.get_running_loop().run_in_executor(pool, _commit, connection, [row for row, _ in group])
        for _, durable in group:
            durable.set_result(None)


def _step(state: Count) -> Count:
    return {"count": state["count"] + 1}


async def _astep(state: Count) -> Count:
    return {"count": state["count"] + 1}


def _committed(lab: Lab, body: bytes, each: int) -> Figures:
    numbers = count()
    with closing(_database(lab.file())) as connection:

        def cycle() -> None:
            for _ in range(lab.size * each):
                _commit(connection, [("t", next(numbers), body)])

        return lab.time(cycle)


def _database(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("CREATE TABLE checkpoint (thread TEXT, n INTEGER, body BLOB, PRIMARY KEY (thread, n)) WITHOUT ROWID")
    connection.execute("CREATE TABLE head (thread TEXT PRIMARY KEY, n INTEGER) WITHOUT ROWID")
    return connection


def _commit(connection: sqlite3.Connection, rows: Sequence[Row]) -> None:
    # A thread needs a row that says where it stands, which any engine has to move in the same transaction.
    connection.execute("BEGIN IMMEDIATE")
    connection.executemany("INSERT INTO checkpoint VALUES (?, ?, ?)", rows)
    connection.executemany("INSERT OR REPLACE INTO head VALUES (?, ?)", [(thread, n) for thread, n, _ in rows])
    connection.execute("COMMIT")
