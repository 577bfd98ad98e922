"""A model as a program uses it: messages in, a message out, in one piece or as it is written."""

from __future__ import annotations

from contextlib import aclosing, closing
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, Self
from uuid import uuid4

from graphkit.errors import InvalidModelError, InvalidToolError, UnknownToolError, nearest
from graphkit.models.answer import complete
from graphkit.models.conversation import read_conversation
from graphkit.models.form import form_of
from graphkit.models.provider import TOOL_CHOICES, ModelRequest, Output, Provider
from graphkit.models.structured import StructuredModel
from graphkit.scope import message_sink
from graphkit.tools import ToolSpec, tool_spec

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator, Mapping, Sequence

    from graphkit.messages import AIMessage, AIMessageChunk, MessageLike
    from graphkit.models.remote import Wire

    Messages = MessageLike | Sequence[MessageLike]
    Sink = Callable[[AIMessageChunk], None]

METHODS = {"tool": "tool", "function_calling": "tool", "json_schema": "json_schema"}
HIDDEN = frozenset({"extra_body", "extra_headers"})
OWN_FORMS = frozenset({"function", "custom"})


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class ChatModel:
    """A model with the tools and settings that are bound to it; ``init_model`` makes one.

    Frozen: ``bind_tools`` and ``bind`` return another one over the same connections. Safe to use from several threads and
    event loops. Closing it (``close``, ``aclose``, ``with``) closes the connections of all that share them.

    Args:
        provider: What answers.
        tools: What it may call.
        tool_choice: As in ModelRequest.
        parallel_tool_calls: As in ModelRequest.
        output: As in ModelRequest.
        settings: As in ModelRequest. "nostream" among ``tags`` keeps its pieces out of ``stream_mode="messages"``.

    Raises:
        InvalidModelError: The provider does not know a setting.
    """

    provider: Provider
    tools: tuple[ToolSpec | Mapping[str, Any], ...] = ()
    tool_choice: str | None = None
    parallel_tool_calls: bool | None = None
    output: Output | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_settings(self.provider, self.settings)

    def __repr__(self) -> str:
        tools = [tool_name(tool) for tool in self.tools]
        settings = {name: value for name, value in self.settings.items() if name not in HIDDEN}
        return f"ChatModel({self.name!r}{f', {tools=}' if tools else ''}{f', {settings=}' if settings else ''})"

    @property
    def name(self) -> str:
        """Provider and model, as in "anthropic:claude-sonnet-5"."""
        return self.provider.name

    def generate(self, messages: Messages, **settings: Any) -> AIMessage:  # noqa: ANN401 - each setting has its type
        """Return the answer to a conversation.

        Inside a node whose run is streamed with ``stream_mode="messages"`` the pieces of the answer are shown as they come.

        Args:
            messages: The conversation, or a single message; strings are what a person says.
            **settings: For this answer only.

        Raises:
            ModelError: The model could not answer; see its subclasses.
            InvalidChatHistoryError: A tool call has no tool message.
            InvalidMessageError: Something is no message.
            EmptyInputError: There is no message.
            InvalidModelError: The provider does not know a setting.
        """
        request = self.request(messages, **settings)
        sink = self._sink(request)
        if sink is None:
            return _named(self.provider.generate(request))
        return complete(self._shown(self.provider.stream(request), sink))

    async def agenerate(self, messages: Messages, **settings: Any) -> AIMessage:  # noqa: ANN401 - each setting has its type
        """As ``generate``."""
        request = self.request(messages, **settings)
        sink = self._sink(request)
        if sink is None:
            return _named(await self.provider.agenerate(request))
        return complete([chunk async for chunk in self._ashown(self.provider.astream(request), sink)])

    def stream(self, messages: Messages, **settings: Any) -> Generator[AIMessageChunk, None, None]:  # noqa: ANN401 - each setting has its type
        """Yield the answer to a conversation as it comes; all pieces carry the id of the message.

        What is wrong with the arguments is raised by the call, what goes wrong on the way while you iterate. Arguments and
        errors are those of ``generate``. Closing the iterator closes the connection.
        """
        request = self.request(messages, **settings)
        return self._shown(self.provider.stream(request), self._sink(request))

    def astream(self, messages: Messages, **settings: Any) -> AsyncGenerator[AIMessageChunk, None]:  # noqa: ANN401 - each setting has its type
        """As ``stream``."""
        request = self.request(messages, **settings)
        return self._ashown(self.provider.astream(request), self._sink(request))

    def invoke(self, messages: Messages, config: object = None, **settings: Any) -> AIMessage:  # noqa: ANN401, ARG002
        """As ``generate``, under LangChain's name; ``config`` is accepted and not needed."""
        return self.generate(messages, **settings)

    async def ainvoke(self, messages: Messages, config: object = None, **settings: Any) -> AIMessage:  # noqa: ANN401, ARG002
        """As ``agenerate``, under LangChain's name; ``config`` is accepted and not needed."""
        return await self.agenerate(messages, **settings)

    def bind_tools(self, tools: Sequence[object], *, tool_choice: str | None = None, parallel_tool_calls: bool | None = None) -> ChatModel:
        """Return this model with tools to call, in place of those it has.

        Args:
            tools: Functions, Tools, pydantic classes, or dicts; a dict of a type that is not a function is a tool of the
                provider's own and passed as it is.
            tool_choice: "auto", "any" (or "required"), "none", or the name of one of the tools.
            parallel_tool_calls: Whether several calls may come in one answer.

        Raises:
            InvalidToolError: Something is no tool, or two have one name.
            UnknownToolError: ``tool_choice`` names none of them.
        """
        specs = tuple([_spec(tool) for tool in tools])
        names = [tool_name(spec) for spec in specs]
        if twice := {name for name in names if names.count(name) > 1}:
            raise InvalidToolError(f"Two tools are named {min(twice)!r}.", hint="A model calls a tool by its name; give each its own.")
        choice = "any" if tool_choice == "required" else tool_choice
        if choice is not None and choice not in TOOL_CHOICES and choice not in names:
            raise UnknownToolError(f"tool_choice={tool_choice!r} names no tool.", hint=nearest(tool_choice, [*names, *TOOL_CHOICES]))
        return self._with(tools=specs, tool_choice=choice, parallel_tool_calls=parallel_tool_calls)

    def bind(self, **settings: Any) -> ChatModel:  # noqa: ANN401 - each setting has its type
        """Return this model with more settings; None takes one away.

        Raises:
            InvalidModelError: The provider does not know one of them.
        """
        return self._with(settings={**self.settings, **settings})

    def with_structured_output(
        self,
        schema: type | Mapping[str, Any],
        *,
        method: Literal["auto", "tool", "function_calling", "json_schema"] = "auto",
        include_raw: bool = False,
    ) -> StructuredModel:
        """Return a model whose answers are values of a schema.

        Args:
            schema: A pydantic class, a TypedDict, a dataclass, or a JSON schema of an object.
            method: "tool" makes the model call a tool with these arguments, "json_schema" has the provider keep to the
                schema, "auto" takes what the provider is best at.
            include_raw: Return ``{"raw": message, "parsed": value or None, "parsing_error": error or None}`` and raise
                nothing for an answer that does not fit.

        Raises:
            InvalidModelError: No such schema, or no such method.
        """
        form = form_of(schema)
        way = self.provider.structured_method if method == "auto" else METHODS.get(method)
        if way is None:
            raise InvalidModelError(f"method={method!r} does not exist.", hint=nearest(method, ["auto", *METHODS]))
        if way == "tool":
            tool = ToolSpec(form.output.name, form.output.description, dict(form.output.schema))
            model = self._with(tools=(tool,), tool_choice=tool.name, parallel_tool_calls=False, output=None)
        else:
            model = self._with(output=form.output, tool_choice="none" if self.tools else None)
        return StructuredModel(model, form, include_raw=include_raw)

    def request(self, messages: Messages, **settings: Any) -> ModelRequest:  # noqa: ANN401 - each setting has its type
        """Return what the provider is asked; arguments and errors are those of ``generate``, but for ModelError."""
        check_settings(self.provider, settings)
        return ModelRequest(
            read_conversation(messages),
            self.tools,
            self.tool_choice,
            self.parallel_tool_calls,
            self.output,
            {**self.settings, **settings},
        )

    def close(self) -> None:
        """Give connections back, but for those of event loops; a later call opens new ones."""
        self.provider.close()

    async def aclose(self) -> None:
        """As ``close``, and the connections of the running event loop. Those of others are closed when the loop ends."""
        await self.provider.aclose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    def _with(self, **changes: Any) -> ChatModel:  # noqa: ANN401 - fields of this class
        fields = ("provider", "tools", "tool_choice", "parallel_tool_calls", "output", "settings")
        return ChatModel(**{name: changes.get(name, getattr(self, name)) for name in fields})

    def _sink(self, request: ModelRequest) -> Sink | None:
        """Return where pieces go while somebody watches the run; each with what there is to know about the model."""
        tags = tuple(request.settings.get("tags") or ())
        sink = None if "nostream" in tags else message_sink()
        if sink is None:
            return None
        prefix, _, model = self.name.partition(":")
        metadata = {"ls_provider": prefix, "ls_model_name": model or prefix, "ls_model_type": "chat", **({"tags": tags} if tags else {})}
        return partial(_show, sink, metadata)

    def _shown(self, chunks: Generator[AIMessageChunk, None, None], sink: Sink | None) -> Generator[AIMessageChunk, None, None]:
        identity = new_id()
        with closing(chunks):
            for chunk in chunks:
                piece = _piece(chunk, identity)
                if sink is not None:
                    sink(piece)
                yield piece

    async def _ashown(self, chunks: AsyncGenerator[AIMessageChunk, None], sink: Sink | None) -> AsyncGenerator[AIMessageChunk, None]:
        identity = new_id()
        async with aclosing(chunks):
            async for chunk in chunks:
                piece = _piece(chunk, identity)
                if sink is not None:
                    sink(piece)
                yield piece


