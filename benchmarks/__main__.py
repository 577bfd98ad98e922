"""The command: measure, print, and write JSON if asked."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from benchmarks.catalogue import CATALOGUE
from benchmarks.report import show, write_json
from benchmarks.rounds import Plan, langgraph_is_installed, measure_row


def main() -> int:
    """Run what the command line asks for; 1 when a measurement failed or, with --strict, a promise was not kept."""
    options = _options()
    if not langgraph_is_installed():
        print("langgraph is not installed here, so there is nothing to compare with: run `make bench`.", file=sys.stderr)
    plan = _plan(options)
    names = options.only or [name for name, workload in CATALOGUE.items() if workload.promised or not plan.quick]
    rows = []
    for name in names:
        print(f"measuring {name} ...", file=sys.stderr, flush=True)
        rows.append(measure_row(name, CATALOGUE[name], plan))
    show(rows)
    if options.json:
        write_json(options.json, rows, plan)
    broken = any(row.failures for row in rows) or (options.strict and any(row.met is False for row in rows))
    return int(broken)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="Compare graphkit with LangGraph, each measurement in a new process."
    )
    parser.add_argument("--quick", action="store_true", help="about a minute: only what has a target, in small sizes")
    parser.add_argument("--only", action="append", choices=CATALOGUE, metavar="NAME", help="this measurement; may be given several times")
    parser.add_argument("--rounds", type=int, metavar="N", help="measure each side N times (5; 3 with --quick)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write every sample here")
    parser.add_argument("--strict", action="store_true", help="exit with 1 when a target is not met")
    options = parser.parse_args()
    if options.rounds is not None and options.rounds < 1:
        parser.error("--rounds has to be at least 1")
    return options


def _plan(options: argparse.Namespace) -> Plan:
    if options.quick:
        return Plan(options.rounds or 3, seconds=0.1, quick=True)
    return Plan(options.rounds or 5, seconds=0.5, quick=False)


if __name__ == "__main__":
    raise SystemExit(main())
