"""What all grips of one saver share: the database, the codec, the clock, the process and the heartbeat."""

from __future__ import annotations

from os import urandom
from typing import TYPE_CHECKING, Final

from graphkit.errors import StorageError
from graphkit.storage.image import Images
from graphkit.storage.lease import Heartbeat, Process
from graphkit.storage.operations import Extend

if TYPE_CHECKING:
    from collections.abc import Callable

    from graphkit.serde import Codec
    from graphkit.storage.backend import Backend
    from graphkit.storage.hold import Hold

BEATS: Final = 3
"""Beats of the heartbeat in the time of one lease."""

EPOCH_BYTES: Final = 5
"""Random bytes of a new thread's epoch; leaves room to count up in 64 bits."""


class Site:
    """The surroundings of a saver's grips.

    Args:
        backend: The database.
        codec: Turns values into bytes.
        lease: Seconds until a thread that nobody extends counts as given up.
        clock: Returns seconds since the epoch.
    """

    __slots__ = ("backend", "clock", "codec", "heartbeat", "images", "lease", "process")

    def __init__(self, backend: Backend, codec: Codec, lease: float, clock: Callable[[], float]) -> None:
        self.backend = backend
        self.codec = codec
        self.lease = lease
        self.clock = clock
        self.images = Images()
        self.process = Process.own()
        self.heartbeat: Heartbeat[Hold] = Heartbeat(lease / BEATS, self._extend)

    def first_epoch(self) -> int:
        """Return the epoch of a thread that is made now."""
        return 1 + int.from_bytes(urandom(EPOCH_BYTES))

    def _extend(self, holds: list[Hold]) -> None:
        try:
            self.backend.run(Extend(tuple([(hold.thread_id, hold.token) for hold in holds]), self.clock() + self.lease))
        except StorageError:
            # A missed beat is no failure: the next one, or the next write, extends the lease as well.
            return
