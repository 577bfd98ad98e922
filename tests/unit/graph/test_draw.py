"""Drawings: what is shown, that nothing is lost, and that no graph is too odd to draw.

To write the golden files anew, after looking at them: ``python tests/unit/graph/test_draw.py``.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from graphkit.graph.draw import Drawing, Line

GOLDEN = Path(__file__).parents[2] / "golden" / "drawings"

ASSISTANT = Drawing.of(
    nodes=("__start__", "triage", "draft", "review", "execute", "__end__"),
    edges=(
        Line("__start__", "triage"),
        Line("triage", "draft", "respond", conditional=True),
        Line("triage", "review", "notify", conditional=True),
        Line("triage", "__end__", "ignore", conditional=True),
        Line("draft", "review"),
        Line("review", "execute", "accept", conditional=True),
        Line("review", "draft", "response", conditional=True),
        Line("review", "__end__", "ignore", conditional=True),
        Line("execute", "draft", "more", conditional=True),
        Line("execute", "__end__", "done", conditional=True),
    ),
)
AGENT = Drawing.of(
    nodes=("__start__", "agent", "tools", "__end__"),
    edges=(
        Line("__start__", "agent"),
        Line("agent", "tools", conditional=True),
        Line("agent", "__end__", conditional=True),
        Line("tools", "agent"),
    ),
)
FAN = Drawing.of(
    nodes=("__start__", "split", "left", "middle", "right", "join", "__end__"),
    edges=(
        Line("__start__", "split"),
        *[Line("split", name) for name in ("left", "middle", "right")],
        Line("middle", "middle", "again", conditional=True),
        *[Line(name, "join") for name in ("left", "middle", "right")],
        Line("join", "__end__"),
    ),
)
BRANCH = Drawing.of(
    nodes=("__start__", "classify", "refund", "answer", "escalate", "__end__"),
    edges=(
        Line("__start__", "classify"),
        Line("classify", "refund", "money", conditional=True),
        Line("classify", "answer", "question", conditional=True),
        Line("classify", "escalate", "angry customer", conditional=True),
        *[Line(name, "__end__") for name in ("refund", "answer", "escalate")],
    ),
)
NAMES = Drawing.of(
    nodes=(
        "__start__",
        "a_node_with_a_very_long_name_that_says_everything_it_does",
        "日本語のノード",
        "Größe prüfen",
        'a<b> & "c"',
        "x" * 150,
    ),
    edges=(
        Line("__start__", "a_node_with_a_very_long_name_that_says_everything_it_does"),
        Line("a_node_with_a_very_long_name_that_says_everything_it_does", "日本語のノード", "はい", conditional=True),
        Line("a_node_with_a_very_long_name_that_says_everything_it_does", "Größe prüfen", "a label of some length", conditional=True),
        Line("日本語のノード", 'a<b> & "c"'),
        Line("Größe prüfen", "x" * 150),
    ),
)
THIRTY = Drawing.of(
    nodes=("__start__", *[f"node_{number}" for number in range(30)]),
    edges=(
        Line("__start__", "node_0"),
        *[
            Line(f"node_{number * 7 % 5 + number - min(number, 5)}", f"node_{number + 1}", conditional=number % 3 == 0)
            for number in range(29)
        ],
        *[Line(f"node_{number}", f"node_{number - 6}", "back", conditional=True) for number in (9, 20, 28)],
    ),
)
SWAP = Drawing.of(nodes=("a", "b", "c", "d"), edges=tuple([Line(upper, lower) for upper in "ab" for lower in "cd"]))

DRAWINGS = {"assistant": ASSISTANT, "agent": AGENT, "fan": FAN, "swap": SWAP, "branch": BRANCH, "names": NAMES, "thirty": THIRTY}

names = st.text(min_size=1, max_size=8)
lines = st.builds(Line, names, names, st.none() | names, st.booleans())
small = st.sampled_from("abcdefg")
dense = st.builds(Line, small, small, st.sampled_from([None, "yes", "no"]), st.booleans())


@pytest.mark.parametrize("name", DRAWINGS)
def test_text_drawings_look_like_their_golden_files(name):
    expected = (GOLDEN / f"{name}.txt").read_text("utf-8")

    assert DRAWINGS[name].draw_ascii() + "\n" == expected


@pytest.mark.parametrize("name", DRAWINGS)
def test_mermaid_drawings_look_like_their_golden_files(name):
    expected = (GOLDEN / f"{name}.mmd").read_text("utf-8")

    assert DRAWINGS[name].draw_mermaid(with_styles=False) + "\n" == expected


@pytest.mark.parametrize("name", DRAWINGS)
def test_pictures_look_like_their_golden_files(name):
    expected = (GOLDEN / f"{name}.svg").read_text("utf-8")

    assert DRAWINGS[name].draw_svg() == expected


def test_an_empty_graph_is_an_empty_drawing():
    drawing = Drawing.of((), ())

    assert drawing.draw_ascii() == ""
    assert drawing.draw_mermaid(with_styles=False) == "flowchart TD"


def test_a_name_that_only_an_edge_mentions_is_drawn():
    drawing = Drawing.of(("a",), (Line("a", "ghost"),))

    assert "ghost" in drawing.draw_ascii()
    assert "ghost" in drawing.draw_mermaid()


def test_an_edge_to_the_node_itself_is_drawn_beside_its_box():
    text = Drawing.of(("poll",), (Line("poll", "poll", "again"), Line("poll", "poll", "later"))).draw_ascii()

    assert "| poll |--+ again, later" in text
    assert "+------+<-+" in text


def test_only_conditional_edges_are_dotted():
    plain = Drawing.of(("a", "b"), (Line("a", "b"),)).draw_ascii()
    dotted = Drawing.of(("a", "b"), (Line("a", "b", conditional=True),)).draw_ascii()

    assert ":" not in plain
    assert ":" in dotted


def test_an_edge_back_points_up():
    text = Drawing.of(("a", "b"), (Line("a", "b"), Line("b", "a"))).draw_ascii()

    assert text.count("^") == 1
    assert text.count("v") == 1


def test_two_edges_between_the_same_nodes_keep_their_labels():
    text = Drawing.of(("a", "b"), (Line("a", "b", "yes", conditional=True), Line("a", "b", "no", conditional=True))).draw_ascii()

    assert "yes" in text
    assert "no" in text


def test_columns_stay_in_line_under_wide_characters():
    rows = Drawing.of(("日本", "b"), (Line("日本", "b"),)).draw_ascii().splitlines()

    assert rows[:3] == ["+------+", "| 日本 |", "+------+"]


def test_marks_stay_on_the_letter_they_belong_to():
    rows = Drawing.of(("e\u0301a", "b"), (Line("e\u0301a", "b", "\u0301x"),)).draw_ascii().splitlines()

    assert rows[:3] == ["+-----+", "| e\u0301a  |", "+-----+"]
    assert any("\u0301x" in row for row in rows)


@pytest.mark.parametrize(
    "name, shown",
    [
        ('say "hi"', "say #quot;hi#quot;"),
        ("a<b>&c", "a#lt;b#gt;#amp;c"),
        ("issue #7", "issue #35;7"),
        ("`code`", "#96;code#96;"),
        ("1. first", "<p>1. first</p>"),
        ("__start__", "<p>__start__</p>"),
        ("two\nlines", "two\\nlines"),
    ],
)
def test_names_cannot_break_out_of_mermaid_source(name, shown):
    source = Drawing.of((name,), ()).draw_mermaid(with_styles=False)

    assert shown in source
    assert len(source.splitlines()) == 2


@pytest.mark.parametrize("name", ["end", "graph", "subgraph", "o", "x", "class", "draft_reply", "write email", "größe"])
def test_ordinary_names_and_mermaid_keywords_are_shown_as_they_are(name):
    source = Drawing.of((name,), ()).draw_mermaid(with_styles=False)

    assert source.splitlines()[1] == f'    n0["{name}"]'


def test_a_graph_too_dense_to_read_is_listed_edge_by_edge():
    nodes = tuple([f"n{number}" for number in range(60)])
    text = Drawing.of(nodes, tuple([Line(upper, lower) for upper in nodes for lower in nodes])).draw_ascii()

    assert len(text.splitlines()) == 60 + 60 * 60
    assert "n3 --> n7" in text


def test_a_listing_shows_labels_and_dots():
    nodes = tuple([f"n{number}" for number in range(600)])
    text = Drawing.of(nodes, (Line("n1", "n2", "maybe", conditional=True),)).draw_ascii()

    assert "n1 ..> n2 (maybe)" in text


def test_a_long_chain_is_drawn_without_deep_recursion():
    nodes = tuple([f"n{number}" for number in range(390)])
    text = Drawing.of(nodes, tuple([Line(*pair) for pair in pairwise(nodes)])).draw_ascii()

    assert text.count("v") == 389


def test_a_wide_graph_has_all_its_nodes_in_one_row():
    leaves = tuple([f"leaf{number}" for number in range(50)])
    text = Drawing.of(("root", *leaves), tuple([Line("root", leaf) for leaf in leaves])).draw_ascii()

    row = next(row for row in text.splitlines() if "leaf0" in row)
    assert all(f"| {leaf} |" in row for leaf in leaves)


@given(st.lists(names, max_size=6), st.lists(lines, max_size=10))
@example(["\u0816", "a\u0301\u0816b"], [])
def test_every_printable_name_is_found_in_the_drawing(nodes, edges):
    drawing = Drawing.of(tuple(nodes), tuple(edges))
    text = drawing.draw_ascii()

    assert all(name in text for name in drawing.nodes if name.isprintable())
    assert len(drawing.draw_mermaid(with_styles=False).splitlines()) == 1 + len(drawing.nodes) + len(set(edges))


@given(st.lists(dense, max_size=14, unique=True))
def test_every_target_of_a_readable_graph_has_an_arrow_head(edges):
    text = Drawing.of((), tuple(edges)).draw_ascii().replace("yes", "").replace("no", "")

    forward_or_back = [line for line in edges if line.source != line.target]
    heads = sum(text.count(head) for head in "v^")
    assert heads >= len({line.target for line in forward_or_back})
    assert heads <= len(forward_or_back)
    assert text.count("<") == len({line.source for line in edges if line.source == line.target})


if __name__ == "__main__":
    for title, picture in DRAWINGS.items():
        (GOLDEN / f"{title}.txt").write_text(picture.draw_ascii() + "\n", "utf-8")
        (GOLDEN / f"{title}.mmd").write_text(picture.draw_mermaid(with_styles=False) + "\n", "utf-8")
        (GOLDEN / f"{title}.svg").write_text(picture.draw_svg(), "utf-8")
