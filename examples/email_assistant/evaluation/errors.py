"""What can go wrong in an evaluation itself. What goes wrong in the assistant it evaluates is a result, not an error."""

from __future__ import annotations

from examples.email_assistant.errors import AssistantError


class CorpusError(AssistantError):
    """A corpus cannot be read, or its labels do not fit its mails."""


class ReportError(AssistantError):
    """A report cannot be written, or cannot be what was asked for."""


class JudgeError(AssistantError):
    """A judge gave something that is no verdict."""
