"""The front door of every store: what users call, sync and async."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Literal, cast

from graphkit.serde import Codec
from graphkit.storage.store.embedding import Embedded, Embedder
from graphkit.storage.store.expiry import Expiry
from graphkit.storage.store.index import Index
from graphkit.storage.store.items import DEFAULT, GetOp, ListNamespacesOp, MatchCondition, PutOp, SearchOp
from graphkit.storage.store.plan import Setup, results_of, steps_of, texts_of_steps
from graphkit.storage.store.port import Sweep, Transaction

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from types import TracebackType
    from typing import Self

    from graphkit.storage.store.expiry import TTLConfig
    from graphkit.storage.store.index import IndexConfig
    from graphkit.storage.store.items import Item, Namespace, Op, Result, SearchItem, Ttl
    from graphkit.storage.store.port import StoreBackend


class Store:
    """Keeps items for all threads in one database; sync and async callers share one object.

    Every call is one transaction, and every argument is checked before it. Each method has an async twin whose name begins
    with ``a``.

    Args:
        backend: The database.
        index: Makes items searchable by meaning.
        ttl: How long items live; for ever by default.
        clock: Returns seconds since the epoch.
        codec: How values become bytes; a new one by default.

    Raises:
        InvalidConfigError: ``index`` or ``ttl`` cannot be used.
    """

    def __init__(
        self,
        backend: StoreBackend,
        *,
        index: IndexConfig | None = None,
        ttl: TTLConfig | None = None,
        clock: Callable[[], float] = time.time,
        codec: Codec | None = None,
    ) -> None:
        known = Index.of(index) if index is not None else None
        self._backend = backend
        self._clock = clock
        self._setup = Setup(codec if codec is not None else Codec(), known, Expiry.of(ttl))
        self._embedder = Embedder(known) if known is not None else None

    @property
    def codec(self) -> Codec:
        """How values become bytes; ``codec.register(MyType)`` lets instances of a class be stored."""
        return self._setup.codec

    def get(self, namespace: Namespace, key: str, *, refresh_ttl: bool | None = None) -> Item | None:
        """Return an item, None if it is not there.

        Args:
            namespace: As in ``("memories", "ada")``.
            key: Unique in the namespace.
            refresh_ttl: Whether its time to live starts anew; None for what the store was told.

        Raises:
            InvalidNamespaceError: The namespace is not well-formed.
            InvalidIdError: The key is not well-formed.
        """
        return cast("Item | None", self.batch([GetOp(namespace, key, refresh_ttl)])[0])

    async def aget(self, namespace: Namespace, key: str, *, refresh_ttl: bool | None = None) -> Item | None:
        """Do what get does."""
        return cast("Item | None", (await self.abatch([GetOp(namespace, key, refresh_ttl)]))[0])

    def put(
        self,
        namespace: Namespace,
        key: str,
        value: dict[str, Any] | None,
        index: Literal[False] | Sequence[str] | None = None,
        *,
        ttl: Ttl = DEFAULT,
        if_version: int | None = None,
    ) -> None:
        """Write an item in the place of what is there; None as its value deletes it.

        Args:
            namespace: As in ``("memories", "ada")``; it comes into being with its first item.
            key: Unique in the namespace.
            value: A dict of anything that can be stored; it comes back with the same types.
            index: The fields to embed; None for those of the store's index, False for none.
            ttl: Minutes until it expires, None for never; by default what the store was told.
            if_version: Write only if the item is of this version; 0 if it must not be there.

        Raises:
            InvalidNamespaceError: The namespace is not well-formed.
            InvalidIdError: The key is not well-formed.
            InvalidConfigError: Another argument is out of range.
            UnserializableValueError: The value cannot be stored; names the path in it.
            EmbeddingError: The embedding function failed.
            StoreConflictError: The item is of another version than ``if_version``.
        """
        self.batch([PutOp(namespace, key, value, index, ttl, if_version)])

    async def aput(
        self,
        namespace: Namespace,
        key: str,
        value: dict[str, Any] | None,
        index: Literal[False] | Sequence[str] | None = None,
        *,
        ttl: Ttl = DEFAULT,
        if_version: int | None = None,
    ) -> None:
        """Do what put does."""
        await self.abatch([PutOp(namespace, key, value, index, ttl, if_version)])

    def delete(self, namespace: Namespace, key: str) -> None:
        """Delete an item; one that is not there is no error."""
        self.batch([PutOp(namespace, key, None)])

    async def adelete(self, namespace: Namespace, key: str) -> None:
        """Do what delete does."""
        await self.abatch([PutOp(namespace, key, None)])

    def search(
        self,
        namespace_prefix: Namespace,
        /,
        *,
        query: str | None = None,
        filter: Mapping[str, object] | None = None,
        limit: int = 10,
        offset: int = 0,
        refresh_ttl: bool | None = None,
    ) -> list[SearchItem]:
        """Return items in and below a namespace.

        Without a query the last changed come first; items of one change are in the order of namespace and key. With one, those
        closest in meaning come first, of equal ones the last changed; items that nothing was embedded for are left out. The
        ranking is exact: every item is compared.

        Args:
            namespace_prefix: Compared string by string: ``("acme",)`` does not find ``("acme-corp",)``. ``()`` finds everything.
            query: A text; needs an index.
            filter: ``{"key": value}`` for equal ones, ``{"key": {"$gte": 1, "$lt": 5}}`` for a range (``$eq``, ``$ne``, ``$gt``,
                ``$gte``, ``$lt``, ``$lte``), nested dicts for what is inside. All of it has to hold. A key that is missing or has a
                value of another kind does not match.
            limit: How many at most, 1 to 1000.
            offset: How many of those that match to pass over.
            refresh_ttl: Whether the time to live of what is returned starts anew; None for what the store was told.

        Raises:
            InvalidNamespaceError: The namespace is not well-formed.
            InvalidFilterError: The filter cannot be read.
            InvalidConfigError: Another argument is out of range, or there is no index for the query.
            EmbeddingError: The embedding function failed.
        """
        return cast("list[SearchItem]", self.batch([SearchOp(namespace_prefix, filter, limit, offset, query, refresh_ttl)])[0])

    async def asearch(
        self,
        namespace_prefix: Namespace,
        /,
        *,
        query: str | None = None,
        filter: Mapping[str, object] | None = None,
        limit: int = 10,
        offset: int = 0,
        refresh_ttl: bool | None = None,
    ) -> list[SearchItem]:
        """Do what search does."""
        found = await self.abatch([SearchOp(namespace_prefix, filter, limit, offset, query, refresh_ttl)])
        return cast("list[SearchItem]", found[0])

    def list_namespaces(
        self,
        *,
        prefix: Namespace | None = None,
        suffix: Namespace | None = None,
        max_depth: int | None = None,
        limit: int = 100,
        offset: int = 0,
    ) -> list[Namespace]:
        """Return the namespaces that have items, sorted.

        Args:
            prefix: What they begin with; ``"*"`` stands for any one string.
            suffix: What they end with, likewise.
            max_depth: Cut them after this many strings, and return each once.
            limit: How many at most, 1 to 1000.
            offset: How many to pass over.

        Raises:
            InvalidNamespaceError: A pattern is not well-formed.
            InvalidConfigError: Another argument is out of range.
        """
        return cast("list[Namespace]", self.batch([_listing(prefix, suffix, max_depth, limit, offset)])[0])

    async def alist_namespaces(
        self,
        *,
        prefix: Namespace | None = None,
        suffix: Namespace | None = None,
        max_depth: int | None = None,
        limit: int = 100,
        offset: int = 0,
    ) -> list[Namespace]:
        """Do what list_namespaces does."""
        return cast("list[Namespace]", (await self.abatch([_listing(prefix, suffix, max_depth, limit, offset)]))[0])

    def batch(self, ops: Iterable[Op]) -> list[Result]:
        """Carry out several operations as one transaction, in this order; each sees what those before it wrote.

        Returns:
            The result of each, as its class says.

        Raises:
            GraphkitError: What the single methods raise. Nothing of the batch was written.
        """
        steps = steps_of(ops, self._setup)
        texts = texts_of_steps(steps)
        vectors = self._embedder.run(texts) if self._embedder is not None else Embedded({}, {})
        replies = self._backend.run(Transaction(tuple([step.embedded(vectors) for step in steps]), self._clock()))
        return results_of(steps, replies, self._setup)

    async def abatch(self, ops: Iterable[Op]) -> list[Result]:
        """Do what batch does."""
        steps = steps_of(ops, self._setup)
        texts = texts_of_steps(steps)
        vectors = await self._embedder.arun(texts) if self._embedder is not None else Embedded({}, {})
        replies = await self._backend.arun(Transaction(tuple([step.embedded(vectors) for step in steps]), self._clock()))
        return results_of(steps, replies, self._setup)

    def sweep_ttl(self) -> int:
        """Delete what has expired, which nobody can read any more; return how many items that were."""
        return _swept(self._backend.run(Transaction((Sweep(),), self._clock())))

    async def asweep_ttl(self) -> int:
        """Do what sweep_ttl does."""
        return _swept(await self._backend.arun(Transaction((Sweep(),), self._clock())))

    def close(self) -> None:
        """Give the database back."""
        self._backend.close()

    async def aclose(self) -> None:
        """Do what close does."""
        await self._backend.aclose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.aclose()


def _listing(prefix: Namespace | None, suffix: Namespace | None, max_depth: int | None, limit: int, offset: int) -> ListNamespacesOp:
    conditions = [MatchCondition("prefix", prefix)] if prefix is not None else []
    if suffix is not None:
        conditions.append(MatchCondition("suffix", suffix))
    return ListNamespacesOp(tuple(conditions), max_depth, limit, offset)


def _swept(replies: object) -> int:
    assert isinstance(replies, list)
    return int(replies[0])
