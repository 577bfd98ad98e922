"""The ways to a model: none (the rules, or whatever stands in for them), or over HTTP in the formats of the providers."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from examples.email_assistant.language import LanguageModel
from graphkit.testing import ModelServer
from graphkit.testing.model_server import Reply
from tests.examples.conftest import OWNER
from tests.examples.models.brain import Brain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from examples.email_assistant.mail.message import Mail
    from examples.email_assistant.model import Model
    from graphkit.testing.model_server import Received, Step
    from graphkit.tools import Tool

OFFLINE = "offline"
WIRES = ("anthropic", "openai", "openai-compatible")
WAYS = (OFFLINE, *WIRES)
"""Without a server; Anthropic's Messages; OpenAI's Responses; OpenAI's Chat Completions."""


@contextmanager
def asked(wire: str, script: Sequence[Step] | Callable[[Received], Step], tools: Sequence[Tool]) -> Iterator[LanguageModel]:
    """Yield the assistant's language model, which asks a server of ours that follows a script."""
    with ModelServer(script) as server, server.model(f"{wire}:any") as chat:
        yield LanguageModel(chat, OWNER, tools)


@contextmanager
def reached(way: str, model: Model, mails: Iterable[Mail], tools: Sequence[Tool]) -> Iterator[Model]:
    """Yield a model as it is, or as one that is asked over a wire and decides the same."""
    if way == OFFLINE:
        yield model
    else:
        with asked(way, Brain(model, mails), tools) as language_model:
            yield language_model


@dataclass(frozen=True)
class Terminal:
    """What a person types to use a model, and what they have in the environment."""

    name: str
    arguments: list[str]
    environment: dict[str, str]


def terminal(way: str, server: ModelServer, key: str = "test-key") -> Terminal:
    """Return how a server is reached from the command line."""
    name = f"{way}:any"
    match way:
        case "anthropic":
            return Terminal(name, ["--model", name], {"ANTHROPIC_API_KEY": key, "ANTHROPIC_BASE_URL": server.url})
        case "openai":
            return Terminal(name, ["--model", name], {"OPENAI_API_KEY": key, "OPENAI_BASE_URL": server.openai_url})
        case "openai-compatible":
            return Terminal(name, ["--model", f"{server.openai_url}#any"], {})
        case _:
            return Terminal("rules-v1 (no AI)", ["--model", "rules"], {})


def sorted_as(label: str, received: Received) -> Step:
    """Return the answer to a request to sort a mail, in the form it asks for."""
    said = {"reason": "a question", "label": label}
    return Reply(tool_calls=[{"name": "Sorted", "args": said}]) if received.tools else json.dumps(said)
