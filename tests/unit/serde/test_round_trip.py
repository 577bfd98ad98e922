from __future__ import annotations

import math
import subprocess
import sys
from collections import OrderedDict, defaultdict, deque
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphkit.serde import Codec
from graphkit.serde.careful import CarefulWriter
from graphkit.serde.registry import Registry
from graphkit.serde.writer import CANONICAL, STORED, Writer, write
from tests.unit.serde import shop, values

VALUES = values.plain() | values.registered()


def shape(value: Any) -> Any:
    """The types of a value, all the way down, and what == does not look at."""
    kind = type(value)
    if isinstance(value, dict):
        inner: Any = [(shape(key), shape(item)) for key, item in dict.items(value)]
        return kind, inner, getattr(value, "default_factory", None)
    if isinstance(value, list | tuple | deque):
        items = list.__iter__(value) if isinstance(value, list) else iter(value)
        return kind, [shape(item) for item in items], getattr(value, "maxlen", None), getattr(value, "label", None)
    if isinstance(value, set | frozenset):
        return kind, sorted(repr(shape(item)) for item in value)
    if hasattr(value, "__dataclass_fields__"):
        return kind, [shape(getattr(value, name)) for name in value.__dataclass_fields__ if hasattr(value, name)]
    if hasattr(value, "__pydantic_fields_set__"):
        return kind, shape(value.__dict__), value.__pydantic_extra__, value.__pydantic_private__, value.__pydantic_fields_set__
    return kind, getattr(value, "fold", None), getattr(value, "language", None), math.copysign(1, value) if kind is float else None


@pytest.fixture
def codec() -> Codec:
    return Codec(shop.CLASSES)


@pytest.mark.parametrize("name", VALUES)
def test_a_value_comes_back_equal_and_with_the_same_types(codec, name):
    value = VALUES[name]

    back = codec.decode(codec.encode(value))

    assert back == value
    assert shape(back) == shape(value)


def test_not_a_number_comes_back(codec):
    back = codec.decode(codec.encode(float("nan")))

    assert type(back) is float
    assert math.isnan(back)


@pytest.mark.parametrize(
    "error",
    [
        ValueError("bad", 1, ("x",)),
        KeyError("k"),
        StopIteration(5),
        SystemExit(2),
        FileNotFoundError(2, "no such file", "/x"),
        OSError("only text"),
        UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad byte"),
        ImportError("no", name="m", path="/m"),
        ExceptionGroup("several", [ValueError(1), TypeError((2,))]),
        shop.ShopError(7, retry=True),
        shop.LostFileError(2, "gone", "/y"),
    ],
    ids=repr,
)
def test_an_exception_comes_back_with_its_arguments_and_attributes(codec, error):
    error.add_note("seen")

    back = codec.decode(codec.encode(error))

    assert type(back) is type(error)
    assert repr(back.args) == repr(error.args)
    assert str(back) == str(error)
    assert vars(back) == vars(error)
    assert getattr(back, "filename", None) == getattr(error, "filename", None)
    assert getattr(back, "name", None) == getattr(error, "name", None)


def test_an_os_error_that_python_would_turn_into_another_class_keeps_its_class(codec):
    error = OSError("x")
    error.args = (2, "no such file")

    back = codec.decode(codec.encode(error))

    assert type(back) is OSError
    assert back.args == (2, "no such file")


def test_reading_runs_no_code_of_the_class(codec):
    record = codec.encode([shop.Loud("a"), shop.Mail(subject=" x ")])
    shop.RUNS.clear()

    back = codec.decode(record)

    assert back == [shop.Loud("a"), shop.Mail.model_construct(subject="x")]
    assert [run for run in shop.RUNS if run == "model"] == []


