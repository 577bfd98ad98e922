"""Going on with what is half done: Commands that answer, edit and jump; no input; failures beside questions; failed routers."""

from __future__ import annotations

import operator
import threading
from typing import Annotated, TypedDict

import pytest

from graphkit import END, START, Command, Send, StateGraph, interrupt
from graphkit.errors import EmptyInputError, InvalidUpdateError, UnknownKeyError, UnknownNodeError


class State(TypedDict):
    log: Annotated[list[object], operator.add]


class Faults:
    """Nodes that fail until they are mended, and a count of what ran."""

    def __init__(self) -> None:
        self.broken = True
        self.runs: list[str] = []

    def failing(self, name, error=KeyError):
        def node(state):
            self.runs.append(name)
            if self.broken:
                raise error(name)
            return {"log": [name]}

        return node

    def working(self, name):
        def node(state):
            self.runs.append(name)
            return {"log": [name]}

        return node

    def asking(self, name):
        def node(state):
            self.runs.append(name)
            return {"log": [(name, interrupt(name))]}

        return node


@pytest.fixture
def faults():
    return Faults()


def side_by_side(saver, **nodes):
    builder = StateGraph(State)
    for name, node in nodes.items():
        builder.add_node(name, node).add_edge(START, name)
    return builder.compile(checkpointer=saver)


def with_jumps(saver, faults):
    """Return a graph that asks and then goes to "nxt", with a node "other" that only jumps reach."""

    def jump(state) -> Command[str]:
        return Command(goto=["ask"])

    builder = StateGraph(State).add_node("begin", jump, destinations=("ask", "other")).add_edge(START, "begin")
    builder.add_node("ask", faults.asking("ask")).add_edge("ask", "nxt").add_edge("nxt", END)
    return builder.add_node("nxt", faults.working("nxt")).add_node("other", faults.working("other")).compile(checkpointer=saver)


def test_a_command_answers_edits_and_jumps_at_once(driver, saver, faults):
    graph = with_jumps(saver, faults)
    driver.invoke(graph, {"log": ["i"]}, thread_id="t")

    result = driver.invoke(graph, Command(resume="R", update={"log": ["upd"]}, goto="other"), thread_id="t")

    assert result == {"log": ["i", "upd", ("ask", "R"), "other", "nxt"]}
    assert faults.runs == ["ask", *sorted(faults.runs[1:3]), "nxt"]
    assert [state.metadata["source"] for state in driver.history(graph, thread_id="t")][2] == "update"


def test_a_jump_alone_runs_its_target_and_leaves_the_question_waiting(driver, saver, faults):
    graph = with_jumps(saver, faults)
    [question] = driver.invoke(graph, {"log": ["i"]}, thread_id="t")["__interrupt__"]

    jumped = driver.invoke(graph, Command(goto="other"), thread_id="t")

    assert jumped == {"log": ["i", "other"], "__interrupt__": [question]}
    assert faults.runs == ["ask", "other"]
    assert driver.invoke(graph, Command(resume={question.id: "R"}), thread_id="t") == {"log": ["i", ("ask", "R"), "other", "nxt"]}
    assert faults.runs == ["ask", "other", "ask", "nxt"]


def test_a_jump_by_send_hands_its_argument_over(driver, saver):
    builder = StateGraph(State).add_node("work", lambda item: {"log": [item]})
    builder.add_node("ask", lambda state: {"log": [interrupt("?")]}, destinations=("work",)).add_edge(START, "ask")
    graph = builder.compile(checkpointer=saver)
    driver.invoke(graph, {"log": []}, thread_id="t")

    result = driver.invoke(graph, Command(resume="R", goto=[Send("work", 1), Send("work", 2)]), thread_id="t")

    assert result == {"log": ["R", 1, 2]}


def test_an_update_alone_is_kept_and_leaves_the_question_as_it_is(driver, saver, faults):
    graph = with_jumps(saver, faults)
    [question] = driver.invoke(graph, {"log": ["i"]}, thread_id="t")["__interrupt__"]

    updated = driver.invoke(graph, Command(update={"log": ["upd"]}), thread_id="t")

    assert updated == {"log": ["i", "upd"], "__interrupt__": [question]}
    assert faults.runs == ["ask"]
    assert driver.invoke(graph, Command(resume="R"), thread_id="t") == {"log": ["i", "upd", ("ask", "R"), "nxt"]}


def test_an_update_beside_an_answer_is_what_the_answered_node_sees(driver, saver):
    seen: list[object] = []

    def ask(state):
        interrupt("?")
        seen.append(list(state["log"]))

    graph = side_by_side(saver, ask=ask)
    driver.invoke(graph, {"log": ["i"]}, thread_id="t")
    driver.invoke(graph, Command(resume="R", update=[("log", ["u1"]), ("log", ["u2"])]), thread_id="t")

    assert seen == [["i", "u1", "u2"]]


