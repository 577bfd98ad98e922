"""Runs the assistant many times and kills it, as ``kill -9`` does, each time before another line of code.

Called as ``crash_driver.py MODULES EVERY FOLDER ARGUMENT...``: counts the lines that a whole run executes in the modules, and then,
for every n-th of them, runs the assistant in a folder of its own until that line, looks at what is there, and runs it again to the
end. Prints one JSON object per kill. It is a program of its own because each run is a fork, which wants a process without threads.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import sys
from pathlib import Path

from examples.email_assistant.cli import main

ROOT = Path(__file__).parents[2]


def trace_until(line: int, modules: tuple[str, ...], reached: list[int]):
    """Return a trace function that counts lines of these modules and kills the process at the n-th."""

    def trace(frame, event, _):
        if not frame.f_code.co_filename.startswith(modules):
            return None
        if event == "line":
            reached[0] += 1
            if reached[0] == line:
                os.kill(os.getpid(), signal.SIGKILL)
        return trace

    return trace


def run(line: int, modules: tuple[str, ...], arguments: list[str]) -> tuple[int, int]:
    """Run the assistant in a fork; return how it ended and how many lines it has counted."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        reached = [0]
        sys.settrace(trace_until(line, modules, reached))
        code = main(arguments)
        sys.settrace(None)
        os.write(writing, str(reached[0]).encode())
        os._exit(code)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        lines = pipe.read()
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), int(lines or 0)


def written(data: Path) -> dict[str, str]:
    """Return all mails and meetings under their final names."""
    found = [path for pattern in ("outbox/new/*", "outbox/cur/*", "meetings/*.*") for path in data.glob(pattern)]
    return {str(path.relative_to(data)): hashlib.sha256(path.read_bytes()).hexdigest() for path in found}


if __name__ == "__main__":
    modules = tuple(str(ROOT / module) for module in sys.argv[1].split(","))
    every, folder, arguments = int(sys.argv[2]), Path(sys.argv[3]), sys.argv[4:]
    code, total = run(0, modules, [*arguments, "--data", str(folder / "whole")])
    print(json.dumps({"line": 0, "first": code, "between": {}, "second": 0, "end": written(folder / "whole")}))
    for line in range(1, total + 1, every):
        data = folder / str(line)
        options = [*arguments, "--data", str(data)]
        first, _ = run(line, modules, options)
        between = written(data)
        second, _ = run(0, (), options)
        print(json.dumps({"line": line, "first": first, "between": between, "second": second, "end": written(data)}))
