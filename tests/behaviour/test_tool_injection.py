"""What tools get of the run they are called in, and a model neither sees nor gives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, Field

from graphkit import START, MessagesState, Runtime, Send, StateGraph, add_messages
from graphkit.errors import InvalidConfigError, InvalidStateError
from graphkit.messages import AIMessage, ToolMessage
from graphkit.storage import InMemoryStore, Store
from graphkit.tools import InjectedState, InjectedStore, InjectedToolCallId, ToolNode, ToolRuntime, tool


class State(MessagesState):
    user: str


@dataclass
class DataState:
    user: str = "Ada"
    messages: Annotated[list[Any], add_messages] = field(default_factory=list)


class ModelState(BaseModel):
    user: str = "Ada"
    messages: Annotated[list[Any], add_messages] = Field(default_factory=list)


class Context(BaseModel):
    tone: str


def call(name, identity, **args):
    return {"name": name, "args": args, "id": identity}


def calling(*calls):
    return [AIMessage("", tool_calls=list(calls))]


def graph_of(*tools, state: type = State, **options):
    return StateGraph(state, Context).add_node(ToolNode(list(tools))).add_edge(START, "tools").compile(**options)


def contents(result):
    return [message.content for message in result["messages"] if isinstance(message, ToolMessage)]


def test_everything_reaches_the_tool(driver, saver):
    seen: dict[str, Any] = {}

    @tool
    def look(  # noqa: PLR0917 - everything
        word: str,
        state: Annotated[State, InjectedState],
        user: Annotated[str, InjectedState("user")],
        store: Annotated[Store, InjectedStore()],
        identity: Annotated[str, InjectedToolCallId],
        own: ToolRuntime[Context, State],
        runtime: Runtime[Context],
        config: dict[str, Any],
        writer: Callable[[object], None],
    ) -> str:
        """Look."""
        seen.update(locals())
        writer({"word": word})
        own.stream_writer({"again": word})
        return word

    store = InMemoryStore()
    graph = graph_of(look, checkpointer=saver, store=store)

    chunks = driver.stream(
        graph,
        {"messages": calling(call("look", "c1", word="here")), "user": "Ada"},
        {"configurable": {"thread_id": "t", "color": "red"}},
        context={"tone": "kind"},
        stream_mode="custom",
    )

    assert chunks == [{"word": "here"}, {"again": "here"}]
    assert (seen["word"], seen["user"], seen["identity"]) == ("here", "Ada", "c1")
    assert seen["state"]["messages"][-1].tool_calls[0]["id"] == "c1"
    assert seen["store"] is seen["own"].store is seen["runtime"].store is store
    assert seen["own"].state is seen["state"]
    assert seen["own"].context == seen["runtime"].context == Context(tone="kind")
    assert seen["own"].tool_call_id == "c1"
    assert [each.name for each in seen["own"].tools] == ["look"]
    assert seen["own"].execution_info == seen["runtime"].execution_info
    assert seen["own"].execution_info.node == "tools"
    assert seen["config"]["configurable"]["color"] == "red"
    assert seen["config"]["configurable"]["thread_id"] == "t"
    assert seen["own"].config == seen["config"]


def test_each_of_several_calls_gets_its_own_id(driver):
    @tool
    async def identify(runtime: ToolRuntime, identity: Annotated[str, InjectedToolCallId]) -> list[str | None]:
        """Identify."""
        return [runtime.tool_call_id, identity]

    result = driver.invoke(graph_of(identify), {"messages": calling(call("identify", "a"), call("identify", "b"))})

    assert contents(result) == ['["a","a"]', '["b","b"]']


def test_a_model_that_gives_an_injected_argument_is_told_that_there_is_none(driver):
    @tool
    def greet(user: Annotated[str, InjectedState("user")]) -> str:
        """Greet."""
        return f"Hello {user}"

    result = driver.invoke(graph_of(greet), {"messages": calling(call("greet", "a", user="Mallory"), call("greet", "b")), "user": "Ada"})

    assert [message.status for message in result["messages"][1:]] == ["error", "success"]
    assert contents(result)[1] == "Hello Ada"


@pytest.mark.parametrize("state", [State, DataState, ModelState])
def test_a_send_of_a_call_sees_the_state_of_the_graph(driver, saver, state):
    def greet(user: Annotated[str, InjectedState("user")], whole: Any) -> str:
        """Greet."""
        return f"Hello {user}, {type(whole).__name__}"

    greet.__annotations__["whole"] = Annotated[state, InjectedState]
    builder = StateGraph(state).add_node("start", lambda state: None).add_node(ToolNode([greet])).add_edge(START, "start")
    builder.add_conditional_edges("start", lambda state: [Send("tools", [call("greet", "a")])], ["tools"])
    graph = builder.compile(checkpointer=saver)

    result = driver.invoke(graph, {"messages": calling(call("greet", "a")), "user": "Bo"}, thread_id="t")

    assert contents(result) == [f"Hello Bo, {'dict' if state is State else state.__name__}"]


def test_a_bare_list_is_seen_as_a_state_with_messages(driver):
    @tool
    def count(state: Annotated[dict[str, Any], InjectedState], messages: Annotated[list[Any], InjectedState("messages")]) -> int:
        """Count."""
        return len(state["messages"]) + len(messages)

    graph = StateGraph(Annotated[list[Any], add_messages]).add_node(ToolNode([count])).add_edge(START, "tools").compile()

    assert driver.invoke(graph, ["hi", *calling(call("count", "a"))])[-1].content == "4"


def test_a_key_that_is_missing_ends_the_run_with_its_name_before_the_tool_runs(driver):
    runs = []

    @tool
    def greet(user: Annotated[str, InjectedState("usr")]) -> str:
        """Greet."""
        runs.append(1)
        return user

    with pytest.raises(InvalidStateError, match=r"'usr'.*Did you mean 'user'"):
        driver.invoke(graph_of(greet), {"messages": calling(call("greet", "a")), "user": "Ada"})
    assert runs == []


def test_a_store_that_is_missing_ends_the_run(driver):
    @tool
    def keep(store: Annotated[Store, InjectedStore()]) -> str:
        """Keep."""
        return "kept"

    with pytest.raises(InvalidConfigError, match="'keep' wants the store"):
        driver.invoke(graph_of(keep), {"messages": calling(call("keep", "a"))})


def test_a_tool_that_a_node_calls_itself_sees_what_the_node_sees(driver):
    @tool
    def greet(word: str, user: Annotated[str, InjectedState("user")], runtime: ToolRuntime[Context]) -> str:
        """Greet."""
        return f"{word} {user}, {runtime.context.tone}, {runtime.execution_info.node}"

    def node(state: State):
        return {"messages": [greet.invoke({"word": "Hello"}), greet.invoke(call("greet", "a", word="Hi"))]}

    graph = StateGraph(State, Context).add_node("host", node).add_edge(START, "host").compile()

    result = driver.invoke(graph, {"messages": [], "user": "Ada"}, context={"tone": "kind"})

    assert [message.content for message in result["messages"]] == ["Hello Ada, kind, host", "Hi Ada, kind, host"]
