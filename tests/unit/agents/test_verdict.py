"""The hash of a call, and the refusal of a call whose hash is another one: every byte counts."""

from __future__ import annotations

import asyncio
import json
import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphkit import AIMessage, ToolMessage
from graphkit.agents import SettleNode, Verdict, digest_of
from graphkit.agents.verdict import is_json
from graphkit.errors import ActionChangedError
from graphkit.tools import tool

ARGS = {"to": "ada@example.org", "cc": [], "text": "Hello,\nAda", "copies": 2, "urgent": False, "weight": 1.5, "tags": {"a": None}}
JSON = (
    st.recursive(st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(), st.lists)
    | st.text()
)
ARGUMENTS = st.dictionaries(st.text(max_size=5), JSON, max_size=4)


def call(args, name="send", identity="c"):
    return {"name": name, "args": args, "id": identity}


def mutations(args):
    """Return all arguments whose JSON text differs from that of ``args`` in one character, or by one that is missing or too many."""
    text = json.dumps(args)
    for place in range(len(text) + 1):
        for changed in (
            text[:place] + text[place + 1 :],
            *[text[:place] + new + text[place + 1 :] for new in '0a ,"1}'],
            text[:place] + "0" + text[place:],
        ):
            try:
                read = json.loads(changed)
            except ValueError:
                continue
            if isinstance(read, dict) and json.dumps(read) != text:
                yield read


def test_the_hash_does_not_depend_on_the_order_of_arguments():
    assert digest_of(call({"a": 1, "b": {"c": 2, "d": 3}})) == digest_of(call({"b": {"d": 3, "c": 2}, "a": 1}))


@pytest.mark.parametrize(
    "one, other",
    [
        ({"a": 1}, {"a": 1.0}),
        ({"a": 1}, {"a": True}),
        ({"a": 1}, {"a": "1"}),
        ({"a": None}, {}),
        ({"a": ""}, {"a": None}),
        ({"a": [1, 2]}, {"a": [2, 1]}),
        ({"a": []}, {"a": {}}),
        ({"a": "é"}, {"a": "e\u0301"}),
        ({"a,b": 1}, {"a": 1}),
    ],
    ids=str,
)
def test_what_differs_has_another_hash(one, other):
    assert digest_of(call(one)) != digest_of(call(other))


def test_the_tool_is_part_of_the_hash_and_the_id_is_not():
    assert digest_of(call(ARGS)) != digest_of(call(ARGS, "sent"))
    assert digest_of(call(ARGS)) == digest_of(call(ARGS, identity="d"))


@given(ARGUMENTS, ARGUMENTS)
def test_only_the_same_arguments_have_the_same_hash(one, other):
    same = json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)

    assert (digest_of(call(one)) == digest_of(call(other))) == same


@pytest.mark.parametrize("value", [math.nan, math.inf, (1,), {1}, b"x", {1: 2}, {"a": [object()]}])
def test_what_json_does_not_have_is_told_apart(value):
    assert not is_json({"a": value})


@given(ARGUMENTS)
def test_what_json_has_is_json(args):
    assert is_json(args)


@pytest.fixture
def office():
    done = []

    @tool
    def send(
        to: str, text: str, *, cc: list[str], copies: int = 1, urgent: bool = False, weight: float = 1.0, tags: dict | None = None
    ) -> str:
        """Send a mail."""
        done.append(to)
        return "sent"

    @tool
    def look(day: str = "") -> str:
        """Look up a day."""
        done.append(day)
        return "free"

    return SettleNode({"send": True}, [send, look]), done


def state(args, verdict, *more):
    return {"messages": [AIMessage(tool_calls=[*more, call(args)], id="m")], "verdicts": {"c": verdict} if verdict else {}}


APPROVED = Verdict("c", "send", "accept", digest_of(call(ARGS)), ARGS)


def test_an_approved_call_runs(office):
    node, done = office

    update = node.invoke(state(ARGS, APPROVED))

    assert [message.text for message in update["messages"]] == ["sent"]
    assert done == ["ada@example.org"]


def test_a_change_of_any_byte_of_the_arguments_is_refused(office):
    node, done = office
    changed = list(mutations(ARGS))

    for args in changed:
        with pytest.raises(ActionChangedError):
            node.invoke(state(args, APPROVED, call({"day": "Monday"}, "look", "l")))
        with pytest.raises(ActionChangedError):
            asyncio.run(node.ainvoke(state(args, APPROVED)))
    assert len(changed) > 300
    assert done == []


@pytest.mark.parametrize(
    "verdict",
    [
        None,
        replace(APPROVED, digest=digest_of(call({**ARGS, "to": "eve"}))),
        replace(APPROVED, digest=""),
        replace(APPROVED, tool="look"),
        replace(APPROVED, call_id="d"),
    ],
    ids=["none", "of other arguments", "empty", "of another tool", "of another call"],
)
def test_an_approval_that_is_not_for_this_call_is_refused(office, verdict):
    node, done = office

    with pytest.raises(ActionChangedError):
        node.invoke(state(ARGS, verdict))
    assert done == []


def test_a_reviewed_call_cannot_pass_as_one_of_a_tool_without_review(office):
    node, done = office
    disguised = {"messages": [AIMessage(tool_calls=[call({"day": "x"}, "look")], id="m")], "verdicts": {"c": APPROVED}}

    with pytest.raises(ActionChangedError):
        node.invoke(disguised)
    assert done == []


def test_a_call_that_has_its_tool_message_already_is_left_alone(office):
    node, done = office
    answered = state(ARGS, None)
    answered["messages"].append(ToolMessage("by hand", "c"))

    assert node.invoke(answered) == {"messages": []}
    assert done == []
