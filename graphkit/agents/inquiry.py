"""review(): turn tool calls into questions, one each, all pending at the same time, and their answers into verdicts.

Each question lives in a branch of the node named by its call id, so it does not matter which is answered first. The
node that calls this does nothing else: it runs again with each answer.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from graphkit.agents.answer import read_answer
from graphkit.agents.form import ANY_ARGUMENTS, answer_schema
from graphkit.agents.policy import RUNS, Reviews, allowed_from
from graphkit.agents.question import description, question
from graphkit.agents.toolbox import problem, tools_of
from graphkit.agents.transcript import messages_of, messages_so_far, redrafts, require_distinct
from graphkit.agents.verdict import Reviewed, Verdict, digest_of
from graphkit.errors import GraphInterrupt, InvalidAnswerError, InvalidStateError, OutsideRunError
from graphkit.messages import AIMessage, ToolCall, last_ai_message
from graphkit.scope import branch, current, enter, interrupt, leave, once, raise_all

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from graphkit.agents.policy import Allowed, Describe, OnIgnore, ReviewLike
    from graphkit.agents.toolbox import Tools
    from graphkit.scope import Scope
    from graphkit.tools import Tool


def review(
    message: AIMessage | Sequence[ToolCall],
    reviews: Mapping[str, ReviewLike] | Reviews,
    *,
    tools: Tools = (),
    state: object = None,
    describe: Describe | None = None,
    on_ignore: OnIgnore = "call",
    max_redrafts: int = 3,
) -> Reviewed:
    """Ask about each call that is to be reviewed; return when every question has its answer.

    A call that cannot run (its arguments do not fit) is not asked about. An answer of the wrong form is refused before
    it is taken, and its question stays pending; one that has the right form and still does not do, such as an edit that
    a validator of the tool does not accept, is followed by the same question with the complaint in its description.

    Args:
        message: The AI message, or its calls.
        reviews: Tool name -> answers that are taken, True for all four, or a Review. Or Reviews; then the last three
            arguments come from there.
        tools: The tools, for their schemas. Without them an edit may have any arguments.
        state: Handed to the functions of each Review. Re-drafts are counted in its messages.
        describe: As in Reviews.
        on_ignore: As in Reviews.
        max_redrafts: As in Reviews.

    Raises:
        GraphInterrupt: A question has no answer yet; it must not be caught.
        UnknownToolError: ``reviews`` names a tool that ``tools`` does not have.
        InvalidChatHistoryError: Two calls have the same id.
        OutsideRunError: No node is running.
    """
    policy = reviews if isinstance(reviews, Reviews) else Reviews(reviews, describe, on_ignore=on_ignore, max_redrafts=max_redrafts)
    known = tools_of(tools)
    if known:
        policy.require_known(known.keys())
    asked = message if isinstance(message, AIMessage) else AIMessage(tool_calls=list(message))
    return Inquiry(policy, known, state, messages_so_far(state)).review(asked)


class ReviewNode:
    """A node that reviews the calls of the last AI message.

    It writes ``verdicts`` and, if a call was edited, the AI message under its id.

    Args:
        reviews: As in ``review``.
        tools: As in ``review``.
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
        self.tools = tools_of(tools)
        self.reviews.require_known(self.tools.keys())
        self.messages_key = messages_key
        self.verdicts_key = verdicts_key

    def invoke(self, state: Any) -> dict[str, object]:  # noqa: ANN401 - any state that has messages
        """Ask, or return the verdicts."""
        messages = messages_of(state, self.messages_key)
        message = last_ai_message(messages)
        if message is None:
            raise InvalidStateError("There is no AI message to review.", hint="Review comes after the node that calls the model.")
        reviewed = Inquiry(self.reviews, self.tools, state, messages).review(message)
        edited: dict[str, object] = {} if reviewed.message is message else {self.messages_key: [reviewed.message]}
        return {self.verdicts_key: reviewed.verdicts, **edited}

    async def ainvoke(self, state: Any) -> dict[str, object]:  # noqa: ANN401 - as invoke
        """As ``invoke``; asking waits for nobody."""
        return self.invoke(state)


