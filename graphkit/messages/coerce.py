"""What people pass as a message becomes one: strings, pairs, dicts, LangChain's messages."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from graphkit.errors import InvalidMessageError, nearest
from graphkit.messages.chunk import AIMessageChunk, gather, read_call
from graphkit.messages.content import InvalidToolCall, ToolCall, read_content
from graphkit.messages.message import AIMessage, AnyMessage, HumanMessage, Message, RemoveMessage, SystemMessage, ToolMessage

if TYPE_CHECKING:
    from graphkit.messages.content import Content

MessageLike: TypeAlias = "Message | AIMessageChunk | str | tuple[str, Any] | Mapping[str, Any] | object"
"""A message, a string (what a person says), a pair (role, content), a dict with role and content, a LangChain message."""

ROLES = {
    "human": "human",
    "user": "human",
    "ai": "ai",
    "assistant": "ai",
    "system": "system",
    "developer": "system",
    "tool": "tool",
    "remove": "remove",
}
KINDS = frozenset({HumanMessage, AIMessage, SystemMessage, ToolMessage, RemoveMessage})


def read_messages(value: MessageLike | Sequence[MessageLike]) -> list[AnyMessage | RemoveMessage]:
    """Return a list of messages, from a list or from a single one.

    Raises:
        InvalidMessageError: Something in it is no message.
    """
    if type(value) is list:
        # A list is the common case, and most are read already.
        return value if {*map(type, value)} <= KINDS else [read_message(item) for item in value]
    if isinstance(value, Sequence) and not isinstance(value, str) and not _is_pair(value):
        return [read_message(item) for item in value]
    return [read_message(value)]


def read_message(value: MessageLike) -> AnyMessage | RemoveMessage:
    """Return the message that ``value`` stands for.

    Raises:
        InvalidMessageError: It stands for none.
    """
    if type(value) in KINDS:
        return cast("AnyMessage | RemoveMessage", value)
    if isinstance(value, AIMessageChunk):
        return gather([value])
    if isinstance(value, str):
        return HumanMessage(value)
    if isinstance(value, Mapping):
        return _from_mapping(value)
    if _is_pair(value):
        role, content = cast("tuple[str, object]", value)
        return _from_mapping({"role": role, "content": content})
    if isinstance(getattr(value, "type", None), str) and hasattr(value, "content"):
        return _from_object(value)
    raise InvalidMessageError(
        f"{value!r:.100} is no message.",
        hint='Pass a message, a string, ("user", "text") or {"role": "user", "content": "text"}.',
    )


def _is_pair(value: object) -> bool:
    return isinstance(value, tuple) and len(value) == 2 and isinstance(value[0], str) and value[0] in ROLES


def _from_mapping(value: Mapping[str, Any]) -> AnyMessage | RemoveMessage:
    named = value.get("role", value.get("type"))
    role = ROLES.get(named) if isinstance(named, str) else None
    if role is None:
        raise InvalidMessageError(f"{dict(value)!r:.100} has no role of a message.", hint=nearest(named, ROLES))
    return _made(role, value)


def _from_object(value: object) -> AnyMessage | RemoveMessage:
    """Read a message of another library, LangChain's above all, by its attributes."""
    kind = value.type  # type: ignore[attr-defined]
    role = ROLES.get("ai" if kind == "AIMessageChunk" else kind.removesuffix("MessageChunk").lower())
    if role is None:
        raise InvalidMessageError(f"A message of type {kind!r} ({type(value).__name__}) cannot be read.", hint=nearest(kind, ROLES))
    names = (
        "content", "id", "name", "additional_kwargs", "response_metadata", "tool_calls", "invalid_tool_calls", "usage_metadata",
        "tool_call_id", "status", "artifact",
    )  # fmt: skip
    return _made(role, {name: found for name in names if (found := getattr(value, name, None)) is not None})


def _made(role: str, given: Mapping[str, Any]) -> AnyMessage | RemoveMessage:
    if role == "remove":
        return RemoveMessage(str(given.get("id") or ""))
    content, calls = _apart(given.get("content"))
    common: dict[str, Any] = {
        "id": given.get("id"),
        "name": given.get("name"),
        "additional_kwargs": dict(given.get("additional_kwargs") or {}),
    }
    match role:
        case "human":
            return HumanMessage(content, **common)
        case "system":
            return SystemMessage(content, **common)
        case "tool":
            status: Any = given.get("status") or "success"
            return ToolMessage(content, given.get("tool_call_id", ""), status=status, artifact=given.get("artifact"), **common)
        case _:
            return _ai(content, calls, given, common)


def _ai(content: Content, blocks: Sequence[object], given: Mapping[str, Any], common: dict[str, Any]) -> AIMessage:
    named = [_call(call) for call in given.get("tool_calls") or ()]
    # LangChain's messages may have a call twice: as a block of the content, too.
    known = {call["id"] for call in named}
    read = [*[call for call in map(_call, blocks) if call["id"] not in known], *named]
    broken = [cast("InvalidToolCall", one) for one in read if "error" in one]
    broken += [_broken(one) for one in given.get("invalid_tool_calls") or ()]
    return AIMessage(
        content,
        tool_calls=[one for one in read if "error" not in one],
        invalid_tool_calls=broken,
        usage_metadata=given.get("usage_metadata"),
        response_metadata=dict(given.get("response_metadata") or {}),
        **common,
    )


def _call(call: object) -> ToolCall | InvalidToolCall:
    """Read a tool call in our form, or in the form of either provider's API."""
    if not isinstance(call, Mapping):
        raise InvalidMessageError(f"{call!r:.100} is no tool call.", hint='A tool call is {"name": "...", "args": {...}, "id": "..."}.')
    function = call.get("function")
    identity, name = call.get("id") or "", call.get("name", "")
    args = call.get("args", call.get("input", {}))
    if isinstance(function, Mapping):
        name, args = function.get("name", ""), function.get("arguments", "")
    if isinstance(args, str):
        return read_call(identity, name, args)
    return ToolCall(name=name, args=args, id=identity)


def _broken(call: Mapping[str, Any]) -> InvalidToolCall:
    args = call.get("args")
    return InvalidToolCall(
        name=call.get("name") or "",
        args=args if isinstance(args, str) else json.dumps(args),
        id=call.get("id") or "",
        error=call.get("error") or "the arguments cannot be read",
    )


def _apart(value: object) -> tuple[Content, list[object]]:
    """Return the content and the tool calls that were blocks of it."""
    content = read_content(value)
    if isinstance(content, str):
        return content, []
    calls = [block for block in content if block["type"] in {"tool_call", "tool_use"}]
    return ([block for block in content if block not in calls], list(calls)) if calls else (content, [])
