from __future__ import annotations

import sys
from collections import defaultdict, deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from enum import Enum
from threading import Lock, Thread
from typing import Any

import ormsgpack
import pytest
from pydantic import BaseModel, PrivateAttr, SecretBytes, SecretStr

from graphkit.errors import UnserializableValueError
from graphkit.serde import MAX_BYTES, MAX_DEPTH, Codec
from tests.unit.serde import shop


class Zone(tzinfo):
    def dst(self, dt: datetime | None) -> None:
        return None

    def tzname(self, dt: datetime | None) -> str:
        return "zone"

    def utcoffset(self, dt: datetime | None) -> timedelta:
        return timedelta(hours=1)


class Strange(Enum):
    A = 1


@dataclass
class Account:
    name: str
    password: Any = field(default=None)


@dataclass
class Unset:
    value: int = field(init=False)


class Client(BaseModel):
    name: str = "x"
    _lock: Any = PrivateAttr(default_factory=Lock)


class Hostile:
    def __repr__(self) -> str:
        raise RuntimeError

    def __hash__(self) -> int:
        return 1


def refusal(value: object) -> UnserializableValueError:
    codec = Codec([*shop.CLASSES, Account, Unset, Client])
    with pytest.raises(UnserializableValueError) as caught:
        codec.encode(value)
    with pytest.raises(UnserializableValueError):
        codec.digest(value)
    return caught.value


