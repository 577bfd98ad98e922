"""What can go wrong with learned preferences. Only this file defines these error classes."""

from __future__ import annotations

from examples.email_assistant.errors import AssistantError


class PreferenceError(AssistantError):
    """Something about a preference does not work; nothing was changed."""


class InvalidPreferenceError(PreferenceError):
    """A rule, an effect, a sender or a user that cannot be kept."""


class UnknownPreferenceError(PreferenceError):
    """There is no such preference, or more than one that begins like this."""


class PreferenceConflictError(PreferenceError):
    """Somebody else changed the preference first."""


class UnreadablePreferenceError(PreferenceError):
    """A stored preference cannot be read."""
