"""What a preference does, as data that rules can apply. Only this file knows the names and forms of effects.

==========  ===================================================================================================
triage      ``label`` for mail of the sender; ``again``: the label from the second mail on that was dismissed
response    ``greeting`` (may have the slot ``{name}``), ``sign_off`` (without the name), ``signature`` (the name), all of
            them only for mail in ``language`` if that is given
calendar    ``duration_minutes``, ``earliest`` and ``latest`` start, ``attendees_add``, ``subject`` with the slot ``{subject}``
==========  ===================================================================================================

An empty effect is one that only words can express.
"""

from __future__ import annotations

import re
from datetime import time
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

from examples.email_assistant.memory.errors import InvalidPreferenceError
from examples.email_assistant.sorting import Label

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Kind = Literal["triage", "response", "calendar"]
KINDS: tuple[Kind, ...] = get_args(Kind)
Json: TypeAlias = "str | int | float | bool | list[Json] | dict[str, Json] | None"
Effect: TypeAlias = "dict[str, Json]"

EVERYONE = "*"
LONGEST_PHRASE = 80
LONGEST_MEETING = 24 * 60
PLAIN_ADDRESS = re.compile(r"[^\s\"'<>@,;:\\()\[\]{}*]+@[^\s\"'<>@,;:\\()\[\]{}*]+")
LANGUAGES = {"en": "English", "de": "German", "es": "Spanish", "fr": "French", "it": "Italian", "ja": "Japanese"}
EXAMPLES: dict[str, str] = {
    "label": "notify",
    "again": "ignore",
    "greeting": "Dear {name},",
    "sign_off": "Best wishes",
    "signature": "Mara",
    "language": "en",
    "duration_minutes": "45",
    "earliest": "10:00",
    "latest": "16:00",
    "attendees_add": "ben@example.org, cem@example.org",
    "subject": "Call: {subject}",
}
LABEL_WORDS: dict[str, str] = {
    "ignore": "Ignore mail of this sender.",
    "notify": "Show mail of this sender and draft no answer.",
    "respond": "Draft an answer to mail of this sender.",
}


def checked_effect(kind: Kind, effect: Mapping[str, object]) -> Effect:
    """Return an effect in its proper form.

    Raises:
        InvalidPreferenceError: It has a name that this kind does not have, or a value that rules could not apply.
    """
    forms = FORMS[kind]
    for name in effect:
        if name not in forms:
            raise InvalidPreferenceError(f"A {kind} preference has no effect {name!r:.60}.", hint=f"There are: {', '.join(forms)}.")
    return {name: _checked(f"{kind}.{name}", name, forms[name], value) for name, value in effect.items()}


def worded(effect: Mapping[str, Json]) -> str:
    """Return an effect as sentences; empty for an empty one."""
    if "again" in effect:
        first = " Show it until then, and draft no answer." if effect.get("label") == "notify" else ""
        return f"Ignore mail of this sender once two of them were dismissed.{first}"
    tongue = str(effect.get("language", ""))
    language = f" in mail in {LANGUAGES.get(tongue, tongue)}" if tongue else ""
    return " ".join(_word(name, value, language) for name, value in effect.items() if name != "language")


def is_plain(address: str) -> bool:
    """Tell whether an address is one that people use: no spaces, quotes or signs that mean something elsewhere."""
    return len(address) <= 254 and address.isprintable() and bool(PLAIN_ADDRESS.fullmatch(address))


def checked_scope(applies_to: str) -> str:
    """Return whom a preference applies to, in its proper form.

    Raises:
        InvalidPreferenceError: It is neither ``*``, an address nor ``@`` and a domain.
    """
    scope = applies_to.strip().lower()
    if scope == EVERYONE or is_plain(scope) or (scope.startswith("@") and is_plain(f"x{scope}")):
        return scope
    raise InvalidPreferenceError(
        f"{applies_to!r:.80} is no sender.", hint="Write * for everyone, an address, or @example.org for all of a domain."
    )


def _word(name: str, value: Json, language: str) -> str:
    match name:
        case "label":
            return LABEL_WORDS[str(value)]
        case "greeting":
            return f'Greet with "{value}"{language}.'
        case "sign_off":
            return f'Close with "{value}"{language}.'
        case "signature":
            return f'Sign with "{value}".'
        case "duration_minutes":
            return f"Meetings take {value} minutes unless the mail says otherwise."
        case "earliest":
            return f"Meetings start at {value} or later."
        case "latest":
            return f"Meetings start at {value} or earlier."
        case "attendees_add":
            return f"Invite {', '.join(map(str, value)) if isinstance(value, list) else value} as well."
        case _:
            return f'Name meetings like "{value}".'


def _checked(where: str, name: str, form: Callable[[object], Json], value: object) -> Json:
    try:
        return form(value)
    except (ValueError, TypeError) as error:
        raise InvalidPreferenceError(f"{where} cannot be {value!r:.80}: {error}.", hint=f"For example: {EXAMPLES[name]}.") from error


def _label(value: object) -> Json:
    if value not in get_args(Label):
        raise ValueError(f"it is none of {', '.join(get_args(Label))}")
    return str(value)


def _again(value: object) -> Json:
    if value != "ignore":
        raise ValueError("it can only be ignore")
    return "ignore"


def _phrase(value: object) -> Json:
    if not isinstance(value, str) or not 0 < len(value.strip()) <= LONGEST_PHRASE:
        raise ValueError(f"it is no text of 1 to {LONGEST_PHRASE} characters")
    if not value.isprintable() or set("{}") & set(value):
        raise ValueError("it has a line break, an unprintable character or a brace that is no slot")
    return value.strip()


def _slotted(slot: str) -> Callable[[object], Json]:
    def form(value: object) -> Json:
        if isinstance(value, str) and value.count(slot) <= 1:
            _phrase(value.replace(slot, "x"))
            return value.strip()
        raise ValueError(f"it is no text with {slot} at most once")

    return form


def _language(value: object) -> Json:
    if not isinstance(value, str) or not re.fullmatch("[a-z]{2,3}", value):
        raise ValueError("it is no code such as en")
    return value


def _minutes(value: object) -> Json:
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= LONGEST_MEETING:
        raise ValueError(f"it is no whole number from 1 to {LONGEST_MEETING}")
    return value


def _clock(value: object) -> Json:
    if not isinstance(value, str) or not re.fullmatch(r"\d{1,2}:\d{2}", value):
        raise ValueError("it is no time such as 10:00")
    return f"{time.fromisoformat(value.zfill(5)):%H:%M}"


def _addresses(value: object) -> Json:
    entries = [part.strip() for part in value.split(",")] if isinstance(value, str) else value
    if not isinstance(entries, list) or not 0 < len(entries) <= 20 or not all(isinstance(one, str) and is_plain(one) for one in entries):
        raise ValueError("it is no list of mail addresses")
    return [str(one).lower() for one in entries]


FORMS: Mapping[Kind, Mapping[str, Callable[[object], Json]]] = {
    "triage": {"label": _label, "again": _again},
    "response": {"greeting": _slotted("{name}"), "sign_off": _phrase, "signature": _phrase, "language": _language},
    "calendar": {
        "duration_minutes": _minutes,
        "earliest": _clock,
        "latest": _clock,
        "attendees_add": _addresses,
        "subject": _slotted("{subject}"),
    },
}
