"""Group commit: what waits together is written together, refused alone, and fails together."""

from __future__ import annotations

import asyncio
import sqlite3
from threading import Barrier, Event, Thread
from typing import Any

import pytest

from checkpointers.sqlite import SqliteSaver
from checkpointers.sqlite.group import Group, Job, tell
from checkpointers.sqlite.schema import prepare, settings
from checkpointers.sqlite.waiting import Desk
from graphkit.errors import StorageUnavailableError
from graphkit.storage.operations import Busy, Claim, Lost, Moved, Prune, Read, Reading, Unasked, Write, Written
from graphkit.storage.rows import Change, OutcomeRow

FULL = settings("FULL")
NORMAL = settings("NORMAL")


def write(thread_id, task_id="a", *, claim=True, durable=True):
    change = Change("", outcomes=(OutcomeRow(0, task_id, b"x"),))
    return Write(thread_id, "holder", 0.0, 1.0, change, Claim(0, 1) if claim else None, durable=durable)


class Counting(sqlite3.Connection):
    """A connection that knows how often it has committed, and can fail."""

    commits = 0
    levels: tuple[str, ...] = ()
    failing: str | None = None
    error: BaseException = sqlite3.OperationalError()

    def execute(self, statement, *args):
        if self.failing is not None and self.failing in statement:
            raise self.error
        self.commits += statement == "COMMIT"
        if statement in {FULL, NORMAL, "COMMIT"}:
            self.levels = (*self.levels, statement)
        return super().execute(statement, *args)


@pytest.fixture
def connection():
    connection = sqlite3.connect(":memory:", check_same_thread=False, factory=Counting)
    prepare(connection, ":memory:", settings("OFF"), 0)
    connection.commits = 0
    yield connection
    connection.close()


@pytest.fixture
def group(connection):
    return Group(lambda: connection, ":memory:", FULL)


def test_what_waits_is_one_transaction(group, connection):
    jobs = [Job(write(f"t{number}")) for number in range(10)]
    for job in jobs:
        group.add(job)

    group.flush()

    assert [job.result() for job in jobs] == [Written(1)] * 10
    assert connection.commits == 1


def test_a_write_that_nobody_is_told_of_does_not_wait_for_the_disk_and_the_next_one_does(group, connection):
    connection.levels = ()

    group.run(write("t1", durable=False))
    group.run(write("t2", durable=False))
    group.run(write("t3"))
    group.run(write("t4"))

    assert connection.levels == (NORMAL, "COMMIT", "COMMIT", FULL, "COMMIT", "COMMIT")


def test_a_group_waits_for_the_disk_if_one_of_its_writes_has_to(group, connection):
    connection.levels = ()
    for job in (Job(write("t1", durable=False)), Job(write("t2")), Job(write("t3", durable=False))):
        group.add(job)

    group.flush()

    assert connection.levels == ("COMMIT",)


def test_a_connection_that_cannot_be_made_to_wait_writes_nothing(group, connection):
    group.run(write("t1", durable=False))
    connection.failing = FULL

    with pytest.raises(StorageUnavailableError):
        group.run(write("t2"))

    connection.failing = None
    assert group.run(Read("t2", "")) == Reading()


def test_a_saver_that_never_waits_for_the_disk_is_never_told_to(connection):
    group = Group(lambda: connection, ":memory:", NORMAL)
    connection.levels = ()

    group.run(write("t1", durable=False))
    group.run(write("t2"))

    assert connection.levels == ("COMMIT", "COMMIT")


def test_a_refused_write_is_refused_alone(group):
    jobs = [Job(write("t1")), Job(write("t1", "late")), Job(write("t2", claim=False)), Job(write("t3"))]
    for job in jobs:
        group.add(job)

    group.flush()

    assert [type(job.result()) for job in jobs] == [Written, Moved, Lost, Written]
    assert group.run(Read("t2", "")) == Reading()
    assert [row[0] for row in group._connection.execute("SELECT task_id FROM outcomes")] == ["a", "a"]


def test_what_a_refused_write_has_begun_is_undone(group):
    change = Change("", outcomes=(OutcomeRow(0, "half", b"x"),), answers=(("0" * 32, b"x"),))
    refused = Job(Write("t1", "holder", 0.0, 1.0, change, Claim(0, 1)))
    written = Job(write("t2"))
    for job in (refused, written):
        group.add(job)

    group.flush()

    assert refused.result() == Unasked("0" * 32)
    assert written.result() == Written(1)
    assert group.run(Read("t1", "")) == Reading()


@pytest.mark.parametrize("failing", ["BEGIN IMMEDIATE", "INSERT INTO outcomes", "COMMIT"])
def test_a_failure_of_the_database_fails_all_and_writes_nothing(group, connection, failing):
    jobs = [Job(write("t1")), Job(write("t2"))]
    for job in jobs:
        group.add(job)
    connection.failing, connection.error = failing, sqlite3.OperationalError("broken")

    group.flush()

    connection.failing = None
    for job in jobs:
        with pytest.raises(StorageUnavailableError):
            job.result()
    assert group.run(Read("t1", "")) == Reading()
    assert group.run(write("t1")) == Written(1)


