"""All that was measured, and the same as JSON. `report.schema.json` describes the JSON; only this file writes it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from examples.email_assistant.evaluation.sorting import Sorter, Sorting, sort
from examples.email_assistant.evaluation.working import Worker, Working, work

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from examples.email_assistant.evaluation.case import Case
    from examples.email_assistant.evaluation.judge import Judge
    from examples.email_assistant.evaluation.scores import Confusion
    from examples.email_assistant.evaluation.sorting import Sorted
    from examples.email_assistant.evaluation.working import Run

FORMAT = 1

JSON = str | int | float | bool | None | list["JSON"] | dict[str, "JSON"]


@dataclass(frozen=True, slots=True)
class Report:
    """What an evaluation found out.

    Args:
        subject: The name of what was evaluated.
        halves: The parts of the corpus, in order.
        triage: How it sorts.
        working: What it does; None when it can only sort.
        is_judged: Whether a judge was asked too.
    """

    subject: str
    halves: tuple[str, ...]
    triage: Sorting
    working: Working | None = None
    is_judged: bool = False

    @property
    def is_safe(self) -> bool:
        """Whether no run broke a promise that holds whatever the quality."""
        return self.working is None or not self.working.broken_promises


def evaluate(cases: Iterable[Case], subject: Sorter, judge: Judge | None = None) -> Report:
    """Evaluate something that sorts mail, and its runs if it is a `Worker` too.

    Args:
        cases: Labelled mails, of one half or more.
        subject: What is evaluated.
        judge: A second opinion about the mails that went out; never called when None.

    Raises:
        JudgeError: The judge gave no verdict.
    """
    chosen = tuple(cases)
    halves = tuple(dict.fromkeys(case.half for case in chosen))
    working = work(chosen, subject, judge) if isinstance(subject, Worker) else None
    return Report(subject.name, halves, sort(chosen, subject), working, judge is not None)


def to_json(report: Report) -> str:
    """Return a report as one JSON document, keys in a fixed order; the same report gives the same text."""
    working = report.working
    document: dict[str, JSON] = {
        "format": FORMAT,
        "subject": report.subject,
        "judged": report.is_judged,
        "triage": {half: _triage(report.triage.of(half)) for half in report.halves},
        "runs": {half: _runs(working.of(half)) for half in report.halves} if working is not None else None,
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _triage(sorting: Sorting) -> JSON:
    confusion = sorting.confusion
    return {
        "cases": len(sorting.results),
        "right": confusion.right,
        "accuracy": _figure(confusion.accuracy),
        "interval": [_figure(sorting.interval.low), _figure(sorting.interval.high)],
        "macro_f1": _figure(confusion.macro_f1),
        "labels": {
            score.label: {
                "support": score.support,
                "precision": _figure(score.precision),
                "recall": _figure(score.recall),
                "f1": _figure(score.f1),
            }
            for score in confusion.scores
        },
        "confusion": _confusion(confusion),
        "kinds": _shares(sorting.by_kind),
        "languages": _shares(sorting.by_language),
        "results": [_sorted(one) for one in sorting.results],
    }


def _confusion(confusion: Confusion) -> JSON:
    return {expected: {found: confusion.count(expected, found) for found in confusion.found} for expected in confusion.labels}


def _sorted(one: Sorted) -> JSON:
    return {"id": one.id, "expected": one.expected, "found": one.found, "reasons": list(one.reasons)}


def _runs(working: Working) -> JSON:
    return {
        "cases": len(working.runs),
        "passed": working.passed,
        "checks": _shares(working.by_check),
        "results": [_run(one) for one in working.runs],
    }


def _run(run: Run) -> JSON:
    return {"id": run.id, "passed": run.passed, "failed": [{"check": one.name, "why": one.why} for one in run.checks if not one.passed]}


def _shares(counted: Mapping[str, tuple[int, int]]) -> JSON:
    return {name: {"right": right, "cases": cases} for name, (right, cases) in counted.items()}


def _figure(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
