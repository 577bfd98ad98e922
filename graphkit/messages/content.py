"""What a message says: a string, or a list of blocks.

Blocks are plain dicts with a ``type``, so that they read the same in a notebook, in a database and in JSON. The types
below mean the same for every provider; a block of any other type is kept as it is and handed to a provider unchanged.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NotRequired, TypeAlias

from typing_extensions import TypedDict

from graphkit.errors import InvalidMessageError


class TextBlock(TypedDict):
    """Text for the reader. ``extras`` keeps what a provider wants back, such as citations."""

    type: Literal["text"]
    text: str
    extras: NotRequired[dict[str, Any]]


class ImageBlock(TypedDict):
    """An image: either ``url``, or ``base64`` (the encoded bytes) with its ``mime_type``."""

    type: Literal["image"]
    url: NotRequired[str]
    base64: NotRequired[str]
    mime_type: NotRequired[str]


class FileBlock(TypedDict):
    """A document: ``url``, or ``base64`` with its ``mime_type``; ``name`` is what to call it."""

    type: Literal["file"]
    url: NotRequired[str]
    base64: NotRequired[str]
    mime_type: NotRequired[str]
    name: NotRequired[str]


class ReasoningBlock(TypedDict):
    """What a model thought before it answered.

    ``extras`` keeps what its provider wants back unchanged in the next request: a signature, an id, encrypted content.
    """

    type: Literal["reasoning"]
    reasoning: str
    extras: NotRequired[dict[str, Any]]


class ToolCall(TypedDict):
    """A call that a model makes: the name of a tool, its arguments as JSON has them, and an id that the result carries.

    ``type`` may be given, as LangChain writes it; a message does not keep it.
    """

    name: str
    args: dict[str, Any]
    id: str
    type: NotRequired[Literal["tool_call"]]


class InvalidToolCall(TypedDict):
    """A call whose arguments cannot be read: ``args`` is the text as it came, ``error`` says what is wrong with it."""

    name: str
    args: str
    id: str
    error: str
    type: NotRequired[Literal["invalid_tool_call"]]


ContentBlock: TypeAlias = TextBlock | ImageBlock | FileBlock | ReasoningBlock | dict[str, Any]
Content: TypeAlias = str | list[ContentBlock]


def text_of(content: Content) -> str:
    """Return the text of a content, that of several blocks joined; images and reasoning say nothing here."""
    if isinstance(content, str):
        return content
    return "".join([str(block.get("text", "")) for block in content if block["type"] == "text"])


def blocks_of(content: Content) -> list[ContentBlock]:
    """Return a content as blocks; an empty string is none."""
    if isinstance(content, str):
        return [TextBlock(type="text", text=content)] if content else []
    return list(content)


def read_content(value: object) -> Content:
    """Return what somebody passed as content: strings inside a list become text blocks.

    Raises:
        InvalidMessageError: It is neither a string nor a list of strings and blocks.
    """
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
        return [_block(item) for item in value]
    raise _unreadable(value)


def _block(item: object) -> ContentBlock:
    if isinstance(item, str):
        return TextBlock(type="text", text=item)
    if not isinstance(item, Mapping) or not isinstance(item.get("type"), str):
        raise _unreadable(item)
    if item["type"] == "text" and not isinstance(item.get("text"), str):
        raise _unreadable(item)
    return item if type(item) is dict else dict(item)


def _unreadable(value: object) -> InvalidMessageError:
    return InvalidMessageError(
        f"{value!r:.100} is no content of a message.",
        hint='Content is a string, or a list of strings and blocks such as {"type": "text", "text": "..."}.',
    )
