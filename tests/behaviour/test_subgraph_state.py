"""What subgraphs keep: the three ways of persistence, their namespaces, and reading and editing a subgraph's state."""

from __future__ import annotations

import operator
from typing import Annotated, TypedDict

import pytest

from graphkit import START, Command, InMemorySaver, Send, StateGraph, StateSnapshot, get_config, interrupt
from graphkit.errors import InvalidConfigError, MissingCheckpointerError, MultipleSubgraphsError, ThreadNotFoundError, UnknownNodeError


class State(TypedDict):
    log: Annotated[list[object], operator.add]


class Tally(TypedDict):
    """The state of a child that has nothing in common with its parent."""

    seen: Annotated[list[object], operator.add]


def chain(schema, *nodes):
    """Return a builder of (name, node) pairs, one after the other."""
    builder = StateGraph(schema)
    for name, node in nodes:
        builder.add_node(name, node)
    for before, after in zip([START, *[name for name, _ in nodes]], [name for name, _ in nodes], strict=False):
        builder.add_edge(before, after)
    return builder


def place():
    return get_config()["configurable"]["checkpoint_ns"]


def tally(checkpointer, places=None, ask=None):
    """Return a child that counts its calls in a state of its own; with ``ask``, it asks that each time."""

    def count(state):
        if places is not None:
            places.append(place())
        return {"seen": [len(state["seen"])]}

    nodes = [("count", count)]
    if ask is not None:
        nodes.append(("ask", lambda state: {"seen": [interrupt(ask)]}))
    return chain(Tally, *nodes).compile(checkpointer=checkpointer)


def calling(*children):
    """Return a node that calls children one after the other and logs what they have seen."""

    def call(state):
        return {"log": [child.invoke({"seen": []})["seen"] for child in children]}

    return call


def at(namespace, thread_id="t"):
    return {"configurable": {"thread_id": thread_id, "checkpoint_ns": namespace}}


def test_by_default_each_call_of_a_child_starts_afresh_in_a_namespace_of_its_own(driver, saver):
    places: list[str] = []
    graph = chain(State, ("n", calling(tally(None, places)))).compile(checkpointer=saver)

    results = [driver.invoke(graph, {"log": []}, thread_id="t") for _ in range(3)]

    assert results[-1] == {"log": [[0], [0], [0]]}
    assert len(set(places)) == 3
    assert all(name.startswith("n:") and len(name) == 34 for name in places)


def test_a_child_that_keeps_its_state_has_one_namespace_per_thread_and_accumulates(driver, saver):
    places: list[str] = []
    graph = chain(State, ("n", calling(tally(True, places)))).compile(checkpointer=saver)

    results = [driver.invoke(graph, {"log": []}, thread_id="t") for _ in range(3)]
    elsewhere = driver.invoke(graph, {"log": []}, thread_id="other")

    assert results[-1] == {"log": [[0], [0, 1], [0, 1, 2]]}
    assert elsewhere == {"log": [[0]]}
    assert set(places) == {"n"}


def test_a_child_that_keeps_its_state_does_so_as_a_node_too(driver, saver):
    graph = chain(State, ("n", tally(True)), ("z", lambda state: None)).compile(checkpointer=saver)

    with pytest.raises(ThreadNotFoundError):
        driver.get_state(graph, at("n"))
    for _ in range(3):
        driver.invoke(graph, {"log": []}, thread_id="t")
    assert driver.history(graph, at("n"))[0].values == {"seen": [0, 1, 2]}


def test_a_child_without_persistence_stores_nothing_and_cannot_ask(driver, saver):
    places: list[str] = []
    graph = chain(State, ("n", calling(tally(False, places)))).compile(checkpointer=saver)
    asking = chain(State, ("n", calling(tally(False, places, ask="?")))).compile(checkpointer=saver)

    assert driver.invoke(graph, {"log": []}, thread_id="t") == {"log": [[0]]}
    assert saver.get_tuple(at(places[0])) is None
    with pytest.raises(MissingCheckpointerError, match="ask"):
        driver.invoke(asking, {"log": []}, thread_id="u")


@pytest.mark.parametrize("mode", [None, True], ids=["fresh", "kept"])
def test_the_second_call_in_a_task_has_a_number_in_its_namespace(driver, saver, mode):
    places: list[str] = []
    child = tally(mode, places)
    graph = chain(State, ("n", calling(child, child, child))).compile(checkpointer=saver)

    result = driver.invoke(graph, {"log": []}, thread_id="t")

    first = places[0]
    assert places == [first, f"{first}|1", f"{first}|2"]
    assert first == "n" if mode else first.startswith("n:")
    assert result == {"log": [[0], [0], [0]]}


