"""A table of a TOML file and where it stands. Each method reads one key in one form and refuses every other.

All of them raise `CorpusError`, which names the place.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Never, TypeVar

from examples.email_assistant.evaluation.errors import CorpusError

if TYPE_CHECKING:
    from collections.abc import Mapping

Choice = TypeVar("Choice", bound=str)
HINT = "docs/howto/evaluation.md describes the form of labels.toml."


@dataclass(frozen=True, slots=True)
class Table:
    """A table and the place to name when something in it does not fit."""

    entries: Mapping[str, object]
    where: str

    def knows_only(self, names: frozenset[str]) -> None:
        """Refuse keys that nobody reads."""
        if unknown := sorted(self.entries.keys() - names):
            raise CorpusError(f"{self.where}: unknown {', '.join(unknown)}.", hint=f"Known are {', '.join(sorted(names))}.")

    def text(self, name: str, *, default: str | None = None) -> str:
        """Return a text; without a default it has to be there."""
        value = self.entries.get(name, default)
        return value if isinstance(value, str) else self._refuse(name, "a text")

    def one_of(self, name: str, choices: tuple[Choice, ...], *, default: str | None = None) -> Choice:
        """Return one of the texts that exist."""
        value = self.entries.get(name, default)
        return next((choice for choice in choices if choice == value), None) or self._refuse(name, f"one of {', '.join(choices)}")

    def texts(self, name: str) -> tuple[str, ...]:
        """Return a list of texts; empty when it is not there."""
        value = self.entries.get(name, [])
        texts = [one for one in value if isinstance(one, str)] if isinstance(value, list) else []
        return tuple(texts) if isinstance(value, list) and len(texts) == len(value) else self._refuse(name, "a list of texts")

    def alternatives(self, name: str) -> tuple[tuple[str, ...], ...]:
        """Return a list of lists of texts; empty when it is not there."""
        value = self.entries.get(name, [])
        groups = value if isinstance(value, list) else self._refuse(name, "a list of lists of texts")
        return tuple(Table({name: group}, self.where).texts(name) for group in groups)

    def days(self, name: str) -> tuple[date, ...]:
        """Return a list of dates; empty when it is not there."""
        value = self.entries.get(name, [])
        days = [one for one in value if isinstance(one, date)] if isinstance(value, list) else []
        return tuple(days) if isinstance(value, list) and len(days) == len(value) else self._refuse(name, "a list of dates")

    def moment(self, name: str) -> datetime:
        """Return a time that knows its zone."""
        value = self.entries.get(name)
        return value if isinstance(value, datetime) and value.tzinfo else self._refuse(name, "a time with its zone")

    def table(self, name: str) -> Table:
        """Return a table; empty when it is not there."""
        value = self.entries.get(name, {})
        return Table(value if isinstance(value, dict) else self._refuse(name, "a table"), f"{self.where}, {name}")

    def tables(self, name: str) -> list[tuple[str, Table]]:
        """Return the tables inside a table, with their names."""
        inner = self.table(name)
        return [(key, inner.table(key)) for key in inner.entries]

    def list_of_tables(self, name: str) -> list[Table]:
        """Return a list of tables; empty when it is not there."""
        value = self.entries.get(name, [])
        if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
            return self._refuse(name, "a list of tables")
        return [Table(one, f"{self.where}, {name} {number}") for number, one in enumerate(value, start=1)]

    def _refuse(self, name: str, form: str) -> Never:
        raise CorpusError(f"{self.where}: {name!r} has to be {form}.", hint=HINT)
