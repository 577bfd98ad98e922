"""A graph as a node of another: shared keys, writes handed over once, failures inside, streams, sync and async mixed."""

from __future__ import annotations

import operator
from typing import Annotated, TypedDict

import pytest

from checkpointers.sqlite import SqliteSaver
from graphkit import START, Command, Overwrite, Send, StateGraph, get_config, get_stream_writer, interrupt
from graphkit.errors import GraphRecursionError, UnknownKeyError


class State(TypedDict):
    log: Annotated[list[object], operator.add]


class Wide(TypedDict):
    log: Annotated[list[object], operator.add]
    word: str
    top: str


class Narrow(TypedDict):
    word: str
    note: str


def logging(*entries):
    return lambda state: {"log": list(entries)}


def chain(schema, *nodes, **options):
    """Return a graph of (name, node) pairs, one after the other."""
    builder = StateGraph(schema, **options)
    for name, node in nodes:
        builder.add_node(name, node)
    for before, after in zip([START, *[name for name, _ in nodes]], [name for name, _ in nodes], strict=False):
        builder.add_edge(before, after)
    return builder


def test_keys_of_the_same_name_are_shared_and_all_others_are_private(driver):
    seen: list[object] = []

    def first(state):
        seen.append(dict(state))
        return {"word": state["word"] + "!", "note": "private"}

    child = chain(Narrow, ("first", first), ("second", lambda state: seen.append(dict(state)))).compile()
    graph = chain(Wide, ("child", child), ("after", lambda state: seen.append(dict(state)))).compile()

    result = driver.invoke(graph, {"log": ["i"], "word": "w", "top": "t"})

    assert seen == [{"word": "w"}, {"word": "w!", "note": "private"}, {"log": ["i"], "word": "w!", "top": "t"}]
    assert result == {"log": ["i"], "word": "w!", "top": "t"}


def test_a_key_the_child_did_not_write_is_not_written_in_the_parent(driver):
    child = chain(Wide, ("a", lambda state: {"top": "t"})).compile()
    graph = StateGraph(Wide).add_node("child", child).add_node("other", lambda state: {"word": "other"})

    assert driver.invoke(graph.add_edge(START, "child").add_edge(START, "other").compile(), {"log": [], "word": "w"}) == {
        "log": [],
        "word": "other",
        "top": "t",
    }


def test_only_output_keys_are_handed_over_and_only_input_keys_are_taken(driver):
    seen: list[object] = []

    class Given(TypedDict):
        word: str

    class Made(TypedDict):
        top: str

    def work(state):
        seen.append(dict(state))
        return {"word": "changed", "top": "made", "log": ["inside"]}

    child = chain(Wide, ("work", work), input_schema=Given, output_schema=Made).compile()

    assert driver.invoke(chain(Wide, ("child", child)).compile(), {"log": ["i"], "word": "w"}) == {"log": ["i"], "word": "w", "top": "made"}
    assert seen == [{"word": "w", "log": []}]


def test_the_writes_of_a_shared_reducer_key_are_handed_over_so_that_nothing_is_doubled(driver):
    inner = chain(State, ("s1", logging("s1")), ("s2", logging("s2", "s2b")), ("s3", lambda state: None)).compile()
    for name in ("middle", "outer"):
        inner = chain(State, (f"before {name}", logging(name)), ("inner", inner)).compile()

    assert driver.invoke(inner, {"log": ["i"]}) == {"log": ["i", "outer", "middle", "s1", "s2", "s2b"]}


def test_parallel_children_hand_over_in_the_order_of_their_names(driver):
    builder = StateGraph(State)
    for name in ("c", "a", "b"):
        builder.add_node(name, chain(State, ("x", logging(f"{name}x")), ("y", logging(f"{name}y"))).compile()).add_edge(START, name)

    assert driver.invoke(builder.compile(), {"log": ["i"]}) == {"log": ["i", "ax", "ay", "bx", "by", "cx", "cy"]}


