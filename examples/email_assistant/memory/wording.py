"""A language model may word what was learned. Rules never ask for that: their preferences have the built-in sentences."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from examples.email_assistant.memory.preference import LONGEST_RULE, one_line

if TYPE_CHECKING:
    from collections.abc import Iterable

    from examples.email_assistant.memory.preference import Preference


class Wording(Protocol):
    """Something that words rules, such as a language model."""

    def word(self, preference: Preference) -> str:
        """Return one sentence for a rule.

        ``preference.source.change`` has what the owner did. ``preference.source.subject`` and ``.sender`` are the sender's words.

        Raises:
            ModelError: A language model could not answer.
        """
        ...


def distil(model: Wording | None, preferences: Iterable[Preference]) -> tuple[Preference, ...]:
    """Return preferences in the words of a model: only the sentence changes, so what rules apply and the ids stay as they are.

    Args:
        model: Words them; None leaves them as they are.
        preferences: What was learned.

    Raises:
        ModelError: The model could not answer.
    """
    if model is None:
        return tuple(preferences)
    return tuple([_worded(one, model.word(one)) for one in preferences])


def _worded(one: Preference, words: str) -> Preference:
    # A model that says nothing, or does not stop, has not worded a rule.
    sentence = one_line(words, LONGEST_RULE + 1)
    return replace(one, rule=sentence) if 0 < len(sentence) <= LONGEST_RULE else one
