"""Drawings of compiled graphs: what is shown of subgraphs, and every kind of picture."""

from __future__ import annotations

import asyncio
import builtins
import json
import operator
from functools import partial
from itertools import pairwise
from typing import Annotated, TypedDict
from xml.etree import ElementTree as ET

import pytest

from graphkit import END, START, Command, CompiledGraph, StateGraph
from graphkit.errors import InvalidConfigError
from graphkit.graph.draw import Drawing, Line, Node, NodeStyles


class State(TypedDict):
    log: Annotated[list[str], operator.add]


def step(state: State):
    return {"log": ["step"]}


def chain(*nodes, name="graph", after=()):
    """Compile nodes one after the other; a node is a name, or a name and an action."""
    builder = StateGraph(State)
    named = [node if isinstance(node, tuple) else (node, step) for node in nodes]
    for title, action in named:
        builder.add_node(title, action)
    names = [START, *[title for title, _ in named], *after]
    for source, target in pairwise(names):
        builder.add_edge(source, target)
    return builder.compile(name=name)


def nested():
    """A graph in a graph in a graph."""
    inner = chain("read", "write", after=[END])
    middle = chain(("deep", inner), "check", after=[END])
    return chain("first", ("middle", middle), "last", after=[END])


def loop():
    """An agent that calls tools until it is done."""
    builder = StateGraph(State)
    builder.add_node("agent", step).add_node("tools", step)
    builder.add_edge(START, "agent").add_edge("tools", "agent")
    builder.add_conditional_edges("agent", lambda state: END, ["tools", END])
    return builder.compile()


def pairs(drawing):
    return [(line.source, line.target) for line in drawing.edges]


def test_a_subgraph_is_one_node_unless_asked_for():
    drawing = nested().get_graph()

    assert list(drawing.nodes) == [START, "first", "middle", "last", END]
    assert drawing.nodes["middle"].kind == "graph"
    assert drawing.nodes["first"].kind == "node"


def test_xray_draws_the_nodes_of_all_subgraphs_in_their_place():
    drawing = nested().get_graph(xray=True)

    assert list(drawing.nodes) == [START, "first", "middle:deep:read", "middle:deep:write", "middle:check", "last", END]
    assert pairs(drawing) == [
        (START, "first"),
        ("first", "middle:deep:read"),
        ("middle:check", "last"),
        ("last", END),
        ("middle:deep:write", "middle:check"),
        ("middle:deep:read", "middle:deep:write"),
    ]
    assert drawing.nodes["middle:deep:read"].name == "read"
    assert drawing.nodes["middle:deep:read"].group == ("middle", "deep")


def test_xray_may_be_a_number_of_levels():
    drawing = nested().get_graph(xray=1)

    assert list(drawing.nodes) == [START, "first", "middle:deep", "middle:check", "last", END]
    assert nested().get_graph(xray=2) == nested().get_graph(xray=True)


def test_a_start_and_an_end_that_say_something_stay_in_the_subgraph():
    drawing = chain("first", ("sub", loop()), "last").get_graph(xray=True)

    assert set(drawing.nodes) == {START, "first", "sub:__start__", "sub:agent", "sub:tools", "sub:__end__", "last"}
    assert {("first", "sub:__start__"), ("sub:__end__", "last"), ("sub:agent", "sub:__end__")} <= set(pairs(drawing))


def test_every_way_out_of_a_subgraph_leads_on_even_without_an_edge_to_the_end():
    builder = StateGraph(State)
    builder.add_node("left", step).add_node("right", step)
    builder.add_edge(START, "left").add_edge(START, "right")
    drawing = chain(("sub", builder.compile()), "last").get_graph(xray=True)

    assert {("sub:left", "sub:__end__"), ("sub:right", "sub:__end__"), ("sub:__end__", "last")} <= set(pairs(drawing))


def test_conditions_and_labels_stay_on_lines_to_and_from_subgraphs():
    builder = StateGraph(State)
    builder.add_node("sub", chain("read", "write")).add_node("other", step)
    builder.add_conditional_edges(START, lambda state: "go", {"go": "sub", "skip": "other"})
    builder.add_conditional_edges("sub", lambda state: "again", {"again": "sub", "done": END})
    edges = builder.compile().get_graph(xray=True).edges

    assert Line(START, "sub:read", "go", conditional=True) in edges
    assert Line("sub:write", "sub:read", "again", conditional=True) in edges
    assert Line("sub:write", END, "done", conditional=True) in edges


