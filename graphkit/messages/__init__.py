"""Messages: what people, models and tools say to each other, the same for every provider."""

from __future__ import annotations

from graphkit.messages.chunk import AIMessageChunk, ToolCallChunk, gather
from graphkit.messages.coerce import MessageLike, read_message, read_messages
from graphkit.messages.content import Content, ContentBlock, FileBlock, ImageBlock, InvalidToolCall, ReasoningBlock, TextBlock, ToolCall
from graphkit.messages.foreign import neutral_block, openai_content
from graphkit.messages.history import check_history, last_ai_message
from graphkit.messages.message import (
    AIMessage,
    AnyMessage,
    HumanMessage,
    Message,
    RemoveMessage,
    StopReason,
    SystemMessage,
    ToolMessage,
    UsageMetadata,
)
from graphkit.messages.reducer import REMOVE_ALL_MESSAGES, MessagesState, add_messages
from graphkit.messages.trim import count_tokens_approximately, trim_messages

BaseMessage = Message
"""LangChain's name."""

__all__ = [
    "REMOVE_ALL_MESSAGES",
    "AIMessage",
    "AIMessageChunk",
    "AnyMessage",
    "BaseMessage",
    "Content",
    "ContentBlock",
    "FileBlock",
    "HumanMessage",
    "ImageBlock",
    "InvalidToolCall",
    "Message",
    "MessageLike",
    "MessagesState",
    "ReasoningBlock",
    "RemoveMessage",
    "StopReason",
    "SystemMessage",
    "TextBlock",
    "ToolCall",
    "ToolCallChunk",
    "ToolMessage",
    "UsageMetadata",
    "add_messages",
    "check_history",
    "count_tokens_approximately",
    "gather",
    "last_ai_message",
    "neutral_block",
    "openai_content",
    "read_message",
    "read_messages",
    "trim_messages",
]
