"""The providers and the four ways of asking a model, for tests that hold for all of them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from graphkit.models.answer import complete

if TYPE_CHECKING:
    from graphkit.messages import AIMessage, AIMessageChunk
    from graphkit.models import ChatModel

PROVIDERS = ("anthropic:test", "openai:test", "openai-compatible:test")
"""One for each wire format."""
Ask = "Callable[..., AIMessage]"

every_provider = pytest.mark.parametrize("provider", PROVIDERS)


def generate(model: ChatModel, messages: Any, **settings: Any) -> AIMessage:
    return model.generate(messages, **settings)


def agenerate(model: ChatModel, messages: Any, **settings: Any) -> AIMessage:
    return asyncio.run(model.agenerate(messages, **settings))


def stream(model: ChatModel, messages: Any, **settings: Any) -> AIMessage:
    return complete(model.stream(messages, **settings))


def astream(model: ChatModel, messages: Any, **settings: Any) -> AIMessage:
    return complete(asyncio.run(acollected(model, messages, **settings)))


async def acollected(model: ChatModel, messages: Any, **settings: Any) -> list[AIMessageChunk]:
    return [chunk async for chunk in model.astream(messages, **settings)]


every_way = pytest.mark.parametrize("ask", [generate, agenerate, stream, astream])
streaming_ways = pytest.mark.parametrize("ask", [stream, astream])
whole_ways = pytest.mark.parametrize("ask", [generate, agenerate])
