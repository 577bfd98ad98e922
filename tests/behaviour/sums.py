"""Tools and calls that the tests of agents share: adding, doubling, and ending with a word."""

from __future__ import annotations

from pydantic import BaseModel

from graphkit.tools import tool


@tool
def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


@tool
async def double(a: int) -> int:
    """Double a number."""
    return 2 * a


@tool(return_direct=True)
def finish(word: str) -> str:
    """Say the last word."""
    return word


class Sum(BaseModel):
    total: int


def calls(*named):
    return [{"name": name, "args": args, "id": identity} for identity, name, args in named]


ADD = ("1", "add", {"a": 1, "b": 2})
DOUBLE = ("2", "double", {"a": 4})


def texts(result):
    return [(message.type, message.text) for message in result["messages"]]
