"""create_react_agent: a model that calls tools until it has an answer."""

from __future__ import annotations

from typing import Any

import pytest

from graphkit import AIMessage, Command, HumanMessage, Runtime, SystemMessage, ToolMessage, interrupt
from graphkit.agents import AgentState, create_react_agent
from graphkit.errors import (
    InvalidChatHistoryError,
    InvalidModelError,
    ModelUnavailableError,
)
from graphkit.messages import InvalidToolCall
from graphkit.models import ScriptedModel
from graphkit.tools import tool
from tests.behaviour.sums import ADD, DOUBLE, Sum, add, calls, double, finish, texts


@pytest.fixture(params=["v1", "v2"])
def version(request):
    return request.param


def test_the_model_calls_tools_until_it_has_an_answer(driver, version):
    model = ScriptedModel([calls(ADD, DOUBLE), calls(("3", "add", {"a": 3, "b": 8})), "It is 11."])
    agent = create_react_agent(model, [add, double], version=version)

    result = driver.invoke(agent, {"messages": [("user", "What is 1 + 2 + 4 * 2?")]})

    assert texts(result) == [
        ("human", "What is 1 + 2 + 4 * 2?"),
        ("ai", ""),
        ("tool", "3"),
        ("tool", "8"),
        ("ai", ""),
        ("tool", "11"),
        ("ai", "It is 11."),
    ]
    assert [spec.name for spec in model.requests[0].tools] == ["add", "double"]
    assert [message.type for message in model.requests[1].messages] == ["human", "ai", "tool", "tool"]


def test_an_answer_in_words_ends_the_run(driver):
    agent = create_react_agent(ScriptedModel(["Hello!"]), [add])

    assert texts(driver.invoke(agent, {"messages": ["Hi"]})) == [("human", "Hi"), ("ai", "Hello!")]


def test_an_agent_needs_no_tools(driver):
    agent = create_react_agent(ScriptedModel(["Hello!"]), [])

    assert texts(driver.invoke(agent, {"messages": ["Hi"]}))[-1] == ("ai", "Hello!")


def prompt_function(state):
    return [SystemMessage(f"{len(state['messages'])} so far"), *state["messages"]]


@pytest.mark.parametrize(
    "prompt, first", [("Be brief.", "Be brief."), (SystemMessage("Be kind."), "Be kind."), (prompt_function, "1 so far")], ids=type
)
def test_the_prompt_comes_before_the_conversation_and_is_not_part_of_it(driver, prompt, first):
    model = ScriptedModel(["Hello!"])
    result = driver.invoke(create_react_agent(model, [add], prompt=prompt), {"messages": ["Hi"]})

    assert [message.text for message in model.requests[0].messages] == [first, "Hi"]
    assert texts(result) == [("human", "Hi"), ("ai", "Hello!")]


def test_a_function_may_choose_the_model(driver):
    class Wish(AgentState):
        loud: bool

    quiet, loud = ScriptedModel(["hello"]), ScriptedModel(["HELLO"])

    def choose(state: Wish, runtime: Runtime[dict[str, Any]]):
        return (loud if state["loud"] else quiet).bind_tools(runtime.context["tools"])

    agent = create_react_agent(choose, [add], state_schema=Wish, context_schema=dict)

    assert texts(driver.invoke(agent, {"messages": ["Hi"], "loud": True}, context={"tools": [add]}))[-1] == ("ai", "HELLO")
    assert [spec.name for spec in loud.requests[0].tools] == ["add"]


def test_functions_for_model_and_prompt_may_be_coroutine_functions(driver):
    async def choose(state, runtime):
        return ScriptedModel(["Hello!"])

    async def prompt(state):
        return state["messages"]

    agent = create_react_agent(choose, [add], prompt=prompt)

    if driver.is_async:
        assert texts(driver.invoke(agent, {"messages": ["Hi"]}))[-1] == ("ai", "Hello!")
    else:
        with pytest.raises(InvalidModelError, match="coroutine function"):
            driver.invoke(agent, {"messages": ["Hi"]})


def test_a_tool_that_returns_directly_has_the_last_word(driver, version):
    agent = create_react_agent(ScriptedModel([calls(("1", "finish", {"word": "end"}))]), [add, finish], version=version)

    assert texts(driver.invoke(agent, {"messages": ["Hi"]}))[-1] == ("tool", "end")


def test_a_tool_that_returns_directly_ends_the_run_of_its_siblings_too(driver, version):
    agent = create_react_agent(ScriptedModel([calls(ADD, ("2", "finish", {"word": "end"}))]), [add, finish], version=version)

    assert texts(driver.invoke(agent, {"messages": ["Hi"]}))[-2:] == [("tool", "3"), ("tool", "end")]


def test_a_direct_tool_that_was_called_wrongly_gives_the_model_another_try(driver, version):
    model = ScriptedModel([calls(("1", "finish", {"wrod": "end"})), calls(("2", "finish", {"word": "end"}))])

    result = driver.invoke(create_react_agent(model, [finish], version=version), {"messages": ["Hi"]})

    assert [message.status for message in result["messages"] if isinstance(message, ToolMessage)] == ["error", "success"]


