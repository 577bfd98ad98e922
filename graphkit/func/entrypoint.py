"""``@entrypoint``: a function that runs as a workflow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graphkit.errors import InvalidGraphError
from graphkit.func.assembly import Final, assemble
from graphkit.func.task import checked, function_name, policies, seconds
from graphkit.func.workflow import Workflow
from graphkit.graph.compiled import CompiledGraph, Options
from graphkit.storage import Checkpointer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from graphkit.core.policy import RetryPolicy


class entrypoint:  # noqa: N801 - used as a decorator; the name is LangGraph's
    """Make a function a workflow: ``@entrypoint(checkpointer=saver)``.

    The function takes one input and may ask by name for ``previous`` (what the last call on the thread saved; None at
    first), ``config``, ``runtime``, ``store`` and ``writer``. It calls tasks, asks with ``interrupt`` and returns its
    result. When it runs again, after an answer, a failure or a crash, tasks that have ended do not.

    Args:
        checkpointer: A saver, to resume threads and to remember results. In a workflow that is called inside another one:
            None uses the caller's saver afresh with each call, True keeps ``previous`` between calls, False saves nothing.
        store: Handed to the function as ``store``.
        context_schema: Class of the ``context=`` object.
        retry_policy: When to run the function again after a failure; tasks that have ended keep their results.
        timeout: Seconds for one attempt of a coroutine function.

    Raises:
        InvalidGraphError: The checkpointer is none, the function is a generator function or needs a parameter that nothing
            fills.
    """

    final = Final

    def __init__(
        self,
        checkpointer: Checkpointer | bool | None = None,  # noqa: FBT001 - as in LangGraph
        store: object = None,
        context_schema: type | None = None,
        *,
        retry_policy: RetryPolicy | Sequence[RetryPolicy] | None = None,
        timeout: float | None = None,
    ) -> None:
        _require_saver(checkpointer)
        self._options = Options(checkpointer, store, frozenset(), frozenset(), debug=False)
        self._context_schema = context_schema
        self._retries = policies(retry_policy)
        self._timeout = timeout

    def __call__(self, function: Callable[..., Any]) -> Workflow:
        """Return the workflow that runs ``function``."""
        name = function_name(function)
        what = f"entrypoint {name!r}"
        timeout = seconds(self._timeout, checked(function, what), what)
        return Workflow(function, CompiledGraph(assemble(function, name, self._retries, timeout, self._context_schema), self._options))


def _require_saver(given: object) -> None:
    if given is not None and not isinstance(given, bool | Checkpointer):
        hint = "Write @entrypoint() with parentheses." if callable(given) else "Pass an object, such as InMemorySaver()."
        raise InvalidGraphError(f"checkpointer={given!r} is no saver.", hint=hint)
