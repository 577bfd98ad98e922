"""An agent is a graph like any other: it streams, is a node of other graphs, and its threads can be looked at and edited."""

from __future__ import annotations

from typing import Any

import pytest

from graphkit import START, AIMessage, Command, MessagesState, RemoveMessage, StateGraph, ToolMessage
from graphkit.agents import create_react_agent
from graphkit.messages import ToolCall
from graphkit.models import ScriptedModel
from graphkit.tools import tool


@pytest.fixture
def sent():
    return []


@pytest.fixture
def tools(sent):
    @tool
    def send(to: str, text: str = "Hello") -> str:
        """Send a mail."""
        sent.append(f"{to}: {text}")
        return "sent"

    @tool
    def look(day: str) -> str:
        """Look up a day."""
        return f"{day} is free"

    return [send, look]


SEND: dict[str, Any] = {"name": "send", "args": {"to": "ada"}, "id": "s"}
LOOK = {"name": "look", "args": {"day": "Monday"}, "id": "l"}
ACCEPT = {"type": "accept"}


def test_the_pieces_of_answers_are_streamed_as_messages(driver, tools):
    agent = create_react_agent(ScriptedModel([[LOOK], "Monday is free."]), tools)

    pieces = driver.stream(agent, {"messages": ["Hi"]}, stream_mode="messages")

    spoken = [(metadata["langgraph_node"], message.text) for message, metadata in pieces if message.text]
    assert spoken == [("tools", "Monday is free"), ("agent", "Monday"), ("agent", " is"), ("agent", " free.")]


def test_a_reviewed_run_streams_its_question_and_its_steps(driver, saver, tools):
    agent = create_react_agent(ScriptedModel([[SEND], "Done."]), tools, review={"send": True}, checkpointer=saver)

    asked = driver.stream(agent, {"messages": ["Hi"]}, thread_id="t")
    went_on = driver.stream(agent, Command(resume=ACCEPT), thread_id="t")

    assert [list(update) for update in asked] == [["agent"], ["__interrupt__"]]
    assert [list(update) for update in went_on] == [["review"], ["tools"], ["agent"]]
    assert went_on[0]["review"].keys() == {"verdicts"}


def test_an_agent_is_a_node_of_another_graph(driver, saver, sent, tools):
    agent = create_react_agent(ScriptedModel([[SEND, LOOK], "Done."]), tools, review={"send": True}, name="clerk")

    class State(MessagesState):
        checked: bool

    builder = StateGraph(State).add_node("clerk", agent).add_node("check", lambda state: {"checked": True})
    graph = builder.add_edge(START, "clerk").add_edge("clerk", "check").compile(checkpointer=saver)
    [question] = driver.invoke(graph, {"messages": ["Hi"]}, thread_id="t")["__interrupt__"]

    result = driver.invoke(graph, Command(resume={question.id: {"type": "edit", "args": {"to": "bo", "text": "Hi"}}}), thread_id="t")

    assert sent == ["bo: Hi"]
    assert result["checked"]
    assert [message.type for message in result["messages"]] == ["human", "ai", "tool", "tool", "ai"]
    assert result["messages"][1].tool_calls[0]["args"] == {"to": "bo", "text": "Hi"}


def test_two_reviewing_agents_side_by_side_wait_for_their_own_answers(driver, saver, sent, tools):
    def clerk(person):
        script: list[Any] = [[{"name": "send", "args": {"to": person}, "id": person}], f"{person} is done."]
        return create_react_agent(ScriptedModel(script), tools, review={"send": True})

    builder = StateGraph(MessagesState).add_node("one", clerk("ada")).add_node("two", clerk("bo"))
    graph = builder.add_edge(START, "one").add_edge(START, "two").compile(checkpointer=saver)
    ada, bo = driver.invoke(graph, {"messages": ["Hi"]}, thread_id="t")["__interrupt__"]

    driver.invoke(graph, Command(resume={bo.id: ACCEPT}), thread_id="t")
    result = driver.invoke(graph, Command(resume={ada.id: {"type": "ignore"}}), thread_id="t")

    assert sent == ["bo: Hello"]
    assert {m.tool_call_id: m.status for m in result["messages"] if isinstance(m, ToolMessage)} == {"ada": "error", "bo": "success"}


