"""What was declared of nodes and routers, with the policies of nodes; ``declared`` adds what they leave open."""

from __future__ import annotations

import inspect
from dataclasses import field
from enum import Enum
from functools import partial
from typing import TYPE_CHECKING, Annotated, get_args, get_origin

from graphkit.core.command import Command
from graphkit.core.failure import node_error
from graphkit.core.record import record, replace
from graphkit.errors import InvalidGraphError
from graphkit.graph.signature import is_runnable, read_signature

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
    from datetime import timedelta

    from graphkit.core.policy import CachePolicy, RetryPolicy, TimeoutPolicy
    from graphkit.graph.schema import Schema
    from graphkit.graph.signature import Signature
    from graphkit.scope import Scope

HANDLER = "__error_handler__"
"""What the name of an error handler's node begins with; the name of the node that may fail follows."""


@record
class Handler:
    """An error handler as declared.

    Args:
        function: Takes the state, and ``error`` if it wants to.
        signature: What it wants.
        input_schema: What it sees; None for the state schema.
        destinations: Where its Command.goto may lead; None if not said.
        jumps: Whether it may return a Command, as far as annotations tell.
    """

    function: Callable[..., object]
    signature: Signature
    input_schema: Schema | None
    destinations: Mapping[str, str | None] | None
    jumps: bool


@record
class Policies:
    """What is to happen when a node fails or takes too long.

    Args:
        retries: When it runs again; of several the first that is about the exception decides.
        timeout: How long an attempt may take; None for no limit.
        handler: What handles its failures; None for nothing.
        cache: Whether its results are kept, if the graph has a cache; None for no.
    """

    retries: tuple[RetryPolicy, ...] = ()
    timeout: TimeoutPolicy | None = None
    handler: Handler | None = None
    cache: CachePolicy | None = None

    @staticmethod
    def read(
        retry_policy: RetryPolicy | Sequence[RetryPolicy] | None,
        timeout: TimeoutPolicy | float | timedelta | None,
        cache_policy: CachePolicy | None,
        handler: Handler | None,
    ) -> Policies:
        """Return policies as they were given, checked."""
        if retry_policy is None and timeout is None and cache_policy is None:
            return Policies(handler=handler)
        from graphkit.core.policy import CachePolicy, timeout_policy  # noqa: PLC0415 - most graphs have no policies

        if not isinstance(cache_policy, CachePolicy | None):
            raise InvalidGraphError(f"cache_policy={cache_policy!r} is no CachePolicy.", hint="Pass CachePolicy() or CachePolicy(ttl=60).")
        return Policies(_retries(retry_policy), timeout_policy(timeout), handler, cache_policy)

    def over(self, defaults: Policies) -> Policies:
        """Return these, and the defaults where there are none."""
        return Policies(
            self.retries or defaults.retries,
            self.timeout or defaults.timeout,
            self.handler or defaults.handler,
            self.cache or defaults.cache,
        )


NO_POLICIES = Policies()


@record
class NodeDeclaration:
    """A node as declared.

    Args:
        name: Its name.
        action: A function, coroutine function, callable object, an object with invoke and ainvoke, or a compiled graph.
        signature: What the function, or invoke, wants; None for a compiled graph.
        input_schema: What it sees; None for the state schema.
        defer: Whether it waits until nothing else is left to run.
        metadata: The user's; shown in drawings, nowhere else.
        destinations: Where Command.goto may lead, with labels; None if not said.
        jumps: Whether it may return a Command, as far as annotations tell.
        policies: Its own.
        handles: Whether it handles the failures of another node.
    """

    name: str
    action: object
    signature: Signature | None
    input_schema: Schema | None
    defer: bool = False
    metadata: Mapping[str, object] = field(default_factory=dict)
    destinations: Mapping[str, str | None] | None = None
    jumps: bool = False
    policies: Policies = NO_POLICIES
    handles: bool = False


@record
class RouterDeclaration:
    """A conditional edge as declared.

    Args:
        name: Unique among the routers of its node.
        function: Takes the state, returns where to go.
        signature: What the function wants.
        path_map: Result -> node; None if results are names.
        targets: Where it may lead, None if nobody said.
        input_schema: What it sees; None for the state schema.
    """

    name: str
    function: Callable[..., object]
    signature: Signature
    path_map: Mapping[Hashable, str] | None
    targets: tuple[str, ...] | None
    input_schema: Schema | None = None


