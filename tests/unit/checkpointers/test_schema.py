"""Opening a database file: ours, new, newer, somebody else's."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from hashlib import sha256
from typing import Any

import pytest

from checkpointers.sqlite import SqliteSaver
from checkpointers.sqlite import statements as sql
from checkpointers.sqlite.schema import _migrate, prepare, settings
from graphkit.errors import CorruptCheckpointError, InvalidConfigError, SchemaVersionError


def digest(path):
    return sha256(path.read_bytes()).hexdigest()


def test_a_new_file_is_set_up_once(tmp_path):
    path = tmp_path / "file.db"
    with SqliteSaver(path) as saver:
        saver.setup()
        saver.setup()
    with SqliteSaver(path) as saver:
        saver.setup()
    connection = sqlite3.connect(path)

    assert connection.execute("PRAGMA application_id").fetchone()[0] == sql.APPLICATION_ID
    assert connection.execute("PRAGMA user_version").fetchone()[0] == len(sql.MIGRATIONS)
    assert connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
    connection.close()


async def test_it_can_be_set_up_in_an_event_loop(tmp_path):
    async with SqliteSaver(tmp_path / "file.db") as saver:
        await saver.asetup()

    assert (tmp_path / "file.db").exists()


def test_the_statements_of_the_file_fit_together():
    assert str(sql.APPLICATION_ID) in sql.WRITE_APPLICATION_ID
    assert [statement.split()[-1] for statement in sql.WRITE_VERSION] == [str(number + 1) for number in range(len(sql.MIGRATIONS))]


@pytest.mark.parametrize(
    "spoil",
    ["CREATE TABLE theirs (x)", "PRAGMA user_version = 7", "PRAGMA application_id = 42"],
)
def test_a_database_of_another_program_is_left_untouched(tmp_path, spoil):
    path = tmp_path / "file.db"
    connection = sqlite3.connect(path)
    connection.execute(spoil)
    connection.close()
    before = digest(path)

    with SqliteSaver(path) as saver, pytest.raises(CorruptCheckpointError, match="another program"):
        saver.setup()

    assert digest(path) == before


def test_a_file_that_is_no_database_is_left_untouched(tmp_path):
    path = tmp_path / "file.db"
    path.write_bytes(b"This is a letter and no database. " * 100)
    before = digest(path)

    with SqliteSaver(path) as saver, pytest.raises(CorruptCheckpointError):
        saver.threads()

    assert digest(path) == before


def test_a_newer_database_is_left_untouched(tmp_path):
    path = tmp_path / "file.db"
    with SqliteSaver(path) as saver:
        saver.setup()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    before = digest(path)

    with SqliteSaver(path) as saver, pytest.raises(SchemaVersionError, match="99"):
        saver.setup()

    assert digest(path) == before


def test_two_processes_may_set_it_up_at_once(tmp_path):
    code = "import sys; sys.stdin.read(1); from checkpointers.sqlite import SqliteSaver; s = SqliteSaver(sys.argv[1]); s.setup(); s.close()"
    command = [sys.executable, "-c", code, str(tmp_path / "file.db")]
    children: list[Any] = [subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(4)]

    for child in children:
        child.stdin.write(b"x")
        child.stdin.flush()
    ended = [child.communicate()[1] for child in children]

    assert ended == [b""] * 4
    assert [child.returncode for child in children] == [0] * 4


@pytest.mark.parametrize("number", range(1, 1 + len(sql.MIGRATIONS[0])))
def test_a_migration_that_fails_leaves_the_file_as_it_was(tmp_path, number):
    connection = sqlite3.connect(tmp_path / "file.db", isolation_level=None)
    broken = [[*sql.MIGRATIONS[0][:number], "CREATE nonsense"]]

    with pytest.raises(sqlite3.OperationalError):
        _migrate(connection, "file.db", broken)

    assert connection.execute("SELECT count(*) FROM sqlite_schema").fetchone() == (0,)
    assert not connection.in_transaction
    prepare(connection, "file.db", settings("FULL"), 1)
    connection.close()


def test_what_another_process_has_migrated_is_left_alone(tmp_path):
    connection = sqlite3.connect(tmp_path / "file.db", isolation_level=None)
    prepare(connection, "file.db", settings("FULL"), 1)

    _migrate(connection, "file.db", sql.MIGRATIONS)

    assert connection.execute("PRAGMA user_version").fetchone() == (len(sql.MIGRATIONS),)
    connection.close()


@pytest.mark.parametrize("odd", ["full", "", None, 2, "FULL; DROP TABLE threads"])
def test_levels_of_synchronous_are_a_closed_list(odd):
    with pytest.raises(InvalidConfigError):
        SqliteSaver(":memory:", synchronous=odd)
