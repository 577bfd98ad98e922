from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphkit.errors import CorruptCheckpointError, SchemaVersionError
from graphkit.serde import Codec
from graphkit.serde.record import MAGIC, MAX_BYTES, OVERHEAD, VERSION, frame, unframe
from tests.unit.serde import shop

VALUES = [
    None,
    {"to": "a@b.c", "amount": 100},
    [(1, 2), {3}, {4: "x"}],
    shop.Order(1, [shop.Line("x", (1,))]),
    {"text": "Grüße \ud800", "sum": 2**80},
]


@pytest.fixture(scope="module")
def codec() -> Codec:
    return Codec(shop.CLASSES)


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_every_flipped_bit_is_noticed(codec, value):
    record = codec.encode(value)

    for bit in range(len(record) * 8):
        damaged = bytearray(record)
        damaged[bit // 8] ^= 1 << bit % 8
        with pytest.raises(CorruptCheckpointError):
            codec.decode(bytes(damaged))


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_every_truncation_is_noticed(codec, value):
    record = codec.encode(value)

    for size in range(len(record)):
        with pytest.raises(CorruptCheckpointError):
            codec.decode(record[:size])


@pytest.mark.parametrize("more", [b"\0", b"\xc0", b"gk\x01\0"])
def test_trailing_bytes_are_noticed(codec, more):
    record = codec.encode([1])

    with pytest.raises(CorruptCheckpointError):
        codec.decode(record + more)


@given(st.binary(max_size=200))
def test_garbage_is_never_a_value(codec, garbage):
    with pytest.raises(CorruptCheckpointError):
        codec.decode(garbage)


@pytest.mark.parametrize("thing", [None, "text", 5, []])
def test_what_is_not_bytes_is_no_record(codec, thing):
    with pytest.raises(CorruptCheckpointError):
        codec.decode(thing)


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_every_form_of_bytes_is_read(codec, kind):
    assert codec.decode(kind(codec.encode([1]))) == [1]


@pytest.mark.parametrize("version, flags", [(VERSION + 1, 0), (255, 0), (VERSION, 1), (VERSION, 0x80), (VERSION + 1, 0xFF)])
def test_a_newer_record_is_told_from_a_damaged_one(codec, version, flags):
    with pytest.raises(SchemaVersionError) as caught:
        codec.decode(_framed(b"\xc0", version, flags))

    assert caught.value.facts == {"version": version, "flags": flags}


def test_version_zero_was_never_written(codec):
    with pytest.raises(CorruptCheckpointError):
        codec.decode(_framed(b"\xc0", 0, 0))


def test_the_frame_takes_twelve_bytes(codec):
    assert OVERHEAD == 12
    assert codec.encode(None) == frame(b"\xc0")
    assert len(codec.encode(None)) == 13


def test_a_record_may_have_exactly_the_largest_size(codec):
    value = b"x" * (MAX_BYTES - OVERHEAD - 5)

    record = codec.encode(value)

    assert len(record) == MAX_BYTES
    assert codec.decode(record) == value
    with pytest.raises(CorruptCheckpointError):
        codec.decode(frame(unframe(record) + b"\0"))


def _framed(body: bytes, version: int, flags: int) -> bytes:
    from zlib import crc32

    header = MAGIC + bytes([version, flags]) + len(body).to_bytes(4, "big")
    return header + crc32(header + body).to_bytes(4, "big") + body
