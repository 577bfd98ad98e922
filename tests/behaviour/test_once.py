"""once(): what a node did is done one time for its task, whatever runs again."""

from __future__ import annotations

import asyncio
import operator
from functools import partial
from typing import Annotated, TypedDict

import pytest

from graphkit import END, START, Command, Send, StateGraph, interrupt, once
from graphkit.errors import InvalidConfigError, OutsideRunError, UnserializableValueError


class State(TypedDict):
    log: Annotated[list[object], operator.add]


class Outbox:
    """Counts what is sent, and fails while it is closed."""

    def __init__(self) -> None:
        self.sent: list[object] = []
        self.closed = False

    def send(self, text, *, to="me"):
        self.sent.append(text)
        if self.closed:
            raise ConnectionError(text)
        return (text, to, len(self.sent))

    async def asend(self, text, *, to="me"):
        await asyncio.sleep(0)
        return self.send(text, to=to)


@pytest.fixture
def outbox():
    return Outbox()


def graph_of(saver, **nodes):
    builder = StateGraph(State)
    for name, node in nodes.items():
        builder.add_node(name, node).add_edge(START, name)
    return builder.compile(checkpointer=saver)


def sending(outbox):
    """Return a node that sends, then asks, then sends again."""

    def node(state):
        first = once("first", outbox.send, "first", to="you")
        answer = interrupt("go on?")
        return {"log": [first, answer, once("second", outbox.send, "second")]}

    return node


def async_sending(outbox):
    async def node(state):
        first = await once("first", outbox.asend, "first", to="you")
        answer = interrupt("go on?")
        return {"log": [first, answer, await once("second", outbox.asend, "second")]}

    return node


@pytest.mark.parametrize("kind", [sending, async_sending])
@pytest.mark.parametrize("durability", ["sync", "async", "exit"])
def test_a_result_is_remembered_when_the_node_runs_again_for_its_answer(driver, saver, outbox, kind, durability):
    graph = graph_of(saver, work=kind(outbox))
    driver.invoke(graph, {"log": []}, thread_id="t", durability=durability)
    driver.invoke(graph, None, thread_id="t", durability=durability)

    result = driver.invoke(graph, Command(resume="yes"), thread_id="t", durability=durability)

    assert outbox.sent == ["first", "second"]
    assert result == {"log": [("first", "you", 1), "yes", ("second", "me", 2)]}


def test_three_approvals_are_three_executions(driver, saver, outbox):
    drafts = ["one", "two", "three"]

    def review(state):
        return {"log": [once(f"send {text}", outbox.send, text) for text in drafts if interrupt(text) == "accept"]}

    graph = graph_of(saver, review=review)
    driver.invoke(graph, {"log": []}, thread_id="t")
    for number in range(1, 4):
        driver.invoke(graph, Command(resume="accept"), thread_id="t")
        assert outbox.sent == drafts[:number]

    assert driver.get_state(graph, thread_id="t").next == ()


def test_five_questions_in_a_loop_repeat_no_effect(driver, saver, outbox):
    def work(state):
        for number in range(5):
            once(f"prepare {number}", outbox.send, number)
            interrupt(number)

    graph = graph_of(saver, work=work)
    driver.invoke(graph, {"log": []}, thread_id="t")
    for _ in range(5):
        driver.invoke(graph, Command(resume="next"), thread_id="t")

    assert outbox.sent == [0, 1, 2, 3, 4]


def test_a_result_is_remembered_when_the_node_fails_after_it(driver, saver, outbox):
    failures = iter([KeyError("later"), KeyError("again"), None])

    def work(state):
        result = once("send", outbox.send, "mail")
        failure = next(failures)
        if failure:
            raise failure
        return {"log": [result]}

    graph = graph_of(saver, work=work)
    for given in ({"log": []}, None):
        with pytest.raises(KeyError):
            driver.invoke(graph, given, thread_id="t")

    assert driver.invoke(graph, None, thread_id="t") == {"log": [("mail", "me", 1)]}
    assert outbox.sent == ["mail"]


