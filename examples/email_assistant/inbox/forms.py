"""Arguments as text to edit, and back: a header for each argument and the content below, or JSON. Pure.

::

    to: ada@example.org
    subject: Re: The rig

    Hello Ada,
    ...

The JSON form is used where this one could not give back exactly what was put in, and it is taken wherever text starts with "{".
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from examples.email_assistant.errors import InvalidReplyError
from examples.email_assistant.inbox.inert import inert

if TYPE_CHECKING:
    from collections.abc import Mapping

    from examples.email_assistant.inbox.port import Arguments, Value

HEADER = re.compile(r"^([A-Za-z_]\w*):(.*)$")
BODY = "content"
KEEP_THE_FORM = "Write each argument as 'name: value', an empty line, then the content; or all of it as JSON."


def shown_value(value: Value) -> str:
    """Return a value as a field shows it: lists with commas."""
    return ", ".join(value) if isinstance(value, list) else str(value)


def field_value(text: str, original: Value) -> Value:
    """Return what a field holds, in the type of the value it started with; what is no number stays text for the desk to refuse."""
    if text == inert(shown_value(original)):
        return original
    if isinstance(original, list):
        return [entry.strip() for entry in text.split(",") if entry.strip()]
    if isinstance(original, int) and re.fullmatch(r"\s*[0-9]{1,9}\s*", text):
        return int(text)
    return text


def written(args: Arguments) -> str:
    """Return arguments as text for an editor."""
    if not _fits_headers(args):
        return json.dumps(args, indent=2) + "\n"
    headers = "".join(f"{name}: {shown_value(value)}\n" for name, value in args.items() if name != BODY)
    return f"{headers}\n{args[BODY]}\n" if BODY in args else headers


def read(text: str, original: Arguments) -> Arguments:
    """Read what came back from an editor.

    Args:
        text: In one of the two forms.
        original: The arguments it was written from; they tell the types.

    Raises:
        InvalidReplyError: It is in neither form.
    """
    if text.lstrip().startswith("{"):
        return _from_json(text)
    text = text.replace("\r\n", "\n")
    headers, has_body, body = text.partition("\n\n") if not text.startswith("\n") else ("", "\n", text[1:])
    args: Arguments = {}
    for one in headers.splitlines():
        found = HEADER.match(one)
        if found is None or found[1] in args:
            problem = "is no argument" if found is None else "stands there twice"
            raise InvalidReplyError(f"The line {one!r} {problem}.", hint=KEEP_THE_FORM)
        args[found[1]] = field_value(found[2].strip(), original.get(found[1], ""))
    if has_body and (body.strip() or BODY in original):
        args[BODY] = body.removesuffix("\n")
    return args


def _from_json(text: str) -> Arguments:
    try:
        found = json.loads(text)
    except ValueError as error:
        raise InvalidReplyError(f"This is no JSON: {error}.", hint=KEEP_THE_FORM) from error
    return arguments(found)


def arguments(found: object) -> Arguments:
    """Return a JSON object as arguments.

    Raises:
        InvalidReplyError: It is no object, or a value is neither text, a whole number nor a list of texts.
    """
    if not isinstance(found, dict):
        raise InvalidReplyError("Arguments are an object with a value for each name.", hint=KEEP_THE_FORM)
    return {str(name): _value(str(name), value) for name, value in found.items()}


def _value(name: str, value: object) -> Value:
    if isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    if isinstance(value, list) and all(isinstance(entry, str) for entry in value):
        return value
    raise InvalidReplyError(f"{name} cannot be {value!r}.", hint="A value is text, a whole number or a list of texts.")


def _fits_headers(args: Mapping[str, Value]) -> bool:
    content = args.get(BODY, "")
    return _plain_headers(args) and isinstance(content, str) and content == inert(content)


def _plain_headers(args: Mapping[str, Value]) -> bool:
    heads = {name: value for name, value in args.items() if name != BODY}
    return bool(heads) and all(HEADER.match(f"{name}:") and _is_plain(value) for name, value in heads.items())


def _is_plain(value: Value) -> bool:
    shown = shown_value(value)
    if isinstance(value, list) and field_value(shown + " ", value) != value:
        return False
    return shown == inert(shown).strip() and "\n" not in shown
