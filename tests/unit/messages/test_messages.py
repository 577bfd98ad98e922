# mypy: disable-error-code="arg-type, attr-defined, call-overload, comparison-overlap, has-type, index"
# mypy: disable-error-code="list-item, misc, typeddict-item, typeddict-unknown-key"
# Values of the wrong type, and values of any type that come back, are what these tests are about.
from __future__ import annotations

from dataclasses import FrozenInstanceError, replace

import pytest

from graphkit.errors import InvalidMessageError
from graphkit.messages import AIMessage, HumanMessage, RemoveMessage, SystemMessage, ToolCall, ToolMessage

CALL: ToolCall = {"name": "search", "args": {"q": "x"}, "id": "c1"}


@pytest.mark.parametrize(
    "message, kind",
    [
        (HumanMessage("a"), "human"),
        (AIMessage("a"), "ai"),
        (SystemMessage("a"), "system"),
        (ToolMessage("a", tool_call_id="c"), "tool"),
        (RemoveMessage("a"), "remove"),
    ],
    ids=lambda value: str(value)[:10],
)
def test_a_message_knows_its_type_and_is_frozen(message, kind):
    assert message.type == kind
    with pytest.raises(FrozenInstanceError):
        message.content = "b"


def test_text_is_what_the_text_blocks_say():
    message = AIMessage([{"type": "reasoning", "reasoning": "hm"}, "one ", {"type": "text", "text": "two"}, {"type": "image", "url": "u"}])

    assert message.text == "one two"
    assert message.content[1] == {"type": "text", "text": "one "}


def test_blocks_of_an_ai_message_end_with_its_tool_calls():
    message = AIMessage("look", tool_calls=[CALL])

    assert message.content_blocks == [{"type": "text", "text": "look"}, {**CALL, "type": "tool_call"}]
    assert AIMessage("").content_blocks == []


def test_messages_with_the_same_content_are_equal_and_copies_can_differ():
    message = HumanMessage("a", id="1", name="ada")

    assert message == HumanMessage("a", id="1", name="ada")
    assert message != AIMessage("a", id="1", name="ada")
    assert replace(message, content="b") == HumanMessage("b", id="1", name="ada")


def test_the_stop_reason_is_that_of_the_metadata():
    assert AIMessage("a", response_metadata={"stop_reason": "max_tokens"}).stop_reason == "max_tokens"
    assert AIMessage("a").stop_reason is None


@pytest.mark.parametrize(
    "make",
    [
        lambda: HumanMessage(3),
        lambda: HumanMessage([3]),
        lambda: HumanMessage([{"text": "no type"}]),
        lambda: HumanMessage([{"type": "text"}]),
        lambda: HumanMessage(b"bytes"),
        lambda: HumanMessage("a", id=""),
        lambda: HumanMessage("a", id=7),
        lambda: ToolMessage("a", tool_call_id=""),
        lambda: ToolMessage("a", tool_call_id=None),
        lambda: RemoveMessage(""),
        lambda: AIMessage("a", tool_calls=["search"]),
        lambda: AIMessage("a", tool_calls=[{"name": "search", "args": "x", "id": "1"}]),
        lambda: AIMessage("a", tool_calls=[{"name": "search", "args": {}}]),
        lambda: AIMessage("a", tool_calls=[{"name": "search", "args": {}, "id": ""}]),
    ],
)
def test_what_is_no_message_is_refused_where_it_is_made(make):
    with pytest.raises(InvalidMessageError):
        make()


def test_a_tool_call_keeps_only_what_belongs_to_it():
    message = AIMessage("", tool_calls=[{**CALL, "type": "tool_call", "index": 0}])

    assert message.tool_calls == [CALL]


def test_a_message_is_printed_for_people(capsys):
    AIMessage("Let me see.", name="ada", tool_calls=[CALL]).pretty_print()

    printed = capsys.readouterr().out
    assert printed.splitlines()[0].strip("= ") == "Ai Message"
    assert all(part in printed for part in ("Name: ada", "Let me see.", "search (c1)", "q: x"))
