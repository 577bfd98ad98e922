"""The frame around each stored value. Only this file knows its layout.

``magic (2) | version (1) | flags (1) | body length (4) | crc32 of all other bytes (4) | body``, numbers big-endian.
Every later version has to keep this frame, so that an older graphkit can tell a newer record from a damaged one.
"""

from __future__ import annotations

from struct import Struct
from typing import Final
from zlib import crc32

from graphkit.errors import CorruptCheckpointError, SchemaVersionError

MAGIC: Final = b"gk"

VERSION: Final = 1
"""The format this code writes, and the newest it reads."""

KNOWN_FLAGS: Final = 0
"""No flag has a meaning yet; the bits are kept for compression and encryption."""

MAX_BYTES: Final = 16 * 1024 * 1024
"""The longest record, header included."""

_HEADER: Final = Struct(">2sBBI")
_SUM: Final = Struct(">I")

OVERHEAD: Final = _HEADER.size + _SUM.size
"""Bytes a record adds to its body."""


def frame(body: bytes) -> bytes:
    """Return the record of ``body``."""
    header = _HEADER.pack(MAGIC, VERSION, 0, len(body))
    return header + _SUM.pack(crc32(body, crc32(header))) + body


def unframe(record: bytes) -> bytes:
    """Return the body of ``record``.

    Raises:
        CorruptCheckpointError: The record is not exactly what ``frame`` returned.
        SchemaVersionError: It is whole, but of a newer version or with a flag this code does not know.
    """
    size = len(record)
    if size < OVERHEAD:
        raise damaged(f"it has {size} bytes, fewer than the {OVERHEAD} of its header")
    magic, version, flags, length = _HEADER.unpack_from(record)
    if magic != MAGIC:
        raise damaged("it does not begin like a graphkit record")
    if length != size - OVERHEAD or size > MAX_BYTES:
        raise damaged(f"its header announces {length} bytes of content, but {size - OVERHEAD} follow")
    body = record[OVERHEAD:]
    if _SUM.unpack_from(record, _HEADER.size)[0] != crc32(body, crc32(record[: _HEADER.size])):
        raise damaged("its checksum does not fit its content")
    # The checksum comes first: a damaged version byte must not pass for a newer version.
    if version > VERSION or flags & ~KNOWN_FLAGS:
        raise SchemaVersionError(
            f"A record has format version {version} with flags {flags:#04x}; this graphkit reads versions up to {VERSION} without flags.",
            hint="Read it with the version of graphkit that wrote it, or a newer one.",
            version=version,
            flags=flags,
        )
    if version != VERSION:
        raise damaged(f"format version {version} was never released")
    return body


def damaged(reason: str) -> CorruptCheckpointError:
    """Return the error of a record that is not what graphkit wrote; ``reason`` goes on after "A stored record is damaged: "."""
    return CorruptCheckpointError(
        f"A stored record is damaged: {reason}.",
        hint="Restore the database from a backup, or go on from an earlier checkpoint.",
        reason=reason,
    )
