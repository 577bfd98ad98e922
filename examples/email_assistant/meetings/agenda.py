"""When the owner of the mailbox has time, read from iCalendar files."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import TYPE_CHECKING

import recurring_ical_events  # type: ignore[import-untyped]
from icalendar import Calendar

from examples.email_assistant.errors import CalendarError

if TYPE_CHECKING:
    from pathlib import Path

    from icalendar import Event

OPENS, CLOSES = time(9), time(17)
OTHER_FILE = "Export the calendar again, or give another one with --calendar FILE."
RASTER = timedelta(minutes=15)


@dataclass(frozen=True, slots=True, order=True)
class Busy:
    """Time that is taken, in UTC."""

    start: datetime
    end: datetime
    summary: str


@dataclass(frozen=True, slots=True)
class Agenda:
    """The owner's time.

    Args:
        calendar: An ``.ics`` file; None means an empty calendar.
        meetings: The folder where approved meetings are written; they are taken time too.
        zone: The owner's time zone; all answers are in it.
    """

    calendar: Path | None
    meetings: Path
    zone: tzinfo

    def busy(self, day: date) -> list[Busy]:
        """Return what is taken on a day, in order of time.

        Raises:
            CalendarError: A file is missing or no iCalendar.
        """
        opens = datetime.combine(day, time.min, self.zone)
        closes = datetime.combine(day + timedelta(days=1), time.min, self.zone)
        files = [self.calendar] if self.calendar else []
        files += sorted(self.meetings.glob("*.ics")) if self.meetings.is_dir() else []
        taken = (self._taken(event) for file in files for event in _occurrences(file, opens, closes) if _takes_time(event))
        return sorted({one for one in taken if one.start < closes and one.end > opens})

    def conflicts(self, start: datetime, end: datetime) -> list[Busy]:
        """Return what is taken between two moments of one day."""
        return [one for one in self.busy(start.astimezone(self.zone).date()) if one.start < end and one.end > start]

    def free(self, day: date, minutes: int, *, after: datetime) -> list[datetime]:
        """Return every start of a free slot of this length in office hours, on quarter hours, Monday to Friday.

        Args:
            day: The day, in the owner's zone.
            minutes: The length of the slot.
            after: Nothing before this moment is offered.
        """
        if day.weekday() >= 5:
            return []
        start, closes = (datetime.combine(day, limit, self.zone) for limit in (OPENS, CLOSES))
        length, taken, found = timedelta(minutes=minutes), self.busy(day), []
        while start + length <= closes:
            if start > after and not any(one.start < start + length and one.end > start for one in taken):
                found.append(start)
            start += RASTER
        return found

    def _taken(self, event: Event) -> Busy:
        return Busy(self._moment(event.start).astimezone(UTC), self._moment(event.end).astimezone(UTC), str(event.get("summary", "")))

    def _moment(self, value: date | datetime) -> datetime:
        if not isinstance(value, datetime):
            return datetime.combine(value, time.min, self.zone)
        return value if value.tzinfo else value.replace(tzinfo=self.zone)


def _occurrences(file: Path, opens: datetime, closes: datetime) -> list[Event]:
    """Return every entry between two moments, repetitions unfolded, single ones of them moved or left out as the calendar says."""
    calendar = _read(file)
    for event in calendar.events:
        # Time that cannot be read must not pass for free time.
        if problem := _problem(event):
            raise CalendarError(f"{file} has an entry that cannot be read: {problem}.", hint=OTHER_FILE)
        _last_day_counts(event)
    try:
        found: list[Event] = recurring_ical_events.of(calendar).between(opens, closes)
    except (ValueError, TypeError, ArithmeticError, LookupError, AttributeError) as error:
        raise CalendarError(f"{file} has a repetition that cannot be read: {error}.", hint=OTHER_FILE) from error
    return found


def _last_day_counts(event: Event) -> None:
    """Read an UNTIL without a time as the end of that day: RFC 5545 forbids it beside a start with a time, calendars write it."""
    start, rule = event.get("dtstart"), event.get("rrule")
    if start is None or not isinstance(start.dt, datetime) or isinstance(rule, list) or rule is None:
        return
    if days := [one for one in rule.get("UNTIL", []) if not isinstance(one, datetime)]:
        end = datetime.combine(days[0], time(23, 59, 59), start.dt.tzinfo)
        rule["UNTIL"] = [end.astimezone(UTC) if end.tzinfo else end]


def _problem(event: Event) -> str:
    if event.errors:
        return str(event.errors[0][1])
    for name in ("DTSTART", "DTEND"):
        written = event.get(name)
        zone = written.params.get("TZID", "") if written is not None else ""
        if zone and isinstance(written.dt, datetime) and written.dt.tzinfo is None:
            return f"there is no time zone {zone!r}"
    return ""


def _takes_time(event: Event) -> bool:
    return str(event.get("transp", "OPAQUE")) != "TRANSPARENT" and str(event.get("status", "")) != "CANCELLED"


def _read(file: Path) -> Calendar:
    try:
        return Calendar.from_ical(file.read_bytes())
    except OSError as error:
        raise CalendarError(f"The calendar {file} cannot be read: {error.strerror}.", hint=OTHER_FILE) from error
    except (ValueError, IndexError, KeyError) as error:
        raise CalendarError(f"{file} is no iCalendar file: {error}.", hint=OTHER_FILE) from error
