"""How well labels were given: counts and the figures made of them. Pure arithmetic, nothing of mail."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

Z_95 = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Interval:
    """The ends of a confidence interval of a share, both from 0 to 1."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class ClassScore:
    """The figures of one label. A figure without anything to divide by is None: 0 would claim a measurement."""

    label: str
    support: int
    precision: float | None
    recall: float | None
    f1: float | None


@dataclass(frozen=True, slots=True)
class Confusion:
    """How often each expected label was found as what.

    Args:
        labels: The rows, in the order to show them.
        found: The columns: the labels, and whatever else was found, at the end.
        counts: By (expected, found); pairs that never occurred are not in it.
    """

    labels: tuple[str, ...]
    found: tuple[str, ...]
    counts: Counter[tuple[str, str]]

    def count(self, expected: str, found: str) -> int:
        """Return how often ``expected`` was found as ``found``."""
        return self.counts[expected, found]

    @property
    def total(self) -> int:
        """How many were counted."""
        return self.counts.total()

    @property
    def right(self) -> int:
        """How many were found as expected."""
        return sum(self.counts[label, label] for label in self.labels)

    @property
    def accuracy(self) -> float | None:
        """The share that was found as expected; None of nothing."""
        return _share(self.right, self.total)

    def score(self, label: str) -> ClassScore:
        """Return precision, recall and F1 of one label."""
        hits = self.counts[label, label]
        support = sum(self.counts[label, found] for found in self.found)
        claimed = sum(self.counts[expected, label] for expected in self.labels)
        return ClassScore(label, support, _share(hits, claimed), _share(hits, support), _share(2 * hits, support + claimed))

    @property
    def scores(self) -> tuple[ClassScore, ...]:
        """The figures of every label, in order."""
        return tuple(self.score(label) for label in self.labels)

    @property
    def macro_f1(self) -> float | None:
        """The mean of F1 over the labels that occur, each with the same weight; None when none occurs."""
        known = [score.f1 for score in self.scores if score.f1 is not None]
        return sum(known) / len(known) if known else None


def confusion(pairs: Iterable[tuple[str, str]], labels: tuple[str, ...]) -> Confusion:
    """Count (expected, found) pairs.

    Args:
        pairs: One for each mail. An expected label that is not in ``labels`` is a mistake of the caller.
        labels: All labels that exist, in the order to show them.

    Raises:
        ValueError: An expected label does not exist.
    """
    counts = Counter(pairs)
    if strange := {expected for expected, _ in counts} - set(labels):
        raise ValueError(f"labels that do not exist are expected: {', '.join(sorted(strange))}")
    others = sorted({found for _, found in counts} - set(labels))
    return Confusion(labels, (*labels, *others), counts)


def wilson(right: int, total: int, z: float = Z_95) -> Interval:
    """Return Wilson's score interval of a share (E. B. Wilson, JASA 22, 1927): it stays honest for few cases and near 0 and 1.

    Args:
        right: Successes, at most ``total``.
        total: Trials; of none the interval is everything.
        z: The quantile of the normal distribution; the usual one gives 95 %.
    """
    if not total:
        return Interval(0.0, 1.0)
    share = right / total
    middle = share + z * z / (2 * total)
    reach = z * sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    scale = 1 + z * z / total
    return Interval(max(0.0, (middle - reach) / scale), min(1.0, (middle + reach) / scale))


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
