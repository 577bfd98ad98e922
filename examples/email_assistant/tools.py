"""The five tools of the assistant. Only what `Toolbox.tools` returns acts on the world, and it acts once for each call.

Arguments are checked by their types, wherever they come from: a model, or a human who edits.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from examples.email_assistant.errors import ToolError
from examples.email_assistant.mail.automatic import reason_not_to_answer
from examples.email_assistant.mail.letter import Letter, recipients
from examples.email_assistant.meetings.invitation import Invitations, Meeting
from examples.email_assistant.state import State
from graphkit import AIMessage
from graphkit.tools import InjectedState, InjectedToolCallId, Tool, ToolNode, tool

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from zoneinfo import ZoneInfo

    from examples.email_assistant.mail.port import Postbox
    from examples.email_assistant.meetings.agenda import Agenda

LONGEST_MEETING = 24 * 60

Injected = Annotated[State, InjectedState]
CallId = Annotated[str, InjectedToolCallId]
Result = tuple[str, dict[str, str]]
"""Words for the model, and for the program the file that was written."""


def _line(value: str) -> str:
    line = value.strip()
    if "\n" in line or "\r" in line:
        raise ValueError("it has a line break")
    return line


def _recipients(value: str) -> str:
    line = _line(value)
    _parsed(line)
    return line


def _copies(value: str) -> str:
    return _recipients(value) if value.strip() else ""


def _addresses(value: list[str]) -> list[str]:
    return [one for entry in value for one in _parsed(entry)]


def _parsed(line: str) -> list[str]:
    try:
        return [one.addr_spec for one in recipients(line)]
    except ToolError as error:
        raise ValueError(error.message) from error


def _entries(value: object) -> object:
    """Read a list that came as text: JSON, or with commas between the entries."""
    if not isinstance(value, str):
        return value
    return json.loads(value) if value.lstrip().startswith("[") else [part.strip() for part in value.split(",")]


def _day(value: str) -> str:
    return date.fromisoformat(value.strip()[:10]).isoformat()


def _clock(value: str) -> str:
    return f"{time.fromisoformat(value.strip().zfill(5)):%H:%M}"


Line = Annotated[str, AfterValidator(_line)]
Recipients = Annotated[str, AfterValidator(_recipients), Field(description="Mail addresses with commas between them.")]
Copies = Annotated[str, AfterValidator(_copies), Field(description="Mail addresses with commas between them, or nothing.")]
Guests = Annotated[list[str], BeforeValidator(_entries), AfterValidator(_addresses), Field(min_length=1, description="Mail addresses.")]
Minutes = Annotated[int, Field(ge=1, le=LONGEST_MEETING, description="Length in minutes.")]
Day = Annotated[str, AfterValidator(_day), Field(description="A day such as 2026-03-17.")]
Clock = Annotated[str, AfterValidator(_clock), Field(description="A time of day such as 14:30, in the owner's time zone.")]


@dataclass(frozen=True, slots=True)
class Toolbox:
    """The tools over their places in the world.

    Args:
        postbox: Where mail goes.
        invitations: Where meetings are written.
        agenda: When the owner has time.
        zone: The owner's time zone.
        clock: Returns the present moment, with a zone.
    """

    postbox: Postbox
    invitations: Invitations
    agenda: Agenda
    zone: ZoneInfo
    clock: Callable[[], datetime]

    def node(self) -> ToolNode:
        """Return the tools as a node. A call that cannot run becomes an error for the model; a full disk or a lost connection does not."""
        return ToolNode(self.tools(), name="execute", handle_tool_errors=(ToolError,))

    def tools(self) -> list[Tool]:
        """Return the tools; a human has to approve the first two before they run."""

        @tool(response_format="content_and_artifact")
        def write_email(*, to: Recipients, cc: Copies = "", subject: Line, content: str, state: Injected, call: CallId) -> Result:
            """Write a mail in the owner's name: the whole body, with greeting and name.

            Args:
                subject: One line.
                content: Plain text.
            """
            return self._write_email(Letter(to, cc, subject, content), state, call)

        @tool(response_format="content_and_artifact")
        def schedule_meeting(
            *,
            attendees: Guests,
            subject: Line,
            duration_minutes: Minutes,
            preferred_day: Day,
            start_time: Clock,
            state: Injected,
            call: CallId,
        ) -> Result:
            """Put a meeting into the calendar and invite people. Look at the calendar first."""
            start = datetime.fromisoformat(f"{preferred_day}T{start_time}").replace(tzinfo=self.zone)
            return self._schedule_meeting(Meeting(subject, start, duration_minutes, tuple(attendees)), state, call)

        @tool
        def check_calendar_availability(day: Day, duration_minutes: Minutes = 30) -> str:
            """Say when the owner is free and what is taken on a day."""
            return self._check_calendar(date.fromisoformat(day), duration_minutes)

        @tool
        def question(content: str) -> str:
            """Ask the owner what only they can know; the answer comes back as the result."""
            raise ToolError(f"Nobody answered: {content}", hint="A question is answered, not run.")

        @tool
        def done(state: Injected) -> str:
            """Say that nothing is left to do."""
            last = next(message for message in reversed(state["messages"]) if isinstance(message, AIMessage))
            if any(call["name"] != "done" for call in last.tool_calls):
                return "Not yet: there were other calls in the same message. Look at their results first."
            return "done"

        return [write_email, schedule_meeting, check_calendar_availability, question, done]

    def _write_email(self, letter: Letter, state: State, call: str) -> Result:
        """Hand a letter over; it always answers the mail of its thread."""
        if reason := reason_not_to_answer(state["mail"]):
            raise ToolError(f"No reply may go to this sender: {reason}.", hint="Tell the owner, or say done.")
        receipt = self.postbox.send(letter, key=_key(state, call), answers=state["mail"], now=self.clock())
        warning = f" ({receipt.warning})" if receipt.warning else ""
        return f"written to the outbox: mail to {letter.to}{warning}", {"file": str(receipt.file)}

    def _schedule_meeting(self, meeting: Meeting, state: State, call: str) -> Result:
        path = self.invitations.write(meeting, key=_key(state, call), now=self.clock())
        told = f"written to the calendar: {meeting.subject}, {meeting.start:%Y-%m-%d %H:%M}, {meeting.minutes} minutes"
        return told, {"file": str(path)}

    def _check_calendar(self, day: date, minutes: int) -> str:
        free = ", ".join(f"{start:%H:%M}" for start in self.agenda.free(day, minutes, after=self.clock()))
        taken = ", ".join(
            f"{one.start.astimezone(self.zone):%H:%M}-{one.end.astimezone(self.zone):%H:%M} {' '.join(one.summary.split())}"
            for one in self.agenda.busy(day)
        )
        return f"{day:%A} {day}, {minutes} minutes\nfree: {free or 'nothing'}\ntaken: {taken or 'nothing'}"


def _key(state: Mapping[str, object], call: str) -> str:
    """Return what makes an effect this effect, in every process: the thread and the call."""
    return f"{state['thread']}/{call}"
