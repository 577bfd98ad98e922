"""What a tool returned, as the answer to its call."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from enum import Enum
from uuid import UUID

import pytest
from pydantic import BaseModel

from graphkit import Command, Overwrite, Send
from graphkit.errors import InvalidMessageError, InvalidUpdateError
from graphkit.messages import HumanMessage, ToolCall, ToolMessage
from graphkit.tools import content_of
from graphkit.tools.result import as_update, require_answer, result_of

CALL: ToolCall = {"name": "look", "args": {}, "id": "c1"}
MINE = ToolMessage("seen", "c1")
OTHER = ToolMessage("seen", "c2")


class Color(Enum):
    RED = "red"


class Found(BaseModel):
    at: dt.date


@dataclass
class Place:
    name: str


class Opaque:
    def __str__(self):
        return "opaque"


CIRCLE: list[object] = []
CIRCLE.append(CIRCLE)


@pytest.mark.parametrize(
    "value, content",
    [
        ("text", "text"),
        ("", ""),
        (None, ""),
        (3, "3"),
        (True, "true"),
        (["a", 1], '["a",1]'),
        ([], "[]"),
        ({"ä": dt.datetime(2024, 5, 1, tzinfo=dt.UTC)}, '{"ä":"2024-05-01T00:00:00Z"}'),
        (Found(at=dt.date(2024, 5, 1)), '{"at":"2024-05-01"}'),
        ([Place("here")], '[{"name":"here"}]'),
        (Color.RED, '"red"'),
        (UUID(int=1), '"00000000-0000-0000-0000-000000000001"'),
        ({"x": math.nan}, '{"x":"NaN"}'),
        ({"x": Opaque()}, '{"x":"opaque"}'),
        (Opaque(), '"opaque"'),
        (b"\xff", "b'\\xff'"),
        (CIRCLE, "[[...]]"),
        ([{"type": "text", "text": "a"}], [{"type": "text", "text": "a"}]),
        ([{"type": "image", "url": "u"}], [{"type": "image", "url": "u"}]),
        ([{"type": "person", "name": "a"}], '[{"type":"person","name":"a"}]'),
        ([{"type": "text", "text": "a"}, 1], '[{"type":"text","text":"a"},1]'),
    ],
)
def test_content_is_text_or_blocks_or_json(value, content):
    assert content_of(value) == content
    assert result_of(CALL, value, "content") == ToolMessage(content, "c1", name="look")


def test_a_tool_message_is_the_answer_as_it_is():
    assert result_of(CALL, MINE, "content") is MINE
    with pytest.raises(InvalidMessageError, match="answered the call 'c2', but was called as 'c1'"):
        result_of(CALL, OTHER, "content")
    with pytest.raises(InvalidMessageError):
        result_of(CALL, [Command(goto="a"), OTHER], "content")


@pytest.mark.parametrize(
    "result",
    [
        MINE,
        Command(update={"messages": [MINE], "x": 1}),
        Command(update={"messages": MINE}),
        Command(update={"messages": [HumanMessage("a"), MINE, OTHER]}),
        Command(update={"messages": Overwrite([MINE])}),
        Command(update=[("messages", [MINE]), ("x", 1)]),
        Command(update=[MINE]),
        Command(update={"messages": [{"role": "tool", "content": "a", "tool_call_id": "c1"}]}),
        [Command(update={"messages": [MINE]}), Command(goto="b")],
        [MINE, Command(update={"x": 1})],
        Command(graph=Command.PARENT, goto="b"),
        [Command(graph=Command.PARENT, goto="b"), MINE],
    ],
)
def test_commands_hold_the_answer_once(result):
    assert require_answer(CALL, result, "messages") is result


@pytest.mark.parametrize(
    "result",
    [
        OTHER,
        Command(goto="b"),
        Command(update={"x": 1}),
        Command(update={"messages": [OTHER]}),
        Command(update={"talk": [MINE]}),
        Command(update={"messages": [MINE, MINE]}),
        [Command(update={"messages": [MINE]}), MINE],
    ],
)
def test_commands_without_the_answer_or_with_two_are_refused(result):
    with pytest.raises(InvalidUpdateError, match="exactly one"):
        require_answer(CALL, result, "messages")


def test_an_instance_of_the_state_may_be_an_update():
    @dataclass
    class State:
        messages: list[object]

    assert require_answer(CALL, Command(update=State([MINE])), "messages")


@pytest.mark.parametrize(
    "results, as_list, update",
    [
        ([], False, {"messages": []}),
        ([MINE, OTHER], False, {"messages": [MINE, OTHER]}),
        ([MINE, OTHER], True, [MINE, OTHER]),
        ([MINE, Command(goto="b")], False, [{"messages": [MINE]}, Command(goto="b")]),
        ([Command(goto="b"), MINE], True, [Command(goto="b"), MINE]),
        ([[MINE, Command(goto="b")], OTHER], False, [{"messages": [MINE]}, Command(goto="b"), {"messages": [OTHER]}]),
    ],
)
def test_answers_become_an_update_in_the_order_of_the_calls(results, as_list, update):
    assert as_update(results, "messages", as_list=as_list) == update


def parent(**fields):
    return Command(graph=Command.PARENT, **fields)


@pytest.mark.parametrize(
    "results, update",
    [
        ([parent(goto="b", update=Found(at=dt.date.min))], parent(goto="b", update=Found(at=dt.date.min))),
        ([parent(goto=Send("b", 1)), parent(goto=Send("b", 2))], parent(goto=[Send("b", 1), Send("b", 2)])),
        (
            [parent(goto="b", update={"messages": [MINE], "x": 1}), OTHER],
            parent(goto=["b"], update=[("messages", [MINE]), ("x", 1), ("messages", [OTHER])]),
        ),
        ([parent(goto="b", update={"x": 1}), OTHER], [parent(goto="b", update={"x": 1}), {"messages": [OTHER]}]),
        (
            [parent(goto="b", update=Found(at=dt.date.min)), parent(goto="c")],
            [parent(goto="b", update=Found(at=dt.date.min)), parent(goto="c")],
        ),
    ],
)
def test_commands_to_a_parent_graph_become_one_where_one_can_say_it_all(results, update):
    assert as_update(results, "messages", as_list=False) == update
