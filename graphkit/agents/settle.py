"""Settling a message: every call gets exactly one tool message, and what may run, runs.

1. Every approval is compared with what would run, before anything runs; one that does not fit stops all of them.
2. A call that was not approved gets its tool message and does not run.
3. What is left goes to the ToolNode, which remembers each result, so that no call runs twice whatever is killed when.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Literal

from graphkit.agents.guard import changed, guarded
from graphkit.agents.policy import RUNS, Reviews
from graphkit.agents.state import value_of, with_messages
from graphkit.agents.toolbox import node_of, problem
from graphkit.agents.transcript import DECIDED, WORDS, is_readable, messages_of, open_calls, require_distinct
from graphkit.agents.verdict import digest_of
from graphkit.core.command import Command
from graphkit.errors import InvalidStateError
from graphkit.messages import AIMessage, ToolMessage, last_ai_message

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from graphkit.agents.policy import ReviewLike
    from graphkit.agents.toolbox import Tools
    from graphkit.agents.verdict import Verdict
    from graphkit.messages import ToolCall

EDITED: Final = "A person edited this call before it ran. It is done with the arguments that the call has now; do not repeat it."


class SettleNode:
    """A node that settles the calls of the last AI message, after a ReviewNode.

    Args:
        reviews: The same as the ReviewNode has.
        tools: The same as the ReviewNode has. A ToolNode keeps its own way to handle errors.
        messages_key: Where the state has the messages.
        verdicts_key: Where it has the verdicts.

    Raises:
        UnknownToolError: ``reviews`` names a tool that ``tools`` does not have.
    """

    def __init__(
        self,
        reviews: Mapping[str, ReviewLike] | Reviews,
        tools: Tools,
        *,
        messages_key: str = "messages",
        verdicts_key: str = "verdicts",
    ) -> None:
        self.reviews = Reviews.of(reviews)
        node = node_of(tools, messages_key)
        self.reviews.require_known(node.tools_by_name.keys())
        self.node = guarded(node, self.reviews.tools.keys(), verdicts_key)
        self.tools = self.node.tools_by_name
        self.messages_key = messages_key
        self.verdicts_key = verdicts_key

    def invoke(self, state: Any, config: Mapping[str, Any] | None = None) -> object:  # noqa: ANN401 - any state that has messages
        """Return the tool messages, and what else the tools update.

        Raises:
            ActionChangedError: A call is not the one that was approved, or nobody approved it. Nothing has run.
        """
        plan = self._plan(state)
        return self._update(plan, self.node.invoke(plan.state, config) if plan.runs else None)

    async def ainvoke(self, state: Any, config: Mapping[str, Any] | None = None) -> object:  # noqa: ANN401 - as invoke
        """As ``invoke``."""
        plan = self._plan(state)
        return self._update(plan, await self.node.ainvoke(plan.state, config) if plan.runs else None)

    def _plan(self, state: object) -> Plan:
        messages = messages_of(state, self.messages_key)
        message = last_ai_message(messages)
        if message is None:
            raise InvalidStateError("There is no AI message whose calls could be settled.", hint="This node comes after a model.")
        require_distinct(message)
        verdicts: Mapping[str, Verdict] = value_of(state, self.verdicts_key) or {}
        left = open_calls(messages, message)
        calls = [call for call in left if is_readable(call)]
        for call in calls:
            self._require_approved(call, verdicts.get(call["id"]), state)
        settled = {call["id"]: answer for call in calls if (answer := self._unrun(call, verdicts.get(call["id"]), state)) is not None}
        rest = with_messages(state, self.messages_key, [*messages, *settled.values()])
        return Plan(message, verdicts, settled, rest, runs=len(settled) < len(left))

    def _require_approved(self, call: ToolCall, verdict: Verdict | None, state: object) -> None:
        """Compare what would run with what was approved."""
        how = self.reviews.tools.get(call["name"])
        if verdict is None and (how is None or problem(call, self.tools) is not None):
            return  # it needs no approval, or it cannot run
        if verdict is None:
            raise changed(call["id"], call["name"], "nobody approved it")
        if (verdict.call_id, verdict.tool, verdict.digest) != (call["id"], call["name"], digest_of(call)):
            raise changed(call["id"], call["name"], f"it is not the call that was answered with {verdict.type!r}")
        if verdict.type in RUNS and (how is None or how.allowed(call, state).isdisjoint(RUNS)):
            raise changed(call["id"], call["name"], "calls of this tool are answered and never run")

    def _unrun(self, call: ToolCall, verdict: Verdict | None, state: object) -> ToolMessage | None:
        """Return the tool message of a call that does not run, None for one that does."""
        how = self.reviews.tools.get(call["name"])
        if verdict is None:
            wrong = problem(call, self.tools) if how is not None else None
            return None if wrong is None else _message(call, f"The call was not run. {wrong}", "error")
        if verdict.type in RUNS:
            return None
        if verdict.type == "ignore":
            reason = f" ({verdict.text})" if verdict.text else ""
            return _message(call, f"The person who was asked ignored this call{reason}. It was not run; stop here.", "error", verdict)
        if how is not None and how.allowed(call, state).isdisjoint(RUNS):
            return _message(call, verdict.text, "success", verdict)
        return _message(call, f"The call was not run. The person who reviewed it says: {verdict.text}", "error", verdict)

    def _update(self, plan: Plan, ran: object) -> object:
        """Put the messages of all calls into the order of the calls."""
        parts = ran if isinstance(ran, list) else [] if ran is None else [ran]
        commands = [plan.noted(part, self.messages_key) for part in parts if isinstance(part, Command)]
        plain = [message for part in parts if not isinstance(part, Command) for message in _tool_messages(part, self.messages_key)]
        places = {call["id"]: place for place, call in enumerate((*plan.message.tool_calls, *plan.message.invalid_tool_calls))}
        answers = [*plan.settled.values(), *map(plan.note, plain)]
        if commands and not answers:
            return commands
        update = {self.messages_key: sorted(answers, key=lambda answer: places.get(answer.tool_call_id, len(places)))}
        return [update, *commands] if commands else update


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done about a message.

    Args:
        message: The AI message.
        verdicts: By call id.
        settled: The tool messages of calls that do not run, by call id.
        state: The state in which those have their messages; what is left open in it runs.
        runs: Whether anything is left.
    """

    message: AIMessage
    verdicts: Mapping[str, Verdict]
    settled: Mapping[str, ToolMessage]
    state: Any
    runs: bool

    def note(self, message: ToolMessage) -> ToolMessage:
        """Return the message of a call that ran, with a word about the approval."""
        verdict = self.verdicts.get(message.tool_call_id)
        if verdict is None:
            return message
        marked = replace(message, additional_kwargs={**message.additional_kwargs, DECIDED: verdict.type})
        if verdict.type != "edit" or message.status != "success":
            return marked
        content = message.content
        said: Any = f"{content}\n\n({EDITED})" if isinstance(content, str) else [*content, {"type": "text", "text": EDITED}]
        return replace(marked, content=said)

    def noted(self, command: Command[str], key: str) -> Command[str]:
        """Return a tool's command with the same word in its messages."""
        update = command.update
        if not isinstance(update, dict) or not isinstance(update.get(key), list):
            return command
        return replace(command, update={**update, key: [self.note(m) if isinstance(m, ToolMessage) else m for m in update[key]]})


def is_over(state: Any, *, messages_key: str = "messages", verdicts_key: str = "verdicts") -> bool:  # noqa: ANN401 - any state
    """Tell whether a person ignored a call of the last AI message, so that the run ends when it is settled."""
    message = last_ai_message(messages_of(state, messages_key))
    verdicts: Mapping[str, Verdict] = value_of(state, verdicts_key) or {}
    calls = message.tool_calls if message is not None else []
    return any([verdicts[call["id"]].type == "ignore" for call in calls if call["id"] in verdicts])


def _tool_messages(part: object, key: str) -> Sequence[ToolMessage]:
    found: Any = part[key] if isinstance(part, dict) else [part]
    return list(found)


def _message(call: ToolCall, content: str, status: Literal["success", "error"], verdict: Verdict | None = None) -> ToolMessage:
    marks = {DECIDED: verdict.type, **({WORDS: verdict.text} if verdict.text else {})} if verdict is not None else {}
    return ToolMessage(content, call["id"], name=call["name"], status=status, additional_kwargs=marks)
