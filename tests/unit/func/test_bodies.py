"""The order in which a body runs, and what happens when the program is stopped in the middle."""

from __future__ import annotations

import asyncio
import operator

import pytest

from graphkit import InMemorySaver
from graphkit.errors import GraphInterrupt, RunError
from graphkit.func import Task, entrypoint, task
from graphkit.func.body import aperform, limited, perform


def steps(log):
    try:
        first = yield lambda: "one"
        log.append(first)
        yield lambda: 1 / 0
    except ZeroDivisionError:
        log.append("caught")
    return (yield lambda: "end")


async def soon(value):
    await asyncio.sleep(0)
    return value


def asteps(log):
    first = yield lambda: soon("one")
    log.append(first)
    return "end"


def test_replies_and_errors_come_back_to_where_the_call_was_yielded():
    log, alog = [], []

    assert (perform(steps(log)), asyncio.run(aperform(asteps(alog)))) == ("end", "end")
    assert (log, alog) == (["one", "caught"], ["one"])


def test_what_ends_an_iteration_does_not_end_the_steps():
    def ended():
        yield lambda: next(iter(()))

    with pytest.raises(RuntimeError):
        perform(ended())


def test_steps_of_a_closed_coroutine_are_closed():
    log = []

    def watching():
        try:
            yield never
        except GeneratorExit:
            log.append("closed")
            raise

    async def never():
        await asyncio.Event().wait()

    async def main():
        running = aperform(watching())
        running.send(None)
        running.close()

    asyncio.run(main())

    assert log == ["closed"]


def test_a_timeout_of_the_function_itself_is_left_as_it_is():
    async def own():
        raise TimeoutError("mine")

    with pytest.raises(TimeoutError, match="mine"):
        asyncio.run(limited(own, 60, "This"))


@pytest.mark.parametrize("stop", [KeyboardInterrupt, SystemExit])
def test_a_program_that_is_stopped_is_stopped(stop):
    @task
    def fail():
        raise stop

    @entrypoint(checkpointer=InMemorySaver())
    def in_task(_given):
        fail()
        return "done"

    @entrypoint(checkpointer=InMemorySaver())
    def in_body(_given):
        raise stop

    for flow in (in_task, in_body):
        with pytest.raises(stop):
            flow.invoke("go", thread_id="t")


def test_a_pause_raised_by_hand_in_a_body_is_no_question():
    @entrypoint(checkpointer=InMemorySaver())
    def flow(_given):
        raise GraphInterrupt(())

    with pytest.raises(RunError, match="by hand"):
        flow.invoke("go", thread_id="t")


def test_functions_without_a_signature_or_with_unknown_annotations_can_be_tasks():
    def odd(given: Nowhere):  # type: ignore[name-defined]  # noqa: F821 - what it is about
        return given

    largest: Task = task(max, name="largest")
    plus: Task = task(operator.add)
    oddly: Task = task(odd)

    @entrypoint(checkpointer=InMemorySaver())
    def flow(n):
        return largest(n, 2).result(), plus(n, 1).result(), oddly(n).result()

    assert flow.invoke(1, thread_id="t") == (2, 2, 1)
