"""Keyframes, deltas and their bytes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphkit.core.delta import Append, Drop, Patch, Set, Splice, diff
from graphkit.errors import CorruptCheckpointError
from graphkit.serde import Codec
from graphkit.storage.chain import ALLOWANCE, ROW_WASTE, Chain, Rebuild, pack, unpack

CODEC = Codec()

leaves = st.none() | st.booleans() | st.integers() | st.text(max_size=5)
values = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4), max_leaves=12
)
states = st.lists(st.dictionaries(st.sampled_from("abc"), values, max_size=3), min_size=1, max_size=8)

deltas = [
    {"k": Set((1, None))},
    {"k": Append([1, (2,)])},
    {"k": Splice({0: "a", 3: (1,)}, ["b"])},
    {"k": Patch({"x": Set(1), 2: Append([3]), (1, 2): Patch({"y": Splice({1: 2}, [])}, ("gone", 1))}, ("z",))},
    {"k": Drop()},
    {"k": Set(b"bytes"), "l": Drop(), "m": Append(["x" * 100])},
    {},
]


@pytest.mark.parametrize("changes", deltas, ids=str)
def test_changes_come_back_as_they_were(changes):
    blob, sized = pack(CODEC, changes)

    assert {key: delta for key, delta, _ in unpack(CODEC, blob)} == changes
    assert unpack(CODEC, blob) == sized


def test_no_changes_take_no_bytes():
    assert pack(CODEC, {}) == (None, [])


def test_sizes_are_close_to_the_bytes_of_the_values():
    _, [(_, _, alone)] = pack(CODEC, {"key": Set("x" * 500)})
    _, [(_, _, first), (_, _, second)] = pack(CODEC, {"key": Set("x" * 500), "other": Set(1)})

    assert 500 <= alone <= 520
    assert 500 <= first <= 520
    assert second <= 20


@given(states)
def test_any_history_is_replayed(history):
    rebuild = Rebuild(CODEC)
    before: dict[str, object] = {}
    seen = []
    for state in history:
        blob, _ = pack(CODEC, diff(before, state, {*before, *state}))
        rebuild.add("id", blob)
        seen.append(rebuild.values())
        before = state

    assert seen == history


def test_a_list_that_was_handed_out_is_not_extended():
    rebuild = Rebuild(CODEC)
    rebuild.add("1", pack(CODEC, {"log": Set([1])})[0])
    first = rebuild.values()
    rebuild.add("2", pack(CODEC, {"log": Append([2])})[0])
    rebuild.add("3", pack(CODEC, {"log": Append([3])})[0])

    assert first == {"log": [1]}
    assert rebuild.values() == {"log": [1, 2, 3]}


def test_a_chain_of_appends_needs_no_keyframe():
    chain = Chain(0)
    for _ in range(10_000):
        chain.add("id", [("log", Append(["x"]), ROW_WASTE + 1)])

    assert not chain.heavy


def test_a_chain_of_replacements_needs_one_soon():
    chain = Chain(0)
    rows = 0
    while not chain.heavy:
        chain.add("id", [("blob", Set("x"), 1000)])
        rows += 1

    assert 4 <= rows <= 8


def test_empty_rows_need_one_in_the_end():
    chain = Chain(0)
    for _ in range(ALLOWANCE // ROW_WASTE + 1):
        chain.add("id", [])

    assert chain.heavy


def test_dropping_a_key_makes_its_bytes_waste():
    chain = Chain(0)
    chain.add("id", [("blob", Set("x"), ALLOWANCE)])
    chain.add("id", [("blob", Drop(), 1)])

    assert chain.heavy


@pytest.mark.parametrize("form", [1, [1], {"k": 1}, {"k": []}, {"k": [9]}, {"k": [2, 3, 4]}, {"k": [3, [[1]], []]}, {"k": [1]}])
def test_changes_of_an_unknown_form_are_damage(form):
    with pytest.raises(CorruptCheckpointError):
        unpack(CODEC, CODEC.encode(form))
