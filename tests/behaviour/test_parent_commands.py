"""Command.PARENT: a node of a subgraph ends its graph, updates the parent and decides where the parent goes."""

from __future__ import annotations

import operator
from typing import Annotated, TypedDict

import pytest

from graphkit import END, START, Command, Send, StateGraph, interrupt
from graphkit.errors import InvalidUpdateError, UnknownKeyError, UnknownNodeError


class State(TypedDict):
    log: Annotated[list[object], operator.add]
    word: str


class Inner(TypedDict):
    log: Annotated[list[object], operator.add]
    note: str


def child_of(result, schema=State):
    """Return a graph that logs "in", then returns ``result`` and has a node after that, which must never run."""
    builder = StateGraph(schema).add_node("in", lambda state: {"log": ["in"]}).add_node("jump", lambda state: result)
    builder.add_node("never", lambda state: {"log": ["never"]}).add_edge("jump", "never")
    return builder.add_edge(START, "in").add_edge("in", "jump").compile()


def parent_of(child, saver=None, *, edge=False):
    """Return a graph that runs the child and knows the targets "x" and "y"; with ``edge``, the child leads to "y" anyway."""
    builder = StateGraph(State).add_node("child", child, destinations=() if edge else ("x", "y")).add_edge(START, "child")
    for name in "xy":
        builder.add_node(name, lambda state, name=name: {"log": [name]})
    if edge:
        builder.add_edge("child", "y").add_conditional_edges("child", lambda state: END, ["x", END])
    return builder.compile(checkpointer=saver)


def to_parent(**parts):
    return Command(graph=Command.PARENT, **parts)


@pytest.mark.parametrize(
    "command, result",
    [
        (to_parent(), {"log": ["i"]}),
        (to_parent(update={"log": ["u"]}), {"log": ["i", "u"]}),
        (to_parent(update=[("log", ["u"]), ("log", ["v"]), ("word", "w")]), {"log": ["i", "u", "v"], "word": "w"}),
        (to_parent(goto="x"), {"log": ["i", "x"]}),
        (to_parent(goto=["y", "x"], update={"word": "w"}), {"log": ["i", "x", "y"], "word": "w"}),
        (to_parent(goto=Send("x", {})), {"log": ["i", "x"]}),
        (to_parent(goto=END), {"log": ["i"]}),
    ],
    ids=str,
)
def test_a_command_to_the_parent_ends_the_child_and_acts_in_the_parent(driver, command, result):
    assert driver.invoke(parent_of(child_of(command)), {"log": ["i"]}) == result


def test_with_a_saver_it_acts_the_same_and_the_thread_is_finished(driver, saver):
    graph = parent_of(child_of(to_parent(goto="x", update={"log": ["u"]})), saver)

    assert driver.invoke(graph, {"log": ["i"]}, thread_id="t") == {"log": ["i", "u", "x"]}
    state = driver.get_state(graph, thread_id="t")
    assert (state.values, state.next) == ({"log": ["i", "u", "x"]}, ())
    assert driver.invoke(graph, None, thread_id="t") == {"log": ["i", "u", "x"]}


def test_the_static_edge_of_the_child_fires_as_well(driver):
    graph = parent_of(child_of(to_parent(goto="x")), edge=True)

    assert driver.invoke(graph, {"log": ["i"]}) == {"log": ["i", "x", "y"]}


def test_the_update_belongs_to_the_state_of_the_parent(driver):
    private = parent_of(child_of(to_parent(update={"note": "mine"}), Inner))

    assert driver.invoke(parent_of(child_of(to_parent(update={"word": "w"}), Inner)), {"log": []}) == {"log": [], "word": "w"}
    with pytest.raises(UnknownKeyError, match="note"):
        driver.invoke(private, {"log": []})


def test_the_targets_belong_to_the_parent(driver):
    with pytest.raises(UnknownNodeError, match="never"):
        driver.invoke(parent_of(child_of(to_parent(goto="never"))), {"log": []})


def test_it_reaches_the_closest_parent_only(driver):
    middle = StateGraph(State).add_node("inner", child_of(to_parent(goto="after", update={"log": ["u"]})), destinations=("after",))
    middle.add_node("after", lambda state: {"log": ["after"]}).add_edge(START, "inner")

    assert driver.invoke(parent_of(middle.compile()), {"log": ["i"]}) == {"log": ["i", "u", "after"]}


