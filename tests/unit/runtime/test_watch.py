"""An attempt under a time limit, on a clock that moves when the test says so."""

from __future__ import annotations

import asyncio
from threading import Event
from time import monotonic

import pytest

from graphkit.core.policy import TimeoutPolicy
from graphkit.errors import AttemptAbandonedError, NodeTimeoutError
from graphkit.runtime.node import aperform, perform
from graphkit.runtime.watch import Watch
from graphkit.testing import Clock
from tests.unit.runtime.stage import action, graph, scope, task


def watch_of(clock, **limits):
    return Watch("a", TimeoutPolicy(**limits), None, clock)


def runs():
    return True


def sends(watch):
    with watch.part_of_it("stream something"):
        pass


def test_a_sign_of_life_starts_the_idle_time_anew():
    clock = Clock(0)
    watch = watch_of(clock, idle_timeout=10)

    for sign in (watch.beat, lambda: sends(watch)):
        clock.advance(9)
        sign()
    clock.advance(9)

    watch.give_up_if(runs)
    clock.advance(1)
    with pytest.raises(NodeTimeoutError) as caught:
        watch.give_up_if(runs)
    assert (caught.value.kind, caught.value.elapsed) == ("idle", 28)


def test_with_refresh_on_heartbeat_nothing_else_is_a_sign_of_life():
    clock = Clock(0)
    watch = watch_of(clock, idle_timeout=10, refresh_on="heartbeat")

    clock.advance(9)
    sends(watch)
    clock.advance(1)

    with pytest.raises(NodeTimeoutError):
        watch.give_up_if(runs)


def test_no_sign_of_life_prolongs_the_run_timeout():
    clock = Clock(0)
    watch = watch_of(clock, run_timeout=10)

    clock.advance(10)
    watch.beat()

    with pytest.raises(NodeTimeoutError) as caught:
        watch.give_up_if(runs)
    assert caught.value.kind == "run"


def test_an_attempt_that_has_just_ended_is_not_given_up():
    clock = Clock(0)
    watch = watch_of(clock, run_timeout=10)

    clock.advance(11)
    watch.give_up_if(lambda: False)

    sends(watch)


def test_an_attempt_that_was_given_up_can_do_nothing_any_more():
    clock = Clock(0)
    watch = watch_of(clock, run_timeout=10)
    clock.advance(11)
    with pytest.raises(NodeTimeoutError):
        watch.give_up_if(runs)

    with pytest.raises(AttemptAbandonedError, match="'a' wanted to stream something"):
        sends(watch)
    with pytest.raises(AttemptAbandonedError, match="heartbeat"):
        watch.beat()


def test_a_task_that_had_to_wait_for_its_turn_has_only_what_is_left_of_the_superstep():
    event = Event()
    spec = graph(a=action(lambda state: event.wait(30), step_timeout=20.0))

    outcome = perform(spec, scope(), task(), monotonic() - 20)
    event.set()

    assert outcome.error.kind == "step"


async def test_so_has_a_coroutine_that_had_to_wait_for_its_turn():
    async def wait(state):
        await asyncio.Event().wait()

    outcome = await aperform(graph(a=action(None, wait, step_timeout=20.0)), scope(), task(), asyncio.to_thread, monotonic() - 20)

    assert outcome.error.kind == "step"
