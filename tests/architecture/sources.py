"""The source files of the project, parsed once."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Source:
    """A module: its dotted name, its path under the root, its text and its syntax tree."""

    module: str
    path: str
    text: str
    tree: ast.Module

    def at(self, node: ast.AST) -> str:
        """Name a place in this file."""
        return f"{self.path}:{getattr(node, 'lineno', 1)}"

    def imports(self) -> Iterator[tuple[str, ast.AST]]:
        """Yield every imported module as a dotted name; ``from a import b`` counts as ``a`` and as ``a.b``."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from [(alias.name, node) for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                package = self.module.split(".")[: -node.level] if node.level else []
                name = ".".join([*package, *([node.module] if node.module else [])])
                yield name, node
                yield from [(f"{name}.{alias.name}", node) for alias in node.names]


@cache
def sources(*folders: str) -> tuple[Source, ...]:
    """Return the modules under the given folders."""
    paths = [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]
    return tuple([read(path) for path in paths])


def read(path: Path) -> Source:
    relative = path.relative_to(ROOT)
    parts = relative.with_suffix("").parts
    module = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
    text = path.read_text("utf-8")
    return Source(module, relative.as_posix(), text, ast.parse(text))


def example(text: str, module: str = "graphkit.example") -> Source:
    """Return a source that exists only in a test."""
    return Source(module, f"{module.replace('.', '/')}.py", text, ast.parse(text))


def inside(name: str, *packages: str) -> bool:
    """Tell whether a dotted name is one of the packages or lies in one."""
    return any(name == package or name.startswith(package + ".") for package in packages)
