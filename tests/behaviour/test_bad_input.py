"""Mistakes of a caller: a typed error with a code and a hint, before any node runs, and the thread is as it was."""

from __future__ import annotations

import operator
from functools import partial
from typing import Annotated, TypedDict

import pytest

from graphkit import START, Command, Send, StateGraph, StateUpdate, interrupt
from graphkit.errors import (
    CheckpointNotFoundError,
    ConflictingWritesError,
    EmptyInputError,
    InterruptAlreadyAnsweredError,
    InvalidAnswerError,
    InvalidConfigError,
    InvalidIdError,
    InvalidStreamModeError,
    InvalidUpdateError,
    MissingCheckpointerError,
    MissingThreadIdError,
    NothingToResumeError,
    ThreadNotFoundError,
    UnknownInterruptError,
    UnknownKeyError,
    UnknownNodeError,
    UnserializableValueError,
)

UNKNOWN = "00000001-0123456789abcdef"
T = {"configurable": {"thread_id": "t"}}
NEW = {"configurable": {"thread_id": "new"}}


class State(TypedDict, total=False):
    log: Annotated[list[object], operator.add]
    word: object


class Bench:
    """A thread that waits for a number, with a sibling that has finished; ``ran`` says which nodes have run."""

    def __init__(self, driver, saver):
        self.ran: list[str] = []
        self.driver = driver

        def ask(state):
            self.ran.append("ask")
            return {"log": [interrupt("how many?", response_schema={"type": "integer"})]}

        def node(name):
            def run(state):
                self.ran.append(name)
                return {"log": [name]}

            return run

        builder = StateGraph(State).add_node("ask", ask).add_node("sib", node("sib")).add_node("last", node("last"))
        builder.add_edge(START, "ask").add_edge(START, "sib").add_edge("ask", "last").add_edge("sib", "last")
        self.graph = builder.compile(saver)
        self.answered = driver.invoke(self.graph, {}, thread_id="other")["__interrupt__"][0]
        driver.invoke(self.graph, Command(resume=1), thread_id="other")
        self.foreign = driver.invoke(self.graph, {}, thread_id="foreign")["__interrupt__"][0]
        [self.question] = driver.invoke(self.graph, {"log": ["i"]}, thread_id="t")["__interrupt__"]
        self.ran.clear()

    def invoke(self, *args, **kwargs):
        return self.driver.invoke(self.graph, *args, **kwargs)

    def stream(self, *args, **kwargs):
        return self.driver.stream(self.graph, *args, **kwargs)

    def state(self, *args, **kwargs):
        return self.driver.get_state(self.graph, *args, **kwargs)

    def history(self, *args, **kwargs):
        return self.driver.history(self.graph, *args, **kwargs)

    def update(self, *args, **kwargs):
        return self.driver.update_state(self.graph, *args, **kwargs)

    def batch(self, *args, **kwargs):
        return self.driver.batch(self.graph, *args, **kwargs)


def at(**configurable):
    return {"configurable": {"thread_id": "t", **configurable}}


def begin(thread_id, bench):
    return bench.invoke({}, {"configurable": {"thread_id": thread_id}})


def go_on(config, bench):
    return bench.invoke(None, {**T, **config})


