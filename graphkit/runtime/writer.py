"""One commit at a time in the background (``durability="async"``), for either driver."""

from __future__ import annotations

import threading
from functools import partial
from typing import TYPE_CHECKING

from graphkit.runtime.pool import Pool

if TYPE_CHECKING:
    from collections.abc import Callable

    from graphkit.storage import Hold, Prepared


class Writer:
    """Writes prepared commits in a thread; each is waited for before the next one is begun."""

    def __init__(self, hold: Hold) -> None:
        self._hold = hold
        self._pool = Pool(1)
        self._lock = threading.Lock()
        self._landed = threading.Event()
        self._landed.set()
        self._error: BaseException | None = None
        self._listeners: list[Callable[[], None]] = []

    def write(self, prepared: Prepared) -> None:
        """Begin to write; the commit before has been waited for."""
        self._landed.clear()
        self._pool.start([partial(self._write, prepared)])

    def wait(self) -> None:
        """Wait for the commit under way, from any thread.

        Raises:
            StorageError: It failed.
        """
        self._landed.wait()
        if self._error is not None:
            raise self._error

    def then(self, listener: Callable[[], None]) -> None:
        """Call ``listener`` once no commit is under way; now, if that is so, otherwise in the writer's thread."""
        with self._lock:
            if not self._landed.is_set():
                self._listeners.append(listener)
                return
        listener()

    def _write(self, prepared: Prepared) -> None:
        try:
            self._hold.write(prepared)
        except BaseException as error:  # noqa: BLE001 - raised where it is waited for
            self._error = error
        with self._lock:
            self._landed.set()
            listeners, self._listeners = self._listeners, []
        for listener in listeners:
            listener()
