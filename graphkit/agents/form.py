"""The forms an answer may have, as a JSON schema: what does not fit is refused before it is taken for an answer.

An answer is one of these, or JSON text of one of these:

1. ``{"type": "accept" | "edit" | "ignore" | "response", "args": ...}``, or a list with that, as Agent Inbox sends it;
2. ``{"decisions": [{"type": "approve" | "edit" | "reject" | "respond", ...}]}`` with one decision, as LangChain has it.

The schema is a tree of conditions and not a list of alternatives, so that a refusal can say what is wrong.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

    from graphkit.agents.policy import Allowed
    from graphkit.messages import ToolCall

JsonSchema: TypeAlias = "dict[str, Any]"

ANY_ARGUMENTS: Final[JsonSchema] = {"type": "object"}
"""Parameters of a tool that nobody knows."""

# Names of definitions; those of tools are names of classes, which have no hyphen.
ANSWER: Final = "an-answer"
ONE_ANSWER: Final = "one-answer"
SHOWN: Final = "shown-args"
EDITED: Final = "edited-args"

NOTES: Final = frozenset({"title", "description", "examples", "default", "deprecated"})
"""Keywords that refuse nothing. Without them a question stays the same when somebody mends the wording of a tool."""

NAMED: Final = frozenset({"properties", "patternProperties", "$defs"})
"""Keywords whose value has schemas by name."""

WORDS: Final[JsonSchema] = {"type": "string", "pattern": r"\S"}
NO_ARGS: Final[JsonSchema] = {"enum": [None, "", {}]}


def answer_schema(call: ToolCall, allowed: Allowed, parameters: Mapping[str, Any] = ANY_ARGUMENTS) -> JsonSchema:
    """Return the schema of the answers to a question about ``call``.

    Args:
        call: What is asked about.
        allowed: Which answers are taken.
        parameters: JSON schema of the tool's arguments.
    """
    parameters = _without_notes(parameters)
    decisions = _object({"decisions": _only(_by_type(_decisions(call["name"], allowed)))})
    definitions: JsonSchema = {
        **parameters.get("$defs", {}),
        ONE_ANSWER: _by_type(_answers(call["name"], allowed)),
        ANSWER: {
            "if": {"type": "array"},
            "then": _only(_ref(ONE_ANSWER)),
            "else": {"if": {"type": "object", "required": ["decisions"]}, "then": decisions, "else": _ref(ONE_ANSWER)},
        },
    }
    if "accept" in allowed:
        definitions[SHOWN] = _object({name: _repeated(value) for name, value in call["args"].items()})
    if "edit" in allowed:
        definitions[EDITED] = _edited(parameters)
    return {"$defs": definitions, "if": {"type": "string"}, "then": _text_of(_ref(ANSWER)), "else": _ref(ANSWER)}


def takes_text(schema: object, definitions: Mapping[str, Any]) -> bool:
    """Tell whether a string may be a value of ``schema``; then it is one, and never JSON text of a value.

    Args:
        schema: That of one parameter.
        definitions: The ``$defs`` it may refer to.
    """
    if not isinstance(schema, dict):
        return True
    if "$ref" in schema:
        return takes_text(definitions.get(_target(schema)), definitions)
    for key in ("anyOf", "oneOf"):
        if key in schema:
            return any([takes_text(part, definitions) for part in schema[key]])
    if "allOf" in schema:
        return all([takes_text(part, definitions) for part in schema["allOf"]])
    if "const" in schema or "enum" in schema:
        return any([isinstance(value, str) for value in schema.get("enum", [schema.get("const")])])
    kinds = schema.get("type", "string")
    return "string" in (kinds if isinstance(kinds, list) else [kinds])


def arguments_of(parameters: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the object schema of a tool's parameters, which a recursive model keeps among its definitions."""
    if "$ref" in parameters and "properties" not in parameters:
        found: Mapping[str, Any] = parameters.get("$defs", {}).get(_target(parameters), ANY_ARGUMENTS)
        return found
    return parameters


