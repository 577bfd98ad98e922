"""Questions that tools ask: all at once, answered in any order, and what has ended does not run again."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest

from graphkit import START, Command, MessagesState, Send, StateGraph, interrupt, once
from graphkit.errors import InterruptSwallowedError, InvalidAnswerError, MissingCheckpointerError
from graphkit.messages import AIMessage, ToolMessage
from graphkit.tools import ToolNode, tool


def call(name, identity, **args):
    return {"name": name, "args": args, "id": identity}


class Bench:
    """Tools that count their runs."""

    def __init__(self):
        self.runs: list[str] = []
        self.effects: list[str] = []

    def tools(self):
        @tool
        def work(n: int) -> str:
            """Work."""
            self.runs.append(f"work {n}")
            return f"worked {n}"

        @tool
        def ask(n: int) -> str:
            """Ask, act once before and once after it."""
            self.runs.append(f"ask {n}")
            once("before", self.effects.append, f"before {n}")
            answer = interrupt({"n": n})
            once("after", self.effects.append, f"after {n}")
            return f"{n}: {answer}"

        @tool
        async def aask(n: int) -> str:
            """Ask twice, in a coroutine."""
            self.runs.append(f"aask {n}")
            return f"{n}: {interrupt('first')} {interrupt('second', key='second')}"

        return [work, ask, aask]

    def graph(self, saver, **options):
        node = ToolNode(self.tools(), **options)
        return StateGraph(MessagesState).add_node(node).add_edge(START, "tools").compile(checkpointer=saver)


def begin(driver, graph, *calls):
    return driver.invoke(graph, {"messages": [AIMessage("", tool_calls=list(calls))]}, thread_id="t")


def answer(driver, graph, resume):
    return driver.invoke(graph, Command(resume=resume), thread_id="t")


def asked(result):
    return {str(question.value): question.id for question in result.get("__interrupt__", ())}


def contents(result):
    return [message.content for message in result["messages"] if isinstance(message, ToolMessage)]


def test_one_question_pauses_and_its_answer_goes_on(driver, saver):
    bench = Bench()
    graph = bench.graph(saver)

    paused = begin(driver, graph, call("ask", "a", n=1))
    ended = answer(driver, graph, "yes")

    assert [question.value for question in paused["__interrupt__"]] == [{"n": 1}]
    assert contents(paused) == []
    assert contents(ended) == ["1: yes"]
    assert bench.effects == ["before 1", "after 1"]


def test_other_calls_end_before_the_questions_are_shown_and_do_not_run_again(driver, saver):
    bench = Bench()
    graph = bench.graph(saver)

    paused = begin(driver, graph, call("work", "a", n=1), call("ask", "b", n=2), call("work", "c", n=3), call("ask", "d", n=4))
    ended = answer(driver, graph, {found: key for key, found in asked(paused).items()})

    assert list(asked(paused)) == ["{'n': 2}", "{'n': 4}"]
    assert contents(ended) == ["worked 1", "2: {'n': 2}", "worked 3", "4: {'n': 4}"]
    assert sorted(bench.runs) == ["ask 2", "ask 2", "ask 4", "ask 4", "work 1", "work 3"]


@pytest.mark.parametrize("order", list(permutations([0, 1, 2])))
def test_answers_come_one_by_one_in_any_order(driver, saver, order):
    bench = Bench()
    graph = bench.graph(saver)

    result = begin(driver, graph, *[call("ask", f"c{n}", n=n) for n in range(3)])
    ids = list(asked(result).values())
    pending = []
    for place in order:
        result = answer(driver, graph, {ids[place]: f"answer {place}"})
        pending.append(len(asked(result)))

    assert pending == [2, 1, 0]
    assert contents(result) == ["0: answer 0", "1: answer 1", "2: answer 2"]
    assert sorted(bench.effects) == sorted([f"{when} {n}" for n in range(3) for when in ("before", "after")])


def test_a_tool_may_ask_several_times_beside_another_that_does(driver, saver):
    graph = Bench().graph(saver)

    result = begin(driver, graph, call("aask", "a", n=1), call("aask", "b", n=2))
    first = [question.id for question in result["__interrupt__"]]
    result = answer(driver, graph, {first[1]: "b1"})
    keys = [(question.value, question.key) for question in result["__interrupt__"]]
    result = answer(driver, graph, {question.id: question.value[0] for question in result["__interrupt__"]})
    ended = answer(driver, graph, "a2")

    assert keys == [("first", None), ("second", "second")]
    assert [question.value for question in result["__interrupt__"]] == ["second"]
    assert contents(ended) == ["1: f a2", "2: b1 s"]


def test_a_question_is_known_by_its_call_and_not_by_its_place(driver, saver):
    bench = Bench()
    graph = bench.graph(saver)

    one = begin(driver, graph, call("ask", "a", n=1))
    driver.update_state(graph, {"configurable": {"thread_id": "t"}}, {"messages": [ToolMessage("done by hand", "a")]}, as_node="tools")
    other = driver.invoke(graph, {"messages": [AIMessage("", tool_calls=[call("ask", "b", n=1)])]}, thread_id="t")

    assert set(asked(one).values()).isdisjoint(asked(other).values())


def test_sends_of_single_calls_ask_each_for_itself(driver, saver):
    bench = Bench()
    builder = StateGraph(MessagesState).add_node("start", lambda state: None).add_node(ToolNode(bench.tools())).add_edge(START, "start")
    builder.add_conditional_edges("start", lambda state: [Send("tools", [found]) for found in state["messages"][-1].tool_calls], ["tools"])
    graph = builder.compile(checkpointer=saver)

    paused = begin(driver, graph, call("ask", "a", n=1), call("work", "b", n=2), call("ask", "c", n=3))
    half = answer(driver, graph, {asked(paused)["{'n': 3}"]: "three"})
    ended = answer(driver, graph, "one")

    assert list(asked(half)) == ["{'n': 1}"]
    assert contents(ended) == ["1: one", "worked 2", "3: three"]
    assert sorted(bench.runs) == ["ask 1", "ask 1", "ask 3", "ask 3", "work 2"]


def test_a_policy_that_tells_the_model_everything_does_not_tell_it_of_questions(driver, saver):
    graph = Bench().graph(saver, handle_tool_errors=True)

    assert list(asked(begin(driver, graph, call("ask", "a", n=1)))) == ["{'n': 1}"]


def test_a_failure_beside_a_question_ends_the_run_and_the_question_is_asked_when_it_goes_on(driver, saver):
    failures = [ValueError("once")]

    @tool
    def flaky() -> str:
        """Fail once."""
        if failures:
            raise failures.pop()
        return "fine"

    node = ToolNode([*Bench().tools(), flaky])
    graph = StateGraph(MessagesState).add_node(node).add_edge(START, "tools").compile(checkpointer=saver)

    with pytest.raises(ValueError, match="once"):
        begin(driver, graph, call("ask", "a", n=1), call("flaky", "b"))
    paused = driver.invoke(graph, None, thread_id="t")
    ended = answer(driver, graph, "yes")

    assert list(asked(paused)) == ["{'n': 1}"]
    assert contents(ended) == ["1: yes", "fine"]


def test_a_wrong_answer_leaves_the_question_and_runs_nothing(driver, saver):
    runs = []

    @tool
    def confirm() -> str:
        """Confirm."""
        runs.append(1)
        return str(interrupt("sure?", response_schema=bool))

    graph = StateGraph(MessagesState).add_node(ToolNode([confirm])).add_edge(START, "tools").compile(checkpointer=saver)
    begin(driver, graph, call("confirm", "a"))

    with pytest.raises(InvalidAnswerError):
        answer(driver, graph, "perhaps")
    ended = answer(driver, graph, True)

    assert contents(ended) == ["True"]
    assert len(runs) == 2


def test_a_tool_that_swallows_its_question_is_found_out(driver, saver):
    @tool
    def careless() -> str:
        """Ask, and ignore it."""
        try:
            return interrupt("really?")
        except BaseException:  # noqa: BLE001 - what it is about
            return "went on"

    graph = StateGraph(MessagesState).add_node(ToolNode([careless])).add_edge(START, "tools").compile(checkpointer=saver)

    for given in ({"messages": [AIMessage("", tool_calls=[call("careless", "a")])]}, None):
        with pytest.raises(InterruptSwallowedError):
            driver.invoke(graph, given, thread_id="t")


def test_a_question_needs_a_checkpointer(driver):
    with pytest.raises(MissingCheckpointerError):
        begin(driver, Bench().graph(None), call("ask", "a", n=1))


def test_a_graph_that_a_tool_calls_may_ask_beside_another_one(driver, saver):
    def inner(state: dict[str, Any]):
        return {"messages": [interrupt("inner?")]}

    graph_inside = StateGraph(MessagesState).add_node("inner", inner).add_edge(START, "inner").compile()

    @tool
    def delegate(task: str) -> str:
        """Delegate."""
        return task + ": " + graph_inside.invoke({"messages": [task]})["messages"][-1].content

    graph = StateGraph(MessagesState).add_node(ToolNode([delegate])).add_edge(START, "tools").compile(checkpointer=saver)

    paused = begin(driver, graph, call("delegate", "a", task="one"), call("delegate", "b", task="two"))
    ids = [question.id for question in paused["__interrupt__"]]
    half = answer(driver, graph, {ids[1]: "second"})
    ended = answer(driver, graph, {ids[0]: "first"})

    assert len(set(ids)) == 2
    assert [question.id for question in half["__interrupt__"]] == ids[:1]
    assert contents(ended) == ["one: first", "two: second"]
