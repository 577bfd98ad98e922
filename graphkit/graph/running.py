"""Driving a run that is ready: to its result, or chunk by chunk for a reader."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, cast

from graphkit.runtime import drive

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine, Generator, Iterator

    from graphkit.core.events import Event
    from graphkit.core.request import Finished
    from graphkit.graph.compiled import CompiledGraph
    from graphkit.graph.launch import Launch
    from graphkit.graph.stream import Projection
    from graphkit.graph.thread import Reading

T = TypeVar("T")


def result(graph: CompiledGraph, started: Launch) -> Finished:
    """Drive a run to its end; events of a subgraph go to the parent's stream, what is to be printed is printed."""
    events, projection, run = _driven(graph, started), started.projection, started.run
    while True:
        try:
            event = next(events)
            if projection is not None:
                _consume(projection.chunks(event, run))
            elif run.emit is not None:
                run.emit(event)
        except StopIteration as end:
            return started.settle(end.value)


def aresult(graph: CompiledGraph, started: Launch) -> Coroutine[Any, Any, Finished]:
    """As ``result``, without ``settle``: the coroutine of the driver itself, because each one on the way costs."""
    from graphkit.runtime import aio  # noqa: PLC0415 - imports asyncio

    if started.projection is not None:
        return _printed(graph, started, started.projection)
    return aio.result_of(started.program, graph.parts.spec, started.run)


def chunks(graph: CompiledGraph, started: Launch, projection: Projection) -> Iterator[Any]:
    """Drive a run as its reader asks for chunks."""
    events = _driven(graph, started)
    try:
        while True:
            yield from projection.chunks(next(events), started.run)
    except StopIteration as end:
        started.settle(end.value)
    finally:
        events.close()


async def achunks(graph: CompiledGraph, started: Launch, projection: Projection) -> AsyncIterator[Any]:
    """As ``chunks``."""
    from graphkit.runtime import aio  # noqa: PLC0415 - imports asyncio

    events = aio.drive(started.program, graph.parts.spec, started.run, live=projection.live)
    try:
        async for event in events:
            if isinstance(event, aio.Result):
                started.settle(cast("Finished", event.value))
                return
            for chunk in projection.chunks(event, started.run):
                yield chunk
    finally:
        await events.aclose()


def read(reading: Reading[T]) -> T:
    """Drive a program that reads or edits a thread."""
    events = drive(reading.program, reading.spec, reading.run)
    while True:
        try:
            next(events)
        except StopIteration as end:
            return reading.show(end.value)


async def aread(reading: Reading[T]) -> T:
    """As ``read``."""
    from graphkit.runtime import aio  # noqa: PLC0415 - imports asyncio

    return reading.show(await aio.result_of(reading.program, reading.spec, reading.run))


def _driven(graph: CompiledGraph, started: Launch) -> Generator[Event, None, Finished]:
    """Drive a run in this thread, or in a loop of its own if a node can only be awaited."""
    live = started.projection is not None and started.projection.live
    if not graph.needs_loop:
        return drive(started.program, graph.parts.spec, started.run, live=live)
    from graphkit.runtime.bridge import drive_in_loop  # noqa: PLC0415 - imports asyncio

    return drive_in_loop(started.program, graph.parts.spec, started.run, live=live)


async def _printed(graph: CompiledGraph, started: Launch, projection: Projection) -> Finished:
    from graphkit.runtime import aio  # noqa: PLC0415 - imports asyncio

    async for event in aio.drive(started.program, graph.parts.spec, started.run, live=projection.live):
        if isinstance(event, aio.Result):
            return cast("Finished", event.value)
        _consume(projection.chunks(event, started.run))
    raise AssertionError(started)


def _consume(told: Iterator[object]) -> None:
    for _ in told:
        continue
