# mypy: disable-error-code="arg-type, attr-defined, call-overload, comparison-overlap, has-type, index"
# mypy: disable-error-code="list-item, misc, typeddict-item, typeddict-unknown-key"
# Values of the wrong type, and values of any type that come back, are what these tests are about.
from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from graphkit.messages import AIMessageChunk, gather


def piece(index, args, id=None, name=None):
    return AIMessageChunk(tool_call_chunks=[{"index": index, "id": id, "name": name, "args": args}])


def test_pieces_of_text_make_one_text():
    assert gather([AIMessageChunk("he", id="1"), AIMessageChunk("llo")]).content == "hello"
    assert (AIMessageChunk("he", id="1") + AIMessageChunk("llo", id="2")).id == "1"


def test_reasoning_and_text_become_blocks_in_their_order():
    message = gather(
        [
            AIMessageChunk([{"type": "reasoning", "reasoning": "let ", "index": 0}]),
            AIMessageChunk([{"type": "reasoning", "reasoning": "me", "index": 0, "extras": {"signature": "s"}}]),
            AIMessageChunk("an"),
            AIMessageChunk("swer"),
        ]
    )

    assert message.content == [
        {"type": "reasoning", "reasoning": "let me", "index": 0, "extras": {"signature": "s"}},
        {"type": "text", "text": "answer"},
    ]


def test_blocks_of_another_index_stay_apart():
    message = gather(
        [AIMessageChunk([{"type": "text", "text": "a", "index": 0}]), AIMessageChunk([{"type": "text", "text": "b", "index": 1}])]
    )

    assert [block["text"] for block in message.content] == ["a", "b"]


def test_pieces_of_several_calls_may_arrive_mixed():
    message = gather([piece(0, '{"q"', "c1", "search"), piece(1, "", "c2", "look"), piece(0, ': "x"}'), piece(1, '{"at": 1}')])

    assert message.tool_calls == [{"name": "search", "args": {"q": "x"}, "id": "c1"}, {"name": "look", "args": {"at": 1}, "id": "c2"}]


def test_a_call_that_breaks_off_is_kept_as_invalid():
    message = gather([piece(0, '{"q": "x', "c1", "search"), piece(1, "", "c2", "done")])

    assert [call["id"] for call in message.tool_calls] == ["c2"]
    assert message.invalid_tool_calls[0]["args"] == '{"q": "x'


def test_usage_is_added_up_and_metadata_is_merged():
    usage = {"input_tokens": 3, "output_tokens": 1, "total_tokens": 4, "input_token_details": {"cache_read": 2}}

    message = gather(
        [
            AIMessageChunk("a", usage_metadata=usage, response_metadata={"model": "m"}),
            AIMessageChunk("b", usage_metadata=usage, response_metadata={"stop_reason": "end"}),
        ]
    )

    assert message.usage_metadata == {"input_tokens": 6, "output_tokens": 2, "total_tokens": 8, "input_token_details": {"cache_read": 4}}
    assert message.response_metadata == {"model": "m", "stop_reason": "end"}


def test_no_pieces_are_an_empty_message():
    assert gather([]).content == ""


@given(
    st.lists(st.text(max_size=5), max_size=8),
    st.dictionaries(st.text(max_size=3), st.integers() | st.text(max_size=3), max_size=3),
    st.data(),
)
def test_it_does_not_matter_where_an_answer_is_cut(words, args, data):
    text = json.dumps(args)
    cut = data.draw(st.integers(0, len(text)))
    chunks = [*map(AIMessageChunk, words), piece(0, text[:cut], "c", "f"), piece(0, text[cut:])]

    whole = gather(chunks)
    added = sum(chunks[1:], start=chunks[0]) if chunks else AIMessageChunk()

    assert whole == gather([added])
    assert whole.text == "".join(words)
    assert whole.tool_calls == [{"name": "f", "args": args, "id": "c"}]