def test_an_exception_is_not_remembered(driver, saver, outbox):
    graph = graph_of(saver, work=lambda state: {"log": [once("send", outbox.send, "mail")]})
    outbox.closed = True
    with pytest.raises(ConnectionError):
        driver.invoke(graph, {"log": []}, thread_id="t")
    outbox.closed = False

    assert driver.invoke(graph, None, thread_id="t") == {"log": [("mail", "me", 2)]}
    assert outbox.sent == ["mail", "mail"]


def test_an_exception_of_an_async_function_is_not_remembered(driver, saver, outbox):
    async def work(state):
        return {"log": [await once("send", outbox.asend, "mail")]}

    graph = graph_of(saver, work=work)
    outbox.closed = True
    with pytest.raises(ConnectionError):
        driver.invoke(graph, {"log": []}, thread_id="t")
    outbox.closed = False

    assert driver.invoke(graph, None, thread_id="t") == {"log": [("mail", "me", 2)]}


@pytest.mark.parametrize("result", [None, False, 0, "", (), {}], ids=repr)
def test_a_falsy_result_is_remembered_as_it_was(driver, saver, result):
    runs: list[str] = []

    def action():
        runs.append("run")
        return result

    def work(state):
        before = once("key", action)
        interrupt("?")
        return {"log": [before, once("key", action)]}

    graph = graph_of(saver, work=work)
    driver.invoke(graph, {"log": []}, thread_id="t")
    ended = driver.invoke(graph, Command(resume="A"), thread_id="t")

    assert runs == ["run"]
    assert ended["log"] == [result, result]
    assert type(ended["log"][0]) is type(result)


def test_a_question_inside_is_no_result(driver, saver):
    runs: list[str] = []

    def action():
        runs.append("run")
        return ("answered", interrupt("?"))

    graph = graph_of(saver, work=lambda state: {"log": [once("ask", action), once("ask", action)]})
    driver.invoke(graph, {"log": []}, thread_id="t")

    assert driver.invoke(graph, Command(resume="A"), thread_id="t") == {"log": [("answered", "A")] * 2}
    assert runs == ["run", "run"]


def test_parallel_tasks_remember_each_their_own(driver, saver, outbox):
    def work(name):
        def node(state):
            result = once("send", outbox.send, name)
            interrupt(name)
            return {"log": [result[0]]}

        return node

    graph = graph_of(saver, a=work("a"), b=work("b"))
    pending = {question.value: question.id for question in driver.invoke(graph, {"log": []}, thread_id="t")["__interrupt__"]}

    for name in "ba":
        result = driver.invoke(graph, Command(resume={pending[name]: "A"}), thread_id="t")

    assert sorted(outbox.sent) == ["a", "b"]
    assert result == {"log": ["a", "b"]}


def test_sends_to_one_node_remember_each_their_own(driver, saver, outbox):
    def work(item):
        result = once("send", outbox.send, item)
        interrupt(item)
        return {"log": [result[0]]}

    builder = StateGraph(State).add_node("work", work)
    graph = builder.add_conditional_edges(START, lambda state: [Send("work", item) for item in range(3)]).compile(checkpointer=saver)
    questions = driver.invoke(graph, {"log": []}, thread_id="t")["__interrupt__"]

    result = driver.invoke(graph, Command(resume={question.id: "A" for question in questions}), thread_id="t")

    assert sorted(outbox.sent) == [0, 1, 2]
    assert result == {"log": [0, 1, 2]}


def test_a_node_in_a_loop_acts_anew_each_time_around(driver, saver, outbox):
    builder = StateGraph(State).add_node("work", lambda state: {"log": [once("send", outbox.send, len(state["log"]))]})
    builder.add_edge(START, "work").add_conditional_edges("work", lambda state: "work" if len(state["log"]) < 3 else END, ["work", END])

    driver.invoke(builder.compile(checkpointer=saver), {"log": []}, thread_id="t")

    assert outbox.sent == [0, 1, 2]


def test_threads_and_turns_share_nothing(driver, saver, outbox):
    graph = graph_of(saver, work=lambda state: {"log": [once("send", outbox.send, "mail")]})

    for thread_id in ("a", "b", "a"):
        driver.invoke(graph, {"log": []}, thread_id=thread_id)

    assert len(outbox.sent) == 3


