"""HTML to text: what a reader sees, and what the sender hides from a reader."""

from __future__ import annotations

import re
from html.parser import HTMLParser

SILENT = frozenset({"script", "style", "head", "title", "template"})
VOID = frozenset({"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"})
BLOCKS = frozenset({"p", "div", "br", "li", "ul", "ol", "table", "tr", "h1", "h2", "h3", "h4", "blockquote", "hr"})
INVISIBLE = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0(?![.\d]*[1-9])|opacity\s*:\s*0(?![.\d]*[1-9])", re.IGNORECASE
)


class _Reader(HTMLParser):
    """Sort the text of a document into seen and hidden."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.seen: list[str] = []
        self.hidden: list[str] = []
        self._open: list[tuple[str, bool, bool]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        style = " ".join(value or "" for name, value in attrs if name == "style")
        if tag in BLOCKS:
            self.seen.append("\n- " if tag == "li" else "\n")
        if tag not in VOID:
            silent, covered = self._state()
            hides = bool(INVISIBLE.search(style)) or any(name == "hidden" for name, _ in attrs)
            self._open.append((tag, silent or tag in SILENT, covered or hides))

    def handle_endtag(self, tag: str) -> None:
        # Real mail leaves <p> and <li> open: closing an outer element closes what stands inside it.
        names = [name for name, _, _ in self._open]
        if tag in names:
            del self._open[len(names) - 1 - names[::-1].index(tag) :]
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
    reader.feed(markup)
    reader.close()
    return reader


def _tidy(pieces: list[str]) -> str:
    # Line breaks of the source mean nothing in HTML; those of block elements arrive as pieces of their own.
    joined = "".join(piece if piece in {"\n", "\n- "} else re.sub(r"\s+", " ", piece) for piece in pieces)
    lines = (" ".join(line.split()) for line in joined.splitlines())
    return "\n".join(line for line in lines if line and line != "-")
