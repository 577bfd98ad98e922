"""SqliteSaver: one object for sync and async callers."""

from __future__ import annotations

import time
from contextlib import contextmanager
from os import PathLike, fspath
from typing import TYPE_CHECKING

from checkpointers.sqlite.backend import SqliteBackend
from checkpointers.sqlite.schema import settings
from graphkit.errors import InvalidConfigError
from graphkit.storage import LEASE, Checkpointer
from graphkit.storage.operations import ReadNamespaces

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from graphkit.serde import Codec


class SqliteSaver(Checkpointer):
    """A checkpointer in a SQLite file. Several savers, also of several processes, may share the file.

    The file is opened, and made or migrated if need be, with the first call that needs it.

    Args:
        path: The file, or ":memory:".
        synchronous: "FULL" survives a power failure; with "NORMAL" the last commits may be lost in one, but not when
            the process dies.
        lease: Seconds until a thread whose run neither writes nor works any more counts as given up.
        clock: Returns seconds since the epoch.
        codec: How values become bytes; a new one by default.
        timeout: Seconds to wait for another process that writes.

    Raises:
        InvalidConfigError: An argument is out of range.
    """

    def __init__(
        self,
        path: str | PathLike[str],
        *,
        synchronous: str = "FULL",
        lease: float = LEASE,
        clock: Callable[[], float] = time.time,
        codec: Codec | None = None,
        timeout: float = 10.0,
    ) -> None:
        backend = SqliteBackend(checked_path(path), settings(synchronous), checked_timeout(timeout))
        super().__init__(backend, lease=lease, clock=clock, codec=codec)

    @classmethod
    @contextmanager
    def from_conn_string(cls, path: str | PathLike[str]) -> Iterator[SqliteSaver]:
        """Open a saver for the length of a with block."""
        with cls(path) as saver:
            yield saver

    def setup(self) -> None:
        """Open the file now instead of with the first call that needs it; doing it again changes nothing.

        Raises:
            StorageError: The file cannot be used.
        """
        self._site.backend.run(ReadNamespaces(""))

    async def asetup(self) -> None:
        """Do what setup does."""
        await self._site.backend.arun(ReadNamespaces(""))


def checked_path(path: object) -> str:
    """Return a path as text.

    Raises:
        InvalidConfigError: It is no path.
    """
    if not isinstance(path, str | PathLike) or not isinstance(text := fspath(path), str) or not text or "\0" in text:
        raise InvalidConfigError(f"{path!r:.200} is no path.", hint='Pass the name of a file, or ":memory:".')
    return text


def checked_timeout(timeout: object) -> float:
    """Return a timeout in seconds as it is.

    Raises:
        InvalidConfigError: It is no number from 0 up.
    """
    if not isinstance(timeout, int | float) or isinstance(timeout, bool) or not 0 <= timeout < float("inf"):
        raise InvalidConfigError(f"timeout={timeout!r:.80} is out of range.", hint="Use a number of seconds.", timeout=timeout)
    return float(timeout)
