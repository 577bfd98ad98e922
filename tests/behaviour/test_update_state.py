"""update_state: an edit in the name of a node, the special names, and what is refused."""

from __future__ import annotations

import operator
from typing import Annotated, Literal, TypedDict

import pytest
from pydantic import BaseModel

from graphkit import END, START, Command, Overwrite, StateGraph, interrupt
from graphkit.errors import (
    InvalidConfigError,
    InvalidStateError,
    InvalidUpdateError,
    UnknownKeyError,
    UnknownNodeError,
    UnserializableValueError,
)

T = {"configurable": {"thread_id": "t"}}


class State(TypedDict, total=False):
    log: Annotated[list[str], operator.add]
    word: str


class Runs(list[str]):
    """Which nodes have run."""

    def node(self, name, **update):
        def run(state):
            self.append(name)
            return {"log": [name], **update}

        return run

    def ask(self, name):
        def run(state):
            self.append(name)
            return {"log": [f"{name}:{interrupt(f'{name}?')}"]}

        return run


@pytest.fixture
def ran():
    return Runs()


def chain(saver, ran, *names, **options):
    builder = StateGraph(State).add_sequence([(name, ran.node(name)) for name in names]).add_edge(START, names[0])
    return builder.compile(saver, **options)


def parallel(saver, ran, *, then: bool = True):
    """START -> ask, sib -> last."""
    builder = StateGraph(State).add_node("ask", ran.ask("ask")).add_node("sib", ran.node("sib"))
    builder.add_edge(START, "ask").add_edge(START, "sib")
    if then:
        builder.add_node("last", ran.node("last")).add_edge("ask", "last").add_edge("sib", "last")
    return builder.compile(saver)


def test_an_edit_of_a_paused_thread_is_attributed_to_the_node_that_wrote_last(driver, saver, ran):
    graph = chain(saver, ran, "a", "b", "c", interrupt_before=["b"])
    driver.invoke(graph, {"log": ["i"]}, thread_id="t")

    driver.update_state(graph, T, {"log": ["edit"]})

    snapshot = driver.get_state(graph, thread_id="t")
    assert (snapshot.values, snapshot.next) == ({"log": ["i", "a", "edit"]}, ("b",))
    assert (snapshot.metadata["source"], snapshot.metadata["step"]) == ("update", 2)


def test_an_edit_in_the_name_of_the_pending_node_takes_its_place(driver, saver, ran):
    graph = chain(saver, ran, "a", "b", "c", interrupt_before=["b"])
    driver.invoke(graph, {"log": ["i"]}, thread_id="t")

    driver.update_state(graph, T, {"log": ["edit"]}, as_node="b")

    assert driver.get_state(graph, thread_id="t").next == ("c",)
    assert driver.invoke(graph, None, thread_id="t") == {"log": ["i", "a", "edit", "c"]}
    assert ran == ["a", "c"]


def test_the_returned_config_names_the_new_checkpoint(driver, saver, ran):
    graph = chain(saver, ran, "a", "b")
    driver.invoke(graph, {}, thread_id="t")
    before = driver.get_state(graph, thread_id="t").config

    made = driver.update_state(graph, T, {"word": "w"})

    snapshot = driver.get_state(graph, thread_id="t")
    assert snapshot.config == made
    assert snapshot.parent_config == before
    assert driver.get_state(graph, made) == snapshot


def test_the_edit_is_named_by_the_short_form_too(driver, saver, ran):
    graph = chain(saver, ran, "a")
    driver.invoke(graph, {}, thread_id="t")

    driver.update_state(graph, None, {"word": "w"}, thread_id="t")

    assert driver.get_state(graph, thread_id="t").values == {"log": ["a"], "word": "w"}


def test_an_edit_at_the_end_in_the_name_of_an_earlier_node_goes_on_from_there(driver, saver, ran):
    graph = chain(saver, ran, "a", "b", "c")
    driver.invoke(graph, {}, thread_id="t")
    ran.clear()

    driver.update_state(graph, T, {"log": ["edit"]}, as_node="a")

    assert driver.invoke(graph, None, thread_id="t") == {"log": ["a", "b", "c", "edit", "b", "c"]}
    assert ran == ["b", "c"]


