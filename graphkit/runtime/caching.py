"""One node run with a cache: a result that is kept is used in place of running the node, with its routing.

A cache never fails a run: an entry that is not there, cannot be read or cannot be written costs a run of the node.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from graphkit.core.command import MISSING
from graphkit.core.failure import unserializable
from graphkit.core.task import Done, Failed
from graphkit.errors import StorageError, UnserializableValueError
from graphkit.runtime.action import NO_SERVICES
from graphkit.storage.records import send_form, send_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from graphkit.core.graph import GraphSpec
    from graphkit.core.task import Outcome, Task
    from graphkit.runtime.action import Action, Cached, Calls
    from graphkit.storage.cache import FullKey


def cached(spec: GraphSpec, run: Callable[[], Calls], task: Task, *, asynchronous: bool) -> Calls:
    """Return what the cache has for the task; run the node, and keep what comes of it, if it has nothing.

    What came of a person's answer is not kept: it does not depend on the node's input alone.
    """
    action = cast("Action", spec.nodes[task.node].action)
    kept = cast("Cached", action.cached)
    if task.answers:
        return (yield from run())
    try:
        key = _key(kept, action, task)
    except UnserializableValueError as error:
        return Failed.of(unserializable(error, task.node))
    except Exception as error:  # noqa: BLE001 - key_func and what reads the state are the user's
        return Failed.of(error)
    try:
        found = yield (kept.cache.aget if asynchronous else kept.cache.get), ([key],), NO_SERVICES
    except StorageError:
        found = {}
    known = _outcome(spec, cast("dict[FullKey, Any]", found).get(key))
    if known is not None:
        return known
    outcome: Outcome = yield from run()
    if isinstance(outcome, Done) and not outcome.children:
        try:
            yield (kept.cache.aset if asynchronous else kept.cache.set), ({key: (_form(outcome), kept.policy.ttl)},), NO_SERVICES
        except UnserializableValueError as error:
            return Failed.of(unserializable(error, task.node))
        except StorageError:
            return outcome
    return outcome


def _key(kept: Cached, action: Action, task: Task) -> FullKey:
    arg = task.trigger.arg
    seen = arg if arg is not MISSING else action.read(task.checkpoint.values, task.remaining)
    about = seen if kept.policy.key_func is None else kept.policy.key_func(seen)
    return kept.namespace, kept.cache.codec.digest(about)


def _form(outcome: Done) -> list[object]:
    """Return a result as it is kept: updates and routing are one record."""
    return [[list(write) for write in outcome.writes], list(outcome.goto), [send_form(send) for send in outcome.sends]]


def _outcome(spec: GraphSpec, form: Any) -> Done | None:  # noqa: ANN401 - whatever was in the cache
    """Return the result that was kept; None for one of another form, or of a graph that had other keys and nodes."""
    try:
        writes, goto, sends = form
        done = Done(tuple([(key, value) for key, value in writes]), tuple(goto), tuple([send_of(sent) for sent in sends]), cached=True)
    except (TypeError, ValueError):
        return None
    fits = {key for key, _ in done.writes} <= spec.channels.keys() and {
        *done.goto,
        *[send.node for send in done.sends],
    } <= spec.nodes.keys()
    return done if fits else None
