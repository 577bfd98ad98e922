"""What a review can be told: what to show, which answers to take, how often to draft again, what an ignore means, deadlines."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from graphkit import START, AIMessage, Command, InMemorySaver, MessagesState, StateGraph, ToolMessage
from graphkit.agents import Review, Reviews, create_react_agent, review
from graphkit.errors import InterruptAlreadyAnsweredError, InvalidAnswerError, NothingToResumeError, OutsideRunError
from graphkit.models import ScriptedModel
from graphkit.tools import tool

ACCEPT = {"type": "accept"}
IGNORE = {"type": "ignore"}
FEEDBACK = {"type": "response", "args": "shorter"}


def mail_tools(sent):
    @tool
    def send(to: str, text: str = "Hello") -> str:
        """Send a mail."""
        sent.append(f"{to}: {text}")
        return "sent"

    @tool
    def ask(words: str) -> str:
        """Ask the person."""
        sent.append(words)
        return "?"

    return [send, ask]


def sends(*people):
    return [{"name": "send", "args": {"to": person}, "id": person} for person in people]


def agent(saver, sent, answers, how):
    return create_react_agent(ScriptedModel([*answers, "Done."]), mail_tools(sent), review=how, checkpointer=saver)


def begin(driver, graph, thread_id="t"):
    return driver.invoke(graph, {"messages": ["go"]}, thread_id=thread_id).get("__interrupt__", [])


def results(values):
    return {message.tool_call_id: message for message in values["messages"] if isinstance(message, ToolMessage)}


def test_a_question_has_the_form_that_review_screens_read(driver, saver):
    graph = agent(saver, [], [sends("ada")], {"send": ["accept", "edit"]})

    [question] = begin(driver, graph)

    assert question.value == [
        {
            "action_request": {"action": "send", "args": {"to": "ada"}},
            "config": {"allow_ignore": False, "allow_respond": False, "allow_edit": True, "allow_accept": True},
            "description": "**send**\n\n- to: ada",
        }
    ]


def test_the_description_is_made_from_the_call_and_the_state(driver):
    def describe(call, state):
        return f"A mail to {call['args']['to']}, because of {state['messages'][0].text!r}"

    strangers = Review(describe=describe, warn=lambda call, state: [f"{call['args']['to']} is new here"])
    graph = agent(InMemorySaver(), [], [sends("eve")], {"send": strangers})

    [question] = begin(driver, graph)

    assert question.value[0]["description"] == "**Warning:** eve is new here\n\nA mail to eve, because of 'go'"


def test_one_description_serves_all_tools_that_have_none_of_their_own(driver):
    calls = [*sends("ada"), {"name": "ask", "args": {"words": "Who?"}, "id": "q"}]
    how = Reviews({"send": True, "ask": Review(describe=lambda call, state: "own")}, describe=lambda call, state: f"common {call['id']}")
    graph = agent(InMemorySaver(), [], [calls], how)

    assert [question.value[0]["description"] for question in begin(driver, graph)] == ["common ada", "own"]


def test_which_answers_are_taken_may_depend_on_the_call(driver):
    def allow(call, state):
        return ["edit", "ignore"] if "[" in call["args"]["text"] else True

    calls = [{"name": "send", "args": {"to": "ada", "text": text}, "id": text} for text in ("[gap]", "whole")]
    graph = agent(InMemorySaver(), [], [calls], {"send": Review(allow)})

    gap, whole = begin(driver, graph)

    assert gap.value[0]["config"] == {"allow_ignore": True, "allow_respond": False, "allow_edit": True, "allow_accept": False}
    assert all(whole.value[0]["config"].values())
    with pytest.raises(InvalidAnswerError):
        driver.invoke(graph, Command(resume={gap.id: ACCEPT}), thread_id="t")


def test_after_so_many_redrafts_no_other_one_is_made(driver, saver):
    sent = []
    graph = agent(saver, sent, [sends(f"draft {number}") for number in range(4)], Reviews({"send": True}, max_redrafts=3))
    begin(driver, graph)

    for _ in range(3):
        [question] = driver.get_state(graph, thread_id="t").interrupts
        assert question.value[0]["config"]["allow_respond"]
        driver.invoke(graph, Command(resume=FEEDBACK), thread_id="t")

    [question] = driver.get_state(graph, thread_id="t").interrupts
    assert not question.value[0]["config"]["allow_respond"]
    assert "3 of 3 re-drafts are used" in question.value[0]["description"]
    with pytest.raises(InvalidAnswerError):
        driver.invoke(graph, Command(resume=FEEDBACK), thread_id="t")
    driver.invoke(graph, Command(resume=ACCEPT), thread_id="t")
    assert sent == ["draft 3: Hello"]


def test_redrafts_are_counted_anew_when_the_person_asks_for_something_else(driver):
    graph = agent(InMemorySaver(), [], [sends("a"), sends("b"), "Well.", sends("c")], Reviews({"send": True}, max_redrafts=1))
    begin(driver, graph)
    driver.invoke(graph, Command(resume=FEEDBACK), thread_id="t")
    driver.invoke(graph, Command(resume=ACCEPT), thread_id="t")

    [question] = begin(driver, graph)

    assert question.value[0]["config"]["allow_respond"]


def test_answers_to_questions_of_the_model_are_no_redrafts(driver):
    asks = [[{"name": "ask", "args": {"words": str(number)}, "id": str(number)}] for number in range(3)]
    graph = agent(InMemorySaver(), [], asks, Reviews({"ask": ["response", "ignore"]}, max_redrafts=1))
    begin(driver, graph)

    for _ in range(3):
        result = driver.invoke(graph, Command(resume={"type": "response", "args": "blue"}), thread_id="t")

    assert [message.text for message in results(result).values()] == ["blue"] * 3


def test_the_other_calls_of_a_message_are_still_asked_about_after_an_ignored_one(driver, saver):
    sent = []
    graph = agent(saver, sent, [sends("ada", "bo")], {"send": True})
    ada, bo = begin(driver, graph)

    left = driver.invoke(graph, Command(resume={ada.id: IGNORE}), thread_id="t")
    assert [question.id for question in left["__interrupt__"]] == [bo.id]
    result = driver.invoke(graph, Command(resume={bo.id: ACCEPT}), thread_id="t")

    assert sent == ["bo: Hello"]
    assert {identity: message.status for identity, message in results(result).items()} == {"ada": "error", "bo": "success"}
    assert result["messages"][-1].tool_call_id == "bo"


def test_ignoring_all_cancels_what_has_no_answer_and_runs_what_was_approved(driver, saver):
    sent = []
    graph = agent(saver, sent, [sends("ada", "bo", "cy")], Reviews({"send": True}, on_ignore="all"))
    ada, bo, _ = begin(driver, graph)

    driver.invoke(graph, Command(resume={bo.id: ACCEPT}), thread_id="t")
    result = driver.invoke(graph, Command(resume={ada.id: IGNORE}), thread_id="t")

    assert sent == ["bo: Hello"]
    assert [(identity, message.status) for identity, message in results(result).items()] == [
        ("ada", "error"),
        ("bo", "success"),
        ("cy", "error"),
    ]
    assert "cancelled together with another call" in results(result)["cy"].text
    assert driver.get_state(graph, thread_id="t").next == ()


def test_a_cancelled_question_is_no_longer_pending(driver, saver):
    graph = agent(saver, [], [sends("ada", "bo")], Reviews({"send": True}, on_ignore="all"))
    ada, bo = begin(driver, graph)

    driver.invoke(graph, Command(resume={ada.id: IGNORE}), thread_id="t")

    assert saver.pending_interrupts(limit=9).items == ()
    with pytest.raises((InterruptAlreadyAnsweredError, NothingToResumeError)):
        driver.invoke(graph, Command(resume={bo.id: ACCEPT}), thread_id="t")


def test_a_deadline_is_stored_and_stays_the_same_while_the_node_runs_again(driver, saver):
    graph = agent(saver, [], [sends("ada", "bo")], {"send": Review(deadline=timedelta(days=2))})
    begun = datetime.now(UTC)

    ada, bo = begin(driver, graph)
    [left] = driver.invoke(graph, Command(resume={ada.id: ACCEPT}), thread_id="t")["__interrupt__"]

    assert begun + timedelta(days=2) <= bo.deadline <= datetime.now(UTC) + timedelta(days=2)
    assert [left] == [bo] == list(driver.get_state(graph, thread_id="t").interrupts)


def test_threads_are_reviewed_side_by_side(driver):
    sent = []

    def answers(request):
        return sends(request.messages[0].text) if len(request.messages) == 1 else AIMessage("Done.")

    graph = create_react_agent(ScriptedModel(answers), mail_tools(sent), review={"send": True}, checkpointer=InMemorySaver())
    names = [f"person {number}" for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda name: driver.invoke(graph, {"messages": [name]}, thread_id=name.replace(" ", "-")), names))
        list(pool.map(lambda name: driver.invoke(graph, Command(resume=ACCEPT), thread_id=name.replace(" ", "-")), names))

    assert sorted(sent) == [f"{name}: Hello" for name in names]


def test_many_threads_of_one_event_loop_are_reviewed_side_by_side():
    sent = []
    model = ScriptedModel(lambda request: sends(request.messages[0].text) if len(request.messages) == 1 else AIMessage("Done."))
    graph = create_react_agent(model, mail_tools(sent), review={"send": True}, checkpointer=InMemorySaver())

    async def main():
        await asyncio.gather(*[graph.ainvoke({"messages": [f"p{n}"]}, thread_id=f"t{n}") for n in range(8)])
        await asyncio.gather(*[graph.ainvoke(Command(resume=ACCEPT), thread_id=f"t{n}") for n in range(8)])

    asyncio.run(main())

    assert sorted(sent) == [f"p{n}: Hello" for n in range(8)]


def test_review_is_a_function_for_nodes_of_your_own(driver, saver):
    class State(MessagesState):
        decided: dict[str, str]

    def look_over(state: State):
        reviewed = review(state["messages"][-1].tool_calls, {"send": True}, state=state)
        return {"decided": {name: verdict.type for name, verdict in reviewed.verdicts.items()}, "messages": []}

    graph = StateGraph(State).add_node("look_over", look_over).add_edge(START, "look_over").compile(checkpointer=saver)
    driver.invoke(graph, {"messages": [AIMessage(tool_calls=sends("ada", "bo"))]}, thread_id="t")
    ada, bo = driver.get_state(graph, thread_id="t").interrupts

    result = driver.invoke(graph, Command(resume={bo.id: ACCEPT, ada.id: {"type": "edit", "args": {"to": "al"}}}), thread_id="t")

    assert result["decided"] == {"ada": "edit", "bo": "accept"}


def test_nobody_can_be_asked_outside_of_a_run():
    with pytest.raises(OutsideRunError):
        review(AIMessage(tool_calls=sends("ada")), {"send": True})
