"""Every behaviour test runs under both drivers and, where it saves, on each saver."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from checkpointers.sqlite import SqliteSaver
from graphkit import InMemorySaver

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine, Iterator
    from pathlib import Path

    from graphkit import CompiledGraph
    from graphkit.storage import Checkpointer


class SyncDriver:
    """Calls the sync methods of a graph."""

    is_async = False

    def invoke(self, graph: CompiledGraph, *args: Any, **kwargs: Any) -> Any:
        return graph.invoke(*args, **kwargs)

    def stream(self, graph: CompiledGraph, *args: Any, **kwargs: Any) -> list[Any]:
        return list(graph.stream(*args, **kwargs))

    def batch(self, graph: CompiledGraph, *args: Any, **kwargs: Any) -> list[Any]:
        return graph.batch(*args, **kwargs)

    def get_state(self, graph: CompiledGraph, *args: Any, **kwargs: Any) -> Any:
        return graph.get_state(*args, **kwargs)

    def history(self, graph: CompiledGraph, *args: Any, **kwargs: Any) -> list[Any]:
        return list(graph.get_state_history(*args, **kwargs))

    def update_state(self, graph: CompiledGraph, *args: Any, **kwargs: Any) -> Any:
        return graph.update_state(*args, **kwargs)

    def bulk_update_state(self, graph: CompiledGraph, *args: Any, **kwargs: Any) -> Any:
        return graph.bulk_update_state(*args, **kwargs)


class AsyncDriver:
    """Calls the async twins, each in an event loop of its own."""

    is_async = True

    def invoke(self, graph: CompiledGraph, *args: Any, **kwargs: Any) -> Any:
        return _run(graph.ainvoke(*args, **kwargs))

    def stream(self, graph: CompiledGraph, *args: Any, **kwargs: Any) -> list[Any]:
        return _run(_collected(lambda: graph.astream(*args, **kwargs)))

    def batch(self, graph: CompiledGraph, *args: Any, **kwargs: Any) -> list[Any]:
        return _run(graph.abatch(*args, **kwargs))

    def get_state(self, graph: CompiledGraph, *args: Any, **kwargs: Any) -> Any:
        return _run(graph.aget_state(*args, **kwargs))

    def history(self, graph: CompiledGraph, *args: Any, **kwargs: Any) -> list[Any]:
        return _run(_collected(lambda: graph.aget_state_history(*args, **kwargs)))

    def update_state(self, graph: CompiledGraph, *args: Any, **kwargs: Any) -> Any:
        return _run(graph.aupdate_state(*args, **kwargs))

    def bulk_update_state(self, graph: CompiledGraph, *args: Any, **kwargs: Any) -> Any:
        return _run(graph.abulk_update_state(*args, **kwargs))


Driver = SyncDriver | AsyncDriver


@pytest.fixture(params=["sync", "async"])
def driver(request: pytest.FixtureRequest) -> Driver:
    """The way a graph is called."""
    return SyncDriver() if request.param == "sync" else AsyncDriver()


@pytest.fixture(params=["memory", "sqlite"])
def saver(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Checkpointer]:
    """The place where threads are kept."""
    if request.param == "memory":
        yield InMemorySaver()
        return
    with SqliteSaver(tmp_path / "threads.db") as opened:
        yield opened


def _run(coroutine: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(coroutine)


async def _collected(make: Any) -> list[Any]:
    iterator: AsyncIterator[Any] = make()
    return [item async for item in iterator]
