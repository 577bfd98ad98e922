"""Every driver test runs with the sync driver, the async one, and the async one from sync code."""

from __future__ import annotations

import pytest

from graphkit import InMemorySaver
from tests.unit.runtime.stage import DRIVERS


@pytest.fixture(params=DRIVERS)
def drive(request: pytest.FixtureRequest):
    """The way a program is driven."""
    return DRIVERS[request.param]


@pytest.fixture
def saver():
    """A saver in memory."""
    return InMemorySaver()


@pytest.fixture
def hold(saver):
    """A grip on a new thread."""
    return saver.hold("1")