INPUTS = {
    "an unknown key": (lambda b: b.invoke({"lgo": ["x"]}, T), UnknownKeyError),
    "a text as input": (lambda b: b.invoke("text", T), InvalidUpdateError),
    "an object as input": (lambda b: b.invoke(object(), T), InvalidUpdateError),
    "an unserializable input": (lambda b: b.invoke({"word": object()}, T), UnserializableValueError),
    "an unserializable part of an input": (lambda b: b.invoke({"log": [{"deep": [object()]}]}, T), UnserializableValueError),
    "an unknown key in a Command": (lambda b: b.invoke(Command(update={"lgo": ["x"]}), T), UnknownKeyError),
    "a Command for a parent": (lambda b: b.invoke(Command(graph=Command.PARENT), T), InvalidUpdateError),
    "two values for a plain key": (lambda b: b.invoke(Command(update=[("word", 1), ("word", 2)]), T), ConflictingWritesError),
    "an unserializable update": (lambda b: b.invoke(Command(update={"word": object()}), T), UnserializableValueError),
    "an unknown goto": (lambda b: b.invoke(Command(goto="lst"), T), UnknownNodeError),
    "one unknown goto of several": (lambda b: b.invoke(Command(goto=["last", "lst"]), T), UnknownNodeError),
    "goto START": (lambda b: b.invoke(Command(goto=START), T), UnknownNodeError),
    "an unknown Send target": (lambda b: b.invoke(Command(goto=Send("lst", {})), T), UnknownNodeError),
    "an unserializable Send": (lambda b: b.invoke(Command(goto=Send("last", {"word": object()})), T), UnserializableValueError),
    "no input on a new thread": (lambda b: b.invoke(None, NEW), EmptyInputError),
    "a bad input in a batch": (lambda b: b.batch([{"lgo": []}], [T]), UnknownKeyError),
}

ANSWERS = {
    "an answer of the wrong type": (lambda b: b.invoke(Command(resume="many"), T), InvalidAnswerError),
    "a wrong answer by id": (lambda b: b.invoke(Command(resume={b.question.id: "many"}), T), InvalidAnswerError),
    "None for a number": (lambda b: b.invoke(Command(resume=None), T), InvalidAnswerError),
    "an unserializable answer": (lambda b: b.invoke(Command(resume=object()), T), (InvalidAnswerError, UnserializableValueError)),
    "an unknown interrupt id": (lambda b: b.invoke(Command(resume={"0" * 32: 1}), T), UnknownInterruptError),
    "one unknown id of several": (lambda b: b.invoke(Command(resume={b.question.id: 1, "0" * 32: 1}), T), UnknownInterruptError),
    "an interrupt id of another thread": (lambda b: b.invoke(Command(resume={b.foreign.id: 1}), T), UnknownInterruptError),
    "a second answer": (
        lambda b: b.invoke(Command(resume={b.answered.id: 2}), thread_id="other"),
        (InterruptAlreadyAnsweredError, UnknownInterruptError),
    ),
    "an answer for a finished thread": (lambda b: b.invoke(Command(resume=1), thread_id="other"), NothingToResumeError),
    "an answer for a new thread": (lambda b: b.invoke(Command(resume=1), NEW), NothingToResumeError),
    "a good answer with an unknown goto": (lambda b: b.invoke(Command(resume=1, goto="lst"), T), UnknownNodeError),
    "a good answer with an unknown key": (lambda b: b.invoke(Command(resume=1, update={"lgo": []}), T), UnknownKeyError),
}

