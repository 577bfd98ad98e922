"""The order of measuring: each in a new process, the sides in turn, so that a slow minute of the machine hits all of them."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks.lab import Figures

if TYPE_CHECKING:
    from benchmarks.catalogue import Workload
    from benchmarks.child import Side

TIMEOUT_SECONDS: Final = 300
REPOSITORY: Final = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True)
class Plan:
    """How much to measure.

    Args:
        rounds: How often each side of a workload is measured.
        seconds: How long each process repeats a workload.
        quick: Take the small sizes.
    """

    rounds: int
    seconds: float
    quick: bool


@dataclass(frozen=True, slots=True)
class Failure:
    """A process that did not deliver; ``reason`` is the last line it wrote."""

    reason: str


@dataclass(frozen=True, slots=True)
class Row:
    """All that was measured of one workload, per side in order of the rounds."""

    name: str
    workload: Workload
    size: int
    samples: Mapping[Side, tuple[Figures, ...]]
    failures: Mapping[Side, Failure]

    def seconds(self, side: Side) -> float | None:
        """Median wall time per unit, None when the side was not measured."""
        samples = self.samples.get(side)
        return statistics.median(sample.seconds for sample in samples) if samples else None

    def extra(self, side: Side) -> dict[str, float]:
        """Medians of the side's other figures."""
        samples = self.samples.get(side, ())
        names = samples[0].extra if samples else ()
        return {name: statistics.median(sample.extra[name] for sample in samples) for name in names}

    @property
    def ratio(self) -> float | None:
        """How many times faster graphkit is than LangGraph: the ratio of the medians."""
        ours, theirs = self.seconds("graphkit"), self.seconds("langgraph")
        return theirs / ours if ours and theirs else None

    @property
    def ratio_range(self) -> tuple[float, float] | None:
        """Smallest and largest ratio of one round."""
        pairs = zip(self.samples.get("graphkit", ()), self.samples.get("langgraph", ()), strict=False)
        ratios = [theirs.seconds / ours.seconds for ours, theirs in pairs]
        return (min(ratios), max(ratios)) if ratios else None

    @property
    def met(self) -> bool | None:
        """Whether everything promised was reached; None when nothing was promised or it could not be measured."""
        extra = self.extra("graphkit")
        checks = [extra[limit.figure] <= limit.at_most for limit in self.workload.limits if extra]
        if self.workload.target is not None and self.ratio is not None:
            checks.append(self.ratio >= self.workload.target)
        return all(checks) if checks else None


def langgraph_is_installed() -> bool:
    """Whether this environment has the other engine."""
    return find_spec("langgraph") is not None


def sides(workload: Workload) -> tuple[Side, ...]:
    """What to measure of a workload, in the order of a round."""
    other: tuple[Side, ...] = () if workload.alone or not langgraph_is_installed() else ("langgraph",)
    floor: tuple[Side, ...] = ("floor",) if workload.floor else ()
    return ("graphkit", *other, *floor)


def measure_row(name: str, workload: Workload, plan: Plan) -> Row:
    """Measure one workload; a side that fails once is not tried again."""
    size = workload.quick if plan.quick else workload.size
    samples: dict[Side, list[Figures]] = {}
    failures: dict[Side, Failure] = {}
    for side in _turns(workload, plan.rounds):
        if side in failures:
            continue
        match _child(name, side, size, plan.seconds):
            case Failure() as failure:
                failures[side] = failure
            case Figures() as figures:
                samples.setdefault(side, []).append(figures)
    return Row(name, workload, size, {side: tuple(taken) for side, taken in samples.items()}, failures)


def _turns(workload: Workload, rounds: int) -> Iterator[Side]:
    for _ in range(rounds):
        yield from sides(workload)


def _child(name: str, side: Side, size: int, seconds: float) -> Figures | Failure:
    command = [sys.executable, "-m", "benchmarks.child", name, side, str(size), str(seconds)]
    try:
        # A tracer that somebody has switched on would measure the network.
        environment = {**os.environ, "LANGSMITH_TRACING": "false", "LANGCHAIN_TRACING_V2": "false"}
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=False, env=environment, cwd=REPOSITORY
        )
    except subprocess.TimeoutExpired:
        return Failure(f"not finished after {TIMEOUT_SECONDS} s")
    if done.returncode != 0:
        return Failure((done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1])
    return Figures(**json.loads(done.stdout))
