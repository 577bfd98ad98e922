"""Content in the form of OpenAI's Chat Completions, and out of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from graphkit.messages.content import Content, ContentBlock


def openai_content(content: Content) -> Content:
    """Return a content in which every block has the form of Chat Completions; text alone stays a string."""
    if isinstance(content, str):
        return content
    return [_to_openai(cast("dict[str, Any]", block)) for block in content if block["type"] != "reasoning"]


def neutral_block(block: ContentBlock) -> ContentBlock:
    """Return a block of either provider's API as a block of ours; any other block as it is."""
    given = cast("dict[str, Any]", block)
    match given["type"]:
        case "image_url":
            url = given["image_url"]
            return _image(url["url"] if isinstance(url, dict) else url)
        case "image" if isinstance(given.get("source"), dict):
            source = given["source"]
            if source.get("type") == "url":
                return {"type": "image", "url": source["url"]}
            return {"type": "image", "base64": source["data"], "mime_type": source["media_type"]}
        case "thinking":
            return {"type": "reasoning", "reasoning": given["thinking"], "extras": {"signature": given.get("signature", "")}}
        case _:
            return block


def _image(url: str) -> ContentBlock:
    if not url.startswith("data:"):
        return {"type": "image", "url": url}
    head, _, data = url.removeprefix("data:").partition(",")
    return {"type": "image", "base64": data, "mime_type": head.removesuffix(";base64")}


def _to_openai(given: dict[str, Any]) -> ContentBlock:
    block = cast("dict[str, Any]", neutral_block(given))
    if block["type"] == "text":
        return {"type": "text", "text": block["text"]}
    if block["type"] == "image":
        url = block.get("url") or f"data:{block.get('mime_type', 'image/png')};base64,{block['base64']}"
        return {"type": "image_url", "image_url": {"url": url}}
    return given
