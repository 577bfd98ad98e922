"""Both stores keep what every store has to keep, and the kit finds those that do not."""

from __future__ import annotations

from itertools import count

import pytest

from checkpointers.sqlite import SqliteStore
from graphkit.core.record import replace
from graphkit.storage import InMemoryStore, Store
from graphkit.storage.store.memory import MemoryStoreBackend
from graphkit.storage.store.port import Find, Found, Read, Write
from graphkit.testing import store_suite

NAMES = [str(check) for check in store_suite(InMemoryStore)]


def named(name, make):
    [check] = [check for check in store_suite(make) if str(check) == name]
    return check


@pytest.mark.parametrize("name", NAMES)
def test_in_memory(name):
    named(name, InMemoryStore).run()


@pytest.mark.parametrize("name", NAMES)
def test_in_a_file(name, tmp_path):
    numbers = count()
    named(name, lambda **options: SqliteStore(tmp_path / f"{next(numbers)}.db", synchronous="OFF", **options)).run()


class Altered(MemoryStoreBackend):
    """Changes what is asked for."""

    def altered(self, operation):
        return operation

    def run(self, transaction):
        return super().run(replace(transaction, operations=tuple(map(self.altered, transaction.operations))))

    async def arun(self, transaction):
        return self.run(transaction)


class Careless(Altered):
    """Believes that every write is expected."""

    def altered(self, operation):
        return replace(operation, if_version=None) if isinstance(operation, Write) else operation


class Eternal(Altered):
    """Lets nothing expire."""

    def altered(self, operation):
        return replace(operation, ttl=None) if isinstance(operation, Write) else operation


class Sticky(Altered):
    """Never starts a time anew."""

    def altered(self, operation):
        return replace(operation, refresh=False) if isinstance(operation, Read | Find) else operation


class Loose(Altered):
    """Takes a prefix for the beginning of a text."""

    def altered(self, operation):
        return replace(operation, path=operation.path.removesuffix(".")) if isinstance(operation, Find) else operation


class Approximate(MemoryStoreBackend):
    """Takes the nearest hundred, and looks at the filter only then."""

    def _find(self, operation, now, undo):
        if operation.vector is None:
            return super()._find(operation, now, undo)
        nearest = super()._find(replace(operation, matches=None, limit=100, offset=0), now, undo)
        fits = [found for found in nearest if operation.matches is None or operation.matches(found.row.record)]
        return fits[operation.offset : operation.offset + operation.limit]


class Alphabetical(MemoryStoreBackend):
    """Orders by key."""

    def _find(self, operation, now, undo):
        found: list[Found] = super()._find(operation, now, undo)
        return sorted(found, key=lambda each: each.row.key)


class Halfway(MemoryStoreBackend):
    """Keeps what was written before a conflict."""

    def _restore(self, undo):
        return None


@pytest.mark.parametrize(
    "backend, name",
    [
        (Careless, "a_write_may_expect_a_version"),
        (Eternal, "an_expired_item_is_gone_at_once"),
        (Sticky, "reading_starts_the_time_anew"),
        (Loose, "a_prefix_is_compared_string_by_string"),
        (Approximate, "ranking_keeps_to_the_namespace_and_the_filter"),
        (Alphabetical, "the_last_change_comes_first"),
        (Halfway, "a_batch_is_all_or_nothing"),
    ],
)
def test_it_finds_what_is_broken(backend, name):
    broken = set()
    for check in store_suite(lambda **options: Store(backend(), **options)):
        try:
            check.run()
        except Exception:  # noqa: BLE001 - whatever it is, the check has found something
            broken.add(check.name)

    assert name in broken


def test_every_check_has_a_name_of_its_own_and_runs_both_ways():
    assert len(set(NAMES)) == len(NAMES)
    assert {name.partition("[")[2] for name in NAMES} == {"sync]", "async]"}
