"""A thread meets a graph that was changed meanwhile: nothing ends silently, nothing is lost."""

from __future__ import annotations

import operator
from dataclasses import dataclass, field
from typing import Annotated, TypedDict

import pytest
from pydantic import BaseModel

from graphkit import START, Command, Send, StateGraph, interrupt
from graphkit.errors import GraphChangedError

T = {"configurable": {"thread_id": "t"}}


class State(TypedDict, total=False):
    log: Annotated[list[str], operator.add]


def logs(name):
    return lambda state: {"log": [name]}


def ask(state):
    return {"log": [interrupt("?")]}


def chain(saver, *names, **options):
    builder = StateGraph(State).add_sequence([(name, ask if name.startswith("ask") else logs(name)) for name in names])
    return builder.add_edge(START, names[0]).compile(saver, **options)


@pytest.mark.parametrize("given", [None, Command(resume="yes"), Command(update={"log": ["x"]})])
def test_a_pending_node_that_was_renamed_is_an_error_that_names_it(driver, saver, given):
    old, new = chain(saver, "a", "ask", "b"), chain(saver, "a", "ask_person", "b")
    driver.invoke(old, {"log": ["i"]}, T)
    before = driver.history(old, T)

    with pytest.raises(GraphChangedError, match="'ask'") as caught:
        driver.invoke(new, given, T)

    assert caught.value.facts["node"] == "ask"
    assert "update_state" in str(caught.value.hint)
    assert driver.history(old, T) == before
    assert len(saver.pending_interrupts().items) == 1


def test_the_thread_goes_on_with_the_old_graph(driver, saver):
    old, new = chain(saver, "a", "ask", "b"), chain(saver, "a", "b")
    driver.invoke(old, {"log": ["i"]}, T)
    with pytest.raises(GraphChangedError):
        driver.invoke(new, Command(resume="lost?"), T)

    assert driver.invoke(old, Command(resume="yes"), T) == {"log": ["i", "a", "yes", "b"]}


def test_the_thread_can_still_be_looked_at(driver, saver):
    old, new = chain(saver, "a", "ask", "b"), chain(saver, "a", "b")
    driver.invoke(old, {}, T)

    snapshot = driver.get_state(new, T)

    assert (snapshot.next, snapshot.values) == (("ask",), {"log": ["a"]})
    assert [question.value for question in snapshot.interrupts] == ["?"]
    assert [found.next for found in driver.history(new, T)] == [("ask",), ("a",), ("__start__",)]


def test_the_thread_can_be_moved_on_by_an_edit(driver, saver):
    old, new = chain(saver, "a", "ask", "b"), chain(saver, "a", "b")
    driver.invoke(old, {}, T)

    driver.update_state(new, T, {"log": ["moved"]}, as_node="a")

    assert driver.get_state(new, T).next == ("b",)
    assert driver.invoke(new, None, T) == {"log": ["a", "moved", "b"]}
    assert saver.pending_interrupts().items == ()


def test_a_new_input_begins_a_turn_on_the_new_graph(driver, saver):
    old, new = chain(saver, "a", "ask", "b"), chain(saver, "a", "b")
    driver.invoke(old, {}, T)

    assert driver.invoke(new, {"log": ["2"]}, T) == {"log": ["a", "2", "a", "b"]}


def test_a_pending_send_to_a_node_that_is_gone_is_an_error_too(driver, saver):
    def graph(name):
        builder = StateGraph(State).add_node("fan", lambda state: Command(goto=[Send(name, {"log": []})] * 2)).add_node(name, logs(name))
        return builder.add_edge(START, "fan").compile(saver)

    driver.invoke(graph("work"), {}, T, interrupt_before=["work"])

    with pytest.raises(GraphChangedError, match="'work'"):
        driver.invoke(graph("job"), None, T)
    assert driver.invoke(graph("work"), None, T) == {"log": ["work", "work"]}


def test_a_sibling_that_is_gone_is_not_forgotten(driver, saver):
    def graph(*names):
        builder = StateGraph(State)
        for name in names:
            builder.add_node(name, ask if name == "ask" else logs(name)).add_edge(START, name)
        return builder.compile(saver)

    old = graph("ask", "sib")
    driver.invoke(old, {}, T)

    with pytest.raises(GraphChangedError, match="'sib'"):
        driver.invoke(graph("ask", "other"), Command(resume="yes"), T)

    assert driver.invoke(old, Command(resume="yes"), T) == {"log": ["yes", "sib"]}


