"""What the screen says, as text with styles. Every word that comes from outside passes through `inert` here; no markup is read."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from textual.content import Content

from examples.email_assistant.inbox.forms import BODY, shown_value
from examples.email_assistant.inbox.inert import inert, line
from examples.email_assistant.inbox.port import Given, Refused

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from examples.email_assistant.inbox.difference import Change, Line
    from examples.email_assistant.inbox.port import Answer, Original, Said, Waiting
    from examples.email_assistant.inbox.session import Event, Held

MINUTE, HOUR, DAY, WEEK = 60, 3600, 86400, 604800
AGE_WIDTH = 4
MAIL_HEAD = "**From:**"
OUTSIDE = " ! outside"
HEADINGS = {"mail": "Mail to approve", "meeting": "Meeting to approve", "question": "Question for you", "notice": "Shown to you"}
ANSWER_WORDS = {"accept": "Accept", "edit": "Edit", "response": "Respond", "ignore": "Ignore"}
DIFFERENCE_STYLES = {" ": "$foreground-muted", "…": "$foreground-muted italic", "-": "$text-error", "+": "$text-success"}
CHANGED_STYLES = {"-": "bold strike $text-error", "+": "bold underline $text-success"}


def age(since: datetime, now: datetime) -> str:
    """Return how long ago a moment was, in one unit: ``now``, ``5m``, ``3h``, ``2d``, ``9w``."""
    seconds = int((now - since).total_seconds())
    for length, unit in ((WEEK, "w"), (DAY, "d"), (HOUR, "h"), (MINUTE, "m")):
        if seconds >= length:
            return f"{seconds // length}{unit}"
    return "now"


def entry(question: Waiting, now: datetime, mark: str) -> Content:
    """Return the two lines of a question in the list; ``mark`` tells that an answer is under way."""
    kind = f"{question.kind} "
    return Content.assemble(
        (f"{age(question.since, now):>{AGE_WIDTH}}  ", "$foreground-muted"),
        (line(sender_name(question.sender)), "bold"),
        "\n",
        (f"{'!' if question.outsiders else '':>{AGE_WIDTH}}  ", "bold $text-error"),
        (mark or kind, "bold $text-success" if mark else "$text-accent"),
        line(question.subject) or "(no subject)",
    )


def sender_name(sender: str) -> str:
    """Return the name in an address, the address when it has none."""
    name = sender.rpartition("<")[0].strip().strip('"')
    return name or sender


def countdown(held: Held, now: float) -> str:
    """Return the mark of a held answer."""
    return f"{ANSWER_WORDS[held.answer['type']].lower()} in {seconds_left(held, now)}s · "


def seconds_left(held: Held, now: float) -> int:
    """Return the whole seconds until an answer is given, at least 0."""
    return max(0, -int((now - held.due) // 1))


def heading(question: Waiting, model: str, now: datetime) -> Content:
    """Return what is asked, since when, and who proposed it."""
    redrafts = f" · re-draft {question.redrafts}" if question.redrafts else ""
    asked = age(question.since, now)
    since = "just now" if asked == "now" else f"{asked} ago"
    facts = f"asked {since} · by {line(model)}{redrafts}"
    return Content.assemble((HEADINGS.get(question.kind, line(question.action)), "bold $text-primary"), "\n", (facts, "$foreground-muted"))


def warnings(question: Waiting, refused: Refused | None) -> Content:
    """Return what has to be seen before answering; empty when there is nothing."""
    told: list[str] = []
    if refused is not None:
        told.append(inert(f"! Your answer was not taken: {refused.message} {refused.hint}".strip()))
    if question.outsiders:
        told.append("! Outside this conversation: " + ", ".join(map(line, question.outsiders)))
    return Content("\n".join(told))


def notes(question: Waiting) -> Content:
    """Return the remarks of a question: what stands before the mail in its description, and the marked paragraphs behind it."""
    paragraphs = [one for one in question.description.split("\n\n") if one.strip()]
    head = next((place for place, one in enumerate(paragraphs) if one.startswith(MAIL_HEAD)), 0)
    behind = [one for one in paragraphs[head:] if not one.startswith((">", MAIL_HEAD))]
    remarks = [*paragraphs[:head], *(one for one in behind if one.startswith("**"))]
    shown = remarks or ([] if question.args else behind)
    return Content("\n".join(inert(one.replace("**", "")) for one in shown))


def proposal(question: Waiting) -> Content:
    """Return the proposed arguments: those of one line with their names, the content below."""
    heads = {name: value for name, value in question.args.items() if name != BODY and shown_value(value)}
    width = max((len(line(name)) for name in heads), default=0)
    parts: list[Content] = []
    for name, value in heads.items():
        shown = inert(shown_value(value)).replace("\n", "\n" + " " * (width + 2))
        parts.append(Content.assemble((f"{line(name):<{width}}  ", "$foreground-muted"), _highlighted(shown, question.outsiders)))
    body = [Content(inert(str(question.args[BODY])))] if BODY in question.args else []
    return Content("\n\n" if heads and body else "").join([*([Content("\n").join(parts)] if parts else []), *body])


def original_head(mail: Original, zone_of: datetime) -> Content:
    """Return the header of a mail; its date in the time zone of ``zone_of``."""
    date = f"{mail.date.astimezone(zone_of.tzinfo):%a %Y-%m-%d %H:%M}" if mail.date else ""
    fields = {
        "from": mail.sender,
        "to": ", ".join(mail.to),
        "cc": ", ".join(mail.cc),
        "date": date,
        "subject": mail.subject,
        "attached": ", ".join(mail.attachments),
    }
    given = {name: value for name, value in fields.items() if value}
    width = max(len(name) for name in given) if given else 0
    return Content("\n").join([Content.assemble((f"{name:<{width}}  ", "$foreground-muted"), line(value)) for name, value in given.items()])


def conversation(said: Sequence[Said]) -> Content:
    """Return what was said before, one entry after the other."""
    return Content("\n\n").join([Content.assemble((f"{line(one.role)}\n", "bold $foreground-muted"), inert(one.text)) for one in said])


def difference(found: Sequence[Change], unchanged: Iterable[str], outsiders: Sequence[str]) -> Content:
    """Return the changes of an edit, each line with its sign."""
    blocks = [
        Content("\n").join([Content.styled(line(change.name), "bold"), *(_difference_line(one) for one in change.lines)])
        for change in found
    ]
    kept = ", ".join(map(line, unchanged))
    if kept:
        blocks.append(Content.styled(f"unchanged: {kept}", "$foreground-muted"))
    if outsiders:
        blocks.append(Content.styled("! Outside this conversation: " + ", ".join(map(line, outsiders)), "bold $text-error"))
    return Content("\n\n").join(blocks)


def event(one: Event) -> Content:
    """Return what came of an answer, with everything the person wrote in it."""
    head = f"{one.moment:%H:%M:%S}  {told(one)}"
    is_taken = isinstance(one.result, Given)
    details = [f"    wrote {inert(file)}" for file in one.result.files] if isinstance(one.result, Given) else []
    lines = ["    " + text for text in inert(_words(one.answer)).splitlines()]
    style = "$text-success" if is_taken else "$text-error"
    return Content("\n").join([Content.styled(head, style), *map(Content, details), *map(Content, lines)])


def told(one: Event) -> str:
    """Return in one inert line what came of an answer."""
    about = f"{ANSWER_WORDS[one.answer['type']]} · {line(one.question.subject)}"
    match one.result:
        case Given(files=files, outcome=outcome, following=following):
            return line(f"{about} · {_came(files, outcome, following)}")
        case Refused(code=code, message=message, hint=hint):
            return line(f"{about} · not taken: {message} {hint} [{code}]")


def _came(files: Sequence[str], outcome: str, following: Sequence[Waiting]) -> str:
    if files:
        return f"wrote {len(files)} file{'s' * (len(files) > 1)}: {', '.join(file.rpartition('/')[2] for file in files)}"
    if following:
        return f"given; it asks next: {following[0].kind}"
    return f"given: {outcome}" if outcome else "given"


def _words(answer: Answer) -> str:
    args = answer["args"]
    match args:
        case None:
            return ""
        case str():
            return args
        case _:
            return "\n".join(f"{name}: {shown_value(value)}" for name, value in args["args"].items())


def _highlighted(shown: str, outsiders: Sequence[str]) -> Content:
    found = [outsider for outsider in map(line, outsiders) if outsider and outsider in shown]
    if not found:
        return Content(shown)
    content = Content(shown)
    for outsider in found:
        start = shown.index(outsider)
        content = content.stylize("bold reverse $text-error", start, start + len(outsider))
    return Content.assemble(content, (OUTSIDE, "bold $text-error"))


def _difference_line(one: Line) -> Content:
    parts: list[str | tuple[str, str]] = [(f"{one.sign} ", DIFFERENCE_STYLES[one.sign])]
    for is_changed, pieces in groupby(one.pieces, key=lambda piece: piece.is_changed):
        text = inert("".join(piece.text for piece in pieces))
        parts.append((text, CHANGED_STYLES[one.sign] if is_changed and one.sign in CHANGED_STYLES else DIFFERENCE_STYLES[one.sign]))
    return Content.assemble(*parts)
