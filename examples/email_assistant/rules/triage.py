"""Ignore, notify or respond: rules that fire in order, the first one decides. Pure.

The order is the policy: machines first (they are never answered), then danger, then what is not addressed to the reader, then what a
person wants. When nothing fires the answer is notify: a human looks at it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from examples.email_assistant.rules import signs
from examples.email_assistant.rules.reading import Intent, Reading
from examples.email_assistant.sorting import Label, Triage

if TYPE_CHECKING:
    from collections.abc import Callable

    from examples.email_assistant.mail.message import Address, Mail

SPOKEN = frozenset({"en", "de", "es", "ja"})
SHORT_NOTE = 12


@dataclass(frozen=True, slots=True)
class _Case:
    mail: Mail
    reading: Reading
    owner: Address


def triage(mail: Mail, reading: Reading, owner: Address) -> Triage:
    """Decide what to do with a mail.

    Args:
        mail: The mail.
        reading: What it wants.
        owner: Whose mailbox it is.
    """
    case = _Case(mail, reading, owner)
    automatic = never_answered(mail)
    for label, rule in MACHINE_RULES if automatic else PERSON_RULES:
        if reason := rule(case):
            return Triage(label, (reason, *automatic))
    return Triage("notify", ("unsure: no rule fits", *automatic))


def must_be_seen(mail: Mail, reading: Reading, owner: Address) -> bool:
    """Tell whether a mail has to be shown whatever the owner is used to do with its sender: it may be forged, or something failed."""
    case = _Case(mail, reading, owner)
    return any(rule(case) for rule in (_danger, _delivery_failed, _damaged))


def never_answered(mail: Mail) -> tuple[str, ...]:
    """Return why no reply may ever go to the sender of this mail; empty when a reply may be drafted.

    This is a rule outside of any model: it holds whatever a model or a mail says (RFC 3834, section 2).
    """
    headers = {name: value.lower() for name, value in mail.automation.items()}
    found = []
    if headers.get("Auto-Submitted", "no") != "no":
        found.append(f"Auto-Submitted: {headers['Auto-Submitted']}")
    if headers.get("Precedence") in {"bulk", "list", "junk", "auto_reply"}:
        found.append(f"Precedence: {headers['Precedence']}")
    found += [f"header {name}" for name in ("List-Id", "List-Unsubscribe", "X-Auto-Response-Suppress") if name in headers]
    if headers.get("Return-Path") == "<>":
        found.append("empty Return-Path")
    if mail.content_type == "multipart/report":
        found.append("delivery report")
    found += [f"sender {one}" for one in sorted({mail.sender.address, mail.reply_to.address}) if re.search(signs.NO_REPLY_ADDRESS, one)]
    if away := re.search(signs.AWAY, mail.subject.lower()):
        found.append(f"subject {away[0]!r}")
    return tuple(f"no reply: {one}" for one in found)


def _danger(case: _Case) -> str:
    mail = case.mail
    everything = f"{mail.subject}\n{mail.text}\n{mail.hidden}".lower()
    if found := re.search(signs.INSTRUCTIONS, everything, re.MULTILINE):
        return f"text that talks to a program: {found[0].strip()!r}"
    if mail.hidden:
        return f"text hidden from the reader: {mail.hidden[:60]!r}"
    if found := re.search(signs.LURES, everything):
        return f"possible fraud: {found[0]!r}"
    if mail.reply_to.domain != mail.sender.domain:
        return f"answers would go elsewhere: {mail.reply_to.address}"
    return ""


def _delivery_failed(case: _Case) -> str:
    return "a mail of yours was not delivered" if case.mail.content_type == "multipart/report" else ""


def _urgent_notice(case: _Case) -> str:
    is_list = "List-Unsubscribe" in case.mail.automation or "List-Id" in case.mail.automation
    found = re.search(signs.URGENT_NOTICE, f"{case.mail.subject} {case.mail.fresh}".lower())
    return f"automatic notice about {found[0]!r}" if found and not is_list else ""


def _machine_noise(_: _Case) -> str:
    return "automatic or bulk mail"


def _damaged(case: _Case) -> str:
    return f"could not be read properly: {case.mail.damage[0]}" if case.mail.damage else ""


def _calendar(case: _Case) -> str:
    return f"calendar entry ({case.mail.calendar_method})" if case.mail.calendar_method else ""


def _mass_mail(case: _Case) -> str:
    found = re.search(signs.MASS_MAIL, case.mail.text.lower())
    return f"mass mail: {found[0]!r}" if found else ""


def _not_addressed(case: _Case) -> str:
    if case.owner.address in {one.address for one in case.mail.to}:
        return ""
    return "you are only copied in" if case.owner.address in {one.address for one in case.mail.cc} else "not addressed to you"


def _just_thanks(case: _Case) -> str:
    is_short = len(case.mail.fresh.split()) <= SHORT_NOTE
    found = re.search(signs.THANKS, case.mail.fresh.lower())
    return f"a short thank-you: {found[0]!r}" if found and is_short and case.reading.intent is Intent.NOTHING else ""


def _information(case: _Case) -> str:
    found = re.search(signs.INFORMATION, f"{case.mail.subject} {case.mail.fresh}".lower())
    return f"for information: {found[0]!r}" if found else ""


def _foreign(case: _Case) -> str:
    return "" if case.reading.language in SPOKEN else f"unsure: a language the rules do not speak ({case.reading.language or 'unknown'})"


def _wants_something(case: _Case) -> str:
    reading = case.reading
    return "" if reading.intent is Intent.NOTHING else f"{reading.intent.value}: {reading.sentence!r}"


MACHINE_RULES: tuple[tuple[Label, Callable[[_Case], str]], ...] = (
    ("notify", _delivery_failed),
    ("notify", _urgent_notice),
    ("ignore", _machine_noise),
)
PERSON_RULES: tuple[tuple[Label, Callable[[_Case], str]], ...] = (
    ("notify", _damaged),
    ("notify", _danger),
    ("notify", _calendar),
    ("ignore", _mass_mail),
    ("notify", _not_addressed),
    ("ignore", _just_thanks),
    ("notify", _information),
    ("notify", _foreign),
    ("respond", _wants_something),
)
