from __future__ import annotations

import langchain_core.messages as lc
import pytest

from graphkit.errors import InvalidMessageError
from graphkit.messages import (
    AIMessage,
    AIMessageChunk,
    HumanMessage,
    RemoveMessage,
    SystemMessage,
    ToolCall,
    ToolMessage,
    read_message,
    read_messages,
)

CALL: ToolCall = {"name": "search", "args": {"q": "x"}, "id": "c1"}
CALL_OF_OPENAI = {"id": "c1", "type": "function", "function": {"name": "search", "arguments": '{"q": "x"}'}}
CALL_OF_ANTHROPIC = {"type": "tool_use", "id": "c1", "name": "search", "input": {"q": "x"}}


@pytest.mark.parametrize(
    "given, expected",
    [
        ("hi", HumanMessage("hi")),
        (("user", "hi"), HumanMessage("hi")),
        (("human", "hi"), HumanMessage("hi")),
        (("assistant", "hi"), AIMessage("hi")),
        (("ai", ["a"]), AIMessage([{"type": "text", "text": "a"}])),
        (("system", "hi"), SystemMessage("hi")),
        ({"role": "developer", "content": "hi"}, SystemMessage("hi")),
        ({"role": "user", "content": "hi", "id": "1", "name": "ada"}, HumanMessage("hi", id="1", name="ada")),
        ({"type": "human", "content": "hi"}, HumanMessage("hi")),
        ({"role": "tool", "content": "r", "tool_call_id": "c1"}, ToolMessage("r", tool_call_id="c1")),
        ({"role": "assistant", "content": None, "tool_calls": [CALL]}, AIMessage("", tool_calls=[CALL])),
        (
            {"role": "assistant", "content": "", "tool_calls": [CALL_OF_OPENAI]},
            AIMessage("", tool_calls=[CALL]),
        ),
        (
            {"role": "assistant", "content": [{"type": "text", "text": "a"}, CALL_OF_ANTHROPIC]},
            AIMessage([{"type": "text", "text": "a"}], tool_calls=[CALL]),
        ),
        ({"role": "remove", "id": "1"}, RemoveMessage("1")),
        (AIMessageChunk("hi", id="1"), AIMessage("hi", id="1")),
    ],
    ids=str,
)  # fmt: skip
def test_what_people_pass_becomes_a_message(given, expected):
    assert read_message(given) == expected


@pytest.mark.parametrize(
    "given, expected",
    [
        (lc.HumanMessage("hi", id="1", name="ada"), HumanMessage("hi", id="1", name="ada")),
        (lc.SystemMessage("hi"), SystemMessage("hi")),
        (lc.AIMessage("hi", tool_calls=[{**CALL, "type": "tool_call"}]), AIMessage("hi", tool_calls=[CALL])),
        (lc.ToolMessage("r", tool_call_id="c1", status="error", name="f"), ToolMessage("r", tool_call_id="c1", status="error", name="f")),
        (lc.ToolMessage("r", tool_call_id="c1", artifact={"rows": 3}), ToolMessage("r", tool_call_id="c1", artifact={"rows": 3})),
        (lc.AIMessageChunk(content="hi", id="1"), AIMessage("hi", id="1")),
        (lc.HumanMessageChunk(content="hi"), HumanMessage("hi")),
        (lc.RemoveMessage(id="1"), RemoveMessage("1")),
        (
            lc.AIMessage("hi", usage_metadata={"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}, response_metadata={"model": "m"}),
            AIMessage("hi", usage_metadata={"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}, response_metadata={"model": "m"}),
        ),
    ],
    ids=str,
)  # fmt: skip
def test_messages_of_langchain_become_ours(given, expected):
    assert read_message(given) == expected


def test_calls_of_langchain_that_cannot_be_read_stay_visible():
    theirs = lc.AIMessage("", invalid_tool_calls=[{"name": "search", "args": "{", "id": "c1", "error": None, "type": "invalid_tool_call"}])

    (call,) = read_message(theirs).invalid_tool_calls

    assert call == {"name": "search", "args": "{", "id": "c1", "error": "the arguments cannot be read"}


@pytest.mark.parametrize("arguments", ["{", "[1]", "null", '"x"'])
def test_arguments_that_are_no_object_make_an_invalid_call(arguments):
    message = read_message({"role": "assistant", "tool_calls": [{"id": "c1", "function": {"name": "search", "arguments": arguments}}]})

    assert message.tool_calls == []
    assert message.invalid_tool_calls[0]["args"] == arguments
    assert message.invalid_tool_calls[0]["error"]


@pytest.mark.parametrize(
    "given",
    [3, None, b"x", {}, {"role": "usr", "content": "x"}, {"role": 3}, ("x", "y", "z"), object(), {"content": "x"}],
    ids=lambda value: type(value).__name__,
)
def test_what_is_no_message_is_refused(given):
    with pytest.raises(InvalidMessageError):
        read_message(given)


def test_the_hint_names_the_nearest_role():
    with pytest.raises(InvalidMessageError, match="'user'"):
        read_message({"role": "usr", "content": "x"})


def test_one_message_and_lists_and_tuples_are_read():
    expected = [HumanMessage("a"), AIMessage("b")]

    assert read_messages("a") == expected[:1]
    assert read_messages(("user", "a")) == expected[:1]
    assert read_messages(["a", ("ai", "b")]) == expected
    assert read_messages((HumanMessage("a"), ("ai", "b"))) == expected


def test_a_list_of_messages_is_passed_on_as_it_is():
    messages = [HumanMessage("a"), AIMessage("b")]

    assert read_messages(messages) is messages


def test_two_calls_with_one_id_are_both_kept():
    message = read_message({"role": "assistant", "tool_calls": [CALL, {**CALL, "name": "look"}]})

    assert [call["name"] for call in message.tool_calls] == ["search", "look"]


def test_a_call_that_is_also_a_block_of_the_content_is_one_call():
    message = read_message({"role": "assistant", "content": [CALL_OF_ANTHROPIC], "tool_calls": [CALL]})

    assert (message.content, message.tool_calls) == ([], [CALL])