@pytest.mark.parametrize(
    "value, path, type_name",
    [
        (object(), "$", "object"),
        ({"messages": [0, 1, 2, {"meta": object()}]}, "$.messages[3].meta", "object"),
        ({"odd key": [object()]}, "$['odd key'][0]", "object"),
        ({1: {(1, 2): object()}}, "$[1][<tuple>]", "object"),
        ([(1, [object()])], "$[0][1][0]", "object"),
        ({"a": {"b": Hostile()}}, "$.a.b", f"{__name__}.Hostile"),
        ({Hostile(): 1}, "$.keys()[0]", f"{__name__}.Hostile"),
        ({"tags": {Hostile()}}, "$.tags{*}", f"{__name__}.Hostile"),
        (deque([object()]), "$[0]", "object"),
        (defaultdict(lambda: 0), "$", "collections.defaultdict"),
        ({"a": [shop.Order(1, [object()])]}, "$.a[0].lines[0]", "object"),  # type: ignore[list-item]
        (shop.Mail.model_validate({"subject": "x", "extra": [object()]}), "$.extra[0]", "object"),
        (Client(), "$._lock", "_thread.lock"),
        (Unset(), "$", f"{__name__}.Unset"),
        (shop.Bag({"a": object()}), "$.a", "object"),  # type: ignore[dict-item]
        (ValueError("x", object()), "$.args[1]", "object"),
        (slice(object()), "$.stop", "object"),
        ([memoryview(b"x")], "$[0]", "memoryview"),
        ({"a": (memoryview(b"x"),)}, "$.a[0]", "memoryview"),
        ([b"x", ormsgpack.Fragment(b"\xc0")], "$[1]", "ormsgpack.Fragment"),
        ({"f": len}, "$.f", "builtin_function_or_method"),
        ({"c": dict}, "$.c", "type"),
        (iter([]), "$", "list_iterator"),
        ({"when": datetime(2024, 1, 1, tzinfo=Zone())}, "$.when", "datetime.datetime"),
        ({"e": Strange.A}, "$.e", f"{__name__}.Strange"),
        ([type("MyError", (Exception,), {})()], "$[0]", f"{__name__}.MyError"),
        ([type("MyList", (list,), {})()], "$[0]", f"{__name__}.MyList"),
        ([type("MyStr", (str,), {})("x")], "$[0]", f"{__name__}.MyStr"),
        ({"account": Account("x", SecretStr("hush"))}, "$.account.password", "pydantic.types.SecretStr"),
        ([SecretBytes(b"hush")], "$[0]", "pydantic.types.SecretBytes"),
        ({"x" * 100: object()}, "$." + "x" * 100, "object"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_value_that_cannot_be_stored_is_named_with_its_path(value, path, type_name):
    error = refusal(value)

    assert error.facts == {"path": path, "type_name": type_name}
    assert path in str(error)
    assert type_name in str(error)
    assert error.hint


def test_a_secret_is_refused_without_showing_it():
    error = refusal({"key": SecretStr("hush")})

    assert "secrets are not written" in str(error)
    assert "hush" not in str(error)


@pytest.mark.parametrize(
    "value, hint",
    [
        (Strange.A, "codec.register(Strange)"),
        (lambda: 0, "Store a name"),
        (memoryview(b""), "bytes(view)"),
        (object(), "Keep it out of the state"),
    ],
    ids=["enum", "lambda", "memoryview", "object"],
)
def test_the_hint_says_how_to_mend_it(value, hint):
    assert hint in (refusal(value).hint or "")


def test_an_exception_inside_of_taking_apart_is_the_cause():
    class Broken:
        @property
        def args(self) -> Any:
            raise RuntimeError("broken")

    class BrokenError(Exception):
        args = Broken.args

    codec = Codec([BrokenError])

    with pytest.raises(UnserializableValueError, match="taking it apart raised RuntimeError") as caught:
        codec.encode([BrokenError()])

    assert caught.value.facts["path"] == "$[0]"
    assert isinstance(caught.value.__cause__, RuntimeError)


def test_an_interrupt_from_the_keyboard_is_not_eaten():
    pending = [KeyboardInterrupt]

    class StoppedError(Exception):
        @property
        def args(self) -> Any:  # type: ignore[override]
            for stop in pending[:]:
                pending.clear()
                raise stop
            return ()

    codec = Codec([StoppedError])

    with pytest.raises(KeyboardInterrupt):
        codec.encode([StoppedError()])


def nested(depth: int, *wraps: Any) -> Any:
    value: Any = None
    for level in range(depth):
        value = wraps[level % len(wraps)](value)
    return value


def as_list(value: Any) -> Any:
    return [value]


def as_tuple(value: Any) -> Any:
    return (value,)


def as_dict(value: Any) -> Any:
    return {"k": value}


def as_odd_dict(value: Any) -> Any:
    return {1: value}


WRAPS = [
    (as_list,),
    (as_tuple,),
    (as_dict,),
    (as_odd_dict,),
    (shop.Crate,),
    (as_list, as_list, as_list, as_tuple),
    (*[as_list] * 99, as_tuple),
    (as_dict, as_tuple, as_odd_dict, shop.Crate),
]


@pytest.mark.parametrize("wraps", WRAPS, ids=lambda wraps: "-".join(wrap.__name__ for wrap in wraps[-4:]))
@pytest.mark.parametrize("padding", [0, 300])
def test_the_limit_of_nesting_is_exact(wraps, padding):
    codec = Codec(shop.CLASSES)
    allowed = [nested(MAX_DEPTH - 1, *wraps), *[{"a": 1}] * padding]
    too_deep = [nested(MAX_DEPTH, *wraps), *[{"a": 1}] * padding]

    assert codec.decode(codec.encode(allowed)) == allowed
    assert f"nested deeper than {MAX_DEPTH}" in str(refusal(too_deep))


@pytest.mark.parametrize("wraps", [*WRAPS[:4], (*[as_list] * 254, as_tuple)], ids=len)
def test_extreme_nesting_does_not_end_the_process_in_a_thread(wraps):
    caught: list[object] = []

    def encode() -> None:
        caught.append(refusal(nested(80_000, *wraps)))

    thread = Thread(target=encode)
    thread.start()
    thread.join()

    assert isinstance(caught[0], UnserializableValueError)


def test_deep_values_need_little_of_the_stack_of_python():
    codec = Codec(shop.CLASSES)
    value = nested(MAX_DEPTH, as_tuple)

    def with_less_stack(frames: int) -> object:
        return with_less_stack(frames - 1) if frames else codec.decode(codec.encode(value))

    assert with_less_stack(sys.getrecursionlimit() // 3) == value


def test_a_value_that_contains_itself_is_refused_at_the_place_where_it_does():
    value: dict[str, Any] = {"a": [1]}
    value["a"].append(("x", value))

    error = refusal(value)

    assert error.facts["path"] == "$.a[1][1]"
    assert "contains itself" in str(error)


def test_a_record_over_the_limit_is_refused():
    error = refusal({"file": b"x" * MAX_BYTES})

    assert f"{MAX_BYTES:,}" in str(error)
    assert error.facts["path"] == "$"


def test_classes_of_pydantic_are_not_looked_for_when_pydantic_is_not_loaded(monkeypatch):
    monkeypatch.delitem(sys.modules, "pydantic")

    with pytest.raises(UnserializableValueError):
        Codec().encode(object())

    assert "pydantic" not in sys.modules
