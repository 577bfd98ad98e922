"""Code that must not be written here, whatever it is for."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

import pytest

from tests.architecture.sources import example, inside, sources

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.architecture.sources import Source

REVIVERS = (
    "pickle",
    "cPickle",
    "_pickle",
    "marshal",
    "shelve",
    "dill",
    "cloudpickle",
    "jsonpickle",
    "importlib",
    "imp",
    "runpy",
    "pkgutil",
)
INTERPRETERS = {"eval", "exec", "compile", "__import__"}
STORED = ("graphkit.serde", "graphkit.storage", "checkpointers")
RUNS_SQL = {"execute", "executemany", "executescript"}
SQL = re.compile(r"\b(SELECT|INSERT|UPDATE|DELETE|REPLACE|CREATE|DROP|ALTER|PRAGMA|ATTACH|BEGIN|WITH|WHERE|ORDER BY|LIMIT)\b")


def revived(source: Source) -> list[str]:
    """List what could turn a stored row into a running program."""
    if not inside(source.module, *STORED):
        return []
    found = [source.at(node) for name, node in source.imports() if inside(name, *REVIVERS)]
    calls = [node for node in ast.walk(source.tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)]
    return found + [source.at(call) for call in calls if isinstance(call.func, ast.Name) and call.func.id in INTERPRETERS]


def swallowed(source: Source) -> list[str]:
    """List handlers that catch everything and do nothing."""
    handlers = [node for node in ast.walk(source.tree) if isinstance(node, ast.ExceptHandler)]
    return [source.at(handler) for handler in handlers if catches_everything(handler) and all(map(idle, handler.body))]


def catches_everything(handler: ast.ExceptHandler) -> bool:
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(kind is None or (isinstance(kind, ast.Name) and kind.id in {"Exception", "BaseException"}) for kind in kinds)


def idle(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Pass) or (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant))


def built_sql(source: Source) -> list[str]:
    """List SQL that is put together from pieces, where it is run or where it is written."""
    run = [
        node.args[0]
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in RUNS_SQL and node.args
    ]
    written = [node for node in ast.walk(source.tree) if put_together(node) and SQL.search(constants(node))]
    return [source.at(node) for node in [*[node for node in run if put_together(node)], *written]]


def put_together(node: ast.AST) -> bool:
    match node:
        case ast.JoinedStr(values):
            return any(isinstance(value, ast.FormattedValue) for value in values)
        case ast.BinOp(op=ast.Add() | ast.Mod()):
            return True
        case ast.Call(func=ast.Attribute(value=ast.Constant(str()), attr="format" | "join" | "replace")):
            return True
        case _:
            return False


def constants(node: ast.AST) -> str:
    return " ".join([part.value for part in ast.walk(node) if isinstance(part, ast.Constant) and isinstance(part.value, str)])


def ambient(source: Source) -> list[str]:
    """List ambient state: a ContextVar outside of scope.py, and ``global`` anywhere."""
    found = [node for node in ast.walk(source.tree) if isinstance(node, ast.Global)]
    if source.module != "graphkit.scope.scope":
        named = [node for node in ast.walk(source.tree) if isinstance(node, ast.Name | ast.Attribute)]
        found += [node for node in named if (node.id if isinstance(node, ast.Name) else node.attr) in {"ContextVar", "local"}]  # type: ignore[misc]
    return [source.at(node) for node in found]


@pytest.mark.parametrize("rule", [revived, swallowed, ambient])
def test_the_library_keeps_the_rule(rule: Callable[[Source], list[str]]):
    assert [place for source in sources("graphkit", "checkpointers") for place in rule(source)] == []


def test_no_sql_is_put_together_from_pieces():
    assert [place for source in sources("checkpointers") for place in built_sql(source)] == []


@pytest.mark.parametrize(
    "rule, text",
    [
        (revived, "import pickle"),
        (revived, "from importlib import import_module"),
        (revived, "value = eval(text)"),
        (swallowed, "try:\n    f()\nexcept Exception:\n    pass"),
        (swallowed, "try:\n    f()\nexcept:\n    ..."),
        (swallowed, "try:\n    f()\nexcept (ValueError, BaseException):\n    'never mind'"),
        (built_sql, "db.execute(f'SELECT {name}')"),
        (built_sql, "db.execute('SELECT ' + name)"),
        (built_sql, "db.executescript('DROP TABLE %s' % name)"),
        (built_sql, "query = f'SELECT * FROM t WHERE {condition}'"),
        (built_sql, "query = 'SELECT {}'.format(name)"),
        (ambient, "from contextvars import ContextVar\ncurrent = ContextVar('current')"),
        (ambient, "import threading\nstate = threading.local()"),
        (ambient, "def f():\n    global state"),
    ],
)
def test_the_rule_finds_what_it_forbids(rule: Callable[[Source], list[str]], text: str):
    assert rule(example(text, module="graphkit.serde.example")) != []


@pytest.mark.parametrize(
    "rule, text",
    [
        (swallowed, "try:\n    f()\nexcept KeyError:\n    pass"),
        (swallowed, "try:\n    f()\nexcept Exception as error:\n    raise StorageError('lost') from error"),
        (built_sql, "db.execute(SELECT_HEAD, (thread_id,))"),
        (built_sql, "message = f'the thread {name} is busy'"),
    ],
)
def test_the_rule_leaves_the_rest_alone(rule: Callable[[Source], list[str]], text: str):
    assert rule(example(text)) == []
