"""Preferences on a terminal. What comes from a mail or from a hand is shown and never obeyed by the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from examples.email_assistant.inbox.inert import line
from examples.email_assistant.memory.effects import KINDS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from examples.email_assistant.memory.effects import Kind
    from examples.email_assistant.memory.memory import Memory
    from examples.email_assistant.memory.preference import Preference, Preferences
    from examples.email_assistant.memory.record import Event

SHOWN_SUBJECT = 40


def show_all(console: Console, memory: Memory, preferences: Preferences, kinds: Sequence[Kind] = KINDS) -> None:
    """Print a table for each namespace."""
    applying = {one.id for one in preferences.in_effect()}
    for kind in kinds:
        found = preferences.of(kind)
        console.print(Text(f"{kind}  {line('/'.join(memory.namespace(kind)))}", style="bold"))
        console.print(_table(found, applying) if len(found) else Text("  nothing yet", style="dim"))
        console.print()


def show_one(console: Console, one: Preference, state: str, history: Sequence[Event]) -> None:
    """Print all that is known about a preference."""
    table = Table(box=None, padding=(0, 2), show_header=False)
    table.add_column(style="dim")
    table.add_column(overflow="fold")
    effect = ", ".join(f"{name}: {_value(value)}" for name, value in one.effect.items())
    rows = [
        ("id", one.id),
        ("kind", one.kind),
        ("rule", one.rule),
        ("applies to", scope_of(one)),
        ("effect", effect or "in words only"),
        ("state", state),
        ("learned from", f"{one.source.action}: {one.source.change}"),
        ("mail", f"{one.source.subject} ({one.source.sender})" if one.source.sender else ""),
        ("thread", one.source.thread),
        ("replaces", one.replaces or ""),
    ]
    for name, value in rows:
        if value:
            table.add_row(name, Text(line(value)))
    for event in history:
        by = f", replaced by {event.by}" if event.by else ""
        table.add_row("", Text(line(f"{event.at:%Y-%m-%d %H:%M}  {event.id} {event.what}{by}")))
    console.print(table)


def state_of(one: Preference, applying: set[str]) -> str:
    """Return whether a preference applies, in one word."""
    if one.status == "undone":
        return "undone"
    return "active" if one.id in applying else "replaced"


def scope_of(one: Preference) -> str:
    """Return whom a preference applies to, in words."""
    return "everyone" if one.applies_to == "*" else one.applies_to


def _table(found: Preferences, applying: set[str]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
    table.add_column("  id", no_wrap=True)
    table.add_column("state", no_wrap=True)
    table.add_column("for", overflow="fold")
    table.add_column("rule", ratio=3, overflow="fold")
    table.add_column("learned from", ratio=2, overflow="fold")
    for one in found:
        state = state_of(one, applying)
        subject = f", {one.source.subject[:SHOWN_SUBJECT]}" if one.source.subject else ""
        source = f"{one.at:%Y-%m-%d} {one.source.action}{subject}"
        cells = [f"{one.id}", state, scope_of(one), one.rule, source]
        table.add_row(
            *[Text(("  " if not place else "") + line(cell)) for place, cell in enumerate(cells)], style="" if state == "active" else "dim"
        )
    return table


def _value(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
