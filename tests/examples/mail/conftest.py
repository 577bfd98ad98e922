"""Servers that the tests of mail start themselves."""

from __future__ import annotations

import itertools

import pytest

from tests.examples.servers.certificate import certificate
from tests.examples.servers.dovecot import dovecot

NUMBERS = itertools.count()


@pytest.fixture(scope="session")
def imap_server():
    with dovecot() as running:
        yield running


@pytest.fixture
def user():
    """A user of the IMAP server that no other test has."""
    return f"user-{next(NUMBERS)}@example.org"


@pytest.fixture(scope="session")
def certified(tmp_path_factory):
    return certificate(tmp_path_factory.mktemp("certificate"))
