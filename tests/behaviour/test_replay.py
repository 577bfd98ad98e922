"""Replay: going on from an older checkpoint makes a new branch on which nothing of the old one is reused."""

from __future__ import annotations

import operator
from itertools import pairwise
from typing import Annotated, TypedDict

import pytest

from graphkit import START, Command, Send, StateGraph, interrupt, once
from graphkit.errors import AmbiguousResumeError, CheckpointNotFoundError, InterruptAlreadyAnsweredError, InvalidAnswerError, RequestError

UNKNOWN = "00000001-0123456789abcdef"


class State(TypedDict, total=False):
    log: Annotated[list[str], operator.add]


class Graph:
    """A graph that notes which nodes have run."""

    def __init__(self):
        self.ran = []
        self.builder = StateGraph(State)

    def node(self, name, function=None):
        def run(state):
            self.ran.append(name)
            return {"log": [function(state) if function is not None else name]}

        self.builder.add_node(name, run)
        return self

    def ask(self, name, **options):
        return self.node(name, lambda state: f"{name}:{interrupt(f'{name}?', **options)}")

    def edges(self, *edges):
        for source, target in edges:
            self.builder.add_edge(source, target)
        return self


def chain(*names):
    graph = Graph()
    for name in names:
        _ = graph.ask(name) if name.startswith("ask") else graph.node(name)
    return graph.edges((START, names[0]), *pairwise(names))


def before(driver, graph, *names):
    """Return the newest checkpoint whose next nodes are these."""
    return next(snapshot for snapshot in driver.history(graph, thread_id="t") if snapshot.next == names)


def test_what_comes_after_the_checkpoint_runs_again_on_a_new_branch(driver, saver):
    graph = chain("a", "b", "c")
    app = graph.builder.compile(saver)
    driver.invoke(app, {"log": ["i"]}, thread_id="t")
    old = driver.history(app, thread_id="t")
    after_a = before(driver, app, "b")
    graph.ran.clear()

    result = driver.invoke(app, None, after_a.config)

    history = driver.history(app, thread_id="t")
    assert result == {"log": ["i", "a", "b", "c"]}
    assert graph.ran == ["b", "c"]
    assert [(snapshot.metadata["source"], snapshot.metadata["step"]) for snapshot in history[:3]] == [("loop", 4), ("loop", 3), ("fork", 2)]
    assert history[3:] == old
    assert history[2].parent_config == after_a.config
    assert (history[2].values, history[2].next) == (after_a.values, after_a.next)


def test_the_new_branch_becomes_the_thread(driver, saver):
    graph = chain("a", "b")
    app = graph.builder.compile(saver)
    driver.invoke(app, {"log": ["1"]}, thread_id="t")
    first_end = driver.get_state(app, thread_id="t")
    driver.invoke(app, {"log": ["2"]}, thread_id="t")

    driver.invoke(app, None, before(driver, app, "a").config)
    driver.invoke(app, None, driver.history(app, thread_id="t")[-3].config)

    assert driver.get_state(app, thread_id="t").values == first_end.values
    assert driver.invoke(app, {"log": ["3"]}, thread_id="t") == {"log": ["1", "a", "b", "3", "a", "b"]}


def test_a_node_that_decides_anew_changes_only_its_own_branch(driver, saver):
    words = iter(["first", "second"])
    graph = Graph().node("a").node("b", lambda state: next(words)).edges((START, "a"), ("a", "b"))
    app = graph.builder.compile(saver)
    driver.invoke(app, {}, thread_id="t")
    first = driver.get_state(app, thread_id="t")

    driver.invoke(app, None, before(driver, app, "b").config)

    assert driver.get_state(app, thread_id="t").values == {"log": ["a", "second"]}
    assert driver.get_state(app, first.config).values == {"log": ["a", "first"]}


def test_the_final_checkpoint_replays_to_nothing(driver, saver):
    graph = chain("a", "b")
    app = graph.builder.compile(saver)
    driver.invoke(app, {}, thread_id="t")
    history = driver.history(app, thread_id="t")
    graph.ran.clear()

    assert driver.invoke(app, None, history[0].config) == {"log": ["a", "b"]}
    assert graph.ran == []
    assert driver.history(app, thread_id="t") == history


def test_the_final_checkpoint_of_an_earlier_turn_replays_to_nothing(driver, saver):
    graph = chain("a")
    app = graph.builder.compile(saver)
    driver.invoke(app, {"log": ["1"]}, thread_id="t")
    end = driver.get_state(app, thread_id="t")
    driver.invoke(app, {"log": ["2"]}, thread_id="t")
    graph.ran.clear()

    assert driver.invoke(app, None, end.config) == {"log": ["1", "a"]}
    assert graph.ran == []


