"""What is particular about the SQLite savers: opening, closing, sharing, size."""

from __future__ import annotations

import asyncio
import gc
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import aiosqlite
import pytest

import checkpointers.sqlite
from checkpointers.sqlite import AsyncSqliteSaver, SqliteSaver
from graphkit.core.delta import diff
from graphkit.core.effects import Commit, Entry
from graphkit.core.record import replace
from graphkit.errors import InvalidConfigError, StorageUnavailableError
from graphkit.testing import Clock
from graphkit.testing.checkpointers.subject import Subject, config


@pytest.fixture
def path(tmp_path):
    return tmp_path / "file.db"


def subject(saver):
    return Subject(lambda _: saver, Clock(), "sync")


def test_from_conn_string_opens_and_closes(path):
    with SqliteSaver.from_conn_string(str(path)) as saver:
        subject(saver).thread("t", {"x": 1})

    with pytest.raises(StorageUnavailableError, match="closed"):
        saver.get_tuple(config("t"))
    with SqliteSaver.from_conn_string(path) as saver:
        assert subject(saver).loaded("t").checkpoint.values == {"x": 1}


async def test_the_async_saver_opens_and_closes(path):
    async with AsyncSqliteSaver.from_conn_string(str(path)) as saver:
        await saver.setup()
        await saver.setup()
        subject(saver).thread("t", {"x": 1})
        assert (await saver.aget_tuple(config("t"))) == saver.get_tuple(config("t"))
        assert subject(saver).loaded("t").checkpoint.values == {"x": 1}

    with pytest.raises(StorageUnavailableError):
        await saver.aget_tuple(config("t"))


async def test_an_aiosqlite_connection_that_is_closed_is_reported(path):
    async with aiosqlite.connect(path) as connection:
        saver = AsyncSqliteSaver(connection)
        await saver.setup()

    for _ in range(2):
        with pytest.raises(StorageUnavailableError):
            await saver.aget_tuple(config("t"))
    with pytest.raises(StorageUnavailableError):
        saver.get_tuple(config("t"))
    saver.close()


async def test_many_tasks_share_an_aiosqlite_connection(path):
    async with AsyncSqliteSaver.from_conn_string(path) as saver:

        async def run(number):
            hold = saver.hold(f"t{number}")
            await hold.aload("")
            await hold.awrite(hold.prepare("", Commit(claim=True, release="idle")))

        await asyncio.gather(*[run(number) for number in range(50)])

        assert len((await saver.athreads()).items) == 50


def test_sync_and_async_callers_see_the_same(path):
    with SqliteSaver(path) as saver:
        subject(saver).thread("t", {"x": 1})

        async def read():
            return await saver.aget_tuple(config("t"))

        assert asyncio.run(read()) == saver.get_tuple(config("t"))
        assert asyncio.run(read()) == saver.get_tuple(config("t"))


def test_two_savers_may_share_a_file(path):
    with SqliteSaver(path) as one, SqliteSaver(path) as two:
        subject(one).thread("t", {"x": 1})
        subject(two).thread("t", {"x": 2})

        assert subject(one).loaded("t").checkpoint.values == {"x": 2}


@pytest.mark.parametrize("odd", [None, 1, b"file.db", "", "a\0b", sqlite3])
def test_a_path_is_a_path(odd):
    with pytest.raises(InvalidConfigError):
        SqliteSaver(odd)


def test_a_connection_is_no_path():
    connection: Any = sqlite3.connect(":memory:")

    with pytest.raises(InvalidConfigError):
        SqliteSaver(connection)
    with pytest.raises(InvalidConfigError):
        AsyncSqliteSaver(connection)

    connection.close()


@pytest.mark.parametrize("odd", [-1, True, "1", None, float("inf")])
def test_a_timeout_is_a_number(odd):
    with pytest.raises(InvalidConfigError):
        SqliteSaver(":memory:", timeout=odd)


def test_the_package_knows_its_names():
    assert checkpointers.sqlite.AsyncSqliteSaver is AsyncSqliteSaver
    with pytest.raises(AttributeError):
        checkpointers.sqlite.PostgresSaver  # noqa: B018


