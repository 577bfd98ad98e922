"""The conformance kit finds checkpointers that break their word."""

from __future__ import annotations

from typing import Any

import pytest

from graphkit.core.record import replace
from graphkit.storage import Checkpointer, InMemorySaver
from graphkit.storage.memory import MemoryBackend
from graphkit.storage.operations import Read, Write
from graphkit.testing import Clock, checkpointer_suite


class Careless(MemoryBackend):
    """Believes every claim."""

    def run(self, operation):
        if isinstance(operation, Write) and operation.claim is not None:
            reading: Any = super().run(Read(operation.thread_id, ""))
            claim = replace(operation.claim, epoch=reading.epoch)
            operation = replace(operation, claim=claim)
        return super().run(operation)


class Forgetful(MemoryBackend):
    """Forgets memos."""

    def run(self, operation):
        if isinstance(operation, Write):
            operation = replace(operation, change=replace(operation.change, memos=()))
        return super().run(operation)


class Confused(MemoryBackend):
    """Mixes up two namespaces."""

    def run(self, operation):
        if isinstance(operation, Read):
            operation = replace(operation, namespace="")
        return super().run(operation)


def broken(backend):
    names = set()
    for check in checkpointer_suite(lambda clock: Checkpointer(backend(), clock=clock)):
        try:
            check.run()
        except Exception:  # noqa: BLE001 - whatever it is, the check has found something
            names.add(check.name)
    return names


@pytest.mark.parametrize(
    "backend, name",
    [
        (Careless, "a_thread_that_moved_on_is_not_claimed"),
        (Forgetful, "outcomes_and_memos_belong_to_their_step"),
        (Confused, "namespaces_are_apart"),
    ],
)
def test_it_finds_what_is_broken(backend, name):
    assert name in broken(backend)


def test_every_check_has_a_name_of_its_own_and_runs_both_ways():
    names = [str(check) for check in checkpointer_suite(lambda clock: InMemorySaver(clock=clock))]

    assert len(set(names)) == len(names)
    assert {name.partition("[")[2] for name in names} == {"sync]", "async]"}


def test_the_clock_moves_when_it_is_told():
    clock = Clock(10.0)
    clock.advance(5)
    before = clock()
    clock.advance(-10)

    assert (before, clock()) == (15.0, 5.0)
