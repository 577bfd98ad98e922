"""A function that a model may call."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from inspect import cleandoc, isawaitable
from typing import TYPE_CHECKING, Any, Final, TypeGuard, overload

from graphkit.errors import InvalidToolError, ToolInvocationError
from graphkit.tools.inject import Injection, fill
from graphkit.tools.parallel import in_thread
from graphkit.tools.result import ResponseFormat, result_of
from graphkit.tools.runtime import ToolRuntime, runtime_for, state_seen
from graphkit.tools.schema import json_of, parameters_of, read_arguments, values_of
from graphkit.tools.signature import is_async, read_function

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from pydantic import BaseModel

    from graphkit.messages import ToolCall

NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
"""What every provider takes as the name of a tool."""


@dataclass(frozen=True, slots=True, eq=False)
class Tool:
    """A function with what a model has to know about it; make one with ``@tool``.

    It can be called like the function. ``invoke`` checks arguments as they come from a model.

    Args:
        function: A function or coroutine function.
        name: Letters, digits, ``_`` and ``-``, 64 at most.
        description: What it does and when to use it, for the model.
        args_schema: The pydantic model that arguments have to fit.
        parameters: The same as JSON schema, for the model.
        return_direct: Whether an agent ends with what the tool returned, without asking the model again.
        response_format: Whether the function returns the content for the model, or a pair of content and artifact.
        injected: Parameters that the run fills; the model does not know them.
        positional: Parameters the function takes by position only.
    """

    function: Callable[..., Any]
    name: str
    description: str
    args_schema: type[BaseModel]
    parameters: dict[str, Any]
    return_direct: bool = False
    response_format: ResponseFormat = "content"
    injected: tuple[Injection, ...] = ()
    positional: tuple[str, ...] = ()

    @property
    def is_async(self) -> bool:
        """Whether the function has to be awaited."""
        return is_async(self.function)

    @property
    def tool_call_schema(self) -> type[BaseModel]:
        """The arguments as a model gives them; LangChain's name. The same as ``args_schema``, which has no injected ones."""
        return self.args_schema

    def __call__(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - the function's own types
        """Call the function itself: nothing is checked or injected."""
        return self.function(*args, **kwargs)

    def check_args(self, args: Mapping[str, Any]) -> dict[str, Any]:
        """Check arguments without running anything; return those that were given, as JSON has them.

        Raises:
            ToolInvocationError: Some do not fit.
        """
        return json_of(read_arguments(self.name, self.args_schema, args))

    def invoke(self, given: ToolCall | Mapping[str, Any], config: Mapping[str, Any] | None = None) -> Any:  # noqa: ANN401 - see below
        """Check arguments and run the tool; an async one in an event loop of its own.

        Args:
            given: Arguments, or a ToolCall.
            config: For a tool that wants it and is called outside of a run.

        Returns:
            For arguments, what the function returned; for a ToolCall its ToolMessage, or the Commands that hold it.

        Raises:
            ToolInvocationError: Arguments do not fit; the function was not called.
            GraphkitError: As said in graphkit.tools.inject, for what cannot be injected.
        """
        call, args, runtime = self._read(given, config)
        returned = self.run(args, runtime)
        return returned if call is None else result_of(call, returned, self.response_format)

    async def ainvoke(self, given: ToolCall | Mapping[str, Any], config: Mapping[str, Any] | None = None) -> Any:  # noqa: ANN401 - as invoke
        """As ``invoke``; a sync function runs in a thread."""
        call, args, runtime = self._read(given, config)
        returned = await self.arun(args, runtime)
        return returned if call is None else result_of(call, returned, self.response_format)

    def run(self, args: Mapping[str, Any], runtime: ToolRuntime[Any, Any]) -> Any:  # noqa: ANN401 - the function's own type
        """Check arguments, inject what ``runtime`` has, call the function and return what it returned.

        Raises:
            ToolInvocationError: Arguments do not fit; the function was not called.
        """
        returned = self._bound(args, runtime)()
        return _awaited_in_loop(returned) if isawaitable(returned) else returned

    async def arun(self, args: Mapping[str, Any], runtime: ToolRuntime[Any, Any]) -> Any:  # noqa: ANN401 - as run
        """As ``run``; a sync function runs in a thread."""
        call = self._bound(args, runtime)
        returned = call() if self.is_async else await in_thread(call)
        return await returned if isawaitable(returned) else returned

    def _bound(self, args: Mapping[str, Any], runtime: ToolRuntime[Any, Any]) -> partial[Any]:
        values = values_of(read_arguments(self.name, self.args_schema, args)) | fill(self.injected, runtime, self.name)
        return partial(self.function, *[values.pop(name) for name in self.positional if name in values], **values)

    def _read(
        self, given: Mapping[str, Any], config: Mapping[str, Any] | None
    ) -> tuple[ToolCall | None, Mapping[str, Any], ToolRuntime[Any, Any]]:
        runtime = runtime_for(state_seen(), config)
        if not is_tool_call(given):
            return None, given, runtime
        if given["name"] != self.name:
            raise ToolInvocationError(f"The tool {self.name!r} was given a call of {given['name']!r}.", tool=self.name)
        return given, given["args"], replace(runtime, tool_call_id=given["id"])


@overload
def tool(
    given: str | None = None,
    *,
    name: str | None = None,
    description: str | None = None,
    args_schema: type[BaseModel] | None = None,
    return_direct: bool = False,
    response_format: ResponseFormat = "content",
) -> Callable[[Callable[..., Any]], Tool]: ...
@overload
def tool(
    given: Callable[..., Any],
    *,
    name: str | None = None,
    description: str | None = None,
    args_schema: type[BaseModel] | None = None,
    return_direct: bool = False,
    response_format: ResponseFormat = "content",
) -> Tool: ...
def tool(
    given: Callable[..., Any] | str | None = None,
    *,
    name: str | None = None,
    description: str | None = None,
    args_schema: type[BaseModel] | None = None,
    return_direct: bool = False,
    response_format: ResponseFormat = "content",
) -> Tool | Callable[[Callable[..., Any]], Tool]:
    """Make a tool of a function: ``@tool``, ``@tool("name")``, ``@tool(return_direct=True)``, ``tool(function)``.

    Arguments are described by type hints, ``Annotated[int, "how many"]`` or ``Field(...)``, and the ``Args:`` section of the
    docstring; its first paragraph describes the tool.

    >>> @tool
    ... def add(a: int, b: int = 1) -> int:
    ...     '''Add two numbers.'''
    ...     return a + b
    >>> add.invoke({"a": 41})
    42

    Args:
        given: The function, or the tool's name.
        name: The tool's name; by default the function's.
        description: In place of the docstring's first paragraph.
        args_schema: A pydantic model of the arguments, in place of the type hints.
        return_direct: Whether an agent ends with what the tool returned.
        response_format: "content_and_artifact" for a function that returns a pair: what the model sees, and what only the
            program sees.

    Raises:
        InvalidToolError: The function cannot be a tool: a parameter without a type, ``*args``, no description, a bad name.
    """

    def make(function: Callable[..., Any]) -> Tool:
        said = given if isinstance(given, str) else name
        return _made(function, said, description, args_schema, return_direct=return_direct, response_format=response_format)

    return make if given is None or isinstance(given, str) else make(given)


def is_tool_call(given: object) -> TypeGuard[ToolCall]:
    """Tell a ToolCall from a dict of arguments."""
    if not isinstance(given, Mapping) or not {"name", "args", "id"} <= given.keys() <= {"name", "args", "id", "type"}:
        return False
    return isinstance(given["args"], Mapping) and given.get("type", "tool_call") == "tool_call"


def _made(
    function: Callable[..., Any],
    name: str | None,
    description: str | None,
    args_schema: type[BaseModel] | None,
    *,
    return_direct: bool,
    response_format: ResponseFormat,
) -> Tool:
    if isinstance(function, Tool | type) or not callable(function):
        raise InvalidToolError(f"{function!r:.100} cannot become a tool.", hint="@tool takes a function.")
    name = name if name is not None else getattr(function, "__name__", type(function).__name__)
    if not NAME.fullmatch(name):
        raise InvalidToolError(f"{name!r} cannot be the name of a tool.", hint="Letters, digits, '_' and '-', 64 at most.", tool=name)
    if response_format not in {"content", "content_and_artifact"}:
        raise InvalidToolError(
            f"response_format={response_format!r} does not exist.", hint="'content' or 'content_and_artifact'.", tool=name
        )
    read = read_function(function, name, args_schema)
    said = description or read.description or cleandoc((args_schema.__doc__ if args_schema is not None else None) or "")
    if not said:
        raise InvalidToolError(
            f"The tool {name!r} has no description, so no model would know when to use it.",
            hint="Write a docstring, or pass description=.",
            tool=name,
        )
    parameters = parameters_of(f"the tool {name!r}", read.model)
    return Tool(function, name, said, read.model, parameters, return_direct, response_format, read.injected, read.positional)


def _awaited_in_loop(awaitable: Awaitable[Any]) -> Any:  # noqa: ANN401 - the function's own type
    from graphkit.runtime.bridge import PrivateLoop  # noqa: PLC0415 - asyncio is heavy, and only needed here

    async def wait() -> object:
        return await awaitable

    with PrivateLoop() as loop:
        return loop.call(wait())
