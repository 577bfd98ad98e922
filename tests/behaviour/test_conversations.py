# mypy: disable-error-code="arg-type, attr-defined, call-overload, comparison-overlap, has-type, index"
# mypy: disable-error-code="list-item, misc, typeddict-item, typeddict-unknown-key"
# Values of the wrong type, and values of any type that come back, are what these tests are about.
from __future__ import annotations

from typing import Annotated, TypedDict

import langchain_core.messages as lc
import pytest
from pydantic import BaseModel

from graphkit import START, Command, Overwrite, Send, StateGraph, get_runtime, interrupt
from graphkit.errors import InvalidMessageError, ReducerError
from graphkit.messages import AIMessage, AIMessageChunk, AnyMessage, HumanMessage, MessagesState, RemoveMessage, add_messages
from graphkit.scope import message_sink

THREAD = {"configurable": {"thread_id": "1"}}


def join(left, right):
    return left + right


join.prepare = lambda update: [update] if isinstance(update, str) else update


class Words(TypedDict):
    words: Annotated[list[str], join]


def chat(node, saver=None, schema=MessagesState):
    return StateGraph(schema).add_node("chat", node).add_edge(START, "chat").compile(checkpointer=saver)


def said(values):
    return [message.text for message in values["messages"]]


def test_a_conversation_grows_over_turns(driver, saver):
    graph = chat(lambda state: {"messages": [AIMessage(f"you said {state['messages'][-1].text}")]}, saver)

    driver.invoke(graph, {"messages": "one"}, THREAD)
    result = driver.invoke(graph, {"messages": [("user", "two")]}, THREAD)

    assert said(result) == ["one", "you said one", "two", "you said two"]


def test_ids_are_given_once_and_everybody_sees_the_same(driver, saver):
    seen = []

    def router(state):
        seen.append([message.id for message in state["messages"]])
        return "__end__"

    builder = StateGraph(MessagesState).add_node("chat", lambda state: {"messages": ("ai", "yes")}).add_edge(START, "chat")
    graph = builder.add_conditional_edges("chat", router, ["__end__"]).compile(checkpointer=saver)
    chunks = driver.stream(graph, {"messages": "hi"}, THREAD, stream_mode=["updates", "values"])

    stored = [message.id for message in driver.get_state(graph, THREAD).values["messages"]]
    assert stored == seen[0] == [message.id for message in chunks[-1][1]["messages"]]
    (told,) = [data["chat"]["messages"] for mode, data in chunks if mode == "updates"]
    assert told[0].id == stored[1]


@pytest.mark.parametrize(
    "given", ["hi", ("user", "hi"), {"role": "user", "content": "hi"}, lc.HumanMessage("hi"), [HumanMessage("hi")]], ids=repr
)
def test_every_form_of_a_message_is_an_input(driver, saver, given):
    result = driver.invoke(chat(lambda state: None, saver), {"messages": given}, THREAD)

    assert type(result["messages"][0]) is HumanMessage
    assert said(result) == ["hi"]


def test_a_message_is_replaced_and_removed_by_id(driver, saver):
    def edit(state):
        first, second = state["messages"]
        return {"messages": [HumanMessage("better", id=first.id), RemoveMessage(second.id)]}

    assert said(driver.invoke(chat(edit, saver), {"messages": ["a", "b"]}, THREAD)) == ["better"]
    assert said(driver.get_state(chat(edit, saver), THREAD).values) == ["better"]


def test_overwrite_replaces_the_conversation_and_is_read_like_an_update(driver, saver):
    graph = chat(lambda state: {"messages": Overwrite(["new"])}, saver)

    (message,) = driver.invoke(graph, {"messages": ["a", "b"]}, THREAD)["messages"]

    assert message.text == "new"
    assert message.id


def test_what_is_no_message_fails_the_node_that_returned_it(driver, saver):
    with pytest.raises(InvalidMessageError, match=r"Node 'chat'.*'messages'"):
        driver.invoke(chat(lambda state: {"messages": 3}, saver), {"messages": "hi"}, THREAD)

    assert said(driver.get_state(chat(lambda state: None, saver), THREAD).values) == ["hi"]


def test_what_is_no_message_is_refused_as_an_input(driver, saver):
    with pytest.raises(InvalidMessageError, match="Input"):
        driver.invoke(chat(lambda state: None, saver), {"messages": [3]}, THREAD)


def test_removing_an_unknown_message_names_key_and_node(driver):
    with pytest.raises(ReducerError, match=r"'messages'.*'chat'"):
        driver.invoke(chat(lambda state: {"messages": RemoveMessage("nobody")}), {"messages": "hi"})


def test_a_conversation_in_a_pydantic_state_is_validated_after_it_is_read(driver, saver):
    class State(BaseModel):
        messages: Annotated[list[AnyMessage], add_messages] = []

    result = driver.invoke(chat(lambda state: {"messages": ("ai", state.messages[0].text)}, saver, State), {"messages": "hi"}, THREAD)

    assert said(result) == ["hi", "hi"]


