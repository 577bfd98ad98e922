"""create_react_agent: hooks, structured responses, states of every class, tools in every form, and what is refused."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any

import pytest
from pydantic import BaseModel

from graphkit import Command, HumanMessage, ToolMessage, add_messages
from graphkit.agents import AgentState, create_react_agent
from graphkit.errors import (
    InvalidConfigError,
    InvalidModelError,
    InvalidSchemaError,
    InvalidToolError,
)
from graphkit.models import ScriptedModel
from graphkit.tools import InjectedState, ToolNode, tool
from tests.behaviour.sums import ADD, DOUBLE, Sum, add, calls, double, finish, texts


@pytest.fixture(params=["v1", "v2"])
def version(request):
    return request.param


@pytest.mark.parametrize("form", [Sum, ("Say the sum.", Sum)], ids=["schema", "prompt and schema"])
def test_a_response_of_a_given_form(driver, saver, form):
    model = ScriptedModel([calls(ADD), "Three.", calls(("s", "Sum", {"total": 3}))])
    agent = create_react_agent(model, [add], response_format=form, checkpointer=saver)

    driver.invoke(agent, {"messages": ["Hi"]}, thread_id="t")

    values = driver.get_state(agent, thread_id="t").values
    assert values["structured_response"] == Sum(total=3)
    assert texts(values)[-1] == ("ai", "Three.")
    assert [message.text for message in model.requests[-1].messages][: len(form) - 1 if isinstance(form, tuple) else 0] == (
        ["Say the sum."] if isinstance(form, tuple) else []
    )


def test_a_hook_before_the_model_may_show_it_another_conversation(driver):
    model = ScriptedModel([calls(ADD), "Three."])

    def trim(state):
        return {"llm_input_messages": state["messages"][-2:]} if len(state["messages"]) > 2 else {}

    result = driver.invoke(create_react_agent(model, [add], pre_model_hook=trim, prompt="Be brief."), {"messages": ["Hi"]})

    assert [[message.type for message in request.messages] for request in model.requests] == [["system", "human"], ["system", "ai", "tool"]]
    assert len(result["messages"]) == 4
    assert "llm_input_messages" not in result


def test_what_a_hook_showed_once_is_not_shown_again(driver):
    model = ScriptedModel([calls(ADD), "Three."])
    shown = iter([{"llm_input_messages": [HumanMessage("first")]}, {}])
    agent = create_react_agent(model, [add], pre_model_hook=lambda state: next(shown))

    driver.invoke(agent, {"messages": ["Hi"]})

    assert [[message.text for message in request.messages] for request in model.requests] == [["first"], ["Hi", "", "3"]]


def test_a_hook_after_the_model_may_answer_its_calls(driver, version):
    def refuse(state):
        last = state["messages"][-1]
        return {"messages": [ToolMessage("not today", call["id"], name=call["name"]) for call in last.tool_calls]}

    agent = create_react_agent(ScriptedModel([calls(ADD, DOUBLE), "Well."]), [add, double], post_model_hook=refuse, version=version)

    assert texts(driver.invoke(agent, {"messages": ["Hi"]}))[-3:] == [("tool", "not today"), ("tool", "not today"), ("ai", "Well.")]


def test_tools_see_the_state_with_the_users_own_keys(driver, version):
    class Wallet(AgentState):
        coins: int

    @tool
    def pay(amount: int, coins: Annotated[int, InjectedState("coins")], call_id: str = "") -> Command:
        """Pay."""
        return Command(update={"coins": coins - amount, "messages": [ToolMessage("paid", call_id)]})

    agent = create_react_agent(
        ScriptedModel([calls(("p", "pay", {"amount": 3, "call_id": "p"})), "Paid."]), [pay], state_schema=Wallet, version=version
    )

    assert driver.invoke(agent, {"messages": ["Hi"], "coins": 10})["coins"] == 7


@dataclass
class Plain:
    messages: Annotated[list[Any], add_messages] = field(default_factory=list)
    mood: str = "fine"


class Model(BaseModel):
    messages: Annotated[list[Any], add_messages] = []
    mood: str = "fine"


@pytest.mark.parametrize("schema", [Plain, Model])
@pytest.mark.parametrize("review", [None, {"double": True}], ids=["plain", "reviewed"])
def test_the_state_may_be_any_class_that_has_messages(driver, saver, schema, review, version):
    model = ScriptedModel([calls(ADD, DOUBLE), "Done."])
    agent = create_react_agent(model, [add, double], state_schema=schema, checkpointer=saver, review=review, version=version)

    result = driver.invoke(agent, {"messages": ["Hi"]}, thread_id="t")
    if review:
        result = driver.invoke(agent, Command(resume={"type": "edit", "args": {"a": 5}}), thread_id="t")

    assert [text.split("\n")[0] for _, text in texts(result)] == ["Hi", "", "3", "10" if review else "8", "Done."]
    assert result["mood"] == "fine"


def test_a_tool_node_keeps_what_it_was_made_with(driver):
    @tool
    def fail() -> str:
        """Fail."""
        raise ValueError("no luck")

    agent = create_react_agent(ScriptedModel([calls(("f", "fail", {})), "Well."]), ToolNode([fail], handle_tool_errors=True))

    assert "no luck" in texts(driver.invoke(agent, {"messages": ["Hi"]}))[-2][1]


def test_functions_become_tools_and_dicts_are_only_told_to_the_model(driver):
    def add_one(a: int) -> int:
        """Add one."""
        return a + 1

    search = {"type": "web_search", "name": "web_search"}
    model = ScriptedModel([calls(("1", "add_one", {"a": 1})), "Two."])

    driver.invoke(create_react_agent(model, [add_one, search]), {"messages": ["Hi"]})

    assert [getattr(told, "name", told) for told in model.requests[0].tools] == ["add_one", search]


def test_a_model_that_has_its_tools_keeps_them(driver):
    model = ScriptedModel(["Hi."])
    bound = model.bind_tools([add, double], tool_choice="any")

    driver.invoke(create_react_agent(bound, [add, double]), {"messages": ["Hi"]})

    assert model.requests[0].tool_choice == "any"
    with pytest.raises(InvalidModelError, match="'finish'"):
        create_react_agent(bound, [add, finish])


def test_the_name_of_an_agent_is_on_what_it_says(driver):
    agent = create_react_agent(ScriptedModel(["Hello!"]), [add], name="clerk")

    assert agent.name == "clerk"
    assert driver.invoke(agent, {"messages": ["Hi"]})["messages"][-1].name == "clerk"


@pytest.mark.parametrize(
    "options, error",
    [
        ({"version": "v3"}, InvalidConfigError),
        ({"prompt": 5}, InvalidConfigError),
        ({"tools": [5]}, InvalidToolError),
        ({"model": 5}, InvalidModelError),
        ({"model": "nobody:x"}, InvalidModelError),
        ({"state_schema": int}, InvalidSchemaError),
        ({"review": {"add": ["agree"]}}, InvalidConfigError),
        ({"review": {"add": []}}, InvalidConfigError),
        ({"review": ["add"]}, InvalidConfigError),
    ],
    ids=str,
)
def test_what_is_wrong_is_found_when_the_agent_is_made(options, error):
    with pytest.raises(error):
        create_react_agent(**{"model": ScriptedModel([]), "tools": [add], **options})
