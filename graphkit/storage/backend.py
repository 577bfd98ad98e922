"""The port to a database, and how work of several operations goes through it, sync or async."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Generator

    from graphkit.storage.operations import Operation


class Backend(Protocol):
    """A database. Both doors lead to the same rows.

    Each method may raise StorageError for what went wrong with the database itself: StorageUnavailableError,
    CorruptCheckpointError, SchemaVersionError.
    """

    def run(self, operation: Operation) -> object:
        """Carry out an operation in the calling thread; return the reply its docstring names."""
        ...

    def arun(self, operation: Operation) -> Awaitable[object]:
        """Do the same without blocking the event loop; what it returns is awaited once, at once."""
        ...

    def close(self) -> None:
        """Give everything back. Closing twice is no error."""
        ...

    async def aclose(self) -> None:
        """Do the same without blocking the event loop."""
        ...


R = TypeVar("R")

Steps: TypeAlias = "Generator[Operation, Any, R]"
"""Work that needs operations one after the other, with result R; each ``yield`` is answered with the reply."""


def carry_out(backend: Backend, steps: Steps[R]) -> R:
    """Do the work in the calling thread."""
    try:
        operation = next(steps)
        while True:
            try:
                reply = backend.run(operation)
            except BaseException as error:  # noqa: BLE001 - thrown into the work, which cleans up and raises it again
                operation = steps.throw(error)
            else:
                operation = steps.send(reply)
    except StopIteration as end:
        result: R = end.value
        return result


async def acarry_out(backend: Backend, steps: Steps[R]) -> R:
    """Do the work in an event loop."""
    try:
        operation = next(steps)
        while True:
            try:
                reply = await backend.arun(operation)
            except BaseException as error:  # noqa: BLE001 - as above
                operation = steps.throw(error)
            else:
                operation = steps.send(reply)
    except StopIteration as end:
        result: R = end.value
        return result