def test_an_interrupted_write_is_rolled_back_and_the_interrupt_goes_on(group, connection):
    waiting = Job(write("t2"))
    group.add(waiting)
    connection.failing, connection.error = "INSERT INTO outcomes", KeyboardInterrupt()

    with pytest.raises(KeyboardInterrupt):
        group.run(write("t1"))

    connection.failing = None
    with pytest.raises(KeyboardInterrupt):
        waiting.result()
    assert group.run(Read("t1", "")) == Reading()


def test_a_connection_that_cannot_roll_back_is_replaced(connection):
    made = []

    def connect():
        made.append(connection)
        return connection

    group = Group(connect, ":memory:", FULL)
    group.run(write("t0"))
    connection.execute("BEGIN")
    connection.failing, connection.error = "", sqlite3.OperationalError("broken")
    with pytest.raises(StorageUnavailableError):
        group.run(write("t1"))
    connection.failing = None
    connection.rollback()

    assert group.run(Read("t1", "")) == Reading()
    assert len(made) == 2


def test_a_connection_that_cannot_be_made_fails_what_waits():
    def connect():
        raise sqlite3.OperationalError("no way")

    with pytest.raises(StorageUnavailableError, match="no way"):
        Group(connect, "file.db", FULL).run(Read("t", ""))


def test_a_closed_group_refuses_everything(group):
    waiting = Job(Read("t", ""))
    group.add(waiting)

    group.close(lambda _: None)

    with pytest.raises(StorageUnavailableError, match="closed"):
        waiting.result()
    with pytest.raises(StorageUnavailableError, match="closed"):
        group.run(Read("t", ""))


def test_a_withdrawn_job_is_not_carried_out(group):
    job = Job(write("t"))
    group.add(job)

    assert job.take()
    group.flush()

    assert not job.finished
    assert group.run(Read("t", "")) == Reading()


def test_a_prune_of_a_thread_that_moved_on_is_refused(group):
    group.run(write("t"))

    assert group.run(Prune("t", 7, (), 9.0)) == Moved(1)
    assert group.run(Prune("unknown", 7, (), 9.0)) == Moved(0)
    assert group.run(Prune("t", 1, (), 0.5)) == Busy("holder", 1.0)


def test_many_os_threads_share_one_connection(tmp_path):
    with SqliteSaver(tmp_path / "file.db", synchronous="OFF") as saver:
        backend: Any = saver._site.backend
        start = Barrier(8)

        def work(number):
            start.wait()
            for step in range(20):
                backend.run(write(f"t{number}", str(step), claim=step == 0))

        threads = [Thread(target=work, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert all([len(backend.run(Read(f"t{number}", "")).outcomes) == 0 for number in range(8)])
        assert len(saver.threads().items) == 8


async def test_many_tasks_are_written_in_groups(tmp_path):
    async with SqliteSaver(tmp_path / "file.db") as saver:
        await saver.asetup()
        backend: Any = saver._site.backend
        statements: list[str] = []
        backend._group._connection.set_trace_callback(statements.append)
        with backend._group._lock:
            tasks = [asyncio.create_task(backend.arun(write(f"t{number}"))) for number in range(100)]
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            assert len(backend._group._waiting) == 100
        replies = await asyncio.gather(*tasks)

        assert replies == [Written(1)] * 100
        assert statements.count("COMMIT") == 1


async def test_a_cancelled_task_withdraws_what_has_not_begun(group):
    submitted = asyncio.Event()

    def submit(job):
        group.add(job)
        submitted.set()

    task = asyncio.create_task(Desk(submit).wait(write("t"), lambda: None))
    await submitted.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    group.flush()

    assert group.run(Read("t", "")) == Reading()


async def test_a_cancelled_task_waits_for_what_has_begun(group):
    taken, go_on, ended = Event(), Event(), []
    submitted = asyncio.Event()

    def carry_out(job):
        job.take()
        taken.set()
        go_on.wait()
        ended.append(job)
        job.finish(None, None)
        tell([job])

    def submit(job):
        Thread(target=carry_out, args=(job,)).start()
        submitted.set()

    task = asyncio.create_task(Desk(submit).wait(write("t"), lambda: None))
    await submitted.wait()
    taken.wait()
    task.cancel()
    asyncio.get_running_loop().call_soon(lambda: asyncio.get_running_loop().call_soon(go_on.set))
    with pytest.raises(asyncio.CancelledError):
        await task

    assert ended


def test_a_job_whose_loop_is_gone_is_carried_out_all_the_same(group):
    jobs: list[Job] = []

    async def leave():
        asyncio.get_running_loop().call_soon(asyncio.get_running_loop().stop)
        await Desk(jobs.append).wait(write("t"), lambda: None)

    loop = asyncio.new_event_loop()
    task: Any = loop.create_task(leave())
    loop.run_forever()
    group.add(jobs[0])
    task._log_destroy_pending = False
    loop.close()

    group.flush()

    assert group.run(Read("t", "")).epoch == 1