def test_an_update_beside_a_finished_sibling_adds_to_what_the_sibling_did(driver, saver, faults):
    graph = side_by_side(saver, ask=faults.asking("ask"), work=faults.working("work"))
    driver.invoke(graph, {"log": ["i"]}, thread_id="t")
    faults.runs.clear()

    result = driver.invoke(graph, Command(resume="R", update={"log": ["upd"]}), thread_id="t")

    assert result == {"log": ["i", "upd", ("ask", "R"), "work"]}
    assert faults.runs == ["ask"]


@pytest.mark.parametrize(
    "command, error",
    [
        (Command(goto="othr"), UnknownNodeError),
        (Command(goto=[Send("othr", 1), "other"]), UnknownNodeError),
        (Command(resume="R", goto="othr"), UnknownNodeError),
        (Command(resume="R", update={"lgo": []}), UnknownKeyError),
        (Command(resume="R", update=7), InvalidUpdateError),
        (Command(resume="R", graph=Command.PARENT), InvalidUpdateError),
    ],
    ids=str,
)
def test_a_command_with_anything_wrong_in_it_changes_nothing(driver, saver, faults, command, error):
    graph = with_jumps(saver, faults)
    [question] = driver.invoke(graph, {"log": ["i"]}, thread_id="t")["__interrupt__"]
    before = driver.history(graph, thread_id="t")

    with pytest.raises(error):
        driver.invoke(graph, command, thread_id="t")
    assert faults.runs == ["ask"]
    assert driver.history(graph, thread_id="t") == before
    assert driver.get_state(graph, thread_id="t").interrupts == (question,)


def test_a_jump_on_a_finished_thread_runs_its_target(driver, saver, faults):
    graph = with_jumps(saver, faults)
    driver.invoke(graph, {"log": ["i"]}, thread_id="t")
    driver.invoke(graph, Command(resume="R"), thread_id="t")

    assert driver.invoke(graph, Command(goto="other", update={"log": ["u"]}), thread_id="t")["log"][-2:] == ["u", "other"]


def test_no_input_on_an_interrupted_thread_runs_nothing_and_shows_the_same_questions(driver, saver, faults):
    graph = side_by_side(saver, a=faults.asking("a"), b=faults.asking("b"), c=faults.working("c"))
    paused = driver.invoke(graph, {"log": ["i"]}, thread_id="t")
    before = driver.history(graph, thread_id="t")
    faults.runs.clear()

    again = driver.invoke(graph, None, thread_id="t")
    streamed = driver.stream(graph, None, thread_id="t")

    assert again == paused
    assert faults.runs == []
    assert streamed[-1] == {"__interrupt__": tuple(paused["__interrupt__"])}
    assert driver.history(graph, thread_id="t") == before


@pytest.mark.parametrize("given", [None, Command()], ids=repr)
def test_an_empty_command_is_as_no_input(driver, saver, faults, given):
    graph = side_by_side(saver, a=faults.asking("a"))
    paused = driver.invoke(graph, {"log": ["i"]}, thread_id="t")

    assert driver.invoke(graph, given, thread_id="t") == paused
    assert faults.runs == ["a"]


def test_no_input_on_a_thread_nobody_started_is_refused(driver, saver, faults):
    with pytest.raises(EmptyInputError):
        driver.invoke(side_by_side(saver, a=faults.asking("a")), None, thread_id="t")
    assert faults.runs == []
    assert saver.threads().items == ()


def test_siblings_of_a_failed_task_are_not_repeated(driver, saver, faults):
    graph = side_by_side(saver, bad=faults.failing("bad"), good=faults.working("good"), nice=faults.working("nice"))
    with pytest.raises(KeyError, match="bad"):
        driver.invoke(graph, {"log": ["i"]}, thread_id="t")
    state = driver.get_state(graph, thread_id="t")
    finished = sorted(set(faults.runs) - {"bad"})
    faults.broken = False

    result = driver.invoke(graph, None, thread_id="t")

    assert "bad" in state.next
    assert state.tasks[0].error == "KeyError('bad')"
    assert state.values["log"] == ["i", *finished]
    assert result == {"log": ["i", "bad", "good", "nice"]}
    assert sorted(faults.runs) == ["bad", "bad", "good", "nice"]


def test_a_failure_beside_a_question_is_raised_and_the_question_is_kept(driver, saver, faults):
    graph = side_by_side(saver, ask=faults.asking("ask"), bad=faults.failing("bad"))

    with pytest.raises(KeyError, match="bad"):
        driver.invoke(graph, {"log": ["i"]}, thread_id="t")
    state = driver.get_state(graph, thread_id="t")
    assert state.next == ("ask", "bad")
    assert [question.value for question in state.interrupts] == ["ask"]
    assert [item.interrupt for item in saver.pending_interrupts().items] == list(state.interrupts)
    faults.broken = False
    faults.runs.clear()
    assert driver.invoke(graph, None, thread_id="t")["__interrupt__"] == list(state.interrupts)
    assert faults.runs == ["bad"]
    assert driver.invoke(graph, Command(resume="R"), thread_id="t") == {"log": ["i", ("ask", "R"), "bad"]}
    assert faults.runs == ["bad", "ask"]