def test_a_key_with_another_rule_in_the_child_hands_over_its_final_value(driver):
    class Plain(TypedDict):
        log: list[object]

    def extended(state):
        return {"log": [*state["log"], "more"]}

    plain_child = chain(Plain, ("a", lambda state: {"log": ["a"]}), ("b", extended)).compile()
    child_of_plain = chain(State, ("a", logging("a"))).compile()

    assert driver.invoke(chain(State, ("child", plain_child)).compile(), {"log": ["i"]}) == {"log": ["i", "a", "more"]}
    assert driver.invoke(chain(Plain, ("child", child_of_plain)).compile(), {"log": ["i"]}) == {"log": ["i", "a"]}


@pytest.mark.parametrize(
    "updates",
    [
        (Overwrite(["new"]),),
        (["a"], Overwrite(["new"])),
        (Overwrite(["new"]), ["b"]),
        (Overwrite(["new"]), Overwrite(["newer"])),
        (["a"], Overwrite(["new"]), ["b"], Overwrite(["newer"]), ["c"]),
    ],
    ids=len,
)
def test_what_a_child_overwrites_is_in_the_parent_as_it_is_in_the_child(driver, updates):
    child = chain(State, *[(f"n{number}", lambda state, update=update: {"log": update}) for number, update in enumerate(updates)]).compile()

    assert driver.invoke(chain(State, ("child", child)).compile(), {"log": ["i"]}) == driver.invoke(child, {"log": ["i"]})


def test_a_send_hands_its_argument_to_the_child(driver):
    child = chain(State, ("a", lambda state: {"log": [len(state["log"])]})).compile()
    builder = StateGraph(State).add_node("child", child)
    builder.add_conditional_edges(START, lambda state: [Send("child", {"log": ["x"] * size}) for size in (3, 1)])

    assert driver.invoke(builder.compile(), {"log": ["i"]}) == {"log": ["i", 3, 1]}


def test_a_send_with_a_key_the_child_does_not_know_is_refused(driver):
    builder = StateGraph(State).add_node("child", chain(State, ("a", logging("a"))).compile())
    builder.add_conditional_edges(START, lambda state: [Send("child", {"lgo": []})])

    with pytest.raises(UnknownKeyError, match="lgo"):
        driver.invoke(builder.compile(), {"log": []})


def asking_tree(steps):
    """Return a builder: s1, ask, s3 inside a child, "post" after it."""

    def step(name):
        def node(state):
            steps.append(name)
            return {"log": [name]}

        return node

    def ask(state):
        steps.append("ask")
        return {"log": [interrupt("?")]}

    child = chain(State, ("s1", step("s1")), ("ask", ask), ("s3", step("s3"))).compile()
    return chain(State, ("pre", step("pre")), ("child", child), ("post", step("post")))


def test_after_an_answer_only_what_is_left_of_the_child_runs_and_nothing_is_doubled(driver, saver):
    graph = asking_tree(steps := []).compile(checkpointer=saver)
    paused = driver.invoke(graph, {"log": ["i"]}, thread_id="t")

    ended = driver.invoke(graph, Command(resume="A"), thread_id="t")

    assert paused["log"] == ["i", "pre"]
    assert ended == {"log": ["i", "pre", "s1", "A", "s3", "post"]}
    assert steps == ["pre", "s1", "ask", "ask", "s3", "post"]


def test_after_an_answer_to_a_newly_opened_database_nothing_is_doubled(driver, tmp_path):
    steps: list[str] = []
    with SqliteSaver(tmp_path / "threads.db") as saver:
        driver.invoke(asking_tree(steps).compile(checkpointer=saver), {"log": ["i"]}, thread_id="t")

    with SqliteSaver(tmp_path / "threads.db") as saver:
        graph = asking_tree(steps).compile(checkpointer=saver)
        assert driver.invoke(graph, Command(resume="A"), thread_id="t") == {"log": ["i", "pre", "s1", "A", "s3", "post"]}
    assert steps == ["pre", "s1", "ask", "ask", "s3", "post"]