def test_a_subgraph_that_is_called_by_a_function_is_drawn_with_xray():
    child = chain("read")

    def calls(state: State):
        return child.invoke(state)

    drawing = chain(("calls", calls)).get_graph(xray=True)

    assert set(drawing.nodes) == {START, "calls:read"}


def test_a_graph_that_calls_itself_is_drawn_once():
    class Caller:
        graph: CompiledGraph

        def run(self, state: State):
            return self.graph.invoke(state)

    caller = Caller()
    caller.graph = graph = chain(("again", caller.run))

    assert set(graph.get_graph(xray=True).nodes) == {START, "again"}
    assert [name for name, _ in graph.get_subgraphs(recurse=True)] == ["again"]


def test_the_async_twin_returns_the_same():
    graph = nested()

    assert asyncio.run(graph.aget_graph(xray=True)) == graph.get_graph(xray=True)


def test_metadata_is_shown_in_every_picture_but_the_text():
    builder = StateGraph(State)
    builder.add_node("ask", step, metadata={"cost": "high", "by": object})
    drawing = builder.add_edge(START, "ask").compile().get_graph()

    assert drawing.nodes["ask"].metadata["cost"] == "high"
    assert "cost = high" in drawing.draw_mermaid()
    assert "cost = high" in drawing.draw_svg()
    assert json.loads(json.dumps(drawing.to_json()))["nodes"][1]["metadata"] == {"cost": "high", "by": "<class 'object'>"}


def test_json_has_nodes_and_edges_as_langgraph_writes_them():
    builder = StateGraph(State)
    builder.add_node("a", step).add_node("sub", chain("x"))
    builder.add_edge(START, "a").add_edge("sub", END).add_conditional_edges("a", lambda state: "go", {"go": "sub"})

    assert builder.compile().get_graph().to_json() == {
        "nodes": [
            {"id": START, "type": "start", "data": {"name": START}},
            {"id": "a", "type": "node", "data": {"name": "a"}},
            {"id": "sub", "type": "graph", "data": {"name": "sub"}},
            {"id": END, "type": "end", "data": {"name": END}},
        ],
        "edges": [
            {"source": START, "target": "a"},
            {"source": "sub", "target": END},
            {"source": "a", "target": "sub", "data": "go", "conditional": True},
        ],
    }


def test_the_first_and_the_last_node_are_those_that_nothing_enters_or_leaves():
    drawing = chain("a", "b", after=[END]).get_graph()

    assert drawing.first_node() == Node(START, START)
    assert drawing.last_node() == Node(END, END)
    assert Drawing.of("ab", ()).first_node() is None
    assert Drawing.of("ab", (Line("a", "b"), Line("b", "a"))).last_node() is None


def test_mermaid_puts_the_nodes_of_a_subgraph_into_a_box():
    source = nested().get_graph(xray=True).draw_mermaid(with_styles=False)

    assert [line.strip() for line in source.splitlines() if "subgraph" in line] == ['subgraph g0n2["middle"]', 'subgraph g1n2["deep"]']
    assert sum(line.strip() == "end" for line in source.splitlines()) == 2


def test_mermaid_takes_colours_and_the_form_of_lines():
    source = (
        chain("a", after=[END])
        .get_graph()
        .draw_mermaid(curve_style="basis", node_colors=NodeStyles(first="red", default="fill:#fff,color:#000"))
    )

    assert "    curve: basis" in source
    assert "classDef first fill:red," in source
    assert "classDef default fill:#fff," in source
    assert ":::last" in source


@pytest.mark.parametrize(
    "draw",
    [
        lambda drawing: drawing.draw_mermaid(curve_style="bassis"),
        lambda drawing: drawing.draw_mermaid(node_colors=NodeStyles(first="red\n    click n0 evil")),
        lambda drawing: drawing.draw_svg(background_color='"/><script>'),
        lambda drawing: drawing.draw_svg(node_colors=NodeStyles(last='fill:"')),
    ],
)
def test_a_style_that_cannot_be_read_is_refused(draw):
    drawing = chain("a").get_graph()

    with pytest.raises(InvalidConfigError):
        draw(drawing)


