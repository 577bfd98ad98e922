from __future__ import annotations

from typing import Any

import ormsgpack
import pytest

from graphkit.serde.depth import depth_bound, exceeds


def ext(code: int, content: bytes) -> bytes:
    return ormsgpack.packb(ormsgpack.Ext(code, content))


FORMS: dict[str, bytes] = {
    "nil": b"\xc0",
    "true": b"\xc3",
    "small int": b"\x05",
    "negative int": b"\xff",
    **{f"int of {bits} bits": ormsgpack.packb(-(2 ** (bits - 1))) for bits in (8, 16, 32, 64)},
    **{f"unsigned int of {bits} bits": ormsgpack.packb(2**bits - 1) for bits in (8, 16, 32, 64)},
    "float": ormsgpack.packb(1.5),
    "short float": b"\xca\x91\x91\x91\x91",
    # The content looks like arrays: whoever takes it for structure counts too deep.
    **{f"bytes of {size}": ormsgpack.packb(b"\x91" * size) for size in (3, 300, 70_000)},
    **{f"text of {size}": ormsgpack.packb("x" * size) for size in (3, 50, 300, 70_000)},
    **{f"list of {size}": ormsgpack.packb([None] * size) for size in (0, 3, 300, 70_000)},
    **{f"dict of {size}": ormsgpack.packb({str(key): None for key in range(size)}) for size in (0, 3, 300, 70_000)},
    **{f"extension of {size}": ext(4, b"\xc0" + b"\x91" * (size - 1)) for size in (1, 2, 4, 8, 16, 5, 300, 70_000)},
}


@pytest.mark.parametrize("form", FORMS)
def test_depth_is_measured_exactly_behind_every_form_of_value(form):
    body = b"\x92" + FORMS[form] + b"\x91" * 4 + b"\xc0"

    assert not exceeds(body, 6)
    assert exceeds(body, 5)


def test_extensions_count_with_what_is_in_them():
    body = b"\x91" + ext(4, b"\x91" + ext(5, b"\x91\xc0"))

    assert not exceeds(body, 6)
    assert exceeds(body, 5)


@pytest.mark.parametrize("value", [None, [], [[[1]]], {"a": [{}]}, [[]] * 500, "漢" * 500], ids=lambda value: type(value).__name__)
def test_the_bound_is_never_below_the_depth(value):
    def depth(value: Any) -> int:
        if isinstance(value, dict):
            value = list(value.values())
        return 1 + max(map(depth, value), default=0) if isinstance(value, list) else 0

    assert depth_bound(ormsgpack.packb(value)) >= depth(value)
