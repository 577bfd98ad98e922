"""Days, times of day and lengths of time as people write them in mail. Pure; every answer is what was found first."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from examples.email_assistant.rules.calendar_words import FOLLOWING_WEEK, HOURS, LENGTHS, MINUTES, MONTHS, RELATIVE_DAYS, WEEKDAYS, ZONES

ISO_DAY = re.compile(r"\b(\d{4})-(\d{2})-(\d{2})\b")
NUMBERED_DAY = re.compile(r"\b(\d{1,2})\.(\d{1,2})\.(?:(\d{4})|(?!\d))")
JAPANESE_DAY = re.compile(r"(\d{1,2})月(\d{1,2})日")
MONTH_NAMES = {name: 1 + index for names in MONTHS.values() for index, name in enumerate(names)}
MONTH_WORDS = "|".join(sorted(MONTH_NAMES, key=len, reverse=True))
DAY_MONTH = re.compile(rf"\b(\d{{1,2}})(?:\.|st|nd|rd|th)?\s+(?:de\s+|of\s+)?({MONTH_WORDS})\b")
MONTH_DAY = re.compile(rf"\b({MONTH_WORDS})\s+(\d{{1,2}})(?:st|nd|rd|th)?\b")
WEEKDAY_NUMBERS = {name: index for names in WEEKDAYS.values() for index, name in enumerate(names)}
WEEKDAY = re.compile(rf"({FOLLOWING_WEEK})?({'|'.join(WEEKDAY_NUMBERS)})")
CLOCK_TIME = re.compile(
    r"\b(?P<h1>\d{1,2})[:.](?P<m1>\d{2})(?:\s*(?P<half1>[ap])\.?m\b\.?)?(?!\d|\.\d)"
    r"|\b(?P<h2>\d{1,2})\s*(?P<half2>[ap])\.?m\b\.?"
    r"|\b(?P<h3>\d{1,2})\s*uhr\b"
    r"|\ba las?\s+(?P<h4>\d{1,2})\b"
    r"|(?P<h5>\d{1,2})時(?!間)(?:(?P<m5>\d{1,2})分)?"
)
ZONE_WORD = re.compile(rf"^\s*(?:uhr\s*)?\(?({'|'.join(ZONES)})\b")


@dataclass(frozen=True, slots=True)
class ClockTime:
    """A time of day; ``zone`` is the zone its writer named, None when they named none."""

    at: time
    zone: ZoneInfo | None

    def on(self, day: date, zone: ZoneInfo) -> datetime:
        """Return the moment on a day, told in ``zone``; a time without a zone is read as a time in ``zone``."""
        return datetime.combine(day, self.at, self.zone or zone).astimezone(zone)


def find_day(text: str, today: date) -> date | None:
    """Return the first day that is named, an exact date before a weekday, a weekday before "tomorrow".

    Args:
        text: What somebody wrote.
        today: The day they wrote it. A date without a year is the one that is nearest in the future (or at most a month ago).
    """
    text = text.lower()
    return _exact_day(text, today) or _weekday(text, today) or _relative_day(text, today)


def find_time(text: str) -> ClockTime | None:
    """Return the first time of day that is named, such as ``14:30``, ``2 pm ET``, ``14 Uhr``, ``a las 11`` or ``10時``."""
    text = text.lower()
    for found in CLOCK_TIME.finditer(text):
        if NUMBERED_DAY.match(text, found.start()):
            continue
        hour, minute = _hour(found), int(found["m1"] or found["m5"] or 0)
        if hour < 24 and minute < 60:
            zone = ZONE_WORD.match(text[found.end() :])
            return ClockTime(time(hour, minute), ZoneInfo(ZONES[zone[1]]) if zone else None)
    return None


def find_minutes(text: str) -> int | None:
    """Return the first length of time that is named, in minutes."""
    text = text.lower()
    for words, minutes in LENGTHS:
        if re.search(words, text):
            return minutes
    if hours := re.search(HOURS, text):
        return round(60 * float(hours[1].replace(",", ".")))
    # In Japanese, "10時30分" is a time of day and not thirty minutes.
    minute = re.search(MINUTES, re.sub(r"時(?!間)\d{1,2}分", "時", text))
    return int(minute[1]) if minute else None


def _hour(found: re.Match[str]) -> int:
    hour = int(next(found[name] for name in ("h1", "h2", "h3", "h4", "h5") if found[name]))
    half = found["half1"] or found["half2"]
    if half is None:
        return hour
    return hour % 12 + (12 if half == "p" else 0)


def _exact_day(text: str, today: date) -> date | None:
    if found := ISO_DAY.search(text):
        return _date(int(found[1]), int(found[2]), int(found[3]))
    if found := DAY_MONTH.search(text):
        return _nearest(int(found[1]), MONTH_NAMES[found[2]], today)
    if found := MONTH_DAY.search(text):
        return _nearest(int(found[2]), MONTH_NAMES[found[1]], today)
    if found := JAPANESE_DAY.search(text):
        return _nearest(int(found[2]), int(found[1]), today)
    if found := NUMBERED_DAY.search(text):
        exact = _date(int(found[3]), int(found[2]), int(found[1])) if found[3] else None
        return exact or _nearest(int(found[1]), int(found[2]), today)
    return None


def _weekday(text: str, today: date) -> date | None:
    found = WEEKDAY.search(text)
    if found is None:
        return None
    ahead = (WEEKDAY_NUMBERS[found[2]] - today.weekday() - 1) % 7 + 1
    days = today + timedelta(days=ahead)
    same_week = days.isocalendar()[:2] == today.isocalendar()[:2]
    return days + timedelta(days=7) if found[1] and same_week else days


def _relative_day(text: str, today: date) -> date | None:
    for words, ahead in RELATIVE_DAYS:
        if re.search(words, text):
            return today + timedelta(days=ahead)
    return None


def _nearest(day: int, month: int, today: date) -> date | None:
    this_year = _date(today.year, month, day)
    if this_year is not None and this_year >= today - timedelta(days=31):
        return this_year
    return _date(today.year + 1, month, day)


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
