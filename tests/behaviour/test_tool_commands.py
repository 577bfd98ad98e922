"""Tools that change the state or choose where to go."""

from __future__ import annotations

import operator
from typing import Annotated, Any

import pytest

from graphkit import END, START, Command, MessagesState, Send, StateGraph
from graphkit.errors import InvalidMessageError, InvalidUpdateError
from graphkit.messages import AIMessage, ToolMessage
from graphkit.tools import InjectedState, InjectedToolCallId, ToolNode, tool


class State(MessagesState):
    log: Annotated[list[str], operator.add]


CallId = Annotated[str, InjectedToolCallId]


def call(name, identity, **args):
    return {"name": name, "args": args, "id": identity}


@tool
def note(words: str, identity: CallId) -> Command[str]:
    """Note."""
    return Command(update={"log": [words], "messages": [ToolMessage("noted", identity)]}, goto="after")


@tool
def several(identity: CallId) -> list[Any]:
    """Do several things."""
    return [Command(update={"log": ["one"]}), ToolMessage("did", identity), Command(update={"log": ["two"]}, goto="after")]


@tool
def silent() -> Command[str]:
    """Say nothing."""
    return Command(update={"log": ["silent"]})


@tool
def plain(words: str) -> str:
    """Say."""
    return words


@tool
def stray() -> ToolMessage:
    """Answer another call."""
    return ToolMessage("a", "other")


def after(state):
    return {"log": ["after"]}


def graph_of(*tools, saver=None, **options):
    builder = StateGraph(State).add_node(ToolNode(list(tools), **options), destinations=["after"]).add_node("after", after)
    return builder.add_edge(START, "tools").compile(checkpointer=saver)


def run(driver, graph, *calls):
    result = driver.invoke(graph, {"messages": [AIMessage("", tool_calls=list(calls))]}, thread_id="t")
    return [message.content for message in result["messages"] if isinstance(message, ToolMessage)], result["log"]


def test_a_command_updates_the_state_and_goes_on_beside_other_calls(driver, saver):
    graph = graph_of(note, plain, saver=saver)

    said, log = run(driver, graph, call("plain", "1", words="a"), call("note", "2", words="b"), call("plain", "3", words="c"))

    assert said == ["a", "noted", "c"]
    assert log == ["b", "after"]


def test_a_list_of_commands_and_messages_is_one_answer(driver, saver):
    assert run(driver, graph_of(several, saver=saver), call("several", "1")) == (["did"], ["one", "two", "after"])


@pytest.mark.parametrize("policy", [{}, {"handle_tool_errors": True}])
def test_a_command_without_the_tool_message_is_an_error_whatever_the_policy(driver, saver, policy):
    with pytest.raises(InvalidUpdateError, match="'silent' returned 0 tool messages"):
        run(driver, graph_of(silent, saver=saver, **policy), call("silent", "1"))


def test_a_tool_message_of_another_call_is_an_error(driver, saver):
    with pytest.raises(InvalidMessageError, match="'stray' answered the call 'other'"):
        run(driver, graph_of(stray, saver=saver), call("stray", "1"))


class Parent(MessagesState):
    log: Annotated[list[str], operator.add]


@tool
def hand_over(to: str, identity: CallId, state: Annotated[dict[str, Any], InjectedState]) -> Command[str]:
    """Hand the conversation over."""
    messages = [*state["messages"], ToolMessage(f"over to {to}", identity)]
    return Command(graph=Command.PARENT, goto=to, update={"messages": messages, "log": [f"handed to {to}"]})


@tool
def spread(n: int) -> Command[str]:
    """Send work."""
    return Command(graph=Command.PARENT, goto=[Send("worker", n)])


def team(saver, *tools):
    inner = StateGraph(MessagesState).add_node(ToolNode(list(tools))).add_edge(START, "tools").compile()
    builder = StateGraph(Parent).add_node("agent", inner, destinations=["worker"])
    builder.add_node("worker", lambda state: {"log": [f"worker {state if isinstance(state, int) else len(state['messages'])}"]})
    return builder.add_edge(START, "agent").add_edge("worker", END).compile(checkpointer=saver)


def test_a_command_to_the_parent_travels_up(driver, saver):
    assert run(driver, team(saver, hand_over), call("hand_over", "1", to="worker")) == (
        ["over to worker"],
        ["handed to worker", "worker 2"],
    )


def test_answers_of_other_calls_go_along_with_a_conversation_that_is_handed_over(driver, saver):
    said, log = run(driver, team(saver, hand_over, plain), call("plain", "1", words="a"), call("hand_over", "2", to="worker"))

    assert said == ["over to worker", "a"]
    assert log == ["handed to worker", "worker 3"]


def test_sends_of_several_calls_to_the_parent_all_go(driver, saver):
    graph = team(saver, spread)

    result = driver.invoke(graph, {"messages": [AIMessage("", tool_calls=[call("spread", str(n), n=n) for n in range(3)])]}, thread_id="t")

    assert result["log"] == ["worker 0", "worker 1", "worker 2"]


def test_what_would_be_lost_on_the_way_up_is_an_error(driver, saver):
    with pytest.raises(InvalidUpdateError, match="would be lost"):
        run(driver, team(saver, spread, plain), call("spread", "1", n=1), call("plain", "2", words="a"))


def test_a_graph_that_a_tool_calls_hands_its_command_to_the_graph_of_the_tool(driver, saver):
    def inside(state):
        return Command(graph=Command.PARENT, goto="after", update={"log": ["from inside"], "messages": [ToolMessage("up", "1")]})

    inner = StateGraph(State).add_node("inside", inside).add_edge(START, "inside").compile()

    @tool
    def delegate() -> str:
        """Delegate."""
        return str(inner.invoke({"messages": []}))

    assert run(driver, graph_of(delegate, plain, saver=saver), call("delegate", "1"), call("plain", "2", words="a")) == (
        ["up", "a"],
        ["from inside", "after"],
    )


def test_an_answered_command_is_remembered_when_another_call_fails(driver, saver):
    failures, runs = [ValueError("once")], []

    @tool
    def mark(identity: CallId) -> Command[str]:
        """Mark."""
        runs.append(1)
        return Command(update={"log": ["marked"], "messages": [ToolMessage("marked", identity)]}, goto=[Send("after", {})])

    @tool
    def flaky() -> str:
        """Fail once."""
        if failures:
            raise failures.pop()
        return "fine"

    graph = graph_of(mark, flaky, saver=saver)
    with pytest.raises(ValueError, match="once"):
        run(driver, graph, call("mark", "1"), call("flaky", "2"))
    result = driver.invoke(graph, None, thread_id="t")

    assert runs == [1]
    assert result["log"] == ["marked", "after"]
