"""The assistant as a graph: decide, ask and act are separate steps, so that asking again never acts again.

::

    START ─► triage ─► draft ─► review ─► execute ─► END
                │        ▲                   │
                │        └───────────────────┘   the next step, or words of the human
                ├─► notice ─► draft              a mail that is only shown; the human may say what to reply
                └─► END                          ignored

`draft` decides and writes nothing. `review` asks and does nothing else. `execute` acts, each call once, and gives every call of the
model exactly one tool message.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from examples.email_assistant.errors import InvalidReplyError
from examples.email_assistant.review import Request, Reviewed, ask_about_call, ask_about_mail, understand
from examples.email_assistant.state import Message, State, ToolCall, ToolResult, Verdict, last_calls
from examples.email_assistant.tools import TOOLS, Toolbox, problem
from graphkit import END, START, Command, StateGraph, interrupt, once

if TYPE_CHECKING:
    from collections.abc import Callable

    from examples.email_assistant.model import Model

MOST_DRAFTS = 20
UNREVIEWED = Verdict("accept")


def build(model: Model, toolbox: Toolbox) -> StateGraph[State]:
    """Return the graph, ready to be compiled with a checkpointer.

    Args:
        model: Decides what each mail needs.
        toolbox: Acts.
    """
    steps = Steps(model, toolbox)
    builder = StateGraph(State)
    builder.add_node("triage", steps.triage)
    builder.add_node("notice", notice)
    builder.add_node("draft", steps.draft)
    builder.add_node("review", review)
    builder.add_node("execute", steps.execute)
    builder.add_edge(START, "triage")
    builder.add_edge("review", "execute")
    return builder


@dataclass(frozen=True, slots=True)
class Steps:
    """The nodes that need a model or tools.

    Args:
        model: Decides what each mail needs.
        toolbox: Acts.
    """

    model: Model
    toolbox: Toolbox

    def triage(self, state: State) -> Command[Literal["draft", "notice", "__end__"]]:
        """Sort the mail."""
        decision = self.model.triage(state["mail"], self.toolbox.clock())
        outcome = {"ignore": "ignored", "notify": "shown", "respond": "open"}[decision.label]
        goto = {"ignore": END, "notify": "notice", "respond": "draft"}[decision.label]
        return Command(update={"model": self.model.name, "triage": decision, "outcome": outcome}, goto=goto)

    def draft(self, state: State) -> Command[Literal["review", "__end__"]]:
        """Let the model propose the next calls; give each an id that is unique in the thread."""
        drafts = sum(message["role"] == "assistant" for message in state.get("messages", []))
        if drafts >= MOST_DRAFTS:
            return Command(update={"outcome": f"stopped after {MOST_DRAFTS} drafts"}, goto=END)
        proposal = self.model.propose(state, self.toolbox.clock())
        calls = [ToolCall(id=f"call-{drafts + 1}-{place + 1}", name=name, args=args) for place, (name, args) in enumerate(proposal.calls)]
        message = Message(id=f"draft-{drafts + 1}", role="assistant", content=proposal.text, tool_calls=calls)
        if not calls:
            return Command(update={"messages": [message], "outcome": "done"}, goto=END)
        return Command(update={"messages": [message]}, goto="review")

    def execute(self, state: State) -> Command[Literal["draft", "__end__"]]:
        """Settle every call of the last message, then go on or end."""
        calls, verdicts = last_calls(state), state.get("verdicts", {})
        results = {call["id"]: _settle(call, verdicts, calls, state, self.toolbox) for call in calls}
        messages = [
            Message(id=f"result-{call}", role="tool", tool_call_id=call, content=result.content, status=result.status)
            for call, result in results.items()
        ]
        is_cancelled = any(verdict.type == "ignore" for verdict in verdicts.values())
        is_done = all(call["name"] == "done" for call in calls)
        outcome = "cancelled by you" if is_cancelled else "done" if is_done else state["outcome"]
        update = {"messages": messages, "results": {**state.get("results", {}), **results}, "verdicts": {}, "outcome": outcome}
        return Command(update=update, goto=END if is_cancelled or is_done else "draft")


def notice(state: State) -> Command[Literal["draft", "__end__"]]:
    """Show a mail; the human ignores it, or writes what to reply."""
    reviewed = _ask("notice", lambda refused: ask_about_mail(state, refused))
    if reviewed.verdict.type == "ignore":
        return Command(update={"outcome": "seen by you"}, goto=END)
    words = Message(id="guidance", role="user", content=reviewed.verdict.text)
    return Command(update={"messages": [words], "outcome": "open"}, goto="draft")


def review(state: State) -> State:
    """Ask about each call that needs a human, in order; after an ignored one nothing more is asked."""
    verdicts: dict[str, Verdict] = {}
    calls = last_calls(state)
    for place, call in enumerate(calls):
        # A call that cannot run is the model's mistake, not a question for the human.
        if problem(call["name"], call["args"]) or not TOOLS[call["name"]].answers:
            continue
        reviewed = _ask(call["id"], lambda refused, call=call: ask_about_call(state, call, refused))  # type: ignore[misc]
        verdicts[call["id"]] = reviewed.verdict
        calls = [*calls[:place], ToolCall(id=call["id"], name=call["name"], args=reviewed.args), *calls[place + 1 :]]
        if reviewed.verdict.type == "ignore":
            break
    # The message keeps its id and place: what the conversation records is what was approved.
    proposal = next(message for message in reversed(state["messages"]) if message["role"] == "assistant")
    return {"verdicts": verdicts, "messages": [{**proposal, "tool_calls": calls}]}


def _ask(key: str, question: Callable[[str], list[Request]]) -> Reviewed:
    """Ask until the answer fits: a wrong answer is told to the human and leaves the question open."""
    refused, attempt = "", 1
    while True:
        asked = question(refused)
        answer = interrupt(asked, key=f"{key}/{attempt}")
        try:
            return understand(answer, asked[0])
        except InvalidReplyError as error:
            refused, attempt = str(error), attempt + 1


def _settle(call: ToolCall, verdicts: dict[str, Verdict], calls: list[ToolCall], state: State, toolbox: Toolbox) -> ToolResult:
    """Return the one result of a call; only this function acts, and only on an approval or a tool that needs none."""
    if reason := problem(call["name"], call["args"]):
        return ToolResult(reason, status="error")
    verdict = verdicts.get(call["id"]) if TOOLS[call["name"]].answers else UNREVIEWED
    if verdict is None:
        return ToolResult("not asked and not run: the human stopped before this call", status="skipped")
    match verdict.type:
        case "ignore":
            return ToolResult("The human ignored this call. Stop here.", status="ignored")
        case "response":
            return ToolResult(verdict.text, status="answered" if call["name"] == "question" else "feedback")
        case "accept" | "edit":
            return _run(call, verdict, calls, state, toolbox)


def _run(call: ToolCall, verdict: Verdict, calls: list[ToolCall], state: State, toolbox: Toolbox) -> ToolResult:
    if call["name"] == "done" and any(other["name"] != "done" for other in calls):
        return ToolResult("not yet: there were other calls in the same message", status="skipped")
    key = f"{state['thread']}/{call['id']}"
    result = once(f"run {call['id']}", toolbox.run, call["name"], call["args"], key, state["mail"])
    if verdict.type == "edit" and result.status == "ran":
        return ToolResult(f"{result.content} (edited by the human; do not repeat it)", result.status, result.file)
    return result
