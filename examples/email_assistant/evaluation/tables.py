"""A report on a terminal. Everything that comes from a mail is printed as plain text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import Console

    from examples.email_assistant.evaluation.report import Report
    from examples.email_assistant.evaluation.scores import Confusion
    from examples.email_assistant.evaluation.sorting import Sorting
    from examples.email_assistant.evaluation.working import Working

NOTHING = "–"  # noqa: RUF001  (an en dash is what tables use for "no figure")
HELD_BACK = "held_back"
HALF_NAMES = {"dev": "development half", "held_back": "held-back half"}


def show(console: Console, report: Report) -> None:
    """Print a report, one half after the other."""
    console.print(Text(f"Evaluation of {report.subject}", style="bold"))
    for half in report.halves:
        _show_triage(console, HALF_NAMES.get(half, half), report.triage.of(half))
        if report.working is not None:
            _show_runs(console, report.working.of(half))
    if report.working is None:
        console.print("\nOnly the sorting was measured: this subject does not run.")


def percent(value: float | None) -> str:
    """Return a share as a whole percentage, or a dash when there is none."""
    return NOTHING if value is None else f"{value:.0%}"


def _show_triage(console: Console, name: str, sorting: Sorting) -> None:
    confusion, interval = sorting.confusion, sorting.interval
    console.print(
        f"\nTriage, {name}: {confusion.right} of {confusion.total} right = {percent(confusion.accuracy)} "
        f"(95 %: {percent(interval.low)} to {percent(interval.high)})"
    )
    console.print(_matrix(confusion))
    console.print(f"  Right by kind, where not all are: {_weak(sorting.by_kind)}", markup=False)
    console.print(f"  Right by language, where not all are: {_weak(sorting.by_language)}", markup=False)
    for one in sorting.wrong:
        # What a held-back mail says is not shown: who reads it, tunes on it.
        why = f" ({'; '.join(one.reasons)})" if one.half != HELD_BACK else ""
        console.print(_plain(f"  wrong: {one.id} as {one.found} instead of {one.expected}{why}"))


def _weak(shares: Mapping[str, tuple[int, int]]) -> str:
    weak = {name: (right, cases) for name, (right, cases) in shares.items() if right < cases}
    return ", ".join(f"{name} {right}/{cases}" for name, (right, cases) in weak.items()) or "none"


def _plain(text: str, style: str = "") -> Text:
    """Reasons quote mail: control characters in it must not reach the terminal."""
    return Text("".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in text), style=style)


def _matrix(confusion: Confusion) -> Table:
    table = Table(box=None, padding=(0, 1), header_style="dim")
    table.add_column("expected")
    for found in confusion.found:
        table.add_column(f"as {found}", justify="right")
    for figure in ("precision", "recall", "F1"):
        table.add_column(figure, justify="right")
    for label in confusion.labels:
        score = confusion.score(label)
        counts = [Text(str(confusion.count(label, found)), style="bold" if found == label else "") for found in confusion.found]
        table.add_row(label, *counts, percent(score.precision), percent(score.recall), percent(score.f1))
    return table


def _show_runs(console: Console, working: Working) -> None:
    console.print(f"\nRuns: {working.passed} of {len(working.runs)} passed every check")
    table = Table(box=None, padding=(0, 2), show_header=False)
    table.add_column()
    table.add_column(justify="right")
    for name, (passed, made) in working.by_check.items():
        table.add_row(name, Text(f"{passed} of {made}", style="" if passed == made else "bold"))
    console.print(table)
    for run in working.runs:
        for one in run.checks:
            if not one.passed:
                is_promise = one in run.broken_promises
                mark, style = ("BROKEN", "red") if is_promise else ("failed", "")
                why = f": {one.why}" if is_promise or run.half != HELD_BACK else ""
                console.print(_plain(f"  {mark}: {run.id}, {one.name}{why}", style))
