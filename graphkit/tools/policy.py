"""Which errors of a tool the model is told about; all others end the run."""

from __future__ import annotations

import inspect
from types import UnionType
from typing import TYPE_CHECKING, Any, Final, TypeAlias, Union, get_args, get_origin, get_type_hints

from graphkit.core.record import record
from graphkit.errors import GraphkitError, InvalidConfigError, ToolInvocationError

if TYPE_CHECKING:
    from collections.abc import Callable

HandleErrors: TypeAlias = "bool | str | type[Exception] | tuple[type[Exception], ...] | Callable[..., str]"
"""As LangGraph: True for every exception, words for every exception, kinds of exceptions, or a function from an exception to
words, for the kinds its parameter is annotated with. False for none."""

FORMS: Final = "Use True, False, a string, exception classes, or a function from an exception to a string."


@record
class ErrorPolicy:
    """Which errors become messages, and what those say.

    Args:
        kinds: Subclasses of these.
        words: Error -> what the model reads.
    """

    kinds: tuple[type[Exception], ...]
    words: Callable[[Exception], str]

    def covers(self, error: BaseException) -> bool:
        """Tell whether the model is told about an error."""
        return isinstance(error, self.kinds)


def error_words(error: Exception) -> str:
    """Return what a model reads about an error by default."""
    if isinstance(error, GraphkitError):
        return f"Error: {error.message}{f' {error.hint}' if error.hint else ''}"
    return f"Error: {type(error).__name__}: {error}"


def correctable_error(error: ToolInvocationError) -> str:
    """Tell the model about arguments that do not fit; ToolNode's default."""
    return f"{error_words(error)} Correct the arguments and call the tool again."


def read_policy(given: HandleErrors) -> ErrorPolicy:
    """Read ``handle_tool_errors``.

    Raises:
        InvalidConfigError: It is none of its forms.
    """
    if isinstance(given, bool):
        return ErrorPolicy((Exception,) if given else (), error_words)
    if isinstance(given, str):
        return ErrorPolicy((Exception,), lambda error: given)  # noqa: ARG005 - says the same about each
    kinds = given if isinstance(given, tuple) else (given,)
    if all(_is_kind(kind) for kind in kinds):
        return ErrorPolicy(kinds, error_words)  # type: ignore[arg-type]
    if isinstance(given, type | tuple) or not callable(given):
        raise InvalidConfigError(f"handle_tool_errors={given!r:.100} is not known.", hint=FORMS)
    function = given
    return ErrorPolicy(_handled_by(function), lambda error: str(function(error)))


def _handled_by(function: Callable[..., str]) -> tuple[type[Exception], ...]:
    """Return the exceptions that a function's first parameter is annotated with; without annotation all of them."""
    try:
        first = next(iter(inspect.signature(function).parameters), None)
        hints = get_type_hints(function)
    except (TypeError, ValueError, NameError):
        return (Exception,)
    if first is None or first not in hints:
        return (Exception,)
    hint: Any = hints[first]
    kinds = get_args(hint) if get_origin(hint) in {Union, UnionType} else (hint,)
    if not all(_is_kind(kind) for kind in kinds):
        raise InvalidConfigError(f"handle_tool_errors takes {first}: {hint}, which is no exception.", hint=FORMS)
    return tuple(kinds)


def _is_kind(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, Exception)