def test_a_dict_that_looks_like_a_tag_stays_a_dict(codec):
    lookalikes: list[Any] = [
        {"__type__": "tuple", "value": [1]},
        {"lc": 1, "type": "constructor", "id": ["os", "system"], "kwargs": {"command": "true"}},
        {"send": ["x", 1]},
        ["send", {"node": "n", "arg": 1}],
        [40, ["send", {}]],
    ]

    assert codec.decode(codec.encode(lookalikes)) == lookalikes


def test_the_order_of_a_dict_is_kept(codec):
    value = {"b": {2: 0, 1: 0}, "a": OrderedDict(z=1, y=2), "c": defaultdict(int, {"q": 1, "p": 2})}

    back = codec.decode(codec.encode(value))

    assert [list(inner) for inner in (back, back["b"], back["a"], back["c"])] == [["b", "a", "c"], [2, 1], ["z", "y"], ["q", "p"]]


def test_equal_sets_have_equal_records(codec):
    words = [f"word {number}" for number in range(50)]
    one = set(words)
    other: set[str] = set()
    for word in reversed(words):
        other.add(word)

    assert codec.encode(one) == codec.encode(other)


@pytest.mark.parametrize("options", [STORED, CANONICAL])
@pytest.mark.parametrize("name", VALUES)
def test_the_fast_and_the_careful_way_write_the_same_bytes(name, options):
    registry = Registry()
    for kind in shop.CLASSES:
        registry.add(kind)

    fast = Writer(registry.kinds, options).write(VALUES[name])
    careful = CarefulWriter(registry.kinds, options, sort=options == CANONICAL).write(VALUES[name])

    assert fast == careful


CHILD = """
import sys
from graphkit.serde import Codec
from tests.unit.serde import shop, values
codec = Codec(shop.CLASSES)
for name, value in (values.plain() | values.registered()).items():
    back = codec.decode(bytes.fromhex(sys.stdin.readline()))
    assert (type(back), back) == (type(value), value), name
print("all")
"""


def test_another_process_reads_the_same_values(codec):
    lines = "\n".join(codec.encode(value).hex() for value in VALUES.values())

    child = subprocess.run([sys.executable, "-c", CHILD], input=lines, capture_output=True, text=True, check=False)

    assert (child.stdout, child.stderr) == ("all\n", "")


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(st.characters(codec=None))
    | st.binary()
    | st.decimals(allow_nan=False)
    | st.fractions()
    | st.uuids()
    | st.dates()
    | st.datetimes(timezones=st.none() | st.timezones())
    | st.timedeltas()
    | st.complex_numbers(allow_nan=False)
    | st.sampled_from(shop.Rank)
    | st.sampled_from(shop.Word)
)
KEYS = st.recursive(SCALARS, lambda inner: st.tuples(inner, inner) | st.frozensets(inner, max_size=3), max_leaves=4)
NESTED = st.recursive(
    SCALARS | st.binary().map(bytearray),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text(max_size=5), inner, max_size=4)
        | st.dictionaries(KEYS, inner, max_size=4)
        | st.sets(KEYS, max_size=4)
        | st.lists(inner, max_size=3).map(deque)
        | st.dictionaries(KEYS, inner, max_size=3).map(OrderedDict)
        | st.builds(shop.Crate, inner)
        | st.builds(lambda extra: shop.Mail.model_construct(subject=extra), inner)
    ),
    max_leaves=20,
)


@settings(max_examples=60, deadline=None)
@given(NESTED)
def test_any_nesting_of_values_comes_back(value):
    codec = Codec(shop.CLASSES)

    back = codec.decode(codec.encode(value))

    assert back == value
    assert shape(back) == shape(value)
    assert codec.digest(back) == codec.digest(value)


@pytest.mark.parametrize("options", [STORED, CANONICAL])
@pytest.mark.parametrize("name", VALUES)
def test_the_way_of_short_plain_records_leads_to_the_same_bytes(codec, name, options):
    value, kinds = VALUES[name], codec._registry.kinds

    assert write(kinds, options, value) == Writer(kinds, options).write(value)
