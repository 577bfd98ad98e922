"""The README shows what the demo prints."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "email_assistant"


def test_the_readme_shows_lines_of_the_demo(tmp_path):
    shown = re.search(r"```console\n(respond .*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)
    command = [sys.executable, "-m", "examples.email_assistant", "--model", "rules", "--decisions", str(EXAMPLE / "demo.toml")]

    demo = subprocess.run(
        command, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=60, check=True
    )

    assert shown is not None
    for entry in re.split(r"\n(?=\S)", shown[1].strip()):
        assert f"\n{entry}\n" in demo.stdout
