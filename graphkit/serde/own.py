"""The classes of graphkit's upper layers that every codec knows, by tag.

Storage must read a conversation without being told about messages, and must not import them before it meets one. So this
is the one place of a lower layer that knows classes of upper ones, and it imports them, by name, only when a record or a
value has one. Their defaults never change, so fields that have the default are not written: a message is little more
than its content and its id.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from graphkit.serde.shapes import compact_shape

if TYPE_CHECKING:
    from collections.abc import Iterator

    from graphkit.serde.shapes import DataclassShape

OWN_TAGS: Final = frozenset({"human", "ai", "system", "tool", "remove", "ai-chunk"})

_MODULES: Final = frozenset({"graphkit.messages.message", "graphkit.messages.chunk"})


def is_own(kind: type) -> bool:
    """Tell whether a class may be one of these: its module has one."""
    return kind.__module__ in _MODULES


def own_shapes() -> Iterator[DataclassShape]:
    """Yield how each class is stored."""
    from graphkit.messages.chunk import AIMessageChunk  # noqa: PLC0415 - see above, and below
    from graphkit.messages.message import AIMessage, HumanMessage, RemoveMessage, SystemMessage, ToolMessage  # noqa: PLC0415

    kinds = {
        "human": HumanMessage,
        "ai": AIMessage,
        "system": SystemMessage,
        "tool": ToolMessage,
        "remove": RemoveMessage,
        "ai-chunk": AIMessageChunk,
    }
    for tag, kind in kinds.items():
        yield compact_shape(kind, tag)
