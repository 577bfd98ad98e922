"""What the graph asks of a model: sort a mail, propose the next step.

`rules/` needs no key and no network, `language.py` asks a language model. Whichever it is, it decides and never acts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import datetime

    from examples.email_assistant.mail.message import Mail
    from examples.email_assistant.memory import Preferences
    from examples.email_assistant.sorting import Triage
    from examples.email_assistant.state import State
    from graphkit import AIMessage


class Model(Protocol):
    """Decides; never acts. Both methods are called inside a node and may be called again with the same input."""

    @property
    def name(self) -> str:
        """The name that is shown and stored with what the model made."""
        ...

    def triage(self, mail: Mail, now: datetime, preferences: Preferences) -> Triage:
        """Decide whether to ignore a mail, show it, or work on a reply.

        Raises:
            ModelError: A language model could not answer.
        """
        ...

    def propose(self, state: State, now: datetime, preferences: Preferences) -> AIMessage:
        """Propose the next step from all that happened in the thread: an AI message with the calls to make, in order.

        Raises:
            ModelError: A language model could not answer.
        """
        ...
