"""The JSON of the inbox for scripts. One document an invocation, ASCII only: what a mail carries cannot reach a terminal as it is.

``inbox --json``::

    {"schema": "graphkit-inbox/1", "model": "...", "count": 1, "waiting": [QUESTION, ...]}      oldest first

``inbox --json show THREAD``::

    {"schema": ..., "thread": "...", "waiting": [QUESTION, ...], "mail": {"from", "to": [], "cc": [], "subject", "date", "body",
     "attachments": []}, "conversation": [{"role", "text"}, ...]}

``inbox --json answer THREAD INTERRUPT --type TYPE [--args JSON]``::

    {"schema": ..., "thread": "...", "interrupt_id": "...", "type": "...", "files": ["..."], "outcome": "...", "following": [QUESTION, ...]}

Anything that did not work::

    {"schema": ..., "error": {"code": "...", "message": "...", "hint": "...", "is_pending": true}}     is_pending: still unanswered

QUESTION::

    {"thread", "interrupt_id", "action", "args": {}, "allowed": ["accept", ...], "subject", "sender", "since": ISO 8601 with zone,
     "redrafts": 0, "outsiders": ["address", ...], "description": markdown}
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from examples.email_assistant.errors import InvalidReplyError
from examples.email_assistant.inbox.forms import arguments
from examples.email_assistant.inbox.port import ANSWERS, Answer, Edited

if TYPE_CHECKING:
    from collections.abc import Sequence

    from examples.email_assistant.inbox.port import AnswerType, Given, Original, Refused, Said, Waiting

SCHEMA = "graphkit-inbox/1"
JSON_FORM = "--args takes JSON: a text in double quotes for a response, an object for an edit, nothing for accept and ignore."


def listing(waiting: Sequence[Waiting], model: str) -> str:
    """Return the list."""
    return _document({"model": model, "count": len(waiting), "waiting": [_question(one) for one in waiting]})


def thread(name: str, waiting: Sequence[Waiting], mail: Original, said: Sequence[Said]) -> str:
    """Return one thread: its questions, its mail, what was said."""
    shown = {
        "from": mail.sender,
        "to": list(mail.to),
        "cc": list(mail.cc),
        "subject": mail.subject,
        "date": mail.date.isoformat() if mail.date else None,
        "body": mail.body,
        "attachments": list(mail.attachments),
    }
    conversation = [{"role": one.role, "text": one.text} for one in said]
    return _document({"thread": name, "waiting": [_question(one) for one in waiting], "mail": shown, "conversation": conversation})


def given(name: str, interrupt_id: str, answer: Answer, result: Given) -> str:
    """Return what came of an answer."""
    head = {"thread": name, "interrupt_id": interrupt_id, "type": answer["type"]}
    return _document(
        {**head, "files": list(result.files), "outcome": result.outcome, "following": [_question(one) for one in result.following]}
    )


def refused(result: Refused) -> str:
    """Return why something did not work."""
    return _document(
        {"error": {"code": result.code, "message": result.message, "hint": result.hint, "is_pending": result.is_pending}},
    )


def answer_of(kind: AnswerType, written: str | None, action: str) -> Answer:
    """Read an answer from the command line.

    Args:
        kind: The type of the answer.
        written: The JSON given with ``--args``; None when there was none.
        action: The action the question is about.

    Raises:
        InvalidReplyError: The JSON cannot be read, or is not what this type of answer carries.
    """
    found = _json(written) if written is not None else None
    match kind:
        case "edit":
            whole = found if isinstance(found, dict) and set(found) == {"action", "args"} else {"action": action, "args": found}
            return Answer(type=kind, args=Edited(action=str(whole["action"]), args=arguments(whole["args"])))
        case "response":
            if not isinstance(found, str):
                raise InvalidReplyError("A response needs words.", hint=JSON_FORM)
            return Answer(type=kind, args=found)
        case _:
            if found is not None:
                raise InvalidReplyError(f"{kind} carries no arguments.", hint=JSON_FORM)
            return Answer(type=kind, args=None)


def _json(written: str) -> object:
    try:
        found: object = json.loads(written)
    except ValueError as error:
        raise InvalidReplyError(f"--args cannot be read: {error}.", hint=JSON_FORM) from error
    return found


def _question(one: Waiting) -> dict[str, object]:
    return {
        "thread": one.thread,
        "interrupt_id": one.interrupt_id,
        "action": one.action,
        "args": one.args,
        "allowed": [answer for answer in ANSWERS if answer in one.allowed],
        "subject": one.subject,
        "sender": one.sender,
        "since": one.since.isoformat(),
        "redrafts": one.redrafts,
        "outsiders": list(one.outsiders),
        "description": one.description,
    }


def _document(content: dict[str, object]) -> str:
    return json.dumps({"schema": SCHEMA, **content}, indent=2)
