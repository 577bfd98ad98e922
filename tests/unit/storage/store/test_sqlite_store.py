"""The SQLite store beside the saver: one file, any order, versions of its own."""

from __future__ import annotations

import asyncio
import gc
import sqlite3
import subprocess
import sys
from hashlib import sha256
from typing import Any

import pytest

import checkpointers.sqlite
from checkpointers.sqlite import AsyncSqliteStore, SqliteSaver, SqliteStore
from checkpointers.sqlite.store import distance, schema
from checkpointers.sqlite.store import statements as sql
from checkpointers.sqlite.store.distance import add_distance
from graphkit.errors import CorruptCheckpointError, EmbeddingError, InvalidConfigError, SchemaVersionError, StorageUnavailableError
from graphkit.storage.store import vectors
from graphkit.testing import Clock
from graphkit.testing.store_suite.subject import counted, indexed

NS = ("n",)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "file.db"


def connection_of(store):
    backend: Any = store._backend
    return backend._connection


def digest(path):
    return sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("kinds", [(SqliteSaver, SqliteStore), (SqliteStore, SqliteSaver)])
def test_saver_and_store_share_a_file_whoever_opens_it_first(path, kinds):
    for kind in kinds:
        with kind(path) as opened:
            opened.setup()
            opened.setup()

    with SqliteSaver(path) as saver, SqliteStore(path) as store:
        store.put(NS, "k", {"n": 1})
        assert saver.threads().items == ()
    with SqliteStore(path) as store:
        assert store.get(NS, "k").value == {"n": 1}


def test_four_processes_may_make_the_file_and_write_at_once(path):
    code = """
import sys; sys.stdin.read(1)
from checkpointers.sqlite import SqliteStore
from graphkit.errors import StoreConflictError
with SqliteStore(sys.argv[1], synchronous="OFF") as store:
    added = 0
    while added < 10:
        item = store.get(("n",), "total")
        try:
            store.put(("n",), "total", {"n": 1 + (item.value["n"] if item else 0)}, if_version=item.version if item else 0)
        except StoreConflictError:
            continue
        added += 1
"""
    with SqliteSaver(path) as saver:
        saver.setup()
    command = [sys.executable, "-c", code, str(path)]
    children: list[Any] = [subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(4)]

    ended = [child.communicate(b"x")[1] for child in children]

    assert ended == [b""] * 4
    with SqliteStore(path) as store:
        assert store.get(NS, "total").value == {"n": 40}


@pytest.mark.parametrize("spoil", ["CREATE TABLE theirs (x)", "PRAGMA user_version = 7", "PRAGMA application_id = 42"])
def test_a_database_of_another_program_is_left_untouched(path, spoil):
    connection = sqlite3.connect(path)
    connection.execute(spoil)
    connection.close()
    before = digest(path)

    with SqliteStore(path) as store, pytest.raises(CorruptCheckpointError, match="another program"):
        store.get(NS, "k")

    assert digest(path) == before


def test_a_newer_store_is_left_untouched_and_the_saver_does_not_mind(path):
    with SqliteStore(path) as store:
        store.setup()
    connection = sqlite3.connect(path)
    connection.execute("UPDATE store_state SET version = 99")
    connection.commit()
    connection.close()
    before = digest(path)

    with SqliteStore(path) as store, pytest.raises(SchemaVersionError, match="99"):
        store.put(NS, "k", {})

    assert digest(path) == before
    with SqliteSaver(path) as saver:
        assert saver.threads().items == ()


@pytest.mark.parametrize("number", range(1, 1 + len(sql.MIGRATIONS[0])))
def test_a_migration_that_fails_leaves_the_file_as_it_was(number):
    connection = sqlite3.connect(":memory:", isolation_level=None)

    with pytest.raises(sqlite3.OperationalError):
        schema.migrate(connection, [[*sql.MIGRATIONS[0][:number], "CREATE nonsense"]], 0)

    assert connection.execute(sql.COUNT_STATE).fetchone() == (0,)
    assert not connection.in_transaction
    schema.migrate(connection, sql.MIGRATIONS, 0)
    schema.migrate(connection, sql.MIGRATIONS, 0)
    assert connection.execute(sql.READ_VERSION).fetchone() == (len(sql.MIGRATIONS),)
    connection.close()


