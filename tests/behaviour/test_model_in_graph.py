# mypy: disable-error-code="attr-defined"
"""A model in a node of a graph: its pieces are streamed while they come."""

from __future__ import annotations

import pytest

from graphkit import START, MessagesState, StateGraph
from graphkit.messages import AIMessage, AIMessageChunk, gather
from graphkit.models import ScriptedModel
from graphkit.testing import ModelServer, Reply
from tests.unit.models.ways import PROVIDERS


def graph_of(model, driver):
    """Return a graph whose one node asks a model, as each driver calls nodes."""

    def talk(state):
        return {"messages": model.generate(state["messages"])}

    async def atalk(state):
        return {"messages": await model.agenerate(state["messages"])}

    builder = StateGraph(MessagesState)
    builder.add_node("talk", atalk if driver.is_async else talk)
    return builder.add_edge(START, "talk").compile()


def test_the_answer_is_in_the_state(driver):
    graph = graph_of(ScriptedModel(["Hello!"]), driver)

    messages = driver.invoke(graph, {"messages": "Hi"})["messages"]

    assert [message.text for message in messages] == ["Hi", "Hello!"]


def test_pieces_are_streamed_with_their_place_and_the_message_is_whole(driver):
    graph = graph_of(ScriptedModel(["one two three"]), driver)

    found = driver.stream(graph, {"messages": "Hi"}, stream_mode=["messages", "updates"])
    pieces = [chunk for mode, chunk in found if mode == "messages"]
    update = next(chunk for mode, chunk in found if mode == "updates")

    assert [chunk.text for chunk, _ in pieces if isinstance(chunk, AIMessageChunk) and chunk.text] == ["one", " two", " three"]
    assert {metadata["langgraph_node"] for _, metadata in pieces} == {"talk"}
    assert {metadata["ls_model_name"] for chunk, metadata in pieces if isinstance(chunk, AIMessageChunk)} == {"scripted"}
    message = update["talk"]["messages"]
    whole = message[-1] if isinstance(message, list) else message
    assert {chunk.id for chunk, _ in pieces if isinstance(chunk, AIMessageChunk)} == {whole.id}
    assert not any([isinstance(chunk, AIMessage) for chunk, _ in pieces])


def test_a_stream_that_a_node_reads_itself_is_shown_as_well(driver):
    model = ScriptedModel(["one two"])

    def talk(state):
        return {"messages": gather(model.stream(state["messages"]))}

    async def atalk(state):
        return {"messages": gather([chunk async for chunk in model.astream(state["messages"])])}

    builder = StateGraph(MessagesState)
    builder.add_node("talk", atalk if driver.is_async else talk)
    found = driver.stream(builder.add_edge(START, "talk").compile(), {"messages": "Hi"}, stream_mode="messages")

    assert [chunk.text for chunk, _ in found if chunk.text] == ["one", " two"]


def test_a_model_with_the_tag_nostream_is_not_shown(driver):
    graph = graph_of(ScriptedModel(["one two"]).bind(tags=["nostream"]), driver)

    found = driver.stream(graph, {"messages": "Hi"}, stream_mode="messages")

    assert not [chunk for chunk, _ in found if isinstance(chunk, AIMessageChunk)]


def test_nobody_who_watches_means_one_piece(driver):
    with ModelServer(["one two"]) as server, server.model("openai:x") as model:
        driver.invoke(graph_of(model, driver), {"messages": "Hi"})

        assert "stream" not in server.requests[0].body


@pytest.mark.parametrize("provider", PROVIDERS)
def test_every_provider_streams_into_a_graph(provider, driver):
    call = {"name": "add", "args": {"a": 1}, "id": "c"}
    with ModelServer([Reply("one two", reasoning="hm", tool_calls=[call])]) as server, server.model(provider) as model:
        found = driver.stream(graph_of(model, driver), {"messages": "Hi"}, stream_mode=["messages", "values"])

    answer = found[-1][1]["messages"][-1]
    pieces = [chunk for mode, (chunk, *_) in found if mode == "messages" and isinstance(chunk, AIMessageChunk)]
    assert (answer.text, answer.tool_calls) == ("one two", [call])
    assert "".join([piece.text for piece in pieces]) == "one two"
    assert {piece.id for piece in pieces} == {answer.id}


def test_an_async_node_under_the_sync_driver_has_a_loop_of_its_own():
    with ModelServer(lambda request: "Hi") as server, server.model("openai:x") as model:

        async def talk(state):
            return {"messages": await model.agenerate(state["messages"])}

        builder = StateGraph(MessagesState)
        graph = builder.add_node("talk", talk).add_edge(START, "talk").compile()
        texts = [graph.invoke({"messages": "Hi"})["messages"][-1].text for _ in range(3)]

        assert texts == ["Hi"] * 3
        assert len(model.provider.clients._clients) == 0
