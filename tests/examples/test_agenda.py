"""When the owner has time."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from examples.email_assistant.errors import CalendarError
from examples.email_assistant.meetings.agenda import Agenda
from examples.email_assistant.meetings.invitation import Invitations, Meeting
from tests.examples.conftest import BERLIN, EXAMPLE, NOW, OWNER

EVENT = "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\nBEGIN:VEVENT\nUID:1\nDTSTAMP:20260101T000000Z\n{}\nEND:VEVENT\nEND:VCALENDAR\n"


@pytest.fixture
def agenda(tmp_path):
    return Agenda(EXAMPLE / "calendar.ics", tmp_path / "meetings", BERLIN)


@pytest.fixture
def agenda_of(tmp_path):
    """Return a function that makes an agenda of the lines of one event."""

    def make(*lines: str) -> Agenda:
        file = tmp_path / "calendar.ics"
        file.write_text(EVENT.format("\n".join(lines)).replace("\n", "\r\n"))
        return Agenda(file, tmp_path / "meetings", BERLIN)

    return make


def hours(agenda, day):
    return [(f"{one.start.astimezone(BERLIN):%H:%M}", f"{one.end.astimezone(BERLIN):%H:%M}") for one in agenda.busy(day)]


def test_repeated_and_single_entries_take_time(agenda):
    assert [one.summary for one in agenda.busy(date(2026, 3, 13))] == ["Stand-up", "Budget round"]


def test_an_entry_in_utc_is_told_in_the_owners_zone(agenda):
    assert hours(agenda, date(2026, 3, 18)) == [("09:00", "10:30")]


def test_a_repeated_entry_keeps_its_time_of_day_over_the_change_to_summer_time(agenda):
    assert hours(agenda, date(2026, 3, 27)) == hours(agenda, date(2026, 3, 30)) == [("09:00", "09:20")]


def test_a_skipped_repetition_takes_no_time(agenda):
    assert "Stand-up" not in [one.summary for one in agenda.busy(date(2026, 3, 18))]


def test_cancelled_and_transparent_entries_take_no_time(agenda):
    assert [one.summary for one in agenda.busy(date(2026, 3, 17))] == ["Stand-up"]
    assert [one.summary for one in agenda.busy(date(2026, 3, 19))] == ["Stand-up"]


def test_an_entry_of_a_whole_day_takes_all_of_it(agenda):
    assert agenda.free(date(2026, 3, 16), 15, after=NOW) == []


@pytest.mark.parametrize(
    "lines, last",
    [
        (["DTSTART:20260302T090000Z", "DTEND:20260302T100000Z", "RRULE:FREQ=DAILY;UNTIL=20260312T090000Z"], date(2026, 3, 12)),
        (["DTSTART;TZID=Europe/Berlin:20260302T090000", "DURATION:PT1H", "RRULE:FREQ=DAILY;COUNT=3"], date(2026, 3, 4)),
        (["DTSTART;VALUE=DATE:20260302", "RRULE:FREQ=DAILY;UNTIL=20260305"], date(2026, 3, 5)),
        (["DTSTART:20260302T090000", "DTEND:20260302T100000", "RRULE:FREQ=WEEKLY;UNTIL=20260316T235959"], date(2026, 3, 16)),
    ],
)
def test_a_repetition_ends_when_it_says(agenda_of, lines, last):
    agenda = agenda_of(*lines)

    assert agenda.busy(last)
    assert not agenda.busy(last.replace(day=last.day + 7))
    assert not agenda.busy(last.replace(day=last.day + 1))


def test_free_time_lies_in_office_hours_after_now_and_beside_what_is_taken(agenda):
    free = agenda.free(date(2026, 3, 13), 60, after=NOW)

    assert (free[0], free[-1]) == (datetime(2026, 3, 13, 11, 30, tzinfo=BERLIN), datetime(2026, 3, 13, 16, tzinfo=BERLIN))
    assert all(start > NOW for start in agenda.free(NOW.date(), 15, after=NOW))
    assert agenda.free(date(2026, 3, 11), 15, after=NOW) == []


def test_nothing_is_free_at_the_weekend(agenda):
    assert agenda.free(date(2026, 3, 14), 15, after=NOW) == []


def test_a_meeting_that_was_written_takes_time_too(agenda):
    start = datetime(2026, 3, 17, 14, tzinfo=BERLIN)
    assert start in agenda.free(start.date(), 30, after=NOW)

    Invitations(agenda.meetings, OWNER).write(Meeting("New", start, 30, ("ada@example.com",)), key="t/1", now=NOW)

    assert start not in agenda.free(start.date(), 30, after=NOW)
    assert start.replace(hour=14, minute=30) in agenda.free(start.date(), 30, after=NOW)


def test_without_a_calendar_everything_is_free(tmp_path):
    assert Agenda(None, tmp_path, BERLIN).busy(date(2026, 3, 13)) == []


@pytest.mark.parametrize(
    "content", [b"", b"no calendar", b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDTSTART:yesterday\r\nEND:VEVENT\r\nEND:VCALENDAR"]
)
def test_a_file_that_is_no_calendar_is_refused(tmp_path, content):
    (tmp_path / "x.ics").write_bytes(content)

    with pytest.raises(CalendarError, match=r"x\.ics (is no iCalendar file|has an entry that cannot be read)"):
        Agenda(tmp_path / "x.ics", tmp_path, BERLIN).busy(date(2026, 3, 13))


def test_a_missing_calendar_is_told(tmp_path):
    with pytest.raises(CalendarError, match="cannot be read"):
        Agenda(tmp_path / "x.ics", tmp_path, BERLIN).busy(date(2026, 3, 13))


def test_a_repetition_that_cannot_be_read_is_told(agenda_of):
    with pytest.raises(CalendarError, match="cannot be read"):
        agenda_of("DTSTART:20260302T090000Z", "RRULE:FREQ=SOMETIMES").busy(date(2026, 3, 13))
