"""Items with a time to live: there until their time has come, and not a moment longer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graphkit.errors import InvalidConfigError, StoreConflictError
from graphkit.storage import GetOp
from graphkit.testing.checkpointers.subject import refuses

if TYPE_CHECKING:
    from graphkit.testing.store_suite.subject import Subject

NS = ("n",)
MINUTE = 60


def an_expired_item_is_gone_at_once(subject: Subject) -> None:
    """For every way of reading it, swept or not."""
    subject.put(NS, "short", ttl=1)
    subject.put(NS, "long", ttl=2.5)
    subject.put(("gone",), "short", ttl=1)
    subject.put(NS, "ever")
    subject.clock.advance(MINUTE - 0.5)
    assert len(subject.search(refresh_ttl=False)) == 4

    subject.clock.advance(0.5)

    assert subject.call("get", NS, "short") is None
    assert sorted(subject.keys(refresh_ttl=False)) == ["ever", "long"]
    assert subject.keys(filter={"is": "short"}) == []
    assert subject.call("list_namespaces") == [NS]
    assert subject.call("batch", [GetOp(NS, "short")]) == [None]


def an_expired_item_counts_as_missing_for_writes(subject: Subject) -> None:
    """It begins anew, and nobody can overwrite the old one."""
    subject.put(NS, "k", ttl=1)
    version = subject.got(NS, "k").version
    subject.clock.advance(MINUTE)

    refuses(StoreConflictError, subject.call, "put", NS, "k", {"n": 2}, if_version=version)
    subject.put(NS, "k", {"n": 2}, if_version=0)

    item = subject.got(NS, "k")
    assert (item.value, item.created_at.timestamp()) == ({"n": 2}, subject.clock.now)
    subject.clock.advance(1000 * MINUTE)
    assert subject.got(NS, "k") == item


def reading_starts_the_time_anew(subject: Subject) -> None:
    """By get and by search, for what they return; unless the call or the store says otherwise."""
    for key in ("got", "found", "not-asked", "not-refreshed"):
        subject.put(NS, key, ttl=1)
    before = subject.got(NS, "got")
    subject.clock.advance(MINUTE / 2)
    subject.got(NS, "got")
    subject.search(NS, filter={"is": "found"})
    subject.got(NS, "not-refreshed", refresh_ttl=False)
    subject.search(NS, filter={"is": "not-refreshed"}, refresh_ttl=False)

    subject.clock.advance(MINUTE / 2)

    assert sorted(subject.keys(refresh_ttl=False)) == ["found", "got"]
    assert subject.got(NS, "got", refresh_ttl=False) == before
    subject.clock.advance(MINUTE / 2)
    assert subject.keys() == []


def a_store_may_have_times_of_its_own(subject: Subject) -> None:
    """A default for items, which a write overrides, and one for reading."""
    subject.open(ttl={"default_ttl": 1, "refresh_on_read": False})
    for key in ("default", "refreshed"):
        subject.put(NS, key)
    subject.put(NS, "ever", ttl=None)
    subject.put(NS, "longer", ttl=1.5)
    subject.clock.advance(MINUTE / 2)
    subject.got(NS, "default")
    subject.got(NS, "refreshed", refresh_ttl=True)

    subject.clock.advance(MINUTE / 2)

    assert sorted(subject.keys()) == ["ever", "longer", "refreshed"]
    subject.clock.advance(MINUTE / 2)
    assert subject.keys() == ["ever"]


def writing_starts_the_time_anew(subject: Subject) -> None:
    """With the time of the new write, or none."""
    for key in ("again", "ever"):
        subject.put(NS, key, ttl=1)
    subject.clock.advance(MINUTE / 2)
    subject.put(NS, "again", ttl=1)
    subject.put(NS, "ever")

    subject.clock.advance(MINUTE / 2)
    assert sorted(subject.keys(refresh_ttl=False)) == ["again", "ever"]
    subject.clock.advance(MINUTE / 2)
    assert subject.keys() == ["ever"]


def sweeping_removes_what_has_expired(subject: Subject) -> None:
    """And says how many."""
    for number in range(5):
        subject.put(NS, str(number), ttl=number + 1)
    assert subject.call("sweep_ttl") == 0

    subject.clock.advance(3 * MINUTE)

    assert subject.call("sweep_ttl") == 3
    assert subject.call("sweep_ttl") == 0
    assert sorted(subject.keys()) == ["3", "4"]


def odd_times_are_refused(subject: Subject) -> None:
    """Of a write, and of the store."""
    for ttl in (0, -1, float("nan"), float("inf"), "1", True):
        refuses(InvalidConfigError, subject.call, "put", NS, "k", {}, ttl=ttl)
    odd: tuple[Any, ...] = (5, {"default_ttl": 0}, {"refresh_on_read": 1}, {"sweep_interval_minutes": 5}, {"default": 5})
    for ttl in odd:
        refuses(InvalidConfigError, subject.open, ttl=ttl)


CHECKS = (
    an_expired_item_is_gone_at_once,
    an_expired_item_counts_as_missing_for_writes,
    reading_starts_the_time_anew,
    a_store_may_have_times_of_its_own,
    writing_starts_the_time_anew,
    sweeping_removes_what_has_expired,
    odd_times_are_refused,
)
