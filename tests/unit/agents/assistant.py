"""An assistant whose calls are reviewed, the table of what each answer must lead to, and a program that runs it.

Called as ``python -m tests.unit.agents.assistant FOLDER sync|async``. Each line of input is ``[action, {thread: value}]`` in JSON and is
answered by one line ``{thread: what came of it}``. The process keeps its database open and waits to be killed.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import sys
from pathlib import Path
from typing import Any, NamedTuple

from checkpointers.sqlite import SqliteSaver
from graphkit import AIMessage, Command, HumanMessage, ToolMessage
from graphkit.agents import ReviewLike, create_react_agent
from graphkit.agents.settle import EDITED
from graphkit.messages import ToolCall
from graphkit.models import ScriptedModel
from graphkit.tools import tool

REVIEW: dict[str, ReviewLike] = {"write_email": True, "schedule_meeting": True, "question": ["response", "ignore"]}
ARGS: dict[str, Any] = {
    "write_email": {"to": "ada@example.org", "content": "Hello"},
    "schedule_meeting": {"attendees": ["ada@example.org"], "minutes": 30},
    "question": {"content": "Which room?"},
    "check_calendar": {"day": "Monday"},
}
EDITS = {
    "write_email": {"to": "ada@example.org", "content": "Dear Ada"},
    "schedule_meeting": {"attendees": ["ada@example.org", "bo@example.org"], "minutes": 45},
}
AGAIN: dict[str, Any] = {
    "write_email": {"to": "ada@example.org", "content": "Shorter"},
    "schedule_meeting": {"attendees": ["ada@example.org"], "minutes": 15},
}


class Cell(NamedTuple):
    """A cell of the table: a tool and what the person answers."""

    tool: str
    answer: str


CELLS = [
    *[Cell(tool, answer) for tool in ("write_email", "schedule_meeting") for answer in ("ignore", "response", "accept", "edit")],
    *[Cell("question", answer) for answer in ("ignore", "response")],
]
PLAIN = Cell("check_calendar", "")
SINGLES = [(cell,) for cell in CELLS]
PAIRS = list(itertools.product(CELLS, repeat=2))
WITH_PLAIN = [pair for cell in CELLS for pair in ((cell, PLAIN), (PLAIN, cell))]


def effect(tool, args):
    return f"{tool} {json.dumps(args, sort_keys=True)}"


def name_of(cells):
    return "+".join([f"{cell.tool}-{cell.answer}" if cell.answer else cell.tool for cell in cells])


def given(cell):
    """Return the answer a person gives."""
    args = {"response": "Make it shorter", "edit": {"action": cell.tool, "args": EDITS.get(cell.tool)}}.get(cell.answer)
    return [{"type": cell.answer, "args": args}]


def agent(saver, act, before=lambda name: None):
    """Return the agent; ``act`` is told of every effect."""

    def run(name, args):
        before(name)
        act(effect(name, args))
        return f"{name} done"

    @tool
    def write_email(to: str, content: str) -> str:
        """Send a mail."""
        return run("write_email", {"to": to, "content": content})

    @tool
    def schedule_meeting(attendees: list[str], minutes: int) -> str:
        """Put a meeting into the calendar."""
        return run("schedule_meeting", {"attendees": attendees, "minutes": minutes})

    @tool
    def question(content: str) -> str:
        """Ask the person."""
        return run("question", {"content": content})

    @tool
    async def check_calendar(day: str) -> str:
        """Look up a day."""
        return run("check_calendar", {"day": day})

    tools = [write_email, schedule_meeting, question, check_calendar]
    return create_react_agent(ScriptedModel(answered), tools, review=REVIEW, checkpointer=saver)


def answered(request):
    """Make the calls that the person's message lists; draft again what was sent back; then be done."""
    last = request.messages[-1]
    if isinstance(last, HumanMessage):
        calls = [ToolCall(name=name, args=ARGS[name], id=f"call-{place}") for place, name in enumerate(json.loads(last.text))]
        return AIMessage("My proposal.", id="proposal", tool_calls=calls)
    sent_back = [
        message for message in said(request.messages) if message.name in AGAIN and message.additional_kwargs.get("review") == "response"
    ]
    if sent_back:
        calls = [ToolCall(name=message.name, args=AGAIN[message.name], id=f"again-{message.tool_call_id}") for message in sent_back]
        return AIMessage("Again.", id="again", tool_calls=calls)
    return AIMessage("Done.", id="done")


def said(messages):
    """Return the tool messages at the end of a conversation."""
    return list(itertools.takewhile(lambda message: isinstance(message, ToolMessage), reversed(messages)))[::-1]


def start(cells):
    return {"messages": [HumanMessage(json.dumps([cell.tool for cell in cells]), id="wish")]}