def test_what_cannot_be_called_the_model_is_told_about(driver, version):
    unreadable = InvalidToolCall(name="add", args='{"a": 1', id="x", error="truncated")
    first = AIMessage(
        tool_calls=calls(("1", "sub", {}), ("2", "add", {"a": "one", "b": 2}), ("3", "add", {"a": 1, "b": 1})),
        invalid_tool_calls=[unreadable],
    )
    agent = create_react_agent(ScriptedModel([first, "Two."]), [add], version=version)

    result = driver.invoke(agent, {"messages": ["Hi"]})

    answers = [message for message in result["messages"] if isinstance(message, ToolMessage)]
    assert [(answer.tool_call_id, answer.status) for answer in answers] == [
        ("1", "error"),
        ("2", "error"),
        ("3", "success"),
        ("x", "error"),
    ]
    assert "truncated" in answers[-1].text
    assert texts(result)[-1] == ("ai", "Two.")


def test_a_call_that_cannot_be_read_at_all_does_not_end_the_run(driver, version):
    unreadable = InvalidToolCall(name="add", args='{"a": 1', id="x", error="truncated")
    agent = create_react_agent(ScriptedModel([AIMessage(invalid_tool_calls=[unreadable]), "Sorry."]), [add], version=version)

    assert [kind for kind, _ in texts(driver.invoke(agent, {"messages": ["Hi"]}))] == ["human", "ai", "tool", "ai"]


@pytest.mark.parametrize("limit, ends", [(2, "Sorry, need more steps to process this request."), (3, "Three.")])
def test_with_too_few_steps_left_the_model_does_not_call_tools(driver, version, limit, ends):
    agent = create_react_agent(ScriptedModel([calls(ADD), "Three."]), [add], version=version)

    result = driver.invoke(agent, {"messages": ["Hi"]}, recursion_limit=limit)

    assert texts(result)[-1] == ("ai", ends)
    assert not result["messages"][1].tool_calls if limit == 2 else result["messages"][1].tool_calls


@pytest.mark.parametrize("limit", [7, 8])
def test_every_node_that_is_still_to_run_counts_among_the_steps(driver, limit):
    model = ScriptedModel(
        [calls(ADD), "Three.", calls(("s", "Sum", {"total": 3}))] if limit == 8 else [calls(ADD), calls(("s", "Sum", {"total": 0}))]
    )
    hooks: Any = {"pre_model_hook": lambda state: {}, "post_model_hook": lambda state: {}}
    agent = create_react_agent(model, [add], response_format=Sum, **hooks)

    result = driver.invoke(agent, {"messages": ["Hi"]}, recursion_limit=limit)

    # before, model, after, tools, before, model, after, response
    assert texts(result)[-1][1] == ("Three." if limit == 8 else "Sorry, need more steps to process this request.")
    assert result["structured_response"] == Sum(total=3 if limit == 8 else 0)


def test_a_direct_tool_may_use_the_last_step(driver):
    agent = create_react_agent(ScriptedModel([calls(("1", "finish", {"word": "end"}))]), [finish])

    assert texts(driver.invoke(agent, {"messages": ["Hi"]}, recursion_limit=2))[-1] == ("tool", "end")


def test_a_conversation_with_an_open_call_is_refused_before_the_model_is_asked(driver):
    model = ScriptedModel(["Hello!"])
    conversation = [HumanMessage("Hi"), AIMessage(tool_calls=calls(ADD)), HumanMessage("Well?")]

    with pytest.raises(InvalidChatHistoryError):
        driver.invoke(create_react_agent(model, [add]), {"messages": conversation})
    assert model.requests == []


def test_an_error_of_the_model_ends_the_run_and_the_thread_goes_on_from_there(driver, saver):
    model = ScriptedModel([calls(ADD), ModelUnavailableError("down"), "Three."])
    agent = create_react_agent(model, [add], checkpointer=saver)

    with pytest.raises(ModelUnavailableError):
        driver.invoke(agent, {"messages": ["Hi"]}, thread_id="t")
    result = driver.invoke(agent, None, thread_id="t")

    assert texts(result) == [("human", "Hi"), ("ai", ""), ("tool", "3"), ("ai", "Three.")]


def test_questions_of_tools_called_side_by_side_are_answered_in_any_order(driver, saver, version):
    done = []

    @tool
    def confirm(what: str) -> str:
        """Confirm."""
        done.append((what, interrupt(what)))
        return what

    model = ScriptedModel(
        [calls(("1", "confirm", {"what": "a"}), ("2", "confirm", {"what": "b"}), ("3", "add", {"a": 1, "b": 1})), "Done."]
    )
    agent = create_react_agent(model, [confirm, add], checkpointer=saver, version=version)
    asked = driver.invoke(agent, {"messages": ["Hi"]}, thread_id="t")["__interrupt__"]

    driver.invoke(agent, Command(resume={asked[1].id: "yes"}), thread_id="t")
    result = driver.invoke(agent, Command(resume={asked[0].id: "no"}), thread_id="t")

    assert [question.value for question in asked] == ["a", "b"]
    assert done == [("b", "yes"), ("a", "no")]
    assert texts(result)[2:] == [("tool", "a"), ("tool", "b"), ("tool", "2"), ("ai", "Done.")]
