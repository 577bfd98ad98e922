"""Tools over processes: one that ends after its tools asked, one that is killed while a tool is at work, and those that go on.

As a program, ``python -m tests.behaviour.test_tool_processes FOLDER sync|async ANSWERS [DYING]``, this file begins a thread or goes on
with it, and says what came of it in JSON. ANSWERS are by question; the call whose id is DYING kills the process while it works.
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
from graphkit import START, Command, MessagesState, StateGraph, interrupt
from graphkit.messages import AIMessage, ToolMessage
from graphkit.tools import ToolNode, ToolRuntime, tool

ROOT = Path(__file__).parents[2]
ACTS: list[Any] = [{"name": "act", "args": {}, "id": "a"}, {"name": "act", "args": {}, "id": "b"}]
CALLS: list[Any] = [*ACTS, {"name": "ask", "args": {}, "id": "c"}, {"name": "aask", "args": {}, "id": "d"}]


def graph_of(saver, folder, dying):
    def effect(word):
        with (folder / "effects.log").open("a") as log:
            log.write(word + "\n")

    @tool
    def act(runtime: ToolRuntime) -> str:
        """Act."""
        if runtime.tool_call_id == dying:
            os.kill(os.getpid(), signal.SIGKILL)
        effect(f"act-{runtime.tool_call_id}")
        return f"acted {runtime.tool_call_id}"

    @tool
    def ask() -> str:
        """Ask, then act."""
        answer = interrupt("ask")
        effect(f"{answer}-c")
        return answer

    @tool
    async def aask() -> str:
        """Ask, then act."""
        answer = interrupt("aask")
        effect(f"{answer}-d")
        return answer

    return StateGraph(MessagesState).add_node(ToolNode([act, ask, aask])).add_edge(START, "tools").compile(checkpointer=saver)


def main(folder, way, answers, dying):
    """Begin, go on, or answer; one call at a time, so that a call that is not the first begins when the others have been saved."""
    with SqliteSaver(folder / "threads.db") as saver:
        graph = graph_of(saver, folder, dying)
        pending = {str(question.value): question.id for question in saver_questions(saver)}
        given: Any = {"messages": [AIMessage("", tool_calls=CALLS)]} if not (folder / "effects.log").exists() else None
        if answers:
            given = Command(resume={pending[question]: answer for question, answer in answers.items()})
        config = {"configurable": {"thread_id": "t"}, "max_concurrency": 1}
        result = graph.invoke(given, config) if way == "sync" else asyncio.run(graph.ainvoke(given, config))
    said = [[m.tool_call_id, m.content] for m in result["messages"] if isinstance(m, ToolMessage)]
    print(json.dumps({"asked": [question.value for question in result.get("__interrupt__", ())], "said": said}))


def saver_questions(saver):
    return [waiting.interrupt for waiting in saver.pending_interrupts(limit=10).items]


def process(folder, way, answers=None, dying=""):
    """Run a process to its end; return what it said, None if it was killed."""
    command = [sys.executable, "-m", "tests.behaviour.test_tool_processes", str(folder), way, json.dumps(answers or {}), dying]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    if done.returncode == -signal.SIGKILL:
        return None
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def effects(folder):
    return Counter((folder / "effects.log").read_text().split())


ALL = [["a", "acted a"], ["b", "acted b"], ["c", "yes"], ["d", "no"]]


@pytest.mark.parametrize("way", ["sync", "async"])
def test_answers_in_other_processes_reach_their_calls_and_nothing_runs_twice(tmp_path, way):
    first = process(tmp_path, way)
    second = process(tmp_path, "async" if way == "sync" else "sync", {"aask": "no"})
    third = process(tmp_path, way, {"ask": "yes"})

    assert first == {"asked": ["ask", "aask"], "said": []}
    assert second == {"asked": ["ask"], "said": []}
    assert third == {"asked": [], "said": ALL}
    assert effects(tmp_path) == {"act-a": 1, "act-b": 1, "yes-c": 1, "no-d": 1}


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="without /proc the lease of a killed process has to run out")
@pytest.mark.parametrize("way", ["sync", "async"])
def test_a_process_that_is_killed_in_a_call_leaves_the_others_done(tmp_path, way):
    killed = process(tmp_path, way, dying="b")
    went_on = process(tmp_path, way)
    ended = process(tmp_path, way, {"ask": "yes", "aask": "no"})

    assert killed is None
    assert went_on == {"asked": ["ask", "aask"], "said": []}
    assert ended == {"asked": [], "said": ALL}
    assert effects(tmp_path) == {"act-a": 1, "act-b": 1, "yes-c": 1, "no-d": 1}


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], json.loads(sys.argv[3]), sys.argv[4])
