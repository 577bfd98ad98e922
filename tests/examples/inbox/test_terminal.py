"""The inbox in a process of its own on a real terminal: keys in, files out, the terminal given back."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios

import pytest

from tests.examples.conftest import EXAMPLE

PROGRAM = """
import argparse, pathlib, sys
from rich.console import Console
from examples.email_assistant.inbox import command, picture
parser = argparse.ArgumentParser()
command.add_arguments(parser)
sys.exit(command.run(parser.parse_args(sys.argv[2:]), picture.desk(pathlib.Path(sys.argv[1])), Console()))
"""
SIZE = struct.pack("HHHH", 40, 120, 0, 0)


class Terminal:
    """A terminal with a program in it."""

    def __init__(self, folder, *options: str, editor: str) -> None:
        self._own, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, SIZE)
        environment = {**os.environ, "TERM": "xterm-256color", "EDITOR": editor, "VISUAL": "", "COLUMNS": "120", "LINES": "40"}
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(folder), *options],
            cwd=EXAMPLE.parents[1],
            env=environment,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)
        self.written = ""

    def see(self, text: str) -> None:
        """Read until a text was written."""
        start = len(self.written)
        while text not in self.written[start:]:
            ready, _, _ = select.select([self._own], [], [], 30)
            assert ready, f"{text!r} did not appear"
            self.written += os.read(self._own, 65536).decode("utf-8", "replace")

    def press(self, keys: str) -> None:
        os.write(self._own, keys.encode())

    def end(self) -> int:
        """Read to the end and return the exit code."""
        try:
            while read := os.read(self._own, 65536):
                self.written += read.decode("utf-8", "replace")
        except OSError:
            pass  # Linux tells the end of a terminal like this.
        return self.process.wait(timeout=30)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self._own)


@pytest.fixture
def terminal(tmp_path):
    opened: list[Terminal] = []

    def start(*options: str, editor: str = "false") -> Terminal:
        opened.append(Terminal(tmp_path, *options, editor=editor))
        return opened[-1]

    yield start
    for one in opened:
        one.close()


def test_a_meeting_is_edited_with_the_editor_and_written(terminal, tmp_path):
    screen = terminal("--undo", "0", editor="sed -i s/14:30/15:00/")
    screen.see("Abstimmung")
    screen.press("j")
    screen.see("Meeting to approve")
    screen.press("e")
    screen.see("ctrl+s")
    screen.press("\x05")
    screen.see("What you changed")
    screen.press("y")
    screen.see("wrote 1 file")
    screen.press("q")

    assert screen.end() == 0
    [written] = (tmp_path / "meetings").glob("*.ics")
    assert "T150000" in written.read_text()
    assert "\x1b[?1049l" in screen.written
    assert "Edit · Abstimmung" in screen.written.rpartition("\x1b[?1049l")[2]


def test_keeping_answers_waiting_on_leaving_gives_nothing(terminal, tmp_path):
    screen = terminal("--undo", "600")
    screen.see("Abstimmung")
    screen.press("j")
    screen.see("Meeting to approve")
    screen.press("a")
    screen.see("takes it back")
    screen.press("q")
    screen.see("keep waiting")
    screen.press("w")

    assert screen.end() == 0
    assert not list(tmp_path.rglob("*.ics"))
    assert "10 waiting for you" in screen.written.rpartition("\x1b[?1049l")[2]