@pytest.mark.parametrize("called", ["as a node", "in a function"])
def test_after_a_failure_inside_only_the_failed_inner_node_runs_again(driver, saver, called):
    steps: list[str] = []
    broken = [True]

    def bad(state):
        steps.append("bad")
        if broken:
            raise ConnectionError(broken.pop())
        return {"log": ["bad"]}

    def good(name):
        def node(state):
            steps.append(name)
            return {"log": [name]}

        return node

    child = chain(State, ("s1", good("s1")), ("bad", bad), ("s3", good("s3"))).compile()
    node = child if called == "as a node" else lambda state: child.invoke({"log": []})
    builder = chain(State, ("pre", good("pre")), ("child", node)).add_node("sibling", good("sibling")).add_edge("pre", "sibling")
    graph = builder.compile(checkpointer=saver)
    with pytest.raises(ConnectionError) as failure:
        driver.invoke(graph, {"log": ["i"]}, thread_id="t")
    state = driver.get_state(graph, thread_id="t")

    assert any("'bad'" in note for note in failure.value.__notes__)
    assert state.next[0] == "child"
    assert state.tasks[0].error == "ConnectionError(True)"
    assert driver.invoke(graph, None, thread_id="t") == {"log": ["i", "pre", "s1", "bad", "s3", "sibling"]}
    assert sorted(steps) == ["bad", "bad", "pre", "s1", "s3", "sibling"]


def test_a_child_that_does_not_end_is_stopped_by_the_limit_and_goes_on_later(driver, saver):
    builder = StateGraph(State).add_node("loop", lambda state: {"log": [len(state["log"])]}).add_edge(START, "loop")
    builder.add_conditional_edges("loop", lambda state: "loop" if len(state["log"]) < 6 else "__end__", ["loop", "__end__"])
    graph = chain(State, ("child", builder.compile())).compile(checkpointer=saver)

    with pytest.raises(GraphRecursionError, match="loop"):
        driver.invoke(graph, {"log": ["i"]}, thread_id="t", recursion_limit=3)
    assert driver.invoke(graph, None, thread_id="t", recursion_limit=3) == {"log": ["i", 1, 2, 3, 4, 5]}


def writing(state):
    get_stream_writer()({"prog": 1})
    return {"log": ["w"]}


def streamed(driver, **options):
    graph = chain(State, ("a", logging("a")), ("sub", chain(State, ("s1", writing)).compile())).compile()
    chunks = driver.stream(graph, {"log": ["i"]}, **options)
    if not options.get("subgraphs"):
        return chunks
    assert all(level.startswith("sub:") and len(level) > 10 for namespace, *_ in chunks for level in namespace)
    return [(tuple(level.partition(":")[0] for level in namespace), *rest) for namespace, *rest in chunks]


def test_a_stream_shows_the_inside_of_subgraphs_only_when_asked(driver):
    assert streamed(driver, stream_mode="values") == [{"log": ["i"]}, {"log": ["i", "a"]}, {"log": ["i", "a", "w"]}]
    assert streamed(driver, stream_mode="updates") == [{"a": {"log": ["a"]}}, {"sub": {"log": ["w"]}}]
    assert streamed(driver, stream_mode="custom") == []


def test_with_subgraphs_each_chunk_names_the_way_to_its_graph(driver):
    assert streamed(driver, stream_mode="values", subgraphs=True) == [
        ((), {"log": ["i"]}),
        ((), {"log": ["i", "a"]}),
        (("sub",), {"log": ["i", "a"]}),
        (("sub",), {"log": ["i", "a", "w"]}),
        ((), {"log": ["i", "a", "w"]}),
    ]
    assert streamed(driver, stream_mode="updates", subgraphs=True) == [
        ((), {"a": {"log": ["a"]}}),
        (("sub",), {"s1": {"log": ["w"]}}),
        ((), {"sub": {"log": ["w"]}}),
    ]
    assert streamed(driver, stream_mode=["updates", "custom"], subgraphs=True) == [
        ((), "updates", {"a": {"log": ["a"]}}),
        (("sub",), "custom", {"prog": 1}),
        (("sub",), "updates", {"s1": {"log": ["w"]}}),
        ((), "updates", {"sub": {"log": ["w"]}}),
    ]


