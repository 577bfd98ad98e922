"""The assistant as a graph: decide, ask and act are separate steps, so that asking again never acts again.

::

    START ─► triage ─► draft ─► review ─► execute ─► learn ─► END
                │        ▲                              │
                │        └──────────────────────────────┘   the next step, or words of the human
                ├─► notice ─► draft                         a mail that is only shown; the human may say what to reply
                └─► END                                     ignored

`draft` decides and writes nothing. `review` asks and does nothing else. `execute` acts, each call once, and gives every call of the
model exactly one tool message. `learn` keeps what the human's answers say about their preferences, and ends the thread or goes on.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from examples.email_assistant.mail.automatic import reason_not_to_answer
from examples.email_assistant.memory import Preferences, lessons, lessons_of_notice
from examples.email_assistant.review import NOTIFY, notice, reviews
from examples.email_assistant.state import GUIDANCE, State, with_own_ids
from graphkit import END, START, AIMessage, Command, HumanMessage, RetryPolicy, StateGraph
from graphkit.agents import ReviewNode, SettleNode, is_over, review
from graphkit.messages import ToolCall

if TYPE_CHECKING:
    from examples.email_assistant.memory import Memory
    from examples.email_assistant.memory.preference import Preference
    from examples.email_assistant.model import Model
    from examples.email_assistant.tools import Toolbox

ASK_AGAIN = RetryPolicy(max_attempts=4)
MOST_DRAFTS = 20
MOST_NUDGES = 2
NUDGE = "Call one of the tools; if nothing is left to do, call done. A text without a call reaches nobody."


def build(model: Model, toolbox: Toolbox, memory: Memory | None = None, ask_again: RetryPolicy = ASK_AGAIN) -> StateGraph[State]:
    """Return the graph, ready to be compiled with a checkpointer.

    Args:
        model: Decides what each mail needs.
        toolbox: Acts.
        memory: The owner's preferences; None to know none and learn none.
        ask_again: When a model that could not answer is asked again.
    """
    steps = Steps(model, toolbox, memory)
    tools, asked = toolbox.node(), reviews()
    builder = StateGraph(State)
    builder.add_node("triage", steps.triage, retry_policy=ask_again)
    builder.add_node("notice", steps.notice)
    builder.add_node("draft", steps.draft, retry_policy=ask_again)
    builder.add_node("review", ReviewNode(asked, tools))
    builder.add_node("execute", SettleNode(asked, tools))
    builder.add_node("learn", steps.learn)
    builder.add_edge(START, "triage")
    builder.add_edge("review", "execute")
    builder.add_edge("execute", "learn")
    return builder


@dataclass(frozen=True, slots=True)
class Steps:
    """The nodes that need a model, tools or memory.

    Args:
        model: Decides what each mail needs.
        toolbox: For its clock; the tools run in ``execute``.
        memory: The owner's preferences.
    """

    model: Model
    toolbox: Toolbox
    memory: Memory | None

    def triage(self, state: State) -> Command[Literal["draft", "notice", "__end__"]]:
        """Sort the mail. What a machine sent is never replied to, whatever a model or the mail says."""
        mail = state["mail"]
        decision = self.model.triage(mail, self.toolbox.clock(), self._preferences())
        reason = reason_not_to_answer(mail) if decision.label == "respond" else None
        if reason is not None:
            decision = decision.but("notify", f"no reply may go to this sender: {reason}")
        outcome = {"ignore": "ignored", "notify": "shown", "respond": "open"}[decision.label]
        goto = {"ignore": END, "notify": "notice", "respond": "draft"}[decision.label]
        return Command(update={"model": self.model.name, "triage": decision, "outcome": outcome}, goto=goto)

    def notice(self, state: State) -> Command[Literal["draft", "__end__"]]:
        """Show a mail; the human ignores it, or writes what to reply."""
        call = ToolCall(name=NOTIFY, args={}, id="notice")
        verdict = review([call], notice(), state=state).verdicts["notice"]
        self._keep(lessons_of_notice(state["mail"], verdict, self.toolbox.clock(), state["thread"]))
        if verdict.type == "ignore":
            return Command(update={"outcome": "seen by you"}, goto=END)
        words = HumanMessage(verdict.text, id=GUIDANCE)
        return Command(update={"messages": [words], "outcome": "open"}, goto="draft")

    def draft(self, state: State) -> Command[Literal["draft", "review", "__end__"]]:
        """Let the model propose the next calls. One that only talks is told twice to use the tools, then the mail is the human's."""
        own = [message for message in state.get("messages", []) if isinstance(message, AIMessage)]
        if len(own) >= MOST_DRAFTS:
            return Command(update={"outcome": f"left to you: {MOST_DRAFTS} proposals, and no end"}, goto=END)
        proposal = self.model.propose(state, self.toolbox.clock(), self._preferences())
        message = with_own_ids(replace(proposal, id=proposal.id or f"proposal-{len(own) + 1}"), own)
        if message.tool_calls or message.invalid_tool_calls:
            proposed = {call["id"]: call for call in message.tool_calls}
            return Command(update={"messages": [message], "proposed": proposed, "verdicts": {}}, goto="review")
        if sum(not earlier.tool_calls for earlier in own) < MOST_NUDGES:
            nudge = HumanMessage(NUDGE, id=f"nudge-{len(own) + 1}")
            return Command(update={"messages": [message, nudge]}, goto="draft")
        return Command(update={"messages": [message], "outcome": "left to you: the model wrote text and called no tool"}, goto=END)

    def learn(self, state: State) -> Command[Literal["draft", "__end__"]]:
        """Keep what the answers say about preferences; then end the thread, or let the model take the next step."""
        calls = state["proposed"]
        for identity, verdict in state["verdicts"].items():
            self._keep(lessons(state["mail"], calls[identity], verdict, self.toolbox.clock(), state["thread"]))
        if is_over(state):
            return Command(update={"outcome": "cancelled by you"}, goto=END)
        if calls and all(call["name"] == "done" for call in calls.values()):
            return Command(update={"outcome": "done"}, goto=END)
        return Command(goto="draft")

    def _preferences(self) -> Preferences:
        return self.memory.recall() if self.memory is not None else Preferences(())

    def _keep(self, learned: tuple[Preference, ...]) -> None:
        if self.memory is not None:
            self.memory.learn(learned)
