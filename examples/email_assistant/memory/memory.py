"""The preferences of one user: what may be done with them. `shelf.py` is where they are.

A key of the store is the id of one preference, so a decision that is learned from twice is kept once. What changes an entry that is
there names the version it has read; whoever comes second reads again, so nothing is lost. Every change leaves a line in the entry's
log. An entry that was forgotten leaves its key behind, without any content: the same decision is not learned from again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from examples.email_assistant.memory.effects import EVERYONE, KINDS, Kind, checked_effect, checked_scope, worded
from examples.email_assistant.memory.errors import InvalidPreferenceError, PreferenceConflictError, UnknownPreferenceError
from examples.email_assistant.memory.lesson import identity
from examples.email_assistant.memory.preference import LONGEST_RULE, Preference, Preferences, Source, one_line
from examples.email_assistant.memory.record import Event, event_of
from examples.email_assistant.memory.shelf import Kept, Shelf, is_forgotten, kept_of, lines_of, tombstone

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from examples.email_assistant.memory.preference import Status
    from examples.email_assistant.memory.record import What
    from graphkit.storage import Store

TRIES = 50
WRITTEN = Source("", "", "by hand", "", "written by hand")


@dataclass(frozen=True, slots=True)
class _Wish:
    """What somebody wrote by hand, not checked yet."""

    kind: Kind
    rule: str
    effect: Mapping[str, object]
    applies_to: str


class Memory:
    """What is known about one user's preferences. Several may work on one store at the same time.

    Args:
        store: Where it is kept.
        user: The user's address; upper and lower case are the same.
        clock: Returns the present moment, aware.

    Raises:
        InvalidPreferenceError: The user has no name.
    """

    def __init__(self, store: Store, user: str, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.user = user.strip().lower()
        self._shelf = Shelf(store, self.user)
        self._clock = clock

    def namespace(self, kind: Kind) -> tuple[str, str, str]:
        """Return where preferences of a kind are."""
        return self._shelf.namespace(kind)

    def recall(self) -> Preferences:
        """Return all preferences, the newest first, those that are undone or replaced as well.

        Raises:
            UnreadablePreferenceError: One of them is damaged.
            StorageError: The store cannot be read.
        """
        found = [one for item in self._shelf.items() if (one := kept_of(item)) is not None]
        return Preferences(tuple(sorted([one.preference for one in found], key=lambda one: (one.at, one.id), reverse=True)))

    def learn(self, preferences: Iterable[Preference]) -> tuple[Preference, ...]:
        """Keep what was learned; what was learned before, also if it was undone or forgotten since, stays as it is.

        Returns:
            Those that are new. Each replaces the one that said the same thing about the same sender.

        Raises:
            StorageError: The store cannot be written. Learning again later is safe.
        """
        found = tuple(preferences)
        known = self.recall() if found else Preferences(())
        made = [replace(one, replaces=_replaced(one, known)) for one in found]
        return tuple([one for one in made if self._begin(one, "learned")])

    def get(self, id: str) -> Preference:
        """Return a preference.

        Raises:
            UnknownPreferenceError: There is none with this id.
        """
        return self._read(id).preference

    def find(self, beginning: str) -> str:
        """Return the one id that begins like this, also of an entry that cannot be read.

        Raises:
            UnknownPreferenceError: There is none, or several.
        """
        ids = sorted({item.key for item in self._shelf.items() if not is_forgotten(item)})
        found = [one for one in ids if one == beginning] or [one for one in ids if beginning and one.startswith(beginning)]
        if len(found) == 1:
            return found[0]
        if found:
            raise UnknownPreferenceError(f"Several preferences begin with {beginning!r}.", hint=f"Write more of it: {', '.join(found)}.")
        raise UnknownPreferenceError(f"There is no preference {beginning!r:.80}.", hint="`memory list` shows all of them.")

    def undo(self, id: str) -> Preference:
        """Let a preference apply no more; it is kept. What it replaced applies again.

        Raises:
            UnknownPreferenceError: There is none with this id.
        """
        return self._set_status(id, "undone", "undone")

    def redo(self, id: str) -> Preference:
        """Let an undone preference apply again.

        Raises:
            UnknownPreferenceError: There is none with this id.
        """
        return self._set_status(id, "active", "redone")

    def forget(self, id: str) -> None:
        """Delete all that a preference says; the same decision is not learned from again. Forgetting twice is no error.

        Raises:
            UnknownPreferenceError: There was none with this id.
        """
        for _ in range(TRIES):
            item = self._shelf.item(id)
            if item is None:
                raise _unknown(id)
            if is_forgotten(item) or self._shelf.put(tombstone(item, Event(self._clock(), id, "forgotten"))):
                return
        raise _contended(id)

    def write(self, kind: Kind, rule: str = "", effect: Mapping[str, object] | None = None, applies_to: str = EVERYONE) -> Preference:
        """Keep a preference that was written by hand.

        Args:
            kind: What it is about.
            rule: One sentence; by default what the effect says.
            effect: What rules can apply; None for nothing.
            applies_to: ``*``, an address, or ``@`` and a domain.

        Raises:
            InvalidPreferenceError: It says nothing, or one of the arguments cannot be kept.
        """
        wish = _Wish(kind, rule, effect or {}, applies_to)
        for number in range(TRIES):
            made = self._by_hand(number, wish)
            if self._begin(made, "written"):
                return made
            # The same words in the same moment: they are there already, or were forgotten.
            item = self._shelf.item(made.id)
            if item is not None and (kept := kept_of(item)) is not None:
                return kept.preference
        raise _contended("written just now")

    def edit(
        self, id: str, *, rule: str | None = None, effect: Mapping[str, object] | None = None, applies_to: str | None = None
    ) -> Preference:
        """Replace a preference by one written by hand; the old one is kept and applies again when the new one is undone.

        Args:
            id: The one to replace.
            rule: The new sentence. When only the effect changes, what that says.
            effect: The new effect; None to keep it.
            applies_to: The new senders; None to keep them.

        Returns:
            The new one; it has an id of its own. An edit that changes nothing returns the old one.

        Raises:
            UnknownPreferenceError: There is none with this id.
            InvalidPreferenceError: One of the arguments cannot be kept.
            PreferenceConflictError: It was edited by somebody else already.
        """
        for number in range(TRIES):
            kept = self._read(id)
            self._require_unedited(kept)
            old = kept.preference
            words = rule if rule is not None else old.rule if effect is None else ""
            wish = _Wish(old.kind, words, old.effect if effect is None else effect, applies_to or old.applies_to)
            made = self._by_hand(number, wish, old)
            if (made.rule, made.effect, made.applies_to) == (old.rule, old.effect, old.applies_to):
                return old
            begun = self._shelf.entry(made, (Event(made.at, made.id, "written"),), 0)
            edited = self._shelf.entry(old, (*kept.log, Event(made.at, id, "edited", made.id)), kept.version)
            if self._shelf.put(begun, edited):
                return made
        raise _contended(id)

    def history(self, id: str) -> tuple[Event, ...]:
        """Return what became of a preference, of those it replaced and of those that replaced it, in the order of time.

        Raises:
            UnknownPreferenceError: There was none with this id.
        """
        items = {item.key: item for item in self._shelf.items()}
        if id not in items:
            raise _unknown(id)
        older = {key: kept.preference.replaces for key, item in items.items() if (kept := kept_of(item)) is not None}
        chain, size = {id}, 0
        while len(chain) > size:
            size = len(chain)
            chain |= {step for key in chain if (step := older.get(key)) is not None} | {key for key, step in older.items() if step in chain}
        events = [event_of(line, key) for key in sorted(chain & items.keys()) for line in lines_of(items[key])]
        return tuple(sorted(events, key=lambda event: event.at))

    def _begin(self, made: Preference, what: What) -> bool:
        """Write a new entry; tell whether it is new."""
        return self._shelf.put(self._shelf.entry(made, (Event(self._clock(), made.id, what),), 0))

    def _set_status(self, id: str, status: Status, what: What) -> Preference:
        for _ in range(TRIES):
            kept = self._read(id)
            if kept.preference.status == status:
                return kept.preference
            changed = replace(kept.preference, status=status)
            log = (*kept.log, Event(self._clock(), id, what))
            if self._shelf.put(self._shelf.entry(changed, log, kept.version)):
                return changed
        raise _contended(id)

    def _by_hand(self, number: int, wish: _Wish, old: Preference | None = None) -> Preference:
        if wish.kind not in KINDS:
            raise InvalidPreferenceError(f"There are no {wish.kind!r:.60} preferences.", hint=f"There are: {', '.join(KINDS)}.")
        kind, now = wish.kind, self._clock()
        checked, scope = checked_effect(kind, wish.effect), checked_scope(wish.applies_to)
        sentence = one_line(wish.rule, LONGEST_RULE + 1) or worded(checked)
        if not sentence or len(sentence) > LONGEST_RULE:
            hint = f"Write one sentence of at most {LONGEST_RULE} characters, or give an effect."
            raise InvalidPreferenceError("A preference needs a rule or an effect.", hint=hint)
        source = replace(old.source, action="by hand", change="edited by hand") if old is not None else WRITTEN
        replaces = old.id if old is not None else None
        own = identity("by hand", number, kind, sentence, scope, checked, replaces, now.isoformat())
        return Preference(own, kind, sentence, scope, checked, source, now, replaces=replaces)

    def _require_unedited(self, kept: Kept) -> None:
        """Refuse to edit what another preference stands in for."""
        by = next((event.by for event in reversed(kept.log) if event.what == "edited"), None)
        item = self._shelf.item(by) if by is not None else None
        later = kept_of(item) if item is not None else None
        if later is not None and later.preference.status == "active":
            raise PreferenceConflictError(
                f"Preference {kept.preference.id} was edited already; {by} stands in for it.", hint=f"Edit {by}, or undo it first."
            )

    def _read(self, id: str) -> Kept:
        item = self._shelf.item(id)
        kept = kept_of(item) if item is not None else None
        if kept is None:
            raise _unknown(id)
        return kept


def _replaced(new: Preference, known: Preferences) -> str | None:
    """Return the newest one that said the same thing; what counts together with others replaces nothing."""
    if not new.effect or "again" in new.effect:
        return None
    same = [one for one in known.in_effect() if _topic(one) == _topic(new) and "again" not in one.effect and one.id != new.id]
    return max(same, key=lambda one: (one.at, one.id)).id if same else None


def _topic(one: Preference) -> tuple[object, ...]:
    return one.kind, one.applies_to, one.source.sender, sorted(one.effect), one.effect.get("language")


def _unknown(id: str) -> UnknownPreferenceError:
    return UnknownPreferenceError(f"There is no preference {id!r:.80}.", hint="`memory list` shows all of them.")


def _contended(id: str) -> PreferenceConflictError:
    return PreferenceConflictError(f"Preference {id} keeps being changed by others; nothing was changed here.", hint="Try again.")
