"""Bytes to values. Everything that can come out stands in the registry and in the kinds every codec knows.

Nothing is imported and nothing is looked up by a name from the data. A stored ZoneInfo is the one value that reads a file:
the description of that zone in the machine's time zone database, if there is one of that name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import ormsgpack

from graphkit.errors import GraphkitError, UnknownTypeError, nearest
from graphkit.serde.depth import MAX_DEPTH, depth_bound, exceeds
from graphkit.serde.parts import exactly
from graphkit.serde.record import damaged
from graphkit.serde.registry import builders
from graphkit.serde.shapes import SHAPE_NAMES

if TYPE_CHECKING:
    from graphkit.serde.registry import Registry

GUARDED_LEVEL: Final = 3
"""From here on, the content of an extension is measured before C recurses into it. Less cannot overflow a C stack:
ormsgpack stops at 1,022 levels in each extension."""

_SAFE_DEPTH: Final = 4 * MAX_DEPTH
"""More than any record of ours: a container takes up to three levels in MessagePack."""


class Reader:
    """Reads one body. Made for each call, so that threads share nothing."""

    __slots__ = ("_builders", "_failure", "_level", "_measured", "_registry")

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._builders = builders()
        self._level = 0
        self._measured = False
        self._failure: BaseException | None = None

    def read(self, body: bytes) -> object:
        """Return the value.

        Raises:
            CorruptCheckpointError: The body is not what a writer wrote.
            UnknownTypeError: It names a type that is not registered, or fields that the registered class does not have.
        """
        try:
            return ormsgpack.unpackb(body, ext_hook=self._extension)
        except Exception as error:
            # ormsgpack swallows what its callback raises, a KeyboardInterrupt too.
            if self._failure is not None:
                raise self._failure from self._failure.__cause__
            raise damaged(f"its content cannot be read ({error})") from error

    def _extension(self, code: int, payload: bytes) -> object:
        self._level += 1
        try:
            if self._level >= GUARDED_LEVEL and not self._measured:
                return self._guarded(code, payload)
            return self._build(code, payload)
        except BaseException as error:
            if self._failure is None:
                self._failure = _translated(error, code)
            raise
        finally:
            self._level -= 1

    def _guarded(self, code: int, payload: bytes) -> object:
        if depth_bound(payload) > _SAFE_DEPTH and exceeds(payload, _SAFE_DEPTH):
            raise damaged("it nests deeper than graphkit writes")
        self._measured = True
        try:
            return self._build(code, payload)
        finally:
            self._measured = False

    def _build(self, code: int, payload: bytes) -> object:
        stored = exactly(list, ormsgpack.unpackb(payload, ext_hook=self._extension))
        build = self._builders.get(code)
        if build is not None:
            return build(*stored)
        if code not in SHAPE_NAMES:
            raise damaged(f"it holds a value of the unknown kind {code}")
        tag = exactly(str, stored[0])
        shape = self._registry.shape(tag)
        if shape is None:
            raise _unregistered(tag, self._registry.tags())
        if shape.code != code:
            raise UnknownTypeError(
                f"A stored {tag!r} was a {SHAPE_NAMES[code]}, but the registered class is a {SHAPE_NAMES[shape.code]}.",
                hint="Register the class as it was under this tag, or move the stored data to the new form.",
                tag=tag,
            )
        return shape.build(*stored[1:])


def _unregistered(tag: str, known: tuple[str, ...]) -> UnknownTypeError:
    return UnknownTypeError(
        f"A stored record holds a {tag!r}, which is not registered.",
        hint=f"Register its class: codec.register(Class), or register(Class, tag={tag!r}) if it was renamed. {nearest(tag, known)}",
        tag=tag,
    )


def _translated(error: BaseException, code: int) -> BaseException:
    if isinstance(error, GraphkitError) or not isinstance(error, Exception):
        return error
    corrupt = damaged(f"a value of kind {code} cannot be rebuilt ({type(error).__name__}: {error})")
    corrupt.__cause__ = error
    return corrupt
