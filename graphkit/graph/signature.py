"""Which parameters a node or router takes: the state first, services by name."""

from __future__ import annotations

import inspect
from functools import partial
from typing import TYPE_CHECKING, Protocol, TypeGuard, get_type_hints

from graphkit.core.record import record
from graphkit.errors import InvalidGraphError
from graphkit.scope import config_of, runtime_of, store_of, writer_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from graphkit.runtime import Service

SERVICES: Mapping[str, Service] = {"config": config_of, "runtime": runtime_of, "store": store_of, "writer": writer_of}
"""Parameter names that are filled with a service of the run."""


@record
class Signature:
    """What a function wants.

    Args:
        takes_state: Whether it has a parameter for the state.
        state_type: That parameter's annotation, None without one.
        services: Services to pass by name.
        returns: The return annotation, None without one.
        is_async: Whether calling it gives an awaitable.
    """

    takes_state: bool
    state_type: object
    services: tuple[tuple[str, Service], ...]
    returns: object
    is_async: bool


def read_signature(function: Callable[..., object], owner: str) -> Signature:
    """Read the parameters of a node or router.

    Args:
        function: A function, coroutine function or callable object.
        owner: For errors, as in "node 'a'".

    Raises:
        InvalidGraphError: It needs a parameter that nothing fills.
    """
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return Signature(takes_state=True, state_type=None, services=(), returns=None, is_async=is_async(function))
    hints = _hints(function)
    services = tuple([(p.name, SERVICES[p.name]) for p in parameters if p.name in SERVICES and not _is_variable(p)])
    others = [p for p in parameters if p.name not in SERVICES and p.kind is not p.VAR_KEYWORD]
    extra = [p.name for p in others[1:] if p.default is p.empty and not _is_variable(p)]
    if extra or (others and others[0].kind is inspect.Parameter.KEYWORD_ONLY and others[0].default is inspect.Parameter.empty):
        names = ", ".join(map(repr, extra or [others[0].name]))
        raise InvalidGraphError(
            f"Nothing fills the parameter {names} of {owner}.",
            hint=f"Besides the state these can be asked for by name: {', '.join(SERVICES)}.",
        )
    fixed = [p.name for p in parameters if p.name in SERVICES and p.kind is p.POSITIONAL_ONLY]
    early = (
        [p.name for p in parameters[: parameters.index(others[0])] if p.name in SERVICES] if others and not _is_variable(others[0]) else []
    )
    if fixed or early:
        raise InvalidGraphError(
            f"The parameter {(fixed or early)[0]!r} of {owner} cannot be filled by name.", hint="The state comes first, then services."
        )
    positional = [p for p in others if p.kind is not p.KEYWORD_ONLY]
    state_type = hints.get(positional[0].name) if positional else None
    return Signature(bool(positional), state_type, services, hints.get("return"), is_async(function))


class Runnable(Protocol):
    """An object that can be a node: the sync driver calls ``invoke``, the async one ``ainvoke``, with the same arguments."""

    @property
    def invoke(self) -> Callable[..., object]:
        """Takes what a node function takes."""
        ...

    @property
    def ainvoke(self) -> Callable[..., object]:
        """Takes the same; its result is awaited."""
        ...


def is_runnable(action: object) -> TypeGuard[Runnable]:
    """Tell whether an object has both ways to run it; a class or a function has not, whatever its attributes."""
    if isinstance(action, type) or inspect.isroutine(action):
        return False
    return callable(getattr(action, "invoke", None)) and callable(getattr(action, "ainvoke", None))


def is_async(function: object) -> bool:
    """Tell whether a call of ``function`` gives an awaitable, looking through partials and callable objects."""
    while isinstance(function, partial):
        function = function.func
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(getattr(function, "__call__", None))  # noqa: B004 - not a test for callability


def _hints(function: Callable[..., object]) -> dict[str, object]:
    target = function
    while isinstance(target, partial):
        target = target.func
    if not inspect.isroutine(target):
        target = type(target).__call__
    try:
        return dict(get_type_hints(target, include_extras=True))
    except (NameError, TypeError, AttributeError):
        return {}


def _is_variable(parameter: inspect.Parameter) -> bool:
    return parameter.kind in {parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD}
