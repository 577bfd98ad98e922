from __future__ import annotations

from operator import add
from typing import Annotated, TypedDict

import pytest

from graphkit import START, Command, GraphOutput, Send, StateGraph, interrupt
from graphkit.errors import InvalidConfigError, InvalidStreamModeError

THREAD = {"configurable": {"thread_id": "1"}}


class State(TypedDict):
    log: Annotated[list[str], add]


def asking():
    """A graph of a node that writes and a node that asks."""
    builder = StateGraph(State).add_node("a", lambda state: {"log": ["a"]}).add_node("ask", lambda state: {"log": [interrupt({"q": 1})]})
    return builder.add_edge(START, "a").add_edge("a", "ask")


def failing(state):
    raise ValueError("no")


def test_tasks_are_told_as_they_begin_and_end(driver, saver):
    begun, ended, asked, waits = driver.stream(asking().compile(checkpointer=saver), {"log": ["i"]}, THREAD, stream_mode="tasks")

    assert begun == {"id": begun["id"], "name": "a", "input": {"log": ["i"]}, "triggers": ("branch:to:a",)}
    assert ended == {"id": begun["id"], "name": "a", "error": None, "result": {"log": ["a"]}, "interrupts": []}
    assert asked["id"] == waits["id"] != begun["id"]
    assert waits["result"] == {}
    (question,) = waits["interrupts"]
    assert {key: question[key] for key in ("value", "response_schema")} == {"value": {"q": 1}, "response_schema": None}


def test_a_task_has_the_id_that_get_state_shows(driver, saver):
    graph = asking().compile(checkpointer=saver)

    told = driver.stream(graph, {"log": ["i"]}, THREAD, stream_mode="tasks")

    assert told[-1]["id"] == driver.get_state(graph, THREAD).tasks[0].id


def test_a_task_that_fails_is_told_with_its_error(saver):
    graph = StateGraph(State).add_node("a", failing).add_edge(START, "a").compile(checkpointer=saver)

    begun, ended = _until_it_fails(graph.stream({"log": []}, THREAD, stream_mode="tasks"))

    assert begun["name"] == "a"
    assert ended["error"] == "ValueError('no')"


def _until_it_fails(chunks):
    try:
        yield from chunks
    except ValueError:
        return


def test_the_input_of_a_send_is_its_argument(driver):
    builder = StateGraph(State).add_node("a", lambda state: {"log": [state["x"]]})
    graph = builder.add_conditional_edges(START, lambda state: [Send("a", {"x": "1"}), Send("a", {"x": "2"})]).compile()

    told = driver.stream(graph, {"log": []}, stream_mode="tasks")

    assert [task["input"] for task in told if "input" in task] == [{"x": "1"}, {"x": "2"}]
    assert sorted(task["result"]["log"] for task in told if "result" in task) == [["1"], ["2"]]


def test_every_checkpoint_is_told_with_what_runs_next(driver, saver):
    graph = asking().compile(checkpointer=saver)

    told = driver.stream(graph, {"log": ["i"]}, {**THREAD, "metadata": {"who": "me"}}, stream_mode="checkpoints")

    assert [made["metadata"]["step"] for made in told] == [-1, 0, 1]
    assert [made["metadata"]["source"] for made in told] == ["input", "loop", "loop"]
    assert [made["next"] for made in told] == [["__start__"], ["a"], ["ask"]]
    assert [made["values"] for made in told] == [{"log": []}, {"log": ["i"]}, {"log": ["i", "a"]}]
    assert {made["metadata"]["who"] for made in told} == {"me"}
    assert [made["parent_config"] for made in told] == [None, told[0]["config"], told[1]["config"]]
    history = driver.history(graph, THREAD)
    assert [entry.config for entry in reversed(history)] == [made["config"] for made in told]
    assert told[-1]["tasks"][0]["id"] == driver.get_state(graph, THREAD).tasks[0].id


