"""The database fails, the disk is full, the process dies: errors are typed, and what was acknowledged is there."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from checkpointers.sqlite import SqliteSaver
from graphkit.core.effects import Commit
from graphkit.errors import ConcurrentUpdateError, CorruptCheckpointError, LeaseLostError, StorageUnavailableError, ThreadBusyError
from graphkit.testing import Clock
from graphkit.testing.checkpointers.subject import Subject, config

ROOT = hasattr(os, "geteuid") and os.geteuid() == 0


@pytest.fixture
def path(tmp_path):
    return tmp_path / "file.db"


def subject(saver):
    return Subject(lambda _: saver, Clock(), "sync")


def intact(path):
    connection = sqlite3.connect(path)
    try:
        return connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    finally:
        connection.close()


def test_a_folder_that_does_not_exist(tmp_path):
    with SqliteSaver(tmp_path / "no" / "file.db") as saver, pytest.raises(StorageUnavailableError, match=r"file\.db"):
        saver.threads()


def test_a_path_that_is_a_folder(tmp_path):
    with SqliteSaver(tmp_path) as saver, pytest.raises(StorageUnavailableError):
        saver.threads()


def test_a_file_that_may_only_be_read_fails_with_the_claim(path):
    with SqliteSaver(path) as saver:
        subject(saver).thread("t", {"x": 1})
    with SqliteSaver(f"file:{path}") as saver:
        backend: Any = saver._site.backend
        connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None, check_same_thread=False)
        backend._group._connect = lambda: connection
        run = subject(saver).writer("t")

        with pytest.raises(StorageUnavailableError) as caught:
            run.step({"x": 2}, claim=True)

    assert "writable" in str(caught.value)
    assert not run.hold.held


@pytest.mark.skipif(ROOT, reason="the superuser may write everywhere")
def test_a_folder_that_may_only_be_read(tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    folder.chmod(0o500)

    with SqliteSaver(folder / "file.db") as saver, pytest.raises(StorageUnavailableError):
        saver.threads()


def test_a_full_disk_stops_the_run_and_loses_nothing_acknowledged(path):
    with SqliteSaver(path) as saver:
        bench = subject(saver)
        run = bench.writer("t")
        run.step({"log": ["x" * 1000]}, claim=True)
        backend: Any = saver._site.backend
        connection = backend._group._connection
        connection.execute(f"PRAGMA max_page_count = {connection.execute('PRAGMA page_count').fetchone()[0] + 3}")
        acknowledged = [1]

        def go_on():
            while True:
                run.step({"log": [*run.last[""].values["log"], "x" * 1000]})
                acknowledged[0] += 1

        with pytest.raises(StorageUnavailableError) as caught:
            go_on()

        assert "space" in str(caught.value)
        assert run.hold.held
        assert len(bench.history("t")) == acknowledged[0]
        connection.execute("PRAGMA max_page_count = 1000000")
        run.step({"log": ["after"]}, release="idle")
        assert bench.loaded("t").checkpoint.values == {"log": ["after"]}

    assert intact(path)


@pytest.mark.skipif(sys.platform == "win32", reason="there are no resource limits of this kind")
def test_a_file_that_may_not_grow(path):
    code = """
import resource, sys
from checkpointers.sqlite import SqliteSaver
from graphkit.errors import StorageUnavailableError
from graphkit.testing import Clock
from graphkit.testing.checkpointers.subject import Subject
import signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
saver = SqliteSaver(sys.argv[1])
run = Subject(lambda _: saver, Clock(), "sync").writer("t")
run.step({"n": 0, "x": "x" * 5000}, claim=True)
resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))
n = 0
try:
    while True:
        run.step({"n": n + 1, "x": "x" * 5000 + str(n)})
        n += 1
except StorageUnavailableError:
    print(n, flush=True)
