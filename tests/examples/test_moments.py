"""Days, times and lengths as people write them."""

from __future__ import annotations

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

import pytest

from examples.email_assistant.rules.moments import ClockTime, find_day, find_minutes, find_time
from tests.examples.conftest import BERLIN

WEDNESDAY = date(2026, 3, 11)


@pytest.mark.parametrize(
    "text, day",
    [
        ("on 2026-04-01", date(2026, 4, 1)),
        ("on Tuesday 17 March", date(2026, 3, 17)),
        ("March 18th", date(2026, 3, 18)),
        ("am 17.03. um 14.30 Uhr", date(2026, 3, 17)),
        ("am 17.03.2027", date(2027, 3, 17)),
        ("den 19. März", date(2026, 3, 19)),
        ("el 2 de abril", date(2026, 4, 2)),
        ("3月18日", date(2026, 3, 18)),
        ("5 January", date(2027, 1, 5)),
        ("on Friday", date(2026, 3, 13)),
        ("next Friday", date(2026, 3, 20)),
        ("on Wednesday", date(2026, 3, 18)),
        ("nächsten Montag", date(2026, 3, 16)),
        ("木曜日に", date(2026, 3, 12)),
        ("tomorrow", date(2026, 3, 12)),
        ("übermorgen", date(2026, 3, 13)),
        ("hoy", date(2026, 3, 11)),
        ("Guten Morgen", None),
        ("por la mañana", None),
        ("30 February", None),
        ("2026-13-45", None),
        ("version 2.6.1", None),
        ("no day at all", None),
    ],
)
def test_a_day_is_found(text, day):
    assert find_day(text, WEDNESDAY) == day


@pytest.mark.parametrize(
    "text, at",
    [
        ("at 14:00", time(14)),
        ("2 pm", time(14)),
        ("12am", time(0)),
        ("2:30 p.m.", time(14, 30)),
        ("um 14 Uhr", time(14)),
        ("am 17.03. um 14.30 Uhr", time(14, 30)),
        ("a las 11", time(11)),
        ("10時30分", time(10, 30)),
        ("in 3時間", None),
        ("25:00", None),
        ("soon", None),
    ],
)
def test_a_time_is_found(text, at):
    found = find_time(text)

    assert (found.at if found else None) == at


def test_a_time_with_a_zone_is_told_in_the_zone_of_the_reader():
    found = find_time("at 10am ET")

    assert found is not None
    # New York has summer time in this week, Berlin has not: five hours instead of six.
    assert found.on(date(2026, 3, 18), BERLIN) == datetime(2026, 3, 18, 15, tzinfo=BERLIN)


def test_a_time_without_a_zone_is_a_time_of_the_reader():
    assert ClockTime(time(9), None).on(WEDNESDAY, BERLIN) == datetime(2026, 3, 11, 9, tzinfo=ZoneInfo("Europe/Berlin"))


@pytest.mark.parametrize(
    "text, minutes",
    [
        ("for 45 minutes", 45),
        ("a 20-minute call", 20),
        ("half an hour", 30),
        ("an hour", 60),
        ("an hour and a half", 90),
        ("1.5 hours", 90),
        ("etwa eine Stunde", 60),
        ("media hora", 30),
        ("30分ほど", 30),
        ("10時30分から1時間", 60),
        ("10時30分", None),
        ("at 14:00", None),
    ],
)
def test_a_length_is_found(text, minutes):
    assert find_minutes(text) == minutes