def test_debug_tells_tasks_and_checkpoints_with_step_and_time(driver, saver):
    graph = asking().compile(checkpointer=saver)
    driver.invoke(graph, {"log": ["i"]}, THREAD)

    told = driver.stream(graph, Command(resume="yes"), THREAD, stream_mode="debug")

    assert [(chunk["type"], chunk["step"]) for chunk in told] == [("task", 2), ("task_result", 2), ("checkpoint", 2)]
    assert set(told[0]) == {"type", "step", "timestamp", "payload"}
    assert told[1]["payload"]["result"] == {"log": ["yes"]}


def test_tasks_of_subgraphs_are_told_only_if_they_are_asked_for(driver):
    inner = StateGraph(State).add_node("in", lambda state: {"log": ["x"]}).add_edge(START, "in").compile()
    graph = StateGraph(State).add_node("sub", inner).add_edge(START, "sub").compile()

    without = driver.stream(graph, {"log": []}, stream_mode="tasks")
    with_them = driver.stream(graph, {"log": []}, stream_mode="tasks", subgraphs=True)

    assert [task["name"] for task in without] == ["sub", "sub"]
    assert [(len(path), task["name"]) for path, task in with_them] == [(0, "sub"), (1, "in"), (1, "in"), (0, "sub")]


def test_typed_chunks_say_what_they_are(driver, saver):
    graph = asking().compile(checkpointer=saver)

    told = driver.stream(graph, {"log": ["i"]}, THREAD, stream_mode=["values", "updates"], version="v2")

    assert [chunk["type"] for chunk in told] == ["values", "updates", "values", "updates", "values"]
    assert {chunk["ns"] for chunk in told} == {()}
    assert told[2] == {"type": "values", "ns": (), "data": {"log": ["i", "a"]}, "interrupts": ()}
    assert told[4]["data"] == {"log": ["i", "a"]}
    assert [asked.value for asked in told[4]["interrupts"]] == [{"q": 1}]


def test_a_typed_result_has_its_questions_beside_the_state(driver, saver):
    graph = asking().compile(checkpointer=saver)

    waiting = driver.invoke(graph, {"log": ["i"]}, THREAD, version="v2")
    ended = driver.invoke(graph, Command(resume="yes"), THREAD, version="v2")

    assert waiting.value == {"log": ["i", "a"]}
    assert [asked.value for asked in waiting.interrupts] == [{"q": 1}]
    assert ended == GraphOutput({"log": ["i", "a", "yes"]}, ())


def test_what_is_printed_does_not_change_what_is_returned(driver, saver, capsys):
    graph = asking().compile(checkpointer=saver)

    result = driver.invoke(graph, {"log": ["i"]}, THREAD, print_mode="updates")
    told = driver.stream(graph, Command(resume="yes"), THREAD, stream_mode="values", print_mode=["updates", "values"])

    printed = capsys.readouterr().out.splitlines()
    assert result["log"] == ["i", "a"]
    assert told == [{"log": ["i", "a"]}, {"log": ["i", "a", "yes"]}]
    assert printed[0] == "[updates] {'a': {'log': ['a']}}"
    assert "[updates] {'ask': {'log': ['yes']}}" in printed
    assert "[values] {'log': ['i', 'a', 'yes']}" in printed


def test_what_does_not_exist_is_refused_before_anything_runs(driver, saver):
    ran = []
    graph = StateGraph(State).add_node("a", lambda state: ran.append(1)).add_edge(START, "a").compile(checkpointer=saver)

    with pytest.raises(InvalidConfigError, match="v9"):
        driver.invoke(graph, {"log": []}, THREAD, version="v9")
    with pytest.raises(InvalidStreamModeError, match=r"'task'.*'tasks'"):
        driver.stream(graph, {"log": []}, THREAD, stream_mode="task")
    with pytest.raises(InvalidStreamModeError):
        driver.invoke(graph, {"log": []}, THREAD, print_mode="nothing")
    assert ran == []
