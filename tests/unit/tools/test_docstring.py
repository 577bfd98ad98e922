"""Docstrings in Google style, in parts."""
# ruff: noqa: E501 - a docstring and its parts in one line

from __future__ import annotations

import pytest

from graphkit.tools.docstring import read_docstring


@pytest.mark.parametrize(
    "text, summary, parameters",
    [
        (None, "", {}),
        ("", "", {}),
        ("One line.", "One line.", {}),
        ("Two lines\n    of one paragraph.\n\n    More.", "Two lines of one paragraph.", {}),
        ("Summary.\n\n    Args:\n        a: first\n        b: second\n", "Summary.", {"a": "first", "b": "second"}),
        ("Summary.\n    Args:\n        a: first", "Summary.", {"a": "first"}),
        ("S.\n\n    Arguments:\n        a: first\n            and more: of it\n        b: x", "S.", {"a": "first and more: of it", "b": "x"}),
        ("S.\n\n    Parameters:\n        a (int): first\n        b (dict[str, tuple(int)], optional): x", "S.", {"a": "first", "b": "x"}),
        ("S.\n\n    Args:\n        a: first\n\n        b: after a blank line\n\n    Returns:\n        c: no parameter", "S.", {"a": "first", "b": "after a blank line"}),
        ("S.\n\n    Args:\n        a:\n            below", "S.", {"a": "below"}),
        ("S.\n\n    Args:\n        *args: several\n        **kwargs: named", "S.", {"args": "several", "kwargs": "named"}),
        ("S.\n\n    Raises:\n        ValueError: no\n\n    Args:\n        a: yes", "S.", {"a": "yes"}),
        ("S.\n\n    Args:\n        nothing that is an entry", "S.", {}),
        ("S.\n\n    Args:\n        url: such as http://x: y", "S.", {"url": "such as http://x: y"}),
    ],
)  # fmt: skip
def test_a_docstring_is_read_in_parts(text, summary, parameters):
    read = read_docstring(text)

    assert (read.summary, read.parameters) == (summary, parameters)