ADDRESSES = {
    "the state of an unknown thread": (lambda b: b.state(NEW), ThreadNotFoundError),
    "the history of an unknown thread": (lambda b: b.history(NEW), ThreadNotFoundError),
    "an unknown checkpoint to go on from": (lambda b: b.invoke(None, at(checkpoint_id=UNKNOWN)), CheckpointNotFoundError),
    "an unknown checkpoint with an input": (lambda b: b.invoke({"log": ["x"]}, at(checkpoint_id=UNKNOWN)), CheckpointNotFoundError),
    "an unknown checkpoint with an answer": (lambda b: b.invoke(Command(resume=1), at(checkpoint_id=UNKNOWN)), CheckpointNotFoundError),
    "an unknown checkpoint to read": (lambda b: b.state(at(checkpoint_id="yesterday")), CheckpointNotFoundError),
    "an unknown checkpoint to edit": (lambda b: b.update(at(checkpoint_id=UNKNOWN), {"word": "w"}), CheckpointNotFoundError),
    "an unknown checkpoint of a new thread": (
        lambda b: b.invoke({"log": ["x"]}, {"configurable": {"thread_id": "new", "checkpoint_id": UNKNOWN}}),
        CheckpointNotFoundError,
    ),
    "a checkpoint id that is no text": (lambda b: b.invoke(None, at(checkpoint_id=7)), InvalidConfigError),
    "a namespace that is no text": (lambda b: b.state(at(checkpoint_ns=7)), InvalidConfigError),
    "an unknown namespace to read": (lambda b: b.state(at(checkpoint_ns="nowhere:1")), UnknownNodeError),
    "an unknown namespace to edit": (lambda b: b.update(at(checkpoint_ns="nowhere:1"), {"word": "w"}), UnknownNodeError),
    "an unknown namespace to run": (lambda b: b.invoke(None, at(checkpoint_ns="nowhere:1")), (UnknownNodeError, InvalidConfigError)),
    "no thread to run": (lambda b: b.invoke({}), MissingThreadIdError),
    "no thread to stream": (lambda b: b.stream({}), MissingThreadIdError),
    "no thread to read": (lambda b: b.state({}), MissingThreadIdError),
    "no thread to look back at": (lambda b: b.history({"configurable": {}}), MissingThreadIdError),
    "no thread to edit": (lambda b: b.update({"configurable": {}}, {"word": "w"}), MissingThreadIdError),
    "two threads": (lambda b: b.invoke(None, T, thread_id="u"), InvalidConfigError),
    **{
        f"the thread id {wrong!r:.20}": (partial(begin, wrong), InvalidIdError)
        for wrong in ("", " ", "a b", "../t", "..", "a/b", "t\n", "t\0", "ü", "x" * 201, 7, b"t", ["t"])
    },
}

OPTIONS = {
    "an unknown stream mode": (lambda b: b.stream(None, T, stream_mode="value"), InvalidStreamModeError),
    "one unknown stream mode of several": (lambda b: b.stream(None, T, stream_mode=["values", "x"]), InvalidStreamModeError),
    "no stream mode": (lambda b: b.stream(None, T, stream_mode=[]), InvalidStreamModeError),
    "an unknown stream mode of invoke": (lambda b: b.invoke(None, T, stream_mode="value"), InvalidStreamModeError),
    "a stream mode that is no text": (lambda b: b.stream(None, T, stream_mode=[1]), InvalidStreamModeError),
    "an unknown breakpoint": (lambda b: b.invoke(None, T, interrupt_before=["lst"]), UnknownNodeError),
    "an unknown breakpoint afterwards": (lambda b: b.invoke(None, T, interrupt_after="lst"), UnknownNodeError),
    "an unknown durability": (lambda b: b.invoke(None, T, durability="never"), InvalidConfigError),
    "an unknown option": (lambda b: b.invoke(None, T, recursion_limits=5), InvalidConfigError),
    "an unknown config key": (lambda b: b.invoke(None, {**T, "recursionlimit": 5}), InvalidConfigError),
    "callbacks": (lambda b: b.invoke(None, {**T, "callbacks": []}), InvalidConfigError),
    "a config that is no dict": (lambda b: b.invoke(None, "t"), InvalidConfigError),
    "a configurable that is no dict": (lambda b: b.invoke(None, {"configurable": "t"}), InvalidConfigError),
    "metadata that is no dict": (lambda b: b.invoke(None, {**T, "metadata": "m"}), InvalidConfigError),
    "unserializable metadata": (lambda b: b.invoke({}, {**T, "metadata": {"m": object()}}), UnserializableValueError),
    **{
        f"{name}={wrong!r}": (partial(go_on, {name: wrong}), InvalidConfigError)
        for name in ("recursion_limit", "max_concurrency")
        for wrong in (0, -1, 1.5, "5", True)
    },
    "a limit of the history": (lambda b: b.history(T, limit=0), InvalidConfigError),
    "an edit of an unknown node": (lambda b: b.update(T, {"word": "w"}, as_node="lst"), UnknownNodeError),
    "an edit of an unknown key": (lambda b: b.update(T, {"wrod": "w"}), UnknownKeyError),
    "an unserializable edit": (lambda b: b.update(T, {"word": object()}), UnserializableValueError),
}

