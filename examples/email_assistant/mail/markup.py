"""HTML to text: what a reader sees, and what the sender hides from a reader."""

from __future__ import annotations

import re
from collections import Counter
from html.parser import HTMLParser

SILENT = frozenset({"script", "style", "head", "title", "template"})
VOID = frozenset({"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"})
BLOCKS = frozenset({"p", "div", "br", "li", "ul", "ol", "table", "tr", "h1", "h2", "h3", "h4", "blockquote", "hr"})
INVISIBLE = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0(?![.\d]*[1-9])|opacity\s*:\s*0(?![.\d]*[1-9])", re.IGNORECASE
)


LONGEST = 500_000
"""Characters. Markup beyond this is not read."""
NO_TAG = re.compile(r"<(?![a-zA-Z/!?])")


class _Reader(HTMLParser):
    """Sort the text of a document into seen and hidden."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.seen: list[str] = []
        self.hidden: list[str] = []
        self._open: list[tuple[str, bool, bool]] = []
        self._count: Counter[str] = Counter()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        style = " ".join(value or "" for name, value in attrs if name == "style")
        if tag in BLOCKS:
            self.seen.append("\n- " if tag == "li" else "\n")
        if tag not in VOID:
            silent, covered = self._state()
            hides = bool(INVISIBLE.search(style)) or any(name == "hidden" for name, _ in attrs)
            self._open.append((tag, silent or tag in SILENT, covered or hides))
            self._count[tag] += 1

    def handle_endtag(self, tag: str) -> None:
        # Real mail leaves <p> and <li> open: closing an outer element closes what stands inside it.
        closed = "" if self._count[tag] else tag
        while closed != tag:
            closed, _, _ = self._open.pop()
            self._count[closed] -= 1
        if tag in BLOCKS:
            self.seen.append("\n")

    def handle_data(self, data: str) -> None:
        silent, covered = self._state()
        if not silent:
            (self.hidden if covered else self.seen).append(data)

    def _state(self) -> tuple[bool, bool]:
        return self._open[-1][1:] if self._open else (False, False)


def visible_text(markup: str) -> str:
    """Return the text a reader of this HTML sees, one paragraph per line."""
    return _tidy(_read(markup).seen)


def hidden_text(markup: str) -> str:
    """Return the text that is in this HTML but that its styles keep from a reader; empty in honest mail."""
    return " ".join("".join(_read(markup).hidden).split())


def _read(markup: str) -> _Reader:
    reader = _Reader()
    reader.feed(_tame(markup[:LONGEST]))
    reader.close()
    return reader


def _tame(markup: str) -> str:
    """Return markup that Python's parser reads in linear time: it starts again at each ``<`` of a tag or comment that never ends."""
    markup = NO_TAG.sub("&lt;", markup.replace("<![", "<! ["))
    comments, tail = _behind(markup, "-->")
    tags, rest = _behind(tail.replace("<!--", "<! "), ">")
    return comments + tags + rest.replace("<", "&lt;")


def _behind(markup: str, end: str) -> tuple[str, str]:
    """Split behind the last ``end``."""
    before, found, after = markup.rpartition(end)
    return before + found, after


def _tidy(pieces: list[str]) -> str:
    # Line breaks of the source mean nothing in HTML; those of block elements arrive as pieces of their own.
    joined = "".join(piece if piece in {"\n", "\n- "} else re.sub(r"\s+", " ", piece) for piece in pieces)
    lines = (" ".join(line.split()) for line in joined.splitlines())
    return "\n".join(line for line in lines if line and line != "-")
