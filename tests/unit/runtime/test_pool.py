"""Threads for jobs that run side by side."""

from __future__ import annotations

import threading
from functools import partial
from queue import SimpleQueue
from typing import Any

import pytest

from graphkit.runtime.pool import Pool

SOON = 10
"""Seconds that a test waits at most for what comes at once."""


def queue() -> SimpleQueue[Any]:
    return SimpleQueue()


def blocker():
    """Return (job, event: it has begun, event: it may end)."""
    begun, may_end = threading.Event(), threading.Event()

    def job():
        begun.set()
        assert may_end.wait(SOON)

    return job, begun, may_end


def test_jobs_that_wait_for_each_other_run_side_by_side():
    barrier, ended = threading.Barrier(20), queue()

    Pool(None).start([lambda: ended.put(barrier.wait(SOON))] * 20)

    assert sorted([ended.get(timeout=SOON) for _ in range(20)]) == list(range(20))


@pytest.mark.parametrize("limit", [1, 3])
def test_no_more_jobs_run_at_a_time_than_the_limit(limit):
    lock, running, most, ended = threading.Lock(), 0, 0, queue()
    company = threading.Barrier(limit)

    def job():
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        company.wait(SOON)
        with lock:
            running -= 1
        ended.put(None)

    Pool(limit).start([job] * (limit * 4))

    for _ in range(limit * 4):
        ended.get(timeout=SOON)
    assert most == limit


def test_one_worker_takes_jobs_in_the_order_in_which_they_came():
    pool, seen = Pool(1), queue()
    job, begun, may_end = blocker()
    pool.start([job])
    assert begun.wait(SOON)

    pool.start([lambda: seen.put(1), lambda: seen.put(2)])
    pool.start([lambda: seen.put(3)])
    may_end.set()

    assert [seen.get(timeout=SOON) for _ in range(3)] == [1, 2, 3]


def test_cancelled_jobs_are_counted_and_never_run():
    pool, seen = Pool(1), queue()
    job, begun, may_end = blocker()
    pool.start([job, lambda: seen.put("cancelled"), lambda: seen.put("cancelled")])
    assert begun.wait(SOON)

    count = pool.cancel()
    pool.start([lambda: seen.put("later")])
    may_end.set()

    assert count == 2
    assert seen.get(timeout=SOON) == "later"
    assert seen.empty()


def test_a_pool_without_jobs_has_nothing_to_cancel():
    pool = Pool(None)

    pool.start([])

    assert pool.cancel() == 0


def test_a_pool_can_be_used_again_after_its_threads_have_ended():
    pool, seen = Pool(None), queue()

    for number in range(50):
        pool.start([partial(seen.put, number)])
        assert seen.get(timeout=SOON) == number


def test_a_worker_has_the_trace_functions_that_debuggers_and_coverage_set():
    # With none set there is nothing to hand on, so the test brings its own.
    before, seen, called = threading.gettrace(), queue(), []

    def trace(frame, event, _):
        called.append(event)

    def job():
        seen.put(None)

    threading.settrace(trace)
    try:
        Pool(None).start([job])
        seen.get(timeout=SOON)
    finally:
        threading.settrace(before)

    assert called
