"""Namespaces and keys: compared string by string, checked, listed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graphkit.errors import InvalidConfigError, InvalidIdError, InvalidNamespaceError
from graphkit.storage import ListNamespacesOp, MatchCondition
from graphkit.testing.checkpointers.subject import refuses

if TYPE_CHECKING:
    from graphkit.testing.store_suite.subject import Subject

HOSTILE = (
    "' OR 1=1 --",
    '"; DROP TABLE store_items; --',
    "%",
    "_",
    "a%",
    "a_",
    "*",
    "/",
    "\\",
    "-",
    " ",
    "é",
    "e\u0301",
    "日本",
    "🙂",
    "\U0010ffff",
    "A",
    "a",
    "null",
    "0",
)


def a_prefix_is_compared_string_by_string(subject: Subject) -> None:
    """A name that begins like another one is not in it."""
    for namespace in (("acme",), ("acme", "x"), ("acme", "x", "y"), ("acme-corp",), ("acm",), ("acme2", "x"), ("ACME",), ("other", "acme")):
        subject.put(namespace, "/".join(namespace))

    assert sorted(subject.keys(("acme",))) == ["acme", "acme/x", "acme/x/y"]
    assert sorted(subject.keys(("acme", "x"))) == ["acme/x", "acme/x/y"]
    assert subject.keys(("ac",)) == []
    assert len(subject.keys(())) == 8


def hostile_names_are_only_names(subject: Subject) -> None:
    """Quotes, wildcards of databases, other alphabets: each finds itself and nothing else."""
    for name in HOSTILE:
        subject.put(("top", name), name, {"name": name})

    assert len(subject.keys(("top",), limit=1000)) == len(HOSTILE)
    for name in HOSTILE:
        assert subject.keys(("top", name)) == [name]
        assert subject.got(("top", name), name).value == {"name": name}
        assert subject.keys(("top",), filter={"name": name}) == [name]
        if name != "*":
            assert subject.call("list_namespaces", prefix=("top", name)) == [("top", name)]
            assert subject.call("list_namespaces", suffix=(name,)) == [("top", name)]


def odd_namespaces_are_refused(subject: Subject) -> None:
    """The same for every method."""
    odd: tuple[Any, ...] = ("memories", ["memories"], ("a", ""), ("a.b",), ("a", 1), (None,), ("a\n",), ("a\0",), ("\ud800",))
    odd += (("x" * 1000,), ("x",) * 33, None)
    for namespace in odd:
        refuses(InvalidNamespaceError, subject.call, "put", namespace, "k", {})
        refuses(InvalidNamespaceError, subject.call, "get", namespace, "k")
        refuses(InvalidNamespaceError, subject.call, "delete", namespace, "k")
        refuses(InvalidNamespaceError, subject.call, "search", namespace)
        if namespace is not None:
            refuses(InvalidNamespaceError, subject.call, "list_namespaces", prefix=namespace)
            refuses(InvalidNamespaceError, subject.call, "list_namespaces", suffix=namespace)
    for namespace in ((), ("graphkit",), ("langgraph", "x")):
        refuses(InvalidNamespaceError, subject.call, "put", namespace, "k", {})
        refuses(InvalidNamespaceError, subject.call, "get", namespace, "k")

    subject.put(("x" * 999,), "k")
    subject.put(("x",) * 32, "k")
    subject.put(("user", "graphkit"), "k")
    assert len(subject.search()) == 3


def odd_keys_are_refused(subject: Subject) -> None:
    """A key is a string of 1 to 1000 printable characters."""
    for key in ("", "x" * 1001, "a\n", "a\0", "\ud800", 1, None, ("a",)):
        refuses(InvalidIdError, subject.call, "put", ("a",), key, {})
        refuses(InvalidIdError, subject.call, "get", ("a",), key)
        refuses(InvalidIdError, subject.call, "delete", ("a",), key)

    subject.put(("a",), "x" * 1000)
    subject.put(("a",), "with.dots and spaces/äöü")
    assert len(subject.search()) == 2


def namespaces_are_listed(subject: Subject) -> None:
    """Sorted, each once, by what they begin and end with."""
    names = [("a", "x", "1"), ("a", "y", "1"), ("a", "y", "2"), ("b", "x", "1"), ("a",), ("a!", "x")]
    for namespace in names:
        subject.put(namespace, "k")
        subject.put(namespace, "l")

    assert subject.call("list_namespaces") == sorted(names)
    assert subject.call("list_namespaces", prefix=("a",)) == [("a",), ("a", "x", "1"), ("a", "y", "1"), ("a", "y", "2")]
    assert subject.call("list_namespaces", prefix=("a", "*", "1")) == [("a", "x", "1"), ("a", "y", "1")]
    assert subject.call("list_namespaces", prefix=("*", "x")) == [("a", "x", "1"), ("a!", "x"), ("b", "x", "1")]
    assert subject.call("list_namespaces", suffix=("1",)) == [("a", "x", "1"), ("a", "y", "1"), ("b", "x", "1")]
    assert subject.call("list_namespaces", suffix=("y", "*")) == [("a", "y", "1"), ("a", "y", "2")]
    assert subject.call("list_namespaces", prefix=("a",), suffix=("x", "1")) == [("a", "x", "1")]
    assert subject.call("list_namespaces", prefix=("a", "y", "1", "z")) == []
    assert subject.call("list_namespaces", max_depth=1) == [("a",), ("a!",), ("b",)]
    assert subject.call("list_namespaces", prefix=("a",), max_depth=2) == [("a",), ("a", "x"), ("a", "y")]
    assert subject.call("list_namespaces", suffix=("1",), max_depth=1) == [("a",), ("b",)]


def lists_of_namespaces_have_pages(subject: Subject) -> None:
    """Counted after they were cut and joined; a namespace goes with its last item."""
    for number in range(5):
        subject.put(("n", str(number), "x"), "k")
        subject.put(("n", str(number), "y"), "k")
    subject.call("delete", ("n", "3", "x"), "k")

    assert subject.call("list_namespaces", max_depth=2, limit=2, offset=1) == [("n", "1"), ("n", "2")]
    assert subject.call("list_namespaces", limit=3, offset=5) == [("n", "2", "y"), ("n", "3", "y"), ("n", "4", "x")]
    for options in (
        {"limit": 0},
        {"limit": 1001},
        {"limit": True},
        {"offset": -1},
        {"offset": 2**70},
        {"max_depth": 0},
        {"max_depth": "1"},
    ):
        refuses(InvalidConfigError, subject.call, "list_namespaces", **options)
    odd: Any = "middle"
    refuses(InvalidConfigError, subject.call, "batch", [ListNamespacesOp((MatchCondition(odd, ("n",)),))])


CHECKS = (
    a_prefix_is_compared_string_by_string,
    hostile_names_are_only_names,
    odd_namespaces_are_refused,
    odd_keys_are_refused,
    namespaces_are_listed,
    lists_of_namespaces_have_pages,
)
