"""The conformance kit for checkpointers: run it on your own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from graphkit.testing.checkpointers import claims, commits, listing, questions, upkeep
from graphkit.testing.checkpointers.subject import Subject
from graphkit.testing.clock import Clock

if TYPE_CHECKING:
    from collections.abc import Callable

    from graphkit.storage import Checkpointer
    from graphkit.testing.checkpointers.subject import Mode


@dataclass(frozen=True, slots=True)
class Check:
    """One thing a checkpointer has to keep.

    Args:
        name: What it keeps, in words.
        mode: Whether its sync or its async methods are called.
        body: The check itself.
        make: Makes the checkpointer.
    """

    name: str
    mode: Mode
    body: Callable[[Subject], None]
    make: Callable[[Clock], Checkpointer]

    def __str__(self) -> str:
        return f"{self.name}[{self.mode}]"

    def run(self) -> None:
        """Make a checkpointer and check it.

        Raises:
            AssertionError: It does not keep this. Any other exception is one that it should not have raised.
        """
        clock = Clock()
        with Subject(self.make, clock, self.mode) as subject:
            self.body(subject)


def checkpointer_suite(make: Callable[[Clock], Checkpointer]) -> list[Check]:
    """Return all checks, each for the sync and for the async methods.

    Args:
        make: Returns a new checkpointer with an empty database of its own, the default lease, and the given clock.

    Example:
        >>> from graphkit.storage import InMemorySaver
        >>> for check in checkpointer_suite(lambda clock: InMemorySaver(clock=clock)):
        ...     check.run()
    """
    modes: tuple[Mode, ...] = ("sync", "async")
    bodies = [body for topic in (commits, claims, questions, listing, upkeep) for body in topic.CHECKS]
    return [Check(body.__name__, mode, body, make) for body in bodies for mode in modes]
