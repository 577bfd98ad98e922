"""What is written is read back, exactly, by whoever asks; versions tell one write from another."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from graphkit.errors import InvalidConfigError, StoreConflictError, UnserializableValueError
from graphkit.storage import GetOp, Item, ListNamespacesOp, MatchCondition, PutOp, SearchOp
from graphkit.testing.checkpointers.subject import refuses

if TYPE_CHECKING:
    from graphkit.testing.store_suite.subject import Subject

NS = ("memories", "ada")


def an_empty_store_has_nothing(subject: Subject) -> None:
    """Reading and deleting make nothing."""
    assert subject.call("get", NS, "k") is None
    assert subject.search() == []
    subject.call("delete", NS, "k")
    assert subject.call("list_namespaces") == []
    assert subject.call("batch", []) == []


def a_value_comes_back_with_its_types(subject: Subject) -> None:
    """Every field of an item, and what JSON would not keep."""
    value = {"pair": (1, 2), "set": {1}, "big": 2**70, "cost": Decimal("1.50"), "at": datetime(2024, 5, 1, tzinfo=UTC), "raw": b"\0\xff"}
    value |= {"none": None, "text": "a\0é", "nested": {"list": [{"deep": (1,)}]}}

    subject.put(NS, "k", value)

    item = subject.got(NS, "k")
    now = datetime.fromtimestamp(subject.clock.now, UTC)
    assert item == Item(value, "k", NS, now, now, item.version)
    assert [type(part) for part in item.value.values()] == [type(part) for part in value.values()]
    assert item.version > 0


def readers_share_nothing(subject: Subject) -> None:
    """Neither with the writer nor with each other."""
    value = {"list": [1]}
    subject.put(NS, "k", value)
    value["list"].append(2)

    subject.got(NS, "k").value["list"].append(3)
    subject.search(NS)[0].value["list"].append(4)

    assert subject.got(NS, "k").value == {"list": [1]}
    assert subject.search(NS, filter={"list": [1]})[0].value == {"list": [1]}


def an_overwritten_item_keeps_when_it_was_made(subject: Subject) -> None:
    """The version grows, the time of the change moves on; a deleted item begins anew."""
    subject.put(NS, "k", {"n": 1})
    first = subject.got(NS, "k")
    subject.clock.advance(60)
    subject.put(NS, "k", {"n": 2})
    second = subject.got(NS, "k")
    subject.call("delete", NS, "k")
    subject.put(NS, "k", {"n": 3})
    third = subject.got(NS, "k")

    assert (second.value, second.created_at, second.version > first.version) == ({"n": 2}, first.created_at, True)
    assert (second.updated_at - first.updated_at).total_seconds() == 60
    assert (third.created_at, third.version > second.version) == (second.updated_at, True)


def none_as_a_value_deletes(subject: Subject) -> None:
    """As ``delete`` does."""
    subject.put(NS, "a")
    subject.put(NS, "b")

    subject.call("put", NS, "a", None)
    subject.call("delete", NS, "b")

    assert subject.keys() == []


def keys_and_namespaces_are_apart(subject: Subject) -> None:
    """One key in several namespaces is several items."""
    for namespace in (NS, ("memories",), ("memories", "bob"), (*NS, "x")):
        subject.put(namespace, "k", {"in": list(namespace)})

    subject.call("delete", ("memories",), "k")

    assert subject.got(NS, "k").value == {"in": list(NS)}
    assert subject.call("get", ("memories",), "k") is None
    assert len(subject.search()) == 3


def what_cannot_be_stored_is_refused(subject: Subject) -> None:
    """With its path, and nothing of the batch is written."""
    ops = [PutOp(NS, "good", {"n": 1}), PutOp(NS, "bad", {"list": [1, {"print": print}]})]

    refused = refuses(UnserializableValueError, subject.call, "batch", ops)

    assert refused.error.facts["path"] == "$.list[1].print"  # type: ignore[attr-defined]
    assert subject.search() == []
    for odd in ([1], "text", 1):
        refuses(InvalidConfigError, subject.call, "put", NS, "k", odd)
    refuses(InvalidConfigError, subject.call, "batch", ["put"])


def a_write_may_expect_a_version(subject: Subject) -> None:
    """That of the last read, or none; a write that expects another one changes nothing."""
    subject.put(NS, "k", {"n": 1}, if_version=0)
    version = subject.got(NS, "k").version
    subject.put(NS, "k", {"n": 2}, if_version=version)

    for expected in (0, version):
        refused = refuses(StoreConflictError, subject.call, "put", NS, "k", {"n": 3}, if_version=expected)
        assert refused.error.facts == {  # type: ignore[attr-defined]
            "namespace": NS,
            "key": "k",
            "expected": expected,
            "found": subject.got(NS, "k").version,
        }
    refuses(StoreConflictError, subject.call, "put", NS, "k", None, if_version=version)
    refuses(StoreConflictError, subject.call, "put", NS, "new", {"n": 1}, if_version=version)
    for odd in (-1, True, "1", 1.0, 2**70):
        refuses(InvalidConfigError, subject.call, "put", NS, "k", {"n": 3}, if_version=odd)

    assert [item.value for item in subject.search()] == [{"n": 2}]


def a_version_is_never_given_again(subject: Subject) -> None:
    """A write that expects an item that was deleted and made anew is refused."""
    subject.put(NS, "k")
    version = subject.got(NS, "k").version
    subject.call("delete", NS, "k")
    subject.put(NS, "k")

    refuses(StoreConflictError, subject.call, "put", NS, "k", {"late": True}, if_version=version)


def a_batch_is_all_or_nothing(subject: Subject) -> None:
    """A conflict at its end takes back writes, overwrites and deletions before it."""
    subject.put(NS, "old", {"n": 1})
    subject.put(NS, "gone", {"n": 1})
    before = subject.search()
    ops = [PutOp(NS, "old", {"n": 2}), PutOp(NS, "new", {"n": 2}), PutOp(NS, "gone", None), PutOp(NS, "new", {"n": 3}, if_version=0)]

    refuses(StoreConflictError, subject.call, "batch", ops)

    assert subject.search() == before


def a_batch_sees_what_it_has_written(subject: Subject) -> None:
    """Its operations are carried out in order, and answer each in its place."""
    subject.put(NS, "a", {"n": 1})
    every = ListNamespacesOp((MatchCondition("prefix", ("memories",)),))
    ops = [
        GetOp(NS, "a"),
        PutOp(NS, "a", {"n": 2}),
        GetOp(NS, "a"),
        PutOp(("new",), "b", {"n": 3}),
        SearchOp(("new",)),
        every,
        GetOp(NS, "c"),
    ]

    first, put, second, also, found, names, missing = subject.call("batch", ops)

    assert (put, also, missing) == (None, None, None)
    assert (first.value, second.value, [item.value for item in found]) == ({"n": 1}, {"n": 2}, [{"n": 3}])
    assert names == [NS]
    assert second.version == found[0].version > first.version


CHECKS = (
    an_empty_store_has_nothing,
    a_value_comes_back_with_its_types,
    readers_share_nothing,
    an_overwritten_item_keeps_when_it_was_made,
    none_as_a_value_deletes,
    keys_and_namespaces_are_apart,
    what_cannot_be_stored_is_refused,
    a_write_may_expect_a_version,
    a_version_is_never_given_again,
    a_batch_is_all_or_nothing,
    a_batch_sees_what_it_has_written,
)
