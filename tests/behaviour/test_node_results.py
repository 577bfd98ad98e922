"""What nodes may return: nothing, updates, Commands that jump, lists of them; and what is refused."""

from __future__ import annotations

import operator
from enum import Enum, StrEnum
from typing import Annotated, TypedDict

import pytest

from graphkit import END, START, Command, Overwrite, Send, StateGraph
from graphkit.errors import GraphWarning, InvalidUpdateError, UnknownKeyError, UnknownNodeError


class State(TypedDict):
    log: Annotated[list[str], operator.add]
    word: str


class Step(StrEnum):
    B = "b"


class OldStep(str, Enum):  # noqa: UP042 - this form exists in older code
    B = "b"


def returning(result, **options):
    """Return a graph of "a", which returns ``result`` and may jump, and of "b" and "c", which log their names."""
    builder = StateGraph(State).add_node("a", lambda state: result).add_edge(START, "a")
    for name in "bc":
        builder.add_node(name, lambda state, name=name: {"log": [name]})
    return builder.compile(**options)


def result_of(driver, result):
    return driver.invoke(returning(result), {"log": ["i"]})


@pytest.mark.parametrize(
    "result, log",
    [
        (None, ["i"]),
        ({}, ["i"]),
        ({"log": ["a"]}, ["i", "a"]),
        (Command(), ["i"]),
        (Command(update={"log": ["a"]}), ["i", "a"]),
        (Command(update=[("log", ["a"]), ("log", ["aa"])]), ["i", "a", "aa"]),
        (Command(goto="b"), ["i", "b"]),
        (Command(goto=END), ["i"]),
        (Command(goto=["c", "b"]), ["i", "b", "c"]),
        (Command(goto=("c", END)), ["i", "c"]),
        (Command(goto=[END, "b"]), ["i", "b"]),
        (Command(goto=Send("b", {})), ["i", "b"]),
        (Command(goto=[Send("c", {}), "b", Send("b", {})], update={"log": ["a"]}), ["i", "a", "b", "c", "b"]),
        ([Command(goto="b"), Command(goto="c", update={"log": ["a"]})], ["i", "a", "b", "c"]),
        ([{"log": ["a"]}, Command(goto="b", update={"log": ["aa"]}), None], ["i", "a", "aa", "b"]),
    ],
    ids=str,
)
def test_a_node_returns_updates_and_jumps(driver, result, log):
    assert result_of(driver, result)["log"] == log


def test_a_node_may_return_a_list_of_updates(driver):
    assert result_of(driver, [{"log": ["a"]}, {"log": ["aa"], "word": "w"}]) == {"log": ["i", "a", "aa"], "word": "w"}


@pytest.mark.parametrize("target", [Step.B, OldStep.B])
def test_goto_takes_members_of_an_enum(driver, saver, target):
    graph = returning(Command(goto=[target, Send(target, {})]), checkpointer=saver)

    assert driver.invoke(graph, {"log": ["i"]}, thread_id="t")["log"] == ["i", "b", "b"]


def test_goto_runs_in_the_next_superstep_and_sees_the_update(driver):
    seen: list[object] = []
    builder = StateGraph(State).add_node("a", lambda state: Command(goto="b", update={"word": "told"})).add_edge(START, "a")
    builder.add_node("b", lambda state: seen.append(state["word"]))

    driver.invoke(builder.compile(), {})

    assert seen == ["told"]


def test_goto_adds_to_static_edges(driver):
    def jump(state) -> Command[str]:
        return Command(goto="b")

    builder = StateGraph(State).add_node("a", jump).add_edge(START, "a").add_edge("a", "c")
    for name in "bc":
        builder.add_node(name, lambda state, name=name: {"log": [name]})
    with pytest.warns(GraphWarning, match="goto"):
        graph = builder.compile()

    assert driver.invoke(graph, {})["log"] == ["b", "c"]


def test_goto_the_same_node_from_two_nodes_runs_it_once_and_two_sends_run_it_twice(driver):
    builder = StateGraph(State).add_node("z", lambda state: {"log": ["z"]})
    for name in "ab":
        builder.add_node(name, lambda state: Command(goto="z")).add_edge(START, name)
    sending = returning(Command(goto=[Send("b", {}), Send("b", {})]))

    assert driver.invoke(builder.compile(), {})["log"] == ["z"]
    assert driver.invoke(sending, {})["log"] == ["b", "b"]


def test_a_node_may_jump_to_itself(driver):
    def again(state):
        return Command(update={"log": ["a"]}, goto="a" if len(state["log"]) < 3 else END)

    builder = StateGraph(State).add_node("a", again).add_edge(START, "a")

    assert driver.invoke(builder.compile(), {})["log"] == ["a", "a", "a", "a"]


def test_a_send_hands_its_argument_over_and_its_node_writes_to_the_shared_state(driver):
    seen: list[object] = []

    def worker(state):
        seen.append(state)
        return {"log": [f"did {state}"]}

    builder = StateGraph(State).add_node("a", lambda state: Command(goto=[Send("worker", n) for n in (1, 2)])).add_node(worker)

    assert driver.invoke(builder.add_edge(START, "a").compile(), {"log": ["i"]})["log"] == ["i", "did 1", "did 2"]
    assert sorted(seen) == [1, 2]  # type: ignore[type-var]


