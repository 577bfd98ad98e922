"""The SQLite savers keep what every checkpointer has to keep."""

from __future__ import annotations

import asyncio
from itertools import count

import aiosqlite
import pytest

from checkpointers.sqlite import AsyncSqliteSaver, SqliteSaver
from graphkit.storage import InMemorySaver
from graphkit.testing import checkpointer_suite

NAMES = [str(check) for check in checkpointer_suite(lambda clock: InMemorySaver(clock=clock))]


def named(name, make):
    [check] = [check for check in checkpointer_suite(make) if str(check) == name]
    return check


@pytest.mark.parametrize("name", NAMES)
def test_in_memory(name):
    named(name, lambda clock: SqliteSaver(":memory:", clock=clock)).run()


@pytest.mark.parametrize("name", NAMES)
def test_in_a_file(name, tmp_path):
    numbers = count()
    named(name, lambda clock: SqliteSaver(tmp_path / f"{next(numbers)}.db", synchronous="OFF", clock=clock)).run()


@pytest.mark.parametrize("name", NAMES)
def test_over_aiosqlite(name):
    connections = []

    def make(clock):
        async def connect():
            return await aiosqlite.connect(":memory:")

        connections.append(asyncio.run(connect()))
        return AsyncSqliteSaver(connections[0], clock=clock)

    try:
        named(name, make).run()
    finally:
        for connection in connections:
            asyncio.run(connection.close())
