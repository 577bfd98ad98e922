"""What a human is asked, and what they may answer. Pure: a question is made of the state alone, so asking again asks the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

from examples.email_assistant.errors import InvalidReplyError
from examples.email_assistant.mail.circle import outsiders, strangers
from examples.email_assistant.mail.letter import Letter
from examples.email_assistant.rules.letters import has_gap
from graphkit.agents import Review, Reviews
from graphkit.errors import ToolInvocationError
from graphkit.messages import last_ai_message

if TYPE_CHECKING:
    from collections.abc import Collection

    from examples.email_assistant.state import State
    from graphkit.agents import AnswerType, HumanInterrupt
    from graphkit.messages import ToolCall
    from graphkit.tools import Tool

MOST_REDRAFTS = 3
NOTIFY = "Email Assistant: notify"
SHOWN_BODY = 2000
EVERY_ANSWER: frozenset[AnswerType] = frozenset({"accept", "edit", "ignore", "response"})


def reviews() -> Reviews:
    """Return which tools wait for a human; the others run at once.

    A draft with a gap cannot be accepted, and after three re-drafts no other one is made.
    """
    return Reviews(
        {
            "write_email": Review(_answers_to_draft, describe=_proposal, warn=_warn_of_recipients, check=_check_draft),
            "schedule_meeting": Review(allow=True, describe=_proposal, warn=_warn_of_guests),
            "question": Review(("ignore", "response"), describe=_proposal),
        },
        max_redrafts=MOST_REDRAFTS,
    )


def notice() -> Reviews:
    """Return how a mail is shown that needs no reply: it is ignored, or the human says what to reply."""
    return Reviews({NOTIFY: Review(("ignore", "response"), describe=_shown)})


def allowed_answers(request: HumanInterrupt) -> list[AnswerType]:
    """Return the answers a question takes."""
    allowed = request["config"]
    named: dict[AnswerType, bool] = {
        "accept": allowed["allow_accept"],
        "edit": allowed["allow_edit"],
        "response": allowed["allow_respond"],
        "ignore": allowed["allow_ignore"],
    }
    return [answer for answer, is_allowed in named.items() if is_allowed]


def understand(tools: Mapping[str, Tool], answer: object, request: HumanInterrupt) -> None:
    """Check an answer before it is given, for a screen that wants to know early. The graph checks it again.

    Args:
        tools: By name.
        answer: A list with one answer, or the bare answer.
        request: The question.

    Raises:
        InvalidReplyError: It is not allowed here, has no words, or edits into something that cannot run.
    """
    first = answer[0] if isinstance(answer, list) and len(answer) == 1 else answer
    kind = first.get("type") if isinstance(first, Mapping) else None
    action = request["action_request"]
    allowed = allowed_answers(request)
    if not isinstance(first, Mapping) or kind not in allowed:
        raise InvalidReplyError(f"{kind!r} is no answer to {action['action']} here.", hint=f"Possible: {', '.join(allowed)}.")
    args = first.get("args")
    if kind == "response" and (not isinstance(args, str) or not args.strip()):
        raise InvalidReplyError("A response needs words.", hint='Write them as {"type": "response", "args": "..."}.')
    if kind == "edit":
        _understand_edit(tools, args, action["action"])


def _understand_edit(tools: Mapping[str, Tool], args: object, name: str) -> None:
    if isinstance(args, Mapping) and "action" in args:
        if args["action"] != name:
            raise InvalidReplyError(f"An edit cannot turn {name} into {args['action']!r}.", hint="Ignore this call instead.")
        args = args.get("args")
    if not isinstance(args, Mapping):
        raise InvalidReplyError(f"{args!r} are no arguments.", hint="An edit carries all arguments of the call by name.")
    try:
        edited = tools[name].check_args(args)
    except ToolInvocationError as error:
        raise InvalidReplyError(error.message, hint=error.hint or "Correct the argument.") from error
    if has_gap(str(edited.get("content", ""))):
        raise InvalidReplyError("The edited mail still has a gap.", hint="Replace the text in square brackets.")


def _answers_to_draft(call: ToolCall, _state: object) -> Collection[AnswerType]:
    return EVERY_ANSWER - {"accept"} if has_gap(str(call["args"]["content"])) else EVERY_ANSWER


def _check_draft(call: ToolCall, _state: object) -> str | None:
    return "The edited mail still has a gap: replace the text in square brackets." if has_gap(str(call["args"]["content"])) else None


def _warn_of_recipients(call: ToolCall, state: object) -> list[str]:
    args = {name: str(value) for name, value in call["args"].items()}
    letter = Letter(args["to"], args.get("cc", ""), args["subject"], args["content"])
    return _warning(outsiders(letter, _state(state)["mail"]))


def _warn_of_guests(call: ToolCall, state: object) -> list[str]:
    return _warning(strangers([str(guest) for guest in call["args"]["attendees"]], _state(state)["mail"]))


def _warning(found: tuple[str, ...]) -> list[str]:
    return [f"not part of this conversation: {', '.join(found)}"] if found else []


def _proposal(call: ToolCall, state: object) -> str:
    known = _state(state)
    message = last_ai_message(known["messages"])
    note = message.text if message is not None else ""
    gap = "**The draft has a gap.** Edit it, or respond with the words that belong there."
    parts = [f"**{known['model']} proposes {call['name']}:** {note}".rstrip(), _listed(call)]
    return _description(known, "\n\n".join([*parts, *([gap] if has_gap(str(call["args"].get("content", ""))) else [])]))


def _shown(_call: ToolCall, state: object) -> str:
    known = _state(state)
    return _description(known, "**Shown to you because:** " + "; ".join(known["triage"].reasons))


def _listed(call: ToolCall) -> str:
    args = dict(call["args"])
    content = args.pop("content", None)
    lines = [f"{name}: {', '.join(value) if isinstance(value, list) else value}" for name, value in args.items() if value != ""]
    return "\n".join([*lines, *(["", str(content)] if content is not None else [])]).strip()


def _description(state: State, proposal: str) -> str:
    mail = state["mail"]
    body = mail.text if len(mail.text) <= SHOWN_BODY else mail.text[:SHOWN_BODY] + "\n[...]"
    # Quoted line by line: nothing in a mail can pass for a part of the question.
    quoted = "\n".join(f"> {line}" for line in body.splitlines())
    head = [f"**From:** {mail.sender}", f"**To:** {', '.join(map(str, mail.to))}"]
    head += [f"**Cc:** {', '.join(map(str, mail.cc))}"] if mail.cc else []
    head += [f"**Subject:** {mail.subject}"]
    head += [f"**Attached:** {', '.join(one.name for one in mail.attachments)}"] if mail.attachments else []
    return "\n\n".join(["\n".join(head), quoted, proposal])


def _state(state: object) -> State:
    return cast("State", state)
