"""Searches with a query: exact whatever the namespace, filter, time and page."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING, Any

from graphkit.errors import EmbeddingError, InvalidConfigError
from graphkit.storage import GetOp, PutOp
from graphkit.testing.checkpointers.subject import refuses
from graphkit.testing.store_suite.subject import counted, indexed

if TYPE_CHECKING:
    from graphkit.storage import SearchItem
    from graphkit.testing.store_suite.subject import Subject

NS = ("n",)


def _close(found: list[SearchItem], wanted: list[tuple[str, float]]) -> None:
    assert [item.key for item in found] == [key for key, _ in wanted]
    for item, (_, score) in zip(found, wanted, strict=True):
        assert item.score is not None
        assert abs(item.score - score) < 1e-5, f"{item.key} has score {item.score}, not {score}"


def the_closest_comes_first(subject: Subject) -> None:
    """By the cosine; of equal ones the last changed."""
    subject.open(index=indexed())
    for text in ("rain", "sun", "sun rain", "sun sun sun rain", "nothing", "rain rain"):
        subject.put(NS, text, {"text": text})

    wanted = [
        ("rain rain", 1.0),
        ("rain", 1.0),
        ("sun rain", 1 / sqrt(2)),
        ("sun sun sun rain", 1 / sqrt(10)),
        ("nothing", 0.0),
        ("sun", 0.0),
    ]
    _close(subject.search(NS, query="rain"), wanted)
    _close(subject.search(NS, query="rain", limit=2, offset=1), wanted[1:3])
    assert [item.score for item in subject.search(NS)] == [None] * 6


def ranking_keeps_to_the_namespace_and_the_filter(subject: Subject) -> None:
    """A match far down the ranking is found, however many closer ones are elsewhere or do not pass."""
    subject.open(index=indexed())
    subject.call("batch", [PutOp(("near",), f"{n:03}", {"text": "sun", "n": n}) for n in range(150)])
    subject.call("batch", [PutOp(("near", "far"), f"far{n}", {"text": "sun rain", "n": n}) for n in range(3)])
    subject.put(("other",), "alone", {"text": "rain snow"})

    assert subject.keys(("near", "far"), query="sun", limit=2) == ["far0", "far1"]
    assert subject.keys(("near",), query="sun", filter={"text": "sun rain"}, limit=2, offset=1) == ["far1", "far2"]
    assert subject.keys(("near",), query="sun", filter={"n": {"$lt": 2}}) == ["000", "001", "far0", "far1"]
    assert subject.keys(("near",), query="sun", limit=1, offset=152) == ["far2"]
    assert subject.keys((), query="snow", limit=1) == ["alone"]


def ranking_passes_over_what_has_expired(subject: Subject) -> None:
    """And over what was deleted or written anew."""
    subject.open(index=indexed())
    for n in range(20):
        subject.put(NS, f"short{n}", {"text": "sun"}, ttl=1)
    subject.put(NS, "long", {"text": "sun rain"})
    subject.put(NS, "gone", {"text": "sun"})
    subject.put(NS, "changed", {"text": "sun"})
    subject.call("delete", NS, "gone")
    subject.put(NS, "changed", {"text": "snow"})
    subject.clock.advance(60)

    assert subject.keys(NS, query="sun", limit=3) == ["long", "changed"]


def fields_are_embedded_one_by_one(subject: Subject) -> None:
    """An item is as close as the closest of them; what has none is not in a ranking."""
    subject.open(index=indexed(fields=["title", "parts[*].text", "deep.er", "list[0]", "list[-1]"]))
    subject.put(NS, "parts", {"title": "rain", "parts": [{"text": "snow"}, {"text": "sun"}, {"other": 1}, 7]})
    subject.put(NS, "deep", {"deep": {"er": "sun"}, "list": ["rain", "sun", "snow"]})
    subject.put(NS, "nothing", {"text": "sun", "title": None, "parts": {"text": "sun"}, "deep": "sun", "list": []})

    _close(subject.search(NS, query="sun"), [("deep", 1.0), ("parts", 1.0)])
    _close(subject.search(NS, query="snow"), [("deep", 1.0), ("parts", 1.0)])
    assert len(subject.search(NS)) == 3


def a_write_may_choose_its_fields(subject: Subject) -> None:
    """Others than the index has, all of the value, or none."""
    subject.open(index=indexed())
    subject.put(NS, "own", {"text": "rain", "other": "sun"}, index=["other"])
    subject.put(NS, "whole", {"text": "rain", "n": [{"any": "sun"}]}, index=["$"])
    subject.put(NS, "hidden", {"text": "sun"}, index=False)

    _close(subject.search(NS, query="sun"), [("own", 1.0), ("whole", 1 / sqrt(2))])
    odd: tuple[Any, ...] = ("text", [""], ["a["], ["a..b"], ["[*]"], ["a[x]"], [1], 1)
    for index in odd:
        refuses(InvalidConfigError, subject.call, "put", NS, "k", {"text": "sun"}, index=index)


def embedding_functions_of_every_kind_serve_both_callers(subject: Subject) -> None:
    """A function, a coroutine function, an object with methods for documents and queries."""

    async def later(texts: list[str]) -> list[list[float]]:
        return counted(texts)

    class Embeddings:
        def embed_documents(self, texts: list[str]) -> list[list[float]]:
            return counted(texts)

        def embed_query(self, text: str) -> list[float]:
            return counted([text.removeprefix("?")])[0]

    class Later(Embeddings):
        async def aembed_documents(self, texts: list[str]) -> list[list[float]]:
            return counted(texts)

        async def aembed_query(self, text: str) -> list[float]:
            return self.embed_query(text)

    for embed in (counted, later, Embeddings(), Later(), lambda texts: [tuple(vector) for vector in counted(texts)]):
        subject.open(index=indexed(embed=embed))
        subject.call("batch", [PutOp(NS, text, {"text": text}) for text in ("sun", "sun rain", "rain")])
        assert subject.keys(NS, query="sun", limit=2) == ["sun", "sun rain"]


def an_embedding_function_that_fails_writes_nothing(subject: Subject) -> None:
    """Whether it raises, or returns something that does not fit."""

    def broken(_: list[str]) -> list[list[float]]:
        raise ConnectionError("no route")

    odd: tuple[Any, ...] = (None, [], [[1.0, 2.0]], [[1.0] * 4], [[1.0, 2.0, float("nan")]], [[1.0, 2.0, "x"]], [[1.0, 2.0, None]], ["abc"])
    for answer in (*odd, [[1.0] * 3, [1.0] * 3], [float("inf")] * 3):
        subject.open(index=indexed(embed=lambda _, answer=answer: answer))
        refuses(EmbeddingError, subject.call, "batch", [PutOp(NS, "plain", {"n": 1}), PutOp(NS, "k", {"text": "sun"})])
        assert subject.search() == []
    subject.open(index=indexed(embed=broken))
    refused = refuses(EmbeddingError, subject.call, "put", NS, "k", {"text": "sun"})

    assert isinstance(refused.error.__cause__, ConnectionError)
    refuses(EmbeddingError, subject.call, "search", NS, query="sun")
    subject.put(NS, "k", {"text": "sun"}, index=False)
    assert subject.keys() == ["k"]


def each_text_is_embedded_once(subject: Subject) -> None:
    """A batch calls the function once; what reads only, or has nothing to embed, does not call it."""
    calls: list[list[str]] = []

    def embed(texts: list[str]) -> list[list[float]]:
        calls.append(texts)
        return counted(texts)

    subject.open(index=indexed(embed=embed))
    subject.call("batch", [PutOp(NS, str(n), {"text": "sun" if n % 2 else "rain"}) for n in range(4)])
    subject.call("batch", [GetOp(NS, "1"), PutOp(NS, "2", None), PutOp(NS, "3", {"n": 1})])
    subject.search(NS)

    assert [sorted(call) for call in calls] == [["rain", "sun"]]


def a_query_needs_an_index(subject: Subject) -> None:
    """Ranking by nothing would look like an answer."""
    subject.put(NS, "k")

    refuses(InvalidConfigError, subject.call, "search", NS, query="sun")
    subject.open(index=indexed())
    refuses(InvalidConfigError, subject.call, "search", NS, query=["sun"])


def odd_indexes_are_refused(subject: Subject) -> None:
    """When the store is made."""
    odd: tuple[Any, ...] = ("x", {}, {"dims": 3}, {"embed": counted}, indexed(dims=0), indexed(dims="3"), indexed(embed="openai:small"))
    for index in (*odd, indexed(fields="text"), indexed(fields=["a["]), indexed(fieds=["text"])):
        refuses(InvalidConfigError, subject.open, index=index)


CHECKS = (
    the_closest_comes_first,
    ranking_keeps_to_the_namespace_and_the_filter,
    ranking_passes_over_what_has_expired,
    fields_are_embedded_one_by_one,
    a_write_may_choose_its_fields,
    embedding_functions_of_every_kind_serve_both_callers,
    an_embedding_function_that_fails_writes_nothing,
    each_text_is_embedded_once,
    a_query_needs_an_index,
    odd_indexes_are_refused,
)
