"""Forks: an older checkpoint with another state or another input begins a branch; the old one stays as it was."""

from __future__ import annotations

import operator
from typing import Annotated, TypedDict

import pytest

from graphkit import START, Command, Send, StateGraph, interrupt
from graphkit.errors import AmbiguousResumeError, CheckpointNotFoundError, RequestError

T = {"configurable": {"thread_id": "t"}}


class State(TypedDict, total=False):
    log: Annotated[list[str], operator.add]
    word: str


class Runs(list[str]):
    """Which nodes have run."""

    def node(self, name):
        def run(state):
            self.append(name)
            return {"log": [name]}

        return run


@pytest.fixture
def ran():
    return Runs()


def chain(saver, ran, *names):
    builder = StateGraph(State).add_sequence([(name, ran.node(name)) for name in names]).add_edge(START, names[0])
    return builder.compile(saver)


def before(driver, graph, *names):
    return next(snapshot for snapshot in driver.history(graph, thread_id="t") if snapshot.next == names)


def test_an_edit_of_an_older_checkpoint_becomes_the_head_of_the_thread(driver, saver, ran):
    graph = chain(saver, ran, "a", "b", "c")
    driver.invoke(graph, {"log": ["i"]}, thread_id="t")
    old = driver.history(graph, thread_id="t")
    after_a = before(driver, graph, "b")

    made = driver.update_state(graph, after_a.config, {"log": ["edit"]})

    head = driver.get_state(graph, thread_id="t")
    assert head.config == made
    assert (head.values, head.next, head.parent_config) == ({"log": ["i", "a", "edit"]}, ("b",), after_a.config)
    assert driver.history(graph, thread_id="t")[1:] == old


def test_a_fork_runs_on_with_the_edited_state(driver, saver, ran):
    graph = chain(saver, ran, "a", "b", "c")
    driver.invoke(graph, {"log": ["i"]}, thread_id="t")
    ran.clear()

    made = driver.update_state(graph, before(driver, graph, "b").config, {"log": ["edit"]})

    assert driver.invoke(graph, None, made) == {"log": ["i", "a", "edit", "b", "c"]}
    assert ran == ["b", "c"]


def test_the_old_branch_can_be_read_and_gone_back_to(driver, saver, ran):
    graph = chain(saver, ran, "a", "b")
    driver.invoke(graph, {"log": ["i"]}, thread_id="t")
    old = driver.get_state(graph, thread_id="t")
    driver.invoke(graph, None, driver.update_state(graph, before(driver, graph, "b").config, {"log": ["edit"]}))

    assert driver.get_state(graph, old.config).values == {"log": ["i", "a", "b"]}
    assert driver.invoke(graph, {"log": ["2"]}, old.config) == {"log": ["i", "a", "b", "2", "a", "b"]}


def test_several_forks_may_begin_at_one_checkpoint(driver, saver, ran):
    graph = chain(saver, ran, "a", "b")
    driver.invoke(graph, {}, thread_id="t")
    after_a = before(driver, graph, "b")

    forks = [driver.update_state(graph, after_a.config, {"log": [word]}) for word in ("x", "y", "z")]
    results = [driver.invoke(graph, None, fork) for fork in forks]

    assert [result["log"] for result in results] == [["a", "x", "b"], ["a", "y", "b"], ["a", "z", "b"]]
    assert [driver.get_state(graph, fork).parent_config for fork in forks] == [after_a.config] * 3


def test_a_fork_in_the_name_of_another_node_goes_another_way(driver, saver, ran):
    graph = chain(saver, ran, "a", "b", "c")
    driver.invoke(graph, {}, thread_id="t")
    ran.clear()

    made = driver.update_state(graph, before(driver, graph, "b").config, {"log": ["B"]}, as_node="b")

    assert driver.invoke(graph, None, made) == {"log": ["a", "B", "c"]}
    assert ran == ["c"]


def test_a_new_input_at_an_older_checkpoint_begins_a_turn_from_there(driver, saver, ran):
    graph = chain(saver, ran, "a", "b", "c")
    driver.invoke(graph, {"log": ["i"]}, thread_id="t")
    ran.clear()

    result = driver.invoke(graph, {"log": ["new"]}, before(driver, graph, "b").config)

    assert result == {"log": ["i", "a", "new", "a", "b", "c"]}
    assert ran == ["a", "b", "c"]
    assert driver.get_state(graph, thread_id="t").values == result


def test_a_command_at_an_older_checkpoint_edits_and_steers_a_branch(driver, saver, ran):
    graph = chain(saver, ran, "a", "b", "c")
    driver.invoke(graph, {}, thread_id="t")
    old = driver.history(graph, thread_id="t")
    ran.clear()

    result = driver.invoke(graph, Command(update={"word": "w"}, goto="c"), before(driver, graph, "b").config)

    assert result == {"log": ["a", "b", "c", "c"], "word": "w"}
    assert ran[-1] == "c"
    assert sorted(ran) == ["b", "c", "c"]
    assert driver.history(graph, thread_id="t")[-len(old) :] == old


def test_a_fork_before_the_first_node_changes_the_input(driver, saver, ran):
    graph = chain(saver, ran, "a")
    driver.invoke(graph, {"log": ["i"]}, thread_id="t")

    made = driver.update_state(graph, before(driver, graph, "a").config, {"log": ["more"]}, as_node=START)

    assert driver.invoke(graph, None, made) == {"log": ["i", "more", "a"]}


