"""Meetings: iCalendar files (RFC 5545), each written once."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from icalendar import Calendar, Event, vCalAddress, vText

from examples.email_assistant.deposit import deposit, folder

if TYPE_CHECKING:
    from pathlib import Path

    from examples.email_assistant.mail.message import Address

PRODUCT = "-//graphkit//email assistant example//EN"


@dataclass(frozen=True, slots=True)
class Meeting:
    """A meeting to be written: ``start`` has a time zone, ``attendees`` are plain addresses."""

    subject: str
    start: datetime
    minutes: int
    attendees: tuple[str, ...]

    @property
    def end(self) -> datetime:
        """When it is over, in the zone of its start."""
        return (self.start.astimezone(UTC) + timedelta(minutes=self.minutes)).astimezone(self.start.tzinfo)


@dataclass(frozen=True, slots=True)
class Invitations:
    """A folder of meeting requests that a human approved.

    Args:
        path: The folder; made when the first meeting is written.
        organizer: Who invites.
    """

    path: Path
    organizer: Address

    def write(self, meeting: Meeting, *, key: str, now: datetime) -> Path:
        """Write one meeting and return its file. A second call with the same key writes nothing and returns the same file.

        Raises:
            OutboxError: The file cannot be written.
        """
        name = hashlib.sha256(key.encode()).hexdigest()[:32]
        content = self._calendar(meeting, name, now).to_ical()
        return deposit(folder(self.path) / f"{name}.ics", content, staging=folder(self.path / "unfinished"))

    def _calendar(self, meeting: Meeting, name: str, now: datetime) -> Calendar:
        event = Event()
        event.add("uid", f"{name}@{self.organizer.domain}")
        event.add("dtstamp", now.astimezone(UTC))
        # In UTC: a reader needs no time zone table, and no meeting moves when a country changes its rules.
        event.add("dtstart", meeting.start.astimezone(UTC))
        event.add("dtend", meeting.end.astimezone(UTC))
        event.add("summary", meeting.subject)
        event.add("sequence", 0)
        event.add("status", "CONFIRMED")
        event.add("organizer", _person(self.organizer.address, self.organizer.name))
        for attendee in meeting.attendees:
            event.add("attendee", _guest(attendee), encode=False)
        calendar = Calendar()
        calendar.add("prodid", PRODUCT)
        calendar.add("version", "2.0")
        calendar.add("method", "REQUEST")
        calendar.add_component(event)
        return calendar


def _person(address: str, name: str) -> vCalAddress:
    person = vCalAddress(f"mailto:{address}")
    if name:
        person.params["cn"] = vText(name)
    return person


def _guest(address: str) -> vCalAddress:
    guest = _person(address, "")
    guest.params["role"] = vText("REQ-PARTICIPANT")
    guest.params["partstat"] = vText("NEEDS-ACTION")
    guest.params["rsvp"] = vText("TRUE")
    return guest
