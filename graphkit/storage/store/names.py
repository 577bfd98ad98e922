"""How items are named: namespaces, keys and patterns, checked once for every backend.

Backends know a namespace as a *path*, its segments with a dot after each: ``("a", "b")`` is ``a.b.``. A segment has no dot, so
the namespaces in or below another one are those whose path begins with its path.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from graphkit.errors import InvalidConfigError, InvalidIdError, InvalidNamespaceError

if TYPE_CHECKING:
    from graphkit.storage.store.items import Namespace

MAX_SEGMENTS: Final = 32
"""Strings in a namespace."""

MAX_NAMESPACE: Final = 1000
"""Characters of all strings of a namespace, with a dot for each."""

MAX_KEY: Final = 1000
"""Characters of a key."""

MAX_OFFSET: Final = 1 << 31

RESERVED: Final = frozenset({"graphkit", "langgraph"})
ANY: Final = "*"

_UNPRINTABLE: Final = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")


def checked_namespace(value: object) -> Namespace:
    """Return the namespace of an item.

    Raises:
        InvalidNamespaceError: It is empty, not well-formed, or begins with a reserved string.
    """
    namespace = checked_prefix(value)
    if not namespace:
        raise _refused(value, "it is empty", 'Name at least one level, as in ("memories",).')
    return namespace


def checked_prefix(value: object) -> Namespace:
    """Return what a namespace may begin with; ``()`` is the beginning of all.

    Raises:
        InvalidNamespaceError: It is not well-formed, or begins with a reserved string.
    """
    namespace = checked_pattern(value)
    if namespace and namespace[0] in RESERVED:
        raise _refused(value, f"namespaces that begin with {namespace[0]!r} are reserved", "Choose another first string.")
    return namespace


def checked_pattern(value: object) -> Namespace:
    """Return a pattern, in which ``"*"`` stands for any one string.

    Raises:
        InvalidNamespaceError: It is not well-formed.
    """
    if not isinstance(value, tuple):
        raise _refused(
            value, f"it is a {type(value).__name__}, not a tuple", 'Write ("memories", user_id), or ("memories",) for one level.'
        )
    for segment in value:
        if not isinstance(segment, str) or not segment:
            raise _refused(value, f"{segment!r:.80} is no string with something in it", "Use non-empty strings; str(number) for a number.")
        if "." in segment or _UNPRINTABLE.search(segment):
            raise _refused(value, f"{segment!r:.80} has a dot or an unprintable character in it", "Replace those, for example by '-'.")
    if len(value) > MAX_SEGMENTS or sum(map(len, value)) + len(value) > MAX_NAMESPACE:
        reason = f"it has more than {MAX_SEGMENTS} strings, or more than {MAX_NAMESPACE} characters"
        raise _refused(value, reason, "Put what is long into the value.")
    return tuple([str.__str__(segment) for segment in value])


def checked_key(value: object) -> str:
    """Return a key as it is.

    Raises:
        InvalidIdError: It is not a string of 1 to MAX_KEY printable characters.
    """
    if not isinstance(value, str) or not 1 <= len(value) <= MAX_KEY or _UNPRINTABLE.search(value):
        raise InvalidIdError(
            f"{value!r:.80} is no key of an item.", hint=f"Use a string of 1 to {MAX_KEY} printable characters.", key=value
        )
    return str.__str__(value)


def checked_offset(value: object) -> int:
    """Return an offset as it is.

    Raises:
        InvalidConfigError: It is no int from 0 to MAX_OFFSET.
    """
    return checked_count(value, "offset", 0)


def checked_count(value: object, name: str, least: int) -> int:
    """Return an argument as it is.

    Raises:
        InvalidConfigError: It is no int from ``least`` to MAX_OFFSET.
    """
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= MAX_OFFSET:
        raise InvalidConfigError(
            f"{name}={value!r:.80} is out of range.", hint=f"Use an int from {least} to {MAX_OFFSET}.", **{name: value}
        )
    return value


def path_of(namespace: Namespace) -> str:
    """Return the path of a namespace."""
    return "".join([f"{segment}." for segment in namespace])


def namespace_of(path: str) -> Namespace:
    """Return the namespace of a path."""
    return tuple(path.split(".")[:-1])


def literal(pattern: Namespace) -> Namespace:
    """Return the part of a pattern before its first wildcard."""
    return pattern[: pattern.index(ANY)] if ANY in pattern else pattern


def begins(namespace: Namespace, pattern: Namespace) -> bool:
    """Tell whether a namespace begins as a pattern says."""
    return len(namespace) >= len(pattern) and _fits(namespace[: len(pattern)], pattern)


def ends(namespace: Namespace, pattern: Namespace) -> bool:
    """Tell whether a namespace ends as a pattern says."""
    return len(namespace) >= len(pattern) and _fits(namespace[len(namespace) - len(pattern) :], pattern)


def _fits(segments: Namespace, pattern: Namespace) -> bool:
    return all([wanted in (ANY, segment) for segment, wanted in zip(segments, pattern, strict=True)])


def _refused(value: object, reason: str, hint: str) -> InvalidNamespaceError:
    return InvalidNamespaceError(f"{value!r:.200} is no namespace: {reason}.", hint=hint, namespace=value)
