# mypy: disable-error-code="arg-type, attr-defined, call-overload, comparison-overlap, has-type, index"
# mypy: disable-error-code="list-item, misc, typeddict-item, typeddict-unknown-key"
# Values of the wrong type, and values of any type that come back, are what these tests are about.
from __future__ import annotations

import subprocess
import sys

import pytest

from graphkit.errors import DefinitionError, UnserializableValueError
from graphkit.messages import AIMessage, AIMessageChunk, HumanMessage, RemoveMessage, SystemMessage, ToolMessage
from graphkit.serde import Codec

EVERYTHING = [
    HumanMessage("hi", id="1", name="ada", additional_kwargs={"at": (1, 2)}),
    AIMessage(
        [{"type": "reasoning", "reasoning": "hm", "extras": {"signature": b"s"}}, {"type": "text", "text": "yes"}],
        id="2",
        tool_calls=[{"name": "f", "args": {"q": [1, None]}, "id": "c1"}],
        invalid_tool_calls=[{"name": "g", "args": "{", "id": "c2", "error": "no JSON"}],
        usage_metadata={"input_tokens": 1, "output_tokens": 2, "total_tokens": 3},
        response_metadata={"model": "m"},
    ),
    SystemMessage("be kind"),
    ToolMessage("r", tool_call_id="c1", status="error", artifact={"rows": {1, 2}}),
    RemoveMessage("9"),
    AIMessageChunk("pie", tool_call_chunks=[{"index": 0, "id": "c", "name": None, "args": "{"}]),
    AIMessage(),
]


def test_every_codec_knows_messages_and_they_come_back_as_they_went():
    stored = Codec().encode({"messages": EVERYTHING})

    found = Codec().decode(stored)["messages"]

    assert found == EVERYTHING
    assert [type(message) for message in found] == [type(message) for message in EVERYTHING]
    assert found[1].tool_calls is not EVERYTHING[1].tool_calls


def test_a_message_costs_little_more_than_its_content_and_id():
    message = HumanMessage("x" * 200, id="0" * 36)

    assert len(Codec().encode(message)) - 236 < 50


def test_two_empty_messages_that_come_back_do_not_share_their_lists():
    one, other = Codec().decode(Codec().encode([AIMessage(), AIMessage()]))

    assert one.tool_calls is not other.tool_calls


def test_a_codec_imports_messages_only_when_it_meets_one():
    code = """
import sys
from graphkit.serde import Codec
record = Codec().encode({"a": [1]})
Codec().decode(record)
print("graphkit.messages" in sys.modules)
"""

    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


def test_a_process_that_never_imported_messages_reads_them():
    stored = Codec().encode(EVERYTHING[0])

    code = f"from graphkit.serde import Codec; print(type(Codec().decode({stored!r})).__name__)"

    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "HumanMessage\n"


def test_nobody_else_can_have_the_tags_of_messages():
    class Human:
        pass

    with pytest.raises(DefinitionError):
        Codec().register(type("Person", (dict,), {}), tag="human")


def test_what_cannot_be_stored_in_a_message_is_named_by_its_path():
    with pytest.raises(UnserializableValueError) as found:
        Codec().encode([HumanMessage("a", additional_kwargs={"x": object()})])

    assert "additional_kwargs" in str(found.value.facts["path"])
