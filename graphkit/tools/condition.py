"""Where to go after a model has answered."""

from __future__ import annotations

from typing import Any, Literal

from graphkit.core.command import END
from graphkit.errors import InvalidStateError
from graphkit.messages import ToolMessage, read_messages
from graphkit.tools.request import messages_of, unanswered


def tools_condition(state: Any, messages_key: str = "messages") -> Literal["tools", "__end__"]:  # noqa: ANN401 - any graph's state
    """Route to "tools" if the model called tools that have not answered, else to END.

    Calls that cannot be read count: the model has to be told. What comes after the last AI message may only be tool messages.

    Args:
        state: A dict, an object with attributes, or a list of messages.
        messages_key: The key that holds the conversation.

    Raises:
        InvalidStateError: There are no messages.
    """
    messages = read_messages(state if isinstance(state, list) else messages_of(state, messages_key))
    if not messages:
        raise InvalidStateError("There are no messages to route by.", hint="Use tools_condition after a model.", key=messages_key)
    start = len(messages) - 1
    while start and isinstance(messages[start], ToolMessage):
        start -= 1
    return "tools" if unanswered(messages[start:]) else END
