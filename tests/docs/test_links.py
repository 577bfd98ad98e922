"""Links between the documents lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENTS = [path for folder in ("docs", "examples") for path in sorted((ROOT / folder).rglob("*.md"))] + sorted(ROOT.glob("*.md"))
LINK = re.compile(r"\]\((?!https?:|mailto:)([^)\s]*)\)")


def anchors(path: Path) -> set[str]:
    """Return the anchors of a document's headings, as code hosts derive them."""
    headings = re.findall(r"^#+ (.+)$", path.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_link_of_a_document_leads_somewhere(path):
    for link in LINK.findall(path.read_text("utf-8")):
        file, _, anchor = link.partition("#")
        target = (path.parent / file).resolve() if file else path

        assert target.exists(), f"{path.name} links to {link}"
        assert not anchor or anchor in anchors(target), f"{path.name} links to {link}"