def test_the_input_checkpoint_replays_the_whole_turn(driver, saver):
    graph = chain("a", "b")
    app = graph.builder.compile(saver)
    driver.invoke(app, {"log": ["i"]}, thread_id="t")
    graph.ran.clear()

    assert driver.invoke(app, None, before(driver, app, "__start__").config) == {"log": ["i", "a", "b"]}
    assert graph.ran == ["a", "b"]


def test_an_address_of_the_newest_checkpoint_is_an_ordinary_resume(driver, saver):
    graph = Graph().ask("ask").node("sib").edges((START, "ask"), (START, "sib"))
    app = graph.builder.compile(saver)
    driver.invoke(app, {}, thread_id="t")
    newest = driver.get_state(app, thread_id="t")

    assert driver.invoke(app, Command(resume="yes"), newest.config) == {"log": ["ask:yes", "sib"]}
    assert sorted(graph.ran) == ["ask", "ask", "sib"]
    assert "fork" not in [snapshot.metadata["source"] for snapshot in driver.history(app, thread_id="t")]


def test_a_question_is_asked_again_on_the_new_branch(driver, saver):
    graph = chain("a", "ask", "b")
    app = graph.builder.compile(saver)
    [first] = driver.invoke(app, {}, thread_id="t")["__interrupt__"]
    driver.invoke(app, Command(resume="old"), thread_id="t")

    [second] = driver.invoke(app, None, before(driver, app, "ask").config)["__interrupt__"]

    assert second.value == first.value
    assert second.id != first.id
    assert driver.invoke(app, Command(resume="new"), thread_id="t") == {"log": ["a", "ask:new", "b"]}


def test_the_old_answer_does_not_win_over_a_new_one_at_the_old_checkpoint(driver, saver):
    graph = chain("a", "ask", "b")
    app = graph.builder.compile(saver)
    driver.invoke(app, {}, thread_id="t")
    driver.invoke(app, Command(resume="old"), thread_id="t")
    old_end = driver.get_state(app, thread_id="t")
    graph.ran.clear()

    assert driver.invoke(app, Command(resume="new"), before(driver, app, "ask").config) == {"log": ["a", "ask:new", "b"]}
    assert graph.ran == ["ask", "b"]
    assert driver.get_state(app, old_end.config).values == {"log": ["a", "ask:old", "b"]}


def test_an_answer_at_an_old_checkpoint_may_name_the_question_asked_there(driver, saver):
    graph = Graph().ask("ask1").ask("ask2").edges((START, "ask1"), (START, "ask2"))
    app = graph.builder.compile(saver)
    one, two = driver.invoke(app, {}, thread_id="t")["__interrupt__"]
    asking = driver.get_state(app, thread_id="t")
    driver.invoke(app, Command(resume={one.id: "A", two.id: "B"}), thread_id="t")
    graph.ran.clear()

    [left] = driver.invoke(app, Command(resume={two.id: "C"}), asking.config)["__interrupt__"]

    assert left.value == "ask1?"
    assert driver.invoke(app, Command(resume="D"), thread_id="t") == {"log": ["ask1:D", "ask2:C"]}


def test_one_answer_for_two_questions_of_an_old_checkpoint_is_refused(driver, saver):
    graph = Graph().ask("ask1").ask("ask2").edges((START, "ask1"), (START, "ask2"))
    app = graph.builder.compile(saver)
    one, two = driver.invoke(app, {}, thread_id="t")["__interrupt__"]
    asking = driver.get_state(app, thread_id="t")
    driver.invoke(app, Command(resume={one.id: "A", two.id: "B"}), thread_id="t")
    history = driver.history(app, thread_id="t")
    graph.ran.clear()

    with pytest.raises(AmbiguousResumeError):
        driver.invoke(app, Command(resume="C"), asking.config)

    assert graph.ran == []
    assert driver.history(app, thread_id="t") == history


def test_an_answer_at_an_old_checkpoint_has_to_fit_the_schema(driver, saver):
    graph = Graph().ask("ask", response_schema={"type": "integer"}).edges((START, "ask"))
    app = graph.builder.compile(saver)
    driver.invoke(app, {}, thread_id="t")
    asking = driver.get_state(app, thread_id="t")
    driver.invoke(app, Command(resume=1), thread_id="t")
    history = driver.history(app, thread_id="t")
    graph.ran.clear()

    with pytest.raises(InvalidAnswerError):
        driver.invoke(app, Command(resume="many"), asking.config)

    assert graph.ran == []
    assert driver.history(app, thread_id="t") == history


def test_answers_belong_to_their_branch(driver, saver):
    graph = chain("ask", "b")
    app = graph.builder.compile(saver)
    [first] = driver.invoke(app, {"log": ["i"]}, thread_id="t")["__interrupt__"]
    driver.invoke(app, Command(resume="old"), thread_id="t")
    driver.invoke(app, None, before(driver, app, "ask").config)
    graph.ran.clear()

    with pytest.raises(RequestError) as caught:
        driver.invoke(app, Command(resume={first.id: "late"}), thread_id="t")

    assert isinstance(caught.value, InterruptAlreadyAnsweredError)
    assert graph.ran == []
    assert driver.invoke(app, Command(resume="new"), thread_id="t") == {"log": ["i", "ask:new", "b"]}


