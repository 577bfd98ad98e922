"""A mailbox or a postbox from what a person writes on a command line: a folder, or the address of a server."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from examples.email_assistant.errors import OptionError
from examples.email_assistant.mail.maildir import MaildirMailbox
from examples.email_assistant.mail.outbox import Outbox
from examples.email_assistant.mail.server import Kind, Server, is_address, server

if TYPE_CHECKING:
    from collections.abc import Mapping

    from examples.email_assistant.mail.message import Address
    from examples.email_assistant.mail.port import Mailbox, Postbox


def mailbox(place: str, environment: Mapping[str, str]) -> Mailbox:
    """Return the mailbox at a place.

    Args:
        place: The folder of a Maildir, or an address such as ``imaps://user@host/INBOX``.
        environment: Where the password is looked for.

    Raises:
        OptionError: The address cannot be used.
    """
    if not is_address(place):
        return MaildirMailbox(Path(place))
    # A folder needs none of the library for servers.
    from examples.email_assistant.mail.imap import ImapMailbox  # noqa: PLC0415

    return ImapMailbox(_server(place, "imap", environment))


def postbox(place: str, sender: Address, environment: Mapping[str, str], *, data: Path, sent: str = "") -> Postbox:
    """Return the postbox at a place.

    Args:
        place: The folder of a Maildir, or an address such as ``smtps://user@host``.
        sender: Who the mail is from.
        environment: Where the password is looked for.
        data: The folder for mail on its way to a server.
        sent: The address of a folder on an IMAP server that gets copies, such as ``imaps://user@host/Sent``; empty for none.

    Raises:
        OptionError: An address cannot be used.
    """
    if not is_address(place):
        return Outbox(Path(place), sender)
    from examples.email_assistant.mail.imap import SentFolder  # noqa: PLC0415
    from examples.email_assistant.mail.smtp import SmtpPostbox  # noqa: PLC0415

    copies = SentFolder(_server(sent, "imap", environment)) if sent else None
    return SmtpPostbox(_server(place, "smtp", environment), sender, data / "spool", copies)


def _server(address: str, kind: Kind, environment: Mapping[str, str]) -> Server:
    found = server(address, environment)
    if found.kind != kind:
        raise OptionError(f"{found} is no {kind.upper()} server.", hint=f"Write the address as {kind}s://user@host.")
    return found
