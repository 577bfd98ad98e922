"""Text of strangers, made harmless to look at. Only this file decides what a terminal may be shown.

A mail can carry escape sequences that move the cursor, characters that turn the direction of text around, and characters nobody
sees. Here each of them becomes something visible, so what is on the screen is what is in the text.
"""

from __future__ import annotations

import unicodedata
from itertools import groupby

from rich.cells import cell_len

CONTROL_PICTURES = 0x2400
DELETE = 0x7F
JOINERS = frozenset("\u200c\u200d")
HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
# Letters without a picture that take space all the same.
FILLERS = frozenset("\u115f\u1160\u3164\uffa0\u2800")
MOST_MARKS = 4
TAB = "    "
ELLIPSIS = "…"


def inert(text: str) -> str:
    """Return text of several lines with everything visible that a terminal would obey or hide."""
    lines = text.replace("\r\n", "\n").replace("\t", TAB)
    return "".join(_run("".join(run), is_mark=is_mark) for is_mark, run in groupby(_shown(lines), key=_is_mark))


def line(text: str) -> str:
    """Return text as one inert line."""
    return " ".join(inert(text).split())


def fitted(text: str, width: int) -> str:
    """Return one inert line of at most ``width`` terminal cells, cut at its end."""
    whole = line(text)
    if cell_len(whole) <= width:
        return whole
    room, kept = width - cell_len(ELLIPSIS), 0
    while kept < len(whole) and cell_len(whole[: kept + 1]) <= room:
        kept += 1
    return whole[:kept].rstrip() + ELLIPSIS


def _shown(text: str) -> list[str]:
    return [_character(text, place) for place in range(len(text))]


def _character(text: str, place: int) -> str:
    character = text[place]
    if character in JOINERS and _joins(text, place):
        return character
    if character == "\n" or (unicodedata.category(character) not in HIDDEN and character not in FILLERS):
        return character
    number = ord(character)
    if number < ord(" "):
        return chr(CONTROL_PICTURES + number)
    return "\N{SYMBOL FOR DELETE}" if number == DELETE else f"⟨U+{number:04X}⟩"


def _joins(text: str, place: int) -> bool:
    """Tell whether a joiner stands where scripts and emoji use it: between characters beyond ASCII."""
    return 0 < place < len(text) - 1 and not text[place - 1].isascii() and not text[place + 1].isascii()


def _is_mark(shown: str) -> bool:
    return len(shown) == 1 and unicodedata.combining(shown) > 0


def _run(run: str, *, is_mark: bool) -> str:
    # A tower of accents would be drawn over the lines above.
    return f"{run[:MOST_MARKS]}⟨+{len(run) - MOST_MARKS} marks⟩" if is_mark and len(run) > MOST_MARKS else run
