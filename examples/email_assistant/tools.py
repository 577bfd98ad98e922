"""The five tools: what each takes, whether a human has to approve it, and what it does. Only `Toolbox.run` acts on the world."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import TYPE_CHECKING, Literal, assert_never

from examples.email_assistant.errors import ToolError
from examples.email_assistant.mail.outbox import Letter, Outbox, recipients
from examples.email_assistant.meetings.invitation import Invitations, Meeting
from examples.email_assistant.state import AnswerType, Arguments, ToolResult

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from zoneinfo import ZoneInfo

    from examples.email_assistant.mail.message import Mail
    from examples.email_assistant.meetings.agenda import Agenda

Kind = Literal["text", "line", "recipients", "addresses", "minutes", "day", "clock"]
LONGEST_MEETING = 24 * 60


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool: its arguments by name, and the answers a human may give to a call of it; none means it runs unasked."""

    arguments: Mapping[str, Kind]
    answers: frozenset[AnswerType]
    optional: frozenset[str] = frozenset()


EVERY_ANSWER: frozenset[AnswerType] = frozenset({"accept", "edit", "ignore", "response"})
TOOLS: Mapping[str, Tool] = {
    "write_email": Tool({"to": "recipients", "cc": "recipients", "subject": "line", "content": "text"}, EVERY_ANSWER, frozenset({"cc"})),
    "schedule_meeting": Tool(
        {"attendees": "addresses", "subject": "line", "duration_minutes": "minutes", "preferred_day": "day", "start_time": "clock"},
        EVERY_ANSWER,
    ),
    "check_calendar_availability": Tool({"day": "day", "duration_minutes": "minutes"}, frozenset()),
    "question": Tool({"content": "text"}, frozenset({"ignore", "response"})),
    "done": Tool({}, frozenset()),
}


@dataclass(frozen=True, slots=True)
class Toolbox:
    """The tools over their places in the world.

    Args:
        outbox: Where mail is written.
        invitations: Where meetings are written.
        agenda: When the owner has time.
        zone: The owner's time zone.
        clock: Returns the present moment, with a zone.
    """

    outbox: Outbox
    invitations: Invitations
    agenda: Agenda
    zone: ZoneInfo
    clock: Callable[[], datetime]

    def run(self, name: str, args: Arguments, key: str, mail: Mail) -> ToolResult:
        """Run one call. The same key again changes nothing and gives the same result.

        Args:
            name: The tool.
            args: Its arguments; they are checked here again.
            key: The thread and the id of the call.
            mail: The mail the thread works on.

        Returns:
            The result; a call that cannot run has the status ``error`` and left nothing.

        Raises:
            OutboxError: The disk refused. Running again later is safe.
            CalendarError: The calendar cannot be read.
        """
        try:
            args = checked(name, args)
            match name:
                case "write_email":
                    return self._write_email(args, key, mail)
                case "schedule_meeting":
                    return self._schedule_meeting(args, key)
                case "check_calendar_availability":
                    return self._check_calendar(args)
                case _:
                    return ToolResult("done")
        except ToolError as error:
            return ToolResult(str(error), status="error")

    def _write_email(self, args: Arguments, key: str, mail: Mail) -> ToolResult:
        letter = Letter(str(args["to"]), str(args.get("cc", "")), str(args["subject"]), str(args["content"]))
        path = self.outbox.write(letter, key=key, answers=mail, now=self.clock())
        return ToolResult(f"written to the outbox: mail to {letter.to}", file=str(path))

    def _schedule_meeting(self, args: Arguments, key: str) -> ToolResult:
        start = datetime.fromisoformat(f"{args['preferred_day']}T{args['start_time']}").replace(tzinfo=self.zone)
        guests = args["attendees"]
        meeting = Meeting(
            str(args["subject"]), start, int(str(args["duration_minutes"])), tuple(guests) if isinstance(guests, list) else ()
        )
        path = self.invitations.write(meeting, key=key, now=self.clock())
        return ToolResult(f"written to the calendar: {meeting.subject}, {start:%Y-%m-%d %H:%M}, {meeting.minutes} minutes", file=str(path))

    def _check_calendar(self, args: Arguments) -> ToolResult:
        day, minutes = date.fromisoformat(str(args["day"])), int(str(args["duration_minutes"]))
        free = ", ".join(f"{start:%H:%M}" for start in self.agenda.free(day, minutes, after=self.clock()))
        taken = ", ".join(
            f"{one.start.astimezone(self.zone):%H:%M}-{one.end.astimezone(self.zone):%H:%M} {one.summary}" for one in self.agenda.busy(day)
        )
        return ToolResult(f"{day:%A} {day}, {minutes} minutes\nfree: {free or 'nothing'}\ntaken: {taken or 'nothing'}")


