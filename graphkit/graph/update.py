"""From what a node returns, or a caller passes as input, to checked writes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeAlias

from graphkit.core.channels import LastValue, is_overwrite, overwritten
from graphkit.core.command import ROOT, Overwrite
from graphkit.errors import InvalidStateError, InvalidUpdateError, StateError, UnknownKeyError, nearest

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from graphkit.core.task import Write
    from graphkit.graph.schema import Check, Field, Schema

    Update: TypeAlias = Callable[[object, Mapping[str, object], object], tuple[Write, ...]]


def update_reader(fields: Mapping[str, Field], schemas: Sequence[Schema]) -> Update:
    """Return the function that reads an update: (update, current values, what the node was handed) -> writes.

    Args:
        fields: The keys that may be written.
        schemas: Classes whose instances may be returned.

    The function raises InvalidUpdateError, UnknownKeyError or InvalidStateError; the caller adds the node's name.
    """
    known = frozenset([name for name, field in fields.items() if field.managed is None])
    checks = {name: field.check for name, field in fields.items() if field.check is not None and isinstance(field.channel, LastValue)}
    prepares = {name: field.prepare for name, field in fields.items() if field.prepare is not None}
    is_root = ROOT in known

    def read(update: object, current: Mapping[str, object], seen: object) -> tuple[Write, ...]:
        if is_root:
            return ((ROOT, _prepared(ROOT, update, prepares)),)
        if type(update) is not dict:
            update = _as_dict(update, current, seen, schemas)
        if not update.keys() <= known:
            raise _unknown(update, known, fields)
        if prepares and not prepares.keys().isdisjoint(update):
            update = {key: _prepared(key, value, prepares) for key, value in update.items()}
        if checks:
            return tuple([(key, _checked(key, value, checks)) for key, value in update.items()])
        return tuple(update.items())

    return read


def _as_dict(update: object, current: Mapping[str, object], seen: object, schemas: Sequence[Schema]) -> dict[str, object]:
    if isinstance(update, Mapping):
        return dict(update)
    for schema in schemas:
        given = schema.given(update, current, seen)
        if given is not None:
            return given
    raise InvalidUpdateError(
        f"Expected dict, got {str(update)[:80]!r} ({type(update).__name__}).",
        hint="Return None, a dict of state keys, an instance of the state schema, a Command, or a list with Commands.",
    )


def _unknown(update: Mapping[str, object], known: frozenset[str], fields: Mapping[str, Field]) -> InvalidUpdateError:
    wrong = next(key for key in update if key not in known)
    if wrong in fields:
        return InvalidUpdateError(f"The key {wrong!r} is computed by graphkit and cannot be written.", key=wrong)
    return UnknownKeyError(f"The key {wrong!r} is not in the state.", hint=nearest(wrong, known), key=wrong)


def _prepared(key: str, value: object, prepares: Mapping[str, Callable[[object], object]]) -> object:
    prepare = prepares.get(key)
    if prepare is None:
        return value
    try:
        return Overwrite(prepare(overwritten(value))) if is_overwrite(value) else prepare(value)
    except StateError as error:
        raise type(error)(f"The update of {key!r}: {error.message}", hint=error.hint, key=key, **error.facts) from error


def _checked(key: str, value: object, checks: Mapping[str, Check]) -> object:
    check = checks.get(key)
    if check is None:
        return value
    try:
        return Overwrite(check(value.value)) if isinstance(value, Overwrite) else check(value)
    except InvalidStateError as error:
        raise InvalidStateError(
            f"The update of {key!r} does not fit the schema: {error.message}", hint=error.hint, key=key
        ) from error.__cause__
