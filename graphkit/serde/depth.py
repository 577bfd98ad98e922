"""How deep values may nest, and quick ways to be sure that they do not nest deeper.

Encoding and decoding recurse in C, where too much depth does not raise but ends the process.
"""

from __future__ import annotations

from typing import Final

MAX_DEPTH: Final = 200
"""Containers inside of each other, the value itself included."""

_CONTAINERS: Final = bytes([*range(0x80, 0xA0), 0xDC, 0xDD, 0xDE, 0xDF])
"""The first bytes of MessagePack's arrays and maps."""

_SKIPS: Final = {
    0xC4: 1,
    0xC5: 2,
    0xC6: 4,
    0xD9: 1,
    0xDA: 2,
    0xDB: 4,
}
"""Bytes and text: the size of the length field that follows."""

_FIXED: Final = {
    0xCA: 4,
    0xCB: 8,
    0xCC: 1,
    0xCD: 2,
    0xCE: 4,
    0xCF: 8,
    0xD0: 1,
    0xD1: 2,
    0xD2: 4,
    0xD3: 8,
}
"""Numbers: the bytes that follow."""

_EXTENSIONS: Final = {0xC7: 2, 0xC8: 3, 0xC9: 5, 0xD4: 1, 0xD5: 1, 0xD6: 1, 0xD7: 1, 0xD8: 1}
"""Extensions: the bytes before their content, which is MessagePack again."""


def depth_bound(body: bytes) -> int:
    """Return a number that the depth of ``body`` does not exceed: its containers, and other bytes that look like one."""
    if len(body) <= MAX_DEPTH:
        return len(body)
    return len(body) - len(body.translate(None, _CONTAINERS))


def exceeds(body: bytes, limit: int) -> bool:
    """Tell whether ``body`` nests deeper than ``limit``, extensions included. Reads it byte by byte; IndexError when it breaks off."""
    position = 0
    left = [1]
    # Where to go on after each open container. Only extensions say so; what follows the value in them is never read.
    after: list[int | None] = [None]
    while left:
        left[-1] -= 1
        lead = body[position]
        position += 1
        children = _children(body, position, lead)
        end = position + _extension_size(body, position, lead) if lead in _EXTENSIONS else None
        position += _extra(body, position, lead)
        if children:
            left.append(children)
            after.append(end)
        if len(left) > limit:
            return True
        while left and left[-1] == 0:
            left.pop()
            resume = after.pop()
            position = position if resume is None else resume
    return False


def _children(body: bytes, position: int, lead: int) -> int:
    if 0x80 <= lead < 0x90:
        return 2 * (lead & 0x0F)
    if 0x90 <= lead < 0xA0:
        return lead & 0x0F
    if lead in _EXTENSIONS:
        return 1
    if lead in {0xDC, 0xDD}:
        return _number(body, position, 2 if lead == 0xDC else 4)
    if lead in {0xDE, 0xDF}:
        return 2 * _number(body, position, 2 if lead == 0xDE else 4)
    return 0


def _extra(body: bytes, position: int, lead: int) -> int:
    """Bytes between this first byte and the next one."""
    if 0xA0 <= lead < 0xC0:
        return lead & 0x1F
    if lead in _SKIPS:
        size = _SKIPS[lead]
        return size + _number(body, position, size)
    if lead in {0xDC, 0xDE}:
        return 2
    if lead in {0xDD, 0xDF}:
        return 4
    return _FIXED.get(lead, 0) or _EXTENSIONS.get(lead, 0)


def _extension_size(body: bytes, position: int, lead: int) -> int:
    """Bytes of an extension after its first: length field, code and content."""
    if lead >= 0xD4:
        return 1 + (1 << (lead - 0xD4))
    size = 1 << (lead - 0xC7)
    return size + 1 + _number(body, position, size)


def _number(body: bytes, position: int, size: int) -> int:
    return int.from_bytes(body[position : position + size], "big")
