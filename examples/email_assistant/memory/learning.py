"""What an answer of the human says about what they want in general. Pure: the same answer always gives the same lessons.

Accepting says nothing, nor does an edit that changes nothing. What belongs to this mail only never becomes a rule, and nothing that a
sender wrote is quoted in one: a rule has the owner's words or ours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from examples.email_assistant.mail.automatic import reason_not_to_answer
from examples.email_assistant.memory.drafts import edited_draft, feedback
from examples.email_assistant.memory.effects import is_plain, worded
from examples.email_assistant.memory.lesson import Case, Lesson
from examples.email_assistant.memory.planning import edited_meeting, wishes

if TYPE_CHECKING:
    from datetime import datetime

    from examples.email_assistant.mail.message import Mail
    from examples.email_assistant.memory.preference import Preference
    from graphkit.agents import Verdict
    from graphkit.messages import ToolCall


def lessons(mail: Mail, call: ToolCall, verdict: Verdict, now: datetime, thread: str) -> tuple[Preference, ...]:
    """Return what is learned from the answer to a reviewed call.

    Args:
        mail: The mail the thread works on.
        call: The call as the model proposed it.
        verdict: The answer.
        now: The present moment, aware.
        thread: The thread.
    """
    case = Case(mail, thread, call["id"], verdict.type, now)
    match verdict.type, call["name"]:
        case "edit", "write_email":
            return case.preferences(edited_draft(mail, call["args"], verdict.args))
        case "edit", "schedule_meeting":
            return case.preferences(edited_meeting(mail, call["args"], verdict.args))
        case "response", "write_email":
            return case.preferences(feedback(mail, verdict.text, "response"))
        case "response", "schedule_meeting":
            return case.preferences(wishes(mail, call["args"], verdict.text))
        case "ignore", name:
            return case.preferences(_dismissed(mail, {"label": "notify", "again": "ignore"}, f"a proposed {name} was not wanted"))
        case _:
            return ()


def lessons_of_notice(mail: Mail, verdict: Verdict, now: datetime, thread: str) -> tuple[Preference, ...]:
    """Return what is learned from the answer to a mail that was only shown.

    Args:
        mail: The mail.
        verdict: The answer: ignored, or words for a reply.
        now: The present moment, aware.
        thread: The thread.
    """
    case = Case(mail, thread, verdict.call_id, verdict.type, now)
    match verdict.type:
        case "ignore":
            return case.preferences(_dismissed(mail, {"again": "ignore"}, "a mail that was shown was dismissed"))
        case "response" if is_plain(mail.sender.address) and reason_not_to_answer(mail) is None:
            effect = {"label": "respond"}
            change = "a mail that was only shown was to be answered"
            return case.preferences([Lesson("triage", "respond", worded(effect), effect, change, applies_to=mail.sender.address)])
        case _:
            return ()


def _dismissed(mail: Mail, effect: dict[str, str], change: str) -> list[Lesson]:
    if not is_plain(mail.sender.address):
        return []
    # A mail is dismissed once, however many calls about it were ignored together.
    lesson = Lesson("triage", "dismissed", worded(effect), effect, change, applies_to=mail.sender.address, is_of_thread=True)
    return [lesson]
