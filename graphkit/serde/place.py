"""Where in a value something is, and the errors that say so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from graphkit.errors import UnserializableValueError
from graphkit.serde.depth import MAX_DEPTH
from graphkit.serde.record import MAX_BYTES
from graphkit.serde.shapes import is_secret, shape_of

if TYPE_CHECKING:
    from collections.abc import Iterator

_LONGEST_KEY: Final = 60
_LONGEST_PATH: Final = 200
_PRINTABLE: Final = frozenset({str, int, float, bool, bytes, type(None)})

FLATTER: Final = "Store it flatter, or refer to the inner part by an id."


class Place(NamedTuple):
    """The place of a value inside of its container.

    Args:
        parent: The place of the container; None when that is the value given to ``encode``.
        holder: The container.
        form: How the label is written: "key" as ``.key`` or ``['odd key']``, "item" as ``[3]``, "name" (a key itself, which is no
            plain value) as ``.keys()[3]``, "member" (of a set) as ``{*}``.
        label: The key or the index.
    """

    parent: Place | None
    holder: object
    form: Literal["key", "item", "name", "member"]
    label: object


def path_of(place: Place | None) -> str:
    """Return the path of a place, as in ``$.messages[3].meta``."""
    return "$" + "".join(map(_label, reversed(list(_upwards(place)))))


def refused(value: object, place: Place | None, reason: str, hint: str) -> UnserializableValueError:
    """Return the error for ``value`` at ``place``."""
    path = path_of(place)
    name = _type_name(type(value))
    shown = path if len(path) <= _LONGEST_PATH else f"{path[: _LONGEST_PATH // 2]} ... {path[-_LONGEST_PATH // 4 :]}"
    return UnserializableValueError(f"A value of type {name} at {shown} cannot be stored: {reason}.", hint=hint, path=path, type_name=name)


def unknown(value: object, place: Place | None) -> UnserializableValueError:
    """Return the error for a value of a type that is not registered."""
    kind = type(value)
    if is_secret(value):
        return refused(
            value, place, "secrets are not written to databases", "Keep it out of the state: read it from the context where it is used."
        )
    if isinstance(value, type) or callable(value):
        return refused(value, place, "it is code, not data", "Store a name, and look it up where it is used.")
    if isinstance(value, memoryview):
        return refused(value, place, "it is a view of memory that belongs to something else", "Store bytes(view).")
    if kind.__module__.partition(".")[0] in {"numpy", "pandas", "torch"}:
        return refused(value, place, "arrays and their scalars are not stored", "Convert it: .tolist() for an array, .item() for a scalar.")
    if shape_of(kind, "") is not None:
        return refused(
            value,
            place,
            "its class is not registered",
            f"Register it: codec.register({kind.__name__}), or name the class in the state schema.",
        )
    return refused(value, place, "graphkit does not know how", "Keep it out of the state, or store it as a dataclass or a plain value.")


def too_deep(value: object, place: Place | None) -> UnserializableValueError:
    """Return the error for a container that is nested too deeply, or that contains itself."""
    places = list(_upwards(place))[::-1]
    seen: set[int] = set()
    for step, held in zip(places, [*[step.holder for step in places[1:]], value], strict=True):
        seen.add(id(step.holder))
        if id(held) in seen:
            return refused(held, step, "it contains itself", "Break the cycle: refer to the outer part by an id.")
    return refused(value, place, f"it is nested deeper than {MAX_DEPTH} levels", FLATTER)


def too_large(value: object, size: int) -> UnserializableValueError:
    """Return the error for a record that would exceed the limit."""
    reason = f"it takes {size:,} bytes, and a record has at most {MAX_BYTES:,}"
    return refused(value, None, reason, "Keep large data in files or a store of its own, and its address in the state.")


def _upwards(place: Place | None) -> Iterator[Place]:
    while place is not None:
        yield place
        place = place.parent


def _label(place: Place) -> str:
    match place.form:
        case "member":
            return "{*}"
        case "name":
            return f".keys()[{place.label}]"
        case "key" if type(place.label) is str and place.label.isidentifier():
            return f".{place.label}"
        case _:
            shown = _shown(place.label)
            return f"[{shown}]"


def _shown(key: object) -> str:
    # The repr of a user's class could do anything; a key of such a class is shown by its type.
    text = repr(key) if type(key) in _PRINTABLE else f"<{_type_name(type(key))}>"
    return text if len(text) <= _LONGEST_KEY else f"{text[:_LONGEST_KEY]}..."


def _type_name(kind: type) -> str:
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
