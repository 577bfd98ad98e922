"""Every Python block of a document and every example of a docstring runs: top to bottom, one namespace for each file."""

from __future__ import annotations

from pathlib import Path

import pytest
from sybil import Sybil
from sybil.document import PythonDocStringDocument
from sybil.parsers.markdown import PythonCodeBlockParser, SkipParser
from sybil.parsers.rest import DocTestParser
from sybil.typing import Parser

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "examples" / "email_assistant" / "README.md"]
DOCUMENTS = [*PAGES, *sorted((ROOT / "docs").rglob("*.md"))]
MODULES = [path for package in ("graphkit", "checkpointers") for path in sorted((ROOT / package).rglob("*.py"))]
PARSERS: dict[str, list[Parser]] = {".md": [PythonCodeBlockParser(), SkipParser()], ".py": [DocTestParser()]}


@pytest.mark.parametrize("path", [*DOCUMENTS, *MODULES], ids=lambda path: path.relative_to(ROOT).as_posix())
def test_the_examples_run(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    document = Sybil(PARSERS[path.suffix], path=str(ROOT), document_types={".py": PythonDocStringDocument}).parse(path)
    document.namespace["__name__"] = "__main__"

    for example in document.examples():
        example.evaluate()
