"""ToolNode: answers the tool calls of a conversation, each with exactly one tool message.

Rules, each with a test:

1. Calls of one message run side by side; answers keep the order of the calls.
2. A call that ended is remembered: when the node runs again, after a question, a failure or in another process, it does
   not run again.
3. Questions that tools ask are asked together, once all other calls have ended, and may be answered in any order.
4. What the model did wrong (unknown tool, arguments that do not fit or cannot be read) the model is told. Everything else
   ends the run, unless ``handle_tool_errors`` says otherwise.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Self, TypeAlias

from graphkit.core.command import Command
from graphkit.core.record import replace as changed
from graphkit.errors import InvalidToolError, ParentCommand
from graphkit.scope import branch, current, entered, once
from graphkit.tools.parallel import arun_all, in_thread, run_all
from graphkit.tools.policy import correctable_error, read_policy
from graphkit.tools.request import AnyCall, ToolCallRequest, Work, read_work
from graphkit.tools.result import as_update, error_message, require_answer, result_of
from graphkit.tools.runtime import runtime_for
from graphkit.tools.tool import Tool, tool

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
    from types import TracebackType

    from graphkit.messages import ToolCall, ToolMessage
    from graphkit.tools.policy import ErrorPolicy, HandleErrors
    from graphkit.tools.result import ResponseFormat, Result

    Execute: TypeAlias = Callable[[ToolCallRequest], Result]
    AExecute: TypeAlias = Callable[[ToolCallRequest], Coroutine[Any, Any, Result]]
    Wrapper: TypeAlias = Callable[[ToolCallRequest, Execute], Result]
    AWrapper: TypeAlias = Callable[[ToolCallRequest, AExecute], Awaitable[Result]]

Config: TypeAlias = "Mapping[str, Any] | None"


class ToolNode:
    """A node that runs tools.

    Its input is the state, a list of messages, or a list of tool calls (the argument of a Send). It answers the calls of
    the last AI message that have no tool message yet.

    Args:
        tools: Tools, or functions to make tools of.
        name: The node's name.
        handle_tool_errors: Which errors the model is told about; by default only arguments that do not fit. True, a string,
            exception classes, or a function from an exception to a string for the kinds it is annotated with.
        messages_key: The key of the state that holds the conversation.
        wrap_tool_call: Runs around each call: takes the request and a function that executes it, returns the result.
        awrap_tool_call: The same for async runs, with a function to await. Without it the other one runs in a thread.

    Raises:
        InvalidToolError: Something is no tool, or two have the same name.
        InvalidConfigError: ``handle_tool_errors`` is none of its forms.
    """

    def __init__(
        self,
        tools: Sequence[Tool | Callable[..., Any]],
        *,
        name: str = "tools",
        handle_tool_errors: HandleErrors = correctable_error,
        messages_key: str = "messages",
        wrap_tool_call: Wrapper | None = None,
        awrap_tool_call: AWrapper | None = None,
    ) -> None:
        self.name = name
        self.messages_key = messages_key
        self.tools_by_name = _by_name(tools)
        self._policy = read_policy(handle_tool_errors)
        self._wrap = wrap_tool_call
        self._awrap = awrap_tool_call

    @property
    def tools(self) -> tuple[Tool, ...]:
        """The tools, in order."""
        return tuple(self.tools_by_name.values())

    def invoke(self, state: Any, config: Config = None) -> Any:  # noqa: ANN401 - the graph's state, an update of it
        """Answer the calls; async tools run in an event loop that lasts as long as this call.

        Args:
            state: The node's input.
            config: Used by tools where no graph runs.

        Returns:
            ``{messages_key: tool messages}``, or a list where the state is one; with Commands among the answers, a list.

        Raises:
            InvalidStateError: The input has no AI message.
            InvalidChatHistoryError: Two calls have the same id; nothing was run.
            InvalidUpdateError: A Command without the tool message of its call.
            GraphInterrupt: Tools ask; all their questions.
            Exception: What a tool raised, unless the model is told about it.
        """
        work = read_work(state, self.messages_key)
        if self._needs_loop(work):
            from graphkit.runtime.bridge import PrivateLoop  # noqa: PLC0415 - asyncio is heavy, and only needed here

            with PrivateLoop() as loop:
                return loop.call(self._arun(work, config))
        results = run_all([partial(self._answer, work, call, config) for call in work.calls], _limit(config))
        return as_update(results, self.messages_key, as_list=work.as_list)

    async def ainvoke(self, state: Any, config: Config = None) -> Any:  # noqa: ANN401 - as invoke
        """As ``invoke``; sync tools run in threads."""
        return await self._arun(read_work(state, self.messages_key), config)

    async def _arun(self, work: Work, config: Config) -> object:
        results = await arun_all([partial(self._aanswer, work, call, config) for call in work.calls], _limit(config))
        return as_update(results, self.messages_key, as_list=work.as_list)

    def _needs_loop(self, work: Work) -> bool:
        if self._wrap is not None:
            return False
        called = [self.tools_by_name.get(call["name"]) for call in work.calls]
        return bool(work.calls) and (self._awrap is not None or any(found is not None and found.is_async for found in called))

    def _answer(self, work: Work, call: AnyCall, config: Config) -> Result:
        if "error" in call:
            return _unreadable(call)
        scope = current()
        if scope is None:
            return self._call(work, call, config)
        with entered(branch(scope, call["id"])):
            return once("result", self._call, work, call, config)

    async def _aanswer(self, work: Work, call: AnyCall, config: Config) -> Result:
        if "error" in call:
            return _unreadable(call)
        scope = current()
        if scope is None:
            return await self._acall(work, call, config)
        with entered(branch(scope, call["id"])):
            return await once("result", self._acall, work, call, config)

    def _call(self, work: Work, call: ToolCall, config: Config) -> Result:
        request = self._request(work, call, config)
        with _watched():
            if self._wrap is None:
                return self._execute(request)
            with Attempt(self._policy, call) as attempt:
                attempt.returned = self._wrap(request, self._execute)
            return self._result(call, attempt.returned)

    async def _acall(self, work: Work, call: ToolCall, config: Config) -> Result:
        request = self._request(work, call, config)
        if self._wrap is not None and self._awrap is None:
            return await in_thread(partial(self._call, work, call, config))
        with _watched():
            if self._awrap is None:
                return await self._aexecute(request)
            with Attempt(self._policy, call) as attempt:
                attempt.returned = await self._awrap(request, self._aexecute)
            return self._result(call, attempt.returned)

    def _execute(self, request: ToolCallRequest) -> Result:
        if request.tool is None:
            return self._unknown(request.tool_call)
        with Attempt(self._policy, request.tool_call) as attempt:
            attempt.returned = request.tool.run(request.tool_call["args"], changed(request.runtime, state=request.state))
        return self._result(request.tool_call, attempt.returned, request.tool.response_format)

    async def _aexecute(self, request: ToolCallRequest) -> Result:
        if request.tool is None:
            return self._unknown(request.tool_call)
        with Attempt(self._policy, request.tool_call) as attempt:
            attempt.returned = await request.tool.arun(request.tool_call["args"], changed(request.runtime, state=request.state))
        return self._result(request.tool_call, attempt.returned, request.tool.response_format)

    def _result(self, call: ToolCall, returned: object, response_format: ResponseFormat = "content") -> Result:
        return require_answer(call, result_of(call, returned, response_format), self.messages_key)

    def _request(self, work: Work, call: ToolCall, config: Config) -> ToolCallRequest:
        runtime = runtime_for(work.state, config, self.tools, call["id"])
        return ToolCallRequest(call, self.tools_by_name.get(call["name"]), work.state, runtime)

    def _unknown(self, call: ToolCall) -> ToolMessage:
        known = ", ".join(map(repr, self.tools_by_name)) or "none"
        return error_message(call, f"Error: There is no tool {call['name']!r}. Tools: {known}.")


class Attempt:
    """One execution of a call, whose error becomes an answer if the policy says so.

    Attributes:
        returned: What came of it, also when the with block was left by an error.
    """

    def __init__(self, policy: ErrorPolicy, call: ToolCall) -> None:
        self._policy = policy
        self._call = call
        self.returned: object = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> bool:
        if isinstance(error, ParentCommand) and error.args and isinstance(error.args[0], Command):
            # A graph that the tool called handed this to its parent, which is the graph of this node.
            self.returned = replace(error.args[0], graph=None)
        elif isinstance(error, Exception) and self._policy.covers(error):
            self.returned = error_message(self._call, self._policy.words(error))
        else:
            return False
        return True


def _by_name(tools: Sequence[Tool | Callable[..., Any]]) -> dict[str, Tool]:
    found: dict[str, Tool] = {}
    for given in tools:
        made = given if isinstance(given, Tool) else tool(given)
        if made.name in found:
            raise InvalidToolError(f"Two tools have the name {made.name!r}.", hint='Rename one of them: @tool("name").', tool=made.name)
        found[made.name] = made
    return found


def _watched() -> AbstractContextManager[object]:
    """See that nobody goes on after a question, before what they return is remembered."""
    scope = current()
    return entered(scope) if scope is not None else nullcontext()


def _limit(config: Config) -> int | None:
    found = (config or {}).get("max_concurrency")
    return found if isinstance(found, int) else None


def _unreadable(call: AnyCall) -> ToolMessage:
    return error_message(call, f"Error: The arguments of {call['name']!r} cannot be read: {call.get('error')}. Call the tool again.")
