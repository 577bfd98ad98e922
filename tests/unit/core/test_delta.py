"""Deltas: small where they can be, and replaying them always gives the new value."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphkit.core.delta import Append, Drop, Patch, Set, Splice, between, diff, patched, replay


class Item:
    """Something that is only the same as itself, as a message is that was loaded once."""


A, B, C, D, E, F = (Item() for _ in range(6))
LONG = [Item() for _ in range(9)]

leaves = st.sampled_from([A, B, C, D, None, 0, "text", b"", (A,), frozenset([1])])
keys = st.sampled_from(["k", "l", "m", 1, 2.5, None, ("t", 1)])


def grown(children):
    return st.lists(children, max_size=6) | st.dictionaries(keys, children, max_size=6)


trees = st.recursive(leaves, grown, max_leaves=20)


@st.composite
def edited(draw, value=None):
    """Return (old, new): new shares objects with old, as a value does that a reducer made from the old one."""
    old: Any = draw(trees) if value is None else value
    new: Any
    if isinstance(old, list):
        new = [draw(edited(item))[1] if draw(st.booleans()) else item for item in old]
        new = new[: draw(st.integers(0, len(old)))] if draw(st.integers(0, 4)) == 0 else new
        return old, [*new, *draw(st.lists(trees, max_size=3))]
    if isinstance(old, dict):
        kept = {
            key: draw(edited(item))[1] if draw(st.integers(0, 3)) == 0 else item for key, item in old.items() if draw(st.integers(0, 4))
        }
        if draw(st.integers(0, 4)) == 0:
            kept = dict(draw(st.permutations(list(kept.items()))))
        return old, {**kept, **draw(st.dictionaries(keys, trees, max_size=2))}
    return old, draw(trees)


def exactly(value):
    """Return a form of a value in which order of entries and types of keys and values count."""
    if isinstance(value, dict):
        return ("dict", [(type(key), key, exactly(item)) for key, item in value.items()])
    if isinstance(value, list):
        return ("list", [exactly(item) for item in value])
    return (type(value), value)


@given(edited())
def test_replaying_the_delta_between_two_values_gives_the_new_one(pair):
    old, new = pair
    before = exactly(old)

    again = patched(old, between(old, new))

    assert exactly(again) == exactly(new)
    assert exactly(old) == before


@given(st.lists(edited(), max_size=3), st.sets(st.integers(0, 2)), st.sets(st.integers(0, 2)))
def test_replaying_the_diff_of_two_states_gives_the_new_state(pairs, absent, dropped):
    old = {str(index): pair[0] for index, pair in enumerate(pairs) if index not in absent}
    new = {str(index): pair[1] for index, pair in enumerate(pairs) if index not in dropped}

    values = dict(old)
    replay(values, diff(old, new, old.keys() | new.keys()))

    assert {key: exactly(value) for key, value in values.items()} == {key: exactly(value) for key, value in new.items()}


@pytest.mark.parametrize(
    "old, new, delta",
    [
        (1, 2, Set(2)),
        ([A], [A, B, C], Append([B, C])),
        ([A, B], [A, B], Append([])),
        ([], [A], Set([A])),
        ([A, B], [A], Set([A])),
        ([A, B, C], [A, D, C], Splice({1: D}, [])),
        ([A, B, C], [A, B, D, E], Splice({2: D}, [E])),
        ([A, B], [A, C], Set([A, C])),
        ([A, B, C, D], [A, B, E, F], Set([A, B, E, F])),
        ((A,), (A, B), Set((A, B))),
        ([A], (A, B), Set((A, B))),
        ({"a": A, "b": B, "c": C}, {"a": A, "b": D, "c": C}, Patch({"b": Set(D)})),
        ({"a": A, "b": B, "c": C, "d": D}, {"a": A, "b": B, "d": D}, Patch({}, ("c",))),
        ({"a": A, "b": B, "c": C}, {"a": A, "b": B, "c": C, "d": D}, Patch({"d": Set(D)})),
        ({"a": A}, {"a": B}, Set({"a": B})),
        ({}, {"a": B}, Set({"a": B})),
        ({"a": A}, {}, Set({})),
        ({"a": A, "b": B, "c": C}, {"c": C, "b": B, "a": A}, Set({"c": C, "b": B, "a": A})),
        ({"a": A, "b": B, "c": C}, {"d": D, "a": A, "b": B, "c": C}, Set({"d": D, "a": A, "b": B, "c": C})),
    ],
)
def test_which_delta_is_made(old, new, delta):
    assert between(old, new) == delta
    assert exactly(patched(old, delta)) == exactly(new)


def test_a_list_inside_a_dict_is_appended_to():
    items = [A]

    delta = between({"a": items, "b": B, "c": C}, {"a": [*items, D], "b": B, "c": C})

    assert delta == Patch({"a": Append([D])})


def test_a_list_that_is_replaced_by_an_equal_one_of_the_same_items_costs_nothing():
    assert between(LONG, list(LONG)) == Append([])


def test_identity_decides_what_changed():
    old = {"same": LONG, "equal": "a" * 99}
    new = {"same": LONG, "equal": "".join(["a"] * 99)}

    assert diff(old, new, old) == {"equal": Set("a" * 99)}


def test_only_the_named_keys_are_looked_at():
    assert diff({"a": 1, "b": 1}, {"a": 2, "b": 2}, ["b"]) == {"b": Set(2)}


@pytest.mark.parametrize(
    "old, new, deltas",
    [
        ({}, {"k": 1}, {"k": Set(1)}),
        ({"k": 1}, {}, {"k": Drop()}),
        ({}, {}, {}),
        ({"k": None}, {"k": None}, {}),
    ],
)
def test_keys_come_and_go(old, new, deltas):
    assert diff(old, new, ["k"]) == deltas


def test_a_key_that_is_dropped_and_not_there_is_no_mistake():
    values: dict[str, object] = {}

    replay(values, {"k": Drop()})

    assert values == {}


def test_an_entry_whose_key_was_replaced_by_an_equal_key_of_another_type_keeps_the_new_type():
    old = {1: A, "b": B, "c": C}
    new = {True: A, "b": B, "c": C}

    again = patched(old, between(old, new))

    assert exactly(again) == exactly(new)


@given(st.lists(leaves, min_size=1), st.lists(leaves))
def test_a_list_that_grew_costs_only_its_new_items(items, more):
    assert between(items, [*items, *more]) == Append(more)
