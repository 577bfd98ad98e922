"""The first question to an assistant: does it sort mail as a person would?"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from examples.email_assistant.evaluation.case import LABELS
from examples.email_assistant.evaluation.scores import Confusion, Interval, confusion, wilson

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from examples.email_assistant.evaluation.case import Case, Label
    from examples.email_assistant.mail.message import Mail

FAILED = "failed"


class Decision(Protocol):
    """What a sorter says about a mail."""

    @property
    def label(self) -> str:
        """One of ``ignore``, ``notify``, ``respond``."""
        ...

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why; shown with what went wrong."""
        ...


class Sorter(Protocol):
    """Anything that sorts mail: rules, a model, the graph around one."""

    @property
    def name(self) -> str:
        """The name to stand in the report, such as ``rules-v1 (no AI)``."""
        ...

    def triage(self, mail: Mail, now: datetime) -> Decision:
        """Sort one mail. An exception is counted as the label ``failed`` and the evaluation goes on."""
        ...


@dataclass(frozen=True, slots=True)
class Sorted:
    """What became of one case. ``found`` is a label, or ``failed``."""

    id: str
    half: str
    language: str
    kinds: tuple[str, ...]
    expected: Label
    found: str
    reasons: tuple[str, ...]

    @property
    def is_right(self) -> bool:
        """Whether the label is the expected one."""
        return self.found == self.expected


@dataclass(frozen=True, slots=True)
class Sorting:
    """All results of one sorter."""

    results: tuple[Sorted, ...]

    @property
    def confusion(self) -> Confusion:
        """Expected labels against found ones."""
        return confusion([(one.expected, one.found) for one in self.results], LABELS)

    @property
    def accuracy(self) -> float:
        """The share of right labels; 0 of no cases."""
        return self.confusion.accuracy or 0.0

    @property
    def interval(self) -> Interval:
        """Wilson's interval of the accuracy, 95 %."""
        return wilson(self.confusion.right, len(self.results))

    @property
    def wrong(self) -> tuple[Sorted, ...]:
        """The cases with another label than the expected one."""
        return tuple(one for one in self.results if not one.is_right)

    @property
    def by_kind(self) -> dict[str, tuple[int, int]]:
        """For each kind the number of right labels and of cases, by name."""
        return _tally((kind, one.is_right) for one in self.results for kind in one.kinds)

    @property
    def by_language(self) -> dict[str, tuple[int, int]]:
        """For each language the number of right labels and of cases, by name."""
        return _tally((one.language, one.is_right) for one in self.results)

    def of(self, half: str) -> Sorting:
        """Return the results of one half."""
        return Sorting(tuple(one for one in self.results if one.half == half))


def sort(cases: Iterable[Case], sorter: Sorter) -> Sorting:
    """Let a sorter sort every case."""
    return Sorting(tuple(_sorted(case, sorter) for case in cases))


def _sorted(case: Case, sorter: Sorter) -> Sorted:
    try:
        decision = sorter.triage(case.mail, case.now)
    # A model that fails on one mail has failed on that mail; the figures of the others are still wanted.
    except Exception as error:  # noqa: BLE001
        return _of(case, FAILED, (f"{type(error).__name__}: {error}",))
    if decision.label not in LABELS:
        return _of(case, FAILED, (f"there is no label {decision.label!r}",))
    return _of(case, decision.label, decision.reasons)


def _of(case: Case, found: str, reasons: tuple[str, ...]) -> Sorted:
    return Sorted(case.id, case.half, case.language, case.kinds, case.label, found, reasons)


def _tally(outcomes: Iterable[tuple[str, bool]]) -> dict[str, tuple[int, int]]:
    counted = Counter(outcomes)
    return {name: (counted[name, True], counted[name, True] + counted[name, False]) for name in sorted({name for name, _ in counted})}
