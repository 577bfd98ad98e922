"""Both drivers carry out effects alike: replies, events, failures, and nothing left behind."""

from __future__ import annotations

import asyncio
import threading
from contextvars import ContextVar
from typing import Any

import pytest

from graphkit.core.checkpoint import Trigger
from graphkit.core.effects import CheckAnswers, Commit, Emit, Entry, Filed, History, Load, Rehearse, Run, Start, Wait
from graphkit.core.events import Emitted
from graphkit.core.task import Done, Failed
from graphkit.errors import InvalidAnswerError, LeaseLostError, MissingCheckpointerError, ThreadBusyError, UnserializableValueError
from graphkit.runtime import aio, threads
from graphkit.scope import get_stream_writer
from tests.unit.core.graphs import position
from tests.unit.runtime.stage import action, drive_in_threads, graph, program, scope, task, tasks

SOON = 10


def names(state):
    return {"log": ["ran"]}


RAN = Done((("log", ["ran"]),))
THREE = graph(a=names, b=names, c=names)
FIRST = position("a", n=0)
CLAIM = Commit((Entry(FIRST, None),), claim=True)


# Replies


def test_the_result_of_a_program_is_handed_on(drive):
    assert drive(program(), THREE, scope()).result == []


@pytest.mark.parametrize("live", [False, True])
def test_a_task_that_runs_alone_replies_with_its_outcome(drive, live):
    assert drive(program(Run(task("a")), Run(task("b"))), THREE, scope(), live=live).result == [RAN, RAN]


@pytest.mark.parametrize("live", [False, True])
@pytest.mark.parametrize("limit", [None, 1, 2])
def test_started_tasks_end_one_after_the_other(drive, live, limit):
    started = tasks("a b c")

    def waits():
        assert (yield Start(started, limit)) is None
        ended: list[Any] = []
        while len(ended) < 3:
            ended.extend((yield Wait()))
        return ended

    result = drive(waits(), THREE, scope(), live=live).result

    assert {at.node: outcome for at, outcome in result} == {"a": RAN, "b": RAN, "c": RAN}


def test_started_tasks_run_side_by_side(drive):
    barrier = threading.Barrier(3)
    spec = graph(**{name: lambda state: {"log": [barrier.wait(SOON)]} for name in "abc"})

    def waits():
        yield Start(tasks("a b c"), None)
        ended: list[Any] = []
        while len(ended) < 3:
            ended.extend((yield Wait()))
        return sorted([number for _, outcome in ended for _, (number,) in outcome.writes])

    assert drive(waits(), spec, scope()).result == [0, 1, 2]


def test_a_later_start_has_a_limit_of_its_own(drive):
    running, most, lock = 0, 0, threading.Lock()

    def node(state):
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        with lock:
            running -= 1

    def waits():
        yield Run(task("a"))
        yield Start(tasks("a b c"), 1)
        left = 3
        while left:
            left -= len((yield Wait()))

    drive(waits(), graph(a=node, b=node, c=node), scope(), live=True)

    assert most == 1


def test_a_wait_that_starts_nothing_more_replies_with_what_has_begun(drive):
    ran = []

    def waits():
        yield Start(tasks("a b c"), 1)
        ended: list[Any] = []
        while more := (yield Wait(stop=True)):
            ended.extend(more)
        return [at.node for at, _ in ended]

    spec = graph(**{name: lambda state, name=name: ran.append(name) for name in "abc"})

    assert drive(waits(), spec, scope()).result == ran


def test_a_wait_with_nothing_started_ends_at_once(drive):
    assert drive(program(Wait(), Wait(stop=True)), THREE, scope()).result == [[], []]


def test_events_are_yielded_in_order(drive):
    events = [Emitted("", number) for number in range(3)]

    driven = drive(program(*map(Emit, events)), THREE, scope())

    assert driven == ([None] * 3, events)


@pytest.mark.parametrize("live", [False, True])
@pytest.mark.parametrize("several", [False, True])
def test_what_a_node_writes_is_seen_in_its_order_if_somebody_reads_live(drive, live, several):
    def node(state):
        write = get_stream_writer()
        write(1)
        write(2)

    ask = program(Start([task("a")], None), Wait()) if several else program(Run(task("a")))

    events = drive(ask, graph(a=node), scope(), live=live).events

    assert [event.data for event in events] == ([1, 2] if live else [])


def test_what_a_node_writes_is_seen_while_it_runs():
    seen = threading.Event()

    def node(state):
        get_stream_writer()("now")
        assert seen.wait(SOON)

    for event in threads.drive(program(Run(task("a"))), graph(a=node), scope(), live=True):
        assert event == Emitted("", "now")
        seen.set()

    assert seen.is_set()


async def test_what_an_async_node_writes_is_seen_while_it_runs():
    seen = asyncio.Event()

    async def node(state):
        get_stream_writer()("now")
        await asyncio.wait_for(seen.wait(), SOON)

    items: list[Any] = []
    async for item in aio.drive(program(Run(task("a"))), graph(a=action(None, node)), scope(), live=True):
        items.append(item)
        seen.set()

    assert items[0] == Emitted("", "now")
    assert items[1].value == [Done()]


COLOUR: ContextVar[str] = ContextVar("colour", default="none")


def test_nodes_see_the_context_of_the_caller(drive):
    spec = graph(a=lambda state: {"log": [COLOUR.get()]}, b=lambda state: {"log": [COLOUR.get()]})
    token = COLOUR.set("red")
    try:
        alone, _, ended = drive(program(Run(task("a")), Start([task("b")], None), Wait()), spec, scope()).result
    finally:
        COLOUR.reset(token)

    assert alone.writes == ended[0][1].writes == (("log", ["red"]),)


