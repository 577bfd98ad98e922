"""OpenAI's Chat Completions, which most other providers and local servers speak as well."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, cast

from graphkit.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage
from graphkit.models.answer import CALL_EXTRAS
from graphkit.models.blocks import GENERAL, THOUGHTS, blocks, call_extras, data_url, parameters, refused
from graphkit.models.clients import Sdk
from graphkit.models.conversation import answered_calls, told_calls
from graphkit.models.openai_chat_reader import ChatReader, events_of
from graphkit.tools import ToolSpec

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from graphkit.messages import AIMessageChunk, AnyMessage, Content, InvalidToolCall, ToolCall
    from graphkit.models.provider import ModelRequest

SETTINGS = frozenset(
    {
        "effort", "frequency_penalty", "logit_bias", "logprobs", "max_completion_tokens", "max_tokens", "metadata", "presence_penalty",
        "prompt_cache_key", "reasoning_effort", "safety_identifier", "seed", "service_tier", "stop", "store", "temperature",
        "top_logprobs", "top_p", "user", "verbosity",
    }
)  # fmt: skip
PASSED = frozenset({"image_url", "input_audio", "refusal"})
"""Parts of the API itself, passed as they are."""


def load_openai() -> Sdk:
    """Load ``openai``."""
    import openai  # noqa: PLC0415 - heavy, and only for those who use it

    return Sdk(openai, openai.OpenAI, openai.AsyncOpenAI)


@dataclass(frozen=True, slots=True)
class ChatCompletions:
    """Chat Completions of one model.

    Args:
        provider: Who speaks it.
        model: Which model.
        limit: The parameter for the most tokens of an answer; OpenAI has renamed it, others have not.
    """

    provider: str
    model: str
    limit: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"

    @property
    def name(self) -> str:
        """Provider and model."""
        return f"{self.provider}:{self.model}"

    @property
    def settings(self) -> frozenset[str]:
        """The settings of the API that are not messages or tools."""
        return SETTINGS | GENERAL

    @property
    def structured_method(self) -> str:
        """Servers that ignore a forced tool keep to a schema."""
        return "json_schema"

    def sdk(self) -> Sdk:
        """Load ``openai``."""
        return load_openai()

    def endpoint(self, client: Any) -> Callable[..., Any]:  # noqa: ANN401 - a client of the SDK
        """Return ``chat.completions.create``."""
        return cast("Callable[..., Any]", client.chat.completions.create)

    def streaming(self) -> dict[str, Any]:
        """Ask for events, and for the usage at their end."""
        return {"stream": True, "stream_options": {"include_usage": True}}

    def arguments(self, request: ModelRequest) -> dict[str, Any]:
        """Return the arguments of ``chat.completions.create``."""
        names = {"max_tokens": self.limit, "effort": "reasoning_effort"}
        arguments = {"model": self.model, **parameters(request.settings, names)}
        answered = answered_calls(request.messages)
        turns = [self._turn(message, answered) for message in request.messages]
        arguments["messages"] = [turn for turn in turns if turn is not None]
        if request.output is not None:
            arguments["response_format"] = {"type": "json_schema", "json_schema": output_format(request.output)}
        if request.tools:
            arguments["tools"] = [_tool(tool) for tool in request.tools]
            if (choice := request.tool_choice) is not None:
                arguments["tool_choice"] = CHOICES.get(choice) or {"type": "function", "function": {"name": choice}}
            if request.parallel_tool_calls is not None:
                arguments["parallel_tool_calls"] = request.parallel_tool_calls
        return arguments

    def read(self, answer: dict[str, Any]) -> Sequence[AIMessageChunk]:
        """Return a completion as chunks."""
        reader = self.reader()
        return [chunk for event in events_of(answer) for chunk in reader.read(event)]

    def reader(self) -> ChatReader:
        """Return a reader of its stream events."""
        return ChatReader(self.name, self.provider)

    def _turn(self, message: AnyMessage, answered: frozenset[str]) -> dict[str, Any] | None:
        match message:
            case SystemMessage() | HumanMessage():
                role = "system" if isinstance(message, SystemMessage) else "user"
                return {"role": role, "content": self._content(message.content), **({"name": message.name} if message.name else {})}
            case ToolMessage():
                return {"role": "tool", "tool_call_id": message.tool_call_id, "content": self._content(message.content)}
            case AIMessage():
                return self._answer(message, answered)

    def _answer(self, message: AIMessage, answered: frozenset[str]) -> dict[str, Any] | None:
        """Return an answer as it is told again; thoughts are not, the format has no place for them."""
        content = self._content(message.content)
        extras = call_extras(self.provider, message, CALL_EXTRAS)
        calls = [{**extras.get(call["id"], {}), **_call(call)} for call in told_calls(message, answered)]
        if not content and not calls:
            return None
        turn: dict[str, Any] = {"role": "assistant", "content": content or None}
        return {**turn, "tool_calls": calls} if calls else turn

    def _content(self, content: Content) -> str | list[dict[str, Any]]:
        if isinstance(content, str):
            return content
        parts = [self._part(block) for block in blocks(content) if block["type"] not in THOUGHTS]
        # Many servers take a list from people only, and text is the same as a string.
        return "".join([part["text"] for part in parts]) if all([part["type"] == "text" for part in parts]) else parts

    def _part(self, block: dict[str, Any]) -> dict[str, Any]:
        match block["type"]:
            case "text":
                return {"type": "text", "text": block["text"]}
            case "image":
                return {"type": "image_url", "image_url": {"url": data_url(block, self.name)}}
            case "file" if isinstance(block.get("file"), dict):
                return block
            case "file" if not block.get("url"):
                return {"type": "file", "file": {"file_data": data_url(block, self.name), "filename": block.get("name", "file")}}
            case kind if kind in PASSED:
                return block
            case kind:
                raise refused("file (url)" if kind == "file" else kind, self.name)


CHOICES = {"auto": "auto", "any": "required", "none": "none"}


def arguments_text(call: ToolCall | InvalidToolCall) -> str:
    """Return the arguments of a call as JSON text; servers read it, so what cannot be read is wrapped."""
    args: object = call["args"]
    return json.dumps(args if isinstance(args, dict) else {"unreadable_arguments": args})


def output_format(output: Any) -> dict[str, Any]:  # noqa: ANN401 - an Output, in both of OpenAI's formats
    """Return how the form of an answer is asked for; strict where the schema is one that can be kept strictly."""
    described = {"description": output.description} if output.description else {}
    return {"name": output.name, **described, "schema": dict(output.schema), "strict": _is_strict(output.schema)}


def _is_strict(schema: object) -> bool:
    """Tell whether every object of a schema requires all of its properties and allows no others, as strict mode wants."""
    if isinstance(schema, list | tuple):
        return all([_is_strict(part) for part in schema])
    if not hasattr(schema, "items"):
        return True
    found = cast("Mapping[str, Any]", schema)
    if found.get("type") == "object" or "properties" in found:
        names = found.get("properties") or {}
        if found.get("additionalProperties") is not False or {*found.get("required", ())} != {*names}:
            return False
    return all([_is_strict(part) for part in found.values()])


def _call(call: ToolCall | InvalidToolCall) -> dict[str, Any]:
    return {"id": call["id"], "type": "function", "function": {"name": call["name"], "arguments": arguments_text(call)}}


def _tool(tool: ToolSpec | Mapping[str, Any]) -> dict[str, Any]:
    if isinstance(tool, ToolSpec):
        function = {"name": tool.name, "description": tool.description, "parameters": dict(tool.parameters)}
        return {"type": "function", "function": function}
    return dict(tool)
