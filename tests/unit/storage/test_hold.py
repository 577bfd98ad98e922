"""What a hold does when writes fail, and what upkeep does when a run comes in between."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from graphkit.core.effects import Commit, Filed
from graphkit.core.task import Done
from graphkit.errors import ConcurrentUpdateError, StorageUnavailableError, UnknownInterruptError, UnserializableValueError
from graphkit.serde import Codec
from graphkit.storage import Checkpointer, InMemorySaver
from graphkit.storage.memory import MemoryBackend
from graphkit.storage.operations import Prune, Write
from graphkit.testing.checkpointers.subject import Subject
from graphkit.testing.clock import Clock


class Interrupted(MemoryBackend):
    """Calls something before operations of a kind."""

    def __init__(self, kind, call):
        super().__init__()
        self.kind = kind
        self.call = call

    def run(self, operation):
        if isinstance(operation, self.kind):
            self.call(operation)
        return super().run(operation)


class Cancelled(MemoryBackend):
    """Carries out what it is asked for, but its caller is cancelled meanwhile."""

    async def arun(self, operation):
        self.run(operation)
        raise asyncio.CancelledError


def subject(backend):
    return Subject(lambda _: Checkpointer(backend), Clock(), "sync")


def failing(_):
    raise StorageUnavailableError("The disk is full.")


def test_after_a_refused_write_all_values_are_written_again():
    run = Subject(lambda _: InMemorySaver(), Clock(), "sync")
    writer = run.writer("t")
    writer.step({"log": [1]}, claim=True)
    lost = writer.next({"log": [1, 2]})
    with pytest.raises(UnknownInterruptError):
        writer.commit(Commit((writer.entry(lost),), answers=(("0" * 32, 1),)))
    writer.last[""], writer.heads[""] = lost, 1

    writer.step({"log": [1, 2, 3]})

    assert run.loaded("t").checkpoint.values == {"log": [1, 2, 3]}


def test_after_a_failed_write_all_values_are_written_again():
    backend = Interrupted(Prune, failing)
    run = subject(backend)
    writer = run.writer("t")
    writer.step({"log": [1]}, claim=True)
    lost = writer.next({"log": [1, 2]})
    backend.kind = Write
    with pytest.raises(StorageUnavailableError):
        writer.commit(Commit((writer.entry(lost),)))
    backend.kind = Prune
    writer.last[""], writer.heads[""] = lost, 1

    writer.step({"log": [1, 2, 3]})

    assert run.loaded("t").checkpoint.values == {"log": [1, 2, 3]}


def test_a_release_that_fails_is_silent():
    backend = Interrupted(Prune, failing)
    writer = subject(backend).writer("t")
    writer.step({"x": 1}, claim=True)
    backend.kind = Write

    writer.release("idle")

    assert not writer.hold.held


async def test_a_claim_that_was_cancelled_can_be_released():
    backend = Cancelled()
    run = subject(backend)
    hold = run.saver.hold("t")
    with pytest.raises(asyncio.CancelledError):
        await hold.awrite(hold.prepare("", Commit(claim=True)))

    hold.release("error")

    assert not hold.held
    assert [info.status for info in run.saver.threads().items] == ["error"]


def test_a_beat_that_fails_is_missed():
    backend = Interrupted(object, lambda _: None)
    run = subject(backend)
    writer = run.writer("t")
    writer.step({"x": 1}, claim=True)
    backend.call = failing

    run.saver.extend_leases()

    assert writer.hold.held


def test_a_prune_plans_again_when_a_run_came_in_between():
    runs: list[object] = []

    def write(_):
        if not runs:
            runs.append(run.thread("t", {"n": 2}))

    run = subject(Interrupted(Prune, write))
    run.thread("t", {"n": 0}, {"n": 1})

    run.saver.prune(["t"])

    assert [saved.checkpoint.values for saved in run.history("t")] == [{"n": 2}]


def test_a_prune_of_a_thread_that_is_deleted_meanwhile_is_done():
    run: Any = subject(Interrupted(Prune, lambda _: run.saver.delete_thread("t")))
    run.thread("t", {"n": 0}, {"n": 1})

    run.saver.prune(["t"])

    assert run.load("t") is None


def test_a_value_that_is_too_deep_only_inside_a_record_is_reported():
    codec = Codec()
    deep: list[object] = []
    while True:
        codec.encode({"deep": deep})
        try:
            codec.encode([[["x", [deep]]]])
        except UnserializableValueError:
            break
        deep = [deep]
    hold = InMemorySaver().hold("t")

    with pytest.raises(UnserializableValueError):
        hold.prepare("", Commit(outcomes=(Filed("a", 0, Done((("deep", [deep]),))),)))


def test_a_prune_gives_up_on_a_thread_that_never_rests():
    run: Any = subject(Interrupted(Prune, lambda _: run.thread("t", {"n": 2})))
    run.thread("t", {"n": 0}, {"n": 1})

    with pytest.raises(ConcurrentUpdateError):
        run.saver.prune(["t"])

    assert len(run.history("t")) == 5
