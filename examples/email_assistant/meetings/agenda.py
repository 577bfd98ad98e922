"""When the owner of the mailbox has time, read from iCalendar files."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import TYPE_CHECKING

from dateutil.rrule import rrulestr
from icalendar import Calendar

from examples.email_assistant.errors import CalendarError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from icalendar import Event

OPENS, CLOSES = time(9), time(17)
OTHER_FILE = "Export the calendar again, or give another one with --calendar FILE."
UNTIL = re.compile(r";?UNTIL=[^;]*")
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
        opens = datetime.combine(day, time.min, self.zone).astimezone(UTC)
        closes = datetime.combine(day + timedelta(days=1), time.min, self.zone).astimezone(UTC)
        taken = (one for event in self._events() for one in self._occurrences(event, closes))
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

    def _events(self) -> Iterator[Event]:
        files = [self.calendar] if self.calendar else []
        if self.meetings.is_dir():
            files += sorted(self.meetings.glob("*.ics"))
        for file in files:
            for event in _read(file).events:
                # Time that cannot be read must not pass for free time.
                if event.errors:
                    raise CalendarError(f"{file} has an entry that cannot be read: {event.errors[0][1]}.", hint=OTHER_FILE)
                if _takes_time(event):
                    yield event

    def _occurrences(self, event: Event, until: datetime) -> Iterator[Busy]:
        start = self._moment(event.decoded("dtstart"))
        length = self._length(event, start)
        skipped = {self._moment(one).astimezone(UTC) for one in event.exdates}
        for moment in self._starts(event, start, until):
            if moment.astimezone(UTC) not in skipped:
                yield Busy(moment.astimezone(UTC), moment.astimezone(UTC) + length, str(event.get("summary", "")))

    def _starts(self, event: Event, start: datetime, until: datetime) -> Iterator[datetime]:
        rule = event.get("rrule")
        if rule is None:
            yield start
            return
        # A rule repeats wall-clock times: it is unfolded without a zone, and each start gets the offset of its own day.
        last = until.astimezone(start.tzinfo).replace(tzinfo=None)
        ends = [self._moment(one).astimezone(start.tzinfo).replace(tzinfo=None) for one in rule.get("UNTIL", [])]
        for naive in _unfolded(UNTIL.sub("", rule.to_ical().decode()), start.replace(tzinfo=None)):
            if naive > last or any(naive.date() > end.date() for end in ends):
                return
            yield naive.replace(tzinfo=start.tzinfo)

    def _length(self, event: Event, start: datetime) -> timedelta:
        if "dtend" in event:
            return self._moment(event.decoded("dtend")).astimezone(UTC) - start.astimezone(UTC)
        if "duration" in event:
            return event.decoded("duration")  # type: ignore[no-any-return]
        return timedelta(0) if isinstance(event.decoded("dtstart"), datetime) else timedelta(days=1)

    def _moment(self, value: date | datetime) -> datetime:
        if not isinstance(value, datetime):
            return datetime.combine(value, time.min, self.zone)
        return value if value.tzinfo else value.replace(tzinfo=self.zone)


def _takes_time(event: Event) -> bool:
    return "dtstart" in event and str(event.get("transp", "OPAQUE")) != "TRANSPARENT" and str(event.get("status", "")) != "CANCELLED"


def _unfolded(rule: str, start: datetime) -> Iterator[datetime]:
    try:
        yield from rrulestr(rule, dtstart=start)
    except ValueError as error:
        raise CalendarError(f"The calendar has a repetition that cannot be read: {rule}.", hint=OTHER_FILE) from error


def _read(file: Path) -> Calendar:
    try:
        return Calendar.from_ical(file.read_bytes())
    except OSError as error:
        raise CalendarError(f"The calendar {file} cannot be read: {error.strerror}.", hint=OTHER_FILE) from error
    except (ValueError, IndexError, KeyError) as error:
        raise CalendarError(f"{file} is no iCalendar file: {error}.", hint=OTHER_FILE) from error
