"""The form of a structured answer: the schema a model is shown, and the check of what it answers."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from inspect import cleandoc
from typing import TYPE_CHECKING, Any

from graphkit.errors import InvalidModelError
from graphkit.models.provider import Output

if TYPE_CHECKING:
    from collections.abc import Callable

HINT = "Pass a pydantic class, a TypedDict (of typing_extensions before Python 3.12), a dataclass, or a JSON schema of an object."


@dataclass(frozen=True, slots=True)
class Form:
    """A form of answers.

    Args:
        output: What the model is shown.
        read: Returns the value that JSON text stands for, or raises ValueError with what is wrong with it.
    """

    output: Output
    read: Callable[[str], Any]


def form_of(schema: type | Mapping[str, Any]) -> Form:
    """Return the form that a schema describes.

    Raises:
        InvalidModelError: It describes none.
    """
    return _of_json_schema(schema) if isinstance(schema, Mapping) else _of_type(schema)


def _of_type(kind: type) -> Form:
    from pydantic import TypeAdapter  # noqa: PLC0415 - heavy, and only needed here
    from pydantic.errors import PydanticUserError  # noqa: PLC0415

    try:
        adapter: TypeAdapter[object] = TypeAdapter(kind)
        schema = adapter.json_schema()
    except (PydanticUserError, NameError, TypeError) as error:
        raise InvalidModelError(f"{kind!r} is no form for an answer: {error}", hint=HINT) from error
    if schema.get("type", "object") != "object" or not isinstance(kind, type):
        raise InvalidModelError(f"{kind!r} is no form for an answer: it is no object with fields.", hint=HINT)
    description = schema.pop("description", None) or ""
    return Form(Output(_name(kind.__name__), schema, cleandoc(description)), adapter.validate_json)


def _of_json_schema(schema: Mapping[str, Any]) -> Form:
    from jsonschema import Draft202012Validator  # noqa: PLC0415 - heavy, and only needed here
    from jsonschema.exceptions import SchemaError, best_match  # noqa: PLC0415

    known = dict(schema)
    try:
        Draft202012Validator.check_schema(known)
    except SchemaError as error:
        raise InvalidModelError(f"The schema is no JSON schema: {error.message}", hint=HINT) from error
    if known.get("type") != "object":
        raise InvalidModelError("The schema is not that of an object.", hint=HINT)
    validator = Draft202012Validator(known)

    def read(text: str) -> Any:  # noqa: ANN401 - any JSON
        value = json.loads(text)
        if (error := best_match(validator.iter_errors(value))) is not None:
            message = f"{error.json_path}: {error.message}"
            raise ValueError(message)
        return value

    return Form(Output(_name(str(known.get("title") or "answer")), known, str(known.get("description") or "")), read)


def _name(title: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]", "_", title)[:64]
