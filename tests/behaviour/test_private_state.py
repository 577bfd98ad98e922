"""Input, output and private schemas: who may write which keys and who sees them."""

from __future__ import annotations

import operator
from dataclasses import dataclass
from typing import Annotated, TypedDict

import pytest
from pydantic import BaseModel

from graphkit import END, START, Send, StateGraph
from graphkit.errors import InvalidSchemaError, InvalidStateError, UnknownKeyError


class State(TypedDict):
    question: str
    answer: str
    log: Annotated[list[str], operator.add]


class Question(TypedDict):
    question: str


class Answer(TypedDict):
    answer: str


class Draft(TypedDict):
    draft: str


class Both(TypedDict):
    draft: str
    question: str


class Strict(BaseModel):
    size: int


@dataclass
class Sized:
    size: int = 3


def seen_by(seen, update=None):
    def node(state):
        seen.append(state)
        return update

    return node


def drafting(**options):
    """Return a graph whose first node writes a private key and whose second reads it."""
    builder = StateGraph(State, **options)

    def write(state: State) -> Draft:
        return {"draft": state["question"] + "?"}

    def finish(state: Both) -> Answer:
        return {"answer": f"{state['question']} {state['draft']}"}

    builder.add_node(write).add_node(finish).add_edge(START, "write").add_edge("write", "finish").add_edge("finish", END)
    return builder


def test_an_annotated_parameter_gives_a_node_a_state_of_its_own(driver):
    result = driver.invoke(drafting(output_schema=Answer).compile(), {"question": "why"})

    assert result == {"answer": "why why?"}


def test_an_annotated_parameter_gives_a_router_a_state_of_its_own(driver):
    seen: list[object] = []

    def route(state: Both) -> str:
        seen.append(state)
        return END

    builder = StateGraph(State).add_node("write", lambda state: {"draft": "d", "log": ["x"]}).add_edge(START, "write")

    driver.invoke(builder.add_conditional_edges("write", route).compile(), {"question": "why"})

    assert seen == [{"draft": "d", "question": "why"}]


def test_private_keys_are_in_the_state_and_the_values_stream_but_not_in_the_output(driver, saver):
    graph = drafting(output_schema=Answer).compile(saver)

    values = driver.stream(graph, {"question": "why"}, thread_id="t", stream_mode="values")

    assert values[-1]["draft"] == "why?"
    assert driver.get_state(graph, thread_id="t").values["draft"] == "why?"


def test_private_keys_are_not_shown_to_other_nodes(driver):
    seen: list[object] = []
    builder = drafting()
    builder.add_node("last", seen_by(seen)).add_edge("finish", "last")

    driver.invoke(builder.compile(), {"question": "why"})

    assert seen == [{"question": "why", "answer": "why why?", "log": []}]


def test_input_schema_of_a_node_can_be_an_argument(driver):
    seen: list[object] = []
    builder = StateGraph(State).add_node("node", seen_by(seen), input_schema=Question).add_edge(START, "node")

    driver.invoke(builder.compile(), {"question": "why", "log": ["x"]})

    assert seen == [{"question": "why"}]


def test_an_input_may_only_have_the_keys_of_the_input_schema(driver):
    graph = drafting(input_schema=Question).compile()

    with pytest.raises(UnknownKeyError, match="'answer'"):
        driver.invoke(graph, {"question": "why", "answer": "because"})


def test_a_key_of_the_output_schema_alone_can_be_written(driver):
    class_state = StateGraph(Question, output_schema=Answer).add_node("node", lambda state: {"answer": "because"}).add_edge(START, "node")

    assert driver.invoke(class_state.compile(), {"question": "why"}) == {"answer": "because"}


def test_a_key_keeps_its_reducer_in_schemas_that_mention_it_without_one(driver):
    class_state = StateGraph(State, output_schema=PlainLog).add_node("node", lambda state: {"log": ["b"]}).add_edge(START, "node")

    assert driver.invoke(class_state.compile(), {"log": ["a"]}) == {"log": ["a", "b"]}


class PlainLog(TypedDict):
    log: list[str]


class OtherLog(TypedDict):
    log: Annotated[list[str], operator.iadd]


def test_two_reducers_for_one_key_are_refused():
    builder = StateGraph(State, output_schema=OtherLog).add_node("node", lambda state: None).add_edge(START, "node")

    with pytest.raises(InvalidSchemaError, match="'log'"):
        builder.compile()


def test_a_send_hands_its_argument_over_as_it_is(driver):
    seen: list[object] = []
    builder = (
        StateGraph(State).add_node("node", seen_by(seen), input_schema=Strict).add_conditional_edges(START, lambda _: Send("node", "raw"))
    )

    driver.invoke(builder.compile(), {"question": "why"})

    assert seen == ["raw"]


def test_a_private_model_is_validated_when_it_is_written_and_built_when_it_is_read(driver):
    seen: list[object] = []
    builder = StateGraph(State).add_node("write", lambda state: {"size": "4"}).add_node("read", seen_by(seen), input_schema=Strict)
    builder.add_edge(START, "write").add_edge("write", "read")

    driver.invoke(builder.compile(), {"question": "why"})

    assert seen == [Strict(size=4)]


def test_a_wrong_private_value_names_the_node_that_wrote_it(driver):
    builder = StateGraph(State).add_node("write", lambda state: {"size": "wide"}).add_node("read", lambda state: None, input_schema=Strict)
    builder.add_edge(START, "write").add_edge("write", "read")

    with pytest.raises(InvalidStateError, match="'write'"):
        driver.invoke(builder.compile(), {"question": "why"})


def test_a_private_default_is_seen_by_its_node(driver):
    seen: list[object] = []
    builder = StateGraph(State).add_node("node", seen_by(seen), input_schema=Sized).add_edge(START, "node")

    result = driver.invoke(builder.compile(), {"question": "why"})

    assert seen == [Sized(size=3)]
    assert "size" not in result