def test_a_graph_called_in_a_function_streams_as_a_subgraph(driver):
    child = chain(State, ("s1", writing)).compile()
    graph = chain(State, ("call", lambda state: {"log": child.invoke({"log": []})["log"]})).compile()

    chunks = driver.stream(graph, {"log": ["i"]}, stream_mode=["updates", "custom"], subgraphs=True)

    assert [(len(namespace), mode) for namespace, mode, _ in chunks] == [(1, "custom"), (1, "updates"), (0, "updates")]


def test_a_question_inside_is_streamed_once_by_each_graph_it_passes(driver, saver):
    graph = asking_tree([]).compile(checkpointer=saver)

    plain = driver.stream(graph, {"log": []}, thread_id="a")
    inside = driver.stream(graph, {"log": []}, thread_id="b", subgraphs=True)

    assert [chunk["__interrupt__"][0].value for chunk in plain if "__interrupt__" in chunk] == ["?"]
    assert [len(namespace) for namespace, chunk in inside if "__interrupt__" in chunk] == [1, 0]


async def async_ask(state):
    return {"log": [interrupt("?"), get_config()["configurable"]["thread_id"]]}


def sync_ask(state):
    return {"log": [interrupt("?"), get_config()["configurable"]["thread_id"]]}


@pytest.mark.parametrize("inner", [sync_ask, async_ask])
@pytest.mark.parametrize("way", ["node", "sync function", "async function"])
def test_sync_and_async_graphs_mix_freely(driver, saver, inner, way):
    child = chain(State, ("s1", logging("s1")), ("ask", inner)).compile()

    async def acall(state):
        return await child.ainvoke({"log": []})

    node = {"node": child, "sync function": lambda state: child.invoke({"log": []}), "async function": acall}[way]
    graph = chain(State, ("child", node)).compile(checkpointer=saver)
    paused = driver.invoke(graph, {"log": ["i"]}, thread_id="t")

    assert [question.value for question in paused["__interrupt__"]] == ["?"]
    assert driver.invoke(graph, Command(resume="A"), thread_id="t") == {"log": ["i", "s1", "A", "t"]}


@pytest.mark.parametrize("mode", ["updates", "values", "custom", ["updates"]], ids=str)
def test_a_graph_that_is_streamed_inside_a_node_yields_its_chunks_there(driver, mode):
    child = chain(State, ("s1", writing), ("s2", logging("s2"))).compile()

    def call(state):
        return {"log": [list(child.stream({"log": []}, stream_mode=mode)), child.invoke({"log": []}, stream_mode=mode)]}

    async def acall(state):
        chunks = [chunk async for chunk in child.astream({"log": []}, stream_mode=mode)]
        return {"log": [chunks, await child.ainvoke({"log": []}, stream_mode=mode)]}

    alone = [driver.stream(child, {"log": []}, stream_mode=mode), driver.invoke(child, {"log": []}, stream_mode=mode)]

    assert len(alone[0]) >= 1
    assert driver.invoke(chain(State, ("call", call)).compile(), {"log": []}) == {"log": alone}
    assert driver.invoke(chain(State, ("call", acall)).compile(), {"log": []}) == {"log": alone}


@pytest.mark.parametrize("durability", ["sync", "async", "exit"])
def test_a_child_keeps_what_it_did_in_every_durability(driver, saver, durability):
    graph = asking_tree(steps := []).compile(checkpointer=saver)
    driver.invoke(graph, {"log": ["i"]}, thread_id="t", durability=durability)
    driver.invoke(graph, Command(update={"log": ["upd"]}), thread_id="t", durability=durability)

    ended = driver.invoke(graph, Command(resume="A"), thread_id="t", durability=durability)

    assert ended == {"log": ["i", "pre", "upd", "s1", "A", "s3", "post"]}
    assert steps == ["pre", "s1", "ask", "ask", "s3", "post"]


def test_graphs_of_bare_types_nest(driver, saver):
    bare = Annotated[list, operator.add]
    child = chain(bare, ("s1", lambda state: ["s1"]), ("ask", lambda state: [interrupt("?")])).compile()
    graph = chain(bare, ("child", child), ("post", lambda state: ["post"])).compile(checkpointer=saver)
    driver.invoke(graph, ["i"], thread_id="t")

    assert driver.invoke(graph, Command(resume="A"), thread_id="t") == ["i", "s1", "A", "post"]