def test_what_was_written_is_there_for_the_next_process(path):
    clock = Clock()
    with SqliteStore(path, clock=clock, index=indexed()) as store:
        store.put(NS, "k", {"text": "sun", "pair": (1, 2)}, ttl=1)
        before = store.get(NS, "k")

    with SqliteStore(path, clock=clock, index=indexed()) as store:
        assert store.get(NS, "k") == before
        assert [item.score for item in store.search(NS, query="sun")] == [1.0]
        clock.advance(60)
        assert store.sweep_ttl() == 1
        assert connection_of(store).execute("SELECT count(*) FROM store_vectors").fetchone() == (0,)


def test_vectors_of_another_size_are_refused_until_the_last_of_them_is_gone(path):
    with SqliteStore(path, index=indexed()) as store:
        store.put(NS, "k", {"text": "sun"})
    smaller: Any = {"dims": 2, "embed": lambda texts: [[1.0, 0.0] for _ in texts], "fields": ["text"]}

    with SqliteStore(path, index=smaller) as store:
        for call in (lambda: store.search(NS, query="sun"), lambda: store.put(NS, "l", {"text": "sun"})):
            with pytest.raises(EmbeddingError, match="3 numbers"):
                call()
        assert store.get(NS, "l") is None
        store.put(NS, "k", {"text": "sun"}, index=False)
        store.put(NS, "l", {"text": "sun"})
        assert [item.key for item in store.search(NS, query="sun")] == ["l"]


def test_python_and_sqlite_vec_give_the_same_distances():
    connection = sqlite3.connect(":memory:")
    add_distance(connection)
    packed = [vectors.packed(vector) for vector in ([1.0, 0, 0], [0, 3.0, 4.0], [-1.0, 1e30, 2], [0.5, 0.5, 0.5])]

    for left in packed:
        for right in packed:
            [(found,)] = connection.execute(f"SELECT {distance.NAME}(?, ?)", (left, right))
            assert found == pytest.approx(vectors.distance(left, right), abs=1e-5)
    connection.close()


def test_one_connection_from_conn_string_serves_both_kinds_of_block(path):
    with SqliteStore.from_conn_string(path) as store:
        store.put(NS, "k", {"n": 1})

    async def main():
        async with AsyncSqliteStore.from_conn_string(path) as opened:
            await opened.asetup()
            return (await opened.aget(NS, "k")).value

    assert asyncio.run(main()) == {"n": 1}


def test_a_closed_store_says_so(path):
    store = SqliteStore(path)
    store.put(NS, "k", {})
    store.close()
    store.close()

    with pytest.raises(StorageUnavailableError, match="closed"):
        store.get(NS, "k")
    with pytest.raises(StorageUnavailableError, match="closed"):
        asyncio.run(store.aget(NS, "k"))


def test_a_store_that_is_forgotten_gives_its_file_back(path):
    store = SqliteStore(path)
    store.put(NS, "k", {})
    connection = connection_of(store)

    del store
    gc.collect()

    with pytest.raises(sqlite3.ProgrammingError):
        connection.execute("SELECT 1")


@pytest.mark.parametrize("options", [{"synchronous": "full"}, {"timeout": -1}, {"ttl": 5}, {"index": {}}])
def test_odd_arguments_are_refused(path, options):
    with pytest.raises(InvalidConfigError):
        SqliteStore(path, **options)
    with pytest.raises(InvalidConfigError):
        SqliteStore("")


def test_the_package_has_no_other_names():
    with pytest.raises(AttributeError):
        _ = checkpointers.sqlite.RedisStore


async def test_an_event_loop_is_not_blocked_while_another_process_writes(path):
    with SqliteStore(path, index=indexed()) as store:
        await store.aput(NS, "k", {"text": "sun"})
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")

        waiting = asyncio.ensure_future(store.aput(NS, "l", {"text": "rain"}))
        for _ in range(50):
            await asyncio.sleep(0)
        assert not waiting.done()
        other.execute("ROLLBACK")
        other.close()
        await waiting

        assert [item.key for item in await store.asearch(NS, query="rain")] == ["l", "k"]


def test_the_words_of_the_kit_are_counted():
    assert counted(["sun sun rain"]) == [[2.0, 1.0, 0.0]]
