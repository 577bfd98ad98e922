"""How long a file and a function may be.

An entry in an exceptions table is a file or function that reads better whole; it says why. An entry that is no longer
needed fails as well.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from tests.architecture.sources import example, sources

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tests.architecture.sources import Source

FILE_LINES = 400
FUNCTION_LINES = 50

LONG_FILES: dict[str, str] = {
    "graphkit/errors.py": "a flat list of classes without code; its worth is that every error is found in one place",
}
LONG_FUNCTIONS: dict[str, str] = {}

FOLDERS = ("graphkit", "checkpointers", "examples", "benchmarks")

type_of_function = ast.FunctionDef | ast.AsyncFunctionDef


def functions(files: Iterable[Source]) -> Iterator[tuple[str, type_of_function]]:
    for file in files:
        for node in ast.walk(file.tree):
            if isinstance(node, type_of_function):
                yield f"{file.path}::{node.name}", node


def long_files(files: Iterable[Source]) -> set[str]:
    return {file.path for file in files if len(file.text.splitlines()) > FILE_LINES}


def long_functions(files: Iterable[Source]) -> set[str]:
    return {name for name, node in functions(files) if (node.end_lineno or node.lineno) - node.lineno + 1 > FUNCTION_LINES}


def test_files_fit_on_a_few_screens():
    assert long_files(sources(*FOLDERS)) == set(LONG_FILES)


def test_functions_fit_on_a_screen():
    assert long_functions(sources(*FOLDERS)) == set(LONG_FUNCTIONS)


def test_the_budgets_find_what_exceeds_them():
    long = example("def f():\n" + "    x = 1\n" * 400)

    assert long_files([long]) == {long.path}
    assert long_functions([long]) == {f"{long.path}::f"}