import os
os._exit(0)
"""
    ended = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, timeout=60, check=True)
    acknowledged = int(ended.stdout)

    with SqliteSaver(path) as saver:
        assert subject(saver).loaded("t").checkpoint.values["n"] == acknowledged
    assert acknowledged > 0
    assert intact(path)


def test_a_lock_of_another_process_is_waited_for_and_then_reported(path):
    with SqliteSaver(path) as saver:
        subject(saver).thread("t", {"x": 1})
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    with SqliteSaver(path, timeout=0.05) as saver:
        run = subject(saver).writer("t")
        with pytest.raises(StorageUnavailableError) as caught:
            run.step({"x": 2}, claim=True)
        assert caught.value.retryable
        assert subject(saver).loaded("t").checkpoint.values == {"x": 1}
        other.execute("ROLLBACK")
        run.step({"x": 3}, claim=True, release="idle")
        assert subject(saver).loaded("t").checkpoint.values == {"x": 3}
    other.close()


def test_a_lock_is_waited_for_while_a_new_file_is_set_up(path):
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")

    with SqliteSaver(path, timeout=0.05) as saver:
        with pytest.raises(StorageUnavailableError):
            saver.threads()
        other.execute("ROLLBACK")
        assert saver.threads().items == ()
    other.close()


def test_a_lock_is_waited_for_while_a_new_file_is_switched_to_wal(path):
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    with SqliteSaver(path, timeout=0.05) as saver:
        with pytest.raises(StorageUnavailableError, match="lock"):
            saver.threads()
        other.execute("ROLLBACK")
        assert saver.threads().items == ()
    other.close()


@pytest.mark.parametrize("column", ["record", "changes"])
def test_a_flipped_bit_in_a_row_is_reported(path, column):
    with SqliteSaver(path) as saver:
        subject(saver).thread("t", {"recipient": "alice", "amount": 100})
    connection = sqlite3.connect(path)
    [(blob,)] = connection.execute({"record": "SELECT record FROM checkpoints", "changes": "SELECT changes FROM checkpoints"}[column])
    update = {"record": "UPDATE checkpoints SET record = ?", "changes": "UPDATE checkpoints SET changes = ?"}[column]
    for index in range(len(blob)):
        damaged = bytearray(blob)
        damaged[index] ^= 1 << index % 8
        connection.execute(update, (bytes(damaged),))
        connection.commit()

        with SqliteSaver(path) as saver, pytest.raises(CorruptCheckpointError):
            saver.get_tuple(config("t"))
    connection.close()


def test_a_row_that_is_missing_is_reported(path):
    with SqliteSaver(path) as saver:
        subject(saver).thread("t", {"log": [1]}, {"log": [1, 2]}, {"log": [1, 2, 3]})
    connection = sqlite3.connect(path)
    connection.execute("DELETE FROM checkpoints WHERE key & 4294967295 = 1")
    connection.commit()
    connection.close()

    with SqliteSaver(path) as saver, pytest.raises(CorruptCheckpointError):
        saver.get_tuple(config("t"))


def test_a_file_with_damaged_pages_is_reported(path):
    with SqliteSaver(path) as saver:
        subject(saver).thread("t", *[{"n": n, "x": "x" * 3000 + str(n)} for n in range(20)])
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    path.write_bytes(bytes(content))

    with SqliteSaver(path) as saver, pytest.raises(CorruptCheckpointError):
        saver.get_tuple(config("t"))


RUN = """
import sys
from checkpointers.sqlite import SqliteSaver
from graphkit.errors import GraphkitError
from graphkit.testing import Clock
from graphkit.testing.checkpointers.subject import Subject
import time
saver = SqliteSaver(sys.argv[1])
subject = Subject(lambda _: saver, Clock(time.time()), "sync")
"""

RACE = """
wins = 0
for number in range(30):
    run = subject.writer(f"t{number}")
    print("ready", flush=True)
    sys.stdin.readline()
    try:
        run.step({"winner": sys.argv[2]}, claim=True)
    except GraphkitError as error:
        print(type(error).__name__, flush=True)
    else:
        print("won", flush=True)
"""


def child(code, path, *args):
    return subprocess.Popen([sys.executable, "-c", RUN + code, str(path), *args], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def test_of_two_processes_one_gets_the_thread(path):
    rivals = [child(RACE, path, name) for name in ("one", "two")]
    for number in range(30):
        for rival in rivals:
            assert rival.stdout.readline() == "ready\n"
        for rival in rivals:
            rival.stdin.write("\n")
            rival.stdin.flush()
        results = sorted([rival.stdout.readline().strip() for rival in rivals])

        assert results[1] == "won", number
        assert results[0] in ("ThreadBusyError", "ConcurrentUpdateError")
    for rival in rivals:
        rival.communicate()
    with SqliteSaver(path) as saver:
        assert all([len(list(saver.list(config(f"t{number}")))) == 1 for number in range(30)])


HOLD = """
run = subject.writer("t")
run.step({"n": 0}, claim=True)
print("held", flush=True)
n = 0
while True:
    n += 1
    run.step({"n": n})
    print(n, flush=True)
"""


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="without /proc the lease has to run out")
def test_a_killed_run_is_taken_over_at_once_and_nothing_acknowledged_is_lost(path):
    victim = child(HOLD, path)
    assert victim.stdout.readline() == "held\n"
    with SqliteSaver(path) as saver:
        rival = subject(saver).writer("t")
        with pytest.raises((ThreadBusyError, ConcurrentUpdateError)):
            rival.step({"n": "rival"}, claim=True)
    for _ in range(20):
        victim.stdout.readline()

    victim.send_signal(signal.SIGKILL)
    rest = victim.stdout.read().split()
    victim.communicate()

    with SqliteSaver(path) as saver:
        successor = subject(saver).writer("t")
        stored = successor.last[""].values["n"]
        successor.step({"n": "after"}, claim=True, release="idle")
        assert subject(saver).loaded("t").checkpoint.values == {"n": "after"}
    acknowledged = int(rest[-1]) if rest else 20
    assert stored in (acknowledged, acknowledged + 1)
    assert intact(path)


def test_a_stopped_run_that_wakes_up_late_cannot_write(path):
    clock = Clock()
    with SqliteSaver(path, clock=clock) as one, SqliteSaver(path, clock=clock) as two:
        sleeper = subject(one).writer("t")
        sleeper.step({"n": 0}, claim=True)
        clock.advance(31)
        other = subject(two).writer("t")
        other.step({"n": 1}, claim=True)

        with pytest.raises(LeaseLostError):
            sleeper.step({"n": 2})

        other.commit(Commit(release="idle"))
        assert [item.checkpoint.values["n"] for item in two.list(config("t"))] == [1, 0]
