"""The database of a store fails, the disk is full, the process dies: errors are typed, and what was acknowledged is there."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
from typing import Any

import pytest

from checkpointers.sqlite import SqliteStore, schema
from checkpointers.sqlite.store import statements as sql
from checkpointers.sqlite.store.distance import add_distance
from checkpointers.sqlite.store.schema import migrate
from graphkit.errors import CorruptCheckpointError, StorageError, StorageUnavailableError
from graphkit.storage import GetOp, PutOp, SearchOp
from graphkit.testing import Clock
from graphkit.testing.store_suite.subject import indexed

NS = ("n",)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "file.db"


class Failing(sqlite3.Connection):
    """Fails with the k-th statement from when it is told, and again as often as asked."""

    left: int | None = None
    error: type[BaseException] = sqlite3.OperationalError

    def execute(self, statement, *args):
        self._count(statement)
        return super().execute(statement, *args)

    def executemany(self, statement, *args):
        self._count(statement)
        return super().executemany(statement, *args)

    def _count(self, statement):
        if self.left is None or statement == sql.ROLLBACK:
            return
        self.left -= 1
        if self.left == 0:
            raise self.error("disk I/O error")


def failing_store(path, clock):
    """Return a store over a connection that can be told to fail."""
    store = SqliteStore(path, index=indexed(), clock=clock)
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, factory=Failing)
    schema.prepare(connection, str(path), schema.settings("OFF"), 1)
    migrate(connection, sql.MIGRATIONS, 0)
    add_distance(connection)
    backend: Any = store._backend
    backend._connect = lambda: connection
    store.setup()
    return store, connection


def fill(store):
    store.batch([PutOp(NS, "old", {"text": "sun"}, ttl=5), PutOp(NS, "gone", {"text": "rain"})])


def outcome(store, ops):
    """Return what a batch raises, None if it is carried out."""
    try:
        store.batch(ops)
    except (StorageUnavailableError, KeyboardInterrupt) as error:
        return error
    return None


CHANGE = [PutOp(NS, "old", {"text": "snow"}), PutOp(NS, "new", {"text": "sun rain"}), PutOp(NS, "gone", None), GetOp(NS, "old")]
READ = [SearchOp(NS, {"text": "sun"}, query="sun"), GetOp(NS, "old")]


@pytest.mark.parametrize("kind", [sqlite3.OperationalError, KeyboardInterrupt])
@pytest.mark.parametrize("ops", [CHANGE, READ], ids=["writing", "reading with a time that starts anew"])
def test_a_batch_that_fails_at_any_statement_leaves_everything_as_it_was(path, ops, kind):
    clock = Clock()
    store, connection = failing_store(path, clock)
    fill(store)
    whole = store.search(NS, refresh_ttl=False)
    rows = connection.execute("SELECT * FROM store_items").fetchall()
    failures = 0

    while True:
        failures += 1
        connection.left, connection.error = failures, kind
        raised = outcome(store, ops)
        connection.left = None
        if raised is None:
            break
        assert isinstance(raised, StorageUnavailableError if kind is sqlite3.OperationalError else KeyboardInterrupt)
        assert store.search(NS, refresh_ttl=False) == whole
        assert connection.execute("SELECT * FROM store_items").fetchall() == rows
        assert not connection.in_transaction

    assert failures > 5
    store.close()


def test_a_connection_that_cannot_roll_back_is_replaced(path):
    store, connection = failing_store(path, Clock())
    fill(store)
    backend: Any = store._backend

    class Broken:
        in_transaction = True

        def execute(self, statement, *args):
            raise sqlite3.OperationalError("gone")

        def close(self):
            connection.close()

    backend._connection = Broken()
    with pytest.raises(StorageUnavailableError):
        store.get(NS, "old")

    assert store.get(NS, "old").value == {"text": "sun"}
    store.close()


def test_a_full_disk_loses_nothing_acknowledged(path):
    with SqliteStore(path) as store:
        store.put(NS, "0", {"text": "x" * 1000})
        backend: Any = store._backend
        connection = backend._connection
        connection.execute(f"PRAGMA max_page_count = {connection.execute('PRAGMA page_count').fetchone()[0] + 5}")
        acknowledged = ["0"]

        def go_on():
            while True:
                store.put(NS, str(len(acknowledged)), {"text": "x" * 1000})
                acknowledged.append(str(len(acknowledged)))

        with pytest.raises(StorageUnavailableError, match="space"):
            go_on()

        assert [item.key for item in store.search(NS, limit=1000)] == acknowledged[::-1]
        connection.execute("PRAGMA max_page_count = 1000000")
        store.put(NS, "after", {})
        assert store.get(NS, "after") is not None


def test_a_folder_that_does_not_exist(tmp_path):
    with SqliteStore(tmp_path / "no" / "file.db") as store, pytest.raises(StorageUnavailableError, match=r"file\.db"):
        store.get(NS, "k")


def test_a_file_that_is_no_database_is_left_untouched(path):
    path.write_bytes(b"This is a letter and no database. " * 100)
    before = path.read_bytes()

    with SqliteStore(path) as store, pytest.raises(CorruptCheckpointError):
        store.put(NS, "k", {})

    assert path.read_bytes() == before


def test_a_file_that_another_process_holds_is_waited_for_and_then_refused(path):
    with SqliteStore(path, timeout=0) as store:
        store.put(NS, "k", {"n": 1})
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")

        with pytest.raises(StorageUnavailableError) as caught:
            store.put(NS, "k", {"n": 2})

        assert caught.value.retryable
        assert store.get(NS, "k").value == {"n": 1}
        other.execute("ROLLBACK")
        other.close()
        store.put(NS, "k", {"n": 3})


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
@pytest.mark.parametrize("after", [1, 7, 30])
def test_a_process_that_is_killed_loses_nothing_acknowledged(path, after):
    code = """
import sys
from checkpointers.sqlite import SqliteStore
from graphkit.storage import PutOp
store, n = SqliteStore(sys.argv[1], synchronous="NORMAL"), 0
while True:
    store.batch([PutOp(("n",), "a", {"n": n}), PutOp(("m",), "b", {"n": n})])
    print(n, flush=True)
    n += 1
"""
    child = subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, text=True)
    acknowledged = -1
    for _ in range(after):
        acknowledged = int(child.stdout.readline())
    child.send_signal(signal.SIGKILL)
    rest = child.communicate()[0].split()

    with SqliteStore(path) as store:
        values = [store.get(namespace, key).value["n"] for namespace, key in ((("n",), "a"), (("m",), "b"))]
        assert values[0] == values[1] >= max([acknowledged, *[int(line) for line in rest if line.isdigit()]])
        backend: Any = store._backend
        assert backend._connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_every_error_of_the_store_is_one_of_graphkits(path):
    with SqliteStore(path) as store:
        store.put(NS, "k", {"n": 1})
        backend: Any = store._backend
        backend._connection.execute("DROP TABLE store_vectors")
        backend._connection.execute("DROP TABLE store_items")

        for call in (lambda: store.get(NS, "k"), lambda: store.put(NS, "k", {}), lambda: store.search(NS), store.sweep_ttl):
            with pytest.raises(StorageError):
                call()
