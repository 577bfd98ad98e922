"""A graph that asks before it acts and keeps a log of every effect; as a program, it carries out orders from its input.

Called as ``python -m tests.faults.approval FOLDER sync|async``. Each line of input is ``[thread_id, action, value]`` in JSON, and
each is answered by one line: ``{"ok": ...}`` or ``{"error": class name}``. A run that is held up says ``{"holding": answer}`` just
before it acts, and goes on with the next line of input.
"""

from __future__ import annotations

import asyncio
import json
import operator
import os
import sys
from pathlib import Path
from typing import Annotated, TypedDict

from checkpointers.sqlite import SqliteSaver
from graphkit import START, Command, StateGraph, get_config, interrupt, once
from graphkit.errors import GraphkitError


class State(TypedDict):
    log: Annotated[list[str], operator.add]


def effects(folder):
    """Return all effects so far, of all processes, in order."""
    return (folder / "effects.log").read_text().splitlines()


def approval(saver, folder, before_send=lambda action: None):
    """Return the graph: draft, ask, send."""

    def act(*words):
        thread_id = get_config()["configurable"]["thread_id"]
        line = " ".join([words[0], thread_id, *words[1:]]) + "\n"
        descriptor = os.open(folder / "effects.log", os.O_APPEND | os.O_CREAT | os.O_WRONLY)
        os.write(descriptor, line.encode())
        os.fsync(descriptor)
        os.close(descriptor)

    def draft(state):
        act("draft")
        return {"log": ["drafted"]}

    def ask(state):
        once("note", act, "note")
        act("ask")
        return {"log": [interrupt("send?")]}

    def send(state):
        before_send(state["log"][-1])
        once("send", act, "send", state["log"][-1])
        return {"log": ["sent"]}

    builder = StateGraph(State).add_node("draft", draft).add_node("ask", ask).add_node("send", send)
    return builder.add_edge(START, "draft").add_edge("draft", "ask").add_edge("ask", "send").compile(checkpointer=saver)


def carry_out(graph, way, thread_id, action, value):
    """Carry out one order; return what to answer."""
    if action == "look":
        return [question.id for question in graph.get_state(thread_id=thread_id).interrupts]
    given = {"start": {"log": []}, "continue": None, "resume": Command(resume=value), "resume held up": Command(resume=value)}[action]
    result = asyncio.run(graph.ainvoke(given, thread_id=thread_id)) if way == "async" else graph.invoke(given, thread_id=thread_id)
    return {"log": result["log"], "questions": [question.value for question in result.get("__interrupt__", ())]}


def main(folder, way):
    held_up = []

    def hold(answer):
        if held_up:
            held_up.clear()
            print(json.dumps({"holding": answer}), flush=True)
            sys.stdin.readline()

    with SqliteSaver(folder / "threads.db") as saver:
        graph = approval(saver, folder, hold)
        while line := sys.stdin.readline():
            order = json.loads(line)
            held_up.extend([True] if order[1] == "resume held up" else [])
            try:
                reply = {"ok": carry_out(graph, way, *order)}
            except GraphkitError as error:
                reply = {"error": type(error).__name__}
            print(json.dumps(reply), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
