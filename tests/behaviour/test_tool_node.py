"""ToolNode in a graph: every call gets exactly one tool message, calls overlap, errors go to the model or end the run."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass, field
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, Field

from graphkit import END, START, MessagesState, Send, StateGraph, add_messages
from graphkit.errors import InvalidChatHistoryError, InvalidMessageError, InvalidStateError, InvalidToolError
from graphkit.messages import AIMessage, HumanMessage, ToolMessage
from graphkit.tools import ToolNode, tool, tools_condition


@tool
def add(a: int, b: int = 1) -> int:
    """Add."""
    return a + b


@tool
async def aadd(a: int, b: int = 1) -> int:
    """Add."""
    await asyncio.sleep(0)
    return a + b


@tool
def divide(a: int, b: int) -> float:
    """Divide."""
    return a / b


def call(name, identity, **args):
    return {"name": name, "args": args, "id": identity}


def ai(*calls, broken=()):
    return AIMessage("", id="ai", tool_calls=list(calls), invalid_tool_calls=list(broken))


def broken(name, identity):
    return {"name": name, "args": '{"a": ', "id": identity, "error": "the arguments are no JSON"}


def graph_of(node, saver=None, state=MessagesState):
    return StateGraph(state).add_node(node).add_edge(START, node.name).compile(checkpointer=saver)


def answers(result):
    return [(m.tool_call_id, m.content, m.status) for m in result["messages"] if isinstance(m, ToolMessage)]


def failing(error):
    def fail(text: str = "no") -> str:
        """Fail."""
        raise error(text)

    return tool(fail)


def run(driver, node, *messages, saver=None):
    return driver.invoke(graph_of(node, saver), {"messages": list(messages)}, **({"thread_id": "t"} if saver else {}))


def test_every_call_of_the_last_ai_message_is_answered_in_order(driver, saver):
    node = ToolNode([add, aadd, divide])

    result = run(driver, node, "hi", ai(call("aadd", "1", a="1"), call("add", "2", a=2, b=2), call("divide", "3", a=1, b=4)), saver=saver)

    assert answers(result) == [("1", "2", "success"), ("2", "4", "success"), ("3", "0.25", "success")]
    assert [message.name for message in result["messages"][2:]] == ["aadd", "add", "divide"]
    assert all(message.id for message in result["messages"])


def test_a_model_and_its_tools_go_round_until_the_model_is_content(driver, saver):
    said = [ai(call("add", "call_0", a=1)), AIMessage("", tool_calls=[call("aadd", "call_0", a=2)]), AIMessage("done")]

    def model(state):
        return {"messages": [said[sum(isinstance(m, AIMessage) for m in state["messages"])]]}

    builder = StateGraph(MessagesState).add_node(model).add_node(ToolNode([add, aadd])).add_edge(START, "model")
    graph = builder.add_conditional_edges("model", tools_condition).add_edge("tools", "model").compile(checkpointer=saver)

    result = driver.invoke(graph, {"messages": ["go"]}, thread_id="t")

    assert answers(result) == [("call_0", "2", "success"), ("call_0", "3", "success")]
    assert result["messages"][-1].content == "done"


def test_calls_that_have_an_answer_are_left_alone(driver):
    node = ToolNode([add])

    result = run(driver, node, "hi", ai(call("add", "1", a=1), call("add", "2", a=2)), ToolMessage("by hand", "1"))

    assert answers(result) == [("1", "by hand", "success"), ("2", "3", "success")]


def test_a_message_without_calls_needs_no_answer(driver):
    assert len(run(driver, ToolNode([add]), "hi", AIMessage("hello"))["messages"]) == 2


def test_calls_of_sync_tools_overlap(driver, saver):
    barrier = threading.Barrier(10, timeout=20)

    @tool
    def meet(n: int) -> int:
        """Meet."""
        barrier.wait()
        return n

    result = run(driver, ToolNode([meet]), ai(*[call("meet", str(n), n=n) for n in range(10)]), saver=saver)

    assert answers(result) == [(str(n), str(n), "success") for n in range(10)]


def test_calls_of_async_tools_overlap_with_each_other_and_with_sync_ones(driver, saver):
    barriers: list[asyncio.Barrier] = []
    begun = threading.Barrier(2, timeout=20)

    @tool
    async def meet(n: int) -> int:
        """Meet."""
        if not barriers:
            barriers.append(asyncio.Barrier(3))
        async with asyncio.timeout(20):
            await barriers[0].wait()
        if n == 0:
            await asyncio.get_running_loop().run_in_executor(None, begun.wait)
        return n

    @tool
    def hold() -> str:
        """Hold."""
        begun.wait()
        return "held"

    result = run(driver, ToolNode([meet, hold]), ai(*[call("meet", str(n), n=n) for n in range(3)], call("hold", "h")), saver=saver)

    assert [content for _, content, _ in answers(result)] == ["0", "1", "2", "held"]


def test_max_concurrency_of_the_config_limits_the_calls(driver):
    running, most, lock = [], [], threading.Lock()

    @tool
    def work() -> str:
        """Work."""
        with lock:
            running.append(1)
            most.append(len(running))
        with lock:
            running.pop()
        return ""

    graph = graph_of(ToolNode([work]))

    driver.invoke(graph, {"messages": [ai(*[call("work", str(n)) for n in range(8)])]}, {"max_concurrency": 1})

    assert most == [1] * 8


def test_one_call_runs_in_the_thread_of_the_node():
    threads = []

    @tool
    def here() -> str:
        """Where."""
        threads.append(threading.get_ident())
        return ""

    graph_of(ToolNode([here])).invoke({"messages": [ai(call("here", "1"))]})

    assert threads == [threading.get_ident()]


def test_what_the_model_did_wrong_it_is_told(driver, saver):
    node = ToolNode([add, divide])

    result = run(
        driver,
        node,
        ai(call("ad", "1", a=1), call("add", "2", a="x"), call("add", "3", a=1, c=2), call("add", "4", a=1), broken=[broken("add", "5")]),
        saver=saver,
    )

    unknown, unfit, extra, fine, unreadable = [message for message in result["messages"] if isinstance(message, ToolMessage)]
    assert [message.status for message in (unknown, unfit, extra, fine, unreadable)] == ["error", "error", "error", "success", "error"]
    assert "'ad'" in unknown.content
    assert "'add', 'divide'" in unknown.content
    assert "a: " in unfit.content
    assert "Did you mean" in extra.content or "Known" in extra.content
    assert fine.content == "2"
    assert "no JSON" in unreadable.content
    assert [message.tool_call_id for message in (unknown, unfit, extra, fine, unreadable)] == ["1", "2", "3", "4", "5"]


@pytest.mark.parametrize("policy", [{}, {"handle_tool_errors": False}, {"handle_tool_errors": KeyError}])
def test_what_a_tool_raises_ends_the_run(driver, saver, policy):
    with pytest.raises(ValueError, match="no"):
        run(driver, ToolNode([failing(ValueError), add], **policy), ai(call("add", "1", a=1), call("fail", "2")), saver=saver)


@pytest.mark.parametrize(
    "policy, words",
    [
        (True, "Error: ValueError: no"),
        ("Try another one.", "Try another one."),
        (ValueError, "Error: ValueError: no"),
        ((KeyError, ValueError), "Error: ValueError: no"),
        (lambda error: f"Oh: {error}", "Oh: no"),
    ],
)
def test_a_wider_policy_tells_the_model(driver, policy, words):
    result = run(driver, ToolNode([failing(ValueError)], handle_tool_errors=policy), ai(call("fail", "1")))

    assert answers(result) == [("1", words, "error")]


def test_a_policy_of_nothing_raises_arguments_that_do_not_fit(driver):
    with pytest.raises(Exception, match="is required"):
        run(driver, ToolNode([add], handle_tool_errors=False), ai(call("add", "1")))


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_what_stops_the_program_is_never_told_to_the_model(error):
    node = ToolNode([failing(error), add], handle_tool_errors=True)

    with pytest.raises(error):
        node.invoke([ai(call("fail", "1"), call("add", "2", a=1))])


def test_what_had_ended_does_not_run_again_after_a_failure(driver, saver):
    runs, failures = [], [ValueError("once")]

    @tool
    def count(n: int) -> str:
        """Count."""
        runs.append(n)
        return f"n{n}"

    @tool
    async def flaky() -> str:
        """Fail the first time."""
        if failures:
            raise failures.pop()
        return "fine"

    graph = graph_of(ToolNode([count, flaky]), saver)
    with pytest.raises(ValueError, match="once"):
        driver.invoke(graph, {"messages": [ai(call("count", "1", n=1), call("flaky", "2"), call("count", "3", n=3))]}, thread_id="t")

    result = driver.invoke(graph, None, thread_id="t")

    assert sorted(runs) == [1, 3]
    assert [content for _, content, _ in answers(result)] == ["n1", "fine", "n3"]


def test_a_router_that_fails_after_the_tools_does_not_run_them_again(driver, saver):
    runs, failures = [], [ValueError("router")]

    @tool
    def count() -> str:
        """Count."""
        runs.append(1)
        return "counted"

    def route(state):
        if failures:
            raise failures.pop()
        return END

    builder = StateGraph(MessagesState).add_node(ToolNode([count])).add_edge(START, "tools")
    graph = builder.add_conditional_edges("tools", route, [END]).compile(checkpointer=saver)
    with pytest.raises(ValueError, match="router"):
        driver.invoke(graph, {"messages": [ai(call("count", "1"))]}, thread_id="t")

    driver.invoke(graph, None, thread_id="t")

    assert runs == [1]


def test_two_calls_of_one_id_are_refused_before_anything_runs(driver):
    runs = []

    @tool
    def count(n: int) -> str:
        """Count."""
        runs.append(n)
        return ""

    for message in (ai(call("count", "1", n=1), call("count", "1", n=2)), ai(call("count", "1", n=1), broken=[broken("count", "1")])):
        with pytest.raises(InvalidChatHistoryError, match="'1'"):
            run(driver, ToolNode([count]), message)

    assert runs == []


def test_an_input_without_an_ai_message_is_an_error(driver):
    with pytest.raises(InvalidStateError, match="no AI message"):
        run(driver, ToolNode([add]), "hi")


def test_sends_of_single_calls_run_as_tasks_of_their_own(driver, saver):
    def spread(state):
        message = state["messages"][-1]
        return [Send("tools", [found]) for found in [*message.tool_calls, *message.invalid_tool_calls]]

    builder = StateGraph(MessagesState).add_node("start", lambda state: None).add_node(ToolNode([add, aadd])).add_edge(START, "start")
    graph = builder.add_conditional_edges("start", spread, ["tools"]).compile(checkpointer=saver)

    result = driver.invoke(
        graph, {"messages": [ai(call("add", "1", a=1), call("aadd", "2", a=2), call("x", "3"), broken=[broken("add", "4")])]}, thread_id="t"
    )

    assert [(identity, status) for identity, _, status in answers(result)] == [
        ("1", "success"),
        ("2", "success"),
        ("3", "error"),
        ("4", "error"),
    ]


@dataclass
class DataState:
    talk: Annotated[list[Any], add_messages] = field(default_factory=list)


class ModelState(BaseModel):
    talk: Annotated[list[Any], add_messages] = Field(default_factory=list)


@pytest.mark.parametrize("state", [DataState, ModelState])
def test_the_state_may_be_an_object_and_have_another_key(driver, saver, state):
    graph = graph_of(ToolNode([add], messages_key="talk", name="acts"), saver, state)

    result = driver.invoke(graph, {"talk": [ai(call("add", "1", a=1))]}, thread_id="t")

    assert answers({"messages": result["talk"]}) == [("1", "2", "success")]


def test_a_state_that_is_a_bare_list_gets_a_list(driver, saver):
    graph = graph_of(ToolNode([add]), saver, Annotated[list[Any], add_messages])

    result = driver.invoke(graph, [HumanMessage("hi"), ai(call("add", "1", a=1))], thread_id="t")

    assert answers({"messages": result}) == [("1", "2", "success")]


@pytest.mark.parametrize("way", ["sync", "async"])
def test_the_node_can_be_called_without_a_graph(way):
    node = ToolNode([add, aadd])
    calls = [call("add", "1", a=1), call("aadd", "2", a=1)]

    def called(given):
        return node.invoke(given) if way == "sync" else asyncio.run(node.ainvoke(given))

    assert answers(called({"messages": [ai(*calls)]})) == [("1", "2", "success"), ("2", "2", "success")]
    assert answers({"messages": called([ai(*calls)])}) == [("1", "2", "success"), ("2", "2", "success")]
    assert answers(called(calls)) == [("1", "2", "success"), ("2", "2", "success")]


@pytest.mark.parametrize(
    "calls", [[{"name": "add", "args": {}}], [{"name": "add", "args": "x", "id": "1"}], [{"name": 3, "args": {}, "id": "1"}]]
)
def test_what_only_looks_like_a_call_is_refused(calls):
    with pytest.raises(InvalidMessageError):
        ToolNode([add]).invoke(calls)


def test_functions_become_tools_and_a_name_is_given_once():
    def plain(a: int) -> int:
        """Plain."""
        return a

    node = ToolNode([plain, add])

    assert list(node.tools_by_name) == ["plain", "add"]
    assert [each.name for each in node.tools] == ["plain", "add"]
    with pytest.raises(InvalidToolError, match="Two tools have the name 'add'"):
        ToolNode([add, tool("add")(plain)])
    with pytest.raises(InvalidToolError):
        ToolNode([3])  # type: ignore[list-item]


def test_drawings_show_the_node_by_its_name():
    assert "acts" in graph_of(ToolNode([add], name="acts")).get_graph().draw_mermaid()
