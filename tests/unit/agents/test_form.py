"""Answers' schemas for tools with unusual parameters."""

from __future__ import annotations

from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, Field

from graphkit.agents import Review, digest_of
from graphkit.agents.answer import read_answer
from graphkit.agents.form import answer_schema, takes_text
from graphkit.agents.policy import ANSWERS
from graphkit.errors import InvalidAnswerError
from graphkit.messages import ToolCall
from graphkit.runtime.answers import check_answers
from graphkit.tools import tool


class Tree(BaseModel):
    name: str
    branches: list[Tree] = Field(default_factory=list)


@tool(args_schema=Tree)
def plant(**kwargs) -> str:
    """Plant a tree."""
    return str(kwargs)


@tool
def act(action: str, args: dict[str, int]) -> str:
    """Carry out an action."""
    return action


@tool
def mix(tree: Tree | None, amounts: list[int] | str, size: int | None = None, kind: Literal["a", "b"] = "a") -> str:
    """Mix."""
    return kind


def read(answer, tool_, args, allowed):
    """Read an answer; None if it is refused."""
    try:
        return read_answer(answer, {"name": tool_.name, "args": args, "id": "c"}, allowed, review=Review(), tool=tool_, state=None)
    except InvalidAnswerError:
        return None


def taken(answer, tool_, args, allowed=ANSWERS):
    """Return the verdict of an answer, None if its schema refuses it. Then reading it must not find an approval in it either."""
    verdict = read(answer, tool_, args, allowed)
    try:
        check_answers([("id", answer_schema({"name": tool_.name, "args": args, "id": "c"}, allowed, tool_.parameters), answer)])
    except InvalidAnswerError:
        assert verdict is None
        return None
    return verdict


def edit(args):
    return {"type": "edit", "args": args}


def test_arguments_that_refer_to_themselves_are_checked_to_the_bottom():
    good = {"name": "oak", "branches": [{"name": "left", "branches": [{"name": "twig", "branches": []}]}]}
    bad = {"name": "oak", "branches": [{"name": "left", "branches": [{"title": "twig"}]}]}

    assert taken(edit(good), plant, {"name": "elm"}).args == good
    assert taken(edit({**good, "branches": '[{"name": "left"}]'}), plant, {"name": "elm"}).args["branches"] == [{"name": "left"}]
    assert taken(edit(bad), plant, {"name": "elm"}) is None
    assert taken(edit({**good, "branches": '[{"title": "left"}]'}), plant, {"name": "elm"}) is None


def test_a_tool_whose_arguments_look_like_an_action_is_edited_as_an_action():
    shown = {"action": "move", "args": {"x": 1}}
    changed = {"action": "turn", "args": {"x": 2}}

    assert taken(edit({"action": "act", "args": changed}), act, shown).args == changed
    assert taken(edit({"action": "act", "args": {**changed, "args": '{"x": 2}'}}), act, shown).args == changed
    assert taken(edit(changed), act, shown) is None
    assert taken({"type": "accept", "args": shown}, act, shown).type == "accept"
    assert taken({"type": "accept", "args": {"action": "act", "args": shown}}, act, shown).type == "accept"
    assert taken({"type": "accept", "args": {"action": "act", "args": changed}}, act, shown) is None


def test_text_is_read_as_json_only_where_text_cannot_be_meant():
    shown = {"tree": None, "amounts": "[1]"}

    assert taken(edit({"tree": '{"name": "oak"}', "amounts": "[1, 2]", "size": "3", "kind": "b"}), mix, shown).args == {
        "tree": {"name": "oak"},
        "amounts": "[1, 2]",
        "size": 3,
        "kind": "b",
    }
    assert taken(edit({"tree": "null", "amounts": [1]}), mix, shown).args == {"tree": None, "amounts": [1]}
    assert taken(edit({"tree": "oak", "amounts": [1]}), mix, shown) is None
    assert taken(edit({"tree": None, "amounts": [1], "kind": '"b"'}), mix, shown) is None
    assert taken(edit({"tree": None, "amounts": [1], "size": "3.5"}), mix, shown) is None