def test_parallel_nodes_write_one_conversation(driver, saver):
    builder = StateGraph(MessagesState).add_node("say", lambda state: {"messages": [AIMessage(state["what"])]})
    graph = builder.add_conditional_edges(START, lambda state: [Send("say", {"what": str(n)}) for n in range(5)]).compile(
        checkpointer=saver
    )

    assert said(driver.invoke(graph, {"messages": []}, THREAD)) == ["0", "1", "2", "3", "4"]


def test_a_subgraph_hands_its_messages_up_once(driver, saver):
    inner = chat(lambda state: {"messages": [AIMessage("inner")]})
    outer = StateGraph(MessagesState).add_node("inner", inner).add_edge(START, "inner").compile(checkpointer=saver)

    assert said(driver.invoke(outer, {"messages": "hi"}, THREAD)) == ["hi", "inner"]


def test_messages_survive_an_interrupt(driver, saver):
    graph = chat(lambda state: {"messages": [HumanMessage(interrupt(state["messages"][-1]))]}, saver)

    (asked,) = driver.invoke(graph, {"messages": "why?"}, THREAD)["__interrupt__"]

    assert asked.value.text == "why?"
    assert said(driver.invoke(graph, Command(resume="because"), THREAD)) == ["why?", "because"]


def speak(words, whole=None):
    """A node that says words as a model would, and returns a message."""

    class Speaker:
        def invoke(self, state):
            sink = message_sink()
            for word in words if sink else ():
                sink(AIMessageChunk(word, id="a1"), {"model": "m"})
            return {"messages": [whole or AIMessage("".join(words), id="a1")]}

        async def ainvoke(self, state):
            return self.invoke(state)

    return Speaker()


def test_pieces_of_messages_are_streamed_with_their_place(driver, saver):
    chunks = driver.stream(chat(speak(["he", "llo"]), saver), {"messages": "hi"}, THREAD, stream_mode="messages")

    assert [chunk.text for chunk, _ in chunks] == ["he", "llo"]
    metadata = chunks[0][1]
    assert metadata["langgraph_node"] == "chat"
    assert metadata["langgraph_step"] == 1
    assert metadata["model"] == "m"
    assert metadata["langgraph_checkpoint_ns"].startswith("chat:")


def test_a_message_that_came_without_pieces_is_streamed_whole(driver, saver):
    graph = chat(lambda state: {"messages": [*state["messages"], AIMessage("yes", id="a1")]}, saver)

    chunks = driver.stream(graph, {"messages": "hi"}, THREAD, stream_mode="messages")

    assert [message for message, _ in chunks] == [AIMessage("yes", id="a1")]


def test_messages_are_streamed_beside_other_modes(driver):
    chunks = driver.stream(chat(speak(["a", "b"])), {"messages": "hi"}, stream_mode=["updates", "messages"])

    assert [mode for mode, _ in chunks] == ["messages", "messages", "updates"]


def test_messages_of_subgraphs_are_streamed_only_if_they_are_asked_for(driver):
    outer = StateGraph(MessagesState).add_node("inner", chat(speak(["a", "b"]))).add_edge(START, "inner").compile()

    without = driver.stream(outer, {"messages": "hi"}, stream_mode="messages")
    with_them = driver.stream(outer, {"messages": "hi"}, stream_mode="messages", subgraphs=True)

    assert [message.text for message, _ in without] == ["ab"]
    assert [(len(path), message.text) for path, (message, _) in with_them] == [(1, "a"), (1, "b")]


def test_nobody_is_told_pieces_when_nobody_reads_them(driver):
    sinks = []
    graph = chat(lambda state: sinks.append(message_sink()))

    driver.invoke(graph, {"messages": "hi"})
    driver.stream(graph, {"messages": "hi"}, stream_mode="updates")

    assert sinks == [None, None]
    assert message_sink() is None


def test_a_node_may_be_an_object_with_invoke_and_ainvoke(driver):
    class Node:
        name = "node"

        def invoke(self, state, config, *, runtime):
            return {"messages": [("ai", f"sync {config['recursion_limit']} {runtime.execution_info.node}")]}

        async def ainvoke(self, state, config, *, runtime):
            return {"messages": [("ai", f"async {config['recursion_limit']} {get_runtime().execution_info.node}")]}

    graph = StateGraph(MessagesState).add_node(Node()).add_edge(START, "node").compile()

    (message,) = driver.invoke(graph, {"messages": []}, recursion_limit=7)["messages"]

    assert message.text == f"{'async' if driver.is_async else 'sync'} 7 node"


def test_a_reducer_may_prepare_updates_in_any_state(driver, saver):
    graph = StateGraph(Words).add_node("say", lambda state: {"words": "b"}).add_edge(START, "say").compile(checkpointer=saver)

    chunks = driver.stream(graph, {"words": "a"}, THREAD, stream_mode=["values", "updates"])

    assert chunks == [("values", {"words": ["a"]}), ("updates", {"say": {"words": ["b"]}}), ("values", {"words": ["a", "b"]})]
