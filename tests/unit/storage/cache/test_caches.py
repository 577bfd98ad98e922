"""What every cache does, in memory and in a SQLite file."""

from __future__ import annotations

import asyncio
import sqlite3
from dataclasses import dataclass

import pytest

from checkpointers.sqlite import SqliteSaver
from checkpointers.sqlite.cache import SqliteCache
from graphkit.errors import StorageUnavailableError, UnserializableValueError
from graphkit.serde import Codec
from graphkit.storage.cache import InMemoryCache
from graphkit.testing import Clock

A, B, OTHER = (("n",), "a"), (("n",), "b"), (("n", "m"), "a")


@dataclass
class Point:
    x: int


@pytest.fixture
def clock():
    return Clock(100.0)


@pytest.fixture(params=["memory", "sqlite"])
def cache(request, clock, tmp_path):
    if request.param == "memory":
        yield InMemoryCache(clock=clock)
        return
    with SqliteCache(tmp_path / "cache.db", clock=clock) as made:
        yield made


@pytest.fixture(params=["sync", "async"])
def call(request, cache):
    """Calls a method or its async twin."""
    if request.param == "sync":
        return lambda name, *args: getattr(cache, name)(*args)
    return lambda name, *args: asyncio.run(getattr(cache, "a" + name)(*args))


def test_a_value_comes_back_with_its_types(call):
    call("set", {A: ((1, {"x": {2}}), None), B: (None, None)})

    assert call("get", [A, B, OTHER]) == {A: (1, {"x": {2}}), B: None}


def test_a_value_is_replaced(call):
    call("set", {A: (1, 10)})
    call("set", {A: (2, None)})

    assert call("get", [A]) == {A: 2}


def test_a_value_is_gone_when_its_time_is_over(call, clock):
    call("set", {A: (1, 10), B: (2, None)})

    clock.advance(9.5)
    assert call("get", [A, B]) == {A: 1, B: 2}
    clock.advance(0.5)
    assert call("get", [A, B]) == {B: 2}
    call("set", {OTHER: (3, 5)})
    assert call("get", [A, B, OTHER]) == {B: 2, OTHER: 3}


def test_exactly_the_namespaces_that_are_named_are_cleared(call):
    call("set", {A: (1, None), B: (2, None), OTHER: (3, None)})

    call("clear", [("n",)])
    assert call("get", [A, B, OTHER]) == {OTHER: 3}
    call("clear")
    assert call("get", [OTHER]) == {}


def test_of_a_call_with_a_value_that_cannot_be_stored_nothing_is(call):
    with pytest.raises(UnserializableValueError):
        call("set", {A: (1, None), B: (object(), None)})

    assert call("get", [A, B]) == {}


def test_nobody_changes_what_another_one_gets(cache):
    cache.set({A: ([1], None)})
    cache.get([A])[A].append(2)

    assert cache.get([A]) == {A: [1]}


def test_what_cannot_be_read_is_not_there(tmp_path):
    path = tmp_path / "cache.db"
    with SqliteCache(path, codec=Codec([Point])) as writing:
        writing.set({A: (Point(1), None), B: (2, None)})

    with SqliteCache(path) as reading:
        assert reading.get([A, B]) == {B: 2}

    with sqlite3.connect(path) as broken:
        broken.execute("UPDATE cache_entries_1 SET record = x'00'")
    broken.close()
    with SqliteCache(path) as reading:
        assert reading.get([A, B]) == {}


def test_a_cache_lives_in_the_file_of_a_saver(tmp_path):
    path = tmp_path / "threads.db"
    with SqliteSaver(path) as saver, SqliteCache(path) as cache:
        saver.setup()
        cache.set({A: (1, None)})

    with SqliteCache(path) as again:
        assert again.get([A]) == {A: 1}


def test_a_closed_cache_says_so(tmp_path):
    cache = SqliteCache(tmp_path / "cache.db")
    cache.close()

    with pytest.raises(StorageUnavailableError, match="closed"):
        cache.get([A])


def test_a_file_that_cannot_be_used_is_an_error_of_storage(tmp_path):
    with pytest.raises(StorageUnavailableError):
        SqliteCache(tmp_path / "no" / "cache.db").get([A])


def test_a_failed_write_leaves_the_cache_usable(tmp_path):
    path = tmp_path / "cache.db"
    with SqliteCache(path, timeout=0) as cache:
        cache.set({A: (1, None)})
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StorageUnavailableError):
            cache.set({A: (2, None)})
        other.execute("ROLLBACK")
        other.close()

        cache.set({A: (3, None)})
        assert cache.get([A]) == {A: 3}
