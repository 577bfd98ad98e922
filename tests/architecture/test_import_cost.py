"""``import graphkit`` stays light: what is heavy is imported by the function that needs it."""

from __future__ import annotations

import subprocess
import sys

from tests.architecture.sources import ROOT

HEAVY = {
    "aiosqlite",
    "anthropic",
    "asyncio",
    "concurrent",
    "http",
    "httpx",
    "icalendar",
    "jsonschema",
    "logging",
    "openai",
    "pydantic",
    "sqlite3",
    "typing_extensions",
}
REPORT = "import sys; before = set(sys.modules); import {module}; print(*sorted(set(sys.modules) - before))"


def loaded_by(module: str) -> set[str]:
    """Return the top-level packages that importing a module brings into a fresh process."""
    done = subprocess.run([sys.executable, "-c", REPORT.format(module=module)], cwd=ROOT, capture_output=True, text=True, check=True)
    return {name.partition(".")[0] for name in done.stdout.split()}


def test_the_front_door_loads_nothing_heavy():
    assert loaded_by("graphkit") & HEAVY == set()


def test_the_report_sees_what_is_loaded():
    assert "sqlite3" in loaded_by("sqlite3")
