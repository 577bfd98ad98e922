"""Pausing in one process and resuming in another; of two that resume at once exactly one wins and the other has run nothing."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

import pytest

from checkpointers.sqlite import SqliteSaver
from graphkit import START, Command, InMemorySaver, StateGraph, interrupt
from graphkit.errors import ConcurrentUpdateError, InterruptAlreadyAnsweredError, NothingToResumeError, ThreadBusyError
from tests.faults.approval import approval, effects

ROOT = Path(__file__).parents[2]
ROUNDS = 10
LOSERS = (ThreadBusyError, ConcurrentUpdateError, InterruptAlreadyAnsweredError, NothingToResumeError)


class Worker:
    """A process that carries out one order per line: it says what came of it."""

    def __init__(self, folder: Path, way: str) -> None:
        command = [sys.executable, "-m", "tests.faults.approval", str(folder), way]
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        self.process = subprocess.Popen(command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def order(self, thread_id: str, action: str, value: object = None) -> None:
        self.process.stdin.write(json.dumps([thread_id, action, value]) + "\n")
        self.process.stdin.flush()

    def reply(self) -> dict:
        line = self.process.stdout.readline()
        assert line, "the process has ended"
        return json.loads(line)

    def __call__(self, thread_id: str, action: str, value: object = None) -> dict:
        self.order(thread_id, action, value)
        return self.reply()

    def close(self) -> None:
        with suppress(BrokenPipeError):
            self.process.stdin.close()
        self.process.wait(20)
        self.process.stdout.close()


@pytest.fixture
def process(tmp_path):
    """Start processes; each keeps its database open until the test is over."""
    started: list[Worker] = []

    def start(way: str = "sync") -> Worker:
        started.append(Worker(tmp_path, way))
        return started[-1]

    yield start
    for worker in started:
        worker.close()


@pytest.mark.parametrize("ways", [("sync", "async"), ("async", "sync")], ids="-".join)
def test_a_question_of_one_process_is_answered_in_another(process, tmp_path, ways):
    first = process(ways[0])
    asked = first("t", "start")
    first.close()

    answered = process(ways[1])("t", "resume", "yes")

    assert asked == {"ok": {"log": ["drafted"], "questions": ["send?"]}}
    assert answered == {"ok": {"log": ["drafted", "yes", "sent"], "questions": []}}
    assert effects(tmp_path) == ["draft t", "note t", "ask t", "ask t", "send t yes"]


def test_a_question_is_answered_in_another_process_while_the_first_still_lives(process, tmp_path):
    first, second = process(), process()
    first("t", "start")

    assert second("t", "resume", "yes")["ok"]["log"][-1] == "sent"
    assert first("t", "resume", "no") == {"error": "NothingToResumeError"}
    assert effects(tmp_path)[-1] == "send t yes"


@pytest.mark.parametrize("action, value", [("resume", "no"), ("continue", None), ("start", None)])
def test_while_one_process_runs_a_thread_another_is_refused_and_runs_nothing(process, tmp_path, action, value):
    first, second = process(), process()
    first("t", "start")

    assert first("t", "resume held up", "yes") == {"holding": "yes"}
    before = effects(tmp_path)
    refused = second("t", action, value)
    during = effects(tmp_path)
    first.order("t", "go on")

    assert refused == {"error": "NothingToResumeError" if action == "resume" else "ThreadBusyError"}
    assert during == before
    assert first.reply()["ok"]["log"] == ["drafted", "yes", "sent"]
    assert effects(tmp_path) == [*before, "send t yes"]


def test_a_thread_whose_process_was_killed_goes_on_in_another_with_the_answer_it_got(process, tmp_path):
    first, second = process(), process()
    first("t", "start")
    first("t", "resume held up", "yes")
    before = effects(tmp_path)
    first.process.kill()
    first.process.wait(20)

    assert second("t", "continue") == {"ok": {"log": ["drafted", "yes", "sent"], "questions": []}}
    assert effects(tmp_path) == [*before, "send t yes"]


@pytest.mark.parametrize("ways", [("sync", "sync"), ("async", "async"), ("sync", "async")], ids="-".join)
def test_of_two_processes_that_resume_at_once_one_wins_and_the_other_has_run_nothing(process, tmp_path, ways):
    rivals = {"yes": process(ways[0]), "no": process(ways[1])}
    for number in range(ROUNDS):
        rivals["yes"](f"t{number}", "start")
    before = len(effects(tmp_path))
    replies = []

    for number in range(ROUNDS):
        ids = [rival(f"t{number}", "look")["ok"] for rival in rivals.values()]
        for answer, rival in rivals.items():
            rival.order(f"t{number}", "resume", {ids[0][0]: answer})
        replies.append({answer: rival.reply() for answer, rival in rivals.items()})

    acted = effects(tmp_path)[before:]
    for number, reply in enumerate(replies):
        [winner] = [answer for answer in reply if "ok" in reply[answer]]
        [loser] = [answer for answer in reply if "error" in reply[answer]]
        assert reply[winner]["ok"]["log"] == ["drafted", winner, "sent"]
        assert reply[loser]["error"] in ("ThreadBusyError", "ConcurrentUpdateError", "InterruptAlreadyAnsweredError")
        assert [effect for effect in acted if effect.split()[1] == f"t{number}"] == [f"ask t{number}", f"send t{number} {winner}"]


def test_of_two_processes_that_start_a_thread_at_once_the_refused_one_has_run_nothing(process, tmp_path):
    rivals = (process(), process())
    for number in range(ROUNDS):
        for rival in rivals:
            rival.order(f"t{number}", "start")
        replies = [rival.reply() for rival in rivals]

        # One that came after the other was through began a new turn, which is no race.
        won = sum("ok" in reply for reply in replies)
        assert won >= 1
        assert all(reply["error"] in ("ThreadBusyError", "ConcurrentUpdateError") for reply in replies if "error" in reply)
        assert effects(tmp_path).count(f"draft t{number}") == won


@pytest.fixture(params=["memory", "sqlite"])
def saver(request, tmp_path):
    if request.param == "memory":
        yield InMemorySaver()
        return
    with SqliteSaver(tmp_path / "threads.db") as opened:
        yield opened


def outcomes_of_threads(graph, thread_id, answers):
    """Resume in as many OS threads as there are answers, let go at the same moment."""
    together = threading.Barrier(len(answers))
    outcomes: dict[str, object] = {}

    def resume(answer):
        together.wait(10)
        try:
            outcomes[answer] = graph.invoke(Command(resume=answer), thread_id=thread_id)["log"]
        except LOSERS as error:
            outcomes[answer] = error

    threads = [threading.Thread(target=resume, args=(answer,)) for answer in answers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


def outcomes_of_tasks(graph, thread_id, answers):
    """Resume in as many asyncio tasks of one loop as there are answers."""

    async def resume_all():
        calls = [graph.ainvoke(Command(resume=answer), thread_id=thread_id) for answer in answers]
        return await asyncio.gather(*calls, return_exceptions=True)

    results = asyncio.run(resume_all())
    return {answer: result if isinstance(result, BaseException) else result["log"] for answer, result in zip(answers, results, strict=True)}


@pytest.mark.parametrize("race", [outcomes_of_threads, outcomes_of_tasks], ids=["threads", "tasks"])
def test_of_several_callers_in_one_process_that_resume_at_once_one_wins(saver, tmp_path, race):
    graph = approval(saver, tmp_path)
    for number in range(ROUNDS):
        graph.invoke({"log": []}, thread_id=f"t{number}")
        before = len(effects(tmp_path))

        outcomes = race(graph, f"t{number}", ["yes", "no", "maybe"])

        [winner] = [answer for answer, outcome in outcomes.items() if not isinstance(outcome, BaseException)]
        assert outcomes[winner] == ["drafted", winner, "sent"]
        assert all(isinstance(outcome, LOSERS) for answer, outcome in outcomes.items() if answer != winner)
        assert effects(tmp_path)[before:] == [f"ask t{number}", f"send t{number} {winner}"]
        assert graph.get_state(thread_id=f"t{number}").values == {"log": ["drafted", winner, "sent"]}


@pytest.mark.parametrize("call", ["resume", "input", "continue", "edit", "delete"])
def test_while_a_run_holds_the_thread_every_other_writer_is_refused_and_readers_are_served(saver, tmp_path, call):
    inside, go_on = threading.Event(), threading.Event()

    def hold(action):
        inside.set()
        assert go_on.wait(10)

    graph = approval(saver, tmp_path, before_send=hold)
    graph.invoke({"log": []}, thread_id="t")
    calls = {
        "resume": lambda: graph.invoke(Command(resume="no"), thread_id="t"),
        "input": lambda: graph.invoke({"log": []}, thread_id="t"),
        "continue": lambda: graph.invoke(None, thread_id="t"),
        "edit": lambda: graph.update_state(None, {"log": ["edited"]}, as_node="draft", thread_id="t"),
        "delete": lambda: saver.delete_thread("t"),
    }
    result: list[object] = []
    running = threading.Thread(target=lambda: result.append(graph.invoke(Command(resume="yes"), thread_id="t")))
    running.start()
    assert inside.wait(10)
    try:
        with pytest.raises(NothingToResumeError if call == "resume" else ThreadBusyError):
            calls[call]()
        read = graph.get_state(thread_id="t")
        status = saver.threads().items[0].status
    finally:
        go_on.set()
        running.join()

    assert (read.next, status) == (("send",), "busy")
    assert result == [{"log": ["drafted", "yes", "sent"]}]
    assert effects(tmp_path) == ["draft t", "note t", "ask t", "ask t", "send t yes"]


LATE = {
    "input": lambda graph: graph.invoke(["late"], thread_id="t"),
    "answer": lambda graph: graph.invoke(Command(resume="late", update=["late"]), thread_id="t"),
    "edit": lambda graph: graph.update_state(None, ["late"], as_node=START, thread_id="t"),
}


@pytest.mark.parametrize("call, begun", [("input", False), ("input", True), ("answer", True), ("edit", False), ("edit", True)])
def test_a_thread_that_moved_on_after_it_was_read_is_left_alone(saver, call, begun):
    runs: list[str] = []
    meanwhile = []

    def merge(old, new):
        # A reducer runs between the reading and the claim: the place for a rival to be quicker.
        if meanwhile:
            meanwhile.pop()()
        return old + new

    def ask(state):
        runs.append("ask")
        return [interrupt("?")]

    schema: Any = Annotated[list, merge]
    graph = StateGraph(schema).add_node("ask", ask).add_edge(START, "ask").compile(checkpointer=saver)
    if begun:
        graph.invoke([], thread_id="t")
    meanwhile.append(lambda: graph.invoke(["rival"], thread_id="t"))
    before = len(runs)

    with pytest.raises(ConcurrentUpdateError):
        LATE[call](graph)
    assert len(runs) == before + 1
    assert graph.get_state(thread_id="t").values == ["rival"]
    assert len(graph.get_state(thread_id="t").interrupts) == 1
