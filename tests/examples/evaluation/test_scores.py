"""Counting labels."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from examples.email_assistant.evaluation import confusion, wilson

LABELS = ("ignore", "notify", "respond")
PAIRS = [
    ("ignore", "ignore"),
    ("ignore", "notify"),
    ("notify", "notify"),
    ("notify", "notify"),
    ("respond", "notify"),
    ("respond", "respond"),
]


def test_precision_and_recall_are_those_of_the_definition():
    score = confusion(PAIRS, LABELS).score("notify")

    assert (score.support, score.precision, score.recall) == (2, 2 / 4, 2 / 2)
    assert score.f1 == pytest.approx(2 * 0.5 * 1.0 / 1.5)


def test_a_figure_without_anything_to_divide_by_is_none():
    score = confusion([("ignore", "ignore")], LABELS).score("respond")

    assert (score.support, score.precision, score.recall, score.f1) == (0, None, None, None)
    assert confusion([], LABELS).accuracy is None


def test_the_macro_mean_leaves_out_labels_that_do_not_occur():
    assert confusion([("ignore", "ignore"), ("notify", "notify")], LABELS).macro_f1 == 1.0
    assert confusion([], LABELS).macro_f1 is None


def test_what_is_no_label_gets_a_column_of_its_own():
    counted = confusion([("ignore", "failed")], LABELS)

    assert counted.found == (*LABELS, "failed")
    assert (counted.count("ignore", "failed"), counted.right, counted.total) == (1, 0, 1)


def test_a_label_that_does_not_exist_cannot_be_expected():
    with pytest.raises(ValueError, match="later"):
        confusion([("later", "ignore")], LABELS)


@pytest.mark.parametrize(
    "right, total, low, high",
    # From the formula, calculated by hand with z = 1.96 and rounded.
    [(0, 10, 0.0, 0.2775), (5, 10, 0.2366, 0.7634), (10, 10, 0.7225, 1.0), (81, 100, 0.7222, 0.8749), (0, 0, 0.0, 1.0)],
)
def test_the_interval_is_wilsons(right, total, low, high):
    interval = wilson(right, total)

    assert [interval.low, interval.high] == pytest.approx([low, high], abs=5e-5)


@given(st.lists(st.tuples(st.sampled_from(LABELS), st.sampled_from((*LABELS, "failed")))))
def test_rows_add_up_to_the_support_and_everything_to_the_total(pairs):
    counted = confusion(pairs, LABELS)

    assert sum(score.support for score in counted.scores) == counted.total == len(pairs)
    assert sum(counted.count(one, other) for one in LABELS for other in counted.found) == len(pairs)


@given(st.integers(0, 500), st.integers(1, 500))
def test_the_interval_holds_the_share(right, total):
    share = min(right, total) / total
    interval = wilson(min(right, total), total)

    assert 0 <= interval.low <= share + 1e-12
    assert share - 1e-12 <= interval.high <= 1
