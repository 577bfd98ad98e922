"""Colours of nodes: dark text on light boxes, so that a picture is read on light and on dark pages."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields

from graphkit.errors import InvalidConfigError

LINE = "#737b8c"
"""Colour of lines: far enough from white and from black."""

_DECLARATIONS = re.compile(r"[\w-]+:[\w#.%()\- ]+(?:[;,][\w-]+:[\w#.%()\- ]+)*;?")
_COLOR = re.compile(r"#[0-9a-fA-F]{3,8}|[a-zA-Z]+|(?:rgb|rgba|hsl|hsla)\([\d.,% ]+\)")


@dataclass(frozen=True, slots=True)
class NodeStyles:
    """How nodes look: each a colour (``"#eef1fb"``) or declarations (``"fill:#eef1fb,stroke:#333,color:#000"``).

    Args:
        default: Every node that is neither start nor end.
        first: The start.
        last: The end.

    Raises:
        InvalidConfigError: One is neither.
    """

    default: str = "fill:#eaeefc,stroke:#7f8cd0,color:#1d2340"
    first: str = "fill:#d8f1e2,stroke:#4f9d74,color:#123524"
    last: str = "fill:#e3e5ea,stroke:#7c8291,color:#23262e"

    def __post_init__(self) -> None:
        for found in fields(self):
            value = getattr(self, found.name)
            if not _COLOR.fullmatch(value) and not _DECLARATIONS.fullmatch(value):
                raise InvalidConfigError(
                    f"{found.name}={value!r} is no style of a node.", hint='Use a colour or "fill:#fff,stroke:#333,color:#000".'
                )

    def declared(self, which: str) -> dict[str, str]:
        """Return the declarations of "default", "first" or "last"; what one does not say is as it is by default."""
        value = getattr(self, which)
        said = {"fill": value} if _COLOR.fullmatch(value) else dict(part.split(":", 1) for part in re.split(r"[;,]", value) if part)
        return {"fill": "#eaeefc", "stroke": LINE, "color": "#1d2340"} | said


def checked_color(color: str | None) -> str | None:
    """Return a colour as it is.

    Raises:
        InvalidConfigError: It is none.
    """
    if color is not None and not _COLOR.fullmatch(color):
        raise InvalidConfigError(f"{color!r} is no colour.", hint='Use a name or "#rrggbb"; None is transparent.')
    return color