def test_a_failing_node_is_an_outcome(drive):
    def node(state):
        raise ValueError("no")

    (outcome,) = drive(program(Run(task("a"))), graph(a=node), scope()).result

    assert isinstance(outcome, Failed)
    assert isinstance(outcome.error, ValueError)


# Storage


def test_storage_effects_have_their_replies(drive, hold):
    ask = program(Load(), CLAIM, Load(), History(), Commit(release="idle"))

    nothing, claimed, newest, listed, released = drive(ask, THREE, scope(hold)).result

    assert (nothing, claimed, released) == (None, None, None)
    assert newest.checkpoint.id == FIRST.id
    assert [saved.checkpoint.id for saved in listed] == [FIRST.id]


@pytest.mark.parametrize("effect", [Load(), History(), Commit(claim=True)])
def test_without_a_checkpointer_storage_effects_are_refused(drive, effect):
    with pytest.raises(MissingCheckpointerError, match="needs a checkpointer"):
        drive(program(effect), THREE, scope())


def test_answers_are_checked(drive):
    with pytest.raises(InvalidAnswerError):
        drive(program(CheckAnswers((("i", {"type": "string"}, 5),))), THREE, scope())


def test_a_rehearsed_commit_is_encoded_and_not_written(drive, hold):
    (task_a,) = tasks("a")

    def rehearsal(value):
        return Rehearse(Commit(outcomes=(Filed(task_a.id, 1, Done((("log", [value]),))),)))

    assert drive(program(rehearsal(1), Load()), THREE, scope(hold)).result == [None, None]
    with pytest.raises(UnserializableValueError):
        drive(program(rehearsal(object())), THREE, scope(hold))


def entry(n):
    return Commit((Entry(position("a", n=n, parent=position(n=n - 1).id), None),), wait=False)


def test_commits_in_the_background_are_written_in_order(drive, hold):
    *_, listed, _ = drive(
        program(CLAIM, entry(1), entry(2), entry(3), Commit(), History(), Commit(release="idle")), THREE, scope(hold)
    ).result

    assert [saved.checkpoint.n for saved in listed] == [3, 2, 1, 0]


@pytest.mark.parametrize("after", [entry(2), Commit(release="idle")])
def test_a_failed_commit_in_the_background_is_raised_at_the_next_one(drive, hold, after):
    reached = []

    def asks():
        yield CLAIM
        yield Commit(release="idle")
        yield entry(1)
        reached.append("went on")
        yield after
        reached.append("never")

    with pytest.raises(LeaseLostError):
        drive(asks(), THREE, scope(hold))
    assert reached == ["went on"]


def test_a_failed_commit_in_the_background_does_not_hide_what_the_program_raised(drive, hold):
    def asks():
        yield CLAIM
        yield Commit(release="idle")
        yield entry(1)
        raise RuntimeError("from the program")

    with pytest.raises(RuntimeError, match="from the program"):
        drive(asks(), THREE, scope(hold))


def test_a_thread_that_was_claimed_is_given_back_whatever_happens(drive, hold):
    def asks():
        yield CLAIM
        raise RuntimeError

    with pytest.raises(RuntimeError):
        drive(asks(), THREE, scope(hold))
    assert not hold.held


def test_a_subgraph_does_not_give_the_thread_back(drive, hold):
    drive(program(CLAIM), THREE, scope(hold, path=("t",)))

    assert hold.held
    hold.release("idle")


# Failures


def test_an_error_is_thrown_into_the_program_where_it_asked(drive, saver, hold):
    first = saver.hold("1")
    first.write(first.prepare("", CLAIM))

    def asks():
        try:
            yield CLAIM
        except ThreadBusyError:
            return (yield Load())

    assert drive(asks(), THREE, scope(hold)).result.checkpoint.id == FIRST.id
    first.release("idle")


@pytest.mark.parametrize("several", [False, True])
def test_what_is_no_exception_leaves_through_the_program(drive, several):
    def node(state):
        raise KeyboardInterrupt

    def asks(left):
        try:
            if several:
                yield Start([task("a")], None)
                yield Wait()
            else:
                yield Run(task("a"))
        except KeyboardInterrupt:
            left.append("the program saw it")
            raise

    left: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        drive_in_threads(asks(left), graph(a=node), scope())
    assert left == ["the program saw it"]


@pytest.mark.parametrize("effect", [Run(task("a")), Wait(), Emit(Emitted("", 1))])
async def test_effects_that_events_may_interrupt_are_not_carried_out_blindly(effect):
    with pytest.raises(AssertionError):
        threads.ThreadDriver(THREE, scope()).carry_out(effect)
    with pytest.raises(AssertionError):
        await aio.AsyncDriver(THREE, scope()).carry_out(effect)


def closing(left):
    """Emit for ever; note when it is closed."""
    try:
        yield CLAIM
        while True:
            yield Emit(Emitted("", 1))
    finally:
        left.append("closed")


def test_a_reader_that_leaves_closes_the_program_and_gives_the_thread_back(hold):
    left: list[str] = []
    events = threads.drive(closing(left), THREE, scope(hold))
    next(events)

    events.close()

    assert (left, hold.held) == (["closed"], False)


async def test_an_async_reader_that_leaves_closes_the_program_and_gives_the_thread_back(hold):
    left: list[str] = []
    events = aio.drive(closing(left), THREE, scope(hold))
    await anext(events)

    await events.aclose()

    assert (left, hold.held) == (["closed"], False)


def test_a_send_s_argument_reaches_its_node(drive):
    (outcome,) = drive(program(Run(task(Trigger("a", "mail")))), graph(a=lambda state: {"log": [state]}), scope()).result

    assert outcome.writes == (("log", ["mail"]),)
