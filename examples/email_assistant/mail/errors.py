"""What can go wrong between the assistant and a mail server. Only this file defines these error classes.

Each says what became of the mail: of an `InDoubtError` nobody knows, after any other nothing was sent and nothing was marked.
"""

from __future__ import annotations

from examples.email_assistant.errors import AssistantError, MailboxError, OutboxError


class MailServerError(AssistantError):
    """A mail server cannot be used."""


class ServerUnreachableError(MailServerError):
    """No connection to the server could be made."""


class InsecureServerError(MailServerError):
    """The server offers no encryption, or one that cannot be trusted; no password was sent."""


class LoginRefusedError(MailServerError):
    """The server does not take this user with this password."""


class ConnectionLostError(MailServerError):
    """The connection ended, or the server fell silent, in the middle of the work."""


class ServerRefusedError(MailServerError):
    """The server said no to a request."""


class RecipientRefusedError(ServerRefusedError):
    """The server does not take mail for one of the recipients; nobody got it."""


class MissingFolderError(MailboxError):
    """The server has no mail folder of this name."""


class MailboxChangedError(MailboxError):
    """The folder was made anew on the server: what its mail was called before means nothing now (RFC 3501, section 2.3.1.1)."""


class InDoubtError(OutboxError):
    """A mail was handed to a server that did not say whether it took it. It is kept and never sent again by itself."""