def test_sends_are_applied_after_edges_and_in_the_order_they_were_issued(driver):
    builder = StateGraph(State).add_node("start", lambda state: Command(goto=[Send("w", "2"), Send("w", "1"), "p"]), destinations={})
    for name in "mp":
        builder.add_node(name, lambda state, name=name: {"log": [name]})
    builder.add_node("w", lambda state: {"log": ["w" + state]}).add_edge(START, "start").add_edge("start", "m")

    assert driver.invoke(builder.compile(), {})["log"] == ["m", "p", "w2", "w1"]


def test_the_sends_of_several_nodes_follow_the_order_of_the_nodes(driver):
    builder = StateGraph(State).add_node("w", lambda state: {"log": [state]})
    for name in "ba":
        builder.add_node(name, lambda state, name=name: Command(goto=[Send("w", name + "1"), Send("w", name + "2")])).add_edge(START, name)

    assert driver.invoke(builder.compile(), {})["log"] == ["a1", "a2", "b1", "b2"]


def test_a_send_reaches_a_node_with_edges_that_lead_on(driver):
    builder = StateGraph(State).add_node("a", lambda state: Command(goto=[Send("w", {}), Send("w", {})]))
    builder.add_node("w", lambda state: {"log": ["w"]}).add_node("z", lambda state: {"log": ["z"]})

    assert driver.invoke(builder.add_edge(START, "a").add_edge("w", "z").compile(), {})["log"] == ["w", "w", "z"]


@pytest.mark.parametrize(
    "result, error, message",
    [
        (5, InvalidUpdateError, "Expected dict, got '5'"),
        ("text", InvalidUpdateError, "Expected dict, got 'text'"),
        (END, InvalidUpdateError, "Expected dict"),
        (Send("b", {}), InvalidUpdateError, "Expected dict"),
        ([Command(goto="b"), 5], InvalidUpdateError, "Expected dict, got '5'"),
        ({"wrod": "x"}, UnknownKeyError, "'wrod'.*'word'"),
        (Command(update={"wrod": "x"}), UnknownKeyError, "'wrod'.*'word'"),
        (Command(update=5), InvalidUpdateError, "Expected dict"),
        (Command(goto="bb"), UnknownNodeError, "'a'.*'bb'.*'b'"),
        (Command(goto=Send("bb", {})), UnknownNodeError, "'a'.*'bb'.*'b'"),
        (Command(goto=Send(END, {})), UnknownNodeError, "'__end__'"),
        (Command(goto=START), UnknownNodeError, "'__start__'"),
        (Command(goto=["b", "bb"]), UnknownNodeError, "'bb'"),
        (Command(resume="x"), InvalidUpdateError, "only a caller can answer"),
        (Command(graph="other"), InvalidUpdateError, "PARENT"),
        (Command(graph=Command.PARENT, update={"word": "x"}), InvalidUpdateError, "no parent"),
    ],
    ids=str,
)
def test_what_is_no_result_is_refused_and_names_the_node(driver, result, error, message):
    with pytest.raises(error, match=message) as caught:
        result_of(driver, result)

    assert "'a'" in str(caught.value)


def test_a_refused_jump_runs_nothing_and_keeps_no_half_of_the_result(driver, saver):
    graph = returning(Command(update={"log": ["a"]}, goto=["b", "bb"]), checkpointer=saver)

    with pytest.raises(UnknownNodeError):
        driver.invoke(graph, {"log": ["i"]}, thread_id="t")

    snapshot = driver.get_state(graph, thread_id="t")
    assert (snapshot.values["log"], snapshot.next) == (["i"], ("a",))


def test_what_a_node_does_to_the_dict_it_is_given_does_not_reach_its_siblings(driver):
    seen: list[object] = []

    def spoil(state):
        state["word"] = "spoiled"
        state.pop("log")

    builder = StateGraph(State).add_sequence([("a", spoil), ("b", lambda state: seen.append(dict(state)))]).add_edge(START, "a")
    result = driver.invoke(builder.compile(), {"word": "fine"})

    assert seen == [{"word": "fine", "log": []}]
    assert result == {"word": "fine", "log": []}


def test_debug_finds_a_value_that_was_changed_in_place(driver):
    builder = StateGraph(State).add_node("a", lambda state: state["log"].append("x")).add_edge(START, "a")

    with pytest.raises(InvalidUpdateError, match=r"'a' changed 'log' in place"):
        driver.invoke(builder.compile(debug=True), {"log": ["i"]})


def test_falsy_updates_are_updates(driver):
    builder = StateGraph(State).add_node("a", lambda state: {"word": "", "log": Overwrite([])}).add_edge(START, "a")

    assert driver.invoke(builder.compile(), {"word": "x", "log": ["i"]}) == {"word": "", "log": []}


def test_none_is_a_value_like_any_other(driver):
    builder = StateGraph(State).add_node("a", lambda state: {"word": None}).add_edge(START, "a")

    assert driver.invoke(builder.compile(), {"word": "x"})["word"] is None
