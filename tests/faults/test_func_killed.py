"""Workflows over processes that are killed, and over databases that fail: each task's effect happens once.

As a program, ``python -m tests.faults.test_func_killed FOLDER sync|async DYING ANSWERS``, this file begins a thread or goes on with it,
and says what came of it in JSON. The step DYING kills the process when it begins; ANSWERS are by question.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from checkpointers.sqlite import SqliteSaver
from graphkit import Command, InMemorySaver, interrupt, once
from graphkit.errors import StorageUnavailableError, ThreadNotFoundError
from graphkit.func import entrypoint, task
from tests.behaviour.recording import RecordingSaver

ROOT = Path(__file__).parents[2]
STEPS = ["first", "left.1", "left.2", "right", "last"]


def workflow(saver, act, kind):
    """first, then left (two steps inside) beside right, a question, and last."""

    @task
    def step(name):
        act(name)
        return name

    @task
    def left():
        return [step("left.1").result(), step("left.2").result()]

    @task
    def right():
        once("act", act, "right")
        return interrupt("right?")

    @task
    async def aleft():
        return [await step("left.1"), await step("left.2")]

    @entrypoint(checkpointer=saver)
    def flow(word):
        first = step("first").result()
        begun = [left(), right()]
        found = [first, *[future.result() for future in begun], interrupt("last?")]
        return [word, *found, step("last").result()]

    @entrypoint(checkpointer=saver)
    async def aflow(word):
        first = await step("first")
        found = [first, *await asyncio.gather(aleft(), right()), interrupt("last?")]
        return [word, *found, await step("last")]

    return flow if kind == "sync" else aflow


DONE = ["word", "first", ["left.1", "left.2"], "R", "L", "last"]


def main(folder, kind, dying, answers):
    def act(name):
        if name == dying:
            os.kill(os.getpid(), signal.SIGKILL)
        with (folder / "effects.log").open("a") as log:
            log.write(name + "\n")

    with SqliteSaver(folder / "threads.db") as saver:
        flow = workflow(saver, act, kind)
        pending = {waiting.interrupt.value: waiting.interrupt.id for waiting in saver.pending_interrupts(limit=10).items}
        begun = (folder / "begun").exists()
        (folder / "begun").touch()
        given: Any = None if begun else "word"
        if answers:
            given = Command(resume={pending[question]: answer for question, answer in answers.items()})
        result = flow.invoke(given, thread_id="t") if kind == "sync" else asyncio.run(flow.ainvoke(given, thread_id="t"))
    paused = [question.value for question in result["__interrupt__"]] if isinstance(result, dict) else None
    print(json.dumps({"asked": paused, "result": None if paused else result}))


def process(folder, kind, dying="", answers=None):
    """Run a process to its end; return what it said, None if it was killed."""
    command = [sys.executable, "-m", "tests.faults.test_func_killed", str(folder), kind, dying, json.dumps(answers or {})]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    if done.returncode == -signal.SIGKILL:
        return None
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def effects(folder):
    return Counter((folder / "effects.log").read_text().split())


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="without /proc the lease of a killed process has to run out")
@pytest.mark.parametrize("kind", ["sync", "async"])
@pytest.mark.parametrize("dying", ["left.1", "left.2", "last"])
def test_a_process_that_is_killed_between_tasks_repeats_none_of_them(tmp_path, kind, dying):
    answers = [{"right?": "R"}, {"last?": "L"}]
    if dying == "last":
        assert process(tmp_path, kind) == {"asked": ["right?"], "result": None}
        assert process(tmp_path, kind, answers=answers[0]) == {"asked": ["last?"], "result": None}
        assert process(tmp_path, kind, dying, answers[1]) is None
        ended = process(tmp_path, kind)
    else:
        assert process(tmp_path, kind, dying) is None
        assert process(tmp_path, kind) == {"asked": ["right?"], "result": None}
        assert process(tmp_path, kind, answers=answers[0]) == {"asked": ["last?"], "result": None}
        ended = process(tmp_path, kind, answers=answers[1])

    found = effects(tmp_path)
    # What runs beside the killed step may have acted and not been stored yet; nothing else may be repeated.
    assert found.pop("right") in ({1, 2} if dying.startswith("left") else {1})
    assert ended == {"asked": None, "result": DONE}
    assert found == dict.fromkeys([step for step in STEPS if step != "right"], 1)


@pytest.mark.parametrize("kind", ["sync", "async"])
@pytest.mark.parametrize("storage", ["memory", "sqlite"])
def test_whichever_write_fails_the_workflow_ends_and_only_what_was_not_stored_runs_again(tmp_path, kind, storage):
    counts = {}
    for k in range(1, 30):
        found, writes = play(tmp_path / f"{k}.db", kind, storage, k)
        counts[k] = found
        if writes < k:
            break

    assert len(counts) > len(STEPS)
    assert counts[max(counts)] == dict.fromkeys(STEPS, 1)
    for found in counts.values():
        assert set(found) == set(STEPS)
        assert sum(found.values()) <= len(STEPS) + 1


def play(path, kind, storage, k):
    """Run the workflow to its end over a database whose k-th write fails; return the effects and the number of writes."""
    found, failed = Counter(), []

    def fail(number):
        if number == k:
            failed.append(number)
            raise StorageUnavailableError("The disk is full.")

    inner = InMemorySaver() if storage == "memory" else SqliteSaver(path, synchronous="OFF")
    saver = RecordingSaver(inner, fail)
    flow = workflow(saver, lambda name: found.update([name]), kind)
    given: Any = "word"
    result: Any = None
    for _ in range(9):
        try:
            result = flow.invoke(given, thread_id="t") if kind == "sync" else asyncio.run(flow.ainvoke(given, thread_id="t"))
        except StorageUnavailableError:
            given = next_input(flow, given)
            continue
        if not isinstance(result, dict):
            break
        given = Command(resume={question.id: question.value[0].upper() for question in result["__interrupt__"]})
    writes = len(saver.recording.writes)
    saver.close()
    assert result == DONE
    return found, writes


def next_input(flow, given):
    """Return what a caller does after a failure: the same again if nothing was saved, otherwise go on with what is there."""
    try:
        asked = flow.get_state(thread_id="t").interrupts
    except ThreadNotFoundError:
        return given
    return Command(resume={question.id: question.value[0].upper() for question in asked}) if asked else None


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3], json.loads(sys.argv[4]))
