"""How preferences are written down: plain JSON values, read back with every field checked. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal, cast, get_args

from examples.email_assistant.memory.effects import KINDS, Kind, checked_effect
from examples.email_assistant.memory.preference import Action, Preference, Source, Status, one_line

What = Literal["learned", "written", "edited", "undone", "redone", "forgotten"]


@dataclass(frozen=True, slots=True)
class Event:
    """A line of a preference's log.

    Args:
        at: When; aware.
        id: The preference.
        what: What became of it.
        by: For an edit, the preference that stands in for it.
    """

    at: datetime
    id: str
    what: What
    by: str = ""


def document_of(preference: Preference, log: tuple[Event, ...]) -> dict[str, Any]:
    """Return what is stored of a preference."""
    return {**entry_of(preference), "log": [line_of(event) for event in log]}


def entry_of(preference: Preference) -> dict[str, Any]:
    """Return a preference as JSON values."""
    return {**asdict(preference), "at": preference.at.isoformat()}


def line_of(event: Event) -> dict[str, Any]:
    """Return a line of a log as JSON values; whose log it is, is not in it."""
    return {"at": event.at.isoformat(), "what": event.what} | ({"by": event.by} if event.by else {})


def event_of(line: Mapping[str, Any], id: str) -> Event:
    """Read a line of a log.

    Raises:
        ValueError: It is damaged. (So do KeyError and TypeError say.)
    """
    return Event(_moment(line["at"]), id, cast("What", _one_of(line["what"], get_args(What))), _text(line.get("by", "")))


def preference_of(value: Mapping[str, Any], id: str, kind: str) -> Preference:
    """Read a preference.

    Args:
        value: What is stored.
        id: The key it is stored under.
        kind: The last string of the namespace.

    Raises:
        ValueError: It is damaged. (So do KeyError, TypeError and InvalidPreferenceError say.)
    """
    if (value["id"], value["kind"]) != (id, kind):
        raise ValueError("it is stored in the place of another one")
    read_kind = cast("Kind", _one_of(kind, KINDS))
    source = value["source"]
    return Preference(
        id=id,
        kind=read_kind,
        rule=one_line(_text(value["rule"])),
        applies_to=_text(value["applies_to"]),
        effect=checked_effect(read_kind, value["effect"]),
        source=Source(
            thread=_text(source["thread"]),
            call_id=_text(source["call_id"]),
            action=cast("Action", _one_of(source["action"], get_args(Action))),
            subject=_text(source["subject"]),
            change=_text(source["change"]),
            sender=_text(source["sender"]),
        ),
        at=_moment(value["at"]),
        status=cast("Status", _one_of(value["status"], get_args(Status))),
        replaces=None if value["replaces"] is None else _text(value["replaces"]),
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r:.60} is no text")
    return value


def _one_of(value: object, known: tuple[str, ...]) -> str:
    if value not in known:
        raise ValueError(f"{value!r:.60} is none of {', '.join(known)}")
    return str(value)


def _moment(value: object) -> datetime:
    moment = datetime.fromisoformat(_text(value))
    if moment.tzinfo is None:
        raise ValueError(f"{value!r} has no zone")
    return moment
