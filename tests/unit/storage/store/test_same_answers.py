"""Memory and SQLite answer alike, whatever is asked, and SQLite sees nothing but prepared statements."""

from __future__ import annotations

import sqlite3
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from checkpointers.sqlite import SqliteStore, schema
from checkpointers.sqlite import statements as file_sql
from checkpointers.sqlite.store import distance, statements
from graphkit.errors import GraphkitError
from graphkit.storage import GetOp, InMemoryStore, ListNamespacesOp, MatchCondition, PutOp, SearchOp
from graphkit.testing import Clock
from graphkit.testing.store_suite.subject import counted

NAMESPACES = st.sampled_from([("a",), ("a", "%"), ("a-b",), ("'; DROP TABLE store_items; --",), ("a", "*", "é")])
KEYS = st.sampled_from(["k", "%", "'"])
SCALARS = (
    st.none() | st.booleans() | st.integers(-3, 3) | st.floats() | st.text("ab%'\0", max_size=3) | st.sampled_from([2**70, (1,), b"a"])
)
TEXTS = st.sampled_from(["sun", "rain sun", "snow", "", "sun sun"])
VALUES = st.fixed_dictionaries({"n": SCALARS}, optional={"text": TEXTS, "'": SCALARS, "m": st.dictionaries(st.just("n"), SCALARS)})
OPERATORS = st.sampled_from(["$eq", "$ne", "$gt", "$gte", "$lt", "$lte"])
CONDITIONS = SCALARS | st.dictionaries(OPERATORS, SCALARS, min_size=1, max_size=2)
FILTERS = st.none() | st.dictionaries(st.sampled_from(["n", "'", "m", "text"]), CONDITIONS, max_size=1)
LIMITS = st.integers(1, 6)
OFFSETS = st.integers(0, 2)
PUTS = st.builds(PutOp, NAMESPACES, KEYS, VALUES, ttl=st.sampled_from([None, None, 1, 2]))
READS = st.one_of(
    st.builds(GetOp, NAMESPACES, KEYS, st.none() | st.booleans()),
    st.builds(SearchOp, st.just(()) | NAMESPACES, FILTERS, LIMITS, OFFSETS, st.none() | TEXTS, st.none() | st.booleans()),
    st.builds(
        ListNamespacesOp,
        st.lists(st.builds(MatchCondition, st.sampled_from(["prefix", "suffix"]), NAMESPACES), max_size=1),
        st.none() | LIMITS,
        LIMITS,
        OFFSETS,
    ),
)
CHANGES = PUTS | st.builds(PutOp, NAMESPACES, KEYS, st.none() | VALUES, if_version=st.integers(0, 6))
STEPS = st.lists(st.lists(st.one_of(PUTS, READS, READS, CHANGES), min_size=1, max_size=3) | st.integers(0, 90), min_size=6, max_size=20)
TEXT = st.text(max_size=6) | st.sampled_from(["n' OR 1=1 --", "%", "$x'", "", ".", "\n", "\0", "\ud800"])
ODD = st.one_of(
    st.builds(
        PutOp, st.lists(TEXT, max_size=2).map(tuple), TEXT, st.dictionaries(TEXT, SCALARS, max_size=2), if_version=st.none() | st.integers()
    ),
    st.builds(GetOp, st.lists(TEXT, max_size=2).map(tuple), TEXT),
    st.builds(SearchOp, NAMESPACES, st.dictionaries(TEXT, st.dictionaries(TEXT, SCALARS) | SCALARS), st.integers(), st.integers(), TEXT),
    st.builds(ListNamespacesOp, st.lists(st.builds(MatchCondition, TEXT, st.lists(TEXT).map(tuple)))),
)
INDEX: Any = {"dims": 3, "embed": counted, "fields": ["text"]}


class Noting(sqlite3.Connection):
    """Remembers the statements it was given."""

    texts: set[str]

    def execute(self, statement, *args):
        self.__dict__.setdefault("texts", set()).add(statement)
        return super().execute(statement, *args)

    def executemany(self, statement, *args):
        self.__dict__.setdefault("texts", set()).add(statement)
        return super().executemany(statement, *args)


def answer(store, ops):
    try:
        return repr(store.batch(ops))
    except GraphkitError as error:
        return (type(error), str(error))


def noted(store):
    connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False, factory=Noting)
    schema.prepare(connection, ":memory:", schema.settings("OFF"), 1)
    from checkpointers.sqlite.store.schema import migrate

    migrate(connection, statements.MIGRATIONS, 0)
    distance.add_distance(connection)
    store._backend._connect = lambda: connection
    return connection


def prepared(module):
    constants = [value for name, value in vars(module).items() if name.isupper()]
    flat = [
        text
        for value in constants
        for text in (value.values() if isinstance(value, dict) else value if isinstance(value, tuple) else [value])
    ]
    return {text for value in flat for text in (value if isinstance(value, tuple) else [value]) if isinstance(text, str)}


@settings(max_examples=150)
@given(st.lists(PUTS, min_size=3, max_size=6), STEPS)
def test_both_stores_give_the_same_answers(first, steps):
    clock = Clock()
    memory = InMemoryStore(index=INDEX, clock=clock)
    with SqliteStore(":memory:", index=INDEX, clock=clock) as sqlite:
        for step in [*[[op] for op in first], *steps]:
            if isinstance(step, int):
                clock.advance(step)
                assert memory.sweep_ttl() == sqlite.sweep_ttl()
            else:
                assert answer(memory, step) == answer(sqlite, step)


@given(st.lists(ODD | PUTS | READS, max_size=12))
def test_odd_arguments_have_the_same_answers_and_reach_no_statement(ops):
    clock = Clock()
    memory = InMemoryStore(index=INDEX, clock=clock)
    with SqliteStore(":memory:", index=INDEX, clock=clock) as sqlite:
        connection = noted(sqlite)

        answers = [(answer(memory, [op]), answer(sqlite, [op])) for op in ops]

        assert [pair for pair in answers if pair[0] != pair[1]] == []
        assert connection.texts <= prepared(statements) | prepared(file_sql)


def test_a_statement_that_is_not_prepared_would_be_seen():
    assert "SELECT 1" not in prepared(statements) | prepared(file_sql)
