"""``@task``: a function whose calls run side by side and are remembered."""

from __future__ import annotations

import inspect
from functools import update_wrapper
from types import MethodType
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeVar, get_type_hints, overload
from weakref import WeakSet

from graphkit.core.policy import RetryPolicy
from graphkit.errors import InvalidGraphError
from graphkit.func.call import begin
from graphkit.graph.signature import SERVICES, is_async

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from graphkit.func.future import TaskFuture
    from graphkit.scope import Scope
    from graphkit.serde import Codec

P = ParamSpec("P")
R = TypeVar("R")


class Task(Generic[P, R]):
    """A task; made by ``@task``. Calling it begins the work and returns a future.

    Attributes:
        function: What it runs.
        name: Its name.
        retries: What to do when it fails; the first policy that is about the exception decides.
        timeout: Seconds for one attempt; None for no limit.
        is_async: Whether it is a coroutine function.
    """

    def __init__(self, function: Callable[..., Any], name: str, retries: tuple[RetryPolicy, ...], timeout: float | None) -> None:
        update_wrapper(self, function)
        self.function = function
        self.name = name
        self.retries = retries
        self.timeout = timeout
        self.is_async = is_async(function)
        self._filled = _services(function)
        self._taught: WeakSet[Codec] = WeakSet()

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> TaskFuture[R]:
        """Begin the task in the running entrypoint or node.

        Raises:
            OutsideRunError: Nothing is running.
            InterruptMismatchError: This call ended in an earlier run, with other arguments.
        """
        return begin(self, args, kwargs)

    def __get__(self, instance: object, owner: type | None = None) -> Any:  # noqa: ANN401 - a method of the instance
        return self if instance is None else MethodType(self, instance)

    def __repr__(self) -> str:
        return f"Task({self.name!r})"

    def services_for(self, scope: Scope, args: tuple[object, ...], kwargs: Mapping[str, object]) -> dict[str, object]:
        """Return the services that the function asks for by name and the caller has not passed."""
        missing = [name for name, place in self._filled if name not in kwargs and place >= len(args)]
        return {name: SERVICES[name](scope) for name in missing}

    def teach(self, codec: Codec) -> None:
        """Make the classes of the function's annotations known to a codec."""
        if codec not in self._taught:
            self._taught.add(codec)
            for annotation in _annotations(self.function):
                codec.register_schema(annotation)


@overload
def task(
    function: Callable[P, Awaitable[R]],
    *,
    name: str | None = None,
    retry_policy: RetryPolicy | Sequence[RetryPolicy] | None = None,
    timeout: float | None = None,
) -> Task[P, R]: ...


@overload
def task(
    function: Callable[P, R],
    *,
    name: str | None = None,
    retry_policy: RetryPolicy | Sequence[RetryPolicy] | None = None,
    timeout: float | None = None,
) -> Task[P, R]: ...


@overload
def task(
    function: None = None,
    *,
    name: str | None = None,
    retry_policy: RetryPolicy | Sequence[RetryPolicy] | None = None,
    timeout: float | None = None,
) -> Callable[[Callable[P, Any]], Task[P, Any]]: ...


def task(
    function: Callable[..., Any] | None = None,
    *,
    name: str | None = None,
    retry_policy: RetryPolicy | Sequence[RetryPolicy] | None = None,
    timeout: float | None = None,
) -> Any:
    """Make a function a task: ``@task``, or ``@task(name="...", retry_policy=...)``.

    Inside an entrypoint or a node, a call begins at once, in a thread or, in async code, as a task of the event loop, and
    returns a TaskFuture. The result is stored as soon as it is there; when the body runs again, after an answer, a failure
    or a crash, the call returns it and does not run again.

    A call is known by the task's name and its number among the calls of that task in the same body: the first, the second,
    ... A body that runs again has to call its tasks in the same order and with the same arguments.

    Args:
        function: A function or a coroutine function. Parameters named config, runtime, store or writer are filled in if the
            caller does not pass them.
        name: By default the function's.
        retry_policy: When to run it again after a failure; of several the first that is about the exception decides.
        timeout: Seconds for one attempt of a coroutine function.

    Raises:
        InvalidGraphError: It is no function, or a generator function, or an option cannot be used with it.
    """

    def decorate(function: Callable[..., Any]) -> Task[Any, Any]:
        called = name if name is not None else function_name(function)
        if not called:
            raise InvalidGraphError("A task needs a name that is not empty.")
        what = f"task {called!r}"
        return Task(checked(function, what), called, policies(retry_policy), seconds(timeout, function, what))

    return decorate if function is None else decorate(function)


def checked(function: object, what: str) -> Callable[..., Any]:
    """Return ``function`` if it can be run.

    Raises:
        InvalidGraphError: It cannot be called, or it is a generator function.
    """
    if not callable(function):
        raise InvalidGraphError(f"{function!r} cannot be called.", hint="Decorate a function.")
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        raise InvalidGraphError(
            f"{what[0].upper()}{what[1:]} is a generator function, which has no result to store.",
            hint="Return the value, and write what is to be seen before with get_stream_writer().",
        )
    return function


def policies(given: RetryPolicy | Sequence[RetryPolicy] | None) -> tuple[RetryPolicy, ...]:
    """Return retry policies as a tuple.

    Raises:
        InvalidGraphError: One is none.
    """
    found = () if given is None else tuple(given) if isinstance(given, list | tuple) else (given,)
    for policy in found:
        if not isinstance(policy, RetryPolicy):
            raise InvalidGraphError(f"retry_policy={policy!r} is no RetryPolicy.", hint="Pass RetryPolicy(max_attempts=3) or several.")
    return found


def seconds(timeout: float | None, function: object, what: str) -> float | None:
    """Return a timeout if it can be kept.

    Raises:
        InvalidGraphError: It is no positive number, or the function is sync: a thread cannot be stopped.
    """
    if timeout is None:
        return None
    if isinstance(timeout, bool) or not timeout > 0:
        raise InvalidGraphError(f"timeout={timeout!r} of {what} is no positive number of seconds.")
    if not is_async(function):
        raise InvalidGraphError(f"The timeout of {what} cannot be kept: a thread cannot be stopped.", hint="Make it an async function.")
    return float(timeout)


def function_name(function: object) -> str:
    """Return the name of a function, or of the class of a callable object."""
    found = getattr(function, "__name__", None) or getattr(getattr(function, "func", None), "__name__", None)
    return str(found or type(function).__name__)


def _services(function: Callable[..., Any]) -> tuple[tuple[str, float], ...]:
    """Return (name, place among the positional parameters) of the parameters that name a service."""
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return ()
    return tuple(
        [
            (p.name, place if p.kind is p.POSITIONAL_OR_KEYWORD else float("inf"))
            for place, p in enumerate(parameters)
            if p.name in SERVICES and p.kind in {p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY}
        ]
    )


def _annotations(function: Callable[..., Any]) -> list[object]:
    """Return the annotations of a function as far as they can be resolved."""
    try:
        return list(get_type_hints(inspect.unwrap(function), include_extras=True).values())
    except (NameError, TypeError, AttributeError):
        return []
