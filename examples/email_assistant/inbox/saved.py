"""What the saved state of a thread looks like. Only this file knows; each function reads one thing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, cast

from examples.email_assistant.inbox.port import Original, Said

if TYPE_CHECKING:
    from datetime import datetime

ROLES: Mapping[str, str] = {"ai": "assistant", "human": "user"}
"""What messages call themselves -> what the screen calls them."""


def mail_of(values: Mapping[str, object]) -> Original:
    """Read the mail of a thread."""
    mail = values["mail"]
    return Original(
        sender=str(_part(mail, "sender")),
        to=tuple(map(str, _parts(mail, "to"))),
        cc=tuple(map(str, _parts(mail, "cc"))),
        subject=str(_part(mail, "subject")),
        date=cast("datetime | None", _part(mail, "date")),
        body=str(_part(mail, "text")),
        attachments=tuple(str(_part(one, "name")) for one in _parts(mail, "attachments")),
    )


def conversation_of(values: Mapping[str, object]) -> tuple[Said, ...]:
    """Read the messages of a thread; a proposed call is a line of its own."""
    said: list[Said] = []
    for message in _parts(values, "messages"):
        calls = [f"{_part(call, 'name')}: {_arguments(_part(call, 'args'))}" for call in _parts(message, "tool_calls")]
        text = str(_part(message, "text") or _part(message, "content") or "")
        role = str(_part(message, "role") or _part(message, "type") or "")
        said.append(Said(ROLES.get(role, role), "\n".join([text, *calls] if text else calls)))
    return tuple(said)


def redrafts_of(values: Mapping[str, object]) -> int:
    """Count the proposals a human sent back."""
    return sum(_is_sent_back(message) for message in _parts(values, "messages"))


def files_of(values: Mapping[str, object]) -> frozenset[str]:
    """Read what the tools left in the world, as they name it."""
    results = values.get("results")
    kept = list(results.values()) if isinstance(results, Mapping) else []
    artifacts = [_part(message, "artifact") for message in _parts(values, "messages")]
    return frozenset(str(file) for one in (*kept, *artifacts) if (file := _part(one, "file")))


def outcome_of(values: Mapping[str, object]) -> str:
    """Read in words where a thread stands."""
    return str(values.get("outcome") or "")


def _is_sent_back(message: object) -> bool:
    decided = _part(_part(message, "additional_kwargs"), "review")
    return _part(message, "status") == "feedback" or (decided == "response" and _part(message, "name") != "question")


def _arguments(args: object) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in args.items()) if isinstance(args, Mapping) else str(args)


def _part(whole: object, name: str) -> object:
    return whole.get(name) if isinstance(whole, Mapping) else getattr(whole, name, None)


def _parts(whole: object, name: str) -> Sequence[object]:
    found = _part(whole, name)
    return found if isinstance(found, (list, tuple)) else ()
