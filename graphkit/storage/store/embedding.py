"""Calls the embedding function, sync or async whatever the caller is. The only file that enters it."""

from __future__ import annotations

from inspect import isawaitable, iscoroutinefunction
from math import isfinite
from typing import TYPE_CHECKING, Any

from graphkit.core.record import record
from graphkit.errors import EmbeddingError
from graphkit.storage.store.index import is_embeddings
from graphkit.storage.store.vectors import packed

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from graphkit.storage.store.index import Index


@record
class Texts:
    """What is to be embedded, each text once."""

    documents: tuple[str, ...] = ()
    queries: tuple[str, ...] = ()


@record
class Embedded:
    """Vectors, packed, by their texts."""

    documents: Mapping[str, bytes]
    queries: Mapping[str, bytes]


@record
class Call:
    """One call of the embedding function.

    Args:
        made: Calls it; what it returns may be awaitable.
        texts: What it is given, for which it has to return a vector each.
        single: Whether it is given one text as it is and returns its vector.
    """

    made: Callable[[Any], Any]
    texts: tuple[str, ...]
    single: bool = False

    def argument(self) -> list[str] | str:
        """Return what it is called with."""
        return self.texts[0] if self.single else list(self.texts)


class Embedder:
    """The embedding function of a store.

    Args:
        index: From the user.
    """

    __slots__ = ("_index",)

    def __init__(self, index: Index) -> None:
        self._index = index

    def run(self, texts: Texts) -> Embedded:
        """Embed texts in the calling thread.

        Raises:
            EmbeddingError: The function raised, or its vectors do not fit.
        """
        return self._embedded(texts, [self._answer(call) for call in self._calls(texts, "")])

    async def arun(self, texts: Texts) -> Embedded:
        """Do the same without blocking the event loop."""
        return self._embedded(texts, [await self._aanswer(call) for call in self._calls(texts, "a")])

    def _calls(self, texts: Texts, prefix: str) -> list[Call]:
        embed: Any = self._index.embed
        if not is_embeddings(embed):
            together = tuple(dict.fromkeys([*texts.documents, *texts.queries]))
            return [Call(embed, together)] if together else []
        documents = getattr(embed, f"{prefix}embed_documents", embed.embed_documents)
        query = getattr(embed, f"{prefix}embed_query", embed.embed_query)
        calls = [Call(documents, texts.documents)] if texts.documents else []
        return [*calls, *[Call(query, (text,), single=True) for text in texts.queries]]

    def _answer(self, call: Call) -> dict[str, bytes]:
        try:
            answer = call.made(call.argument())
            if isawaitable(answer):
                answer = _awaited(answer)
        except Exception as error:
            raise _failed(error) from error
        return self._checked(call, answer)

    async def _aanswer(self, call: Call) -> dict[str, bytes]:
        from asyncio import to_thread  # noqa: PLC0415 - sync callers need none

        try:
            answer = call.made(call.argument()) if iscoroutinefunction(call.made) else await to_thread(call.made, call.argument())
            if isawaitable(answer):
                answer = await answer
        except Exception as error:
            raise _failed(error) from error
        return self._checked(call, answer)

    def _checked(self, call: Call, answer: object) -> dict[str, bytes]:
        vectors = _listed([answer] if call.single else answer)
        if vectors is None or len(vectors) != len(call.texts):
            shown = "no list" if vectors is None else f"{len(vectors)} vectors"
            raise EmbeddingError(
                f"The embedding function returned {shown} for {len(call.texts)} texts.", hint="Return a list with one vector for each text."
            )
        return {text: self._vector(vector) for text, vector in zip(call.texts, vectors, strict=True)}

    def _vector(self, vector: object) -> bytes:
        numbers = _listed(vector)
        if numbers is None or len(numbers) != self._index.dims:
            size = "no list" if numbers is None else f"a vector of {len(numbers)} numbers"
            raise EmbeddingError(
                f"The embedding function returned {size}; the index has dims={self._index.dims}.",
                hint="Set dims to the size that the function returns.",
                dims=self._index.dims,
            )
        try:
            floats = [float(number) for number in numbers]
        except (TypeError, ValueError, OverflowError) as error:
            raise EmbeddingError("The embedding function returned a vector with something that is no number.", hint=None) from error
        if not all(map(isfinite, floats)):
            raise EmbeddingError("The embedding function returned a vector with a number that is not finite.", hint="Look for NaN in it.")
        return packed(floats)

    def _embedded(self, texts: Texts, answers: Sequence[Mapping[str, bytes]]) -> Embedded:
        if not is_embeddings(self._index.embed):
            both = answers[0] if answers else {}
            return Embedded(both, both)
        documents = answers[0] if texts.documents else {}
        rest = answers[1:] if texts.documents else answers
        return Embedded(documents, {text: vector for answer in rest for text, vector in answer.items()})


def _listed(value: Any) -> list[Any] | None:  # noqa: ANN401 - lists, tuples and arrays of any library
    return list(value) if hasattr(value, "__len__") and hasattr(value, "__iter__") and not isinstance(value, str | dict) else None


def _failed(error: Exception) -> EmbeddingError:
    return EmbeddingError(
        f"The embedding function failed: {type(error).__name__}: {error}", hint="Nothing was written; see the cause for what went wrong."
    )


def _awaited(answer: Awaitable[object]) -> object:
    """Wait for a coroutine in a thread of its own: the caller's may have a running event loop."""
    import asyncio  # noqa: PLC0415 - as above
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - as above
    from contextvars import copy_context  # noqa: PLC0415 - as above

    async def ended() -> object:
        return await answer

    with ThreadPoolExecutor(1, "graphkit-embedding") as pool:
        return pool.submit(copy_context().run, asyncio.run, ended()).result()
