from __future__ import annotations

import os
import subprocess
import sys
from itertools import combinations
from typing import Any

import pytest

from graphkit.serde import Codec
from tests.unit.serde import shop


@pytest.fixture
def codec() -> Codec:
    return Codec(shop.CLASSES)


def test_a_digest_is_32_hexadecimal_digits(codec):
    digest = codec.digest({"a": [1, (2,)]})

    assert len(digest) == 32
    assert int(digest, 16)


@pytest.mark.parametrize(
    "one, other",
    [
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        ({1: "x", "b": (2,)}, {"b": (2,), 1: "x"}),
        ({"\ud800": 1, "b": 2}, {"b": 2, "\ud800": 1}),
        ({"a": {"x": 1, "y": 2}, "l": [{"x": 1, "y": 2}]}, {"l": [{"y": 2, "x": 1}], "a": {"y": 2, "x": 1}}),
        ({3, 1, 2}, {2, 3, 1}),
        (frozenset("abc"), frozenset("cba")),
        (shop.Crate({"a": 1, "b": {2: 3, 4: 5}}), shop.Crate({"b": {4: 5, 2: 3}, "a": 1})),
    ],
    ids=["keys", "odd keys", "surrogate keys", "nested", "set", "frozenset", "dataclass"],
)
def test_equal_values_have_equal_digests(codec, one, other):
    assert one == other
    assert codec.digest(one) == codec.digest(other)


def test_different_values_and_types_have_different_digests(codec):
    import collections

    values: list[Any] = [
        0, False, 0.0, "", b"", None, [], (), {}, set(), frozenset(), bytearray(), 1, True, 1.0, "1", shop.Rank.LOW, shop.Count(1),
        shop.Bits.A, [1], (1,), {1}, frozenset({1}), {"1": 1}, {1: 1}, {True: 1}, shop.Bag({"1": 1}), collections.Counter({"1": 1}),
        collections.OrderedDict(a=1, b=2), collections.OrderedDict(b=2, a=1), {"a": 1, "b": 2}, shop.Text("1"), shop.Word.YES, "yes",
        shop.Crate(1), shop.Crate(True), shop.Box[int](content=1), [[1], 2], [1, [2]], [1, 2], {"a": [1], "b": []}, {"a": [], "b": [1]},
    ]  # fmt: skip

    clashes = [(one, other) for one, other in combinations(values, 2) if codec.digest(one) == codec.digest(other)]

    assert clashes == []


CHILD = """
from graphkit.serde import Codec
from tests.unit.serde import shop, values
codec = Codec(shop.CLASSES)
for value in [*values.plain().values(), *values.registered().values(), set("abcdefgh"), {c: {c} for c in "hgfe"}]:
    print(codec.digest(value))
"""


def test_digests_are_the_same_in_every_process():
    def digests(seed: str) -> str:
        environment = os.environ | {"PYTHONHASHSEED": seed}
        return subprocess.run([sys.executable, "-c", CHILD], env=environment, capture_output=True, text=True, check=True).stdout

    first = digests("1")

    assert first.count("\n") > 90
    assert digests("2") == first


def test_a_digest_is_pinned(codec):
    value = {"to": "a@b.c", "sum": (1, {2, 3}), "when": None}

    assert codec.digest(value) == "949610b76744797f5d1f222020a2b9d9"
