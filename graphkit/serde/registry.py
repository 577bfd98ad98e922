"""The closed world: which types may come out of a record, by tag. Decoding asks here and nowhere else."""

from __future__ import annotations

import sys
import typing
from enum import Enum
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, get_args, get_origin

from graphkit.core.command import Command, Interrupt, Missing, Overwrite, Send
from graphkit.core.policy import TimeoutPolicy
from graphkit.errors import DefinitionError
from graphkit.serde.own import OWN_TAGS, is_own, own_shapes
from graphkit.serde.shapes import Shape, compact_shape, is_model, shape_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from graphkit.serde.parts import Kind, Standard

CORE_TAGS: Final[Mapping[str, type]] = MappingProxyType(
    {"send": Send, "command": Command, "overwrite": Overwrite, "interrupt": Interrupt, "missing": Missing, "timeout": TimeoutPolicy}
)
"""graphkit's own values. A default tag has a colon, so no user class can take one of these by accident."""

_NATIVE: Final = frozenset({type(None), bool, float, bytes, list})
"""What MessagePack keeps by itself."""

_FRAMEWORKS: Final = frozenset({"abc", "builtins", "enum", "pydantic.main", "pydantic.root_model", "typing"})
"""Modules whose classes are there to be subclassed; no value has exactly such a type."""


class Kinds(dict[type, "Kind | None"]):
    """How to take apart the values of each known type; any other type gives None.

    Args:
        known: Those known from the start.
        learn_own: Called when a class of graphkit's own is met that is not known yet.
    """

    def __init__(self, known: Mapping[type, Kind], learn_own: Callable[[], None]) -> None:
        super().__init__(known)
        self._learn_own = learn_own

    def __missing__(self, kind: type) -> Kind | None:
        if not is_own(kind):
            return None
        self._learn_own()
        return self.get(kind)


class Registry:
    """The types of one codec.

    Attributes:
        kinds: How to take apart the values of each known type.
    """

    def __init__(self) -> None:
        self.kinds = Kinds(_standard(), self._learn_own)
        self._shapes: dict[str, Shape] = {}
        for tag, kind in CORE_TAGS.items():
            self.add(kind, tag)

    def add(self, kind: type, tag: str | None = None) -> None:
        """Learn ``kind``. A class may have several tags: all are read; the last one given by name is written.

        Raises:
            DefinitionError: The tag belongs to another class, or graphkit does not know how to store such a class.
        """
        _check_class(kind)
        if tag in OWN_TAGS or is_own(kind):
            self._learn_own()
        if kind in _standard() or kind in _NATIVE or is_typeddict(kind) or (tag is None and kind in self.kinds):
            return
        default = default_tag(kind)
        shape = _shape(kind, default if tag is None else tag)
        self._claim(shape.tag, kind, shape)
        # Records from before the class had a tag of its own stay readable.
        self._shapes.setdefault(default, shape)
        self.kinds[kind] = shape

    def shape(self, tag: str) -> Shape | None:
        """Return the shape that is registered under ``tag``."""
        if tag in OWN_TAGS:
            self._learn_own()
        return self._shapes.get(tag)

    def tags(self) -> tuple[str, ...]:
        """Return every registered tag."""
        return tuple(self._shapes)

    def _learn_own(self) -> None:
        for shape in own_shapes():
            self._claim(shape.tag, shape.kind, shape)
            self.kinds[shape.kind] = shape

    def _claim(self, tag: str, kind: type, shape: Shape) -> None:
        holder = self._shapes.get(tag)
        if holder is not None and holder.kind is not kind:
            raise DefinitionError(
                f"The tag {tag!r} belongs to another class, {holder.kind!r}; {kind!r} cannot have it too.",
                hint="Give one of them a tag of its own: register(Class, tag='name').",
                tag=tag,
            )
        self._shapes[tag] = shape


def is_typeddict(kind: object) -> bool:
    """Tell whether a class is a TypedDict, the standard library's or that of typing_extensions; its values are plain dicts."""
    extensions = sys.modules.get("typing_extensions")
    return typing.is_typeddict(kind) or (extensions is not None and extensions.is_typeddict(kind))


def default_tag(kind: type) -> str:
    """Return the tag of a class that was registered without one: ``module:qualified.name``."""
    return f"{kind.__module__}:{kind.__qualname__}"


def builders() -> Mapping[int, Callable[..., object]]:
    """Return, for each extension code of a standard kind, what puts its values together."""
    return _builders()


