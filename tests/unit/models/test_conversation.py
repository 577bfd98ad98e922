# mypy: disable-error-code="list-item"
from __future__ import annotations

import pytest

from graphkit.errors import InvalidChatHistoryError
from graphkit.messages import AIMessage, HumanMessage, ToolMessage
from graphkit.models.conversation import read_conversation

A = {"name": "f", "args": {}, "id": "a"}
B = {"name": "f", "args": {}, "id": "b"}
BROKEN = {"name": "f", "args": "{", "id": "x", "error": "cut"}


@pytest.mark.parametrize(
    "messages",
    [
        "Hi",
        ("user", "Hi"),
        {"role": "user", "content": "Hi"},
        ["Hi", AIMessage(tool_calls=[A, B]), ToolMessage("1", "b"), ToolMessage("2", "a")],
        ["Hi", AIMessage(invalid_tool_calls=[BROKEN]), ToolMessage("1", "x"), "So?"],
        ["Hi", AIMessage(invalid_tool_calls=[BROKEN]), "So?"],
        [AIMessage(tool_calls=[A]), ToolMessage("1", "a"), AIMessage(tool_calls=[A]), ToolMessage("1", "a")],
    ],
)
def test_what_is_a_conversation_is_read(messages):
    assert all([message.type in {"human", "ai", "tool"} for message in read_conversation(messages)])


@pytest.mark.parametrize(
    "messages",
    [
        [AIMessage(tool_calls=[A])],
        [AIMessage(tool_calls=[A, B]), ToolMessage("1", "a")],
        [AIMessage(tool_calls=[A]), HumanMessage("wait"), ToolMessage("1", "a")],
        [ToolMessage("1", "a"), AIMessage(tool_calls=[A])],
        [AIMessage(tool_calls=[A]), ToolMessage("1", "a"), ToolMessage("1", "a")],
        [AIMessage(tool_calls=[A]), ToolMessage("1", "a"), "So?", ToolMessage("1", "a")],
        [AIMessage(tool_calls=[A]), AIMessage(tool_calls=[B]), ToolMessage("1", "a"), ToolMessage("1", "b")],
    ],
)
def test_calls_and_their_results_stand_together(messages):
    with pytest.raises(InvalidChatHistoryError):
        read_conversation(messages)
