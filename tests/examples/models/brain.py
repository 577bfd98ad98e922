"""What a provider's model knows, it knows from the request. A brain decides behind the wire as a model of ours does in front of it.

It finds the mail by the mark of its quotation, reads the owner's preferences from the prompt, and what happened so far from the turns.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from examples.email_assistant.memory import Preference, Preferences, Source
from examples.email_assistant.memory.effects import LABEL_WORDS, LANGUAGES
from examples.email_assistant.state import GUIDANCE
from graphkit import AIMessage, HumanMessage, ToolMessage
from graphkit.messages import ToolCall
from graphkit.testing.model_server import Received, Reply, Step
from tests.examples.conftest import NOW

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from examples.email_assistant.mail.message import Mail
    from examples.email_assistant.memory import Kind
    from examples.email_assistant.model import Model
    from graphkit.messages import AnyMessage
    from graphkit.testing.model_server import Turn

FENCE = re.compile(r"^===== mail ([0-9a-f]{16}) =====$", re.MULTILINE)
SENT_BACK = "The call was not run. The person who reviewed it says: "
ERRORS = ("Error: ", "The call was not run. ")
BULLET = re.compile(r"^- (?:For mail from (?P<scope>\S+): )?(?P<rule>.+)$", re.MULTILINE)
LABELS = {words: label for label, words in LABEL_WORDS.items()}
PHRASES = {"Greet": "greeting", "Close": "sign_off"}
TONGUES = {name: code for code, name in LANGUAGES.items()}


@dataclass
class Brain:
    """A script for a ModelServer.

    Args:
        model: Decides.
        mails: Every mail it may be asked about.
        prompts: All that it was asked, as text, in order.
    """

    model: Model
    mails: Iterable[Mail]
    prompts: list[str] = field(default_factory=list)

    def __call__(self, received: Received) -> Step:
        """Answer a request."""
        self.prompts.append("\n".join([turn.text for turn in received.turns]))
        system, given = received.turns[0].text, received.turns[1].text
        (mail,) = {mail.digest: mail for mail in self.mails if mail.digest.startswith(FENCE.findall(given)[-1])}.values()
        preferences = preferences_in(system)
        if received.tools in {(), ("Sorted",)}:
            found = self.model.triage(mail, NOW, preferences)
            sorted_ = {"reason": "; ".join(found.reasons), "label": found.label}
            return Reply(tool_calls=[{"name": "Sorted", "args": sorted_}]) if received.tools else json.dumps(sorted_)
        messages = messages_of(received.turns)
        proposal = self.model.propose({"mail": mail, "messages": messages}, NOW, preferences)
        return Reply(proposal.text, tool_calls=proposal.tool_calls)


def messages_of(turns: Sequence[Turn]) -> list[AnyMessage]:
    """Return what happened after the mail was shown."""
    # Some formats put what the owner said into the turn that shows the mail.
    said = FENCE.split(turns[1].text)[-1].strip()
    messages: list[AnyMessage] = [HumanMessage(said, id=GUIDANCE)] if said else []
    names: dict[str, str] = {}
    for turn in turns[2:]:
        match turn.role:
            case "assistant":
                calls = [ToolCall(name=call["name"], args=call["args"], id=call["id"]) for call in turn.tool_calls]
                names |= {call["id"]: call["name"] for call in calls}
                messages.append(AIMessage(turn.text, tool_calls=calls))
            case "tool":
                identity = turn.tool_call_id or ""
                messages.append(_result(turn.text, identity, names[identity]))
            case _:
                messages.append(HumanMessage(turn.text, id=GUIDANCE if not messages else "nudge"))
    return messages


def preferences_in(prompt: str) -> Preferences:
    """Return the preferences that a prompt tells of, as far as rules can follow them."""
    told = prompt.partition("What the owner prefers")[2].partition("The mail follows")[0]
    entries = []
    for place, bullet in enumerate(BULLET.finditer(told)):
        kind, effect = _effect(bullet["rule"])
        source = Source("", "", "by hand", "", "told by the prompt")
        # What counts most comes first.
        at = datetime(2026, 1, 1, tzinfo=UTC) - timedelta(days=place)
        entries.append(Preference(str(place), kind, bullet["rule"], bullet["scope"] or "*", effect, source, at))
    return Preferences(tuple(entries))


def _effect(rule: str) -> tuple[Kind, dict[str, Any]]:
    if rule in LABELS:
        return "triage", {"label": LABELS[rule]}
    if found := re.match(r"Meetings take (\d+) minutes", rule):
        return "calendar", {"duration_minutes": int(found[1])}
    if found := re.match(r'(Greet|Close) with "(.*)"(?: in mail in (\w+))?\.$', rule):
        effect = {PHRASES[found[1]]: found[2]} | ({"language": TONGUES[found[3]]} if found[3] else {})
        return "response", effect
    return "response", {}


def _result(text: str, identity: str, name: str) -> ToolMessage:
    if text.startswith(SENT_BACK):
        marks = {"review": "response", "words": text.removeprefix(SENT_BACK)}
        return ToolMessage(text, identity, name=name, status="error", additional_kwargs=marks)
    if text.startswith(ERRORS):
        return ToolMessage(text, identity, name=name, status="error")
    marks = {"review": "response", "words": text} if name == "question" else {}
    return ToolMessage(text, identity, name=name, additional_kwargs=marks)