class Inquiry:
    """One run of a review.

    Args:
        policy: Which calls are reviewed and how.
        tools: By name.
        state: For the functions of the policy.
        messages: The conversation, for counting re-drafts.
    """

    def __init__(self, policy: Reviews, tools: Mapping[str, Tool], state: object, messages: Sequence[Any]) -> None:
        self.policy = policy
        self.tools = tools
        self.state = state
        self.messages = messages

    def review(self, message: AIMessage) -> Reviewed:
        """Ask about every reviewed call of a message, side by side."""
        scope = current()
        if scope is None:
            raise OutsideRunError("review() was called outside of a running node.", hint="Call it in a node of a running graph.")
        require_distinct(message)
        calls = [call for call in message.tool_calls if call["name"] in self.policy.tools and problem(call, self.tools) is None]
        verdicts: dict[str, Verdict] = {}
        pauses: dict[str, GraphInterrupt] = {}
        for call in calls:
            try:
                verdicts[call["id"]] = self._in_branch(branch(scope, call["id"]), call)
            except GraphInterrupt as pause:
                pauses[call["id"]] = pause
        is_over = self.policy.on_ignore == "all" and any([verdict.type == "ignore" for verdict in verdicts.values()])
        if pauses and not is_over:
            raise_all(list(pauses.values()))
        return Reviewed(_edited(message, verdicts), {call["id"]: verdicts.get(call["id"]) or _cancelled(call) for call in calls})

    def _in_branch(self, scope: Scope, call: ToolCall) -> Verdict:
        token = enter(scope)
        try:
            return self._ask(call)
        finally:
            leave(token)

    def _ask(self, call: ToolCall) -> Verdict:
        """Ask until the answer does; what was wrong with the last one is part of the next question."""
        how, tool = self.policy.tools[call["name"]], self.tools.get(call["name"])
        allowed, notes = self._allowed(call)
        schema = answer_schema(call, allowed, tool.parameters if tool is not None else ANY_ARGUMENTS)
        deadline = once("deadline", lambda: datetime.now(UTC) + how.deadline) if how.deadline is not None else None  # type: ignore[operator]
        complaint: list[str] = []
        while True:
            shown = description(call, self.state, how, self.policy.describe, [*complaint, *notes])
            answer = interrupt(question(call, allowed, shown), response_schema=schema, deadline=deadline)
            try:
                return read_answer(answer, call, allowed, review=how, tool=tool, state=self.state)
            except InvalidAnswerError as error:
                hint = f" {error.hint}" if error.hint else ""
                complaint = [f"**Your last answer could not be used:** {error.message}{hint}"]

    def _allowed(self, call: ToolCall) -> tuple[Allowed, list[str]]:
        """Return the answers that are taken, and what to say about those that no longer are."""
        allowed = self.policy.tools[call["name"]].allowed(call, self.state)
        most = self.policy.max_redrafts
        if "response" not in allowed or allowed.isdisjoint(RUNS) or redrafts(self.messages, call["name"]) < most:
            return allowed, []
        left = allowed_from(allowed - {"response"}, call["name"])
        return left, [f"**{most} of {most} re-drafts are used:** {', '.join(sorted(left))} are left."]


def _edited(message: AIMessage, verdicts: Mapping[str, Verdict]) -> AIMessage:
    edits = {verdict.call_id: verdict.args for verdict in verdicts.values() if verdict.type == "edit"}
    if not edits:
        return message
    calls = [ToolCall({**call, "args": edits.get(call["id"], call["args"])}) for call in message.tool_calls]
    return replace(message, tool_calls=calls)


def _cancelled(call: ToolCall) -> Verdict:
    return Verdict(call["id"], call["name"], "ignore", digest_of(call), call["args"], "cancelled together with another call")
