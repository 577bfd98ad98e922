"""What content blocks and settings have in common on their way to a provider."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from graphkit.errors import InvalidMessageError, ModelRequestError
from graphkit.messages import neutral_block

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from graphkit.messages import AIMessage, Content, ContentBlock

UNSENT = frozenset({"tags"})
"""Settings that are for graphkit, not for a provider."""
GENERAL = frozenset({"timeout", "extra_body", "extra_headers", *UNSENT})
"""Settings that every provider over HTTP knows."""
THOUGHTS = frozenset({"reasoning", "thinking", "redacted_thinking"})


def blocks(content: Content) -> Iterator[dict[str, Any]]:
    """Yield the blocks of a content in our form; empty text says nothing and is left out.

    Raises:
        InvalidMessageError: A block of a known type lacks what makes it one.
    """
    for block in [{"type": "text", "text": content}] if isinstance(content, str) else content:
        try:
            neutral = cast("dict[str, Any]", neutral_block(cast("ContentBlock", block)))
        except (KeyError, TypeError, AttributeError) as error:
            raise InvalidMessageError(
                f"{block!r:.100} is no content block: {error!r}.", hint="See graphkit.messages for the blocks there are."
            ) from error
        if neutral["type"] != "text" or neutral["text"]:
            yield neutral


def data_url(block: Mapping[str, Any], name: str) -> str:
    """Return the URL of an image or file block; for encoded bytes a data URL."""
    if url := block.get("url"):
        return str(url)
    kind, data = _encoded(block, name)
    return f"data:{kind};base64,{data}"


def encoded(block: Mapping[str, Any], name: str) -> tuple[str, str] | None:
    """Return the media type and the encoded bytes of an image or file block; None if it has a URL on the network.

    Raises:
        InvalidMessageError: It has neither.
    """
    url = str(block.get("url") or "")
    if url.startswith("data:"):
        head, _, data = url.removeprefix("data:").partition(",")
        return head.removesuffix(";base64"), data
    return None if url else _encoded(block, name)


def extras_for(provider: str, block: Mapping[str, Any]) -> dict[str, Any]:
    """Return the extras of a block if they come from this provider, else nothing."""
    extras = block.get("extras")
    if not isinstance(extras, dict) or extras.get("provider", provider) != provider:
        return {}
    return {key: value for key, value in extras.items() if key != "provider"}


def call_extras(provider: str, message: AIMessage, key: str) -> Mapping[str, Mapping[str, Any]]:
    """Return what a provider wants back with the calls of a message, by call id, if the message comes from it."""
    metadata = message.response_metadata
    found = metadata.get(key) if metadata.get("provider") == provider else None
    return found if isinstance(found, dict) else {}


def refused(kind: object, name: str) -> ModelRequestError:
    """Return the error for content that a provider has no form for."""
    return ModelRequestError(
        f"{name} cannot take a content block of type {kind!r} here.",
        hint="Leave it out, or turn it into text, an image or a file.",
        model=name,
    )


def parameters(settings: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """Return settings under the names of a provider's parameters; None leaves a setting to the provider."""
    return {names.get(name, name): value for name, value in settings.items() if value is not None and name not in UNSENT}


def as_list(value: str | Iterable[str]) -> list[str]:
    """Return a string as a list of one."""
    return [value] if isinstance(value, str) else list(value)


def _encoded(block: Mapping[str, Any], name: str) -> tuple[str, str]:
    kind, data = block.get("mime_type"), block.get("base64")
    if not isinstance(data, str) or (not isinstance(kind, str) and block["type"] == "file"):
        raise InvalidMessageError(
            f"The {block['type']} block for {name} has neither a url nor base64 with its mime_type.", hint="Give it one of them."
        )
    return kind or "image/png", data
