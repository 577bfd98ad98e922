"""Who may import whom, where a list of what is allowed says more than a list of what is not."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from tests.architecture.sources import example, inside, sources

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.architecture.sources import Source

PORTS = ("graphkit.storage", "graphkit.serde", "graphkit.core", "graphkit.errors")
DATABASES = ("checkpointers.sqlite", "checkpointers.postgres")
FRONT_DOORS = (
    "graphkit",
    "graphkit.agents",
    "graphkit.errors",
    "graphkit.func",
    "graphkit.messages",
    "graphkit.models",
    "graphkit.storage",
    "graphkit.testing",
    "graphkit.tools",
    *DATABASES,
)


def beyond_the_ports(files: Iterable[Source]) -> list[str]:
    """List imports of graphkit that a database package may not make; ``from graphkit import x`` enters no port."""
    return [
        f"{file.at(node)} imports {name}"
        for file in files
        for name, node in file.imports()
        if inside(name, "graphkit") and name != "graphkit" and not inside(name, *PORTS)
    ]


def outside_of_the_library(files: Iterable[Source]) -> list[str]:
    return [
        f"{file.at(node)} imports {name}"
        for file in files
        for name, node in file.imports()
        if inside(name, "checkpointers", "examples", "benchmarks", "tests")
    ]


def behind_the_front_doors(files: Iterable[Source]) -> list[str]:
    """List imports of a module inside graphkit; a name that a front door exports is no module."""
    modules = {file.module for file in sources("graphkit", "checkpointers")}
    return [
        f"{file.at(node)} imports {name}"
        for file in files
        for name, node in file.imports()
        if inside(name, "graphkit", "checkpointers")
        and name in modules
        and name not in {*FRONT_DOORS, "checkpointers"}
        and not exported(name)
    ]


def exported(name: str) -> bool:
    """Tell whether a front door has this name itself, as ``graphkit.tools`` has ``tool`` beside its module of that name."""
    door, _, last = name.rpartition(".")
    return door in FRONT_DOORS and last in import_module(door).__all__


def test_databases_know_only_the_ports():
    assert beyond_the_ports(sources("checkpointers")) == []


def test_the_library_knows_nobody_who_uses_it():
    assert outside_of_the_library(sources("graphkit")) == []


def test_examples_use_only_front_doors():
    assert behind_the_front_doors(sources("examples")) == []


def test_the_rules_find_what_they_forbid():
    assert beyond_the_ports([example("from graphkit.runtime import threads"), example("from graphkit import StateGraph")]) != []
    assert outside_of_the_library([example("import checkpointers.sqlite")]) != []
    assert behind_the_front_doors([example("from graphkit.core import plan")]) != []
