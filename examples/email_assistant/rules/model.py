"""The built-in model: rules and templates, no AI. Pure; it reads a thread and proposes the next step.

The steps of a thread, each only when the one before it is settled:

1. nothing known            a meeting: look at the calendar; a question: ask the human; else: draft a reply
2. calendar looked at       free: propose the meeting; taken: offer other times by mail
3. meeting written          draft the confirmation
4. human gave words         put them into the draft, unchanged
5. mail written             done
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from examples.email_assistant.mail.automatic import reason_not_to_answer
from examples.email_assistant.mail.circle import copied
from examples.email_assistant.rules.letters import Writer, has_gap, reply_subject
from examples.email_assistant.rules.moments import find_day, find_minutes, find_time
from examples.email_assistant.rules.reading import Intent, Reading, read
from examples.email_assistant.rules.triage import must_be_seen, never_answered, triage
from examples.email_assistant.state import exchanges, guidance
from graphkit import AIMessage
from graphkit.messages import ToolCall

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from examples.email_assistant.mail.message import Address, Mail
    from examples.email_assistant.memory import Preferences
    from examples.email_assistant.sorting import Triage
    from examples.email_assistant.state import Exchange, State

    Arguments = dict[str, object]

USUAL_MINUTES = 30
LOOKS_AHEAD = 4
OFFERS = 3
TIME = re.compile(r"\b(\d{2}):(\d{2})\b")


class Proposal(NamedTuple):
    """The next step: what the rules say about it, and the one call to make."""

    note: str
    tool: str
    args: Arguments


@dataclass(frozen=True, slots=True)
class RuleModel:
    """Sorts and drafts by pattern and template.

    Args:
        owner: Whose mailbox it is.
        zone: The owner's time zone.
    """

    owner: Address
    zone: ZoneInfo

    @property
    def name(self) -> str:
        """``rules-v1 (no AI)``: it never claims to be more."""
        return "rules-v1 (no AI)"

    def triage(self, mail: Mail, now: datetime, preferences: Preferences) -> Triage:
        """Sort a mail; the reasons are the rules that fired, with the text that matched. A learned preference goes before the rules."""
        reading = self._read(mail, now)
        sorted_by_rule = triage(mail, reading, self.owner)
        learned = preferences.label_for(mail)
        if learned is None or learned == sorted_by_rule.label or must_be_seen(mail, reading, self.owner):
            return sorted_by_rule
        told = " ".join(line.removeprefix("- ") for line in preferences.for_mail(mail).as_text("triage").splitlines())
        return sorted_by_rule.but(learned, f"you prefer it so: {told}")

    def propose(self, state: State, now: datetime, preferences: Preferences) -> AIMessage:
        """Propose the next step of a thread, one call at a time."""
        messages = state.get("messages", [])
        proposal = self._proposal(state["mail"], exchanges(messages), guidance(messages), now, preferences)
        number = sum(isinstance(message, AIMessage) for message in messages) + 1
        call = ToolCall(name=proposal.tool, args=dict(proposal.args), id=f"call-{number}")
        return AIMessage(proposal.note, id=f"proposal-{number}", tool_calls=[call])

    def _proposal(self, mail: Mail, history: list[Exchange], words: str, now: datetime, preferences: Preferences) -> Proposal:
        if reason := reason_not_to_answer(mail) or "; ".join(never_answered(mail)):
            return Proposal(f"No reply may go to this sender: {reason}", "done", {})
        reading = self._read(mail, now)
        me = replace(self.owner, name=preferences.signature_for(mail) or self.owner.name)
        writer = Writer(reading.language, mail.reply_to, me, preferences.greeting_for(mail), preferences.sign_off_for(mail))
        habits = Habits(
            preferences.minutes_for(mail) or USUAL_MINUTES,
            preferences.earliest_for(mail) or "00:00",
            preferences.latest_for(mail) or "24:00",
            preferences.meeting_subject_for(mail),
            preferences.attendees_for(mail),
        )
        desk = _Desk(mail, reading, writer, self.zone, now, habits)
        return desk.next_step(history) if history else desk.first_step(words)

    def _read(self, mail: Mail, now: datetime) -> Reading:
        return read(mail, (mail.date or now).astimezone(self.zone).date())


@dataclass(frozen=True, slots=True)
class Habits:
    """How the owner likes meetings.

    Args:
        minutes: Their length if nothing is said.
        earliest: When they may begin, as 10:00.
        latest: When they have to begin at the latest.
        subject: Their subject; None for that of the mail.
        guests: Addresses that are always invited.
    """

    minutes: int
    earliest: str
    latest: str
    subject: str | None
    guests: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Desk:
    mail: Mail
    reading: Reading
    writer: Writer
    zone: ZoneInfo
    now: datetime
    habits: Habits

    def first_step(self, words: str) -> Proposal:
        reading = self.reading
        if words:
            return self._mail(self.writer.letter(words), "Your words are in the draft, unchanged.")
        match reading.intent:
            case Intent.MEETING if reading.day is not None:
                return self._look_up(self._not_past(reading.day))
            case Intent.MEETING:
                return self._ask(f"{self._sender} asks for a meeting and names no day. Which day and time do you offer?")
            case Intent.DEADLINE if reading.due is not None:
                return self._mail(self.writer.deadline(reading.due), f"A promise by {reading.due}, because of: {reading.sentence}")
            case Intent.QUESTION if reading.vague:
                return self._ask(
                    f"{self._sender} writes: {reading.sentence!r} The mail does not say what is meant. What should the answer be?"
                )
            case Intent.QUESTION:
                return self._ask(f"{self._sender} asks: {reading.sentence!r} The rules cannot know the answer. What should it be?")
            case _:
                return self._mail(self.writer.gap(reading.sentence or self.mail.subject), "The draft has a gap for your words.")

    def next_step(self, history: list[Exchange]) -> Proposal:
        last = history[-1]
        match last.call["name"], last.fate:
            case "write_email", "ran":
                return Proposal("The reply is written.", "done", {})
            case "write_email", "feedback":
                return self._redraft(last)
            case "schedule_meeting", "ran":
                start, minutes = self._start(last.call["args"]), _minutes(last.call["args"])
                return self._mail(self.writer.confirmed(start, minutes), "The meeting is written; this mail confirms it.")
            case "schedule_meeting", "feedback":
                return self._move_meeting(last)
            case "check_calendar_availability", "ran":
                return self._use_calendar(history)
            case "question", "answered" if self.reading.intent is Intent.MEETING and (day := find_day(last.words, self._today)):
                return self._look_up(self._not_past(day))
            case "question", "answered":
                return self._mail(self.writer.letter(last.words), "Your answer is in the draft, unchanged.")
            case _, "error" if sum(one.fate == "error" for one in history) == 1:
                return self._ask(f"{last.call['name']} did not work: {last.content} What should the reply say instead?")
            case _:
                return Proposal("Nothing more to do by rule.", "done", {})

    def _redraft(self, last: Exchange) -> Proposal:
        content = str(last.call["args"].get("content", ""))
        note = (
            "Your words fill the gap, unchanged." if has_gap(content) else "Your words replace the draft, unchanged: rules cannot rephrase."
        )
        return self._mail(self.writer.letter(last.words), note)

    def _use_calendar(self, history: list[Exchange]) -> Proposal:
        day = date.fromisoformat(str(history[-1].call["args"]["day"]))
        free = [
            datetime(day.year, day.month, day.day, int(hour), int(minute), tzinfo=self.zone)
            for hour, minute in _free(history[-1].content)
            if self.habits.earliest <= f"{hour}:{minute}" <= self.habits.latest
        ]
        wished = self.reading.at.on(day, self.zone) if self.reading.at else None
        for answer in history:
            if answer.fate == "answered" and (at := find_time(answer.words)):
                wished = at.on(day, self.zone)
        if free and (wished is None or wished in free):
            note = "The wished time is free." if wished else f"No time was wished for; {free[0]:%H:%M} is the first free one."
            return self._meet(wished or free[0], self._wished_minutes, note)
        if free:
            return self._mail(self.writer.alternatives(_spread(free)), f"{wished:%H:%M} is taken on {day}; the draft offers free times.")
        looks = sum(one.call["name"] == "check_calendar_availability" for one in history)
        if looks < LOOKS_AHEAD:
            return self._look_up(_next_working_day(day))
        return self._ask(f"No free time was found until {day}. What should the answer to {self._sender} be?")

    def _move_meeting(self, last: Exchange) -> Proposal:
        words, start = last.words, self._start(last.call["args"])
        day, at, minutes = find_day(words, self._today), find_time(words), find_minutes(words)
        if not (day or at or minutes):
            return self._meet(
                start, _minutes(last.call["args"]), f"The rules found no day, time or length in {words!r}; the proposal is unchanged."
            )
        moved = datetime.combine(day or start.date(), start.timetz())
        moved = at.on(moved.date(), self.zone) if at else moved
        return self._meet(
            moved, minutes or _minutes(last.call["args"]), f"Changed after your words {words!r}; the calendar was not looked at again."
        )

    def _mail(self, content: str, note: str) -> Proposal:
        # In a conversation everybody stays in copy. The first mail of somebody does not decide who gets to read the answer.
        is_conversation = bool(self.mail.in_reply_to or self.mail.references)
        copies = ", ".join(map(str, copied(self.mail, self.writer.owner))) if is_conversation else ""
        args: Arguments = {"to": str(self.mail.reply_to), "cc": copies, "subject": reply_subject(self.mail), "content": content}
        return Proposal(note, "write_email", args)

    def _meet(self, start: datetime, minutes: int, note: str) -> Proposal:
        args: Arguments = {
            "attendees": list(dict.fromkeys([self.mail.reply_to.address, *self.habits.guests])),
            "subject": self.habits.subject or self.mail.subject or "Meeting",
            "duration_minutes": minutes,
            "preferred_day": start.date().isoformat(),
            "start_time": f"{start:%H:%M}",
        }
        return Proposal(note, "schedule_meeting", args)

    def _look_up(self, day: date) -> Proposal:
        args: Arguments = {"day": day.isoformat(), "duration_minutes": self._wished_minutes}
        return Proposal(f"A meeting is wished for: {self.reading.sentence}", "check_calendar_availability", args)

    def _ask(self, question: str) -> Proposal:
        return Proposal("The rules need you.", "question", {"content": question})

    @property
    def _sender(self) -> str:
        return self.mail.sender.name or self.mail.sender.address

    @property
    def _today(self) -> date:
        return self.now.astimezone(self.zone).date()

    @property
    def _wished_minutes(self) -> int:
        return self.reading.minutes or self.habits.minutes

    def _not_past(self, day: date) -> date:
        return day if day >= self._today else _next_working_day(self._today)

    def _start(self, args: Arguments) -> datetime:
        return datetime.fromisoformat(f"{args['preferred_day']}T{args['start_time']}").replace(tzinfo=self.zone)


def _minutes(args: Arguments) -> int:
    return int(str(args["duration_minutes"]))


def _free(content: str) -> list[tuple[str, str]]:
    line = next((line for line in content.splitlines() if line.startswith("free:")), "")
    return TIME.findall(line)


def _spread(free: list[datetime]) -> list[datetime]:
    offers: list[datetime] = []
    for start in free:
        if not offers or start - offers[-1] >= timedelta(minutes=90):
            offers.append(start)
    return offers[:OFFERS]


def _next_working_day(day: date) -> date:
    day += timedelta(days=1)
    while day.weekday() >= 5:
        day += timedelta(days=1)
    return day
