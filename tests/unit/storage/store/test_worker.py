"""The thread of a backend: what is cancelled before it has begun never happens, the rest ends before the cancellation is seen."""

from __future__ import annotations

import asyncio
from threading import Event

import pytest

from graphkit.storage.store.worker import Worker


class Held:
    """Work that has begun and waits until it is released."""

    def __init__(self, result="done"):
        self.loop = asyncio.get_running_loop()
        self.begun = asyncio.Event()
        self.release = Event()
        self.ended = False
        self.result = result

    def __call__(self):
        self.loop.call_soon_threadsafe(self.begun.set)
        assert self.release.wait(30)
        self.ended = True
        if isinstance(self.result, Exception):
            raise self.result
        return self.result


@pytest.fixture
def worker():
    worker = Worker()
    yield worker
    worker.close()


async def rounds(count):
    for _ in range(count):
        await asyncio.sleep(0)


@pytest.mark.parametrize("result", ["done", ValueError("no")])
async def test_work_that_has_begun_ends_before_the_cancellation_is_seen(worker, result):
    held = Held(result)
    task = asyncio.ensure_future(worker.run(held))
    await held.begun.wait()

    for _ in range(3):
        task.cancel()
        await rounds(5)
        assert not task.done()
    held.release.set()
    await asyncio.wait([task])

    assert (task.cancelled(), held.ended) == (True, True)


async def test_work_that_waits_is_withdrawn(worker):
    held, called = Held(), []
    first = asyncio.ensure_future(worker.run(held))
    await held.begun.wait()
    second = asyncio.ensure_future(worker.run(lambda: called.append(1)))
    await rounds(5)

    second.cancel()
    await asyncio.wait([second])
    held.release.set()
    await first
    await worker.run(lambda: None)

    assert (second.cancelled(), called) == (True, [])


async def test_errors_and_results_come_back(worker):
    with pytest.raises(ZeroDivisionError):
        await worker.run(lambda: 1 // 0)

    assert await worker.run(lambda: 7) == 7


async def test_it_may_be_closed_and_used_again(worker):
    assert await worker.run(lambda: 1) == 1
    worker.close()
    worker.close()

    assert await worker.run(lambda: 2) == 2


def test_it_serves_one_event_loop_after_the_other(worker):
    assert [asyncio.run(worker.run(lambda n=n: n)) for n in range(3)] == [0, 1, 2]
