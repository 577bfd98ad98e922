"""Models: one way to ask Anthropic, OpenAI, whoever speaks OpenAI's formats, and a script."""

from __future__ import annotations

from graphkit.models.form import Form
from graphkit.models.model import ChatModel
from graphkit.models.names import init_chat_model, init_model
from graphkit.models.provider import ModelRequest, Output, Provider
from graphkit.models.scripted import Answer, ScriptedModel
from graphkit.models.structured import StructuredModel

Model = ChatModel
"""The short name."""

__all__ = [
    "Answer",
    "ChatModel",
    "Form",
    "Model",
    "ModelRequest",
    "Output",
    "Provider",
    "ScriptedModel",
    "StructuredModel",
    "init_chat_model",
    "init_model",
]
