"""Where a conversation goes after a model has answered."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from pydantic import BaseModel

from graphkit import END
from graphkit.errors import InvalidMessageError, InvalidStateError
from graphkit.messages import AIMessage, HumanMessage, ToolMessage
from graphkit.tools import tools_condition

HUMAN = HumanMessage("hi")
TEXT = AIMessage("hello")
ONE = AIMessage("", tool_calls=[{"name": "a", "args": {}, "id": "1"}])
TWO = AIMessage("", tool_calls=[{"name": "a", "args": {}, "id": "1"}, {"name": "a", "args": {}, "id": "2"}])
BROKEN = AIMessage("", invalid_tool_calls=[{"name": "a", "args": "{", "id": "1", "error": "no JSON"}])
FIRST, SECOND = ToolMessage("x", "1"), ToolMessage("x", "2")


@dataclass
class State:
    messages: list[Any] = field(default_factory=list)


class Model(BaseModel):
    messages: list[Any]


@pytest.mark.parametrize(
    "messages, goes",
    [
        ([HUMAN, ONE], "tools"),
        ([ONE], "tools"),
        ([HUMAN, TWO, FIRST], "tools"),
        ([HUMAN, BROKEN], "tools"),
        ([HUMAN, TEXT], END),
        ([HUMAN, TWO, FIRST, SECOND], END),
        ([HUMAN, ONE, HUMAN], END),
        ([HUMAN], END),
        ([FIRST], END),
        ([ONE, FIRST, ONE], "tools"),
        ([{"role": "assistant", "content": "", "tool_calls": [{"name": "a", "args": {}, "id": "1"}]}], "tools"),
    ],
)
@pytest.mark.parametrize("form", [list, lambda given: {"messages": given}, State, lambda given: Model(messages=given)])
def test_calls_without_an_answer_lead_to_the_tools(messages, goes, form):
    assert tools_condition(form(messages)) == goes


def test_the_conversation_may_have_another_key():
    assert tools_condition({"talk": [ONE]}, messages_key="talk") == "tools"
    with pytest.raises(InvalidStateError, match=r"'messages'.*'talk'"):
        tools_condition({"talk": [ONE]})


@pytest.mark.parametrize("state", [[], {"messages": []}, {}, State(), {"messages": "text"}, None])
def test_a_state_without_messages_is_an_error(state):
    with pytest.raises(InvalidStateError):
        tools_condition(state)


def test_what_is_no_message_is_an_error():
    with pytest.raises(InvalidMessageError):
        tools_condition([3])
