"""once(): an action that happens one time, whatever runs again."""

from __future__ import annotations

from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, TypeVar, cast

from graphkit.core.effects import Commit, Memo
from graphkit.errors import InvalidConfigError
from graphkit.scope.scope import is_name, require

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from graphkit.scope.scope import Scope

T = TypeVar("T")


def once(key: str, fn: Callable[..., T], *args: object, **kwargs: object) -> T:
    """Run ``fn`` one time for this task and return its result, remembered over reruns, resumes and processes.

    The result is stored as soon as ``fn`` returns. If the process dies inside ``fn``, or before the result is stored,
    ``fn`` runs again: make it idempotent with a key of its own if even that must not happen. Without a checkpointer the
    result is remembered for this attempt only; with ``durability="exit"`` a crash forgets it, as it forgets the run.

    Args:
        key: Names the action, unique in the task.
        fn: A function, or a coroutine function; for the latter the result has to be awaited.
        *args: Passed to ``fn``.
        **kwargs: Passed to ``fn``.

    Raises:
        UnserializableValueError: The result cannot be stored.
        OutsideRunError: No node is running.
    """
    scope = require("once()")
    if not is_name(key):
        raise InvalidConfigError(f"once() takes a non-empty string as its key, not {key!r}.")
    if iscoroutinefunction(fn):
        return cast("T", _once_later(scope, scope.prefix + key, fn, args, kwargs))
    key = scope.prefix + key
    memos = scope.task.memos if key in scope.task.memos else scope.memos
    if key not in memos:
        _settle(scope)
        if scope.run.hold is not None:
            scope.run.hold.secure()
        result = fn(*args, **kwargs)
        scope.remember(key, result)
        if scope.run.hold is not None:
            hold = scope.run.hold
            hold.write(hold.prepare(scope.run.namespace, _memo(scope, key, result)))
        return result
    return cast("T", memos[key])


async def _once_later(
    scope: Scope, key: str, fn: Callable[..., Awaitable[object]], args: tuple[object, ...], kwargs: dict[str, object]
) -> object:
    memos = scope.task.memos if key in scope.task.memos else scope.memos
    if key not in memos:
        _settle(scope)
        if scope.run.hold is not None:
            await scope.run.hold.asecure()
        result = await fn(*args, **kwargs)
        scope.remember(key, result)
        if scope.run.hold is not None:
            hold = scope.run.hold
            await hold.awrite(hold.prepare(scope.run.namespace, _memo(scope, key, result)))
        return result
    return memos[key]


def _settle(scope: Scope) -> None:
    """Let the checkpoint the task belongs to become durable: if it failed, the next run would not find the memory."""
    if scope.run.settle is not None:
        scope.run.settle()


def _memo(scope: Scope, key: str, value: object) -> Commit:
    return Commit(memos=(Memo(scope.task.id, scope.task.checkpoint.n, key, value),))