def test_an_answer_is_used_though_a_sibling_fails_again(driver, saver, faults):
    graph = side_by_side(saver, ask=faults.asking("ask"), bad=faults.failing("bad"))
    for given in ({"log": ["i"]}, Command(resume="R")):
        with pytest.raises(KeyError, match="bad"):
            driver.invoke(graph, given, thread_id="t")
    faults.broken = False
    faults.runs.clear()

    assert driver.get_state(graph, thread_id="t").interrupts == ()
    assert driver.invoke(graph, None, thread_id="t") == {"log": ["i", ("ask", "R"), "bad"]}
    assert [name for name in faults.runs if name == "ask"] == []


def test_a_node_that_fails_after_its_answer_gets_the_answer_again(driver, saver, faults):
    def ask(state):
        answer = interrupt("?")
        faults.failing("act")(state)
        return {"log": [answer]}

    graph = side_by_side(saver, ask=ask)
    driver.invoke(graph, {"log": []}, thread_id="t")
    with pytest.raises(KeyError, match="act"):
        driver.invoke(graph, Command(resume="R"), thread_id="t")
    faults.broken = False

    assert driver.get_state(graph, thread_id="t").interrupts == ()
    assert driver.invoke(graph, None, thread_id="t") == {"log": ["R"]}


def test_of_several_failures_the_first_is_raised_with_the_others_and_all_are_in_the_state(driver, saver, faults):
    together = threading.Barrier(2)

    def failing(name, error):
        def node(state):
            together.wait(10)
            faults.failing(name, error)(state)

        return node

    graph = side_by_side(saver, x=failing("x", KeyError), y=failing("y", ValueError), z=faults.working("z"))

    with pytest.raises(KeyError, match="x") as failure:
        driver.invoke(graph, {"log": []}, thread_id="t")
    state = driver.get_state(graph, thread_id="t")
    assert any("ValueError" in note and "'y'" in note for note in failure.value.__notes__)
    assert [task.error for task in state.tasks][:2] == ["KeyError('x')", "ValueError('y')"]


def failing_router(saver, faults, router):
    builder = StateGraph(State).add_node("a", faults.working("a")).add_edge(START, "a").add_conditional_edges("a", router, ["b", END])
    return builder.add_node("b", faults.working("b")).compile(checkpointer=saver)


@pytest.mark.parametrize("wrong", [KeyError("route"), "nowhere", None, START, 7], ids=repr)
def test_a_router_that_fails_never_makes_a_run_silently_finished(driver, saver, faults, wrong):
    def route(state):
        if not faults.broken:
            return "b"
        if isinstance(wrong, Exception):
            raise wrong
        return wrong

    graph = failing_router(saver, faults, route)
    with pytest.raises((KeyError, UnknownNodeError)):
        driver.invoke(graph, {"log": ["i"]}, thread_id="t")
    state = driver.get_state(graph, thread_id="t")
    with pytest.raises((KeyError, UnknownNodeError)):
        driver.invoke(graph, None, thread_id="t")
    faults.broken = False

    assert (state.next, state.values) == (("a",), {"log": ["i"]})
    assert driver.invoke(graph, None, thread_id="t") == {"log": ["i", "a", "b"]}


def test_a_jump_to_an_unknown_node_loses_neither_the_update_nor_the_run(driver, saver, faults):
    def jump(state) -> Command[str]:
        faults.runs.append("a")
        return Command(update={"log": ["a"]}, goto="nowhere" if faults.broken else "b")

    builder = StateGraph(State).add_node("a", jump, destinations=("b",)).add_edge(START, "a").add_node("b", faults.working("b"))
    graph = builder.compile(checkpointer=saver)
    with pytest.raises(UnknownNodeError, match="nowhere"):
        driver.invoke(graph, {"log": []}, thread_id="t")
    faults.broken = False

    assert driver.get_state(graph, thread_id="t").next == ("a",)
    assert driver.invoke(graph, None, thread_id="t") == {"log": ["a", "b"]}


def test_an_answered_node_whose_router_fails_needs_no_second_answer(driver, saver, faults):
    def route(state):
        if faults.broken:
            raise KeyError("route")
        return "b"

    builder = StateGraph(State).add_node("a", faults.asking("a")).add_edge(START, "a").add_conditional_edges("a", route, ["b"])
    graph = builder.add_node("b", faults.working("b")).compile(checkpointer=saver)
    driver.invoke(graph, {"log": []}, thread_id="t")
    with pytest.raises(KeyError, match="route"):
        driver.invoke(graph, Command(resume="R"), thread_id="t")
    faults.broken = False

    assert driver.invoke(graph, None, thread_id="t") == {"log": [("a", "R"), "b"]}