def test_as_node_end_without_values_clears_what_would_run_next(driver, saver, ran):
    graph = parallel(saver, ran)
    driver.invoke(graph, {"log": ["i"]}, thread_id="t")
    ran.clear()

    driver.update_state(graph, T, None, as_node=END)

    snapshot = driver.get_state(graph, thread_id="t")
    assert (snapshot.next, snapshot.interrupts) == ((), ())
    assert snapshot.values == {"log": ["i", "sib"]}
    assert driver.invoke(graph, None, thread_id="t") == {"log": ["i", "sib"]}
    assert ran == []
    assert saver.pending_interrupts().items == ()


def test_as_node_end_with_values_writes_them_and_ends(driver, saver, ran):
    graph = chain(saver, ran, "a", "b", interrupt_before=["b"])
    driver.invoke(graph, {}, thread_id="t")

    driver.update_state(graph, T, {"word": "w", "log": ["edit"]}, as_node=END)

    snapshot = driver.get_state(graph, thread_id="t")
    assert (snapshot.values, snapshot.next) == ({"log": ["a", "edit"], "word": "w"}, ())


def test_an_edit_of_a_new_thread_stands_for_its_input(driver, saver, ran):
    graph = chain(saver, ran, "a", "b")

    driver.update_state(graph, T, {"log": ["i"]})

    assert driver.get_state(graph, thread_id="t").next == ("a",)
    assert driver.invoke(graph, None, thread_id="t") == {"log": ["i", "a", "b"]}


def test_a_new_thread_can_begin_in_the_middle(driver, saver, ran):
    graph = chain(saver, ran, "a", "b")

    driver.update_state(graph, T, {"log": ["i"]}, as_node="a")

    assert driver.invoke(graph, None, thread_id="t") == {"log": ["i", "b"]}
    assert ran == ["b"]


def test_as_node_input_begins_a_turn_with_the_values(driver, saver, ran):
    graph = chain(saver, ran, "a")
    driver.invoke(graph, {"log": ["1"]}, thread_id="t")

    driver.update_state(graph, T, {"log": ["2"]}, as_node="__input__")

    assert driver.get_state(graph, thread_id="t").next == ("__start__",)
    assert driver.invoke(graph, None, thread_id="t") == {"log": ["1", "a", "2", "a"]}


def test_as_node_copy_clones_the_checkpoint_onto_a_branch(driver, saver, ran):
    graph = chain(saver, ran, "a", "b", interrupt_before=["b"])
    driver.invoke(graph, {"log": ["i"]}, thread_id="t")
    before = driver.get_state(graph, thread_id="t")

    made = driver.update_state(graph, T, None, as_node="__copy__")

    copy = driver.get_state(graph, thread_id="t")
    assert copy.config == made != before.config
    assert (copy.values, copy.next, copy.parent_config) == (before.values, before.next, before.config)
    assert copy.metadata["source"] == "fork"


def test_no_values_and_no_node_make_a_copy(driver, saver, ran):
    graph = chain(saver, ran, "a", "b", interrupt_before=["b"])
    driver.invoke(graph, {"log": ["i"]}, thread_id="t")

    driver.update_state(graph, T, None)

    assert driver.get_state(graph, thread_id="t").metadata["source"] == "fork"
    assert driver.invoke(graph, None, thread_id="t", interrupt_before=()) == {"log": ["i", "a", "b"]}


def test_no_values_in_the_name_of_a_node_mean_that_it_returned_nothing(driver, saver, ran):
    graph = chain(saver, ran, "a", "b", "c", interrupt_before=["b"])
    driver.invoke(graph, {}, thread_id="t")

    driver.update_state(graph, T, None, as_node="b")

    snapshot = driver.get_state(graph, thread_id="t")
    assert (snapshot.values, snapshot.next) == ({"log": ["a"]}, ("c",))


