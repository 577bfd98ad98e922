"""All checks of a store."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from graphkit.testing.clock import Clock
from graphkit.testing.store_suite import expiry, finding, naming, ranking, values
from graphkit.testing.store_suite.subject import Subject

if TYPE_CHECKING:
    from collections.abc import Callable

    from graphkit.testing.checkpointers.subject import Mode
    from graphkit.testing.store_suite.subject import MakeStore


@dataclass(frozen=True, slots=True)
class StoreCheck:
    """One thing a store has to keep.

    Args:
        name: What it keeps, in words.
        mode: Whether its sync or its async methods are called.
        body: The check itself.
        make: Makes the store.
    """

    name: str
    mode: Mode
    body: Callable[[Subject], None]
    make: MakeStore

    def __str__(self) -> str:
        return f"{self.name}[{self.mode}]"

    def run(self) -> None:
        """Make a store and check it.

        Raises:
            AssertionError: It does not keep this. Any other exception is one that it should not have raised.
        """
        with Subject(self.make, Clock(), self.mode) as subject:
            self.body(subject)


def store_suite(make: MakeStore) -> list[StoreCheck]:
    """Return all checks, each for the sync and for the async methods.

    Args:
        make: Returns a new store with an empty database of its own; called with ``clock``, ``index`` and ``ttl``. A check may
            make several.

    Example:
        >>> from graphkit.storage import InMemoryStore
        >>> for check in store_suite(InMemoryStore):
        ...     check.run()
    """
    modes: tuple[Mode, ...] = ("sync", "async")
    bodies = [body for topic in (values, naming, finding, ranking, expiry) for body in topic.CHECKS]
    return [StoreCheck(body.__name__, mode, body, make) for body in bodies for mode in modes]