def looked_at(state):
    """Return a thread as JSON has it."""
    messages = state.values["messages"]
    return {
        "calls": {m.id: [[call["id"], call["name"], call["args"]] for call in m.tool_calls] for m in messages if isinstance(m, AIMessage)},
        "results": [[m.tool_call_id, m.name, m.status, m.text] for m in messages if isinstance(m, ToolMessage)],
        "kinds": [m.type for m in messages],
        "questions": [question.value for question in state.interrupts],
        "next": list(state.next),
    }


def expected(cells):
    """Return what must have become of the first message's calls: (effects, arguments on record, tool messages, how it goes on)."""
    effects, args, results = [], [], []
    for cell in cells:
        done = EDITS[cell.tool] if cell.answer == "edit" else ARGS[cell.tool]
        args.append(done)
        if cell.answer in ("accept", "edit", ""):
            effects.append(effect(cell.tool, done))
        results.append(result_of(cell))
    ends = any(cell.answer == "ignore" for cell in cells)
    again = [cell for cell in cells if cell.answer == "response" and cell.tool != "question"]
    return effects, args, results, "ended" if ends else "drafts again" if again else "done"


def result_of(cell):
    """Return the status and the text of a call's tool message."""
    match cell.answer:
        case "ignore":
            return "error", "The person who was asked ignored this call. It was not run; stop here."
        case "response" if cell.tool == "question":
            return "success", "Make it shorter"
        case "response":
            return "error", "The call was not run. The person who reviewed it says: Make it shorter"
        case "edit":
            return "success", f"{cell.tool} done\n\n({EDITED})"
        case _:
            return "success", f"{cell.tool} done"


def require_first_message(cells, looked, effects):
    """Assert that the calls of the first message were settled as the table says; return how it goes on."""
    wanted_effects, wanted_args, wanted_results, how = expected(cells)
    assert sorted(effects) == sorted(wanted_effects)
    assert looked["calls"]["proposal"] == [
        [f"call-{place}", cell.tool, args] for place, (cell, args) in enumerate(zip(cells, wanted_args, strict=True))
    ]
    settled = [result for result in looked["results"] if result[0].startswith("call-")]
    assert settled == [
        [f"call-{place}", cell.tool, *result] for place, (cell, result) in enumerate(zip(cells, wanted_results, strict=True))
    ]
    return how


def require_end(cells, looked, effects):
    """Assert that the thread is over as the table says, its re-drafts approved."""
    first = [each for each in effects if "Shorter" not in each and '"minutes": 15' not in each]
    how = require_first_message(cells, looked, first)
    again = [cell for cell in cells if cell.answer == "response" and cell.tool != "question"] if how == "drafts again" else []
    assert sorted(each for each in effects if each not in first) == sorted(effect(cell.tool, AGAIN[cell.tool]) for cell in again)
    redrafted = [result for result in looked["results"] if result[0].startswith("again-")]
    assert [result[2:] for result in redrafted] == [["success", f"{cell.tool} done"] for cell in again]
    assert looked["questions"] == looked["next"] == []
    turns = ["human", "ai", *["tool"] * len(cells), *(["ai", *["tool"] * len(again)] if again else [])]
    assert looked["kinds"] == (turns if how == "ended" else [*turns, "ai"])


def carry_out(graph, way, action, thread_id, value):
    """Carry out one order for one thread."""
    if action != "look":
        if action == "start":
            given_ = start([Cell(*cell) for cell in value])
        elif action == "go on":
            given_ = None
        else:
            pending = graph.get_state(thread_id=thread_id).interrupts
            given_ = Command(resume={pending[int(place)].id: answer for place, answer in value.items()})
        # One call at a time, so that a test can know which one is through.
        config = {"configurable": {"thread_id": thread_id}, "max_concurrency": 1}
        _ = asyncio.run(graph.ainvoke(given_, config)) if way == "async" else graph.invoke(given_, config)
    return looked_at(graph.get_state(thread_id=thread_id))


def main(folder, way):
    thread = ""

    def act(what):
        descriptor = os.open(folder / "effects.log", os.O_APPEND | os.O_CREAT | os.O_WRONLY)
        os.write(descriptor, f"{thread}|{what}\n".encode())
        os.fsync(descriptor)
        os.close(descriptor)

    def before(name):
        if name in hold:
            print(json.dumps({"holding": name}), flush=True)
            sys.stdin.readline()

    hold = ""
    with SqliteSaver(folder / "threads.db", synchronous="OFF") as saver:
        graph = agent(saver, act, before)
        while line := sys.stdin.readline():
            action, orders = json.loads(line)
            action, _, hold = action.partition(" and hold ")
            replies: dict[str, Any] = {}
            for thread, value in orders.items():
                replies[thread] = carry_out(graph, way, action, thread, value)
            print(json.dumps(replies), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
