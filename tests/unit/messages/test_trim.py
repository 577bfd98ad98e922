from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphkit.errors import InvalidChatHistoryError, InvalidConfigError
from graphkit.messages import (
    AIMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
    check_history,
    count_tokens_approximately,
    last_ai_message,
    trim_messages,
)

CALL = AIMessage("", id="a", tool_calls=[{"name": "f", "args": {}, "id": "c1"}, {"name": "g", "args": {}, "id": "c2"}])
RESULTS = [ToolMessage("1", tool_call_id="c1"), ToolMessage("2", tool_call_id="c2")]
TALK = [SystemMessage("be kind"), HumanMessage("one"), AIMessage("two"), HumanMessage("three"), CALL, *RESULTS, AIMessage("four")]


def texts(messages):
    return [message.text for message in messages]


def test_the_last_messages_that_fit_are_kept():
    assert texts(trim_messages(TALK, max_tokens=1, token_counter=len)) == ["four"]
    assert trim_messages(TALK, max_tokens=99, token_counter=len) == TALK


def test_the_system_message_is_kept_if_it_is_asked_for():
    assert texts(trim_messages(TALK, max_tokens=2, token_counter=len, include_system=True)) == ["be kind", "four"]


def test_the_first_messages_that_fit_are_kept():
    assert texts(trim_messages(TALK, max_tokens=2, token_counter=len, strategy="first")) == ["be kind", "one"]


@pytest.mark.parametrize("start_on", ["human", HumanMessage, ["human", "system"]])
def test_the_result_begins_with_the_kind_that_is_asked_for(start_on):
    trimmed = trim_messages(TALK, max_tokens=6, token_counter=len, start_on=start_on)

    assert trimmed == TALK[3:]


def test_the_result_ends_with_the_kind_that_is_asked_for():
    assert texts(trim_messages(TALK, max_tokens=99, token_counter=len, end_on="human"))[-1] == "three"
    assert texts(trim_messages(TALK, max_tokens=3, token_counter=len, strategy="first", end_on="human"))[-1] == "one"


def test_tool_messages_whose_call_was_cut_off_are_cut_off_too():
    assert trim_messages(TALK, max_tokens=2, token_counter=len) == TALK[-1:]


def test_a_call_whose_tool_messages_were_cut_off_is_cut_off_with_the_rest_of_them():
    assert trim_messages(TALK, max_tokens=6, token_counter=len, strategy="first") == TALK[:4]


def test_a_call_that_nobody_has_answered_yet_is_kept():
    assert trim_messages([HumanMessage("a"), CALL], max_tokens=5, token_counter=len) == [HumanMessage("a"), CALL]


def test_nothing_fits_into_nothing():
    assert trim_messages(TALK, max_tokens=0, token_counter=len) == []
    assert trim_messages([], max_tokens=5, token_counter="approximate") == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"max_tokens": -1},
        {"max_tokens": 1.5},
        {"strategy": "middle"},
        {"start_on": "robot"},
        {"end_on": int},
        {"strategy": "first", "include_system": True},
        {"strategy": "first", "start_on": "human"},
    ],
    ids=str,
)
def test_options_that_make_no_sense_are_refused(wrong):
    with pytest.raises(InvalidConfigError):
        trim_messages(TALK, **{"max_tokens": 5, "token_counter": len, **wrong})


@given(st.integers(0, 120), st.sampled_from(["first", "last"]), st.booleans())
def test_what_is_kept_fits_is_in_order_and_is_a_history_that_providers_accept(most, strategy, system):
    trimmed = trim_messages(
        TALK, max_tokens=most, token_counter="approximate", strategy=strategy, include_system=system and strategy == "last"
    )

    rest = trimmed if not (system and strategy == "last") else trimmed[1:]
    assert count_tokens_approximately(rest) <= most
    assert [message for message in TALK if message in trimmed] == trimmed
    check_history(trimmed)
    called = {call["id"] for message in trimmed if isinstance(message, AIMessage) for call in message.tool_calls}
    assert {message.tool_call_id for message in trimmed if isinstance(message, ToolMessage)} == called


def test_tokens_are_estimated_from_what_a_message_says():
    assert count_tokens_approximately([]) == 0
    assert count_tokens_approximately(["a" * 40]) == 13
    assert count_tokens_approximately([HumanMessage([{"type": "image", "url": "u"}])]) == 88
    assert count_tokens_approximately([CALL]) > count_tokens_approximately([AIMessage("")])


def test_a_call_without_its_tool_message_is_named():
    with pytest.raises(InvalidChatHistoryError, match=r"g \(c2\)") as found:
        check_history([CALL, RESULTS[0]])

    assert found.value.facts["tool_call_ids"] == ("c2",)


def test_the_last_ai_message_is_found():
    assert last_ai_message(TALK).text == "four"
    assert last_ai_message([HumanMessage("a")]) is None
