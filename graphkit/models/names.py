"""Models by name: "anthropic:...", "openai:...", "google:...", "xai:...", "ollama:...", "openai-compatible:..."."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from graphkit.errors import InvalidModelError, ModelAuthenticationError, nearest
from graphkit.models.anthropic import AnthropicMessages
from graphkit.models.clients import Access, Clients
from graphkit.models.model import ChatModel, check_settings
from graphkit.models.openai_chat import ChatCompletions
from graphkit.models.openai_responses import OpenAIResponses
from graphkit.models.remote import Remote

if TYPE_CHECKING:
    from graphkit.models.remote import Wire

TIMEOUT = 600.0
NO_KEY = "none"
"""What is sent to servers that want no key; the SDK insists on one."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a provider is and what it wants.

    Args:
        keys: Environment variables that may hold the API key, in order; none if it wants no key.
        base_url: The endpoint; None for the SDK's own.
        api: The wire format.
    """

    keys: tuple[str, ...]
    base_url: str | None
    api: Literal["messages", "responses", "chat"]


PLACES = {
    "anthropic": Place(("ANTHROPIC_API_KEY",), None, "messages"),
    "openai": Place(("OPENAI_API_KEY",), None, "responses"),
    "google": Place(("GEMINI_API_KEY", "GOOGLE_API_KEY"), "https://generativelanguage.googleapis.com/v1beta/openai/", "chat"),
    "xai": Place(("XAI_API_KEY",), "https://api.x.ai/v1", "chat"),
    "ollama": Place((), "http://127.0.0.1:11434/v1", "chat"),
    "openai-compatible": Place((), None, "chat"),
}


def init_model(
    name: str,
    *,
    api_key: str | None = None,
    base_url: str | None = None,
    timeout: float | None = None,
    api: Literal["responses", "chat"] | None = None,
    **settings: Any,  # noqa: ANN401 - each setting has its type
) -> ChatModel:
    """Return the model of this name. Nothing is sent; connections are opened when first needed.

    Args:
        name: Provider and model: "anthropic:claude-sonnet-5", "openai:gpt-5.6", "ollama:llama3.2".
        api_key: The key; by default from the environment: ANTHROPIC_API_KEY, OPENAI_API_KEY, GEMINI_API_KEY or
            GOOGLE_API_KEY, XAI_API_KEY. Local servers need none.
        base_url: Another endpoint that speaks the same format; required for "openai-compatible". For "ollama" the
            environment's OLLAMA_HOST is respected.
        timeout: Seconds to wait for the next bytes of an answer; 600 by default.
        api: For "openai": "responses" (default) or "chat".
        **settings: ``max_tokens``, ``temperature``, ``stop``, ``effort``, ... for every answer; each provider knows its own.

    Raises:
        InvalidModelError: The name, the endpoint or a setting does not exist.
        ModelAuthenticationError: There is no key.
    """
    prefix, _, model = name.partition(":")
    if prefix not in PLACES or not model:
        raise _unknown(name, prefix, model)
    place = PLACES[prefix]
    if timeout is not None and not timeout > 0:
        raise InvalidModelError(f"timeout={timeout!r} is out of range.", hint="Use seconds, more than 0.")
    wire = _wire(prefix, model, api or place.api, own=base_url is None)
    access = Access(_key(prefix, place, api_key), _endpoint(prefix, place, base_url), TIMEOUT if timeout is None else float(timeout))
    # Before the SDK is loaded, which takes a while.
    check_settings(wire, settings)
    sdk = wire.sdk()
    return ChatModel(Remote(wire, sdk, Clients(sdk, access), access.api_key), settings=settings)


init_chat_model = init_model
"""LangChain's name."""


def _wire(prefix: str, model: str, api: str, *, own: bool) -> Wire:
    match prefix, api:
        case "anthropic", "messages":
            return AnthropicMessages(model)
        case "openai", "responses":
            return OpenAIResponses(model)
        case "openai", "chat":
            return ChatCompletions(prefix, model, "max_completion_tokens" if own else "max_tokens")
        case _, "chat" if prefix != "anthropic":
            return ChatCompletions(prefix, model)
        case _:
            raise InvalidModelError(f"{prefix!r} has no api={api!r}.", hint="api= chooses between 'responses' and 'chat' of 'openai'.")


def _key(prefix: str, place: Place, given: str | None) -> str:
    key = given or next((found for variable in place.keys if (found := os.environ.get(variable, "").strip())), None)
    if key is None and place.keys:
        raise ModelAuthenticationError(
            f"There is no API key for {prefix!r}.",
            hint=f"Set the environment variable {' or '.join(place.keys)}, or pass api_key=.",
            variables=place.keys,
        )
    return key or NO_KEY


def _endpoint(prefix: str, place: Place, given: str | None) -> str | None:
    url = given or (_ollama() if prefix == "ollama" else None) or place.base_url
    if url is None and prefix == "openai-compatible":
        raise InvalidModelError("An openai-compatible model needs base_url=.", hint='For example base_url="http://127.0.0.1:8080/v1".')
    if url is not None and not url.startswith(("http://", "https://")):
        raise InvalidModelError(f"base_url={url!r} is no http or https URL.", hint='For example "http://127.0.0.1:8080/v1".')
    return url


def _ollama() -> str | None:
    """Return the endpoint that OLLAMA_HOST names, as Ollama's own client reads it: scheme and port may be missing."""
    host = os.environ.get("OLLAMA_HOST", "").strip().rstrip("/")
    if not host:
        return None
    scheme, _, rest = host.rpartition("://")
    scheme = scheme or "http"
    place, slash, path = rest.partition("/")
    if not place.rpartition(":")[2].isdigit():
        place = f"{place.rstrip(':')}:{443 if scheme == 'https' else 11434}"
    # A server listens on 0.0.0.0; nobody can be reached there.
    return f"{scheme}://{place.replace('0.0.0.0', '127.0.0.1')}{slash}{path}/v1"  # noqa: S104 - replaced, not bound


def _unknown(name: str, prefix: str, model: str) -> InvalidModelError:
    if prefix in PLACES:
        return InvalidModelError(f"{name!r} names no model.", hint=f'Say which: "{prefix}:...".')
    what = f"There is no provider {prefix!r}." if model else f"{name!r} does not say whose model it is."
    return InvalidModelError(what, hint=f'A model is named "provider:model". {nearest(prefix, PLACES)}', provider=prefix)