def test_a_replay_cancels_the_pending_questions_of_the_branch_it_leaves(driver, saver):
    graph = chain("a", "ask")
    app = graph.builder.compile(saver)
    [first] = driver.invoke(app, {}, thread_id="t")["__interrupt__"]

    [second] = driver.invoke(app, None, before(driver, app, "a").config)["__interrupt__"]

    assert [item.interrupt.id for item in saver.pending_interrupts().items] == [second.id]
    assert first.id != second.id


def test_finished_siblings_of_an_old_superstep_run_again(driver, saver):
    graph = Graph().ask("ask").node("sib").edges((START, "ask"), (START, "sib"))
    app = graph.builder.compile(saver)
    driver.invoke(app, {}, thread_id="t")
    driver.invoke(app, Command(resume="old"), thread_id="t")
    graph.ran.clear()

    driver.invoke(app, None, before(driver, app, "ask", "sib").config)

    assert sorted(graph.ran) == ["ask", "sib"]


def test_what_once_remembered_belongs_to_its_branch(driver, saver):
    effects: list[str] = []

    def act(state):
        once("act", effects.append, "effect")
        return f"{interrupt('?')}"

    graph = Graph().node("act", act).edges((START, "act"))
    app = graph.builder.compile(saver)
    driver.invoke(app, {}, thread_id="t")
    driver.invoke(app, Command(resume="yes"), thread_id="t")
    done_once = len(effects)

    driver.invoke(app, None, before(driver, app, "act").config)
    driver.invoke(app, Command(resume="yes"), thread_id="t")

    assert (done_once, len(effects)) == (1, 2)


def test_sends_are_replayed_with_their_arguments(driver, saver):
    graph = Graph().node("work", lambda state: state["log"][0].upper())
    graph.builder.add_node("fan", lambda state: Command(goto=[Send("work", {"log": [word]}) for word in "xyz"])).add_edge(START, "fan")
    app = graph.builder.compile(saver)
    driver.invoke(app, {}, thread_id="t")
    graph.ran.clear()

    assert driver.invoke(app, None, before(driver, app, "work", "work", "work").config) == {"log": ["X", "Y", "Z"]}
    assert graph.ran == ["work"] * 3


def test_the_progress_of_a_join_is_replayed(driver, saver):
    graph = Graph().node("a").node("b").node("b2").node("last").edges((START, "a"), (START, "b"), ("b", "b2"))
    app = graph.builder.add_edge(["a", "b2"], "last").compile(saver)
    driver.invoke(app, {}, thread_id="t")
    graph.ran.clear()

    driver.invoke(app, None, before(driver, app, "b2").config)

    assert graph.ran == ["b2", "last"]


def test_a_replay_can_fail_and_go_on(driver, saver):
    fail: list[bool] = []
    graph = Graph().node("a").node("b", lambda state: 1 // (0 if fail else 1) and "b").edges((START, "a"), ("a", "b"))
    app = graph.builder.compile(saver)
    driver.invoke(app, {}, thread_id="t")
    fail.append(True)

    with pytest.raises(ZeroDivisionError):
        driver.invoke(app, None, before(driver, app, "b").config)
    fail.clear()

    assert driver.invoke(app, None, thread_id="t") == {"log": ["a", "b"]}
    assert graph.ran == ["a", "b", "b", "b"]


def test_a_replay_of_a_replay_starts_from_the_same_place(driver, saver):
    graph = chain("a", "b", "c")
    app = graph.builder.compile(saver)
    driver.invoke(app, {}, thread_id="t")
    after_a = before(driver, app, "b")

    ids = set()
    for _ in range(3):
        assert driver.invoke(app, None, after_a.config) == {"log": ["a", "b", "c"]}
        ids.add(driver.get_state(app, thread_id="t").config["configurable"]["checkpoint_id"])

    assert len(ids) == 3


@pytest.mark.parametrize("given", [None, {"log": ["x"]}, Command(resume="x"), Command(goto="a")])
def test_an_unknown_checkpoint_is_refused_and_nothing_runs(driver, saver, given):
    graph = chain("a", "b")
    app = graph.builder.compile(saver)
    driver.invoke(app, {}, thread_id="t")
    history = driver.history(app, thread_id="t")
    graph.ran.clear()

    with pytest.raises(CheckpointNotFoundError):
        driver.invoke(app, given, {"configurable": {"thread_id": "t", "checkpoint_id": UNKNOWN}})

    assert graph.ran == []
    assert driver.history(app, thread_id="t") == history
