"""The names that users build on. Changing the list is a decision: ``python -m tests.architecture.test_public_names`` writes it anew."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest

GOLDEN = Path(__file__).parents[1] / "golden" / "public_names.txt"
MODULES = (
    "graphkit",
    "graphkit.agents",
    "graphkit.func",
    "graphkit.messages",
    "graphkit.models",
    "graphkit.testing",
    "graphkit.tools",
    "checkpointers.sqlite",
)


def public_names() -> list[str]:
    return [f"{module}.{name}" for module in MODULES for name in sorted(import_module(module).__all__)]


def test_the_public_names_are_those_of_the_list():
    assert public_names() == GOLDEN.read_text("utf-8").split()


@pytest.mark.parametrize("module", MODULES)
def test_every_public_name_is_there(module):
    front_door = import_module(module)

    assert [name for name in front_door.__all__ if not hasattr(front_door, name)] == []
    assert len(set(front_door.__all__)) == len(front_door.__all__)


if __name__ == "__main__":
    GOLDEN.write_text("\n".join(public_names()) + "\n", "utf-8")
