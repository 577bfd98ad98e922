"""Answers are checked against the question's JSON schema before anything is written.

``contentMediaType: application/json`` with a ``contentSchema`` is checked too: a string must be JSON text of that form. JSON
Schema leaves that to the application, and review screens send arguments as text.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from graphkit.errors import InvalidAnswerError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from jsonschema import ValidationError


def check_answers(answers: Sequence[tuple[str, Mapping[str, object], object]]) -> None:
    """Check (interrupt id, schema, answer) triples; instances of pydantic models and dataclasses count as their JSON form.

    Raises:
        InvalidAnswerError: One does not fit; no question is consumed.
    """
    from jsonschema import Draft202012Validator, validators  # noqa: PLC0415 - heavy, and only needed here
    from jsonschema.exceptions import best_match  # noqa: PLC0415
    from pydantic_core import PydanticSerializationError, to_jsonable_python  # noqa: PLC0415

    checker = validators.extend(Draft202012Validator, {"contentSchema": _check_content})  # type: ignore[no-untyped-call]

    for identity, schema, answer in answers:
        try:
            plain = to_jsonable_python(answer)
        except PydanticSerializationError as error:
            raise InvalidAnswerError(
                f"The answer to interrupt {identity!r} has no JSON form: {error}", hint="Answer with plain data.", interrupt_id=identity
            ) from error
        wrong = best_match(checker(dict(schema)).iter_errors(plain))
        if wrong is not None:
            raise InvalidAnswerError(
                f"The answer to interrupt {identity!r} does not fit its schema at {wrong.json_path}: {wrong.message}",
                hint="The question stays pending; answer again.",
                interrupt_id=identity,
            )


def _check_content(validator: Any, schema: Any, text: object, keywords: Mapping[str, object]) -> Iterator[ValidationError]:  # noqa: ANN401 - jsonschema's own types are private
    from jsonschema import ValidationError  # noqa: PLC0415 - loaded by the caller

    if not isinstance(text, str) or keywords.get("contentMediaType") != "application/json":
        return
    try:
        content = json.loads(text)
    except ValueError as error:
        yield ValidationError(f"it is no JSON text: {error}")
    else:
        yield from validator.descend(content, schema)
