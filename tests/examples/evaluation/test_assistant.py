"""The assistant with its built-in rules, on the whole corpus. The figures are measured, not wished for."""

from __future__ import annotations

import pytest

from examples.email_assistant.evaluation import evaluate, shipped
from examples.email_assistant.evaluation.desk import subject_of


@pytest.fixture(scope="module")
def reports():
    """The reports of both halves."""
    subject, _ = subject_of(None)
    return {half: evaluate(shipped(half), subject) for half in ("dev", "held_back")}


@pytest.mark.parametrize("half", ["dev", "held_back"])
def test_no_run_breaks_a_promise(reports, half):
    assert reports[half].working.broken_promises == ()
    assert reports[half].is_safe


def test_on_mail_the_rules_may_be_tuned_on_they_keep_their_quality(reports):
    report = reports["dev"]

    assert report.triage.accuracy >= 0.84
    assert (report.working.passed, len(report.working.runs)) >= (23, 26)


def test_on_mail_they_were_not_written_for_the_figures_are_what_they_are(reports):
    """An honest number: nothing was tuned on this half, and a change here is told in the documents."""
    report = reports["held_back"]

    assert round(report.triage.accuracy * 44) == 28
    assert (report.working.passed, len(report.working.runs)) == (16, 24)


def test_the_judge_needs_a_language_model():
    assert subject_of(None)[1] is None
