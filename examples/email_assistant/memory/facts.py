"""What belongs to one mail only: days, numbers, links, its people and its subject. That must never become a rule. Pure."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING

from examples.email_assistant.rules.moments import find_day
from examples.email_assistant.rules.signs import STOPWORDS

if TYPE_CHECKING:
    from examples.email_assistant.mail.message import Mail

ANY_DAY = date(2000, 1, 1)
SHORTEST_WORD = 3
WORD = re.compile(r"[^\W\d_]+")
EAST_ASIAN = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]+")
RUN = 3
COMMON_WORDS = (
    "all any ask but can did for get had has her him his how its let may not now our out say see she the was who why you yes "
    "der die das und ich sie wir ist mit uns den dem por los las una con que "
    "please thank thanks could would should will there these those about which where when what with have been your best "
    "regards hello dear very much more also just like good kind great know need make sure they them then than some from here "
    "bitte danke vielen guten grüße mich dich ihnen ihre ihren eine einen haben werden könnten auch noch schon sehr "
    "gracias favor saludos hola para como está esta"
)
COMMON = frozenset(word for words in (COMMON_WORDS, *STOPWORDS.values()) for word in words.split())


def is_fact(sentence: str, mail: Mail) -> bool:
    """Tell whether a sentence speaks of something that belongs to this mail.

    In doubt it does: a rule that was not learned is asked for again, a wrong one turns up in other people's mail.
    """
    if re.search(r"\d|https?:|www\.|@|\[", sentence) or find_day(sentence, ANY_DAY) is not None:
        return True
    people = [mail.sender, mail.reply_to, *mail.to, *mail.cc]
    names = {word for one in people for word in WORD.findall(one.name.lower())}
    return bool(names & set(WORD.findall(sentence.lower())) or _signs(sentence) & _signs(f"{mail.subject}\n{mail.text}"))


def _signs(text: str) -> set[str]:
    """Return the words that say what a text is about; of writing without spaces every few characters in a row."""
    words = {word for word in WORD.findall(text.lower()) if len(word) >= SHORTEST_WORD and word not in COMMON}
    runs = EAST_ASIAN.findall(text)
    return words | {run[start : start + RUN] for run in runs for start in range(max(1, len(run) - RUN + 1))}
