"""From a function to the graph that runs it: one node, whose input lasts one superstep and whose result is the state.

The graph has three keys: the input, which is gone once the function has returned; ROOT, what it returned last; and what
it saved with ``entrypoint.final``, if that is something else.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar, cast

from graphkit.core.channels import EphemeralValue, LastValue
from graphkit.core.command import END, ROOT, START
from graphkit.core.graph import GraphSpec, NodeSpec
from graphkit.func.body import aperform, body, limited, perform
from graphkit.graph.assemble import Parts
from graphkit.graph.schema import Field, Schema
from graphkit.graph.signature import read_signature
from graphkit.runtime import Action, Handed
from graphkit.scope import current

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from graphkit.core.policy import RetryPolicy
    from graphkit.core.task import Write
    from graphkit.graph.signature import Signature
    from graphkit.runtime import Service
    from graphkit.scope import Scope

    Ways: TypeAlias = tuple[Callable[..., object] | None, Callable[..., object] | None]
    """What the sync driver calls and what the async driver calls."""

INPUT = "__input__"
SAVED = "__saved__"

ValueT = TypeVar("ValueT")
SaveT = TypeVar("SaveT")


@dataclass(frozen=True, slots=True)
class Final(Generic[ValueT, SaveT]):
    """What an entrypoint returns if the caller is to get one thing and the thread is to keep another.

    Args:
        value: Goes to the caller.
        save: Is ``previous`` in the next call on the thread.
    """

    value: ValueT
    save: SaveT


def assemble(
    function: Callable[..., Any], name: str, retries: tuple[RetryPolicy, ...], timeout: float | None, context_schema: type | None
) -> Parts:
    """Return the parts of the graph that runs ``function``.

    Raises:
        InvalidGraphError: It needs a parameter that nothing fills.
    """
    signature, services = _read(function, name)
    ways = _async_ways(function, name, timeout) if signature.is_async else _sync_ways(function)
    action = Action(ways[0], ways[1], _input, _as_result, services, (), signature.takes_state, retries)
    returned = LastValue(signature.returns)
    fields = {
        ROOT: Field(ROOT, signature.returns, returned, start=_nothing),
        INPUT: Field(INPUT, signature.state_type, EphemeralValue()),
        SAVED: Field(SAVED, object, LastValue()),
    }
    nodes = {START: NodeSpec(START, Action(None, None, _input, _as_input), (name,)), name: NodeSpec(name, action)}
    spec = GraphSpec(
        name=name,
        nodes=nodes,
        channels={key: field.channel for key, field in fields.items()},
        joins={},
        starts=((ROOT, _nothing),),
        passing=(INPUT,),
        untracked=frozenset(),
        checks={},
        conditional_entry=False,
    )
    state = Schema(object, "root", {ROOT: fields[ROOT]})
    lines = ((START, name, None, False), (name, END, None, False))
    return Parts(spec, state, state, state, fields, _as_input, _as_result, context_schema, {}, action.needs_loop, lines, {name: {}})


def _sync_ways(function: Callable[..., Any]) -> Ways:
    def run(*given: object, **filled: object) -> Handed:
        scope = cast("Scope", current())
        return _handed(scope, perform(body(scope, partial(function, *given, **filled), asynchronous=False)))

    return run, None


def _async_ways(function: Callable[..., Any], name: str, timeout: float | None) -> Ways:
    async def run(*given: object, **filled: object) -> Handed:
        scope = cast("Scope", current())
        start = partial(function, *given, **filled)
        if timeout is not None:
            start = partial(limited, start, timeout, f"Entrypoint {name!r}")
        return _handed(scope, await aperform(body(scope, start, asynchronous=True)))

    return None, run


def _read(function: Callable[..., Any], name: str) -> tuple[Signature, tuple[tuple[str, Service], ...]]:
    """Read the parameters; ``previous`` is a service of entrypoints alone."""
    takes_previous = "previous" in inspect.signature(function).parameters
    signature = read_signature(partial(function, previous=None) if takes_previous else function, f"entrypoint {name!r}")
    return signature, (*signature.services, ("previous", previous_of)) if takes_previous else signature.services


def previous_of(scope: Scope) -> object:
    """Return what the last finished call on the thread saved, None before the first."""
    values = scope.task.checkpoint.values
    saved = cast("tuple[object, ...]", values.get(SAVED, ()))
    return saved[0] if saved else values.get(ROOT)


def _handed(scope: Scope, returned: object) -> Handed:
    return Handed(_as_result(returned, scope.task.checkpoint.values, None))


def _as_result(returned: object, current: Mapping[str, object], _seen: object) -> tuple[Write, ...]:
    if isinstance(returned, Final):
        return ((ROOT, returned.value), (SAVED, (returned.save,)))
    return ((ROOT, returned), (SAVED, ())) if current.get(SAVED) else ((ROOT, returned),)


def _as_input(given: object, _current: Mapping[str, object], _seen: object) -> tuple[Write, ...]:
    return ((INPUT, given),)


def _input(values: Mapping[str, object], _remaining: int) -> object:
    return values.get(INPUT)


def _nothing() -> None:
    return None
