"""The figures in the e-mail assistant's README are what the rules reach today."""

from __future__ import annotations

from pathlib import Path

import pytest

from examples.email_assistant.evaluation import evaluate, shipped
from examples.email_assistant.evaluation.corpus import Half
from examples.email_assistant.evaluation.desk import subject_of

ROOT = Path(__file__).parents[2]
LINES = (ROOT / "examples" / "email_assistant" / "README.md").read_text("utf-8").splitlines()
ROWS = {cells[1].strip(): cells[2:4] for line in LINES if (cells := line.split("|"))[3:]}


def percent(share: float | None) -> str:
    return "–" if share is None else f"{share:.0%}".replace("%", " %")


def measured(half: Half) -> dict[str, str]:
    """Measure one half of the corpus, in the words of the table."""
    subject, _ = subject_of("rules")
    report = evaluate(shipped(half), subject)
    triage, working = report.triage, report.working
    low, high = percent(triage.interval.low).removesuffix(" %"), percent(triage.interval.high)
    total = len(triage.results)
    scores = {label: triage.confusion.score(label) for label in ("respond", "notify", "ignore")}
    return {
        "sorted right": f"{round(triage.accuracy * total)} of {total}, {percent(triage.accuracy)} ({low} to {high})",
        **{f"{label}: precision, recall": f"{percent(score.precision)}, {percent(score.recall)}" for label, score in scores.items()},
        "runs that did all that was expected": f"{working.passed} of {len(working.runs)}",
        "runs that kept every promise of safety": f"{sum(not run.broken_promises for run in working.runs)} of {len(working.runs)}",
    }


@pytest.mark.parametrize("column, half", [(0, "dev"), (1, "held_back")])
def test_the_table_of_the_email_assistant_has_the_figures_of_the_rules(column, half):
    figures = measured(half)

    assert {name: ROWS[name][column].strip() for name in figures} == figures
