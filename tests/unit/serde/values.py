"""Values that have to come back exactly, by name. Made afresh by each call."""

from __future__ import annotations

import re
from collections import Counter, OrderedDict, defaultdict, deque
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from ipaddress import IPv4Address, IPv4Interface, IPv4Network, IPv6Address, IPv6Interface, IPv6Network
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from graphkit.core.command import MISSING, Command, Interrupt, Overwrite, Send
from tests.unit.serde import shop


def plain() -> dict[str, Any]:
    berlin = ZoneInfo("Europe/Berlin")
    return {
        "none": None,
        "true": True,
        "zero": 0,
        "one": 1,
        "negative": -(2**63),
        "unsigned": 2**64 - 1,
        "too large for 64 bits": 2**64,
        "too small for 64 bits": -(2**63) - 1,
        "huge": 3**2000,
        "float": 1.5,
        "whole float": 1.0,
        "negative zero": -0.0,
        "infinity": float("inf"),
        "empty text": "",
        "text": "Grüße 漢字 🙂",
        "nul": "a\0b",
        "lone surrogate": "a\ud800b",
        "surrogates that look like a pair": "\ud83d\ude42",
        "bytes": b"\x00\xff",
        "bytearray": bytearray(b"\x00\xff"),
        "bytearray inside": {"a": [bytearray(b"x"), b"x"]},
        "bytearray in a tuple": ({"a": bytearray(b"x")},),
        "list": [1, "a", None],
        "tuple": (1, "a", None),
        "nested tuple": [(1, (2, [3, ()]))],
        "dict": {"b": 1, "a": 2},
        "dict of any keys": {1: "int", "1": "text", None: 0, (1, 2): "tuple", 1.5: "float", b"k": "bytes", frozenset({1}): "set"},
        "dict of bool": {True: 1, False: 0},
        "dict with surrogate key": {"\udc80": 1, "a": {"b": (1,)}},
        "set": {1, "a", (2,)},
        "empty set": set(),
        "frozenset": frozenset({1, 2}),
        "deque": deque([1, 2], maxlen=3),
        "deque without limit": deque([1]),
        "OrderedDict": OrderedDict(b=1, a=(2,)),
        "defaultdict": defaultdict(list, a=[1]),
        "defaultdict without factory": defaultdict(None, {1: 2}),
        "Counter": Counter("abca"),
        "complex": complex(1, -2),
        "Fraction": Fraction(1, 3**100),
        "range": range(0, 10**30, 7),
        "slice": slice(1, None, (2,)),
        "Ellipsis": ...,
        "date": date(2024, 2, 29),
        "time": time(1, 2, 3, 4, tzinfo=timezone(timedelta(hours=2)), fold=1),
        "datetime": datetime(2024, 2, 29, 1, 2, 3, 4),  # noqa: DTZ001
        "datetime UTC": datetime(2024, 2, 29, tzinfo=UTC),
        "datetime with zone and fold": datetime(2024, 10, 27, 2, 30, tzinfo=berlin, fold=1),
        "timedelta": timedelta(days=-1, microseconds=1),
        "timezone": timezone(timedelta(minutes=-330, microseconds=1)),
        "named timezone": timezone(timedelta(hours=1), "Büro\ud800"),
        "ZoneInfo": berlin,
        "Decimal": Decimal("1.10"),
        "Decimal infinity": Decimal("-Infinity"),
        "UUID": UUID(int=5),
        "Path": Path("/tmp/a b"),
        "undecodable Path": Path("a\udcff"),
        "PurePosixPath": PurePosixPath("../x"),
        "PureWindowsPath": PureWindowsPath("C:\\x"),
        "pattern": re.compile("(?i)ä+", re.MULTILINE),
        "bytes pattern": re.compile(rb"a|b"),
        "IPv4": [IPv4Address("1.2.3.4"), IPv4Interface("1.2.3.4/8"), IPv4Network("10.0.0.0/8")],
        "IPv6": [IPv6Address("fe80::1%eth0"), IPv6Interface("::1/64"), IPv6Network("::/0")],
        "Send": Send("node", ({1: 2},)),
        "Command": Command(update={"a": (1,)}, goto=["x", Send("y", None)], resume=MISSING),
        "Overwrite": Overwrite({1, 2}),
        "Interrupt": Interrupt("sure?", "0" * 32, response_schema={"type": "boolean"}, deadline=datetime(2030, 1, 1, tzinfo=UTC)),
        "MISSING": MISSING,
        "deep": _nested(199),
    }


def registered() -> dict[str, Any]:
    mail = shop.Mail.model_validate({"subject": " hi ", "to": ("a", "b"), "rank": shop.Rank.HIGH, "note": [(1,)]})
    mail._seen = 3
    row = shop.Row([1, 2])
    row.label = "first"
    text = shop.Text("Gr\ud800")
    text.language = "de"
    return {
        "enum": shop.Color.BLUE,
        "enum alias": shop.Color.ALSO_RED,
        "IntEnum": shop.Rank.HIGH,
        "StrEnum": shop.Word.YES,
        "enum as key": {shop.Rank.LOW: 1, shop.Word.NO: 2},
        "Flag": shop.Right.READ | shop.Right.RUN,
        "no Flag": shop.Right(0),
        "named Flag": shop.Right.ALL,
        "IntFlag": shop.Bits.A | shop.Bits.B,
        "NamedTuple": shop.Point(1, (2, 3)),
        "dataclass": shop.Order(1, [shop.Line("x", (1, 2))], shop.Color.BLUE),
        "init=False": shop.Derived(3, 5),
        "generic dataclass": shop.Crate((1,)),
        "pydantic": mail,
        "nested pydantic": shop.Frozen(line=shop.Line("x", ()), inner=mail),
        "generic pydantic": shop.Box[int](content=1),
        "generic pydantic of dataclasses": shop.Box[list[shop.Line]](content=[shop.Line("x", (1,))]),
        "root model": shop.Names(["a"]),
        "constructed pydantic": shop.Mail.model_construct(subject=5),
        "dict subclass": shop.Bag(a=1),
        "list subclass": row,
        "str subclass": text,
        "int subclass": shop.Count(2**70),
        "float subclass": shop.Ratio(0.5),
        "tuple subclass": shop.Pair((1, 2)),
        "set subclass": shop.Tags({"a"}),
        "frozenset subclass": shop.Fixed({"a"}),
        "bytes subclass": shop.Blob(b"x"),
        "bytearray subclass": shop.Buffer(b"x"),
        "OrderedDict subclass": shop.Ordered(b=1, a=2),
        "defaultdict subclass": shop.Sums(int, a=1),
        "Counter subclass": shop.Votes("aab"),
        "deque subclass": shop.Last([1, 2], 2),
        "complex subclass": shop.Wave(1, 2),
    }


def _nested(depth: int) -> Any:
    value: Any = None
    for level in range(depth):
        value = [value] if level % 2 else {"inner": value}
    return (value,)