def test_the_routers_of_the_node_see_the_edit(driver, saver, ran):
    def route(state) -> Literal["left", "right"]:
        return "left" if state["word"] == "l" else "right"

    builder = StateGraph(State).add_node("a", ran.node("a")).add_node("left", ran.node("left")).add_node("right", ran.node("right"))
    graph = builder.add_edge(START, "a").add_conditional_edges("a", route).compile(saver, interrupt_after=["a"])
    driver.invoke(graph, {"word": "r"}, thread_id="t")

    driver.update_state(graph, T, {"word": "l"}, as_node="a")

    assert driver.get_state(graph, thread_id="t").next == ("left",)


def test_an_edit_may_be_all_that_a_node_may_return(driver, saver, ran):
    graph = chain(saver, ran, "a", "b", "c", interrupt_before=["b"])
    driver.invoke(graph, {}, thread_id="t")

    driver.update_state(graph, T, {"log": Overwrite(["new"])}, as_node="a")
    driver.update_state(graph, T, Command(update={"log": ["cmd"]}, goto="c"), as_node="a")

    snapshot = driver.get_state(graph, thread_id="t")
    assert (snapshot.values, snapshot.next) == ({"log": ["new", "cmd"]}, ("b", "c"))


def test_an_edit_carries_the_users_metadata(driver, saver, ran):
    graph = chain(saver, ran, "a")
    driver.invoke(graph, {}, thread_id="t")

    driver.update_state(graph, {**T, "metadata": {"editor": "eva"}}, {"word": "w"})

    assert driver.get_state(graph, thread_id="t").metadata == {"source": "update", "step": 2, "parents": {}, "editor": "eva"}


def test_an_edit_runs_no_node(driver, saver, ran):
    graph = chain(saver, ran, "a", "b")

    driver.update_state(graph, T, {"log": ["edit"]}, as_node="a")

    assert ran == []


def test_which_node_is_meant_has_to_be_clear(driver, saver, ran):
    graph = parallel(saver, ran, then=False)
    driver.invoke(graph, {}, thread_id="t")
    driver.invoke(graph, Command(resume="yes"), thread_id="t")

    with pytest.raises(InvalidUpdateError, match=r"Ambiguous update, specify as_node.*'ask', 'sib'"):
        driver.update_state(graph, T, {"log": ["edit"]})


class Checked(BaseModel):
    number: int = 0


@pytest.mark.parametrize(
    "values, as_node, error",
    [
        ({"log": ["x"]}, "nowhere", UnknownNodeError),
        ({"lgo": ["x"]}, None, UnknownKeyError),
        (["x"], None, InvalidUpdateError),
        ({"log": [object()]}, None, UnserializableValueError),
        ({"word": object()}, END, UnserializableValueError),
        ({"lgo": ["x"]}, END, UnknownKeyError),
        ({"lgo": ["x"]}, "__input__", UnknownKeyError),
        (["x"], "__input__", InvalidUpdateError),
        (Command(goto="nowhere"), "a", UnknownNodeError),
        (Command(graph=Command.PARENT), "a", InvalidConfigError),
    ],
)
def test_a_wrong_edit_is_refused_and_changes_nothing(driver, saver, ran, *, values, as_node, error):
    graph = chain(saver, ran, "a", "b", interrupt_before=["b"])
    driver.invoke(graph, {}, thread_id="t")
    before = driver.history(graph, thread_id="t")

    with pytest.raises(error) as caught:
        driver.update_state(graph, T, values, as_node)

    assert caught.value.code
    assert driver.history(graph, thread_id="t") == before
    assert driver.invoke(graph, None, thread_id="t") == {"log": ["a", "b"]}


@pytest.mark.parametrize("as_node", [None, "a", START, END, "__input__"])
def test_an_edit_is_checked_against_the_schema(driver, saver, as_node):
    graph = StateGraph(Checked).add_node("a", lambda state: None).add_edge(START, "a").compile(saver)
    driver.invoke(graph, {"number": 1}, thread_id="t")

    with pytest.raises(InvalidStateError, match="number"):
        driver.update_state(graph, T, {"number": "many"}, as_node)
    driver.update_state(graph, T, {"number": "2"}, as_node)
    driver.invoke(graph, None, thread_id="t")

    assert driver.get_state(graph, thread_id="t").values == {"number": 2}
