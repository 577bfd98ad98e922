"""Which answers a review takes, and state classes that get more keys."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Annotated, Any, get_type_hints

import pytest
from pydantic import BaseModel
from typing_extensions import TypedDict

from graphkit import add_messages
from graphkit.agents import AgentState, Review, Reviews
from graphkit.agents.policy import ANSWERS
from graphkit.agents.state import Key, extended, value_of, with_messages
from graphkit.errors import InvalidConfigError, InvalidSchemaError, UnknownToolError
from graphkit.messages import ToolCall

CALL: ToolCall = {"name": "send", "args": {}, "id": "c"}


@pytest.mark.parametrize(
    "like, allowed",
    [
        (True, ANSWERS),
        (["accept"], {"accept"}),
        (("edit", "ignore"), {"edit", "ignore"}),
        (frozenset({"response"}), {"response"}),
        (Review(), ANSWERS),
        (Review(["accept"]), {"accept"}),
        (Review(lambda call, state: [state]), {"edit"}),
        (Review(lambda call, state: True), ANSWERS),
    ],
)
def test_the_forms_of_what_is_allowed(like, allowed):
    assert Reviews({"send": like}).tools["send"].allowed(CALL, "edit") == allowed


@pytest.mark.parametrize("wrong", [False, None, [], "accept", ["agree"], {"accept": True}, 5, lambda call, state: True])
def test_anything_else_is_refused(wrong):
    with pytest.raises(InvalidConfigError):
        Reviews({"send": wrong})


@pytest.mark.parametrize("found", [[], ["agree"], None], ids=repr)
def test_a_function_that_allows_nothing_known_is_refused_when_it_is_called(found):
    with pytest.raises(InvalidConfigError, match="send"):
        Review(lambda call, state: found).allowed(CALL, None)


@pytest.mark.parametrize("options", [{"on_ignore": "some"}, {"max_redrafts": -1}], ids=str)
def test_options_that_do_not_exist_are_refused(options):
    with pytest.raises(InvalidConfigError):
        Reviews({"send": True}, **options)


def test_a_tool_that_is_not_there_cannot_be_reviewed():
    with pytest.raises(UnknownToolError, match=r"Did you mean 'send'\?"):
        Reviews({"sned": True}).require_known(["send", "look"])


class Mood(AgentState):
    mood: str


@dataclass(frozen=True)
class Frozen:
    messages: Annotated[list[Any], add_messages]
    mood: str = "fine"


class Model(BaseModel):
    messages: Annotated[list[Any], add_messages]
    mood: str = "fine"


MESSAGES: list[Any] = [2]
MORE = {"mood": Key(int, int), "marks": Key(dict[str, int], dict)}


@pytest.mark.parametrize("schema", [Mood, Frozen, Model])
def test_keys_are_added_and_those_that_are_there_stay(schema):
    made = extended(schema, MORE)

    hints = get_type_hints(made, include_extras=True)
    assert (hints["mood"], hints["marks"]) == (str, dict[str, int])
    assert hints["messages"] == get_type_hints(schema, include_extras=True)["messages"]
    assert made.__name__ == schema.__name__


def test_a_state_that_has_everything_is_taken_as_it_is():
    assert extended(Mood, {"mood": MORE["mood"]}) is Mood


def test_added_keys_have_values_from_the_start_where_others_have():
    assert extended(Frozen, MORE)([]).marks == {}
    assert extended(Model, MORE)(messages=[]).marks == {}
    assert [item.name for item in fields(extended(Frozen, MORE))] == ["messages", "mood", "marks"]


@pytest.mark.parametrize("state", [{"messages": [1], "mood": "x"}, Frozen([1], "x"), Model(messages=[1], mood="x")], ids=type)
def test_states_are_read_and_copied_whatever_class_they_are(state):
    other = with_messages(state, "messages", MESSAGES)

    assert (value_of(other, "messages"), value_of(other, "mood"), value_of(other, "none", 3)) == (MESSAGES, "x", 3)
    assert value_of(state, "messages") == [1]
    assert type(other) is type(state)


class NoMessages(TypedDict):
    mood: str


class NotAState:
    messages: list[Any]


@dataclass
class Unresolved:
    messages: Nowhere = field(default_factory=list)  # type: ignore[name-defined]  # noqa: F821


@pytest.mark.parametrize("schema", [NoMessages, NotAState, Unresolved, int], ids=repr)
def test_what_is_no_state_of_an_agent_is_refused(schema):
    with pytest.raises(InvalidSchemaError):
        extended(schema, MORE)
