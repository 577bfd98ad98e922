"""wrap_tool_call and awrap_tool_call: code around each call."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from graphkit import START, Command, MessagesState, StateGraph, interrupt
from graphkit.errors import InterruptSwallowedError, InvalidConfigError, InvalidMessageError, InvalidUpdateError
from graphkit.messages import AIMessage, ToolMessage
from graphkit.tools import ToolNode, tool


@tool
def add(a: int, b: int = 1) -> int:
    """Add."""
    return a + b


@tool
async def aadd(a: int, b: int = 1) -> int:
    """Add."""
    await asyncio.sleep(0)
    return a + b


def call(name, identity, **args):
    return {"name": name, "args": args, "id": identity}


def graph_of(node, saver=None):
    return StateGraph(MessagesState).add_node(node).add_edge(START, "tools").compile(checkpointer=saver)


def louder(request, execute):
    result = execute(request.override(tool_call={**request.tool_call, "args": {**request.tool_call["args"], "b": 10}}))
    return replace(result, content=result.content + "!")


def run(driver, node, *calls, saver=None):
    result = driver.invoke(
        graph_of(node, saver), {"messages": [AIMessage("", tool_calls=list(calls))]}, **({"thread_id": "t"} if saver else {})
    )
    return [(m.tool_call_id, m.content, m.status) for m in result["messages"] if isinstance(m, ToolMessage)]


async def alouder(request, execute):
    result = await execute(request.override(tool_call={**request.tool_call, "args": {**request.tool_call["args"], "b": 10}}))
    return replace(result, content=result.content + "!")


WRAPPERS = [{"wrap_tool_call": louder}, {"awrap_tool_call": alouder}, {"wrap_tool_call": louder, "awrap_tool_call": alouder}]


@pytest.mark.parametrize("wrappers", WRAPPERS)
def test_a_wrapper_changes_the_request_and_the_result(driver, saver, wrappers):
    node = ToolNode([add, aadd], **wrappers)

    assert run(driver, node, call("add", "1", a=1), call("aadd", "2", a=2), saver=saver) == [
        ("1", "11!", "success"),
        ("2", "12!", "success"),
    ]


def test_a_wrapper_may_answer_by_itself_and_knows_unknown_tools(driver):
    seen = []

    def wrap(request, execute):
        seen.append((request.tool, request.state["messages"][0].type, request.runtime.tool_call_id))
        return ToolMessage("from the wrapper", request.tool_call["id"]) if request.tool is None else execute(request)

    found = run(driver, ToolNode([add], wrap_tool_call=wrap), call("nope", "1"), call("add", "2", a=1))

    assert found == [("1", "from the wrapper", "success"), ("2", "2", "success")]
    assert sorted(seen, key=lambda each: each[2]) == [(None, "ai", "1"), (add, "ai", "2")]


def test_an_unknown_tool_that_a_wrapper_lets_pass_is_an_error_message(driver):
    found = run(driver, ToolNode([add], wrap_tool_call=lambda request, execute: execute(request)), call("nope", "1"))

    assert [status for _, _, status in found] == ["error"]


def test_a_wrapper_may_execute_again(driver):
    failures = [ValueError("one"), ValueError("two")]

    @tool
    def flaky() -> str:
        """Fail twice."""
        if failures:
            raise failures.pop()
        return "fine"

    def retry(request, execute):
        for _ in range(5):
            result = execute(request)
            if result.status != "error":
                break
        return result

    assert run(driver, ToolNode([flaky], wrap_tool_call=retry, handle_tool_errors=True), call("flaky", "1")) == [("1", "fine", "success")]


@pytest.mark.parametrize("handled", [True, False])
def test_what_a_wrapper_raises_is_treated_like_what_a_tool_raises(driver, handled):
    def wrap(request, execute):
        raise ValueError("wrapper")

    async def awrap(request, execute):
        raise ValueError("wrapper")

    for wrapper in ({"wrap_tool_call": wrap}, {"awrap_tool_call": awrap}):
        node = ToolNode([add], handle_tool_errors=handled, **wrapper)
        if handled:
            assert run(driver, node, call("add", "1", a=1)) == [("1", "Error: ValueError: wrapper", "error")]
        else:
            with pytest.raises(ValueError, match="wrapper"):
                run(driver, node, call("add", "1", a=1))


def test_a_wrapper_has_to_answer_this_call(driver):
    with pytest.raises(InvalidMessageError):
        run(driver, ToolNode([add], wrap_tool_call=lambda request, execute: ToolMessage("a", "other")), call("add", "1", a=1))
    with pytest.raises(InvalidUpdateError):
        run(driver, ToolNode([add], wrap_tool_call=lambda request, execute: Command(goto="tools")), call("add", "1", a=1))


def test_a_request_has_no_other_fields():
    def wrap(request, execute):
        return execute(request.override(tol="add"))

    with pytest.raises(InvalidConfigError, match="Did you mean 'tool'"):
        ToolNode([add], wrap_tool_call=wrap).invoke([call("add", "1", a=1)])


@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_wrapper_may_ask_before_the_tool_runs(driver, saver, asynchronous):
    def wrap(request, execute):
        return execute(request) if interrupt(request.tool_call["name"]) == "yes" else ToolMessage("refused", request.tool_call["id"])

    async def awrap(request, execute):
        return await execute(request) if interrupt(request.tool_call["name"]) == "yes" else ToolMessage("refused", request.tool_call["id"])

    node = ToolNode([add, aadd], **({"awrap_tool_call": awrap} if asynchronous else {"wrap_tool_call": wrap}))
    graph = graph_of(node, saver)

    calls = [call("add", "1", a=1), call("aadd", "2", a=2)]
    asked = driver.invoke(graph, {"messages": [AIMessage("", tool_calls=calls)]}, thread_id="t")["__interrupt__"]
    ended = driver.invoke(graph, Command(resume={asked[0].id: "yes", asked[1].id: "no"}), thread_id="t")

    assert [question.value for question in asked] == ["add", "aadd"]
    assert [message.content for message in ended["messages"][1:]] == ["2", "refused"]


def test_a_wrapper_that_swallows_a_question_is_found_out_and_nothing_is_remembered(driver, saver):
    @tool
    def ask() -> str:
        """Ask."""
        return interrupt("really?")

    def wrap(request, execute):
        try:
            return execute(request)
        except BaseException:  # noqa: BLE001 - what it is about
            return ToolMessage("went on", request.tool_call["id"])

    graph = graph_of(ToolNode([ask], wrap_tool_call=wrap), saver)
    for given in ({"messages": [AIMessage("", tool_calls=[call("ask", "1")])]}, None):
        with pytest.raises(InterruptSwallowedError):
            driver.invoke(graph, given, thread_id="t")
