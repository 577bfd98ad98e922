"""Whether a text names a day, in the forms people write. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date

# English, German, French, Spanish, Italian, Dutch, Portuguese, Swedish; a name that starts alike stands once.
MONTHS = (
    r"jan\w*|genn\w*|ener\w*",
    r"feb\w*|févr\w*|fevr\w*|fev\w*",
    r"mar\w*|mär\w*|maar\w*|mrt",
    r"apr\w*|avr\w*|abr\w*",
    r"may|mai|mayo|magg\w*|mei|maj|maio",
    r"jun\w*|juin|giu\w*",
    r"jul\w*|juil\w*|lug\w*",
    r"aug\w*|août|aout|ago\w*",
    r"sep\w*|sett\w*|set\w*",
    r"oct\w*|okt\w*|ott\w*|out\w*",
    r"nov\w*",
    r"dec\w*|dez\w*|déc\w*|dic\w*",
)
WORDS_BETWEEN = r"(?:st|nd|rd|th|er|º|°)?\.?\s*(?:of|de|di|du)?\s*"


def names_day(text: str, day: date) -> bool:
    """Tell whether a text names a day with its date, with or without the year.

    It knows ``2026-03-20``, ``20 March``, ``March 20th``, ``20. März``, ``20 de marzo``, ``20.3.``, ``20/03``, ``3/20`` and ``3月20日``.
    A weekday alone is not enough: which Friday is meant is what goes wrong.
    """
    month, d, m = f"(?:{MONTHS[day.month - 1]})", f"0?{day.day}", f"0?{day.month}"
    forms = (
        rf"{day.isoformat()}",
        rf"(?<![\d.:]){d}{WORDS_BETWEEN}{month}\b",
        rf"\b{month}\.?\s+{d}(?:st|nd|rd|th)?(?![\d:])",
        rf"(?<![\d./]){d}\s?\.\s?{m}\.",
        rf"(?<![\d./])(?:{d}/{m}|{m}/{d})(?!\d)",
        rf"(?<!\d){m}\s?月\s?{d}\s?日",
    )
    return any(re.search(form, text, re.IGNORECASE) for form in forms)