def declared(nodes: Iterable[NodeDeclaration], defaults: Policies) -> tuple[NodeDeclaration, ...]:
    """Return the nodes with the defaults they leave open, and after them the nodes of their error handlers."""
    own = [replace(node, policies=node.policies.over(defaults)) for node in nodes]
    return (*own, *[_handling(node.name, node.policies.handler, defaults) for node in own if node.policies.handler is not None])


def _handling(name: str, handler: Handler, defaults: Policies) -> NodeDeclaration:
    """Return the node that handles the failures of another one; nothing handles its own."""
    return NodeDeclaration(
        HANDLER + name,
        handler.function,
        handler.signature,
        handler.input_schema,
        destinations=handler.destinations,
        jumps=handler.jumps,
        policies=replace(defaults, handler=None, cache=None),
        handles=True,
    )


def read_handler(function: object, owner: str, seen: Callable[[Signature], Schema | None]) -> Handler:
    """Read an error handler.

    Args:
        function: The function; its parameter ``error`` is filled with the NodeError.
        owner: For errors, as in "node 'a'".
        seen: Finds the schema of its state parameter.

    Raises:
        InvalidGraphError: It is no function, or a parameter cannot be filled.
    """
    if not callable(function) or is_runnable(function):
        raise InvalidGraphError(f"The error_handler of {owner} is {function!r}, which is no function.")
    what = f"the error handler of {owner}"
    if _wants_error(function):
        # A parameter that is filled already is not asked for again.
        signature = read_signature(partial(function, error=None), what)
        signature = replace(signature, services=(*signature.services, ("error", _error_of)))
    else:
        signature = read_signature(function, what)
    return Handler(function, signature, seen(signature), *jumps_of(signature, None))


def _wants_error(function: Callable[..., object]) -> bool:
    try:
        return "error" in inspect.signature(function).parameters
    except (TypeError, ValueError):
        return False


def _error_of(scope: Scope) -> object:
    return node_error(scope.task.trigger)


def _retries(given: RetryPolicy | Sequence[RetryPolicy] | None) -> tuple[RetryPolicy, ...]:
    from graphkit.core.policy import RetryPolicy  # noqa: PLC0415 - most graphs have no policies

    policies = () if given is None else tuple(given) if isinstance(given, list | tuple) else (given,)
    for policy in policies:
        if not isinstance(policy, RetryPolicy):
            raise InvalidGraphError(f"retry_policy={policy!r} is no RetryPolicy.", hint="Pass RetryPolicy(max_attempts=3) or several.")
    return policies


def jumps_of(signature: Signature, said: dict[str, str | None] | None) -> tuple[dict[str, str | None] | None, bool]:
    """Return where Command.goto may lead, as far as somebody says so, and whether there may be one."""
    goto = _command_targets(signature.returns)
    found = said if said is not None else dict.fromkeys(goto) if goto else None
    return found, goto is not None or said is not None


def _command_targets(returns: object) -> tuple[str, ...] | None:
    """Return the goto targets named in ``-> Command[Literal["a"]]``, () for a bare Command, None if there is no Command."""
    if returns is Command:
        return ()
    origin = get_origin(returns)
    if origin is Command:
        return literals(returns) or ()
    found = [targets for part in get_args(returns) if (targets := _command_targets(part)) is not None]
    return tuple([target for targets in found for target in targets]) if found and origin is not None else None


def literals(annotation: object) -> tuple[str, ...] | None:
    """Return the strings of every Literal in an annotation, None if there is none."""
    if annotation is None or annotation is str:
        return None
    if str(get_origin(annotation)) == "typing.Literal":
        return tuple([str(value.value if isinstance(value, Enum) else value) for value in get_args(annotation)])
    if get_origin(annotation) is Annotated:
        return literals(get_args(annotation)[0])
    parts = [part for part in get_args(annotation) if not isinstance(part, str)]
    found = [literals(part) for part in parts]
    known = [targets for targets in found if targets is not None]
    return tuple(dict.fromkeys([target for targets in known for target in targets])) if known and len(known) == len(parts) else None
