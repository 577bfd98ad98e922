"""The e-mail assistant in processes that are killed, with every kind of model: each approved call acts once and has one tool message."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from checkpointers.sqlite import SqliteSaver
from examples.email_assistant.evaluation.desk import toolbox
from examples.email_assistant.graph import build
from graphkit.testing import ModelServer
from tests.examples.conftest import EXAMPLE, NOW
from tests.examples.models.brain import Brain
from tests.examples.models.planned import PAIRS, SCENARIOS, SINGLES, Planned, effects, mail_for, require_end
from tests.examples.models.test_demo import MAILS, RULES
from tests.examples.models.wires import terminal

ROOT = Path(__file__).parents[2]
RUNS = [("offline", "sync"), ("offline", "async"), ("anthropic", "sync"), ("openai", "async"), ("openai-compatible", "sync")]
NAMES = list(SCENARIOS)
PLAYED = [*NAMES[: len(SINGLES)], *NAMES[len(SINGLES) :: 9]]
"""Every cell alone, and each of them in some pair, as the first and as the second call."""


DRIVER = ROOT / "tests" / "examples" / "crash_driver.py"
ANSWERED = ("05-probe-walkthrough", "24-contract-attached", "08-chapter-three")
EVERY = 4001
"""Lines of code between two kills."""


class Assistant:
    """A process that runs the assistant."""

    def __init__(self, folder: Path, how: tuple[str, str], server: ModelServer) -> None:
        way, driver = how
        url = server.url if way == "anthropic" else server.openai_url
        command = [sys.executable, "-m", "tests.examples.models.process", str(folder), way, driver, url]
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        self.process = subprocess.Popen(command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __call__(self, action: str, orders: dict[str, int]) -> dict:
        self.process.stdin.write(json.dumps([action, orders]) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, "the process has ended"
        return json.loads(line)

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        assert self.process.wait(20) == -signal.SIGKILL
        self.process.stdout.close()
        with suppress(BrokenPipeError):
            self.process.stdin.close()


@contextmanager
def serving():
    with ModelServer(Brain(Planned(), [mail_for(name) for name in SCENARIOS])) as server:
        yield server
        assert [request.refusal for request in server.requests if request.refusal] == []


def state_of(folder, name):
    """Return where a thread stands, as another process sees it."""
    with SqliteSaver(folder / "threads.db") as saver:
        return build(Planned(), toolbox(folder, lambda: NOW)).compile(checkpointer=saver).get_state(thread_id=name)


def killed_after(action, orders, folder, how, server):
    """Carry out orders in a process of its own, kill it, and return its reply."""
    process = Assistant(folder, how, server)
    reply = process(action, orders)
    process.kill()
    return reply


@pytest.fixture(scope="module", params=RUNS, ids="-".join)
def played(request, tmp_path_factory):
    """Play scenarios, each step in a process that is killed after it; return the folder and what each step left."""
    folder, how = tmp_path_factory.mktemp("threads"), request.param
    last = {name: len(SCENARIOS[name]) - 1 for name in PLAYED}
    with serving() as server:
        asked = killed_after("begin", dict.fromkeys(PLAYED, 0), folder, how, server)
        before = effects(folder)
        halfway = killed_after("answer", {name: place for name, place in last.items() if place}, folder, how, server)
        between = effects(folder)
        over = killed_after("answer", dict.fromkeys(PLAYED, 0), folder, how, server)
    return folder, (asked, before), (halfway, between), over


def test_a_question_survives_its_process_and_nothing_is_done_before_the_last_answer(played):
    _, (asked, before), (halfway, between), over = played

    assert asked == {name: [cell.tool for cell in SCENARIOS[name]] for name in PLAYED}
    assert halfway == {name: [SCENARIOS[name][0].tool] for name in PLAYED if len(SCENARIOS[name]) == 2}
    assert before == between == []
    assert over == {name: [] for name in PLAYED}


def test_each_approved_call_acted_once_in_whatever_process(played):
    wanted = [cell.effect for name in PLAYED for cell in SCENARIOS[name] if cell.effect is not None]

    assert effects(played[0]) == sorted(wanted, key=str)


@pytest.mark.parametrize("name", PLAYED)
def test_answers_given_to_other_processes_lead_where_the_table_says(played, name):
    cells = SCENARIOS[name]

    saved = state_of(played[0], name)

    assert (saved.next, saved.interrupts) == ((), ())
    # The files of all threads are in one folder, and counted above.
    require_end(cells, saved.values, sorted([cell.effect for cell in cells if cell.effect is not None], key=str))


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("how", [RUNS[1], RUNS[3]], ids="-".join)
def test_a_process_killed_around_an_action_leaves_it_to_the_next_one_done_once(tmp_path, how, moment):
    name = "write_email-accept+schedule_meeting-edit"
    with serving() as server:
        process = Assistant(tmp_path, how, server)
        process("begin", {name: 0})
        process("answer", {name: 1})
        assert process(f"answer and hold {moment} schedule_meeting", {name: 0}) == {"holding": "schedule_meeting"}
        process.kill()
        mail, *meetings = effects(tmp_path)
        assert mail[0] == "mail"
        assert len(meetings) == (moment == "after")

        assert killed_after("go on", {name: 0}, tmp_path, how, server) == {name: []}

    require_end(SCENARIOS[name], state_of(tmp_path, name).values, effects(tmp_path))


def test_every_cell_is_played_alone_and_on_both_sides_of_a_pair():
    pairs = [SCENARIOS[name] for name in PLAYED if len(SCENARIOS[name]) == 2]

    assert {cell for cell, _ in pairs} == {cell for _, cell in pairs} == {cell for pair in PAIRS for cell in pair}


@pytest.fixture
def mailbox(tmp_path):
    for part in ("new", "cur", "tmp"):
        (tmp_path / "box" / part).mkdir(parents=True)
    for name in ANSWERED:
        shutil.copy(EXAMPLE / "mailbox" / "new" / f"{name}.eml", tmp_path / "box" / "new")
    return tmp_path / "box"


def test_killed_anywhere_while_it_asks_a_server_each_approved_file_is_written_once(mailbox, tmp_path):
    (tmp_path / "data").mkdir()
    with ModelServer(Brain(RULES, MAILS)) as server:
        typed = terminal("anthropic", server)
        places = ["--mailbox", mailbox, "--calendar", EXAMPLE / "calendar.ics", "--now", "2026-03-12T09:00"]
        given = [*places, "--decisions", EXAMPLE / "demo.toml", *typed.arguments]
        arguments = [str(one) for one in ("examples/email_assistant/,graphkit/models/", EVERY, tmp_path / "data", *given)]
        # The library is loaded before the first fork, or each of them would load it anew.
        code = f"import sys, runpy, anthropic; sys.argv = ['', *{arguments!r}]; runpy.run_path({str(DRIVER)!r}, run_name='__main__')"
        environment = os.environ | {"PYTHONPATH": str(ROOT)} | typed.environment
        command = [sys.executable, "-c", code]
        finished = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert finished.stderr == ""
    whole, *killed = map(json.loads, finished.stdout.splitlines())

    assert (whole["first"], len(whole["end"])) == (0, 3)
    assert len(killed) >= 5
    for kill in killed:
        assert kill["first"] == -signal.SIGKILL
        assert kill["between"].items() <= whole["end"].items()
        assert (kill["second"], kill["end"]) == (0, whole["end"])
