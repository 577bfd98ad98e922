"""Calendars as real programs write them: zones of their own, floating and whole days, repetitions with exceptions."""

from __future__ import annotations

from datetime import date

import pytest

from examples.email_assistant.errors import CalendarError
from examples.email_assistant.meetings.agenda import Agenda
from tests.examples.conftest import BERLIN

ZONE = """BEGIN:VTIMEZONE
TZID:Branch office
BEGIN:STANDARD
DTSTART:20251026T030000
RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10
TZOFFSETFROM:-0300
TZOFFSETTO:-0400
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:20250330T020000
RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3
TZOFFSETFROM:-0400
TZOFFSETTO:-0300
END:DAYLIGHT
END:VTIMEZONE
"""
DAILY = ("DTSTART;TZID=Europe/Berlin:20260302T090000", "DURATION:PT1H", "RRULE:FREQ=DAILY")


@pytest.fixture
def hours(tmp_path):
    """Return a function that gives the taken hours of days in March 2026, from a calendar of these events."""

    def taken(day: int, *events: tuple[str, ...]) -> list[str]:
        entries = ["\n".join(["BEGIN:VEVENT", "UID:1", "DTSTAMP:20260101T000000Z", *lines, "END:VEVENT"]) for lines in events]
        text = "\n".join(["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:x", ZONE.strip(), *entries, "END:VCALENDAR", ""])
        file = tmp_path / "calendar.ics"
        file.write_text(text.replace("\n", "\r\n"))
        found = Agenda(file, tmp_path / "meetings", BERLIN).busy(date(2026, 3, day))
        return [f"{one.start.astimezone(BERLIN):%d %H:%M}-{one.end.astimezone(BERLIN):%d %H:%M}" for one in found]

    return taken


@pytest.mark.parametrize(
    "lines, expected",
    [
        (("DTSTART;TZID=Branch office:20260302T090000", "DTEND;TZID=Branch office:20260302T100000"), "02 14:00-02 15:00"),
        (("DTSTART;TZID=W. Europe Standard Time:20260302T090000", "DURATION:PT1H"), "02 09:00-02 10:00"),
        (("DTSTART:20260302T090000", "DTEND:20260302T100000"), "02 09:00-02 10:00"),
        (("DTSTART;VALUE=DATE:20260301", "DTEND;VALUE=DATE:20260304"), "01 00:00-04 00:00"),
        (("DTSTART;TZID=America/New_York:20260301T200000", "DURATION:PT1H"), "02 02:00-02 03:00"),
    ],
)
def test_an_entry_takes_the_time_it_means_in_the_owners_zone(hours, lines, expected):
    assert hours(2, lines) == [expected]


def test_the_last_day_of_whole_days_is_the_one_before_the_end(hours):
    assert hours(4, ("DTSTART;VALUE=DATE:20260301", "DTEND;VALUE=DATE:20260304")) == []


def test_a_repetition_in_another_zone_follows_its_own_change_to_summer_time(hours):
    weekly = ("DTSTART;TZID=America/New_York:20260302T090000", "DURATION:PT1H", "RRULE:FREQ=WEEKLY")

    assert [hours(day, weekly) for day in (2, 9, 30)] == [["02 15:00-02 16:00"], ["09 14:00-09 15:00"], ["30 15:00-30 16:00"]]


def test_one_repetition_that_was_moved_takes_its_new_time_only(hours):
    moved = ("RECURRENCE-ID;TZID=Europe/Berlin:20260304T090000", "DTSTART;TZID=Europe/Berlin:20260304T150000", "DURATION:PT1H")

    assert hours(4, DAILY, moved) == ["04 15:00-04 16:00"]
    assert hours(5, DAILY, moved) == ["05 09:00-05 10:00"]


def test_one_repetition_that_was_cancelled_takes_no_time(hours):
    cancelled = ("RECURRENCE-ID;TZID=Europe/Berlin:20260304T090000", *DAILY[:2], "STATUS:CANCELLED")

    assert hours(4, DAILY, cancelled) == []


def test_added_days_take_time_and_skipped_days_do_not(hours):
    assert hours(20, (*DAILY[:2], "RDATE;TZID=Europe/Berlin:20260320T130000")) == ["20 13:00-20 14:00"]
    assert hours(3, (*DAILY, "EXDATE:20260303T080000Z")) == []


@pytest.mark.parametrize("until, last", [("20260304T080000Z", 4), ("20260304T075959Z", 3), ("20260304", 4)])
def test_a_repetition_ends_to_the_minute_and_with_its_last_day(hours, until, last):
    rule = (*DAILY[:2], f"RRULE:FREQ=DAILY;UNTIL={until}")

    assert [day for day in range(2, 7) if hours(day, rule)] == list(range(2, last + 1))


def test_the_last_day_of_a_repetition_is_a_day_of_its_own_zone(hours):
    rule = ("DTSTART;TZID=America/New_York:20260302T200000", "DURATION:PT1H", "RRULE:FREQ=DAILY;UNTIL=20260303")

    assert (hours(4, rule), hours(5, rule)) == (["04 02:00-04 03:00"], [])


def test_a_time_zone_nobody_knows_is_told_and_is_no_free_time(hours):
    with pytest.raises(CalendarError, match="there is no time zone 'Nowhere/Land'"):
        hours(2, ("DTSTART;TZID=Nowhere/Land:20260302T090000", "DURATION:PT1H"))
