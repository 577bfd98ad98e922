"""What was measured, for people (a table) and for programs (JSON)."""

from __future__ import annotations

import json
import os
import platform
import sqlite3
from collections.abc import Mapping
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Final

from rich.console import Console
from rich.markup import escape
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from benchmarks.rounds import Plan, Row

PACKAGES: Final = ("graphkit", "langgraph", "langgraph-checkpoint-sqlite")
SCALES: Final = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns"))
VERDICTS: Final[Mapping[bool | None, str]] = {None: "", True: "[green]met[/]", False: "[red]NOT MET[/]"}


def show(rows: Sequence[Row]) -> None:
    """Print the comparison, then the limits, then what failed."""
    console = Console(width=None if os.isatty(1) else 150, highlight=False)
    console.print(_comparison(rows))
    if limited := [row for row in rows if row.workload.limits and row.extra("graphkit")]:
        console.print(_limits(limited))
    for row in rows:
        for side, failure in row.failures.items():
            console.print(f"[red]failed[/] {row.name}, {side}: {escape(failure.reason)}")


def write_json(path: Path, rows: Sequence[Row], plan: Plan) -> None:
    """Write everything: where it ran, each sample, medians, ratios."""
    path.write_text(
        json.dumps({"environment": environment(), "plan": asdict(plan), "results": [_record(row) for row in rows]}, indent=2) + "\n"
    )


def environment() -> Mapping[str, str | int | None]:
    """What the figures depend on."""
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cpus": os.cpu_count(),
        "sqlite": sqlite3.sqlite_version,
        **{package: _version(package) for package in PACKAGES},
    }


def duration(seconds: float | None) -> str:
    """Seconds with three digits and a fitting unit; a dash for None."""
    if seconds is None:
        return "-"
    for scale, unit in SCALES:
        if seconds >= scale:
            return f"{_digits(seconds / scale)} {unit}"
    return f"{_digits(seconds / 1e-9)} ns"


def _digits(number: float) -> str:
    return f"{number:.0f}" if number >= 100 else f"{number:.3g}"


def _comparison(rows: Sequence[Row]) -> Table:
    table = Table(title="Wall time per unit, median of the rounds; ratio = LangGraph / graphkit", title_justify="left")
    table.add_column("name")
    table.add_column("what is done")
    table.add_column("unit")
    table.add_column("size", justify="right")
    for heading in ("LangGraph", "graphkit", "floor", "ratio", "in rounds", "target"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("reached")
    for row in rows:
        times = (duration(row.seconds("langgraph")), duration(row.seconds("graphkit")), duration(row.seconds("floor")))
        table.add_row(row.name, row.workload.title, row.workload.unit, f"{row.size:,}", *times, *_ratio(row), _reached(row))
    return table


def _ratio(row: Row) -> tuple[str, str, str]:
    ratio = "-" if row.ratio is None else f"{_digits(row.ratio)}x"
    spread = "-" if row.ratio_range is None else f"{_digits(row.ratio_range[0])} .. {_digits(row.ratio_range[1])}"
    return ratio, spread, "" if row.workload.target is None else f"{row.workload.target:g}x"


def _reached(row: Row) -> str:
    return "[red]failed[/]" if row.failures else VERDICTS[row.met]


def _limits(rows: Sequence[Row]) -> Table:
    table = Table(title="What graphkit's own figures have to keep", title_justify="left")
    table.add_column("name")
    table.add_column("figure")
    table.add_column("measured", justify="right")
    table.add_column("at most", justify="right")
    table.add_column("reached")
    for row in rows:
        extra = row.extra("graphkit")
        for limit in row.workload.limits:
            measured = extra[limit.figure]
            table.add_row(row.name, limit.figure, f"{measured:,.6g}", f"{limit.at_most:,.6g}", VERDICTS[measured <= limit.at_most])
    return table


def _record(row: Row) -> dict[str, object]:
    return {
        "name": row.name,
        "title": row.workload.title,
        "unit": row.workload.unit,
        "size": row.size,
        "seconds": {side: row.seconds(side) for side in row.samples},
        "extra": {side: row.extra(side) for side in row.samples},
        "samples": {side: [asdict(sample) for sample in samples] for side, samples in row.samples.items()},
        "failures": {side: failure.reason for side, failure in row.failures.items()},
        "ratio": row.ratio,
        "target": row.workload.target,
        "limits": {limit.figure: limit.at_most for limit in row.workload.limits},
        "met": row.met,
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