def _without_notes(schema: Any) -> Any:  # noqa: ANN401 - a schema, or a part of one
    if isinstance(schema, list):
        return [_without_notes(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {key: value for key, value in schema.items() if key not in NOTES}
    for key, value in kept.items():
        if key in NAMED:
            kept[key] = {name: _without_notes(part) for name, part in value.items()}
        elif key not in {"const", "enum"}:
            kept[key] = _without_notes(value)
    return kept


def _target(schema: Mapping[str, Any]) -> str:
    return str(schema["$ref"]).rpartition("/")[2]


def _answers(tool: str, allowed: Allowed) -> dict[str, JsonSchema]:
    shown, edited = _ref(SHOWN), _ref(EDITED)
    found: dict[str, JsonSchema] = {
        # An accept may repeat what was shown; it cannot say yes to something else.
        "accept": {"args": {"anyOf": [NO_ARGS, shown, _action(tool, shown)]}},
        "edit": {"args": {"if": {"required": ["action", "args"]}, "then": _action(tool, edited), "else": edited}},
        "response": {"args": WORDS},
        "ignore": {"args": {"anyOf": [NO_ARGS, WORDS]}},
    }
    optional = {"accept", "ignore"}
    return {kind: _typed(kind, has, [] if kind in optional else ["args"]) for kind, has in found.items() if kind in allowed}


def _decisions(tool: str, allowed: Allowed) -> dict[str, JsonSchema]:
    """A rejection with words is a response where one is taken, any other is an ignore."""
    found: dict[str, JsonSchema] = {}
    if "accept" in allowed:
        found["approve"] = _typed("approve", {}, [])
    if "edit" in allowed:
        action = _object({"name": {"const": tool}, "args": _ref(EDITED)})
        found["edit"] = _typed("edit", {"edited_action": action}, ["edited_action"])
    if "response" in allowed:
        found["respond"] = _typed("respond", {"message": WORDS}, ["message"])
        found["reject"] = _typed("reject", {"message": WORDS}, ["message"])
    if "ignore" in allowed:
        found["reject"] = _typed("reject", {"message": {"type": ["string", "null"]}}, [])
    return found


def _edited(parameters: Mapping[str, Any]) -> JsonSchema:
    definitions = parameters.get("$defs", {})
    found = {key: value for key, value in arguments_of(parameters).items() if key != "$defs"}
    if properties := found.get("properties"):
        found["properties"] = {name: schema if takes_text(schema, definitions) else _or_text(schema) for name, schema in properties.items()}
    return found


def _repeated(value: object) -> JsonSchema:
    return {"const": value} if isinstance(value, str) else _or_text({"const": value})


def _or_text(schema: JsonSchema) -> JsonSchema:
    return {"if": {"type": "string"}, "then": _text_of(schema), "else": schema}


def _text_of(schema: JsonSchema) -> JsonSchema:
    return {"type": "string", "contentMediaType": "application/json", "contentSchema": schema}


def _by_type(kinds: Mapping[str, JsonSchema]) -> JsonSchema:
    """Return the schema of an object that is of one of several types."""
    return {
        "type": "object",
        "required": ["type"],
        "properties": {"type": {"enum": list(kinds)}},
        "allOf": [{"if": {"required": ["type"], "properties": {"type": {"const": kind}}}, "then": then} for kind, then in kinds.items()],
    }


def _typed(kind: str, properties: JsonSchema, required: list[str]) -> JsonSchema:
    return {**_object({"type": {"const": kind}, **properties}), "required": required}


def _only(schema: JsonSchema) -> JsonSchema:
    return {"type": "array", "items": schema, "minItems": 1, "maxItems": 1}


def _action(tool: str, args: JsonSchema) -> JsonSchema:
    return _object({"action": {"const": tool}, "args": args})


def _object(properties: JsonSchema) -> JsonSchema:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def _ref(name: str) -> JsonSchema:
    return {"$ref": f"#/$defs/{name}"}
