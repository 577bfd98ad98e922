"""Answers against the JSON schemas of their questions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import pytest
from pydantic import BaseModel

from graphkit.errors import InvalidAnswerError
from graphkit.runtime.answers import check_answers

DECISION = {
    "type": "object",
    "properties": {"accept": {"type": "boolean"}, "on": {"type": "string"}},
    "required": ["accept"],
    "additionalProperties": False,
}


class Model(BaseModel):
    accept: bool


@dataclass
class Plain:
    accept: bool
    on: date


@pytest.mark.parametrize(
    "answer", [{"accept": True}, {"accept": False, "on": "monday"}, Model(accept=True), Plain(accept=True, on=date(2026, 1, 2))]
)
def test_an_answer_that_fits_passes(answer):
    check_answers([("i1", DECISION, answer)])


@pytest.mark.parametrize(
    "answer, where",
    [
        (None, r"at \$: None is not of type 'object'"),
        ({}, r"at \$: 'accept' is a required property"),
        ({"accept": "yes"}, r"at \$\.accept: 'yes' is not of type 'boolean'"),
        ({"accept": True, "more": 1}, "'more' was unexpected"),
    ],
)
def test_an_answer_that_does_not_fit_is_refused_with_the_place(answer, where):
    with pytest.raises(InvalidAnswerError, match=rf"interrupt 'i1'.*{where}.*stays pending") as caught:
        check_answers([("i0", {}, 5), ("i1", DECISION, answer)])

    assert caught.value.facts == {"interrupt_id": "i1"}


def test_an_answer_without_a_json_form_is_refused():
    with pytest.raises(InvalidAnswerError, match="interrupt 'i1' has no JSON form"):
        check_answers([("i1", {}, object())])


def test_no_answers_need_no_check():
    check_answers([])
