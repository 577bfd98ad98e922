"""What a person decided about a call, and the hash that ties the decision to what was shown."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from graphkit.agents.policy import AnswerType  # noqa: TC001 - pydantic and the codec read the annotations of a Verdict

if TYPE_CHECKING:
    from graphkit.messages import AIMessage, ToolCall


@dataclass(frozen=True, slots=True)
class Verdict:
    """A decision about one tool call. It is kept in the state until the call is settled.

    Args:
        call_id: The call.
        tool: Name of the tool.
        type: What was decided.
        digest: Hash of the tool and of the arguments that may run; ``digest_of`` makes it.
        args: Those arguments: of an edit the edited ones, else those that were shown.
        text: What the person said: the feedback of a response, the reason of an ignore.
    """

    call_id: str
    tool: str
    type: AnswerType
    digest: str
    args: dict[str, Any] = field(default_factory=dict)
    text: str = ""


@dataclass(frozen=True, slots=True)
class Reviewed:
    """What came of a review.

    Args:
        message: The AI message, the same object if nothing was edited. Otherwise edited calls have their new arguments,
            under the same message id, the same call ids and in the same order.
        verdicts: By call id, those of the reviewed calls.
    """

    message: AIMessage
    verdicts: dict[str, Verdict]


def digest_of(call: ToolCall) -> str:
    """Return the hash of a call's tool and arguments; two calls have the same one only if they are the same."""
    text = json.dumps([call["name"], call["args"]], sort_keys=True, ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    return sha256(text.encode()).hexdigest()


def is_json(value: object) -> bool:
    """Tell whether a value is what JSON has: such values have one text each, so their hash says what they are."""
    if value is None or isinstance(value, str | bool | int):
        return True
    if isinstance(value, float):
        return value - value == 0  # neither infinite nor NaN
    if isinstance(value, Mapping):
        return type(value) is dict and all([isinstance(key, str) and is_json(item) for key, item in value.items()])
    return type(value) is list and all([is_json(item) for item in value])