def test_the_namespaces_of_nested_graphs_are_joined(driver, saver):
    places: list[str] = []
    graph = chain(State, ("outer", chain(State, ("inner", tally(None, places))).compile())).compile(checkpointer=saver)
    keeping = chain(State, ("outer", chain(State, ("inner", tally(True, places))).compile(checkpointer=True))).compile(checkpointer=saver)

    driver.invoke(graph, {"log": []}, thread_id="t")
    driver.invoke(keeping, {"log": []}, thread_id="u")

    assert [level.partition(":")[0] for level in places[0].split("|")] == ["outer", "inner"]
    assert places[1] == "outer|inner"


def test_a_child_that_keeps_its_state_goes_on_after_questions_over_turns(driver, saver):
    graph = chain(State, ("n", calling(tally(True, ask="?")))).compile(checkpointer=saver)
    for answer in "AB":
        assert driver.invoke(graph, {"log": []}, thread_id="t")["__interrupt__"][0].value == "?"
        result = driver.invoke(graph, Command(resume=answer), thread_id="t")

    assert result == {"log": [[0, "A"], [0, "A", 2, "B"]]}


def test_new_input_while_the_child_asks_leaves_the_child_where_it_had_finished_last(driver, saver):
    graph = chain(State, ("n", calling(tally(True, ask="?")))).compile(checkpointer=saver)
    driver.invoke(graph, {"log": []}, thread_id="t")
    driver.invoke(graph, Command(resume="A"), thread_id="t")
    driver.invoke(graph, {"log": []}, thread_id="t")

    driver.invoke(graph, {"log": []}, thread_id="t")

    assert driver.invoke(graph, Command(resume="C"), thread_id="t") == {"log": [[0, "A"], [0, "A", 2, "C"]]}


def test_a_fork_of_the_parent_finds_the_child_as_it_was_then(driver, saver):
    graph = chain(State, ("n", calling(tally(True)))).compile(checkpointer=saver)
    for _ in range(3):
        driver.invoke(graph, {"log": []}, thread_id="t")
    second = next(found for found in driver.history(graph, thread_id="t") if found.values["log"] == [[0]] and found.next == ("n",))

    assert driver.invoke(graph, None, second.config) == {"log": [[0], [0, 1]]}
    assert driver.invoke(graph, {"log": []}, thread_id="t") == {"log": [[0], [0, 1], [0, 1, 2]]}


def test_a_fork_from_before_the_first_call_finds_the_child_blank(driver, saver):
    graph = chain(State, ("n", tally(True)), ("z", lambda state: None)).compile(checkpointer=saver)
    for _ in range(2):
        driver.invoke(graph, {"log": []}, thread_id="t")
    first = [found for found in driver.history(graph, thread_id="t") if found.next == ("n",)][-1]

    driver.invoke(graph, None, first.config)

    assert driver.get_state(graph, at("n")).values == {"seen": [0]}


@pytest.mark.parametrize("limit", [1, None], ids=["one after the other", "side by side"])
def test_a_child_that_keeps_its_state_serves_one_task_of_a_superstep(driver, saver, limit):
    builder = StateGraph(State).add_node("n", calling(tally(True)))
    graph = builder.add_conditional_edges(START, lambda state: [Send("n", {}), Send("n", {})]).compile(checkpointer=saver)

    for given in ({"log": []}, None):
        with pytest.raises(MultipleSubgraphsError, match="'n'"):
            driver.invoke(graph, given, thread_id="t", max_concurrency=limit)
    assert driver.get_state(graph, thread_id="t").next == ("n",)
    assert driver.get_state(graph, thread_id="t").values == {"log": [[0]]}


def test_only_subgraphs_are_compiled_with_true(driver):
    with pytest.raises(InvalidConfigError, match="subgraph"):
        driver.invoke(tally(True), {"seen": []})


def test_a_child_with_a_saver_and_a_thread_of_its_own_uses_them(driver, saver):
    own = InMemorySaver()
    child = tally(own)

    def call(state):
        return {"log": [child.invoke({"seen": []}, thread_id="mine")["seen"]]}

    graph = chain(State, ("n", call)).compile(checkpointer=saver)

    for thread_id in ("t", "u"):
        result = driver.invoke(graph, {"log": []}, thread_id=thread_id)

    assert result == {"log": [[0, 1]]}
    assert [found.thread_id for found in own.threads().items] == ["mine"]
    assert sorted(found.thread_id for found in saver.threads().items) == ["t", "u"]


def test_a_child_with_a_saver_of_its_own_lives_in_the_thread_of_its_parent_as_a_node(driver, saver):
    own = InMemorySaver()
    graph = chain(State, ("n", tally(own, ask="?")), ("z", lambda state: {"log": ["z"]})).compile(checkpointer=saver)

    paused = driver.invoke(graph, {"log": []}, thread_id="t")

    assert [question.value for question in paused["__interrupt__"]] == ["?"]
    assert driver.invoke(graph, Command(resume="A"), thread_id="t") == {"log": ["z"]}
    assert own.threads().items == ()


