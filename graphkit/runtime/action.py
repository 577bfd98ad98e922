"""What running a node means, as data: the function, what it sees, how its result is read, and its routers."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, TypeAlias

from graphkit.core.record import record

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Hashable, Mapping

    from graphkit.core.policy import CachePolicy, RetryPolicy, TimeoutPolicy
    from graphkit.core.task import Outcome, Write
    from graphkit.scope import Scope
    from graphkit.storage.cache import Cache, Namespace

Call: TypeAlias = "tuple[Callable[..., object], tuple[object, ...], Mapping[str, object]]"
"""A call of user code that a driver has to make: function, arguments, keyword arguments. The reply is its result."""

Calls: TypeAlias = "Generator[Call, object, Outcome]"

NO_SERVICES: Mapping[str, object] = {}

Read: TypeAlias = "Callable[[Mapping[str, object], int], object]"
"""Builds what user code sees of the state: (values, supersteps remaining) -> its state object."""

Service: TypeAlias = "Callable[[Scope], object]"


@record
class Handed:
    """What a subgraph returns to the graph it is a node of: its updates, ready to be merged."""

    writes: tuple[Write, ...]


@record
class Router:
    """A conditional edge.

    Args:
        name: For errors.
        function: Takes the state, returns where to go.
        read: Builds the state it sees.
        services: Parameters to fill by name.
        path_map: Result -> node name; None when results are names.
        is_async: Whether ``function`` must be awaited.
        takes_state: False for a function without parameters.
    """

    name: str
    function: Callable[..., object]
    read: Read
    services: tuple[tuple[str, Service], ...] = ()
    path_map: Mapping[Hashable, str] | None = None
    is_async: bool = False
    takes_state: bool = True


@record
class Cached:
    """Where and how the results of a node are kept.

    Args:
        cache: The graph's.
        namespace: The node's.
        policy: What its results depend on.
    """

    cache: Cache
    namespace: Namespace
    policy: CachePolicy


@record
class Action:
    """What running a node means.

    Args:
        function: For a sync driver; None if there is only ``coroutine``.
        coroutine: For an async driver; None if there is only ``function``.
        read: Builds the input from the state; a Send's argument is handed over as it is.
        update: Reads a returned dict or instance into writes; raises StateError.
        services: Parameters to fill by name.
        routers: Conditional edges, evaluated after the node with its own writes applied.
        takes_state: False for a function without parameters.
        retries: What to do when it fails; the first policy that is about the exception decides.
        timeout: How long an attempt may take; None for no limit.
        step_timeout: Seconds its superstep may take; None for no limit.
        handler: Name of the node that handles its failures, "" for none.
        handles: Whether it is such a node itself.
        cached: Where its results are kept for runs to come; None for nowhere.
        plain: Whether no policy applies, so that it is simply run.
    """

    function: Callable[..., object] | None
    coroutine: Callable[..., object] | None
    read: Read
    update: Callable[[object, Mapping[str, object], object], tuple[Write, ...]]
    services: tuple[tuple[str, Service], ...] = ()
    routers: tuple[Router, ...] = ()
    takes_state: bool = True
    retries: tuple[RetryPolicy, ...] = ()
    timeout: TimeoutPolicy | None = None
    step_timeout: float | None = None
    handler: str = ""
    handles: bool = False
    cached: Cached | None = None
    needs_loop: bool = field(init=False)
    plain: bool = field(init=False)

    def __post_init__(self) -> None:
        waits = self.function is None and self.coroutine is not None
        object.__setattr__(self, "needs_loop", waits or any([router.is_async for router in self.routers]))
        object.__setattr__(self, "plain", not (self.retries or self.timeout or self.step_timeout or self.handler or self.cached))