def tool_name(tool: ToolSpec | Mapping[str, Any]) -> str:
    """Return the name of a tool; for one of the provider's own that has none, its type."""
    return tool.name if isinstance(tool, ToolSpec) else str(tool.get("name") or tool["type"])


def new_id() -> str:
    """Return an id for a message. Providers have ids too, but some local servers repeat theirs, which would replace messages."""
    return f"ai-{uuid4().hex}"


def _show(send: Callable[[object, Mapping[str, object]], None], metadata: Mapping[str, object], chunk: AIMessageChunk) -> None:
    send(chunk, metadata)


def _spec(tool: object) -> ToolSpec | Mapping[str, Any]:
    own = isinstance(tool, dict) and isinstance(tool.get("type"), str) and tool["type"] not in {*OWN_FORMS, "object"}
    return tool if own else tool_spec(tool)  # type: ignore[return-value]


def _piece(chunk: AIMessageChunk, identity: str) -> AIMessageChunk:
    return chunk if chunk.id is not None else replace(chunk, id=identity)


def _named(message: AIMessage) -> AIMessage:
    return message if message.id is not None else replace(message, id=new_id())


def check_settings(provider: Provider | Wire, settings: Mapping[str, Any]) -> None:
    """Check that a provider knows these settings.

    Raises:
        InvalidModelError: It does not know one.
    """
    for name in settings:
        if name not in provider.settings:
            raise InvalidModelError(
                f"{provider.name} has no setting {name!r}.",
                hint=f"{nearest(name, provider.settings)} Pass what graphkit does not know as extra_body={{...}}.",
                setting=name,
            )
