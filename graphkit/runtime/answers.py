"""Answers are checked against the question's JSON schema before anything is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphkit.errors import InvalidAnswerError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def check_answers(answers: Sequence[tuple[str, Mapping[str, object], object]]) -> None:
    """Check (interrupt id, schema, answer) triples; instances of pydantic models and dataclasses count as their JSON form.

    Raises:
        InvalidAnswerError: One does not fit; no question is consumed.
    """
    from jsonschema import Draft202012Validator  # noqa: PLC0415 - heavy, and only needed here
    from pydantic_core import PydanticSerializationError, to_jsonable_python  # noqa: PLC0415

    for identity, schema, answer in answers:
        try:
            plain = to_jsonable_python(answer)
        except PydanticSerializationError as error:
            raise InvalidAnswerError(
                f"The answer to interrupt {identity!r} has no JSON form: {error}", hint="Answer with plain data.", interrupt_id=identity
            ) from error
        wrong = next(iter(Draft202012Validator(dict(schema)).iter_errors(plain)), None)
        if wrong is not None:
            raise InvalidAnswerError(
                f"The answer to interrupt {identity!r} does not fit its schema at {wrong.json_path}: {wrong.message}",
                hint="The question stays pending; answer again.",
                interrupt_id=identity,
            )
