"""The pictures of the documents are what their command makes today: ``make pictures`` renews them."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import pytest

from docs.pictures.make import HERE, PICTURES, made

ROOT = HERE.parents[1]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")), *sorted((ROOT / "examples").rglob("*.md"))]


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_shows_the_present(name, monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)

    assert (HERE / name).read_text("utf-8") == made(name), f"{name} is out of date: make pictures"


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_complete_in_itself(name):
    root = ET.fromstring((HERE / name).read_text("utf-8"))

    assert root.tag.endswith("svg")
    assert not [element for element in root.iter() if element.tag.endswith(("image", "script", "foreignObject"))]
    assert "url(http" not in (HERE / name).read_text("utf-8")


def test_every_picture_is_shown_and_has_words_for_those_who_cannot_see_it():
    shown = [found for path in DOCUMENTS for found in re.findall(r"!\[([^\]]*)\]\([^)]*?([\w-]+\.svg)\)", path.read_text("utf-8"))]

    assert {name for _, name in shown} == set(PICTURES)
    assert all(words for words, _ in shown)
