"""The store under test, called through its sync or its async methods; checks do not see which."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from graphkit.storage import IndexConfig, Item, SearchItem, Store, TTLConfig
    from graphkit.testing.checkpointers.subject import Mode
    from graphkit.testing.clock import Clock

WORDS = ("sun", "rain", "snow")
"""What ``counted`` knows: a vector has a number for each."""


class MakeStore(Protocol):
    """Makes a store with an empty database of its own."""

    def __call__(self, *, clock: Clock, index: IndexConfig | None, ttl: TTLConfig | None) -> Store:
        """Return a new store with these arguments."""
        ...


class Subject:
    """Stores for the length of a with block, one of them plain and at hand.

    Args:
        make: Makes them.
        clock: What they read the time from.
        mode: Through which methods they are called.
    """

    def __init__(self, make: MakeStore, clock: Clock, mode: Mode) -> None:
        self._runner = asyncio.Runner() if mode == "async" else None
        self._make = make
        self._opened: list[Store] = []
        self.clock = clock
        self.store = self.open()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for store in self._opened:
            self.store = store
            self.call("close")
        if self._runner is not None:
            self._runner.close()

    def open(self, *, index: IndexConfig | None = None, ttl: TTLConfig | None = None) -> Store:
        """Make another store, which is the one at hand from now on."""
        self.store = self._make(clock=self.clock, index=index, ttl=ttl)
        self._opened.append(self.store)
        return self.store

    def call(self, method: str, *args: object, **options: object) -> Any:  # noqa: ANN401 - as the method returns
        """Call a method of the store at hand, or its twin whose name begins with ``a``, and return the result."""
        owner = self.store
        if self._runner is None:
            return getattr(owner, method)(*args, **options)

        async def twin() -> Any:  # noqa: ANN401 - as above
            return await getattr(owner, f"a{method}")(*args, **options)

        return self._runner.run(twin())

    def put(self, namespace: tuple[str, ...], key: str, value: dict[str, Any] | None = None, **options: object) -> None:
        """Put an item, by default with a value that names its key."""
        self.call("put", namespace, key, {"is": key} if value is None else value, **options)

    def got(self, namespace: tuple[str, ...], key: str, **options: object) -> Item:
        """Get what has to be there."""
        item: Item | None = self.call("get", namespace, key, **options)
        assert item is not None, f"{key!r} is not in {namespace!r}"
        return item

    def search(self, prefix: tuple[str, ...] = (), **options: object) -> list[SearchItem]:
        """Search."""
        found: list[SearchItem] = self.call("search", prefix, **options)
        return found

    def keys(self, prefix: tuple[str, ...] = (), **options: object) -> list[str]:
        """Search and return the keys that were found, in order."""
        return [item.key for item in self.search(prefix, **options)]


def counted(texts: list[str]) -> list[list[float]]:
    """Embed texts by counting three words."""
    return [[float(text.count(word)) for word in WORDS] for text in texts]


def indexed(**changes: Any) -> IndexConfig:  # noqa: ANN401 - IndexConfig's keys
    """Return an index over three words, with changes."""
    config: IndexConfig = {"dims": len(WORDS), "embed": counted, "fields": ["text"]}
    return {**config, **changes}  # type: ignore[typeddict-item]
