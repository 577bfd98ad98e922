"""What the three wire formats of the server have in common."""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING, Any, NoReturn, Protocol
from uuid import uuid4

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from graphkit.testing.model_server.step import Failure, Reply, Turn

WORDS = re.compile(r"\s*\S+\s*$|\s*\S+")


class RequestRefusedError(Exception):
    """The body of a request is not one that the provider accepts; the message says why."""


class Speech(Protocol):
    """One wire format as a server speaks it."""

    def check(self, body: dict[str, Any]) -> None:
        """Raise RequestRefusedError if the provider would not accept this body."""
        ...

    def turns(self, body: Mapping[str, Any]) -> list[Turn]:
        """Return the conversation of a body."""
        ...

    def tools(self, body: Mapping[str, Any]) -> list[str]:
        """Return the names of the tools of a body."""
        ...

    def whole(self, reply: Reply, body: Mapping[str, Any]) -> dict[str, Any]:
        """Return a reply as one body."""
        ...

    def events(self, reply: Reply, body: Mapping[str, Any]) -> Iterator[str]:
        """Yield a reply as server-sent events, each with its empty line."""
        ...

    def failure(self, failure: Failure) -> dict[str, Any]:
        """Return the body of an error."""
        ...

    def failure_event(self, failure: Failure) -> str:
        """Return an error as a server-sent event."""
        ...


def refuse(message: str) -> NoReturn:
    """Refuse the request."""
    raise RequestRefusedError(message)


def check_shape(body: object, schema: Mapping[str, Any]) -> None:
    """Refuse a body that does not fit a schema."""
    from jsonschema import Draft202012Validator  # noqa: PLC0415 - heavy
    from jsonschema.exceptions import best_match  # noqa: PLC0415

    if (error := best_match(Draft202012Validator(schema).iter_errors(body))) is not None:
        refuse(f"{error.json_path}: {error.message}")


def one_of(kinds: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return the schema of an object whose ``type`` says which of these it is; each lists its properties, required ones first.

    A name that ends in "?" is optional.
    """
    shapes = [
        {"if": {"properties": {"type": {"const": kind}}}, "then": fields({"type": {}, **properties})} for kind, properties in kinds.items()
    ]
    return {"type": "object", "required": ["type"], "properties": {"type": {"enum": list(kinds)}}, "allOf": shapes}


def fields(properties: Mapping[str, Any]) -> dict[str, Any]:
    """Return the schema of an object with these properties and no others; a name that ends in "?" is optional."""
    return {
        "type": "object",
        "properties": {name.removesuffix("?"): schema for name, schema in properties.items()},
        "required": [name for name in properties if not name.endswith("?")],
        "additionalProperties": False,
    }


def words(text: str) -> list[str]:
    """Return a text in pieces, as a model streams it."""
    return WORDS.findall(text) or ([text] if text else [])


def halves(text: str) -> list[str]:
    """Return a text in two pieces, so that neither is JSON."""
    return [part for part in (text[: len(text) // 2], text[len(text) // 2 :]) if part]


def args_text(call: Mapping[str, Any]) -> str:
    """Return the arguments of a call as they are sent."""
    args = call.get("args", {})
    return args if isinstance(args, str) else json.dumps(args)


def new_id(prefix: str) -> str:
    """Return an id as a provider makes them."""
    return f"{prefix}_{uuid4().hex[:24]}"


def seal(text: str) -> str:
    """Return what proves that a thought is unchanged."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def sse(data: object, event: str | None = None) -> str:
    """Return a server-sent event."""
    line = data if isinstance(data, str) else json.dumps(data)
    return f"event: {event}\ndata: {line}\n\n" if event else f"data: {line}\n\n"


def text_of(content: object) -> str:
    """Return the text of content in any of the formats."""
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    return "".join([str(part.get("text", "")) for part in parts if isinstance(part, dict) and isinstance(part.get("text"), str)])


def arguments(text: str) -> Any:  # noqa: ANN401 - JSON
    """Return the arguments that a request tells of."""
    try:
        return json.loads(text)
    except ValueError:
        refuse(f"The arguments of a call are no JSON: {text!r:.60}")