def reachable(annotation: object) -> frozenset[type]:
    """Return the classes that have to be registered so that values of ``annotation`` can be stored.

    These are the dataclasses, pydantic models, enums, NamedTuples, exceptions and subclasses of builtin types in it, in the
    annotations of their fields, and so on. References that cannot be resolved are passed over: a value of such a class
    fails when it is encoded, with a hint to register it.

    Args:
        annotation: A class (a state schema, for example) or any type expression.
    """
    found: set[type] = set()
    seen: set[int] = set()
    waiting: list[object] = [annotation]
    kept: list[object] = []
    while waiting:
        item = waiting.pop()
        if id(item) in seen:
            continue
        # Expressions are made on the fly; while they are kept, no other object can get their id.
        seen.add(id(item))
        kept.append(item)
        if isinstance(item, type) and get_origin(item) is None and _storable(item):
            found.add(item)
        # Only classes whose instances are stored are looked into, and what was asked for.
        if not isinstance(item, type) or item in found or item is annotation or is_typeddict(item):
            waiting.extend(_within(item))
    return frozenset(found)


def _within(item: object) -> Iterator[object]:
    if isinstance(item, list | tuple):
        yield from item
        return
    origin = get_origin(item)
    if origin is typing.Annotated:
        yield get_args(item)[0]
    elif origin is typing.Literal:
        yield from (type(value) for value in get_args(item) if isinstance(value, Enum))
    elif origin is not None:
        yield origin
        yield from get_args(item)
    elif isinstance(item, typing.TypeVar):
        yield from (item.__bound__, *item.__constraints__)
    elif isinstance(item, typing.NewType):
        yield item.__supertype__
    elif isinstance(item, type):
        yield from _annotations(item)
    else:
        yield from _aliased(item)


def _aliased(item: object) -> Iterator[object]:
    """The value of a ``type X = ...`` statement, which Python has since 3.12."""
    value = getattr(item, "__value__", None)
    if type(item).__name__ == "TypeAliasType" and value is not None:
        yield value


def _annotations(kind: type) -> Iterator[object]:
    if kind.__module__ in _FRAMEWORKS or kind in _standard():
        return
    yield from getattr(kind, "__orig_bases__", ())
    if is_model(kind):
        yield from (field.annotation for field in kind.model_fields.values())  # type: ignore[attr-defined]
    yield from _hints(kind).values()


def _hints(kind: type) -> dict[str, object]:
    try:
        return typing.get_type_hints(kind, include_extras=True)
    except Exception:  # noqa: BLE001 - resolving runs what the annotations say, and one bad name must not hide the others
        return {name: hint for parent in kind.__mro__ for name, hint in _single_hints(parent)}


def _single_hints(kind: type) -> Iterator[tuple[str, object]]:
    names = getattr(sys.modules.get(kind.__module__), "__dict__", {})
    for name, hint in vars(kind).get("__annotations__", {}).items():
        holder = type("Holder", (), {"__annotations__": {name: hint}})
        try:
            yield from typing.get_type_hints(holder, names, dict(vars(kind)), include_extras=True).items()
        except Exception:  # noqa: BLE001, S112 - as above: this name stays unknown
            continue


def _storable(kind: type) -> bool:
    if kind.__module__ in _FRAMEWORKS or kind in _standard() or is_typeddict(kind):
        return False
    return shape_of(kind, "") is not None


def _check_class(kind: object) -> None:
    if get_origin(kind) is not None or not isinstance(kind, type):
        raise DefinitionError(
            f"{kind!r} is not a class, so it cannot be registered.",
            hint="Register classes; for a type expression use register_schema().",
        )


def _shape(kind: type, tag: str) -> Shape:
    if not tag:
        raise DefinitionError(f"{kind!r} cannot have an empty tag.", hint="Leave the tag out, or give it a name.")
    # The same bytes, and the same digest, as before a Send could have a timeout.
    shape = compact_shape(kind, tag) if kind is Send else shape_of(kind, tag)
    if shape is None:
        raise DefinitionError(
            f"graphkit does not know how to store instances of {kind!r}.",
            hint="Make it a dataclass, pydantic model, enum, NamedTuple, exception or a subclass of a builtin type.",
        )
    return shape


@cache
def _standard() -> Mapping[type, Standard]:
    from graphkit.serde.standard import standard_kinds  # noqa: PLC0415 - its imports take longer than all of serde, so they wait for a codec

    return MappingProxyType(standard_kinds())


@cache
def _builders() -> Mapping[int, Callable[..., object]]:
    return MappingProxyType({kind.code: kind.build for kind in _standard().values()})
