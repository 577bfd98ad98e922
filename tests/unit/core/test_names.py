"""Ids, namespaces, records and the small values users hold."""

from __future__ import annotations

from enum import Enum, StrEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphkit.core.checkpoint import Trigger
from graphkit.core.command import MISSING, Command, Send, plain_name
from graphkit.core.ids import checkpoint_id, child_namespace, derive, looks_like_interrupt_id, position, within
from graphkit.core.record import record, replace
from graphkit.core.task import SUMMARY_LIMIT, TRACE_LIMIT, Failed
from tests.unit.core.graphs import graph, question, tasks_of
from tests.unit.core.graphs import position as checkpoint_at

BORDERLESS = st.text(st.characters(exclude_characters="\x1f"), max_size=4)


def test_a_derived_id_has_32_hexadecimal_digits_and_is_the_same_every_time():
    assert derive("task", 1) == derive("task", 1)
    assert looks_like_interrupt_id(derive("task", 1))


@given(st.lists(BORDERLESS, min_size=1), st.lists(BORDERLESS, min_size=1))
def test_a_derived_id_depends_on_every_part_and_on_their_borders(one, other):
    assert (derive(*one) == derive(*other)) is (one == other)


def test_text_that_no_encoding_allows_has_an_id_too():
    assert len(derive("\ud800")) == 32


@given(st.integers(0, 2**32 - 1))
def test_the_position_of_a_checkpoint_can_be_read_from_its_id(n):
    assert position(checkpoint_id(n, "run")) == n


@given(st.lists(st.integers(0, 2**32 - 1)))
def test_checkpoint_ids_sort_as_their_positions(positions):
    assert sorted([checkpoint_id(n, "r") for n in positions]) == [checkpoint_id(n, "r") for n in sorted(positions)]


@pytest.mark.parametrize("text", ["", "1-run", "00000001", "00000001-", "0000000g-run", "000000001-run", "no checkpoint"])
def test_other_text_has_no_position(text):
    assert position(text) is None


@pytest.mark.parametrize("text", ["0" * 31, "0" * 33, "A" * 32, "g" * 32, 5, None, b"0" * 32])
def test_what_is_no_interrupt_id(text):
    assert not looks_like_interrupt_id(text)


@pytest.mark.parametrize(
    "parent, node, task, call, namespace",
    [
        ("", "a", "1f", 0, "a:1f"),
        ("", "a", None, 0, "a"),
        ("", "a", "1f", 2, "a:1f|2"),
        ("a:1f", "b", None, 0, "a:1f|b"),
        ("a:1f|b", "c", "2e", 1, "a:1f|b|c:2e|1"),
    ],
)
def test_the_namespace_of_a_subgraph_names_its_way_down(parent, node, task, call, namespace):
    assert child_namespace(parent, node, task, call) == namespace


@pytest.mark.parametrize(
    "namespace, ancestor, inside",
    [("", "", True), ("a", "", True), ("a", "a", True), ("a|b", "a", True), ("ab", "a", False), ("a", "a|b", False), ("", "a", False)],
)
def test_which_namespaces_are_within_another(namespace, ancestor, inside):
    assert within(namespace, ancestor) is inside


@record
class Point:
    x: int
    y: int = 0


@record
class Same:
    x: int

    def __eq__(self, other):
        return True

    def __hash__(self):
        return 0

    def __repr__(self):
        return "same"


def test_records_are_compared_hashed_and_shown_by_their_fields():
    assert Point(1) == Point(1, 0)
    assert Point(1) != Point(2)
    assert Point(1) != (1, 0)  # type: ignore[comparison-overlap]
    assert len({Point(1), Point(1), Point(2)}) == 2
    assert repr(Point(1)) == "Point(x=1, y=0)"


def test_a_record_keeps_the_methods_it_defines():
    assert Same(1) == 5
    assert hash(Same(1)) == 0
    assert repr(Same(1)) == "same"


def test_a_replaced_record_is_a_copy():
    point = Point(1)

    assert replace(point, y=2) == Point(1, 2)
    assert point == Point(1)


def test_a_record_has_no_other_attributes_than_its_fields():
    with pytest.raises(AttributeError):
        Point(1).z = 3  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "goto, targets",
    [((), ()), ("a", ("a",)), (Send("a", 1), (Send("a", 1),)), (["a", Send("b", 2)], ("a", Send("b", 2)))],
)
def test_the_targets_of_a_command_are_a_tuple(goto, targets):
    assert Command(goto=goto).targets == targets


class Step(str, Enum):  # noqa: UP042 - as older code has it
    LEFT = "left"


class Way(StrEnum):
    RIGHT = "right"


class Text(str):
    __slots__ = ()


@pytest.mark.parametrize("name, plain", [("a", "a"), (Step.LEFT, "left"), (Way.RIGHT, "right"), (Text("b"), "b")])
def test_node_names_are_plain_strings_whatever_stood_for_them(name, plain):
    assert (type(plain_name(name)), plain_name(name)) == (str, plain)


def test_missing_is_shown_as_its_name():
    assert repr(MISSING) == "MISSING"


def test_start_values_are_new_with_each_call_and_a_missing_one_is_left_out():
    spec = graph({}, starts=(("log", list), ("last", lambda: MISSING)))

    first, second = spec.start_values(), spec.start_values()

    assert first == second == {"log": []}
    assert first["log"] is not second["log"]


class Unspeakable(Exception):
    def __repr__(self):
        raise RuntimeError


def test_a_live_failure_is_described_with_the_end_of_its_traceback():
    error = ValueError("no" * TRACE_LIMIT)

    failed = Failed.of(error)

    assert failed.summary == repr(error)[:SUMMARY_LIMIT]
    assert (len(failed.trace), failed.error) == (TRACE_LIMIT, error)


def test_an_exception_that_cannot_be_shown_is_described_by_its_class():
    assert Failed.of(Unspeakable()).summary == "Unspeakable"


def test_a_failure_read_from_storage_equals_the_live_one():
    failed = Failed.of(ValueError("no"))

    assert failed == Failed(failed.summary, failed.trace)


def test_a_task_is_only_equal_to_itself():
    at = checkpoint_at("a")
    one, other = tasks_of(at)[0], tasks_of(at)[0]

    assert one != other
    assert len({one, other}) == 2
    assert one.id == other.id


def test_a_task_that_was_carried_over_keeps_its_id():
    at = checkpoint_at((Trigger("a", id="carried"),))

    assert tasks_of(at)[0].id == "carried"


def test_tasks_of_one_node_differ_by_place_and_namespace_and_checkpoint():
    at, later = checkpoint_at((Trigger("a", 1), Trigger("a", 1))), checkpoint_at("a", n=2)

    ids = [task.id for task in (*tasks_of(at), *tasks_of(at, "sub"), *tasks_of(later))]

    assert len(set(ids)) == 5


def test_a_question_belongs_to_the_last_task_of_its_path():
    assert question("inner", path=("outer",)).task_id == "inner"