def test_a_parent_can_hand_it_on_to_its_own_parent(driver):
    middle = StateGraph(State).add_node("inner", child_of(to_parent(goto="up"))).add_edge(START, "inner")
    middle.add_node("up", lambda state: to_parent(goto="x", update={"log": ["up"]}))

    assert driver.invoke(parent_of(middle.compile()), {"log": ["i"]}) == {"log": ["i", "up", "x"]}


def test_from_a_graph_called_inside_a_node_it_ends_the_node(driver, saver):
    child = child_of(to_parent(goto="x", update={"log": ["u"]}))
    went_on: list[str] = []

    def call(state):
        child.invoke({"log": []})
        went_on.append("on")

    graph = parent_of(call, saver)

    assert driver.invoke(graph, {"log": ["i"]}, thread_id="t") == {"log": ["i", "u", "x"]}
    assert went_on == []


def test_except_exception_in_the_calling_node_does_not_catch_it(driver):
    child = child_of(to_parent(goto="x"))

    def call(state):
        try:
            child.invoke({"log": []})
        except Exception:  # noqa: BLE001 - as the code around a tool has it
            return {"log": ["caught"]}

    assert driver.invoke(parent_of(call), {"log": ["i"]}) == {"log": ["i", "x"]}


def test_after_a_question_in_the_child_the_answer_may_end_it(driver, saver):
    def jump(state):
        return to_parent(goto=interrupt("where?"), update={"log": ["u"]})

    child = StateGraph(State).add_node("in", lambda state: {"log": ["in"]}).add_node("jump", jump)
    graph = parent_of(child.add_edge(START, "in").add_edge("in", "jump").compile(), saver)
    driver.invoke(graph, {"log": ["i"]}, thread_id="t")

    assert driver.invoke(graph, Command(resume="x"), thread_id="t") == {"log": ["i", "u", "x"]}


def test_parallel_children_may_both_command(driver, saver):
    builder = StateGraph(State)
    for name, target in (("one", "y"), ("two", "x")):
        builder.add_node(name, child_of(to_parent(goto=target, update={"log": [name]})), destinations=(target,)).add_edge(START, name)
    for name in "xy":
        builder.add_node(name, lambda state, name=name: {"log": [name]})
    graph = builder.compile(checkpointer=saver)

    assert driver.invoke(graph, {"log": []}, thread_id="t") == {"log": ["one", "two", "x", "y"]}


def test_a_sibling_that_finished_beside_it_in_the_child_is_no_update_of_the_parent(driver, saver):
    child = StateGraph(State).add_node("jump", lambda state: to_parent(update={"log": ["u"]})).add_edge(START, "jump")
    child.add_node("sibling", lambda state: {"log": ["sibling"]}).add_edge(START, "sibling")
    graph = parent_of(child.compile(), saver)

    assert driver.invoke(graph, {"log": ["i"]}, thread_id="t") == {"log": ["i", "u"]}


def test_a_failure_beside_it_in_the_child_is_raised_and_the_command_is_given_again(driver, saver):
    broken = [True]

    def bad(state):
        if broken:
            raise KeyError(broken.pop())

    child = StateGraph(State).add_node("jump", lambda state: to_parent(update={"log": ["u"]})).add_edge(START, "jump")
    graph = parent_of(child.add_node("bad", bad).add_edge(START, "bad").compile(), saver)
    with pytest.raises(KeyError):
        driver.invoke(graph, {"log": ["i"]}, thread_id="t")

    assert driver.invoke(graph, None, thread_id="t") == {"log": ["i", "u"]}


def test_it_is_streamed_as_the_update_of_the_child(driver):
    graph = parent_of(child_of(to_parent(goto="x", update={"log": ["u"]})))

    assert driver.stream(graph, {"log": ["i"]}) == [{"child": {"log": ["u"]}}, {"x": {"log": ["x"]}}]


def test_a_graph_without_a_parent_refuses_it(driver, saver):
    graph = StateGraph(State).add_node("a", lambda state: to_parent(goto="x")).add_edge(START, "a").compile(checkpointer=saver)

    with pytest.raises(InvalidUpdateError, match="no parent"):
        driver.invoke(graph, {"log": []}, thread_id="t")
    assert driver.get_state(graph, thread_id="t").next == ("a",)


@pytest.mark.parametrize(
    "result",
    [Command(graph="somewhere"), [to_parent(update={"log": ["u"]}), {"log": ["lost"]}], [to_parent(), to_parent(goto="x")]],
    ids=["another name", "beside an update", "two of them"],
)
def test_other_forms_are_refused(driver, result):
    with pytest.raises(InvalidUpdateError, match="jump"):
        driver.invoke(parent_of(child_of(result)), {"log": []})