def checked(name: str, args: Mapping[str, object]) -> Arguments:
    """Return the arguments of a call in their proper form.

    Lists may arrive as JSON text or as text with commas, numbers as text: review screens send them like that.

    Raises:
        ToolError: There is no such tool, or an argument is missing, unknown or of the wrong form.
    """
    tool = TOOLS.get(name)
    if tool is None:
        raise ToolError(f"There is no tool {name!r}.", hint=f"There are: {', '.join(TOOLS)}.")
    if unknown := sorted(set(args) - set(tool.arguments)):
        raise ToolError(f"{name} has no argument {unknown[0]!r}.", hint=f"It takes: {', '.join(tool.arguments) or 'nothing'}.")
    if missing := [one for one in tool.arguments if one not in args and one not in tool.optional]:
        raise ToolError(f"{name} lacks the argument {missing[0]!r}.", hint=f"It takes: {', '.join(tool.arguments)}.")
    return {one: _value(f"{name}.{one}", tool.arguments[one], value) for one, value in args.items()}


def problem(name: str, args: Mapping[str, object]) -> str:
    """Return why a call cannot run, empty when it can."""
    try:
        checked(name, args)
    except ToolError as error:
        return str(error)
    return ""


def _value(where: str, kind: Kind, value: object) -> str | int | list[str]:
    try:
        match kind:
            case "text":
                return _text(value)
            case "line":
                return _line(value)
            case "recipients":
                return _recipients(_line(value), where)
            case "addresses":
                return [one.addr_spec for entry in _entries(value) for one in recipients(entry)]
            case "minutes":
                return _minutes(value)
            case "day":
                return date.fromisoformat(_text(value).strip()[:10]).isoformat()
            case "clock":
                return f"{time.fromisoformat(_text(value).strip().zfill(5)):%H:%M}"
            case _:
                assert_never(kind)
    except (ValueError, TypeError) as error:
        raise ToolError(f"{where} cannot be {value!r}: {error}.", hint=f"It has to be: {FORMS[kind]}.") from error


FORMS: Mapping[Kind, str] = {
    "text": "text",
    "line": "text on one line",
    "recipients": "mail addresses with commas between them",
    "addresses": "a list of mail addresses",
    "minutes": f"minutes, a whole number from 1 to {LONGEST_MEETING}",
    "day": "a day like 2026-03-17",
    "clock": "a time like 14:30",
}


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("it is no text")
    return value


def _line(value: object) -> str:
    line = _text(value).strip()
    if "\n" in line or "\r" in line:
        raise ValueError("it has a line break")
    return line


def _recipients(line: str, where: str) -> str:
    # An empty Cc is usual, an empty To is not.
    if line or where.endswith(".to"):
        recipients(line)
    return line


def _minutes(value: object) -> int:
    minutes = int(_text(value)) if isinstance(value, str) else value
    if not isinstance(minutes, int) or isinstance(minutes, bool) or not 1 <= minutes <= LONGEST_MEETING:
        raise ValueError("it is out of range")
    return minutes


def _entries(value: object) -> list[str]:
    if isinstance(value, str):
        value = json.loads(value) if value.lstrip().startswith("[") else value.split(",")
    if not isinstance(value, list) or not value:
        raise TypeError("it is no list")
    return [_text(entry) for entry in value]
