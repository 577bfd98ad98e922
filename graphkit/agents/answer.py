"""Reading an answer: whatever form it came in, it is one of four things.

The question's schema has refused what has the wrong form. What a schema cannot say is checked here; then the person is
asked again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeGuard

from graphkit.agents.form import ANY_ARGUMENTS, arguments_of, takes_text
from graphkit.agents.verdict import Verdict, digest_of, is_json
from graphkit.errors import InvalidAnswerError, ToolInvocationError
from graphkit.messages import ToolCall

if TYPE_CHECKING:
    from collections.abc import Callable

    from graphkit.agents.policy import Allowed, AnswerType, Review
    from graphkit.tools import Tool


def read_answer(answer: object, call: ToolCall, allowed: Allowed, *, review: Review, tool: Tool | None, state: object) -> Verdict:
    """Return the verdict that an answer to a question about ``call`` is.

    Raises:
        InvalidAnswerError: It cannot be read, is not allowed, or edits into something that cannot run.
    """
    kind, given = _named(_plain(answer), allowed)
    if kind not in allowed:
        raise InvalidAnswerError(f"{kind!r} is no answer here.", hint=f"Possible: {', '.join(sorted(allowed))}.")
    parameters = tool.parameters if tool is not None else ANY_ARGUMENTS
    match kind:
        case "accept":
            _require_shown(given, call)
            return _verdict(call, "accept")
        case "response":
            return _verdict(call, "response", _words(given))
        case "ignore":
            return _verdict(call, "ignore", given.strip() if isinstance(given, str) else "")
        case "edit":
            edited = ToolCall(name=call["name"], args=_edited(given, call, parameters), id=call["id"])
            _require_runnable(edited, review, tool, state)
            # An edit that changes nothing is the approval of what was shown.
            is_same = digest_of(edited) == digest_of(call) and "accept" in allowed
            return _verdict(edited, "accept" if is_same else "edit")


def _plain(answer: object) -> Mapping[str, Any]:
    """Take away the list or the JSON text around an answer."""
    from pydantic_core import PydanticSerializationError, to_jsonable_python  # noqa: PLC0415 - heavy, and only needed for answers

    try:
        found = json.loads(answer) if isinstance(answer, str) else to_jsonable_python(answer)
    except (ValueError, PydanticSerializationError) as error:
        raise InvalidAnswerError(f"{answer!r:.100} cannot be read: {error}") from error
    if isinstance(found, list) and len(found) == 1:
        found = found[0]
    if not isinstance(found, Mapping):
        raise InvalidAnswerError(f"{answer!r:.100} is no answer.", hint='An answer is {"type": "accept"} or the like.')
    return found


def _named(answer: Mapping[str, Any], allowed: Allowed) -> tuple[AnswerType, object]:
    """Return what an answer says and with which arguments."""
    if "decisions" in answer:
        decisions = answer["decisions"]
        if not isinstance(decisions, Sequence) or len(decisions) != 1 or not isinstance(decisions[0], Mapping):
            raise InvalidAnswerError("Each question takes exactly one decision.")
        return _decided(decisions[0], allowed)
    match answer.get("type"):
        case "accept" | "edit" | "ignore" | "response" as kind:
            return kind, answer.get("args")
        case other:
            raise InvalidAnswerError(f"{other!r} is no type of an answer.", hint="It is accept, edit, ignore or response.")


def _decided(decision: Mapping[str, Any], allowed: Allowed) -> tuple[AnswerType, object]:
    match decision.get("type"):
        case "approve":
            return "accept", None
        case "edit":
            action = decision.get("edited_action")
            named = action if isinstance(action, Mapping) else {}
            return "edit", {"action": named.get("name"), "args": named.get("args")}
        case "respond":
            return "response", decision.get("message")
        case "reject":
            words = decision.get("message")
            has_words = isinstance(words, str) and bool(words.strip())
            return ("response" if has_words and "response" in allowed else "ignore"), words
        case other:
            raise InvalidAnswerError(f"{other!r} is no type of a decision.", hint="It is approve, edit, reject or respond.")


def _verdict(call: ToolCall, kind: AnswerType, text: str = "") -> Verdict:
    return Verdict(call["id"], call["name"], kind, digest_of(call), call["args"], text)


def _words(given: object) -> str:
    if not isinstance(given, str) or not given.strip():
        raise InvalidAnswerError("A response needs words.")
    return given.strip()


def _require_shown(given: object, call: ToolCall) -> None:
    if given in (None, "", {}):
        return
    args = given["args"] if _is_action(given) and given["action"] == call["name"] else given
    if not isinstance(args, Mapping) or _unpacked(args, lambda name: isinstance(call["args"].get(name), str)) != call["args"]:
        raise InvalidAnswerError("The answer accepts something else than what was shown.", hint="Send an edit to change arguments.")


def _edited(given: object, call: ToolCall, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Read ``{"action": ..., "args": {...}}`` or the bare arguments, some of which may be JSON text."""
    if _is_action(given):
        if given["action"] != call["name"]:
            raise InvalidAnswerError(f"An edit cannot turn {call['name']!r} into {given['action']!r}.", hint="Ignore this call instead.")
        given = given["args"]
    if not isinstance(given, Mapping):
        raise InvalidAnswerError(f"{given!r:.100} are no arguments.", hint="An edit has all arguments of the call, by name.")
    definitions = parameters.get("$defs", {})
    properties = arguments_of(parameters).get("properties", {})
    return _unpacked(given, lambda name: takes_text(properties.get(name, True), definitions))


def _is_action(given: object) -> TypeGuard[Mapping[str, Any]]:
    return isinstance(given, Mapping) and given.keys() == {"action", "args"}


def _unpacked(args: Mapping[str, Any], is_text: Callable[[str], bool]) -> dict[str, Any]:
    """Return arguments with JSON text read, where the argument itself is no text."""
    return {name: _loaded(name, value) if isinstance(value, str) and not is_text(name) else value for name, value in args.items()}


def _loaded(name: str, text: str) -> object:
    try:
        return json.loads(text)
    except ValueError as error:
        raise InvalidAnswerError(f"The text of {name!r} is no JSON: {error}") from error


def _require_runnable(call: ToolCall, review: Review, tool: Tool | None, state: object) -> None:
    if not is_json(call["args"]):
        raise InvalidAnswerError("Arguments are what JSON has; infinite numbers and NaN are not.")
    if tool is not None:
        try:
            tool.check_args(call["args"])
        except ToolInvocationError as error:
            raise InvalidAnswerError(error.message, hint=error.hint) from error
    if review.check is not None and (complaint := review.check(call, state)):
        raise InvalidAnswerError(complaint)