def test_without_a_tool_any_arguments_will_do_but_no_other_tool():
    call: ToolCall = {"name": "anything", "args": {"a": 1}, "id": "c"}
    schema = answer_schema(call, ANSWERS)

    check_answers([("id", schema, edit({"b": [2]})), ("id", schema, edit({"action": "anything", "args": {}}))])
    with pytest.raises(InvalidAnswerError):
        check_answers([("id", schema, edit({"action": "else", "args": {}}))])


def test_an_edit_that_changes_nothing_is_an_approval_where_one_is_taken():
    shown = {"action": "move", "args": {"x": 1}}
    call: ToolCall = {"name": "act", "args": shown, "id": "c"}

    assert taken(edit({"action": "act", "args": shown}), act, shown).type == "accept"
    kept = taken(edit({"action": "act", "args": shown}), act, shown, frozenset({"edit"}))
    assert (kept.type, kept.digest) == ("edit", digest_of(call))


@pytest.mark.parametrize("number", ["NaN", "Infinity"])
def test_numbers_that_json_does_not_have_are_no_arguments(number):
    @tool
    def weigh(grams: float) -> str:
        """Weigh."""
        return str(grams)

    call: ToolCall = {"name": "weigh", "args": {"grams": 1.0}, "id": "c"}

    with pytest.raises(InvalidAnswerError):
        read_answer(edit({"grams": number}), call, ANSWERS, review=Review(), tool=weigh, state=None)


@pytest.mark.parametrize(
    "schema, is_text",
    [
        ({"type": "string"}, True),
        ({}, True),
        (True, True),
        ({"type": "array"}, False),
        ({"type": ["object", "null"]}, False),
        ({"type": ["array", "string"]}, True),
        ({"anyOf": [{"type": "array"}, {"type": "null"}]}, False),
        ({"anyOf": [{"type": "array"}, {"type": "string"}]}, True),
        ({"allOf": [{"$ref": "#/$defs/Tree"}]}, False),
        ({"$ref": "#/$defs/Tree"}, False),
        ({"$ref": "#/$defs/Color"}, True),
        ({"$ref": "#/$defs/Unknown"}, True),
        ({"enum": [1, 2]}, False),
        ({"enum": ["a", 2]}, True),
        ({"const": "a"}, True),
        ({"const": 1}, False),
    ],
    ids=str,
)
def test_which_parameters_take_text(schema, is_text):
    assert takes_text(schema, {"Tree": {"type": "object"}, "Color": {"enum": ["red"]}}) == is_text


def test_the_wording_of_a_tool_is_no_part_of_the_question():
    def remark(title: Annotated[str, "how it begins"], description: dict[str, int], default: Literal["title"] = "title") -> str:
        """Remark."""
        return title

    def remark_again(title: str, description: Annotated[dict[str, int], "more"], default: Literal["title"] = "title") -> str:
        """Remark at length."""
        return title

    call: ToolCall = {"name": "remark", "args": {"title": "a", "description": {"title": 1}, "default": "title"}, "id": "c"}
    first, second = (answer_schema(call, ANSWERS, tool("remark")(made).parameters) for made in (remark, remark_again))

    assert first == second
    assert first["$defs"]["edited-args"]["properties"].keys() == {"title", "description", "default"}
    check_answers([("id", first, edit({"title": "b", "description": {"default": 2}}))])


def test_the_schema_of_an_answer_is_the_same_in_every_process():
    call: ToolCall = {"name": "mix", "args": {"tree": None, "amounts": [1]}, "id": "c"}
    orders = [frozenset(sorted(ANSWERS, reverse=is_reversed)) for is_reversed in (False, True)]

    first, second = (str(answer_schema(call, allowed, mix.parameters)) for allowed in orders)

    assert first == second
    assert first.index("accept") < first.index("edit") < first.index("response") < first.index("ignore")
