"""What the owner's edit of a meeting, or their words about it, say about how they meet. Pure."""

from __future__ import annotations

import json
import re
from datetime import date, time
from email.utils import getaddresses
from typing import TYPE_CHECKING

from examples.email_assistant.memory.drafts import GENERAL, feedback
from examples.email_assistant.memory.effects import EVERYONE, is_plain, worded
from examples.email_assistant.memory.facts import ANY_DAY
from examples.email_assistant.memory.lesson import Lesson
from examples.email_assistant.rules.moments import find_day, find_minutes, find_time

if TYPE_CHECKING:
    from collections.abc import Mapping

    from examples.email_assistant.mail.message import Mail
    from examples.email_assistant.memory.effects import Effect

LONGEST_USUAL = 8 * 60
LONGEST_FRAME = 40
EARLY, NOON, LATE = time(10, 30), time(12), time(15)
REPLY_MARKS = re.compile(r"^(?:(?:re|aw|antw|rv|sv|fwd?|wg)\s*:\s*)+", re.IGNORECASE)
NOT = r"(?:not|never|nothing|no|don't|keine?n?|nicht|nie|nada|nunca)\b.{0,30}?\b"
NOT_BEFORE = re.compile(
    rf"\b(?:{NOT}(?:before|earlier than|vor|früher als|antes de)|no earlier than|frühestens|erst (?:ab|nach)"
    r"|after|nach|ab|después de|a partir de)"
    r"\s+(?:las? |um )?(?=\d)",
    re.IGNORECASE,
)
NOT_AFTER = re.compile(
    rf"\b(?:{NOT}(?:after|later than|nach|später als|después de)|no later than|spätestens|before|vor|until|bis|antes de)"
    r"\s+(?:las? |um )?(?=\d)",
    re.IGNORECASE,
)
BARE_HOUR = re.compile(r"(\d{1,2})(?![\d:.]|\s*(?:min|hour|hr|h\b|day|week|stunde|tag|woche|hora|día|people|%))", re.IGNORECASE)


def edited_meeting(mail: Mail, proposed: Mapping[str, object], edited: Mapping[str, object]) -> list[Lesson]:
    """Return what an edit of ``schedule_meeting`` teaches. The day belongs to the meeting and teaches nothing."""
    before, after = _minutes(proposed.get("duration_minutes")), _minutes(edited.get("duration_minutes"))
    found = _duration(mail, before, after) if before != after else []
    if _day(proposed) == _day(edited):
        found += _start(mail, _clock(proposed.get("start_time")), _clock(edited.get("start_time")))
    found += _subject(mail, str(proposed.get("subject", "")), str(edited.get("subject", "")))
    return found + _guests(mail, proposed.get("attendees"), edited.get("attendees"))


def wishes(mail: Mail, proposed: Mapping[str, object], text: str) -> list[Lesson]:
    """Return what words about ``schedule_meeting`` teach: a length, limits for the start, or a rule in the owner's words."""
    minutes = find_minutes(text)
    found = _duration(mail, _minutes(proposed.get("duration_minutes")), minutes) if minutes is not None else []
    if GENERAL.search(text) or find_day(text, ANY_DAY) is None:
        # A time on a day that is named belongs to this meeting.
        found += _limits(text) or _start(mail, _clock(proposed.get("start_time")), _named_time(text))
    return found or feedback(mail, text, "calendar")


def _duration(mail: Mail, before: int | None, after: int | None) -> list[Lesson]:
    asked_for = find_minutes(mail.fresh)
    if after is None or after > LONGEST_USUAL or after in {before, asked_for}:
        return []
    # The sender named a length and the owner wants another one: that is between the two of them.
    scope = EVERYONE if asked_for is None else mail.sender.address
    if scope != EVERYONE and not is_plain(scope):
        return []
    effect = {"duration_minutes": after}
    return [Lesson("calendar", "duration", worded(effect), effect, f"length: {before} -> {after} minutes", applies_to=scope)]


