"""The port to a database of items: what it is asked for, and what it answers.

A Transaction is carried out as a whole, one operation after the other, each seeing what those before it wrote; or it is refused,
and nothing of it is written.

An item *is there* at a time if it does not expire or expires later. One that is not there any more counts as missing for every
operation, whether it was swept or not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol, TypeAlias

from graphkit.core.record import record

if TYPE_CHECKING:
    from collections.abc import Callable


@record
class Row:
    """An item as it is stored. Times are seconds since the epoch."""

    path: str
    key: str
    record: bytes
    created_at: float
    updated_at: float
    version: int


@record
class Found:
    """A row and its score; None without a query."""

    row: Row
    score: float | None


@record
class Read:
    """Read an item. Reply: Row or None.

    Args:
        path: Its namespace.
        key: Its key.
        refresh: Whether its time starts anew, if it has one.
    """

    path: str
    key: str
    refresh: bool


@record
class Write:
    """Write an item in the place of what is there. Reply: None; refused with Conflict or Unfit.

    Args:
        path: Its namespace.
        key: Its key.
        record: The value.
        vectors: What it is found by; all of one size.
        ttl: Seconds until it expires; None for never.
        if_version: The version it has to have now, 0 if it must not be there; None for any.
    """

    path: str
    key: str
    record: bytes
    vectors: tuple[bytes, ...]
    ttl: float | None
    if_version: int | None


@record
class Remove:
    """Delete an item, if it is there. Reply: None; refused with Conflict. Fields as in Write."""

    path: str
    key: str
    if_version: int | None


@record
class Find:
    """Search in and below a namespace. Reply: a list of Found; refused with Unfit.

    Without a vector: the last changed first, then by path and key. With one: only items that have vectors, the highest score
    first, then as without. A score is the largest cosine of the item's vectors and this one, rounded to ``DIGITS``.

    Args:
        path: All paths that begin with it.
        matches: Tells from a record whether the item is wanted; None for all.
        vector: The query; None for none.
        limit: How many at most.
        offset: How many wanted ones to pass over.
        refresh: Whether the time of those in the reply starts anew.
    """

    path: str
    matches: Callable[[bytes], bool] | None
    vector: bytes | None
    limit: int
    offset: int
    refresh: bool


@record
class ListPaths:
    """List the paths in which items are and which begin with ``path``. Reply: a list of them, in any order."""

    path: str


@record
class Sweep:
    """Delete what is not there any more. Reply: the number of items."""


@record
class Conflict:
    """An item does not have the version that was expected; 0 stands for none."""

    path: str
    key: str
    expected: int
    found: int


@record
class Unfit:
    """The database holds vectors of another size."""

    size: int


Operation: TypeAlias = Read | Write | Remove | Find | ListPaths | Sweep
Refusal: TypeAlias = Conflict | Unfit

WRITES: Final = (Write, Remove, Sweep)
REFUSALS: Final = (Conflict, Unfit)


@record
class Transaction:
    """What to do as a whole.

    Args:
        operations: In this order.
        now: Seconds since the epoch.
    """

    operations: tuple[Operation, ...]
    now: float


class StoreBackend(Protocol):
    """A database of items. Both doors lead to the same rows.

    Each method may raise StorageError for what went wrong with the database itself.
    """

    def run(self, transaction: Transaction) -> list[object] | Refusal:
        """Carry out a transaction in the calling thread; return one reply for each operation."""
        ...

    async def arun(self, transaction: Transaction) -> list[object] | Refusal:
        """Do the same without blocking the event loop.

        Cancelled before it has begun, nothing of it happens; cancelled later, it ends before the cancellation goes on.
        """
        ...

    def close(self) -> None:
        """Give everything back. Closing twice is no error."""
        ...

    async def aclose(self) -> None:
        """Do the same without blocking the event loop."""
        ...
