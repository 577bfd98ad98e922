"""Killed anywhere and started again: each approved mail exactly once, none without an approval."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.examples.conftest import EXAMPLE

ROOT = EXAMPLE.parents[1]
DRIVER = Path(__file__).with_name("crash_driver.py")
DEMO = ["--decisions", str(EXAMPLE / "demo.toml")]
HANDING_OUT = "examples/email_assistant/deposit.py"
DECIDING = "examples/email_assistant/graph.py,graphkit/scope/asking.py,graphkit/scope/memory.py,graphkit/storage/hold.py"
EVERYTHING = "examples/email_assistant,graphkit,checkpointers"
# A mail and a meeting that are approved, a mail that is edited; a draft that is ignored, a question that stays pending.
MAILS = ("05-probe-walkthrough", "24-contract-attached", "08-chapter-three", "15-invitation")


@pytest.fixture
def mailbox(tmp_path):
    for part in ("new", "cur", "tmp"):
        (tmp_path / "box" / part).mkdir(parents=True)
    for name in MAILS:
        shutil.copy(EXAMPLE / "mailbox" / "new" / f"{name}.eml", tmp_path / "box" / "new")
    return tmp_path / "box"


def kills(modules: str, every: int, mailbox: Path, decisions: list[str]) -> tuple[dict[str, str], list[dict[str, Any]]]:
    """Kill at every n-th line of the modules; return what a whole run wrote, and what each killed run and the run after it left."""
    folder = mailbox.parent / "data"
    folder.mkdir()
    options = ["--mailbox", mailbox, "--calendar", EXAMPLE / "calendar.ics", "--now", "2026-03-12T09:00", *decisions]
    command = [sys.executable, str(DRIVER), modules, str(every), str(folder), *map(str, options)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    finished = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=120, check=True
    )
    whole, *killed = map(json.loads, finished.stdout.splitlines())
    assert finished.stderr == ""
    assert whole["first"] == 0
    return whole["end"], killed


@pytest.mark.parametrize(
    "modules, every", [(HANDING_OUT, 3), (DECIDING, 151), (EVERYTHING, 7001)], ids=["while it hands out", "while it decides", "anywhere"]
)
def test_killed_and_started_again_each_approved_file_is_written_exactly_once(mailbox, modules, every):
    expected, killed = kills(modules, every, mailbox, DEMO)

    assert len(expected) == 3
    assert len(killed) >= 10
    for kill in killed:
        assert kill["first"] == -signal.SIGKILL
        assert kill["between"].items() <= expected.items()
        assert (kill["second"], kill["end"]) == (0, expected)


def test_killed_anywhere_before_an_approval_nothing_is_written(mailbox):
    expected, killed = kills(EVERYTHING, 7001, mailbox, [])

    assert expected == {}
    assert len(killed) >= 4
    assert all(kill["between"] == kill["end"] == {} and kill["second"] == 0 for kill in killed)
