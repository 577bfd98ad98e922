"""Pictures: nothing covers anything, nothing runs through a box, and every graph has one."""

from __future__ import annotations

from itertools import combinations, pairwise
from xml.etree import ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from graphkit.graph.draw import Drawing, Line, Node
from graphkit.graph.draw.layout import arranged
from graphkit.graph.draw.letters import columns, width, wrapped

small = st.sampled_from(["a", "b", "c", "d", "e_with_a_longer_name", "f", "__start__", "__end__"])
lines = st.builds(Line, small, small, st.sampled_from([None, "yes", "a longer label"]), st.booleans())
names = st.text(min_size=1, max_size=40)
anything = st.builds(Line, names, names, st.none() | names, st.booleans())

AGAIN = Drawing.of(
    [Node("a", "a"), Node("sub:x", "x", group=("sub",)), Node("sub:y", "y", group=("sub",)), Node("b", "b")],
    [Line("a", "sub:x"), Line("sub:x", "sub:y"), Line("sub:y", "b"), Line("b", "sub:x", "again"), Line("sub:y", "a", "back")],
)


def sides(box):
    return box.x - box.wide / 2, box.x + box.wide / 2, box.y - box.high / 2, box.y + box.high / 2


def overlap(one, other):
    (left, right, top, bottom), (far_left, far_right, far_top, far_bottom) = sides(one), sides(other)
    return left < far_right and far_left < right and top < far_bottom and far_top < bottom


def runs_through(points, box):
    left, right, top, bottom = sides(box)
    return any(
        min(x, far_x) < right - 1 and max(x, far_x) > left + 1 and min(y, far_y) < bottom - 1 and max(y, far_y) > top + 1
        for (x, y), (far_x, far_y) in pairwise(points)
    )


@given(st.lists(lines, max_size=14))
def test_boxes_and_labels_do_not_cover_each_other(edges):
    layout = arranged(Drawing.of((), edges))

    assert not [pair for pair in combinations([*layout.boxes, *layout.labels], 2) if overlap(*pair)]


@given(st.lists(lines, max_size=14))
def test_no_line_runs_through_a_box(edges):
    layout = arranged(Drawing.of((), edges))

    assert not [(route, box) for route in layout.routes for box in layout.boxes if runs_through(route.points, box)]


@given(st.lists(lines, max_size=14))
def test_every_line_begins_and_ends_at_its_nodes(edges):
    layout = arranged(Drawing.of((), edges))

    for route in layout.routes:
        for key, (x, y) in ((route.line.source, route.points[0]), (route.line.target, route.points[-1])):
            left, right, top, bottom = sides(layout.box_of(key))
            assert left <= x <= right
            assert min(abs(y - top), abs(y - bottom)) < 0.2
    assert len(layout.routes) == len({line for line in edges if line.source != line.target})


@given(st.lists(names, max_size=5), st.lists(anything, max_size=6))
def test_every_graph_has_a_well_formed_picture(nodes, edges):
    root = ET.fromstring(Drawing.of(nodes, edges).draw_svg())

    assert root.tag == "{http://www.w3.org/2000/svg}svg"


def test_a_line_back_into_a_subgraph_goes_around_its_frame():
    layout = arranged(AGAIN)
    frame = layout.frames[0]
    route = next(route for route in layout.routes if route.line.label == "again")

    assert max(x for x, _ in route.points) > frame.x + frame.wide
    assert route.points[-2][1] < route.points[-1][1]


def test_a_line_back_out_of_a_subgraph_leaves_it_below():
    layout = arranged(AGAIN)
    frame = layout.frames[0]
    route = next(route for route in layout.routes if route.line.label == "back")

    assert max(y for _, y in route.points) >= frame.y + frame.high - 0.2
    assert max(x for x, _ in route.points) > frame.x + frame.wide


def test_frames_hold_what_belongs_to_them_and_nothing_else():
    layout = arranged(AGAIN)
    frame = layout.frames[0]
    inside = {box.node.name for box in layout.boxes if frame.x < box.x < frame.x + frame.wide and frame.y < box.y < frame.y + frame.high}

    assert inside == {"x", "y"}
    assert frame.title == "sub"


def test_a_chain_stands_in_one_line():
    layout = arranged(Drawing.of(("a", "a much longer name", "c"), (Line("a", "a much longer name"), Line("a much longer name", "c"))))

    assert len({round(box.x, 1) for box in layout.boxes}) == 1


def test_a_graph_too_dense_to_follow_is_drawn_all_the_same():
    nodes = [f"n{number}" for number in range(40)]
    edges = [Line(upper, lower) for upper in nodes for lower in nodes if upper != lower]

    assert Drawing.of(nodes, edges).draw_svg().count("<path") == len(edges)


def test_wide_and_invisible_characters_are_counted_as_they_are_seen():
    assert columns("日本") == 4
    assert columns("e\u0301") == 1
    assert width("日本", 10) > width("ab", 10)


def test_a_long_name_is_broken_where_it_has_a_seam():
    assert wrapped("send_the_weekly_report_to_all", 20) == ["send_the_weekly_", "report_to_all"]
    assert wrapped("x" * 45, 20) == ["x" * 20, "x" * 20, "x" * 5]
    assert wrapped("", 20) == [""]