def test_a_node_of_a_subgraph_remembers_over_the_reruns_of_its_parents(driver, saver, outbox):
    child = graph_of(None, work=sending(outbox))
    bodies: list[str] = []

    def call(state):
        bodies.append("body")
        own = once("own", outbox.send, "own")
        return {"log": [own, *child.invoke({"log": []})["log"]]}

    graph = graph_of(saver, call=call)
    driver.invoke(graph, {"log": []}, thread_id="t")
    driver.invoke(graph, Command(resume="yes"), thread_id="t")

    assert bodies == ["body", "body"]
    assert outbox.sent == ["own", "first", "second"]


def test_a_replayed_branch_of_the_past_acts_for_itself(driver, saver, outbox):
    graph = graph_of(saver, work=sending(outbox))
    driver.invoke(graph, {"log": []}, thread_id="t")
    old = driver.get_state(graph, thread_id="t").config
    driver.invoke(graph, Command(resume="yes"), thread_id="t")

    driver.invoke(graph, None, old)

    assert outbox.sent == ["first", "second", "first"]


def test_an_edit_of_the_state_beside_a_waiting_task_leaves_its_memory(driver, saver, outbox):
    builder = StateGraph(State).add_node("before", lambda state: None).add_node("work", sending(outbox))
    graph = builder.add_edge(START, "before").add_edge("before", "work").compile(checkpointer=saver)
    driver.invoke(graph, {"log": []}, thread_id="t")
    driver.invoke(graph, Command(update={"log": ["edited"]}), thread_id="t")
    driver.update_state(graph, None, {"log": ["again"]}, as_node="before", thread_id="t")

    result = driver.invoke(graph, Command(resume="yes"), thread_id="t")

    assert result["log"][:2] == ["edited", "again"]
    assert outbox.sent == ["first", "second"]


def test_the_same_key_twice_in_one_run_acts_once(driver, saver, outbox):
    graph = graph_of(saver, work=lambda state: {"log": [once("k", outbox.send, 1), once("k", outbox.send, 2), once("l", outbox.send, 3)]})

    assert driver.invoke(graph, {"log": []}, thread_id="t") == {"log": [(1, "me", 1), (1, "me", 1), (3, "me", 2)]}


def test_a_partial_of_an_async_function_is_awaited(driver, saver, outbox):
    async def work(state):
        result = await once("send", partial(outbox.asend, to="you"), "mail")
        return {"log": [result, await once("send", outbox.asend, "other")]}

    assert driver.invoke(graph_of(saver, work=work), {"log": []}, thread_id="t") == {"log": [("mail", "you", 1)] * 2}


def test_without_a_checkpointer_a_result_is_remembered_for_one_run_of_the_node(driver, outbox):
    graph = graph_of(None, work=lambda state: {"log": [once("send", outbox.send, 1), once("send", outbox.send, 2)]})

    assert driver.invoke(graph, {"log": []}) == {"log": [(1, "me", 1)] * 2}
    assert driver.invoke(graph, {"log": []}) == {"log": [(1, "me", 2)] * 2}


def test_a_result_that_cannot_be_stored_fails_the_node_and_names_the_key(driver, saver):
    graph = graph_of(saver, work=lambda state: once("fetch page", lambda: {"page": [print]}))

    with pytest.raises(UnserializableValueError, match="fetch page") as failure:
        driver.invoke(graph, {"log": []}, thread_id="t")
    assert "$.page[0]" in str(failure.value)
    assert driver.get_state(graph, thread_id="t").next == ("work",)


@pytest.mark.parametrize("key", ["", None, 7], ids=repr)
def test_a_key_is_a_name(driver, saver, outbox, key):
    with pytest.raises(InvalidConfigError):
        driver.invoke(graph_of(saver, work=lambda state: once(key, outbox.send, "mail")), {"log": []}, thread_id="t")
    assert outbox.sent == []


def test_outside_of_a_node_nothing_is_called(outbox):
    with pytest.raises(OutsideRunError):
        once("send", outbox.send, "mail")
    assert outbox.sent == []