def test_a_copy_of_an_older_checkpoint_is_a_fork_with_the_same_state(driver, saver, ran):
    graph = chain(saver, ran, "a", "b")
    driver.invoke(graph, {}, thread_id="t")
    after_a = before(driver, graph, "b")

    made = driver.update_state(graph, after_a.config, None)

    copy = driver.get_state(graph, made)
    assert (copy.values, copy.next, copy.parent_config) == (after_a.values, after_a.next, after_a.config)
    assert copy.metadata["source"] == "fork"


def test_nothing_that_was_finished_on_the_old_branch_is_taken_over(driver, saver, ran):
    def ask(state):
        ran.append("ask")
        return {"log": [f"{interrupt('?')} for {state.get('word')}"]}

    builder = StateGraph(State).add_node("ask", ask).add_node("sib", ran.node("sib")).add_node("last", ran.node("last"))
    builder.add_edge(START, "ask").add_edge(START, "sib").add_edge("ask", "last").add_edge("sib", "last")
    graph = builder.compile(saver)
    driver.invoke(graph, {"word": "one"}, thread_id="t")
    asking = driver.get_state(graph, thread_id="t")
    driver.invoke(graph, Command(resume="yes"), thread_id="t")
    ran.clear()

    made = driver.update_state(graph, asking.config, {"word": "two"}, as_node=START)
    [question] = driver.invoke(graph, None, made)["__interrupt__"]
    result = driver.invoke(graph, Command(resume={question.id: "no"}), thread_id="t")

    assert result == {"word": "two", "log": ["no for two", "sib", "last"]}
    assert sorted(ran) == ["ask", "ask", "last", "sib"]


def test_a_fork_cancels_the_pending_questions_of_the_branch_it_leaves(driver, saver, ran):
    builder = StateGraph(State).add_node("a", ran.node("a")).add_node("ask", lambda state: {"log": [interrupt("?")]})
    graph = builder.add_edge(START, "a").add_edge("a", "ask").compile(saver)
    [question] = driver.invoke(graph, {}, thread_id="t")["__interrupt__"]

    made = driver.update_state(graph, before(driver, graph, "a").config, {"log": ["edit"]})

    assert saver.pending_interrupts().items == ()
    with pytest.raises(RequestError):
        driver.invoke(graph, Command(resume={question.id: "late"}), thread_id="t")
    assert len(driver.invoke(graph, None, made)["__interrupt__"]) == 1


def test_an_answer_on_one_branch_leaves_the_other_asking_again(driver, saver):
    builder = StateGraph(State).add_node("ask", lambda state: {"log": [f"{state.get('word')}:{interrupt('?')}"]}).add_edge(START, "ask")
    graph = builder.compile(saver)
    driver.invoke(graph, {"word": "one"}, thread_id="t")
    asking = driver.get_state(graph, thread_id="t")
    made = driver.update_state(graph, asking.config, {"word": "two"}, as_node=START)
    driver.invoke(graph, None, made)
    two = driver.invoke(graph, Command(resume="B"), thread_id="t")

    one = driver.invoke(graph, Command(resume="A"), asking.config)

    assert (one["log"], two["log"]) == (["one:A"], ["two:B"])


def test_sends_of_an_older_checkpoint_live_on_in_its_forks(driver, saver, ran):
    def work(state):
        ran.append(state["word"])
        return {"log": [state["word"]]}

    builder = StateGraph(State).add_node("fan", lambda state: Command(goto=[Send("work", {"word": word}) for word in "xy"]))
    graph = builder.add_node("work", work).add_edge(START, "fan").compile(saver)
    driver.invoke(graph, {}, thread_id="t")
    ran.clear()

    made = driver.update_state(graph, before(driver, graph, "work", "work").config, None)

    assert driver.invoke(graph, None, made) == {"log": ["x", "y"]}
    assert sorted(ran) == ["x", "y"]


def test_a_thread_can_be_forked_into_another_thread(driver, saver):
    builder = StateGraph(State).add_node("ask", lambda state: {"log": [interrupt("?")]}).add_edge(START, "ask")
    graph = builder.compile(saver)
    driver.invoke(graph, {"log": ["i"]}, thread_id="t")
    saver.copy_thread("t", "copy")

    original = driver.invoke(graph, Command(resume="yes"), thread_id="t")
    copy = driver.invoke(graph, Command(resume="no"), thread_id="copy")

    assert (original["log"], copy["log"]) == (["i", "yes"], ["i", "no"])


def test_a_fork_of_an_unknown_thread_is_refused(driver, saver, ran):
    graph = chain(saver, ran, "a")
    config = {"configurable": {"thread_id": "nobody", "checkpoint_id": "00000001-0123456789abcdef"}}

    with pytest.raises(CheckpointNotFoundError):
        driver.update_state(graph, config, {"log": ["x"]})

    assert saver.threads().items == ()


def test_a_fork_of_a_step_with_two_questions_asks_both_again(driver, saver):
    builder = StateGraph(State)
    for name in ("one", "two"):
        builder.add_node(name, lambda state, name=name: {"log": [f"{name}:{interrupt(name)}"]}).add_edge(START, name)
    graph = builder.compile(saver)
    old = driver.invoke(graph, {}, thread_id="t")["__interrupt__"]
    asking = driver.get_state(graph, thread_id="t")
    driver.invoke(graph, Command(resume={old[0].id: "A"}), thread_id="t")

    made = driver.update_state(graph, asking.config, {"word": "w"}, as_node="__copy__")
    new = driver.invoke(graph, None, made)["__interrupt__"]

    assert [question.value for question in new] == ["one", "two"]
    with pytest.raises(AmbiguousResumeError):
        driver.invoke(graph, Command(resume="?"), thread_id="t")
    assert driver.invoke(graph, Command(resume={new[0].id: "C", new[1].id: "D"}), thread_id="t") == {"log": ["one:C", "two:D"]}
