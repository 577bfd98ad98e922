"""One measurement in a process of its own: ``python -m benchmarks.child NAME SIDE SIZE SECONDS`` prints its figures as JSON."""

from __future__ import annotations

import json
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from benchmarks.catalogue import CATALOGUE
from benchmarks.engine import load
from benchmarks.lab import Lab

if TYPE_CHECKING:
    from benchmarks.lab import Figures

Side = Literal["graphkit", "langgraph", "floor"]


def measure(name: str, side: Side, size: int, seconds: float) -> Figures:
    """Run one side of a workload here.

    Args:
        name: Key of the catalogue.
        side: Which engine, or none.
        size: Units of one repetition.
        seconds: How long to repeat; 0 for one repetition.
    """
    workload = CATALOGUE[name]
    with tempfile.TemporaryDirectory() as folder, Lab(size, Path(folder), seconds) as lab:
        if side != "floor":
            return workload.measure(load(side), lab)
        if workload.floor is None:
            raise ValueError(f"{name} has no floor.")
        return workload.floor(lab)


def _side(name: str) -> Side:
    match name:
        case "graphkit" | "langgraph" | "floor":
            return name
        case _:
            raise SystemExit(f"Unknown side: {name}")


if __name__ == "__main__":
    _, wanted, side_name, units, duration = sys.argv
    print(json.dumps(asdict(measure(wanted, _side(side_name), int(units), float(duration)))))
