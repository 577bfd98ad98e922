"""Questions to a human and their answers. Pure: a question is made of the state alone, so asking it again gives the same question.

A question is a list with one object ``{"action_request": {"action", "args"}, "config": {"allow_ignore", "allow_respond",
"allow_edit", "allow_accept"}, "description"}``, the form that review screens for LangGraph read. An answer is a list with one object
``{"type": "accept" | "edit" | "ignore" | "response", "args": ...}``; the bare object is taken too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import getaddresses
from typing import TYPE_CHECKING, TypedDict, get_args

from examples.email_assistant.errors import InvalidReplyError, ToolError
from examples.email_assistant.rules.letters import has_gap
from examples.email_assistant.state import AnswerType, Arguments, State, ToolCall, Verdict, redrafts
from examples.email_assistant.tools import TOOLS, checked

if TYPE_CHECKING:
    from examples.email_assistant.mail.message import Mail

MOST_REDRAFTS = 3
NOTIFY = "Email Assistant: notify"
SHOWN_BODY = 2000


class ActionRequest(TypedDict):
    """What is asked about: the tool and its arguments, or a label and none."""

    action: str
    args: Arguments


class AllowedAnswers(TypedDict):
    """Which answers are taken."""

    allow_ignore: bool
    allow_respond: bool
    allow_edit: bool
    allow_accept: bool


class Request(TypedDict):
    """One question."""

    action_request: ActionRequest
    config: AllowedAnswers
    description: str


@dataclass(frozen=True, slots=True)
class Reviewed:
    """An answer that was understood: the verdict, and the arguments to run with (changed by an edit)."""

    verdict: Verdict
    args: Arguments


def ask_about_mail(state: State, refused: str = "") -> list[Request]:
    """Return the question for a mail that is only shown: ignore it, or say what to reply.

    Args:
        state: The thread.
        refused: What was wrong with the last answer; empty for the first question.
    """
    description = _description(state, "**Shown to you because:** " + "; ".join(state["triage"].reasons), refused)
    request = Request(
        action_request=ActionRequest(action=NOTIFY, args={}), config=_allowed(frozenset({"ignore", "response"})), description=description
    )
    return [request]


def ask_about_call(state: State, call: ToolCall, refused: str = "") -> list[Request]:
    """Return the question for a proposed call.

    A draft with a gap cannot be accepted, and after three re-drafts no other one is made.
    """
    answers = set(TOOLS[call["name"]].answers)
    notes = [f"**{state['model']} proposes {call['name']}:** {_note(state)}", _shown(call)]
    if has_gap(str(call["args"].get("content", ""))) and call["name"] == "write_email":
        answers.discard("accept")
        notes.append("**The draft has a gap.** Edit it, or respond with the words that belong there.")
    if redrafts(state) >= MOST_REDRAFTS and "edit" in answers:
        answers.discard("response")
        notes.append(f"**{MOST_REDRAFTS} of {MOST_REDRAFTS} re-drafts are used.** Accept, edit or ignore.")
    if outsiders := _outsiders(call, state["mail"]):
        notes.append(f"**Not part of this conversation:** {', '.join(outsiders)}")
    request = Request(
        action_request=ActionRequest(action=call["name"], args=call["args"]),
        config=_allowed(frozenset(answers)),
        description=_description(state, "\n\n".join(notes), refused),
    )
    return [request]


def understand(answer: object, request: Request) -> Reviewed:
    """Read an answer.

    Raises:
        InvalidReplyError: It has another form, is not allowed here, or edits into something that cannot run.
    """
    first = answer[0] if isinstance(answer, list) and len(answer) == 1 else answer
    if not isinstance(first, Mapping) or first.get("type") not in get_args(AnswerType):
        raise InvalidReplyError(
            f"{answer!r} is no answer.", hint='An answer is [{"type": "accept" | "edit" | "ignore" | "response", "args": ...}].'
        )
    kind: AnswerType = first["type"]
    action = request["action_request"]
    if kind not in (allowed := allowed_answers(request)):
        raise InvalidReplyError(f"{kind!r} is no answer to {action['action']} here.", hint=f"Possible: {', '.join(allowed)}.")
    match kind:
        case "response":
            return Reviewed(Verdict("response", _words(first.get("args"))), action["args"])
        case "edit":
            return Reviewed(Verdict("edit"), _edited(first.get("args"), action))
        case _:
            return Reviewed(Verdict(kind), action["args"])


def allowed_answers(request: Request) -> list[AnswerType]:
    """Return the answers a question takes."""
    allowed = request["config"]
    named: dict[AnswerType, bool] = {
        "accept": allowed["allow_accept"],
        "edit": allowed["allow_edit"],
        "response": allowed["allow_respond"],
        "ignore": allowed["allow_ignore"],
    }
    return [answer for answer, is_allowed in named.items() if is_allowed]


def _allowed(answers: frozenset[AnswerType]) -> AllowedAnswers:
    return AllowedAnswers(
        allow_ignore="ignore" in answers,
        allow_respond="response" in answers,
        allow_edit="edit" in answers,
        allow_accept="accept" in answers,
    )


def _words(args: object) -> str:
    if not isinstance(args, str) or not args.strip():
        raise InvalidReplyError("A response needs words.", hint='Write them as {"type": "response", "args": "..."}.')
    return args.strip()


def _edited(args: object, action: ActionRequest) -> Arguments:
    """Read ``{"action": ..., "args": {...}}`` or the bare arguments."""
    if isinstance(args, Mapping) and "action" in args:
        if args["action"] != action["action"]:
            raise InvalidReplyError(f"An edit cannot turn {action['action']} into {args['action']!r}.", hint="Ignore this call instead.")
        args = args.get("args")
    if not isinstance(args, Mapping):
        raise InvalidReplyError(f"{args!r} are no arguments.", hint="An edit carries all arguments of the call by name.")
    try:
        edited = checked(action["action"], args)
    except ToolError as error:
        raise InvalidReplyError(error.message, hint=error.hint) from error
    if action["action"] == "write_email" and has_gap(str(edited["content"])):
        raise InvalidReplyError("The edited mail still has a gap.", hint="Replace the text in square brackets.")
    return edited


def _note(state: State) -> str:
    own = [message["content"] for message in state["messages"] if message["role"] == "assistant"]
    return own[-1]


def _shown(call: ToolCall) -> str:
    args = dict(call["args"])
    content = args.pop("content", None)
    lines = [f"{name}: {', '.join(value) if isinstance(value, list) else value}" for name, value in args.items() if value != ""]
    return "\n".join([*lines, *(["", str(content)] if content is not None else [])]).strip()


def _outsiders(call: ToolCall, mail: Mail) -> list[str]:
    written = [str(call["args"].get("to", "")), str(call["args"].get("cc", ""))]
    guests = call["args"].get("attendees", [])
    addresses = [address for _, address in getaddresses([*written, *(guests if isinstance(guests, list) else [])]) if address]
    return [address for address in addresses if address.lower() not in mail.participants]


def _description(state: State, proposal: str, refused: str) -> str:
    mail = state["mail"]
    body = mail.text if len(mail.text) <= SHOWN_BODY else mail.text[:SHOWN_BODY] + "\n[...]"
    # Quoted line by line: nothing in a mail can pass for a part of the question.
    quoted = "\n".join(f"> {line}" for line in body.splitlines())
    head = [f"**From:** {mail.sender}", f"**To:** {', '.join(map(str, mail.to))}"]
    head += [f"**Cc:** {', '.join(map(str, mail.cc))}"] if mail.cc else []
    head += [f"**Subject:** {mail.subject}"]
    head += [f"**Attached:** {', '.join(one.name for one in mail.attachments)}"] if mail.attachments else []
    complaint = [f"**Your last answer could not be used:** {refused}"] if refused else []
    return "\n\n".join([*complaint, "\n".join(head), quoted, proposal])
