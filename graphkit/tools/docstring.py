"""What a docstring in Google style says: the first paragraph, and the words for each parameter."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from inspect import cleandoc
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

PARAMETERS: Final = frozenset({"Args:", "Arguments:", "Parameters:"})
SECTIONS: Final = PARAMETERS | {
    "Attributes:", "Example:", "Examples:", "Keyword Args:", "Note:", "Notes:", "Raises:", "Returns:", "See Also:", "Todo:", "Warning:",
    "Warnings:", "Yields:",
}  # fmt: skip
ENTRY: Final = re.compile(r"\*{0,2}(\w+)\s*(?:\(.*?\))?\s*:(?:\s+(.*)|$)")


@dataclass(frozen=True, slots=True)
class Docstring:
    """A docstring in parts.

    Args:
        summary: The first paragraph in one line; "" without one.
        parameters: Parameter -> its description in one line, in the order of the section.
    """

    summary: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)


def read_docstring(text: str | None) -> Docstring:
    """Read a docstring; None is an empty one."""
    lines = cleandoc(text or "").splitlines()
    return Docstring(" ".join(_first_paragraph(lines)), {name: " ".join(words) for name, words in _entries(_section(lines))})


def _first_paragraph(lines: Sequence[str]) -> Iterator[str]:
    for line in lines:
        if not line.strip() or line in SECTIONS:
            return
        yield line.strip()


def _section(lines: Sequence[str]) -> Iterator[str]:
    """Yield the lines of the section about parameters: what is indented below its heading."""
    inside = False
    for line in lines:
        if line and not line[0].isspace():
            inside = line.rstrip() in PARAMETERS
        elif inside and line.strip():
            yield line


def _entries(lines: Iterator[str]) -> Iterator[tuple[str, list[str]]]:
    """Yield each parameter with its words; a line that is indented deeper than the first one goes on with the entry."""
    entry: tuple[str, list[str]] | None = None
    margin: int | None = None
    for line in lines:
        indent = len(line) - len(line.lstrip())
        margin = indent if margin is None else margin
        found = ENTRY.fullmatch(line.strip()) if indent <= margin else None
        if found is not None:
            if entry is not None:
                yield entry
            entry = (found[1], [found[2]] if found[2] else [])
        elif entry is not None:
            entry[1].append(line.strip())
    if entry is not None:
        yield entry
