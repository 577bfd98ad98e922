"""Damaged records, read-only files and full disks under a running graph: typed errors, and nothing acknowledged is lost."""

from __future__ import annotations

import asyncio
import operator
import sqlite3
from typing import Annotated, TypedDict

import pytest

from checkpointers.sqlite import SqliteSaver
from graphkit import START, Command, InMemorySaver, StateGraph, interrupt
from graphkit.errors import CorruptCheckpointError, StorageError, StorageUnavailableError, UnknownTypeError

T = {"configurable": {"thread_id": "t"}}


class State(TypedDict, total=False):
    log: Annotated[list[object], operator.add]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "threads.db"


class Shop:
    """START -> a -> ask -> b; ``ran`` says which nodes have run."""

    def __init__(self):
        self.ran = []
        self.during = {}
        builder = StateGraph(State)
        for name in ("a", "ask", "b"):
            builder.add_node(name, self._node(name))
        self.builder = builder.add_edge(START, "a").add_edge("a", "ask").add_edge("ask", "b")

    def _node(self, name):
        def run(state):
            self.ran.append(name)
            self.during.get(name, lambda: None)()
            return {"log": [interrupt("?") if name == "ask" else name]}

        return run


def connection(saver):
    return saver._site.backend._group._connection


STATEMENTS = {
    ("checkpoints", "record"): "UPDATE checkpoints SET record = ?",
    ("checkpoints", "changes"): "UPDATE checkpoints SET changes = ?",
    ("outcomes", "record"): "UPDATE outcomes SET record = ?",
    ("questions", "record"): "UPDATE questions SET record = ?",
}

DAMAGE = {"cut": b"", "zeros": b"\0" * 64, "text": b'{"v": 4, "channel_values": {}}', "pickle": b"cos\nsystem\n(S'exit'\ntR."}


def damaged(path, table, column, blob):
    with sqlite3.connect(path) as raw:
        raw.execute(STATEMENTS[table, column], (blob,))
    raw.close()


@pytest.mark.parametrize("blob", DAMAGE.values(), ids=DAMAGE)
@pytest.mark.parametrize("table, column", STATEMENTS)
def test_a_damaged_record_is_named_and_nothing_runs_on_it(driver, path, *, table, column, blob):
    shop = Shop()
    with SqliteSaver(path) as saver:
        driver.invoke(shop.builder.compile(saver), {"log": ["i"]}, T)
    damaged(path, table, column, blob)
    shop.ran.clear()

    with SqliteSaver(path) as saver:
        graph = shop.builder.compile(saver)
        for call in (
            lambda: driver.invoke(graph, None, T),
            lambda: driver.invoke(graph, Command(resume="yes"), T),
            lambda: driver.invoke(graph, {"log": ["new"]}, T),
            lambda: driver.get_state(graph, T),
            lambda: driver.history(graph, T),
            lambda: driver.update_state(graph, T, {"log": ["edit"]}),
        ):
            with pytest.raises(CorruptCheckpointError) as caught:
                call()
            assert caught.value.hint
        assert shop.ran == []
        assert driver.invoke(graph, {"log": ["other"]}, thread_id="other")["log"] == ["other", "a"]


def test_a_type_that_is_not_known_any_more_is_named(driver, path):
    class Old(TypedDict, total=False):
        log: Annotated[list[object], operator.add]

    from dataclasses import dataclass

    @dataclass
    class Parcel:
        weight: int

    with SqliteSaver(path) as saver:
        saver.codec.register(Parcel)
        graph = StateGraph(Old).add_node("a", lambda state: {"log": [Parcel(3)]}).add_edge(START, "a").compile(saver)
        driver.invoke(graph, {}, T)
    with SqliteSaver(path) as saver:
        graph = StateGraph(Old).add_node("a", lambda state: None).add_edge(START, "a").compile(saver)

        with pytest.raises(UnknownTypeError, match="Parcel") as caught:
            driver.invoke(graph, {}, T)

        assert "register" in str(caught.value.hint)
        saver.codec.register(Parcel)
        assert driver.get_state(graph, T).values == {"log": [Parcel(3)]}


def test_a_file_that_may_only_be_read_is_refused_before_a_node_runs(driver, path):
    shop = Shop()
    with SqliteSaver(path) as saver:
        graph = shop.builder.compile(saver)
        driver.invoke(graph, {"log": ["i"]}, T)
        shop.ran.clear()
        before = driver.history(graph, T)
        connection(saver).execute("PRAGMA query_only = ON")

        inputs: list[object] = [Command(resume="yes"), {"log": ["new"]}]
        for given in inputs:
            with pytest.raises(StorageUnavailableError) as caught:
                driver.invoke(graph, given, T)
            assert "writable" in str(caught.value.hint)

        assert shop.ran == []
        assert driver.history(graph, T) == before
        connection(saver).execute("PRAGMA query_only = OFF")
        assert driver.invoke(graph, Command(resume="yes"), T) == {"log": ["i", "a", "yes", "b"]}


def test_a_disk_that_fills_up_stops_the_run_and_loses_nothing_acknowledged(driver, path):
    shop = Shop()
    with SqliteSaver(path) as saver:
        graph = shop.builder.compile(saver)
        driver.invoke(graph, {"log": ["x" * 50_000]}, T)
        raw = connection(saver)

        def fill():
            pages = raw.execute("PRAGMA page_count").fetchone()[0]
            raw.execute(f"PRAGMA max_page_count = {pages}")

        shop.during["ask"] = fill
        big = "y" * 50_000
        shop.ran.clear()

        with pytest.raises(StorageUnavailableError) as caught:
            driver.invoke(graph, Command(resume=big), T)

        assert "space" in str(caught.value.hint)
        assert shop.ran == ["ask"]
        shop.during.clear()
        raw.execute("PRAGMA max_page_count = 1000000")
        assert driver.invoke(graph, None, T) == {"log": ["x" * 50_000, "a", big, "b"]}
        assert shop.ran == ["ask", "ask", "b"]


def test_a_saver_that_is_closed_is_unavailable(driver, path):
    shop = Shop()
    saver = SqliteSaver(path)
    graph = shop.builder.compile(saver)
    driver.invoke(graph, {}, T)
    saver.close()
    shop.ran.clear()

    def invoke():
        if driver.is_async:
            return asyncio.run(asyncio.wait_for(graph.ainvoke(Command(resume="yes"), T), 10))
        return graph.invoke(Command(resume="yes"), T)

    with pytest.raises(StorageUnavailableError) as caught:
        invoke()

    assert caught.value.hint
    assert shop.ran == []


@pytest.mark.parametrize("operation", ["load", "claim", "step"])
@pytest.mark.parametrize("durability", ["sync", "async", "exit"])
def test_a_database_that_fails_for_a_moment_stops_the_run_with_a_typed_error(driver, monkeypatch, *, operation, durability):
    shop = Shop()
    saver = InMemorySaver()
    backend = saver._site.backend
    graph = shop.builder.compile(saver)
    real, count = backend.run, [0]

    def failing(request):
        count[0] += 1
        if count[0] == {"load": 1, "claim": 2, "step": 3}[operation]:
            raise StorageUnavailableError("The database went away.", hint="Try again.")
        return real(request)

    monkeypatch.setattr(backend, "run", failing)
    with pytest.raises(StorageError, match="went away"):
        driver.invoke(graph, {"log": ["i"]}, T, durability=durability)

    assert len(shop.ran) <= 2
    assert ("a" in shop.ran) == (operation == "step")
