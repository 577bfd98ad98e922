"""Review over processes that are killed: between question and answer, between two answers, and just before an action."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections import defaultdict
from contextlib import suppress
from pathlib import Path

import pytest

from tests.unit.agents.assistant import CELLS, PAIRS, SINGLES, WITH_PLAIN, Cell, effect, given, name_of, require_end, require_first_message

ROOT = Path(__file__).parents[2]
SCENARIOS = {name_of(cells): cells for cells in [*SINGLES, *WITH_PLAIN, *PAIRS]}
FIRST_ANSWERS = [("0", "1"), ("0",), ("1",)]
"""Which questions are answered at first; the rest is answered by the next process."""


class Assistant:
    """A process that runs the assistant."""

    def __init__(self, folder: Path, way: str) -> None:
        command = [sys.executable, "-m", "tests.unit.agents.assistant", str(folder), way]
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        self.process = subprocess.Popen(command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __call__(self, action: str, orders: dict) -> dict:
        self.process.stdin.write(json.dumps([action, orders]) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, "the process has ended"
        return json.loads(line)

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(20)
        self.process.stdout.close()
        with suppress(BrokenPipeError):
            self.process.stdin.close()


def effects_by_thread(folder):
    found = defaultdict(list)
    log = folder / "effects.log"
    for line in log.read_text().splitlines() if log.exists() else []:
        thread, _, what = line.partition("|")
        found[thread].append(what)
    return found


def first_answers(name, cells, way):
    """Return the answers of the first process that answers, by place among the questions."""
    reviewed = [cell for cell in cells if cell.answer]
    wanted = FIRST_ANSWERS[(list(SCENARIOS).index(name) + (way == "async")) % 3]
    places = [place for place in wanted if int(place) < len(reviewed)] or ["0"]
    return {place: given(reviewed[int(place)]) for place in places}


@pytest.fixture(scope="module", params=["sync", "async"])
def played(request, tmp_path_factory):
    """Play all scenarios, each step in a process that is killed after it; return what was seen after each step."""
    way, folder = request.param, tmp_path_factory.mktemp("threads")
    firsts = {name: first_answers(name, cells, way) for name, cells in SCENARIOS.items()}

    def step(action, orders):
        process = Assistant(folder, way)
        seen = process(action, orders)
        process.kill()
        return seen, effects_by_thread(folder)

    asked = step("start", SCENARIOS)
    halfway = step("answer", firsts)
    left = {name: [cell for cell in cells if cell.answer] for name, cells in SCENARIOS.items()}
    seconds = {}
    for name, cells in left.items():
        rest = [given(cell) for place, cell in enumerate(cells) if str(place) not in firsts[name]]
        if rest:
            seconds[name] = {"0": rest[0]}
    settled = step("answer", seconds)
    settled[0].update({name: looked for name, looked in halfway[0].items() if name not in seconds})
    open_ = {name: looked["questions"] for name, looked in settled[0].items() if looked["questions"]}
    over = step("answer", {name: {str(place): {"type": "accept"} for place in range(len(found))} for name, found in open_.items()})
    over[0].update({name: looked for name, looked in settled[0].items() if name not in open_})
    return {"asked": asked, "halfway": halfway, "settled": settled, "over": over, "seconds": seconds}


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_question_survives_its_process(played, name):
    cells = SCENARIOS[name]
    looked, effects = played["asked"][0][name], played["asked"][1][name]

    assert effects == []
    assert [question[0]["action_request"]["action"] for question in looked["questions"]] == [cell.tool for cell in cells if cell.answer]
    if name in played["seconds"]:
        assert played["halfway"][1][name] == []
        assert len(played["halfway"][0][name]["questions"]) == 1


@pytest.mark.parametrize("name", SCENARIOS)
def test_answers_given_to_other_processes_lead_where_the_table_says(played, name):
    cells = SCENARIOS[name]

    require_first_message(cells, played["settled"][0][name], played["settled"][1][name])
    require_end(cells, played["over"][0][name], played["over"][1][name])


@pytest.mark.parametrize("way", ["sync", "async"])
@pytest.mark.parametrize("answer", ["accept", "edit"])
def test_a_process_killed_just_before_the_action_leaves_it_to_the_next_one(tmp_path, way, answer):
    cell = next(cell for cell in CELLS if cell == Cell("write_email", answer))
    process = Assistant(tmp_path, way)
    process("start", {"t": [cell]})
    assert process("answer and hold write_email", {"t": {"0": given(cell)}}) == {"holding": "write_email"}
    process.kill()
    assert effects_by_thread(tmp_path)["t"] == []

    next_process = Assistant(tmp_path, way)
    looked = next_process("go on", {"t": None})["t"]
    next_process.kill()

    require_end((cell,), looked, effects_by_thread(tmp_path)["t"])


@pytest.mark.parametrize("way", ["sync", "async"])
def test_of_two_approved_actions_the_finished_one_is_not_repeated_after_a_kill(tmp_path, way):
    cells = (Cell("write_email", "accept"), Cell("schedule_meeting", "accept"))
    process = Assistant(tmp_path, way)
    process("start", {"t": cells})
    assert process("answer and hold schedule_meeting", {"t": {"0": given(cells[0]), "1": given(cells[1])}}) == {
        "holding": "schedule_meeting"
    }
    process.kill()
    assert effects_by_thread(tmp_path)["t"] == [effect("write_email", {"to": "ada@example.org", "content": "Hello"})]

    next_process = Assistant(tmp_path, way)
    looked = next_process("go on", {"t": None})["t"]
    next_process.kill()

    require_end(cells, looked, effects_by_thread(tmp_path)["t"])
