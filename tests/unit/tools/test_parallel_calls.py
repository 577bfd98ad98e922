"""Calls side by side: they overlap, all of them end, and their results keep their order."""

from __future__ import annotations

import asyncio
import threading
from functools import partial

import pytest

from graphkit.tools.parallel import arun_all, in_thread, run_all


class Failure(Exception):
    pass


def failing(error, ended=None):
    if ended is not None:
        ended.append(error)
    raise error


async def afailing(error):
    raise error


async def value(found):
    return found


def test_threads_overlap_and_keep_the_order():
    barrier = threading.Barrier(12, timeout=20)

    def wait(place):
        barrier.wait()
        return place

    found = run_all([partial(wait, place) for place in range(12)])

    assert found == list(range(12))


async def test_tasks_overlap_and_keep_the_order():
    barrier = asyncio.Barrier(12)

    async def wait(place):
        async with asyncio.timeout(20):
            await barrier.wait()
        return place

    assert await arun_all([partial(wait, place) for place in range(12)]) == list(range(12))


async def test_threads_of_async_calls_overlap_whatever_their_number():
    barrier = threading.Barrier(40, timeout=20)

    found = await arun_all([partial(in_thread, lambda: barrier.wait() >= 0) for _ in range(40)])

    assert found == [True] * 40


def test_one_job_runs_in_the_calling_thread_and_none_is_fine():
    assert run_all([threading.get_ident]) == [threading.get_ident()]
    assert run_all([]) == []
    assert asyncio.run(arun_all([])) == []


def test_a_limit_holds():
    lock, running, most = threading.Lock(), [], []

    def work():
        with lock:
            running.append(1)
            most.append(len(running))
        with lock:
            running.pop()

    run_all([work] * 20, 1)

    assert max(most) == 1


async def test_a_limit_holds_for_tasks():
    running, most = [], []

    async def work():
        running.append(1)
        most.append(len(running))
        await asyncio.sleep(0)
        running.pop()

    await arun_all([work] * 20, 2)

    assert max(most) == 2


def test_all_end_before_the_first_failure_is_raised():
    ended = []

    with pytest.raises(Failure, match="first"):
        run_all([partial(failing, Failure("first"), ended), partial(ended.append, "second"), partial(failing, Failure("third"), ended)])

    assert len(ended) == 3


@pytest.mark.parametrize("stop", [KeyboardInterrupt, SystemExit])
def test_what_stops_the_program_comes_before_a_failure(stop):
    with pytest.raises(stop):
        run_all([partial(failing, Failure()), partial(failing, stop())])


async def test_a_cancelled_caller_cancels_what_it_waits_for():
    begun, cancelled = asyncio.Event(), []

    async def work():
        begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(1)
            raise

    task = asyncio.create_task(arun_all([work, work]))
    await begun.wait()
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    assert cancelled == [1, 1]


async def test_one_cancelled_call_is_cancelled_by_its_caller_too():
    begun = asyncio.Event()

    async def work():
        begun.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(arun_all([work]))
    await begun.wait()
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_call_that_gives_up_by_itself_does_not_take_the_others_with_it():
    ended = []

    async def slow():
        await asyncio.sleep(0)
        ended.append(1)

    with pytest.raises(asyncio.CancelledError):
        await arun_all([partial(afailing, asyncio.CancelledError()), partial(slow)])
    assert ended == [1]


async def test_a_thread_that_outlives_its_cancelled_caller_does_no_harm():
    begun, go_on, ended = threading.Event(), threading.Event(), threading.Event()

    def work():
        begun.set()
        go_on.wait(20)
        ended.set()

    task = asyncio.create_task(in_thread(work))
    await asyncio.sleep(0)
    begun.wait(20)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    go_on.set()

    assert ended.wait(20)
