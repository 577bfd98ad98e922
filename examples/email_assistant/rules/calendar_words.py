"""Words for days, times and lengths in four languages. Data only; `moments.py` reads with it."""

from __future__ import annotations

WEEKDAYS: dict[str, tuple[str, ...]] = {
    "en": ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"),
    "de": ("montag", "dienstag", "mittwoch", "donnerstag", "freitag", "samstag", "sonntag"),
    "es": ("lunes", "martes", "miércoles", "jueves", "viernes", "sábado", "domingo"),
    "ja": ("月曜", "火曜", "水曜", "木曜", "金曜", "土曜", "日曜"),
}
MONTHS: dict[str, tuple[str, ...]] = {
    "en": ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december"),
    "de": ("januar", "februar", "märz", "april", "mai", "juni", "juli", "august", "september", "oktober", "november", "dezember"),
    "es": ("enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre", "octubre", "noviembre", "diciembre"),
}
# "Guten Morgen" is no day and "por la mañana" is no tomorrow.
RELATIVE_DAYS: tuple[tuple[str, int], ...] = (
    (r"\bday after tomorrow\b|\bübermorgen\b|\bpasado mañana\b|明後日", 2),
    (r"\btomorrow\b|(?<!guten )(?<!heute )\bmorgen\b|(?<!la )\bmañana\b|明日", 1),
    (r"\btoday\b|\bheute\b|\bhoy\b|本日|今日", 0),
)
FOLLOWING_WEEK = r"(?:next|nächste[nrs]?|kommende[nrs]?|próximo|来週の?)\s*"
LENGTHS: tuple[tuple[str, int], ...] = (
    (r"\bthree quarters of an hour\b|\bdreiviertelstunde\b", 45),
    (r"\bquarter of an hour\b|\bviertelstunde\b|\bcuarto de hora\b", 15),
    (r"\bhour and a half\b|\banderthalb(?:e)? stunden\b|\bhora y media\b|一時間半|1時間半", 90),
    (r"\bhalf(?: an)? hour\b|\bhalbe stunde\b|\bmedia hora\b", 30),
    (r"\b(?:an|one) hour\b|\beine stunde\b|\buna hora\b|一時間", 60),
)
MINUTES = r"(\d{1,3})[ -]?(?:min(?:ute[ns]?|utos?|s)?\b|分)"
HOURS = r"(\d{1,2}(?:[.,]5)?)[ -]?(?:hours?\b|hrs?\b|h\b|stunden?\b|horas?\b|時間)"
ZONES: dict[str, str] = {
    "utc": "UTC",
    "gmt": "UTC",
    "cet": "Europe/Berlin",
    "cest": "Europe/Berlin",
    "mez": "Europe/Berlin",
    "bst": "Europe/London",
    "et": "America/New_York",
    "est": "America/New_York",
    "edt": "America/New_York",
    "ct": "America/Chicago",
    "pt": "America/Los_Angeles",
    "pst": "America/Los_Angeles",
    "pdt": "America/Los_Angeles",
    "jst": "Asia/Tokyo",
}
