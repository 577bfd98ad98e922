"""Anthropic's Messages API, as the types of its SDK describe it."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from graphkit.errors import ModelRequestError
from graphkit.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage
from graphkit.models.answer import CALL_EXTRAS, ORDER, interleaved
from graphkit.models.anthropic_reader import AnthropicReader, events_of
from graphkit.models.blocks import GENERAL, THOUGHTS, as_list, blocks, call_extras, encoded, extras_for, parameters, refused
from graphkit.models.clients import Sdk
from graphkit.models.conversation import answered_calls, told_calls
from graphkit.tools import ToolSpec

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from graphkit.messages import AIMessageChunk, AnyMessage, Content, InvalidToolCall, ToolCall
    from graphkit.models.provider import ModelRequest, Output

PROVIDER = "anthropic"
MAX_TOKENS = 16_384
"""The API insists on a limit; this one is ours where nobody gives one."""

NAMES = {"stop": "stop_sequences"}
SETTINGS = frozenset(
    {
        "cache_control", "container", "effort", "inference_geo", "max_tokens", "metadata", "output_config", "service_tier", "speed",
        "stop", "stop_sequences", "thinking",
    }
)  # fmt: skip
PASSED = frozenset(
    {
        "bash_code_execution_tool_result", "code_execution_tool_result", "container_upload", "document", "image", "search_result",
        "server_tool_use", "text_editor_code_execution_tool_result", "tool_reference", "tool_search_tool_result",
        "web_fetch_tool_result", "web_search_tool_result",
    }
)  # fmt: skip
"""Blocks of the API itself, passed as they are."""
KEPT = ("cache_control", "citations", "context", "title", "transformations")
"""Keys of our blocks that the API knows."""


@dataclass(frozen=True, slots=True)
class AnthropicMessages:
    """The Messages API for one model."""

    model: str

    @property
    def name(self) -> str:
        """Provider and model."""
        return f"{PROVIDER}:{self.model}"

    @property
    def settings(self) -> frozenset[str]:
        """The settings of the API that are not messages or tools."""
        return SETTINGS | GENERAL

    @property
    def structured_method(self) -> str:
        """A forced tool call takes any schema."""
        return "tool"

    def sdk(self) -> Sdk:
        """Load ``anthropic``."""
        import anthropic  # noqa: PLC0415 - heavy, and only for those who use it

        return Sdk(anthropic, anthropic.Anthropic, anthropic.AsyncAnthropic)

    def endpoint(self, client: Any) -> Callable[..., Any]:  # noqa: ANN401 - a client of the SDK
        """Return ``messages.create``."""
        return cast("Callable[..., Any]", client.messages.create)

    def streaming(self) -> dict[str, Any]:
        """Ask for events."""
        return {"stream": True}

    def arguments(self, request: ModelRequest) -> dict[str, Any]:
        """Return the arguments of ``messages.create``."""
        settings = dict(request.settings)
        config = dict(settings.pop("output_config", None) or {})
        if (effort := settings.pop("effort", None)) is not None:
            config["effort"] = effort
        if request.output is not None:
            config["format"] = {"type": "json_schema", "schema": self._schema(request.output)}
        if settings.get("stop") is not None:
            settings["stop"] = as_list(settings["stop"])
        system, rest = _leading(request.messages)
        arguments = {"model": self.model, "max_tokens": MAX_TOKENS, **parameters(settings, NAMES)}
        arguments["messages"] = self._turns(rest)
        if system:
            arguments["system"] = self._system(system)
        if config:
            arguments["output_config"] = config
        if request.tools:
            arguments["tools"] = [_tool(tool) for tool in request.tools]
            if (choice := _choice(request)) is not None:
                arguments["tool_choice"] = choice
        return arguments

    def read(self, answer: dict[str, Any]) -> Sequence[AIMessageChunk]:
        """Return a message of the API as chunks."""
        reader = self.reader()
        return [chunk for event in events_of(answer) for chunk in reader.read(event)]

    def reader(self) -> AnthropicReader:
        """Return a reader of its stream events."""
        return AnthropicReader(self.name, PROVIDER)

    def _schema(self, output: Output) -> dict[str, Any]:
        """Return a schema as the API takes them: closed objects, limits told in words."""
        try:
            return cast("dict[str, Any]", self.sdk().module.transform_schema(dict(output.schema)))
        except ValueError as error:
            raise ModelRequestError(
                f"{self.name} cannot keep to the schema of {output.name}: {error}", hint='Use method="tool".', model=self.name
            ) from error

    def _system(self, messages: Sequence[AnyMessage]) -> str | list[dict[str, Any]]:
        if all([isinstance(message.content, str) for message in messages]):
            return "\n\n".join([cast("str", message.content) for message in messages])
        return [block for message in messages for block in self._content(message.content)]

    def _turns(self, messages: Sequence[AnyMessage]) -> list[dict[str, Any]]:
        turns: list[dict[str, Any]] = []
        answered = answered_calls(messages)
        before: AnyMessage | None = None
        for message in messages:
            if isinstance(message, ToolMessage) and isinstance(before, ToolMessage):
                turns[-1]["content"].append(self._result(message))
            elif (content := self._turn(message, answered)) != []:
                turns.append({"role": ROLES[message.type], "content": content})
            before = message
        return turns

    def _turn(self, message: AnyMessage, answered: frozenset[str]) -> Any:  # noqa: ANN401 - JSON
        match message:
            case ToolMessage():
                return [self._result(message)]
            case AIMessage():
                return self._answer(message, answered)
            case HumanMessage() | SystemMessage():
                return message.content if isinstance(message.content, str) else self._content(message.content)

    def _answer(self, message: AIMessage, answered: frozenset[str]) -> list[Any]:
        content = [found for block in blocks(message.content) if (found := self._said(block)) is not None]
        extras = call_extras(PROVIDER, message, CALL_EXTRAS)
        calls = {call["id"]: {**extras.get(call["id"], {}), **_use(call)} for call in told_calls(message, answered)}
        return interleaved(content, calls, message.response_metadata.get(ORDER))

    def _said(self, block: dict[str, Any]) -> dict[str, Any] | None:
        """Return a block of an answer; thoughts go back to the provider they come from, and nowhere else."""
        if block["type"] not in THOUGHTS:
            return self._block(block)
        extras = extras_for(PROVIDER, block)
        if block["type"] == "redacted_thinking":
            return block
        if "redacted_data" in extras:
            return {"type": "redacted_thinking", "data": extras["redacted_data"]}
        return {"type": "thinking", "thinking": block["reasoning"], "signature": extras["signature"]} if extras.get("signature") else None

    def _result(self, message: ToolMessage) -> dict[str, Any]:
        result: dict[str, Any] = {"type": "tool_result", "tool_use_id": message.tool_call_id}
        if message.content:
            result["content"] = message.content if isinstance(message.content, str) else self._content(message.content)
        return {**result, "is_error": True} if message.status == "error" else result

    def _content(self, content: Content) -> list[dict[str, Any]]:
        return [self._block(block) for block in blocks(content)]

    def _block(self, block: dict[str, Any]) -> dict[str, Any]:
        kept = {key: block[key] for key in KEPT if key in block}
        match block["type"]:
            case "text":
                citations = extras_for(PROVIDER, block).get("citations")
                return {"type": "text", "text": block["text"], **({"citations": citations} if citations else {}), **kept}
            case "image" if "source" not in block:
                return {"type": "image", "source": self._source(block), **kept}
            case "file":
                named = {"title": block["name"]} if block.get("name") else {}
                return {"type": "document", "source": self._document(block), **named, **kept}
            case kind if kind in PASSED:
                return block
            case kind:
                raise refused(kind, self.name)

    def _source(self, block: dict[str, Any]) -> dict[str, Any]:
        found = encoded(block, self.name)
        if found is None:
            return {"type": "url", "url": block["url"]}
        return {"type": "base64", "media_type": found[0], "data": found[1]}

    def _document(self, block: dict[str, Any]) -> dict[str, Any]:
        source = self._source(block)
        if source.get("media_type", "").startswith("text/"):
            return {"type": "text", "media_type": "text/plain", "data": base64.b64decode(source["data"]).decode("utf-8", "replace")}
        if source["type"] == "base64" and source["media_type"] != "application/pdf":
            raise refused(f"file ({source['media_type']})", self.name)
        return source


ROLES = {"human": "user", "tool": "user", "ai": "assistant", "system": "system"}


def _leading(messages: Sequence[AnyMessage]) -> tuple[Sequence[AnyMessage], Sequence[AnyMessage]]:
    """Divide the system messages at the beginning from the rest; later ones stay where they are."""
    first = next((place for place, message in enumerate(messages) if not isinstance(message, SystemMessage)), len(messages))
    return messages[:first], messages[first:]


def _use(call: ToolCall | InvalidToolCall) -> dict[str, Any]:
    args: object = call["args"]
    readable = args if isinstance(args, dict) else {"unreadable_arguments": args}
    return {"type": "tool_use", "id": call["id"], "name": call["name"], "input": readable}


def _tool(tool: ToolSpec | Mapping[str, Any]) -> dict[str, Any]:
    if isinstance(tool, ToolSpec):
        return {"name": tool.name, "description": tool.description, "input_schema": dict(tool.parameters)}
    return dict(tool)


def _choice(request: ModelRequest) -> dict[str, Any] | None:
    match request.tool_choice:
        case None if request.parallel_tool_calls is None:
            return None
        case "none":
            return {"type": "none"}
        case None | "auto" | "any" as kind:
            choice: dict[str, Any] = {"type": kind or "auto"}
        case name:
            choice = {"type": "tool", "name": name}
    if request.parallel_tool_calls is not None:
        choice["disable_parallel_tool_use"] = not request.parallel_tool_calls
    return choice
