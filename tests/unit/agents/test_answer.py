"""Reading answers is a second line behind the schema: by itself it approves nothing that was not shown and runs nothing that cannot run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from graphkit import AIMessage, Command, HumanMessage, ToolMessage
from graphkit.agents import Review, ReviewNode, SettleNode, Verdict, digest_of
from graphkit.agents.answer import read_answer
from graphkit.agents.policy import ANSWERS
from graphkit.agents.routes import Routes, Turn
from graphkit.core.command import END
from graphkit.errors import InvalidAnswerError, InvalidStateError
from graphkit.messages import ToolCall
from graphkit.tools import tool

CALL: ToolCall = {"name": "send", "args": {"to": "ada", "copies": [1]}, "id": "c"}


@tool
def send(to: str, copies: list[int]) -> Command:
    """Send a mail."""
    return Command(update={"messages": [ToolMessage("sent", "c")], "sent": to})


@dataclass
class Approval:
    type: str
    args: object = None


def read(answer, allowed=ANSWERS):
    return read_answer(answer, CALL, allowed, review=Review(), tool=send, state=None)


@pytest.mark.parametrize(
    "wrong",
    [
        "not json",
        5,
        None,
        [],
        [1],
        object(),
        {"type": "accept", "args": {"to": "eve", "copies": [1]}},
        {"type": "accept", "args": {"action": "sned", "args": CALL["args"]}},
        {"type": "accept", "args": {"to": "ada", "copies": "[1"}},
        {"type": "approve"},
        {"type": "response", "args": ""},
        {"type": "response", "args": 5},
        {"type": "edit", "args": None},
        {"type": "edit", "args": {"action": "drop", "args": CALL["args"]}},
        {"type": "edit", "args": {"to": "ada"}},
        {"type": "edit", "args": {"to": "ada", "copies": "one"}},
        {"type": "edit", "args": {"to": "ada", "copies": [1], "bcc": "eve"}},
        {"decisions": []},
        {"decisions": 5},
        {"decisions": [5]},
        {"decisions": [{"type": "accept"}]},
        {"decisions": [{"type": "edit", "edited_action": None}]},
        {"decisions": [{"type": "approve"}, {"type": "approve"}]},
    ],
)
def test_what_cannot_be_understood_is_refused(wrong):
    with pytest.raises(InvalidAnswerError):
        read(wrong)


@pytest.mark.parametrize("answer", [Approval("accept"), [Approval("accept")], {"decisions": [{"type": "approve"}]}], ids=str)
def test_instances_count_as_their_json(answer):
    assert read(answer) == Verdict("c", "send", "accept", digest_of(CALL), CALL["args"])


@pytest.mark.parametrize("kind", ["accept", "edit", "ignore", "response"])
def test_what_is_not_allowed_is_refused(kind):
    with pytest.raises(InvalidAnswerError, match="Possible"):
        read({"type": kind, "args": CALL["args"]}, ANSWERS - {kind})


def test_an_edited_call_that_updates_the_state_itself_says_so_in_its_message():
    verdict = Verdict("c", "send", "edit", digest_of(CALL), CALL["args"])
    other: ToolCall = {"name": "send", "args": {"to": "bo", "copies": []}, "id": "d"}
    ignored = Verdict("d", "send", "ignore", digest_of(other), other["args"])
    state = {"messages": [AIMessage(id="m", tool_calls=[other, CALL])], "verdicts": {"c": verdict, "d": ignored}}

    node: Any = SettleNode({"send": True}, [send])
    plain, command = node.invoke(state)
    [alone] = node.invoke({**state, "messages": [AIMessage(id="m", tool_calls=[CALL])]})

    assert [message.tool_call_id for message in plain["messages"]] == ["d"]
    assert command.update["sent"] == "ada"
    assert "A person edited this call" in command.update["messages"][0].text
    assert alone == command


def test_a_result_in_blocks_keeps_them_and_gets_one_more():
    @tool
    def look(day: str) -> list:
        """Look."""
        return [{"type": "text", "text": day}]

    call: ToolCall = {"name": "look", "args": {"day": "Monday"}, "id": "l"}
    verdict = Verdict("l", "look", "edit", digest_of(call), call["args"])
    state = {"messages": [AIMessage(id="m", tool_calls=[call])], "verdicts": {"l": verdict}}

    update = SettleNode({"look": True}, [look]).invoke(state)

    assert isinstance(update, dict)
    first, second = update["messages"][0].content
    assert first == {"type": "text", "text": "Monday"}
    assert "A person edited this call" in second["text"]


def test_arguments_that_are_no_json_are_the_models_mistake():
    call: ToolCall = {"name": "send", "args": {"to": "ada", "copies": (1,)}, "id": "c"}

    update = SettleNode({"send": True}, [send]).invoke({"messages": [AIMessage(id="m", tool_calls=[call])], "verdicts": {}})

    assert isinstance(update, dict)
    assert [(message.status, message.tool_call_id) for message in update["messages"]] == [("error", "c")]


@pytest.mark.parametrize("node", [ReviewNode({"send": True}, [send]), SettleNode({"send": True}, [send])], ids=["review", "settle"])
def test_nodes_that_come_too_early_say_so(node):
    with pytest.raises(InvalidStateError):
        node.invoke({"messages": [HumanMessage("Hi")]})
    with pytest.raises(InvalidStateError):
        node.invoke({"message": []})


@pytest.mark.parametrize("begin", ["agent", "pre_model_hook"])
def test_without_an_ai_message_an_agent_begins_or_ends(begin):
    routes = Routes(begin, END, has_tools=True, reviews=None, direct=frozenset(), each=True)

    assert routes.after_model({"messages": [HumanMessage("Hi")]}) == END
    assert routes.after_tools({"messages": [HumanMessage("Hi")]}) == begin


def test_calls_nobody_here_runs_end_the_run():
    routes = Routes("agent", END, has_tools=False, reviews=None, direct=frozenset(), each=True)

    assert routes.after_model({"messages": [AIMessage(tool_calls=[CALL])]}) == END


@pytest.mark.parametrize(
    "calls, remaining, is_too_long", [([CALL], 3, True), ([CALL], 4, False), ([CALL], None, False), ([], 0, False)], ids=str
)
def test_how_long_a_turn_is(calls, remaining, is_too_long):
    assert Turn(calls=2, reply=2, direct=frozenset()).is_too_long(AIMessage(tool_calls=calls), remaining) == is_too_long
