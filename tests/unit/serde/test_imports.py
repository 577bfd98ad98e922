from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = {"pydantic", "numpy", "asyncio", "zoneinfo", "decimal", "fractions", "pickle", "importlib.resources"}


@pytest.mark.parametrize("work, allowed", [
    ("", set()),
    ("graphkit.serde.Codec().encode({'a': 1})", {"zoneinfo", "decimal", "fractions"}),
])  # fmt: skip
def test_what_a_program_does_not_use_is_not_imported(work, allowed):
    code = f"import sys, graphkit.serde; {work}\nprint(*sys.modules)"

    modules = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()

    assert HEAVY.intersection(modules) <= allowed
