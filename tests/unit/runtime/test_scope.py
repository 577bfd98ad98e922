"""What code inside a node can reach: interrupt, once, and the services of the run."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import BaseModel

from graphkit.core.effects import Commit, Entry
from graphkit.core.events import Emitted
from graphkit.core.resume import interrupt_id
from graphkit.core.task import Answer
from graphkit.errors import (
    GraphInterrupt,
    InterruptMismatchError,
    InvalidAnswerError,
    InvalidConfigError,
    MissingCheckpointerError,
    OutsideRunError,
    StorageUnavailableError,
    UnserializableValueError,
)
from graphkit.scope import (
    Runtime,
    Scope,
    config_of,
    current,
    enter,
    get_config,
    get_runtime,
    get_store,
    get_stream_writer,
    interrupt,
    leave,
    once,
    runtime_of,
    store_of,
    writer_of,
)
from tests.unit.core.graphs import position
from tests.unit.runtime.stage import scope, task


@pytest.fixture
def inside(hold):
    """Return a function that calls another one in a scope, with these answers and memos for its task."""

    def call(function, *, run=None, **more):
        found = Scope(run or scope(hold), task("a", **more))
        token = enter(found)
        try:
            return function()
        finally:
            leave(token)

    return call


def question_of(caught) -> Any:
    (question,) = caught.value.questions
    return question


def digest_of(hold, value, schema=None):
    return hold.codec.digest([value, schema])


class Decision(BaseModel):
    accept: bool


# Outside


@pytest.mark.parametrize(
    "function",
    [lambda: interrupt("?"), lambda: once("k", list), get_config, get_store, get_runtime, get_stream_writer],
    ids=["interrupt", "once", "get_config", "get_store", "get_runtime", "get_stream_writer"],
)
def test_outside_of_a_node_everything_says_so(function):
    assert current() is None
    with pytest.raises(OutsideRunError, match=r"\(\) was called outside of a running node"):
        function()


# interrupt


def test_a_question_leaves_the_node_with_everything_needed_to_find_back(inside, hold):
    deadline = datetime(2026, 1, 2, tzinfo=UTC)
    run = scope(hold, namespace="sub:1", path=("outer",))

    with pytest.raises(GraphInterrupt) as caught:
        inside(lambda: interrupt("sure?", key="send", response_schema={"type": "string"}, deadline=deadline), run=run)

    (asked,), question = caught.value.args[0], question_of(caught)
    inner = task("a").id
    assert (asked.value, asked.key, asked.deadline, asked.response_schema) == ("sure?", "send", deadline, {"type": "string"})
    assert asked.id == interrupt_id(inner, "send")
    assert (question.interrupt, question.slot, question.namespace, question.path) == (asked, "send", "sub:1", ("outer", inner))
    assert question.digest == digest_of(hold, "sure?", {"type": "string"})


def test_unnamed_questions_are_counted_and_named_ones_are_not(inside, hold):
    answers = {"#0": "one", "send": "two", "#1": "three"}
    given = {slot: Answer(answer, digest_of(hold, slot)) for slot, answer in answers.items()}

    assert inside(lambda: (interrupt("#0"), interrupt("send", key="send"), interrupt("#1")), answers=given) == ("one", "two", "three")


def test_none_is_an_answer(inside, hold):
    assert inside(lambda: interrupt("?"), answers={"#0": Answer(None, digest_of(hold, "?"))}) is None


def test_an_answer_to_another_question_is_refused(inside, hold):
    with pytest.raises(InterruptMismatchError, match="Node 'a' now asks something else at '#0'"):
        inside(lambda: interrupt("delete?"), answers={"#0": Answer("yes", digest_of(hold, "read?"))})


def test_an_answer_to_a_question_with_another_schema_is_refused(inside, hold):
    with pytest.raises(InterruptMismatchError):
        inside(lambda: interrupt("?", response_schema={}), answers={"#0": Answer("yes", digest_of(hold, "?"))})


@pytest.mark.parametrize("key", ["", "#0", "#x", 5, b"send"])
def test_what_is_no_name_for_a_question(inside, key):
    with pytest.raises(InvalidConfigError, match="takes a non-empty string"):
        inside(lambda: interrupt("?", key=key))


def test_two_questions_of_one_node_may_not_have_one_name(inside, hold):
    with pytest.raises(InvalidConfigError, match="asks twice under the key 'send'"):
        inside(lambda: (interrupt("?", key="send"), interrupt("?", key="send")), answers={"send": Answer(1, digest_of(hold, "?"))})


def test_a_deadline_has_a_time_zone(inside):
    with pytest.raises(InvalidConfigError, match="time zone"):
        inside(lambda: interrupt("?", deadline=datetime(2026, 1, 2)))  # noqa: DTZ001 - that is the mistake


def test_a_question_without_a_checkpointer_is_refused_at_once(inside):
    with pytest.raises(MissingCheckpointerError, match="Node 'a' called interrupt"):
        inside(lambda: interrupt("?"), run=scope())


def test_a_question_that_cannot_be_stored_is_refused(inside):
    with pytest.raises(UnserializableValueError):
        inside(lambda: interrupt(object()))


@pytest.mark.parametrize("schema, answer, value", [(Decision, {"accept": True}, Decision(accept=True)), (int, "5", 5), ({}, "5", "5")])
def test_an_answer_becomes_an_instance_of_the_type_that_was_asked_for(inside, schema, answer, value):
    with pytest.raises(GraphInterrupt) as caught:
        inside(lambda: interrupt("?", response_schema=schema))
    question = question_of(caught)

    given = {"#0": Answer(answer, question.digest)}

    assert inside(lambda: interrupt("?", response_schema=schema), answers=given) == value


def test_a_stored_answer_that_does_not_fit_the_type_any_more_is_refused(inside):
    with pytest.raises(GraphInterrupt) as caught:
        inside(lambda: interrupt("?", response_schema=Decision))
    given = {"#0": Answer({"accept": "perhaps"}, question_of(caught).digest)}

    with pytest.raises(InvalidAnswerError, match="does not fit"):
        inside(lambda: interrupt("?", response_schema=Decision), answers=given)


# once


def counted(result="result"):
    calls = []

    def function(*args, **kwargs):
        calls.append((args, kwargs))
        return result

    return calls, function


def claimed(hold):
    """Claim a new thread, so that memories can be written."""
    hold.write(hold.prepare("", Commit((Entry(position("a"), None),), claim=True)))


def memories(hold):
    saved = hold.load("")
    return saved.memos.get(task("a").id, {})


def test_a_function_runs_once_and_its_result_is_stored(inside, hold):
    claimed(hold)
    calls, function = counted()

    results = inside(lambda: [once("send", function, 1, to=2), once("send", function, 3)])

    assert (results, calls) == (["result"] * 2, [((1,), {"to": 2})])
    assert memories(hold) == {"send": "result"}
    hold.release("idle")


async def test_a_coroutine_function_runs_once_and_its_result_is_stored(hold):
    claimed(hold)
    calls, function = counted()

    async def coroutine(*args, **kwargs):
        return function(*args, **kwargs)

    token = enter(Scope(scope(hold), task("a")))
    try:
        results = [await once("send", coroutine, 1, to=2), await once("send", coroutine, 3)]
    finally:
        leave(token)

    assert (results, calls) == (["result"] * 2, [((1,), {"to": 2})])
    assert memories(hold) == {"send": "result"}
    hold.release("idle")


def test_what_an_earlier_attempt_remembers_is_not_done_again(inside):
    calls, function = counted()

    assert inside(lambda: once("send", function), memos={"send": None}) is None
    assert calls == []


async def test_what_an_earlier_attempt_remembers_is_not_awaited_again():
    calls, function = counted()

    async def coroutine():
        return function()

    token = enter(Scope(scope(), task("a", memos={"send": "remembered"})))
    try:
        assert await once("send", coroutine) == "remembered"
    finally:
        leave(token)
    assert calls == []


def test_without_a_checkpointer_a_result_is_remembered_for_the_attempt(inside):
    calls, function = counted(None)

    inside(lambda: [once("send", function), once("send", function), once("other", function)], run=scope())

    assert len(calls) == 2


async def test_without_a_checkpointer_an_awaited_result_is_remembered_for_the_attempt():
    calls, function = counted(None)

    async def coroutine():
        return function()

    token = enter(Scope(scope(), task("a")))
    try:
        await once("send", coroutine)
        await once("send", coroutine)
    finally:
        leave(token)
    assert len(calls) == 1


def test_a_function_that_fails_is_not_remembered(inside):
    attempts = iter([ZeroDivisionError, None])

    def function():
        if error := next(attempts):
            raise error
        return "done"

    def node():
        with pytest.raises(ZeroDivisionError):
            once("send", function)
        return once("send", function)

    assert inside(node, run=scope()) == "done"


def test_a_result_that_cannot_be_stored_is_refused_by_its_name(inside, hold):
    claimed(hold)

    with pytest.raises(UnserializableValueError, match=r"once.'send'"):
        inside(lambda: once("send", object))
    hold.release("idle")


@pytest.mark.parametrize("key", ["", None, 5])
def test_what_is_no_name_for_an_action(inside, key):
    with pytest.raises(InvalidConfigError, match="non-empty string"):
        inside(lambda: once(key, list))


def test_an_action_waits_until_the_checkpoint_of_its_task_is_durable(inside):
    def fails():
        raise StorageUnavailableError("The disk is full.")

    calls, function = counted()

    with pytest.raises(StorageUnavailableError):
        inside(lambda: once("send", function), run=scope(settle=fails))
    assert calls == []


# Services


def test_the_runtime_has_the_services_and_the_place_of_the_task(hold):
    store, context = object(), object()
    run = scope(hold, store=store, context=context, namespace="sub")
    found = Scope(run, task("a"))

    runtime: Runtime[object] = runtime_of(found)

    assert (runtime.context, runtime.store, store_of(found)) == (context, store, store)
    info = runtime.execution_info
    assert (info.checkpoint_id, info.checkpoint_ns, info.task_id) == (found.task.checkpoint.id, "sub", found.task.id)
    assert (info.thread_id, info.run_id, info.node) == ("1", "run", "a")


def test_functions_reach_what_parameters_reach(inside, hold):
    run = scope(hold, store="store", context="context", config={"tags": ["t"]})

    runtime, config, store, scoped = inside(lambda: (get_runtime(dict), get_config(), get_store(), current()), run=run)

    assert (runtime.context, store) == ("context", "store")
    assert config == config_of(scoped)


@pytest.mark.parametrize("configurable", [None, {"user": "u", "thread_id": "of the caller"}, "no dict"])
def test_the_config_names_thread_and_place_and_is_a_copy(hold, configurable):
    given = {"tags": ["t"], "configurable": configurable}
    found = Scope(scope(hold, config=given, namespace="sub"), task("a"))

    config: Any = config_of(found)
    config["configurable"]["user"] = "changed"

    assert (config["tags"], config["recursion_limit"]) == (["t"], 25)
    assert config["configurable"]["thread_id"] == "1"
    assert config["configurable"]["checkpoint_ns"] == "sub"
    assert config["configurable"]["checkpoint_id"] == found.task.checkpoint.id
    assert given == {"tags": ["t"], "configurable": configurable}


def test_without_a_thread_the_config_names_none():
    config: Any = config_of(Scope(scope(), task("a")))

    assert "thread_id" not in config["configurable"]


def test_what_is_written_becomes_an_event_of_the_namespace(inside):
    events: list[Any] = []

    inside(lambda: get_stream_writer()(5), run=scope(namespace="sub", emit=events.append))

    assert events == [Emitted("sub", 5)]


def test_without_a_reader_a_writer_does_nothing():
    writer_of(Scope(scope(), task("a")))(5)


def test_a_scope_is_left_when_its_task_ends_and_seen_by_no_other_thread(inside):
    seen = []

    def node():
        thread = threading.Thread(target=lambda: seen.append(current()))
        thread.start()
        thread.join()
        return current()

    assert inside(node) is not None
    assert seen == [None]
    assert current() is None