def deep(levels, leaf):
    """Return a builder whose graph has a graph as its node "inner", and so on, ``levels`` deep; each logs its level first."""
    inner = deep(levels - 1, leaf).compile() if levels else leaf
    return chain(State, ("first", lambda state: {"log": [levels]}), ("inner", inner))


def ask(state):
    return {"log": [interrupt("?")]}


def test_the_state_of_an_unfinished_child_is_shown_inside_its_task(driver, saver):
    graph = deep(2, ask).compile(checkpointer=saver)
    driver.invoke(graph, {"log": ["i"]}, thread_id="t")

    found = driver.get_state(graph, thread_id="t", subgraphs=True)

    for log in (["i", 2], ["i", 2, 1]):
        assert found.values == {"log": log}
        assert found.next == ("inner",)
        assert [question.value for question in found.interrupts] == ["?"]
        found = found.tasks[0].state
        assert isinstance(found, StateSnapshot)
    assert (found.values, found.next, found.tasks[0].name, found.tasks[0].state) == ({"log": ["i", 2, 1, 0]}, ("inner",), "inner", None)


def test_the_config_in_a_task_addresses_the_state_of_its_child(driver, saver):
    graph = deep(2, ask).compile(checkpointer=saver)
    driver.invoke(graph, {"log": ["i"]}, thread_id="t")
    shown = driver.get_state(graph, thread_id="t", subgraphs=True).tasks[0].state

    config = driver.get_state(graph, thread_id="t").tasks[0].state
    child = driver.get_state(graph, config)
    grandchild = driver.get_state(graph, child.tasks[0].state)

    assert config["configurable"]["thread_id"] == "t"
    assert config["configurable"]["checkpoint_ns"].startswith("inner:")
    assert child._replace(tasks=()) == shown._replace(tasks=())
    assert grandchild.values == {"log": ["i", 2, 1, 0]}
    assert [found.metadata["step"] for found in driver.history(graph, config)] == [1, 0, -1]
    assert driver.get_state(graph, driver.history(graph, config)[1].config).next == ("first",)


def test_the_state_of_a_finished_child_is_not_shown(driver, saver):
    child = chain(State, ("a", lambda state: {"log": ["a"]})).compile()
    graph = chain(State, ("child", child), ("ask", ask)).add_node("other", child).add_edge("child", "other").compile(checkpointer=saver)
    driver.invoke(graph, {"log": []}, thread_id="t")

    tasks = driver.get_state(graph, thread_id="t", subgraphs=True).tasks

    assert {task.name: task.state for task in tasks} == {"ask": None, "other": None}
    assert {task.name: task.result for task in tasks} == {"ask": None, "other": {"log": ["a"]}}


def test_an_edit_of_the_childs_state_is_what_its_waiting_node_sees_and_keeps_the_question(driver, saver):
    seen: list[object] = []

    def look(state):
        interrupt("?")
        seen.append(list(state["log"]))
        return {"log": ["looked"]}

    graph = chain(State, ("child", deep(0, look).compile())).compile(checkpointer=saver)
    [question] = driver.invoke(graph, {"log": ["i"]}, thread_id="t")["__interrupt__"]
    config = driver.get_state(graph, thread_id="t").tasks[0].state

    edited = driver.update_state(graph, config, {"log": ["edited"]})

    assert edited["configurable"]["checkpoint_ns"] == config["configurable"]["checkpoint_ns"]
    assert driver.get_state(graph, config).values == {"log": ["i", 0, "edited"]}
    assert driver.get_state(graph, thread_id="t").interrupts == (question,)
    driver.invoke(graph, Command(resume="A"), thread_id="t")
    assert seen == [["i", 0, "edited"]]


def test_an_edit_in_the_name_of_the_asking_node_moves_the_child_on(driver, saver):
    child = chain(State, ("ask", ask), ("after", lambda state: {"log": ["after"]})).compile()
    graph = chain(State, ("child", child), ("post", lambda state: {"log": ["post"]})).compile(checkpointer=saver)
    driver.invoke(graph, {"log": ["i"]}, thread_id="t")
    config = driver.get_state(graph, thread_id="t").tasks[0].state

    driver.update_state(graph, config, {"log": ["by hand"]}, as_node="ask")

    assert saver.pending_interrupts().items == ()
    assert driver.get_state(graph, config).next == ("after",)
    assert driver.invoke(graph, None, thread_id="t")["log"][-2:] == ["after", "post"]


def test_a_namespace_that_leads_nowhere_is_refused(driver, saver):
    graph = deep(1, ask).compile(checkpointer=saver)
    driver.invoke(graph, {"log": ["i"]}, thread_id="t")

    with pytest.raises(UnknownNodeError, match="innner"):
        driver.get_state(graph, at("innner:1"))
    with pytest.raises(UnknownNodeError, match="first"):
        driver.get_state(graph, at("first"))
    with pytest.raises(ThreadNotFoundError):
        driver.get_state(graph, at("inner:" + "0" * 32))