CASES = {**INPUTS, **ANSWERS, **ADDRESSES, **OPTIONS}


@pytest.mark.parametrize("mistake, error", CASES.values(), ids=CASES)
def test_a_mistake_is_refused_before_anything_happens(driver, saver, mistake, error):
    bench = Bench(driver, saver)
    before = {thread: bench.history(thread_id=thread) for thread in ("t", "other", "foreign")}
    state, pending = bench.state(T), saver.pending_interrupts().items

    with pytest.raises(error) as caught:
        mistake(bench)

    assert caught.value.code in str(caught.value)
    assert caught.value.hint
    assert str(caught.value.hint) in str(caught.value)
    assert bench.ran == []
    assert {thread: bench.history(thread_id=thread) for thread in before} == before
    assert bench.state(T) == state
    assert saver.pending_interrupts().items == pending
    assert sorted(thread.thread_id for thread in saver.threads().items) == ["foreign", "other", "t"]
    assert bench.invoke(Command(resume=7), T) == {"log": ["i", 7, "sib", "last"]}
    assert bench.ran == ["ask", "last"]


WITHOUT_SAVER = {
    "state": lambda driver, graph: driver.get_state(graph, T),
    "history": lambda driver, graph: driver.history(graph, T),
    "edit": lambda driver, graph: driver.update_state(graph, T, {"word": "w"}),
    "edits": lambda driver, graph: driver.bulk_update_state(graph, T, [[StateUpdate({"word": "w"}, "a")]]),
    "answer": lambda driver, graph: driver.invoke(graph, Command(resume=1), T),
    "checkpoint": lambda driver, graph: driver.invoke(graph, {}, at(checkpoint_id=UNKNOWN)),
    "durability": lambda driver, graph: driver.invoke(graph, {}, durability="sync"),
}


@pytest.mark.parametrize("call", WITHOUT_SAVER.values(), ids=WITHOUT_SAVER)
def test_what_needs_a_checkpointer_says_so(driver, call):
    ran = []
    graph = StateGraph(State).add_node("a", lambda state: ran.append("a")).add_edge(START, "a").compile()

    with pytest.raises(MissingCheckpointerError) as caught:
        call(driver, graph)

    assert "checkpointer" in str(caught.value.hint)
    assert ran == []


@pytest.mark.parametrize("wrong, near", [("lst", "'last'"), ("asl", "'ask'"), ("zzz", "'ask', 'last', 'sib'")])
def test_the_hint_names_the_nearest_nodes(driver, saver, wrong, near):
    bench = Bench(driver, saver)

    with pytest.raises(UnknownNodeError) as caught:
        bench.invoke(Command(goto=wrong), T)

    assert near in str(caught.value.hint)
    assert caught.value.facts["node"] == wrong


def test_the_hint_names_the_nearest_keys_modes_and_questions(driver, saver):
    bench = Bench(driver, saver)

    with pytest.raises(UnknownKeyError) as key:
        bench.invoke({"lgo": []}, T)
    with pytest.raises(InvalidStreamModeError) as mode:
        bench.stream(None, T, stream_mode="update")
    with pytest.raises(UnknownInterruptError) as question:
        bench.invoke(Command(resume={"0" * 32: 1}), T)

    assert "'log'" in str(key.value.hint)
    assert "'updates'" in str(mode.value.hint)
    assert bench.question.id in str(question.value.hint)


@pytest.mark.parametrize("path, value", [("$.word", object()), ("$.word[0]", [object()]), ("$.word.a[1].b", {"a": [1, {"b": object()}]})])
def test_an_unserializable_input_names_the_path(driver, saver, path, value):
    bench = Bench(driver, saver)

    with pytest.raises(UnserializableValueError) as caught:
        bench.invoke({"word": value}, T)

    assert caught.value.facts["path"] == path
    assert path in str(caught.value)
