"""An event loop of its own for async nodes that are run from sync code, and what the async driver leaves behind."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from graphkit.core.effects import Emit, Run, Start, Wait
from graphkit.core.events import Emitted
from graphkit.core.task import Done
from graphkit.runtime import aio
from graphkit.runtime.bridge import PrivateLoop, drive_in_loop
from tests.unit.runtime.stage import action, drive_in_private_loop, graph, program, router, scope, task, tasks

SOON = 10
ONE, TWO, THREE = (Emitted("", number) for number in range(3))


async def thread_name():
    return threading.current_thread().name


def loops():
    return [thread for thread in threading.enumerate() if thread.name == "graphkit-loop"]


def test_a_private_loop_runs_coroutines_in_a_thread_of_its_own_and_ends_with_it():
    with PrivateLoop() as loop:
        assert loop.call(thread_name()) == "graphkit-loop"

    assert loops() == []


def test_what_a_coroutine_raises_is_raised_to_the_caller():
    async def fails():
        raise KeyError("no")

    with PrivateLoop() as loop, pytest.raises(KeyError):
        loop.call(fails())
    assert loops() == []


@pytest.mark.parametrize("effects", [lambda: [Run(task())], lambda: [Start(tasks("a b"), None), Wait()]], ids=["alone", "side by side"])
@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt])
def test_a_node_that_stops_the_program_stops_it_in_the_caller_s_thread(kind, effects):
    async def stop(state):
        raise kind

    with pytest.raises(kind):
        drive_in_private_loop(program(*effects()), graph(a=action(None, stop), b=action(None, stop)), scope())

    assert loops() == []


async def test_a_private_loop_works_where_a_loop_is_running():
    with PrivateLoop() as loop:
        assert loop.call(thread_name()) == "graphkit-loop"


def test_events_are_made_only_when_they_are_asked_for():
    made = []

    def asks():
        for number in range(3):
            made.append(number)
            yield Emit(Emitted("", number))

    events = drive_in_loop(asks(), graph(), scope())
    assert made == []
    next(events)
    assert made == [0]

    events.close()
    assert (made, loops()) == ([0], [])


def test_a_failing_program_ends_the_loop():
    def asks():
        yield Emit(Emitted("", 1))
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        drive_in_private_loop(asks(), graph(), scope())
    assert loops() == []


def test_a_reader_that_leaves_cancels_async_nodes():
    cancelled = threading.Event()

    async def node(state):
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise

    def asks():
        yield Start(tasks("a b"), None)
        yield Wait()
        yield Emit(Emitted("", 1))
        yield Wait()

    events = drive_in_loop(asks(), graph(a=action(None, node), b=lambda state: None), scope())
    next(events)
    events.close()

    assert cancelled.wait(SOON)


async def test_cancelling_a_run_cancels_its_nodes():
    begun, cancelled = asyncio.Event(), []

    async def node(state):
        begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(1)
            raise

    def asks():
        yield Start(tasks("a"), None)
        yield Wait()

    run = asyncio.create_task(aio.result_of(asks(), graph(a=action(None, node)), scope()))
    await begun.wait()
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run

    assert cancelled == [1]


async def test_a_sync_node_that_is_still_at_work_when_its_run_is_cancelled_is_not_waited_for():
    begun, may_end, ended = asyncio.Event(), threading.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    def node(state):
        loop.call_soon_threadsafe(begun.set)
        may_end.wait(SOON)
        ended.set()

    run = asyncio.create_task(aio.result_of(program(Run(task("a"))), graph(a=node), scope()))
    await begun.wait()
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    assert not ended.is_set()

    may_end.set()
    assert await asyncio.to_thread(ended.wait, SOON)


async def test_what_leaves_an_async_node_leaves_through_the_program():
    class Leave(BaseException):
        pass

    async def node(state):
        raise Leave

    def asks():
        try:
            yield Start(tasks("a"), None)
            yield Wait()
        except Leave:
            return "the program saw it"

    assert await aio.result_of(asks(), graph(a=action(None, node)), scope()) == "the program saw it"


async def test_events_of_a_subgraph_go_to_its_parent_s_stream():
    seen: list[Any] = []

    result = await aio.result_of(program(Emit(Emitted("sub", 1))), graph(), scope(emit=seen.append))

    assert (result, seen) == ([None], [Emitted("sub", 1)])


async def test_events_that_nobody_reads_are_dropped():
    assert await aio.result_of(program(Emit(Emitted("sub", 1))), graph(), scope()) == [None]


async def test_a_mailbox_takes_letters_from_any_thread_and_keeps_their_order():
    mailbox = aio.Mailbox()
    reader = asyncio.create_task(mailbox.get())
    await asyncio.sleep(0)

    mailbox.post(ONE)
    mailbox.post(TWO)
    await asyncio.to_thread(mailbox.post, THREE)

    assert await reader == ONE
    assert bool(mailbox)
    assert [await mailbox.get(), await mailbox.get()] == [TWO, THREE]
    assert not mailbox


async def test_a_reader_that_is_cancelled_leaves_the_mailbox_usable():
    mailbox = aio.Mailbox()
    reader = asyncio.create_task(mailbox.get())
    await asyncio.sleep(0)
    reader.cancel()
    mailbox.post(ONE)
    with pytest.raises(asyncio.CancelledError):
        await reader

    assert await mailbox.get() == ONE


def test_a_stop_iteration_of_a_sync_node_beside_an_async_router_is_an_error():
    def node(state):
        raise StopIteration(5)

    async def where(state):
        return []

    spec = graph(a=action(node, routers=(router(where, is_async=True),)))
    (outcome,) = drive_in_private_loop(program(Run(task("a"))), spec, scope()).result

    assert "StopIteration" in outcome.summary


def test_a_coroutine_is_preferred_in_a_loop():
    async def coroutine(state):
        return {"log": ["async"]}

    spec = graph(a=action(lambda state: {"log": ["sync"]}, coroutine))

    assert drive_in_private_loop(program(Run(task("a"))), spec, scope()).result == [Done((("log", ["async"]),))]
