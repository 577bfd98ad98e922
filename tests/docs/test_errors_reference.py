"""The error reference and the error classes name the same codes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from graphkit import errors

ROOT = Path(__file__).parents[2]
REFERENCE = (ROOT / "docs" / "reference" / "errors.md").read_text("utf-8")


def family(kind: type[errors.GraphkitError]) -> list[type[errors.GraphkitError]]:
    return [kind, *[found for child in kind.__subclasses__() if child.__module__ == errors.__name__ for found in family(child)]]


CLASSES = family(errors.GraphkitError)
SECTIONS = dict(re.findall(r"^### ([a-z-]+)\n(.*?)(?=^##|\Z)", REFERENCE, re.MULTILINE | re.DOTALL))


def test_every_class_has_a_code_of_its_own():
    codes = [kind.code for kind in CLASSES]

    assert len(set(codes)) == len(codes)
    assert all("code" in vars(kind) for kind in CLASSES)


def test_the_reference_has_one_section_for_every_code():
    headings = re.findall(r"^### (.+)$", REFERENCE, re.MULTILINE)

    assert sorted(headings) == sorted(kind.code for kind in CLASSES)


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.code)
def test_a_section_names_its_class_and_says_what_to_do(kind):
    section = SECTIONS[kind.code]

    assert section.strip().startswith(f"`{kind.__name__}`")
    assert "**What to do:**" in section


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.code)
def test_the_tree_in_the_docstring_names_every_class(kind):
    assert re.search(rf"\b{kind.__name__}\b", errors.__doc__ or "")
