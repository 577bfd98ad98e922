"""The saver in memory keeps what every checkpointer has to keep."""

from __future__ import annotations

import pytest

from graphkit.storage import InMemorySaver, MemorySaver
from graphkit.testing import Check, checkpointer_suite


@pytest.mark.parametrize("check", checkpointer_suite(lambda clock: InMemorySaver(clock=clock)), ids=str)
def test_it_keeps_what_every_checkpointer_has_to_keep(check: Check):
    check.run()


def test_its_older_name_is_still_known():
    assert MemorySaver is InMemorySaver


def test_a_closed_saver_still_knows_its_threads():
    saver = InMemorySaver()
    with saver:
        hold = saver.hold("t")

    assert hold.load("") is None
