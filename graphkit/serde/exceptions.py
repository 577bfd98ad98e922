"""Exceptions as data: class, arguments and attributes; no traceback, cause or context."""

from __future__ import annotations

import builtins
from typing import TYPE_CHECKING, Final

from graphkit.errors import UnknownTypeError
from graphkit.serde.parts import Parts, exactly

if TYPE_CHECKING:
    from collections.abc import Mapping

BUILTIN_ERRORS: Final[Mapping[str, type[BaseException]]] = {
    name: kind
    for name, kind in vars(builtins).items()
    if isinstance(kind, type) and issubclass(kind, BaseException) and kind.__name__ == name and not name.startswith("_")
}
"""The exception classes of Python itself, by name."""

_DETAILS: Final[Mapping[type[BaseException], tuple[str, ...]]] = {
    OSError: ("filename", "filename2"),
    ImportError: ("name", "path"),
    NameError: ("name",),
    AttributeError: ("name",),
}
"""What these classes keep outside of ``args``. ``AttributeError.obj`` is left out: it can be anything."""


def error_state(error: BaseException) -> dict[object, object]:
    """Return what is stored of an exception: its arguments and attributes; no traceback, cause or context."""
    state: dict[object, object] = {"args": list(error.args), "attributes": dict(vars(error))}
    for kind, names in _DETAILS.items():
        if isinstance(error, kind):
            state |= {name: found for name in names if (found := getattr(error, name)) is not None}
    return state


def error_from(kind: type[BaseException], stored: object) -> BaseException:
    """Undo ``error_state``, up to the attributes. Runs ``__new__`` and ``__init__`` of the builtin base, never those of ``kind``."""
    state = exactly(dict, stored)
    args = tuple(exactly(list, state["args"]))
    base = next(parent for parent in kind.__mro__ if BUILTIN_ERRORS.get(parent.__name__) is parent)
    wanted = args
    if issubclass(base, OSError) and len(args) == 2 and "filename" in state:
        wanted = (*args, state["filename"], None, state.get("filename2"))
    error = base.__new__(kind, *wanted)
    if type(error) is not kind:
        # OSError(2, ...) makes a FileNotFoundError; the stored one was an OSError all the same.
        error = base.__new__(kind)
    else:
        base.__init__(error, *wanted)
    error.args = args
    for parent, names in _DETAILS.items():
        if isinstance(error, parent) and parent is not OSError:
            for name in names:
                if name in state:
                    setattr(error, name, state[name])
    return error


def error_out(error: BaseException) -> Parts:
    """Take a builtin exception apart."""
    return Parts([type(error).__name__], (error_state(error),))


def error_in(name: str, state: object) -> BaseException:
    """Put a builtin exception together."""
    kind = BUILTIN_ERRORS.get(name)
    if kind is None:
        raise UnknownTypeError(
            f"A stored record holds the exception {name!r}, which this Python does not have.",
            hint="Read it with the version of Python that wrote it.",
            tag=name,
        )
    error = error_from(kind, state)
    vars(error).update(exactly(dict, exactly(dict, state)["attributes"]))
    return error
