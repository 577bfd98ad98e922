"""Each workload does what it says, at a size that takes no time. How fast it is, is not a test's business."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.catalogue import CATALOGUE, Limit, Workload
from benchmarks.child import measure
from benchmarks.lab import Figures, Lab
from benchmarks.report import duration
from benchmarks.rounds import Plan, Row, measure_row
from benchmarks.workloads import chat, start

ODD = 13
"""No even number: a superstep that counts twice would pass unseen."""
TINY = {"import": 1, "first_answer": 1, "newest": 10}


@pytest.mark.parametrize("name", CATALOGUE)
def test_each_workload_runs_on_graphkit_and_checks_its_result(name: str) -> None:
    figures = measure(name, "graphkit", TINY.get(name, ODD), 0)

    assert figures.seconds > 0


@pytest.mark.parametrize("name", [name for name, workload in CATALOGUE.items() if workload.floor])
def test_each_floor_runs(name: str) -> None:
    figures = measure(name, "floor", TINY.get(name, ODD), 0)

    assert figures.seconds > 0


def test_a_limit_names_a_figure_that_its_workload_delivers() -> None:
    figures = measure("chat_long", "graphkit", 4, 0)

    assert {limit.figure for limit in CATALOGUE["chat_long"].limits} <= set(figures.extra)


def test_an_import_that_loads_a_refused_module_is_an_error_and_no_figure(tmp_path: Path) -> None:
    with Lab(1, tmp_path, 0) as lab, pytest.raises(RuntimeError, match="loads decimal"):
        start.processes("import decimal", lab, refused=frozenset({"decimal"}))


def test_a_measurement_that_fails_is_reported_with_its_reason_and_counts_as_neither_met_nor_missed() -> None:
    broken = Workload("title", "unit", chat.conversation, 1, 1, target=2)

    measured = measure_row("unheard of", broken, Plan(rounds=2, seconds=0, quick=True))

    assert "unheard of" in measured.failures["graphkit"].reason
    assert measured.met is None


def row(target: float | None = None, limits: tuple[Limit, ...] = (), **seconds: tuple[float, ...]) -> Row:
    workload = Workload("title", "unit", chat.conversation, 1, 1, target=target, limits=limits)
    samples = {side: tuple(Figures(value, {"bytes": 100}) for value in values) for side, values in seconds.items()}
    return Row("name", workload, 1, samples, {})  # type: ignore[arg-type]


def test_the_ratio_is_that_of_the_medians_and_not_of_the_best_round() -> None:
    measured = row(target=4, graphkit=(1.0, 2.0, 9.0), langgraph=(10.0, 8.0, 9.0))

    assert measured.ratio == 4.5
    assert measured.ratio_range == (1.0, 10.0)
    assert measured.met is True


@pytest.mark.parametrize(
    "measured,met",
    [
        (row(target=3, graphkit=(1.0,), langgraph=(2.9,)), False),
        (row(target=3, graphkit=(1.0,)), None),
        (row(graphkit=(1.0,), langgraph=(2.0,)), None),
        (row(limits=(Limit("bytes", 100),), graphkit=(1.0,)), True),
        (row(limits=(Limit("bytes", 99),), graphkit=(1.0,)), False),
    ],
)
def test_a_target_is_met_only_when_it_was_measured_and_reached(measured: Row, met: bool | None) -> None:
    assert measured.met is met


@pytest.mark.parametrize("seconds,text", [(None, "-"), (1.5, "1.5 s"), (0.2346, "235 ms"), (3.3e-6, "3.3 µs"), (2e-10, "0.2 ns")])
def test_a_duration_has_three_digits_and_a_unit_that_fits(seconds: float | None, text: str) -> None:
    assert duration(seconds) == text
