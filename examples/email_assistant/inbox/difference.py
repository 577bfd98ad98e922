"""What an edit changes, line by line and word by word. Pure; readable without colours because each line carries a sign."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Literal

from examples.email_assistant.inbox.forms import shown_value

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from examples.email_assistant.inbox.port import Arguments

Sign = Literal[" ", "-", "+", "…"]
WORDS = re.compile(r"\w+|\s+|[^\w\s]")
CONTEXT = 2
ALIKE = 0.3


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a line; ``is_changed`` when the other side has something else in its place."""

    text: str
    is_changed: bool


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a difference: kept, gone, new, or "…" for kept lines that are left out."""

    sign: Sign
    pieces: tuple[Piece, ...]

    @property
    def text(self) -> str:
        """The line without its sign."""
        return "".join(piece.text for piece in self.pieces)


@dataclass(frozen=True, slots=True)
class Change:
    """A changed argument."""

    name: str
    lines: tuple[Line, ...]


def changes(before: Arguments, after: Arguments) -> tuple[Change, ...]:
    """Return the arguments that differ, in the order they are proposed, then those that are new."""
    names = [*before, *(name for name in after if name not in before)]
    return tuple(Change(name, compared(*_both(before, after, name))) for name in names if before.get(name) != after.get(name))


def compared(before: str, after: str) -> tuple[Line, ...]:
    """Compare two texts; of long unchanged parts only the lines next to a change are kept."""
    old, new = before.split("\n"), after.split("\n")
    lines: list[Line] = []
    codes = SequenceMatcher(a=old, b=new, autojunk=False).get_opcodes()
    for place, (kind, start, end, new_start, new_end) in enumerate(codes):
        if kind == "equal":
            lines += _kept(old[start:end], is_first=place == 0, is_last=place == len(codes) - 1)
        else:
            lines += _replaced(old[start:end], new[new_start:new_end])
    return tuple(lines)


def _both(before: Arguments, after: Arguments, name: str) -> tuple[str, str]:
    return shown_value(before.get(name, "")), shown_value(after.get(name, ""))


def _kept(lines: Sequence[str], *, is_first: bool, is_last: bool) -> Iterator[Line]:
    head, tail = 0 if is_first else CONTEXT, 0 if is_last else CONTEXT
    left_out = len(lines) - head - tail
    if left_out <= 1:
        yield from [_whole(" ", text) for text in lines]
        return
    yield from [_whole(" ", text) for text in lines[:head]]
    yield _whole("…", f"{left_out} lines unchanged")
    yield from [_whole(" ", text) for text in lines[len(lines) - tail :]]


def _replaced(old: Sequence[str], new: Sequence[str]) -> list[Line]:
    """Compare the words of lines that stand in the same place and are alike; the others are whole lines."""
    if len(old) != len(new):
        return [_whole("-", text, is_changed=True) for text in old] + [_whole("+", text, is_changed=True) for text in new]
    pairs = [_words(before, after) for before, after in zip(old, new, strict=True)]
    return [gone for gone, _ in pairs] + [come for _, come in pairs]


def _words(before: str, after: str) -> tuple[Line, Line]:
    old, new = WORDS.findall(before), WORDS.findall(after)
    matcher = SequenceMatcher(a=old, b=new, autojunk=False)
    if matcher.ratio() < ALIKE:
        return _whole("-", before, is_changed=True), _whole("+", after, is_changed=True)
    codes = matcher.get_opcodes()
    gone = tuple(Piece("".join(old[start:end]), kind != "equal") for kind, start, end, _, _ in codes if end > start)
    come = tuple(Piece("".join(new[start:end]), kind != "equal") for kind, _, _, start, end in codes if end > start)
    return Line("-", gone), Line("+", come)


def _whole(sign: Sign, text: str, *, is_changed: bool = False) -> Line:
    return Line(sign, (Piece(text, is_changed),))