def _start(mail: Mail, before: time | None, after: time | None) -> list[Lesson]:
    """Learn a limit from a start that was moved out of an early or a late hour; a move within the day is about this meeting."""
    asked_for = _named_time(mail.fresh)
    if before is None or after is None or after in {before, asked_for}:
        return []
    if before < EARLY and before < after <= NOON:
        return [_limit("earliest", after, f"start: {before:%H:%M} -> {after:%H:%M}")]
    if before >= LATE and NOON <= after < before:
        return [_limit("latest", after, f"start: {before:%H:%M} -> {after:%H:%M}")]
    return []


def _limits(text: str) -> list[Lesson]:
    found = []
    for name, pattern, other in (("earliest", NOT_BEFORE, NOT_AFTER), ("latest", NOT_AFTER, NOT_BEFORE)):
        # "before 10" inside of "not before 10" says the opposite: there the other pattern begins earlier and ends in the same place.
        begins = {one.end(): one.start() for one in other.finditer(text)}
        said = [one for one in pattern.finditer(text) if begins.get(one.end(), one.start()) >= one.start()]
        starts = [at for one in said if (at := _clock_after(text[one.end() :])) is not None]
        found += [_limit(name, at, f"said about a meeting: {name} start {at:%H:%M}") for at in starts[:1]]
    return found


def _limit(name: str, at: time, change: str) -> Lesson:
    effect = {name: f"{at:%H:%M}"}
    return Lesson("calendar", name, worded(effect), effect, change)


def _subject(mail: Mail, before: str, after: str) -> list[Lesson]:
    """Learn what stands around the mail's own subject, such as "Call: "."""
    bare = REPLY_MARKS.sub("", mail.subject).strip()
    own = rf"(?<!\w){re.escape(bare)}(?!\w)"
    if not bare or before.split() == after.split() or len(re.findall(own, after)) != 1:
        return []
    around, template = re.sub(own, "", after).strip(), re.sub(own, "{subject}", after).strip()
    names = [word for one in (mail.sender, mail.reply_to) for word in one.name.lower().split()]
    is_style = not around or (len(around) <= LONGEST_FRAME and re.search(r"[:|/()\[\]\u2013-]", around) and not re.search(r"\d", around))
    if not is_style or any(name in around.lower() for name in names):
        return []
    effect = {"subject": template}
    return [Lesson("calendar", "subject", worded(effect), effect, f'name of the meeting: now like "{template}"')]


def _guests(mail: Mail, before: object, after: object) -> list[Lesson]:
    """Learn who is invited as well; people who are part of the mail are so because of the mail."""
    sender = mail.sender.address
    added = [one for one in _addresses(after) if one not in _addresses(before) and one not in mail.participants]
    if not added or not is_plain(sender):
        return []
    effect: Effect = {"attendees_add": [*added]}
    return [Lesson("calendar", "attendees", worded(effect), effect, f"invited as well: {', '.join(added)}", applies_to=sender)]


def _addresses(value: object) -> list[str]:
    try:
        entries = json.loads(value) if isinstance(value, str) and value.lstrip().startswith("[") else value
    except ValueError:
        return []
    written = entries if isinstance(entries, list) else [entries] if isinstance(entries, str) else []
    found = getaddresses([one for one in written if isinstance(one, str)])
    return list(dict.fromkeys([address.lower() for _, address in found if address]))


def _minutes(value: object) -> int | None:
    try:
        return int(value) if isinstance(value, int | str) and not isinstance(value, bool) else None
    except ValueError:
        return None


def _day(args: Mapping[str, object]) -> date | str:
    written = str(args.get("preferred_day", "")).strip()
    try:
        return date.fromisoformat(written[:10])
    except ValueError:
        return written


def _clock(value: object) -> time | None:
    try:
        return time.fromisoformat(str(value).strip().zfill(5)).replace(tzinfo=None)
    except ValueError:
        return None


def _named_time(text: str) -> time | None:
    """Return a time that is named without a zone of its own."""
    found = find_time(text)
    return found.at if found is not None and found.zone is None else None


def _clock_after(text: str) -> time | None:
    """Return the time that a text begins with."""
    head = re.match(r"[\d:.]+\s*(?:[ap]\.?m\b\.?|uhr\b)?", text, re.IGNORECASE)
    named = _named_time(head[0]) if head else None
    if named is not None:
        return named
    bare = BARE_HOUR.match(text)
    return time(int(bare[1])) if bare and int(bare[1]) < 24 else None