def test_closing_twice_is_no_error(path):
    saver = SqliteSaver(path)
    saver.setup()

    saver.close()
    saver.close()


async def test_a_closed_saver_refuses_async_callers_too(path):
    saver = SqliteSaver(path)
    await saver.asetup()
    await saver.aclose()
    await saver.aclose()

    for _ in range(2):
        with pytest.raises(StorageUnavailableError, match="closed"):
            await saver.aget_tuple(config("t"))
    await saver.aclose()


def test_a_saver_that_was_never_used_can_be_closed(path):
    SqliteSaver(path).close()

    assert not path.exists()


async def test_the_worker_of_a_forgotten_saver_ends(path):
    saver = SqliteSaver(path)
    await saver.asetup()
    backend: Any = saver._site.backend
    worker = backend._worker
    del saver, backend
    gc.collect()

    worker.join(10)

    assert not worker.is_alive()


async def test_a_backend_ends_with_its_last_user_and_waits_for_no_collection(path):
    saver = SqliteSaver(path)
    await saver.asetup()
    backend: Any = saver._site.backend
    worker = backend._worker
    del saver
    gc.collect()

    # Whoever holds it last may be the worker itself, after the collection.
    del backend
    worker.join(10)

    assert not worker.is_alive()


FORGETFUL = """
import asyncio, sys
from checkpointers.sqlite import SqliteSaver
from graphkit.core.delta import diff
from graphkit.core.effects import Commit, Entry
saver = SqliteSaver(sys.argv[1])
hold = saver.hold("t")
hold.load("")
hold.write(hold.prepare("", Commit(claim=True)))
asyncio.run(saver.athreads())
print("end")
"""


def test_a_forgotten_close_does_not_hold_up_the_exit(path):
    ended = subprocess.run([sys.executable, "-c", FORGETFUL, str(path)], capture_output=True, text=True, timeout=60, check=False)

    assert (ended.stdout, ended.stderr, ended.returncode) == ("end\n", "", 0)


def test_sync_callers_load_no_asyncio(path):
    code = "import sys; from checkpointers.sqlite import SqliteSaver as S; S(sys.argv[1]).threads(); print('asyncio' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True).stdout == "False\n"


def test_storage_loads_neither_asyncio_nor_sqlite():
    code = "import sys; import graphkit.storage; print('asyncio' in sys.modules, 'sqlite3' in sys.modules, 'pydantic' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False False False\n"


def test_a_chat_of_1000_turns_takes_less_than_a_megabyte(path):
    with SqliteSaver(path, synchronous="OFF") as saver:
        run = subject(saver).writer("chat")
        for _ in range(1000):
            before = run.last[""].values if run.last else {"log": []}
            first = run.next(before, wrote=("__start__",))
            token = first.id.partition("-")[2]
            asked = {"log": [*before["log"], {"role": "user", "content": "u" * 200}]}
            second = replace(first, id=f"{first.n + 1:08x}-{token}", n=first.n + 1, origin=first.n + 1, parent=first.id, values=asked)
            run.commit(Commit((run.entry(first), Entry(second, diff(before, asked, asked))), claim=True))
            run.step({"log": [*asked["log"], {"role": "assistant", "content": "a" * 200}]}, release="idle")
        backend: Any = saver._site.backend
        keyframes = backend._group._connection.execute("SELECT count(DISTINCT frame_n) FROM checkpoints").fetchone()[0]

    assert path.stat().st_size < 1_000_000
    assert keyframes <= 3
    assert not Path(f"{path}-wal").exists()


def test_a_value_that_is_replaced_is_not_kept_in_every_row_of_the_answer(path):
    with SqliteSaver(path, synchronous="OFF") as saver:
        run = subject(saver).writer("t")
        for number in range(200):
            run.step({"big": "x" * 20_000, "n": number} if number == 0 else {**run.last[""].values, "n": number}, claim=number == 0)

    assert path.stat().st_size < 200_000
