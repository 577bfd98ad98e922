"""Where the time of one workload goes: ``python -m benchmarks.profile NAME``.

Run it as a module: a script in this folder would hide the standard module of the same name.
"""

from __future__ import annotations

import argparse
import cProfile
import pstats
from importlib.util import find_spec
from typing import TYPE_CHECKING

from benchmarks.catalogue import CATALOGUE
from benchmarks.child import measure

if TYPE_CHECKING:
    from collections.abc import Callable

LINES = 40


def main() -> None:
    """Profile graphkit's side of a workload, or another one's."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.profile")
    parser.add_argument("name", choices=CATALOGUE)
    parser.add_argument("--side", choices=("graphkit", "langgraph", "floor"), default="graphkit")
    parser.add_argument("--size", type=int, help="units of one repetition (as in the catalogue)")
    parser.add_argument("--seconds", type=float, default=1.0, help="how long to repeat (1)")
    parser.add_argument("--deterministic", action="store_true", help="count every call with cProfile even when pyinstrument is installed")
    options = parser.parse_args()
    size = options.size or CATALOGUE[options.name].size
    measure(options.name, options.side, min(size, 10), 0)  # What is imported and compiled on the way is not of interest.

    def work() -> None:
        measure(options.name, options.side, size, options.seconds)

    if options.deterministic or find_spec("pyinstrument") is None:
        _count_calls(work)
    else:
        _take_samples(work)


def _count_calls(work: Callable[[], None]) -> None:
    profiler = cProfile.Profile()
    profiler.runcall(work)
    pstats.Stats(profiler).sort_stats("tottime").print_stats(LINES)


def _take_samples(work: Callable[[], None]) -> None:
    from pyinstrument import Profiler  # type: ignore[import-not-found, unused-ignore]

    with Profiler(interval=0.0005) as profiler:
        work()
    print(profiler.output_text(unicode=True, color=True))


if __name__ == "__main__":
    main()
