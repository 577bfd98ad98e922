"""A model that says what it was told to: for tests, examples and demonstrations. It touches no network."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeAlias, cast
from uuid import uuid4

from graphkit.errors import InvalidModelError
from graphkit.messages import AIMessage, AIMessageChunk, InvalidToolCall, ToolCall
from graphkit.models.answer import call_piece
from graphkit.models.model import ChatModel

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from graphkit.models.provider import ModelRequest

Answer: TypeAlias = "AIMessage | str | Sequence[Mapping[str, Any]] | Exception | Callable[[ModelRequest], Answer]"
"""A message, what it says, the tools it calls, an error it fails with, or a function that decides."""

SETTINGS = frozenset(
    {"effort", "extra_body", "extra_headers", "max_tokens", "seed", "stop", "tags", "temperature", "thinking", "timeout", "top_p"}
)
WORDS = re.compile(r"\s*\S+\s*$|\s*\S+")


class ScriptedModel(ChatModel):
    """A model that gives these answers, in order, whoever asks: any thread, either driver, with any tools bound.

    Args:
        answers: One after the other: an AIMessage, a string, a list of tool calls (``{"name", "args"}``; an id is made if
            there is none), an exception to raise, or a function of the ModelRequest that returns one of these. Instead of a
            sequence: one such function, which answers every request and so works in a new process, too.
        name: What it is called.
    """

    __slots__ = ()

    def __init__(self, answers: Sequence[Answer] | Callable[[ModelRequest], Answer], *, name: str = "scripted") -> None:
        super().__init__(Script(answers, name))

    @property
    def requests(self) -> list[ModelRequest]:
        """What it was asked so far, in order, also through models bound to it."""
        return list(cast("Script", self.provider).requests)


class Script:
    """The provider of a ScriptedModel."""

    settings = SETTINGS
    structured_method = "tool"

    def __init__(self, answers: Sequence[Answer] | Callable[[ModelRequest], Answer], name: str) -> None:
        if isinstance(answers, str) or not (callable(answers) or isinstance(answers, Sequence)):
            raise InvalidModelError(f"{answers!r:.100} is no script.", hint='Pass a list of answers: ScriptedModel(["Hello!"]).')
        self.name = name
        self.requests: list[ModelRequest] = []
        self._answers = answers
        self._lock = threading.Lock()

    def generate(self, request: ModelRequest) -> AIMessage:
        """Return the next answer."""
        with self._lock:
            place = len(self.requests)
            self.requests.append(request)
        answer: object = self._answers if callable(self._answers) else self._at(place)
        while callable(answer):
            answer = answer(request)
        return self._message(answer, place)

    async def agenerate(self, request: ModelRequest) -> AIMessage:
        """As ``generate``."""
        return self.generate(request)

    def stream(self, request: ModelRequest) -> Generator[AIMessageChunk, None, None]:
        """Yield the next answer word by word, then its tool calls."""
        return pieces(self.generate(request))

    async def astream(self, request: ModelRequest) -> AsyncGenerator[AIMessageChunk, None]:
        """As ``stream``."""
        for piece in self.stream(request):
            yield piece

    def close(self) -> None:
        """Do nothing: there are no connections."""

    async def aclose(self) -> None:
        """Do nothing: there are no connections."""

    def _at(self, place: int) -> object:
        if place < len(self._answers):  # type: ignore[arg-type]
            return self._answers[place]  # type: ignore[index]
        raise InvalidModelError(
            f"{self.name} was asked {place + 1} times, but has {len(self._answers)} answers.",  # type: ignore[arg-type]
            hint="Give it more answers, or one function that answers every request.",
            model=self.name,
        )

    def _message(self, answer: object, place: int) -> AIMessage:
        match answer:
            case AIMessage():
                message = answer
            case str():
                message = AIMessage(answer)
            case Exception():
                raise answer
            case Sequence():
                message = AIMessage(tool_calls=[_call(call, place) for call in answer])
            case _:
                raise InvalidModelError(
                    f"Answer {place + 1} of {self.name} is {answer!r:.100}.",
                    hint="An answer is an AIMessage, a string, a list of tool calls, an exception, or a function of the request.",
                )
        stop = "tool_calls" if message.tool_calls or message.invalid_tool_calls else "end"
        said = {"provider": "scripted", "model": self.name, "stop_reason": stop, **message.response_metadata}
        return replace(message, response_metadata=said)


def pieces(message: AIMessage) -> Generator[AIMessageChunk, None, None]:
    """Yield a message as the chunks it could have come in: word by word, then the tool calls, then the rest."""
    if isinstance(message.content, str):
        for word in WORDS.findall(message.content) or [message.content]:
            yield AIMessageChunk(word, id=message.id)
    else:
        for index, block in enumerate(message.content):
            yield AIMessageChunk([cast("dict[str, Any]", {**block, "index": index})], id=message.id)
    calls: list[ToolCall | InvalidToolCall] = [*message.tool_calls, *message.invalid_tool_calls]
    for index, call in enumerate(calls):
        args: object = call["args"]
        yield replace(call_piece(index, "", id=call["id"], name=call["name"]), id=message.id)
        yield replace(call_piece(index, args if isinstance(args, str) else json.dumps(args)), id=message.id)
    yield AIMessageChunk(id=message.id, usage_metadata=message.usage_metadata, response_metadata=message.response_metadata)


def _call(call: object, place: int) -> ToolCall:
    if not isinstance(call, Mapping) or not isinstance(call.get("name"), str):
        raise InvalidModelError(f"Answer {place + 1} calls {call!r:.100}.", hint='A tool call is {"name": "...", "args": {...}}.')
    return ToolCall(name=call["name"], args=dict(call.get("args") or {}), id=call.get("id") or f"call_{uuid4().hex[:12]}")
