"""Channels as tables: start value, what merge makes of updates, how long the value lasts."""

from __future__ import annotations

import operator

import pytest

from graphkit.core.channels import (
    AnyValue,
    BinaryOperatorAggregate,
    Channel,
    EphemeralValue,
    LastValue,
    Topic,
    UntrackedValue,
)
from graphkit.core.command import MISSING, Overwrite
from graphkit.errors import ConflictingWritesError

ADD = BinaryOperatorAggregate(list, operator.add)


class NeedsArguments:
    def __init__(self, size):
        self.size = size


@pytest.mark.parametrize(
    "channel, keeps, stored",
    [
        (LastValue(), True, True),
        (AnyValue(), False, True),
        (EphemeralValue(), False, True),
        (UntrackedValue(), True, False),
        (Topic(), False, True),
        (Topic(accumulate=True), True, True),
        (ADD, True, True),
    ],
)
def test_how_long_a_value_lasts_and_whether_it_is_stored(channel, keeps, stored):
    assert isinstance(channel, Channel)
    assert (channel.keeps, channel.stored) == (keeps, stored)


@pytest.mark.parametrize("channel", [LastValue(), AnyValue(), EphemeralValue(), UntrackedValue(), Topic(), Topic(accumulate=True)])
def test_keys_without_a_reducer_begin_without_a_value(channel):
    assert channel.initial() is MISSING


@pytest.mark.parametrize(
    "typ, initial", [(list, []), (int, 0), (dict, {}), (NeedsArguments, MISSING), ("not callable", MISSING), (None, MISSING)]
)
def test_a_reducer_key_begins_with_an_empty_value_of_its_type_if_there_is_one(typ, initial):
    assert BinaryOperatorAggregate(typ, operator.add).initial() == initial


def test_each_thread_gets_a_start_value_of_its_own():
    assert ADD.initial() is not ADD.initial()


@pytest.mark.parametrize(
    "channel, current, updates, merged",
    [
        (LastValue(), MISSING, [1], 1),
        (LastValue(), 1, [None], None),
        (LastValue(), 1, [Overwrite(2)], 2),
        (LastValue(), 1, [{"__overwrite__": 2}], {"__overwrite__": 2}),
        (AnyValue(), 0, [1], 1),
        (AnyValue(), MISSING, [1, 1, 2], 2),
        (EphemeralValue(), 0, [1], 1),
        (EphemeralValue(guard=False), MISSING, [1, 2], 2),
        (UntrackedValue(), 0, [1], 1),
        (UntrackedValue(guard=False), MISSING, [1, 2], 2),
        (Topic(), MISSING, [1, [2, 3], 4], [1, 2, 3, 4]),
        (Topic(), [0], [1], [1]),
        (Topic(accumulate=True), MISSING, [1], [1]),
        (Topic(accumulate=True), [0], [[1], 2], [0, 1, 2]),
        (ADD, [1], [[2], [3]], [1, 2, 3]),
        (ADD, MISSING, [[1], [2]], [1, 2]),
        (ADD, [1], [Overwrite([9])], [9]),
        (ADD, [1], [[2], {"__overwrite__": [9]}, [3]], [9]),
        (BinaryOperatorAggregate(dict, operator.or_), {}, [{"__overwrite__": 1, "b": 2}], {"__overwrite__": 1, "b": 2}),
    ],
)
def test_what_updates_make_of_a_value(channel, current, updates, merged):
    assert channel.merge(current, updates) == merged


@pytest.mark.parametrize(
    "channel, updates",
    [
        (LastValue(), [1, 1]),
        (EphemeralValue(), [1, 2]),
        (UntrackedValue(), [1, 2]),
        (ADD, [Overwrite([1]), {"__overwrite__": [2]}]),
    ],
)
def test_several_updates_for_a_key_that_takes_one_are_a_conflict(channel, updates):
    with pytest.raises(ConflictingWritesError, match="2 updates in one superstep"):
        channel.merge(MISSING, updates)


def test_merging_leaves_the_old_value_as_it_was():
    items = [1]

    ADD.merge(items, [[2]])
    Topic(accumulate=True).merge(items, [2])

    assert items == [1]
