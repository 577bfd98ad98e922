"""Where the preferences of one user are in a store: one namespace for each kind, one key for each preference."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from examples.email_assistant.memory.effects import KINDS, Kind
from examples.email_assistant.memory.errors import InvalidPreferenceError, UnreadablePreferenceError
from examples.email_assistant.memory.record import Event, document_of, event_of, line_of, preference_of
from graphkit.errors import StoreConflictError
from graphkit.storage import GetOp, PutOp

if TYPE_CHECKING:
    from examples.email_assistant.memory.preference import Preference
    from graphkit.storage import Item, Store

APPLICATION = "email_assistant"
PAGE = 500
LONGEST_KEY = 80
LONGEST_NAME = 200
KEPT_OF_NAME = 80


@dataclass(frozen=True, slots=True)
class Kept:
    """A preference in the store, its log and the version it has."""

    preference: Preference
    log: tuple[Event, ...]
    version: int


class Shelf:
    """The items of one user.

    Args:
        store: Where they are.
        user: Whose they are.

    Raises:
        InvalidPreferenceError: The user has no name.
    """

    def __init__(self, store: Store, user: str) -> None:
        self._store = store
        self._level = level_of(user)

    def namespace(self, kind: Kind) -> tuple[str, str, str]:
        """Return where preferences of a kind are."""
        return (APPLICATION, self._level, kind)

    def item(self, id: str) -> Item | None:
        """Return an item as it is stored; None if there is none."""
        if not id.isalnum() or len(id) > LONGEST_KEY:
            return None
        found: list[Any] = self._store.batch([GetOp(self.namespace(kind), id) for kind in KINDS])
        return next((item for item in found if item is not None), None)

    def items(self) -> list[Item]:
        """Return all items. Writing in the meantime moves items to the front, so a page may repeat some and misses none."""
        found: dict[tuple[tuple[str, ...], str], Item] = {}
        offset = 0
        while True:
            page = self._store.search((APPLICATION, self._level), limit=PAGE, offset=offset)
            for item in page:
                found.setdefault((item.namespace, item.key), item)
            if len(page) < PAGE:
                break
            offset += PAGE
        own: set[tuple[str, ...]] = {self.namespace(kind) for kind in KINDS}
        return [item for item in found.values() if item.namespace in own]

    def put(self, *writes: PutOp) -> bool:
        """Write all of it or nothing; tell whether every version was the expected one."""
        try:
            self._store.batch(writes)
        except StoreConflictError:
            return False
        return True

    def entry(self, preference: Preference, log: tuple[Event, ...], version: int) -> PutOp:
        """Return what writes a preference over the given version; 0 for a new one."""
        # Preferences do not expire, and nobody's embedding function has to see them.
        value = document_of(preference, log)
        return PutOp(self.namespace(preference.kind), preference.id, value, index=False, ttl=None, if_version=version)


def tombstone(item: Item, event: Event) -> PutOp:
    """Return what takes the content of an item away; its key and its log stay."""
    value = {"forgotten": True, "log": [*lines_of(item), line_of(event)]}
    return PutOp(item.namespace, item.key, value, index=False, ttl=None, if_version=item.version)


def is_forgotten(item: Item) -> bool:
    """Tell whether the content of an item was taken away."""
    return item.value.get("forgotten") is True


def lines_of(item: Item) -> list[dict[str, Any]]:
    """Return the log of an item as it is stored."""
    log = item.value.get("log")
    return [line for line in log if isinstance(line, dict)] if isinstance(log, list) else []


def kept_of(item: Item) -> Kept | None:
    """Read an item; None for one that was forgotten.

    Raises:
        UnreadablePreferenceError: It is damaged.
    """
    if is_forgotten(item):
        return None
    try:
        log = tuple([event_of(line, item.key) for line in lines_of(item)])
        return Kept(preference_of(item.value, item.key, item.namespace[-1]), log, item.version)
    except (AttributeError, KeyError, TypeError, ValueError, InvalidPreferenceError) as error:
        raise UnreadablePreferenceError(
            f"The preference {item.key} in {'/'.join(item.namespace)} cannot be read ({error}).",
            hint=f"Delete it with `memory forget {item.key}`.",
        ) from error


def level_of(user: str) -> str:
    """Return a user as one string of a namespace; two users never have the same one.

    Raises:
        InvalidPreferenceError: The user has no name.
    """
    if not user:
        raise InvalidPreferenceError("Preferences belong to a user, and none is named.", hint="Give the owner's address.")
    level = quote(user, safe="@+", encoding="utf-8", errors="surrogatepass").replace(".", "%2E").replace("~", "%7E")
    if len(level) <= LONGEST_NAME:
        return level
    return f"{level[:KEPT_OF_NAME]}~{sha256(level.encode()).hexdigest()}"
