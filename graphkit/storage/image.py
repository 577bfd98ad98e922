"""The values of recently used threads, kept decoded, so that the thousandth turn of a thread costs what its first did.

An image holds what the rows say and nothing a caller has touched: it is built from bytes, and what it hands out are
copies. It counts only if the newest row of the thread is the very row it was built up to; the database decides that.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from graphkit.storage.chain import Chain, Rebuild
    from graphkit.storage.rows import CheckpointRow

THREADS: Final = 256
"""Threads whose images are kept; the one that was used longest ago goes first."""

BYTES: Final = 64 * 1024 * 1024
"""Stored bytes of all images together, as they were when they were kept."""

PENDING: Final = 64
"""Rows an image may lag behind; a run that writes more is read from the database the next time."""

ATOMS: Final = frozenset({str, int, float, bool, bytes, type(None)})

NO_KINDS: Final[frozenset[type]] = frozenset()
ONLY_DICTS: Final[frozenset[type]] = frozenset({dict})
"""The types of the items of a conversation; such a list is copied without a look at each item."""


class Image:
    """The values of one thread's newest checkpoint.

    Args:
        rebuild: A replay that has reached ``row`` and is not used otherwise.
        row: The newest row.
    """

    __slots__ = ("_flat", "_pending", "_rebuild", "last")

    def __init__(self, rebuild: Rebuild, row: CheckpointRow) -> None:
        self._rebuild = rebuild
        self._flat: dict[str, tuple[int, frozenset[type]]] = {}
        self._pending: list[CheckpointRow] = []
        self.last = row

    def add(self, row: CheckpointRow) -> bool:
        """Note the next row; False if it does not follow the last one or too many are waiting."""
        if row.frame_n == row.n:
            self._pending = [row]
        elif row.frame_n == self.last.frame_n and row.depth == self.last.depth + 1:
            self._pending.append(row)
        else:
            return False
        self.last = row
        return len(self._pending) <= PENDING

    @property
    def size(self) -> int:
        """Stored bytes of the values, as far as they are replayed."""
        return self._rebuild.chain.live

    def read(self) -> tuple[dict[str, object], Chain] | None:
        """Return copies of the values and of the chain; None if a value is of a kind that cannot be copied safely."""
        for row in self._pending:
            if row.frame_n == row.n:
                self._rebuild.restart(row.n)
                self._flat.clear()
            for key in self._rebuild.add(row.id, row.changes):
                self._flat.pop(key, None)
        self._pending = []
        try:
            return {key: self._copy(key, value) for key, value in self._rebuild.current.items()}, self._rebuild.chain.copy()
        except _UncopyableError:
            return None

    def _copy(self, key: str, value: object) -> object:
        """Copy a value; of a list of flat dicts only the new items have to be looked at."""
        if type(value) is not list:
            return _copied(value)
        known, kinds = self._flat.get(key, (0, NO_KINDS))
        new = value[known:]
        if not all([_is_flat(item) for item in new]):
            return _copied(value)
        kinds = kinds.union(map(type, new))
        self._flat[key] = (len(value), kinds)
        if kinds == ONLY_DICTS:
            return list(map(dict.copy, value))
        return [item.copy() if type(item) is dict else item for item in value]


class Images:
    """The images of one saver, safe to use from several OS threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._images: OrderedDict[str, Image] = OrderedDict()
        self._sizes: dict[str, int] = {}
        self._total = 0

    def position(self, thread_id: str) -> int | None:
        """Return the position of a thread's image, None if there is none."""
        with self._lock:
            image = self._images.get(thread_id)
            return image.last.n if image is not None else None

    def read(self, thread_id: str, row: CheckpointRow) -> tuple[Mapping[str, object], Chain] | None:
        """Return the values as of ``row`` and its chain, None if there is no image of just this row."""
        with self._lock:
            image = self._images.get(thread_id)
            if image is None or (image.last.id, image.last.frame_n, image.last.depth) != (row.id, row.frame_n, row.depth):
                return None
            self._images.move_to_end(thread_id)
            found = image.read()
            if found is None:
                self._drop(thread_id)
            return found

    def keep(self, thread_id: str, image: Image) -> None:
        """Keep an image."""
        with self._lock:
            if thread_id in self._images:
                self._drop(thread_id)
            self._images[thread_id] = image
            self._sizes[thread_id] = image.size
            self._total += image.size
            while len(self._images) > THREADS or (len(self._images) > 1 and self._total > BYTES):
                self._drop(next(iter(self._images)))

    def note(self, thread_id: str, row: CheckpointRow) -> None:
        """Note a row that was written."""
        if thread_id not in self._images:
            # One that is kept at this very moment is of an older row, and will not be taken for the newest.
            return
        with self._lock:
            image = self._images.get(thread_id)
            if image is not None and not image.add(row):
                self._drop(thread_id)

    def _drop(self, thread_id: str) -> None:
        del self._images[thread_id]
        self._total -= self._sizes.pop(thread_id)


class _UncopyableError(Exception):
    pass


def _is_flat(item: object) -> bool:
    return type(item) in ATOMS or (type(item) is dict and ATOMS.issuperset(map(type, item.values())))


def _copied(value: object) -> object:
    kind = type(value)
    if kind in ATOMS:
        return value
    if kind is list:
        return [item if type(item) in ATOMS else _copied(item) for item in value]  # type: ignore[attr-defined]
    if kind is dict:
        return {key: item if type(item) in ATOMS else _copied(item) for key, item in value.items()}  # type: ignore[attr-defined]
    if kind is tuple:
        return tuple([_copied(item) for item in value])  # type: ignore[attr-defined]
    raise _UncopyableError
