"""What can go wrong for the person who runs the assistant. A package has more of them in its own errors.py."""

from __future__ import annotations


class AssistantError(Exception):
    """Something the person at the terminal has to know.

    Args:
        message: What happened and where.
        hint: What to do about it.
    """

    def __init__(self, message: str, *, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}"


class MailboxError(AssistantError):
    """The mailbox cannot be read."""


class UnreadableMailError(AssistantError):
    """One file of the mailbox is no mail."""


class CalendarError(AssistantError):
    """A calendar file or its place cannot be read or written."""


class OutboxError(AssistantError):
    """A mail or meeting cannot be written."""


class DecisionsError(AssistantError):
    """The decisions file cannot be read or says something that does not exist."""


class OptionError(AssistantError):
    """An option of the command line has a value that cannot be used."""


class ToolError(AssistantError):
    """A tool cannot run with these arguments, or there is no such tool."""


class InvalidReplyError(AssistantError):
    """A human's answer does not fit the question; the question is asked again."""
