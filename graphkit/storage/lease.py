"""Who holds a thread, whether that holder is still alive, and the heartbeat that keeps leases while nodes work.

A holder token names a process and one grip of it: ``host/boot/space/pid/start/grip``. ``boot`` and ``space`` (the boot
of the kernel and the process id namespace) make process ids comparable; without them only a holder on a host of the
same name can be looked up, and only by its process id.
"""

from __future__ import annotations

import os
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar
from weakref import WeakSet, ref

from graphkit.core.record import record

if TYPE_CHECKING:
    from collections.abc import Callable
    from os import PathLike
    from pathlib import Path

Grip = TypeVar("Grip")

PROC: Final = "/proc"


@record
class Process:
    """What tells one process from every other.

    Args:
        host: Name of the host.
        boot: Id of the running kernel; "" where there is no /proc.
        space: The namespace in which ``pid`` counts; "" where there is no /proc.
        pid: Process id.
        start: When it started, in the kernel's ticks; "" where there is no /proc.
    """

    host: str
    boot: str
    space: str
    pid: int
    start: str

    @classmethod
    def own(cls, proc: str | PathLike[str] = PROC) -> Process:
        """Describe the calling process."""
        pid = os.getpid()
        from platform import node  # noqa: PLC0415 - needed once per saver, and slow to import

        host = node().replace("/", "_") or "localhost"
        return cls(host, _boot(proc), _space(proc), pid, _start(proc, pid) or "")

    def token(self) -> str:
        """Return a new holder token of this process."""
        return f"{self.host}/{self.boot}/{self.space}/{self.pid}/{self.start}/{os.urandom(8).hex()}"

    def knows_gone(self, holder: str, proc: str | PathLike[str] = PROC) -> bool:
        """Tell whether the process behind a holder token has certainly ended.

        False also means: alive, on another machine, in another container, or not a token at all.
        """
        parts = holder.split("/")
        if len(parts) != 6 or not parts[3].isdecimal():
            return False
        host, boot, space, pid, start = *parts[:3], int(parts[3]), parts[4]
        if (host, boot, space) != (self.host, self.boot, self.space):
            return False
        return _start(proc, pid) != start if start else not _exists(pid)


class Heartbeat(Generic[Grip]):
    """Extends the leases of all grips in use; one daemon thread, begun with the first of them.

    A grip that nobody refers to any more is forgotten, and its lease runs out.

    Args:
        interval: Seconds between two beats.
        beat: Called with the grips in use; a failure counts as a missed beat.
    """

    def __init__(self, interval: float, beat: Callable[[list[Grip]], None]) -> None:
        self._interval = interval
        self._beat = beat
        self._grips: WeakSet[Grip] = WeakSet()
        self._lock = Lock()
        self._stopped = Event()
        self._thread: Thread | None = None

    def keep(self, grip: Grip) -> None:
        """Extend the lease of ``grip`` from now on, until it is dropped or forgotten."""
        with self._lock:
            self._grips.add(grip)
            if self._thread is None:
                self._thread = Thread(
                    target=_beat_on, args=(ref(self), self._stopped, self._interval), name="graphkit-heartbeat", daemon=True
                )
                self._thread.start()

    def drop(self, grip: Grip) -> None:
        """Leave the lease of ``grip`` alone from now on."""
        with self._lock:
            self._grips.discard(grip)

    def beat(self) -> None:
        """Extend all leases now."""
        with self._lock:
            grips = list(self._grips)
        if grips:
            self._beat(grips)

    def stop(self) -> None:
        """End the thread; the leases run out unless a new grip begins it again."""
        with self._lock:
            self._stopped.set()
            self._stopped = Event()
            self._thread = None


def _beat_on(heartbeat: ref[Heartbeat[Any]], stopped: Event, interval: float) -> None:
    while not stopped.wait(interval):
        alive = heartbeat()
        if alive is None:
            return
        alive.beat()
        del alive


def _boot(proc: str | PathLike[str]) -> str:
    try:
        return _under(proc, "sys/kernel/random/boot_id").read_text().strip().replace("-", "")[:12]
    except OSError:
        return ""


def _space(proc: str | PathLike[str]) -> str:
    try:
        return _under(proc, "self/ns/pid").readlink().name.strip("pid:[]")
    except OSError:
        return ""


def _start(proc: str | PathLike[str], pid: int) -> str | None:
    """Return when a process started, None if there is no such process (or no /proc)."""
    try:
        stat = _under(proc, f"{pid}/stat").read_text()
    except OSError:
        return None
    # The second field is the program's name in brackets, and may itself contain brackets and blanks.
    state, *fields = stat.rpartition(")")[2].split()
    return None if state in ("Z", "X") else fields[18]


def _under(proc: str | PathLike[str], name: str) -> Path:
    from pathlib import Path  # noqa: PLC0415 - needed once per saver, and slow to import

    return Path(proc) / name


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