def test_a_picture_is_well_formed_and_shows_every_name_label_and_frame():
    builder = StateGraph(State)
    builder.add_node("a<b>", step).add_node("größe & co", nested())
    builder.add_edge(START, "a<b>").add_conditional_edges("a<b>", lambda state: "x", {"to < there": "größe & co", "stop": END})
    root = ET.fromstring(builder.compile().get_graph(xray=True).draw_svg())
    shown = [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]

    assert {"a<b>", "größe & co", "middle", "deep", "read", "write", "check", "to < there", "stop"} <= set(shown)


def test_the_same_graph_gives_the_same_picture():
    assert nested().get_graph(xray=True).draw_svg() == nested().get_graph(xray=True).draw_svg()


def test_a_picture_is_written_where_it_is_wanted(tmp_path):
    drawing = chain("a").get_graph()

    assert (tmp_path / "g.svg").exists() is False
    assert drawing.draw_svg(tmp_path / "g.svg") == (tmp_path / "g.svg").read_text("utf-8")
    assert drawing._repr_svg_() == drawing.draw_svg()


def test_a_png_without_its_library_says_what_to_install(monkeypatch):
    real = builtins.__import__

    def without(name, *args, **kwargs):
        if name == "cairosvg":
            raise ModuleNotFoundError("No module named 'cairosvg'")
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)

    with pytest.raises(InvalidConfigError, match="pip install cairosvg"):
        chain("a").get_graph().draw_png()


def test_a_png_is_drawn_on_this_machine(tmp_path):
    pytest.importorskip("cairosvg", reason="an optional package", exc_type=ImportError)
    drawing = chain("a").get_graph()

    assert drawing.draw_mermaid_png(tmp_path / "g.png").startswith(b"\x89PNG")
    assert (tmp_path / "g.png").read_bytes() == drawing.draw_png(padding=10)


def test_subgraphs_are_found_by_name_and_level():
    graph = nested()

    assert [name for name, _ in graph.get_subgraphs()] == ["middle"]
    assert [name for name, _ in graph.get_subgraphs(recurse=True)] == ["middle", "middle|deep"]
    assert [child.parts.spec.nodes.keys() for _, child in graph.get_subgraphs(namespace="middle|deep")] == [{START, "read", "write"}]
    assert list(graph.get_subgraphs(namespace="nobody")) == []


def test_the_async_twin_finds_the_same_subgraphs():
    async def names():
        return [name async for name, _ in nested().aget_subgraphs(recurse=True)]

    assert asyncio.run(names()) == ["middle", "middle|deep"]


CHILD = chain("child")


def by_global(state: State):
    return CHILD.invoke(state)


def by_default(state: State, *, child=CHILD):
    return child.invoke(state)


class Holder:
    def __init__(self) -> None:
        self.child = CHILD

    def run(self, state: State):
        return self.child.invoke(state)

    def __call__(self, state: State):
        return self.child.invoke(state)


def by_argument(child, state: State):
    return child.invoke(state)


@pytest.mark.parametrize(
    "action",
    [by_global, by_default, Holder().run, Holder(), partial(by_argument, CHILD)],
    ids=["global", "default", "method", "object", "partial"],
)
def test_a_subgraph_is_found_however_a_function_holds_it(action):
    graph = StateGraph(State).add_node("calls", action).add_edge(START, "calls").compile()

    assert list(graph.get_subgraphs()) == [("calls", CHILD)]


def test_a_jump_out_of_a_subgraph_is_drawn_where_it_is_declared():
    def leave(state: State):
        return Command(graph=Command.PARENT, goto="target")

    builder = StateGraph(State)
    builder.add_node("sub", chain(("leave", leave)), destinations={"target": "jump"}).add_node("target", step)
    edges = builder.add_edge(START, "sub").add_edge("target", END).compile().get_graph(xray=True).edges

    assert Line("sub:leave", "target", "jump", conditional=True) in edges
