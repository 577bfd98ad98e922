"""What a function says about itself as a tool: parameters a model fills, parameters the run fills, descriptions."""

from __future__ import annotations

import inspect
from functools import partial
from typing import TYPE_CHECKING, Any, get_type_hints

from pydantic import BaseModel, RootModel

from graphkit.core.record import record
from graphkit.errors import InvalidToolError, nearest
from graphkit.tools.docstring import read_docstring
from graphkit.tools.inject import Injection, injection_of
from graphkit.tools.schema import arguments_model, names_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@record
class ToolSignature:
    """A function as a tool.

    Args:
        description: The first paragraph of its docstring, "" without one.
        model: The model of the arguments that a model gives.
        injected: The parameters that the run fills.
        positional: Parameters that can only be passed by position, in order.
    """

    description: str
    model: type[BaseModel]
    injected: tuple[Injection, ...]
    positional: tuple[str, ...]


def read_function(function: Callable[..., Any], name: str, args_schema: type[BaseModel] | None) -> ToolSignature:
    """Read a function.

    Args:
        function: A function, coroutine function or callable object.
        name: The tool's name.
        args_schema: The model of its arguments; by default one made from its parameters.

    Raises:
        InvalidToolError: It cannot be a tool.
    """
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        raise InvalidToolError(f"The tool {name!r} is a generator, and a call has one result.", hint="Return a list.", tool=name)
    parameters = _parameters(function, name)
    hints = _hints(function, name)
    injections = {each: found for each, parameter in parameters.items() if (found := injection_of(parameter, hints.get(each)))}
    shown = {each: parameter for each, parameter in parameters.items() if each not in injections}
    documented = read_docstring(_target(function).__doc__)
    if args_schema is not None:
        model = _given_model(args_schema, shown, injections, name)
    else:
        _require_readable(shown, hints, name)
        _require_known(documented.parameters, parameters, name)
        model = arguments_model(name, shown, hints, documented.parameters)
    positional = tuple([each for each, parameter in parameters.items() if parameter.kind is parameter.POSITIONAL_ONLY])
    return ToolSignature(documented.summary, model, tuple(injections.values()), positional)


def is_async(function: object) -> bool:
    """Tell whether a call of ``function`` gives an awaitable, looking through partials and callable objects."""
    while isinstance(function, partial):
        function = function.func
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(getattr(function, "__call__", None))  # noqa: B004 - not a test for callability


def _parameters(function: Callable[..., Any], name: str) -> dict[str, inspect.Parameter]:
    try:
        return dict(inspect.signature(function).parameters)
    except (TypeError, ValueError) as error:
        raise InvalidToolError(f"The parameters of the tool {name!r} cannot be read: {error}", tool=name) from error


def _target(function: Callable[..., Any]) -> Any:  # noqa: ANN401 - a function or method
    while isinstance(function, partial):
        function = function.func
    return function if inspect.isroutine(function) else type(function).__call__


def _hints(function: Callable[..., Any], name: str) -> dict[str, Any]:
    try:
        return get_type_hints(_target(function), include_extras=True)
    except (NameError, TypeError, AttributeError) as error:
        raise InvalidToolError(
            f"The annotations of the tool {name!r} cannot be read: {error}",
            hint="Types of a tool are needed at run time: import or define them at the top of the module.",
            tool=name,
        ) from error


def _require_readable(shown: Mapping[str, inspect.Parameter], hints: Mapping[str, Any], name: str) -> None:
    variable = [str(parameter) for parameter in shown.values() if parameter.kind in {parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD}]
    if variable:
        raise InvalidToolError(
            f"The tool {name!r} takes {variable[0]}, which a model cannot be told about.",
            hint="Name each parameter, or pass args_schema=.",
            tool=name,
        )
    untyped = [each for each in shown if each not in hints]
    if untyped:
        hint = "Pass a bound method: tool(instance.method)." if untyped[0] == "self" else f"Annotate it, as in {untyped[0]}: str."
        raise InvalidToolError(f"The parameter {untyped[0]!r} of the tool {name!r} has no type.", hint=hint, tool=name)


def _require_known(documented: Mapping[str, str], parameters: Mapping[str, inspect.Parameter], name: str) -> None:
    unknown = [each for each in documented if each not in parameters]
    if unknown:
        raise InvalidToolError(
            f"The docstring of the tool {name!r} describes {unknown[0]!r}, which is no parameter.",
            hint=nearest(unknown[0], parameters),
            tool=name,
        )


def _given_model(model: object, shown: Mapping[str, inspect.Parameter], injections: Mapping[str, Injection], name: str) -> type[BaseModel]:
    """Check that a model and a function fit together."""
    if not isinstance(model, type) or not issubclass(model, BaseModel) or issubclass(model, RootModel):
        raise InvalidToolError(f"args_schema of the tool {name!r} is {model!r}.", hint="Pass a pydantic model with fields.", tool=name)
    hidden = [each for each in {*model.model_fields, *names_of(model)} if each in injections]
    if hidden:
        raise InvalidToolError(f"The run fills {hidden[0]!r} of the tool {name!r}; args_schema must not have it.", tool=name)
    open_ended = any(parameter.kind is parameter.VAR_KEYWORD for parameter in shown.values())
    unknown = [each for each in model.model_fields if each not in shown]
    if unknown and not open_ended:
        raise InvalidToolError(
            f"args_schema of the tool {name!r} has {unknown[0]!r}, which the function does not take.",
            hint=nearest(unknown[0], shown),
            tool=name,
        )
    variable = {inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL}
    needed = [each for each, parameter in shown.items() if parameter.default is parameter.empty and parameter.kind not in variable]
    missing = [each for each in needed if each not in model.model_fields]
    if missing:
        raise InvalidToolError(
            f"Nothing fills the parameter {missing[0]!r} of the tool {name!r}.", hint="Add it to args_schema.", tool=name
        )
    return model
