"""A file of decisions: what a human would answer, written down beforehand for runs without one.

::

    [[decision]]                    # the first one that fits a question answers it
    sender = "priya"                # part of the sender's name or address
    subject = "walk-through"        # part of the subject
    tool = "schedule_meeting"       # write_email, schedule_meeting, question or notify
    redraft = 1                     # only after the proposal was sent back once
    answer = "edit"                 # accept, edit, ignore or response
    args = { start_time = "15:00" } # for edit: what changes
    text = "..."                    # for response: the words

A question that no decision fits stays pending.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, get_args

from examples.email_assistant.assistant import Answer, Arguments
from examples.email_assistant.errors import DecisionsError, InvalidReplyError
from examples.email_assistant.review import NOTIFY, reviews
from graphkit.agents import AnswerType

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from examples.email_assistant.assistant import Asked

TOOL_NAMES = ("notify", *reviews().tools)
KEYS: Mapping[str, type] = {"sender": str, "subject": str, "tool": str, "redraft": int, "answer": str, "args": dict, "text": str}


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision: when it fits and what it says. Empty words and None fit everything."""

    answer: AnswerType
    sender: str = ""
    subject: str = ""
    tool: str = ""
    redraft: int | None = None
    text: str = ""
    args: Arguments | None = None

    def fits(self, asked: Asked) -> bool:
        """Tell whether this decision is about a question."""
        tool = "notify" if asked.action == NOTIFY else asked.action
        return (
            self.sender.lower() in str(asked.mail.sender).lower()
            and self.subject.lower() in asked.mail.subject.lower()
            and self.tool in {"", tool}
            and self.redraft in {None, asked.redrafts}
        )


@dataclass(frozen=True, slots=True)
class Decisions:
    """Answers questions from a file.

    Args:
        path: The file, for messages about it.
        decisions: In the order of the file.
    """

    path: Path
    decisions: tuple[Decision, ...]

    def answer(self, asked: Asked) -> Answer | None:
        """Answer with the first decision that fits; None when none does."""
        found = self._first(asked)
        if found is None:
            return None
        _, decision = found
        return Answer(type=decision.answer, args=_args(decision, asked.request["action_request"]["args"]))

    def refused(self, asked: Asked, error: InvalidReplyError) -> None:
        """Stop: the same decision would be given again.

        Raises:
            DecisionsError: Always; it names the decision. The question stays pending.
        """
        place, _ = self._first(asked) or (0, None)
        where = f"Decision {place} of {self.path} cannot answer {asked.action} for {asked.mail.subject!r}"
        raise DecisionsError(f"{where}: {error.message}", hint=f"{error.hint} The question stays pending.") from error

    def _first(self, asked: Asked) -> tuple[int, Decision] | None:
        return next(((place, decision) for place, decision in enumerate(self.decisions, 1) if decision.fits(asked)), None)


def load(path: Path) -> Decisions:
    """Read a file of decisions.

    Raises:
        DecisionsError: There is no such file, it is no TOML, or it says something that does not exist.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DecisionsError(
            f"The decisions file {path} cannot be read: {error.strerror}.", hint="Give another one with --decisions FILE."
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DecisionsError(f"{path} is no TOML file: {error}.", hint="Correct it; nothing was answered.") from error
    entries = content.pop("decision", [])
    if content or not isinstance(entries, list):
        raise DecisionsError(
            f"{path} has something else than [[decision]] tables: {', '.join(content) or 'decision'}.", hint="See demo.toml."
        )
    return Decisions(path, tuple(_decision(entry, f"decision {place} of {path}") for place, entry in enumerate(entries, 1)))


def _args(decision: Decision, proposed: Arguments) -> str | Arguments | None:
    match decision.answer:
        case "edit":
            return {**proposed, **(decision.args or {})}
        case "response":
            return decision.text
        case _:
            return None


def _decision(entry: object, where: str) -> Decision:
    if not isinstance(entry, dict):
        raise DecisionsError(f"{where} is no table.", hint="Write it as [[decision]].")
    for key, value in entry.items():
        if key not in KEYS:
            raise DecisionsError(f"{where} has the unknown key {key!r}.", hint=f"Known: {', '.join(KEYS)}.")
        if not isinstance(value, KEYS[key]):
            raise DecisionsError(f"{where}: {key} cannot be {value!r}.", hint=f"It has to be: {KEYS[key].__name__}.")
    if entry.get("answer") not in get_args(AnswerType):
        raise DecisionsError(
            f"{where} has no possible answer: {entry.get('answer')!r}.", hint=f"Possible: {', '.join(get_args(AnswerType))}."
        )
    if entry.get("tool", "") not in {"", *TOOL_NAMES}:
        raise DecisionsError(f"{where} is about the unknown tool {entry['tool']!r}.", hint=f"Known: {', '.join(TOOL_NAMES)}.")
    if entry["answer"] == "response" and not entry.get("text", "").strip():
        raise DecisionsError(f"{where} responds without words.", hint='Add text = "...".')
    return Decision(**entry)
