"""The two libraries behind one door. Only this file knows that their import paths differ."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AbstractContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

EngineName = Literal["graphkit", "langgraph"]


@dataclass(frozen=True, slots=True)
class Engine:
    """What a workload uses of a library, under the names both have.

    Args:
        name: Which library.
        StateGraph: The builder class.
        START: Name of the entry.
        END: Name of the exit.
        Send: One task of a fan-out.
        Command: Carries the answer of a resume.
        interrupt: Asks a question.
        InMemorySaver: The saver without a database.
        sqlite: Opens the saver that sync runs use on a database file: WAL, ``synchronous=FULL``.
        async_sqlite: Opens the saver that async runs use on a database file: WAL, ``synchronous=FULL``.
    """

    name: EngineName
    StateGraph: Any
    START: str
    END: str
    Send: Any
    Command: Any
    interrupt: Callable[[Any], Any]
    InMemorySaver: Any
    sqlite: Callable[[Path], AbstractContextManager[Any]]
    async_sqlite: Callable[[Path], AbstractAsyncContextManager[Any]]


def load(name: EngineName) -> Engine:
    """Import one library; the other one stays out of the process."""
    return _graphkit() if name == "graphkit" else _langgraph()


def _graphkit() -> Engine:
    from checkpointers.sqlite import SqliteSaver
    from graphkit import END, START, Command, InMemorySaver, Send, StateGraph, interrupt

    @contextmanager
    def sqlite(path: Path) -> Iterator[SqliteSaver]:
        with SqliteSaver(path, synchronous="FULL") as saver:
            yield saver

    @asynccontextmanager
    async def async_sqlite(path: Path) -> AsyncIterator[SqliteSaver]:
        async with SqliteSaver(path, synchronous="FULL") as saver:
            yield saver

    return Engine("graphkit", StateGraph, START, END, Send, Command, interrupt, InMemorySaver, sqlite, async_sqlite)


def _langgraph() -> Engine:
    from langgraph.checkpoint.memory import InMemorySaver
    from langgraph.checkpoint.sqlite import SqliteSaver
    from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
    from langgraph.graph import END, START, StateGraph
    from langgraph.types import Command, Send, interrupt

    @contextmanager
    def sqlite(path: Path) -> Iterator[Any]:
        with SqliteSaver.from_conn_string(str(path)) as saver:
            saver.setup()
            _expect_full(saver.conn.execute("PRAGMA synchronous").fetchone())
            yield saver

    @asynccontextmanager
    async def async_sqlite(path: Path) -> AsyncIterator[Any]:
        async with AsyncSqliteSaver.from_conn_string(str(path)) as saver:
            await saver.setup()
            async with saver.conn.execute("PRAGMA synchronous") as cursor:
                _expect_full(await cursor.fetchone())
            yield saver

    return Engine("langgraph", StateGraph, START, END, Send, Command, interrupt, InMemorySaver, sqlite, async_sqlite)


def _expect_full(row: Any) -> None:
    # LangGraph leaves the pragma alone, and SQLite's default depends on how it was built.
    if row != (2,):
        raise RuntimeError(f"LangGraph's connection runs with synchronous={row}; the comparison needs FULL (2).")
