"""Any value to one framed record, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphkit.errors import DefinitionError
from graphkit.serde.reader import Reader
from graphkit.serde.record import damaged, frame, unframe
from graphkit.serde.registry import Registry, reachable
from graphkit.serde.writer import CANONICAL, STORED, write

if TYPE_CHECKING:
    from collections.abc import Iterable


class Codec:
    """Turns values into records and back, exactly: what comes out equals what went in and has the same types.

    Knows the standard library's data types and graphkit's own; other classes have to be registered. Safe to share between
    threads.

    Args:
        types: Classes to register.
    """

    def __init__(self, types: Iterable[type] = ()) -> None:
        self._registry = Registry()
        self.register(*types)

    def register(self, *types: type, tag: str | None = None) -> None:
        """Allow instances of these classes, and of the classes their fields are annotated with, in records.

        Repeating it changes nothing. A class may have several tags: all are read, which is how a renamed class reads its old
        records.

        Args:
            types: Dataclasses, pydantic models, enums, NamedTuples, exceptions, subclasses of builtin types.
            tag: What to write into records, for exactly one class. Without it: ``module:qualified.name``.

        Raises:
            DefinitionError: One of them is no such class, or a tag belongs to another class.
        """
        if tag is not None and len(types) != 1:
            raise DefinitionError(
                f"The tag {tag!r} was given for {len(types)} classes; a tag belongs to one.", hint="Register them one by one.", tag=tag
            )
        for kind in types:
            self._registry.add(kind, tag)
            self.register_schema(kind)

    def register_schema(self, annotation: object) -> None:
        """Register every class that ``reachable(annotation)`` finds."""
        for kind in reachable(annotation):
            self._registry.add(kind)

    def encode(self, value: object) -> bytes:
        """Return the record of ``value``: at most ``MAX_BYTES``, of which 12 are the frame.

        Raises:
            UnserializableValueError: ``facts["path"]`` and ``facts["type_name"]`` say what cannot be stored.
        """
        return frame(write(self._registry.kinds, STORED, value))

    def decode(self, record: bytes | bytearray | memoryview) -> object:
        """Return the value of ``record``.

        Raises:
            CorruptCheckpointError: The record is damaged.
            SchemaVersionError: A newer graphkit wrote it.
            UnknownTypeError: It holds a type that is not registered, or that has changed.
        """
        if not isinstance(record, bytes):
            if not isinstance(record, bytearray | memoryview):
                raise damaged(f"it is a {type(record).__name__}, not bytes")
            record = bytes(record)
        return Reader(self._registry).read(unframe(record))

    def digest(self, value: object) -> str:
        """Return 32 hexadecimal digits that depend on the content and the types of ``value``.

        The same in every process. Dicts and sets count in any order. Numbers that are written differently differ, equal or
        not: 0.0 and -0.0, Decimal("1.0") and Decimal("1.00").

        Raises:
            UnserializableValueError: As ``encode``.
        """
        from hashlib import blake2b  # noqa: PLC0415 - loads OpenSSL, which importing graphkit should not

        return blake2b(write(self._registry.kinds, CANONICAL, value), digest_size=16).hexdigest()
