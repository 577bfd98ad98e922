"""OpenAI's Responses API. Nothing is kept at OpenAI: each request holds the whole conversation, thoughts encrypted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from graphkit.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage
from graphkit.models.answer import CALL_EXTRAS, ORDER, interleaved
from graphkit.models.blocks import GENERAL, blocks, call_extras, data_url, extras_for, parameters, refused
from graphkit.models.conversation import answered_calls, told_calls
from graphkit.models.openai_chat import CHOICES, arguments_text, load_openai, output_format
from graphkit.models.openai_responses_reader import ResponsesReader, events_of
from graphkit.tools import ToolSpec

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from graphkit.messages import AIMessageChunk, AnyMessage, Content
    from graphkit.models.clients import Sdk
    from graphkit.models.provider import ModelRequest

PROVIDER = "openai"
NAMES = {"max_tokens": "max_output_tokens"}
SETTINGS = frozenset(
    {
        "effort", "include", "max_output_tokens", "max_tokens", "max_tool_calls", "metadata", "previous_response_id", "prompt_cache_key",
        "reasoning", "safety_identifier", "service_tier", "store", "temperature", "text", "top_logprobs", "top_p", "truncation", "user",
        "verbosity",
    }
)  # fmt: skip
PASSED = frozenset({"input_audio", "input_file", "input_image", "input_text"})
"""Parts of the API itself, passed as they are."""
ITEM = "_call"
"""Items that a tool of OpenAI's own leaves in an answer end so; they go back as they are."""


@dataclass(frozen=True, slots=True)
class OpenAIResponses:
    """The Responses API for one model."""

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
        """The API keeps to a schema."""
        return "json_schema"

    def sdk(self) -> Sdk:
        """Load ``openai``."""
        return load_openai()

    def endpoint(self, client: Any) -> Callable[..., Any]:  # noqa: ANN401 - a client of the SDK
        """Return ``responses.create``."""
        return cast("Callable[..., Any]", client.responses.create)

    def streaming(self) -> dict[str, Any]:
        """Ask for events."""
        return {"stream": True}

    def arguments(self, request: ModelRequest) -> dict[str, Any]:
        """Return the arguments of ``responses.create``."""
        settings = dict(request.settings)
        nested = {name: settings.pop(name, None) for name in ("effort", "reasoning", "text", "verbosity")}
        arguments = {"model": self.model, "store": False, **parameters(settings, NAMES)}
        answered = answered_calls(request.messages)
        arguments["input"] = [item for message in request.messages for item in self._items(message, answered)]
        if reasoning := _merged(nested["reasoning"], effort=nested["effort"]):
            arguments["reasoning"] = reasoning
        form = None if request.output is None else {"type": "json_schema", **output_format(request.output)}
        if text := _merged(nested["text"], verbosity=nested["verbosity"], format=form):
            arguments["text"] = text
        if request.tools:
            arguments["tools"] = [_tool(tool) for tool in request.tools]
            if (choice := request.tool_choice) is not None:
                arguments["tool_choice"] = CHOICES.get(choice) or {"type": "function", "name": choice}
            if request.parallel_tool_calls is not None:
                arguments["parallel_tool_calls"] = request.parallel_tool_calls
        return arguments

    def read(self, answer: dict[str, Any]) -> Sequence[AIMessageChunk]:
        """Return a response as chunks."""
        reader = self.reader()
        return [chunk for event in events_of(answer) for chunk in reader.read(event)]

    def reader(self) -> ResponsesReader:
        """Return a reader of its stream events."""
        return ResponsesReader(self.name, PROVIDER)

    def _items(self, message: AnyMessage, answered: frozenset[str]) -> list[dict[str, Any]]:
        match message:
            case SystemMessage() | HumanMessage():
                role = "system" if isinstance(message, SystemMessage) else "user"
                return [{"role": role, "content": self._content(message.content)}]
            case ToolMessage():
                return [{"type": "function_call_output", "call_id": message.tool_call_id, "output": self._content(message.content)}]
            case AIMessage():
                return self._answer(message, answered)

    def _answer(self, message: AIMessage, answered: frozenset[str]) -> list[dict[str, Any]]:
        content = [found for block in blocks(message.content) if (found := self._said(block)) is not None]
        extras = call_extras(PROVIDER, message, CALL_EXTRAS)
        calls = {
            call["id"]: {
                **extras.get(call["id"], {}),
                "type": "function_call",
                "call_id": call["id"],
                "name": call["name"],
                "arguments": arguments_text(call),
            }
            for call in told_calls(message, answered)
        }
        return interleaved(content, calls, message.response_metadata.get(ORDER))

    def _said(self, block: dict[str, Any]) -> dict[str, Any] | None:
        """Return a block of an answer as an item; thoughts go back to the provider they come from, and nowhere else."""
        extras = extras_for(PROVIDER, block)
        match block["type"]:
            case "text":
                return {"role": "assistant", "content": block["text"], **({"phase": extras["phase"]} if extras.get("phase") else {})}
            case "reasoning" if extras.get("id"):
                parts = extras.get("summary", [block["reasoning"]] if block["reasoning"] else [])
                kept: dict[str, Any] = {key: extras[key] for key in ("id", "encrypted_content", "content") if key in extras}
                return {"type": "reasoning", **kept, "summary": [{"type": "summary_text", "text": part} for part in parts]}
            case "reasoning" | "redacted_thinking":
                return None
            case kind if kind.endswith(ITEM) and block.get("id"):
                return block
            case kind:
                raise refused(kind, self.name)

    def _content(self, content: Content) -> str | list[dict[str, Any]]:
        return content if isinstance(content, str) else [self._part(block) for block in blocks(content)]

    def _part(self, block: dict[str, Any]) -> dict[str, Any]:
        match block["type"]:
            case "text":
                return {"type": "input_text", "text": block["text"]}
            case "image":
                return {"type": "input_image", "image_url": data_url(block, self.name), "detail": block.get("detail", "auto")}
            case "file" if block.get("url") and not block["url"].startswith("data:"):
                return {"type": "input_file", "file_url": block["url"]}
            case "file":
                return {"type": "input_file", "file_data": data_url(block, self.name), "filename": block.get("name", "file")}
            case kind if kind in PASSED:
                return block
            case kind:
                raise refused(kind, self.name)


def _merged(given: object, **more: object) -> dict[str, Any]:
    merged = dict(given) if isinstance(given, dict) else {}
    return merged | {key: value for key, value in more.items() if value is not None}


def _tool(tool: ToolSpec | Mapping[str, Any]) -> dict[str, Any]:
    if isinstance(tool, ToolSpec):
        # Without strict=False the API changes a schema that is not strict, and defaults become required.
        return {
            "type": "function",
            "name": tool.name,
            "description": tool.description,
            "parameters": dict(tool.parameters),
            "strict": False,
        }
    return dict(tool)