def test_a_replay_from_before_a_node_that_is_gone_is_an_error(driver, saver):
    old, new = chain(saver, "a", "b", "c"), chain(saver, "a", "c")
    driver.invoke(old, {}, T)
    before_b = next(snapshot for snapshot in driver.history(old, T) if snapshot.next == ("b",))
    count = len(driver.history(old, T))

    with pytest.raises(GraphChangedError, match="'b'"):
        driver.invoke(new, None, before_b.config)

    assert len(driver.history(old, T)) == count
    assert driver.get_state(new, T).values == {"log": ["a", "b", "c"]}


def test_nodes_may_be_added_and_edges_changed_behind_a_pending_node(driver, saver):
    old, new = chain(saver, "a", "ask", "b"), chain(saver, "a", "ask", "check", "c")
    driver.invoke(old, {}, T)

    assert driver.invoke(new, Command(resume="yes"), T) == {"log": ["a", "yes", "check", "c"]}


def test_the_nearest_names_are_in_the_hint(driver, saver):
    old, new = chain(saver, "a", "ask_person"), chain(saver, "a", "ask_persons")
    driver.invoke(old, {}, T)

    with pytest.raises(GraphChangedError) as caught:
        driver.invoke(new, None, T)

    assert "'ask_persons'" in str(caught.value.hint)


def test_half_a_join_that_is_gone_does_no_harm(driver, saver):
    builder = StateGraph(State).add_node("a", logs("a")).add_node("ask", ask).add_node("last", logs("last"))
    builder.add_edge(START, "a").add_edge("a", "ask")
    old = builder.add_edge(["a", "ask"], "last").compile(saver)
    driver.invoke(old, {}, T)
    new = chain(saver, "a", "ask", "b")

    assert driver.invoke(new, Command(resume="yes"), T) == {"log": ["a", "yes", "b"]}


class Grown(TypedDict, total=False):
    log: Annotated[list[str], operator.add]
    tags: Annotated[list[str], operator.add]
    word: str


@dataclass
class GrownRecord:
    log: Annotated[list[str], operator.add] = field(default_factory=list)
    tags: Annotated[list[str], operator.add] = field(default_factory=lambda: ["new"])
    word: str = "default"


class GrownModel(BaseModel):
    log: Annotated[list[str], operator.add] = []
    tags: Annotated[list[str], operator.add] = ["new"]
    word: str = "default"


@pytest.mark.parametrize("schema", [GrownRecord, GrownModel])
@pytest.mark.parametrize("given", [Command(resume="yes"), {"log": ["2"]}])
def test_new_keys_have_their_defaults_on_an_old_thread(driver, saver, *, schema, given):
    seen: list[object] = []
    driver.invoke(chain(saver, "a", "ask", "b"), {}, T)
    builder = StateGraph(schema).add_node("a", lambda state: None).add_node("ask", lambda state: interrupt("?") and None)

    def b(state):
        seen.append((state.tags, state.word))
        return {"tags": ["b"]}

    new = builder.add_node("b", b).add_edge(START, "a").add_edge("a", "ask").add_edge("ask", "b").compile(saver)

    driver.invoke(new, given, T)
    if isinstance(given, dict):
        driver.invoke(new, Command(resume="yes"), T)

    assert seen == [(["new"], "default")]
    assert driver.get_state(new, T).values["tags"] == ["new", "b"]


def test_a_new_reducer_key_without_a_default_can_be_written_on_an_old_thread(driver, saver):
    driver.invoke(chain(saver, "a", "ask"), {}, T)
    builder = StateGraph(Grown).add_node("a", logs("a")).add_node("ask", lambda state: {"tags": [interrupt("?")], "word": "w"})
    new = builder.add_edge(START, "a").add_edge("a", "ask").compile(saver)

    assert driver.invoke(new, Command(resume="yes"), T) == {"log": ["a"], "tags": ["yes"], "word": "w"}


def test_keys_that_are_gone_are_not_shown_to_nodes_and_callers(driver, saver):
    seen: list[object] = []
    builder = StateGraph(Grown).add_node("a", lambda state: {"word": "w", "tags": ["t"], "log": ["a"]}).add_node("ask", ask)
    old = builder.add_edge(START, "a").add_edge("a", "ask").compile(saver)
    driver.invoke(old, {}, T)

    def look(state):
        seen.append(dict(state))
        return ask(state)

    new = StateGraph(State).add_node("a", logs("a")).add_node("ask", look).add_edge(START, "a").add_edge("a", "ask").compile(saver)

    assert driver.invoke(new, Command(resume="yes"), T) == {"log": ["a", "yes"]}
    assert seen == [{"log": ["a"]}]
    assert driver.invoke(new, {"log": ["2"]}, T).keys() == {"log", "__interrupt__"}