def test_an_older_question_is_answered_in_another_way_on_a_branch_of_its_own(driver, saver, sent, tools):
    agent = create_react_agent(ScriptedModel([[SEND], "One.", "Two."]), tools, review={"send": True}, checkpointer=saver)
    driver.invoke(agent, {"messages": ["Hi"]}, thread_id="t")
    before = driver.get_state(agent, thread_id="t")
    driver.invoke(agent, Command(resume={"type": "ignore"}), thread_id="t")

    result = driver.invoke(agent, Command(resume=ACCEPT), before.config)

    assert before.next == ("review",)
    assert sent == ["ada: Hello"]
    assert [message.text for message in result["messages"]] == ["Hi", "", "sent", "One."]


def test_a_state_edited_before_the_review_is_reviewed_as_edited(driver, saver, sent, tools):
    agent = create_react_agent(ScriptedModel([[SEND], "Done."]), tools, review={"send": True}, checkpointer=saver)
    driver.invoke(agent, {"messages": ["Hi"]}, thread_id="t", interrupt_before=["review"])
    proposal = driver.get_state(agent, thread_id="t").values["messages"][-1]
    changed = AIMessage(id=proposal.id, tool_calls=[ToolCall(name="send", args={"to": "bo"}, id="s")])

    driver.update_state(agent, {"configurable": {"thread_id": "t"}}, {"messages": [changed]}, as_node="agent")
    [question] = driver.invoke(agent, None, thread_id="t")["__interrupt__"]
    driver.invoke(agent, Command(resume=ACCEPT), thread_id="t")

    assert question.value[0]["action_request"]["args"] == {"to": "bo"}
    assert sent == ["bo: Hello"]


def test_the_person_at_the_keyboard_may_answer_a_call_in_the_name_of_the_tools(driver, saver, sent, tools):
    agent = create_react_agent(ScriptedModel([[SEND], "I see."]), tools, review={"send": True}, checkpointer=saver)
    driver.invoke(agent, {"messages": ["Hi"]}, thread_id="t")

    by_hand = ToolMessage("I did that myself.", "s", name="send")
    driver.update_state(agent, {"configurable": {"thread_id": "t"}}, {"messages": [by_hand]}, as_node="tools")
    result = driver.invoke(agent, None, thread_id="t")

    assert sent == []
    assert [message.text for message in result["messages"]] == ["Hi", "", "I did that myself.", "I see."]


def test_a_conversation_goes_on_in_the_same_thread(driver, saver, sent, tools):
    def answer(request: Any):
        words = [message.text for message in request.messages if message.type == "human"]
        return f"{len(words)}: {words[-1]}" if request.messages[-1].type == "human" else "?"

    agent = create_react_agent(ScriptedModel(answer), tools, review={"send": True}, checkpointer=saver)
    for words in ("one", "two"):
        result = driver.invoke(agent, {"messages": [("user", words)]}, thread_id="t")

    assert [message.text for message in result["messages"]] == ["one", "1: one", "two", "2: two"]


def test_a_withdrawn_proposal_leaves_a_thread_that_goes_on(driver, saver, sent, tools):
    agent = create_react_agent(ScriptedModel([[SEND], "Hello again."]), tools, review={"send": True}, checkpointer=saver)
    driver.invoke(agent, {"messages": ["Hi"]}, thread_id="t")
    proposal = driver.get_state(agent, thread_id="t").values["messages"][-1]

    result = driver.invoke(agent, {"messages": [RemoveMessage(proposal.id), ("user", "Never mind")]}, thread_id="t")

    assert sent == []
    assert [message.text for message in result["messages"]] == ["Hi", "Never mind", "Hello again."]
    assert driver.get_state(agent, thread_id="t").interrupts == ()


def test_a_drawing_shows_the_loop(tools):
    agent = create_react_agent(ScriptedModel([]), tools, review={"send": True})

    drawn = agent.get_graph().draw_mermaid()

    assert all(name in drawn for name in ("agent", "review", "tools"))
