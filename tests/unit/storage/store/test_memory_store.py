"""The store in memory, and what both stores share: embedding from any caller, many threads, no blocked loop."""

from __future__ import annotations

import asyncio
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from graphkit.errors import CorruptCheckpointError, EmbeddingError, StoreConflictError
from graphkit.storage import BaseStore, InMemoryStore, Store
from graphkit.storage.store import vectors
from graphkit.storage.store.port import Row
from graphkit.testing.store_suite.subject import counted, indexed

NS = ("n",)


def test_langgraphs_name_is_the_same_class():
    assert BaseStore is Store
    assert isinstance(InMemoryStore(), BaseStore)


def test_threads_do_not_lose_each_others_writes():
    store = InMemoryStore()
    store.put(NS, "total", {"n": 0})

    def add(_):
        while True:
            item = store.get(NS, "total")
            try:
                return store.put(NS, "total", {"n": item.value["n"] + 1}, if_version=item.version)
            except StoreConflictError:
                continue

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(add, range(200)))

    assert store.get(NS, "total").value == {"n": 200}


async def test_a_sync_call_inside_of_an_event_loop_may_use_an_async_embedding_function():
    async def embed(texts):
        await asyncio.sleep(0)
        return counted(texts)

    store = InMemoryStore(index=indexed(embed=embed))
    store.put(NS, "k", {"text": "sun"})

    assert [item.score for item in store.search(NS, query="sun")] == [1.0]


async def test_a_sync_embedding_function_does_not_block_the_event_loop():
    loop, release = asyncio.get_running_loop(), Event()

    def embed(texts):
        loop.call_soon_threadsafe(release.set)
        assert release.wait(30)
        return counted(texts)

    store = InMemoryStore(index=indexed(embed=embed))
    await store.aput(NS, "k", {"text": "sun"})

    assert (await store.aget(NS, "k")).value == {"text": "sun"}


async def test_a_search_that_takes_long_does_not_block_the_event_loop():
    store = InMemoryStore()
    await store.aput(NS, "k", {"n": 1})
    loop, release = asyncio.get_running_loop(), Event()
    decode = store.codec.decode

    def slow(record):
        loop.call_soon_threadsafe(release.set)
        assert release.wait(30)
        return decode(record)

    store.codec.decode = slow  # type: ignore[method-assign]
    search = asyncio.ensure_future(store.asearch(NS, filter={"n": 1}))
    await asyncio.sleep(0)
    put = store.aput(NS, "l", {"n": 2})
    await put

    assert [item.key for item in await search] == ["k"]
    await store.aclose()


def test_an_embedding_function_that_is_stopped_from_outside_is_not_a_failure():
    def embed(texts):
        raise KeyboardInterrupt

    store = InMemoryStore(index=indexed(embed=embed))

    with pytest.raises(KeyboardInterrupt):
        store.put(NS, "k", {"text": "sun"})


def test_half_of_an_embeddings_object_is_none():
    class Half:
        def embed_documents(self, texts):
            return counted(texts)

        def embed_query(self, text):
            return counted([text])

    store = InMemoryStore(index=indexed(embed=Half()))
    store.put(NS, "k", {"text": "sun"})

    with pytest.raises(EmbeddingError, match="a vector of 1 numbers"):
        store.search(NS, query="sun")


def test_a_damaged_value_is_reported_with_its_name():
    store = InMemoryStore()
    store.put(NS, "k", {"n": 1})
    entries = store._backend._entries  # type: ignore[attr-defined]
    [(name, entry)] = entries.items()
    row: Row = entry.row
    row.record = row.record[:-1] + bytes([row.record[-1] ^ 1])  # type: ignore[misc]
    assert name == ("n.", "k")

    with pytest.raises(CorruptCheckpointError) as caught:
        store.get(NS, "k")

    assert "'k' of ('n',)" in caught.value.__notes__[0]
    with pytest.raises(CorruptCheckpointError):
        store.search(NS, filter={"n": 1})


@pytest.mark.parametrize("vector", [[0.0, 0.0], [3.0, 4.0], [1e308, 1e308], [1e-320, 0.0], [-1.0, 0.0]])
def test_vectors_are_kept_at_length_one(vector):
    kept = vectors.unpacked(vectors.packed(vector))

    assert sum(number * number for number in kept) == pytest.approx(float(any(vector)))


def test_python_alone_scores_as_numpy_does(monkeypatch):
    pairs = [vectors.packed(vector) for vector in ([1.0, 2.0, 3.0], [0.0, 0.0, 0.0], [-1.0, 0.5, 0.0])]
    installed = vectors.scores(pairs[0], pairs)
    monkeypatch.setitem(sys.modules, "numpy", None)
    alone = vectors.scores(pairs[0], pairs)

    assert alone == pytest.approx(installed, abs=1e-6)
    assert alone == pytest.approx([1.0, 0.0, 0.0], abs=1e-6)
    assert vectors.scores(pairs[0], []) == []
