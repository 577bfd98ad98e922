"""Searches without a query: filters, order, pages."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from graphkit.errors import InvalidConfigError, InvalidFilterError
from graphkit.storage import PutOp
from graphkit.testing.checkpointers.subject import refuses

if TYPE_CHECKING:
    from graphkit.testing.store_suite.subject import Subject

NS = ("n",)
VALUES: dict[str, dict[str, Any]] = {
    "one": {"n": 1, "text": "b", "meta": {"lang": "de", "more": 1}, "list": [1, {"a": (1,)}], "flag": True},
    "two": {"n": 2.5, "text": "a", "meta": {"lang": "en"}, "list": [1], "flag": False},
    "three": {"n": Decimal(3), "text": "ä", "meta": None, "at": datetime(2024, 1, 2, tzinfo=UTC), "day": date(2024, 1, 2)},
    "text": {"n": "1", "text": None, "flag": 1, "empty": {}},
    "naive": {"n": None, "at": datetime(2024, 1, 2)},  # noqa: DTZ001 - a time without a zone is what this is about
    "none": {},
}


def _filled(subject: Subject) -> None:
    subject.call("batch", [PutOp(NS, key, value) for key, value in VALUES.items()])


def equal_values_are_found(subject: Subject) -> None:
    """With their kinds: True is not 1, a tuple is no list, nothing is not None."""
    _filled(subject)

    def found(**filter: object) -> list[str]:
        return sorted(subject.keys(NS, filter=filter))

    assert found() == sorted(VALUES)
    assert found(n=1) == found(n=1.0) == ["one"]
    assert found(n="1") == ["text"]
    assert found(n=None) == ["naive"]
    assert found(text=None) == ["text"]
    assert found(flag=True) == ["one"]
    assert found(flag=1) == ["text"]
    assert found(list=[1, {"a": (1,)}]) == ["one"]
    assert found(list=[1, {"a": [1]}]) == found(list=[True]) == found(missing=None) == []
    assert found(empty={}) == ["text"]
    assert found(n=1, text="b") == ["one"]
    assert found(n=1, text="a") == []
    assert found(day=date(2024, 1, 2)) == ["three"]


def nested_conditions_look_inside(subject: Subject) -> None:
    """Further keys of the inner dict do not matter, unless it is compared as a whole."""
    _filled(subject)

    def found(filter: dict[str, object]) -> list[str]:
        return sorted(subject.keys(NS, filter=filter))

    assert found({"meta": {"lang": "de"}}) == ["one"]
    assert found({"meta": {"lang": {"$gt": "de"}}}) == ["two"]
    assert found({"meta": {"$eq": {"lang": "de"}}}) == []
    assert found({"meta": {"$eq": {"lang": "en"}}}) == ["two"]
    assert found({"meta": {"lang": {"deeper": 1}}}) == []


def values_are_compared(subject: Subject) -> None:
    """Numbers with numbers, everything else with its like; the rest matches nothing and raises nothing."""
    _filled(subject)

    def found(key: str, **operators: object) -> list[str]:
        return sorted(subject.keys(NS, filter={key: {f"${name}": value for name, value in operators.items()}}))

    assert found("n", gt=1) == ["three", "two"]
    assert found("n", gte=1, lt=3) == ["one", "two"]
    assert found("n", lte=Decimal("2.5")) == ["one", "two"]
    assert found("n", lt="2") == ["text"]
    assert found("n", gt=None) == found("n", gt=[]) == found("n", gt={}) == found("missing", gt=0) == []
    assert found("text", gt="a") == ["one", "three"]
    assert found("at", gte=datetime(2024, 1, 1, tzinfo=UTC)) == ["three"]
    assert found("day", lt=date(2025, 1, 1)) == ["three"]
    assert found("flag", gt=0) == ["text"]
    assert found("n", ne=1) == ["naive", "text", "three", "two"]
    assert found("flag", ne=1) == ["one", "two"]
    assert found("missing", ne=1) == []
    assert found("n", eq=1, ne=2) == ["one"]
    assert found("n", gt=float("nan")) == found("n", eq=float("nan")) == found("n", gt=Decimal("sNaN")) == []


def odd_filters_are_refused(subject: Subject) -> None:
    """Before anything is read, so also in an empty store."""
    deep: dict[str, object] = {}
    for _ in range(100):
        deep = {"a": deep}
    odd: tuple[Any, ...] = ("n", ["n"], 1, {"n": {"$like": "%"}}, {"n": {"$gt": 1, "m": 2}}, {"$gt": 1}, {1: 1}, {"n": {1: 1}}, {"a": deep})
    for wrong in odd:
        refuses(InvalidFilterError, subject.call, "search", NS, filter=wrong)

    refused = refuses(InvalidFilterError, subject.call, "search", NS, filter={"n": {"$gtt": 1}})
    assert "$gt" in str(refused.error)


def the_last_change_comes_first(subject: Subject) -> None:
    """Whatever the clock says; items of one change are in the order of namespace and key."""
    subject.put(("b",), "1")
    subject.clock.advance(-3600)
    subject.put(("a",), "2")
    subject.put(("a",), "3")
    subject.put(("b",), "1")
    subject.call("batch", [PutOp(namespace, key, {"n": key}) for namespace in (("c", "x"), ("c",), ("a",)) for key in ("6", "5")])

    found = [(item.namespace, item.key) for item in subject.search()]
    batch = [(("a",), "5"), (("a",), "6"), (("c",), "5"), (("c",), "6"), (("c", "x"), "5"), (("c", "x"), "6")]
    assert found == [*batch, (("b",), "1"), (("a",), "3"), (("a",), "2")]
    assert [item.score for item in subject.search()] == [None] * 9


def pages_are_parts_of_the_whole(subject: Subject) -> None:
    """With and without a filter: no item is lost or comes twice."""
    for number in range(25):
        subject.put(NS if number % 2 else (*NS, "below"), f"{number:02}", {"n": number, "third": number % 3 == 0})

    for options in ({}, {"filter": {"third": True}}, {"filter": {"n": {"$gte": 5}}}):
        whole = subject.keys(NS, limit=1000, **options)
        pages = [subject.keys(NS, limit=4, offset=offset, **options) for offset in range(0, 28, 4)]
        assert [key for page in pages for key in page] == whole == sorted(whole, reverse=True)
    assert len(subject.search(NS)) == 10
    assert subject.search(NS, offset=25) == []
    for odd in ({"limit": 0}, {"limit": 1001}, {"limit": -1}, {"limit": True}, {"limit": "1"}, {"offset": -1}, {"offset": 2**70}):
        refuses(InvalidConfigError, subject.call, "search", NS, **odd)
    refuses(InvalidConfigError, subject.call, "search", NS, refresh_ttl="yes")


CHECKS = (
    equal_values_are_found,
    nested_conditions_look_inside,
    values_are_compared,
    odd_filters_are_refused,
    the_last_change_comes_first,
    pages_are_parts_of_the_whole,
)
