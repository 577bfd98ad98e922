"""How wide text is: in columns of a terminal, and in parts of the font size on a picture."""

from __future__ import annotations

from unicodedata import category, east_asian_width

_NARROW = frozenset("ijl.,:;'|!I`·")
_SLIM = frozenset('frt()[]{}/\\-" ')
_BROAD = frozenset("mwMW%@—…")
_INVISIBLE = frozenset({"Mn", "Me", "Cf"})


def printable(text: str) -> str:
    """Return a text with line breaks and control characters written as escapes."""
    return "".join([character if character.isprintable() or character == "\u200d" else ascii(character)[1:-1] for character in text])


def columns(text: str) -> int:
    """Return the columns of a terminal that a text takes."""
    return sum(_columns(character) for character in text)


def clusters(text: str) -> list[str]:
    """Return the characters of a text, accents and other marks without a column of their own with what they stand on."""
    found: list[str] = []
    for character in text:
        if found and 0 in (_columns(character), columns(found[-1])):
            found[-1] += character
        else:
            found.append(character)
    return found


def width(text: str, size: float) -> float:
    """Return about how wide a text is in a sans-serif font of this size; rather too wide than too narrow."""
    return size * sum(_part(character) for character in text)


def wrapped(text: str, most: int) -> list[str]:
    """Break a text into lines of about ``most`` columns, at spaces and after ``_``, ``-``, ``.``, ``:`` where it has some."""
    lines, line, seam = [], "", 0
    for character in text:
        if line and columns(line) + _columns(character) > most:
            cut = seam if seam > len(line) // 3 else len(line)
            lines.append(line[:cut].rstrip())
            line, seam = line[cut:].lstrip(), 0
        line += character
        seam = len(line) if character in " _-.:/" else seam
    return [*lines, line]


def _columns(character: str) -> int:
    if category(character) in _INVISIBLE:
        return 0
    return 2 if east_asian_width(character) in "WF" else 1


def _part(character: str) -> float:
    if category(character) in _INVISIBLE:
        return 0.0
    if east_asian_width(character) in "WF":
        return 1.05
    if character in _NARROW:
        return 0.32
    if character in _SLIM:
        return 0.42
    if character in _BROAD:
        return 0.98
    return 0.76 if character.isupper() else 0.64
