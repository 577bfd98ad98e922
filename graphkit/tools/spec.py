"""What a model is told about a tool."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from inspect import cleandoc
from typing import Any

from pydantic import BaseModel
from typing_extensions import is_typeddict

from graphkit.errors import InvalidToolError
from graphkit.tools.schema import parameters_of
from graphkit.tools.tool import Tool, tool

FORMS = 'A tool is a function, a Tool, a pydantic class, or {"name": "...", "description": "...", "parameters": {JSON schema}}.'


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """What a model is told about a tool.

    Args:
        name: What the model calls it.
        description: What it does and when to use it.
        parameters: JSON schema of its arguments, an object.
    """

    name: str
    description: str
    parameters: dict[str, Any]


def tool_spec(thing: object) -> ToolSpec:
    """Return what a model is told about ``thing``.

    Args:
        thing: A Tool, a function, a pydantic class or TypedDict, or a dict: in our form (name, description, parameters), in
            OpenAI's, in Anthropic's (input_schema), or a JSON schema with a title.

    Raises:
        InvalidToolError: It is none of these.
    """
    if isinstance(thing, ToolSpec):
        return thing
    if isinstance(thing, Tool):
        return ToolSpec(thing.name, thing.description, thing.parameters)
    if isinstance(thing, Mapping):
        return _from_mapping(thing)
    if isinstance(thing, type) and (issubclass(thing, BaseModel) or is_typeddict(thing)):
        return ToolSpec(thing.__name__, cleandoc(thing.__doc__ or ""), parameters_of(thing.__name__, thing))
    if callable(thing) and not isinstance(thing, type):
        return tool_spec(tool(thing))
    raise InvalidToolError(f"{thing!r:.100} is no tool.", hint=FORMS)


def _from_mapping(thing: Mapping[str, Any]) -> ToolSpec:
    told = thing["function"] if thing.get("type") == "function" and isinstance(thing.get("function"), Mapping) else thing
    if "name" not in told and isinstance(told.get("title"), str) and told.get("type") == "object":
        schema = {key: value for key, value in told.items() if key not in {"title", "description"}}
        told = {"name": told["title"], "description": told.get("description", ""), "parameters": schema}
    name, description = told.get("name"), told.get("description") or ""
    parameters = told.get("parameters", told.get("input_schema"))
    if not isinstance(name, str) or not name or not isinstance(description, str):
        raise InvalidToolError(f"{dict(thing)!r:.100} does not name a tool.", hint=FORMS)
    if parameters is None and "type" in told and told["type"] != "function":
        raise InvalidToolError(f"{name!r} is of the type {told['type']!r}, which only its provider knows.", hint=FORMS)
    if parameters is not None and not (isinstance(parameters, Mapping) and parameters.get("type", "object") == "object"):
        raise InvalidToolError(f"The parameters of {name!r} are no JSON schema of an object.", hint=FORMS)
    return ToolSpec(name, description, {"type": "object", "properties": {}, **(parameters or {})})
