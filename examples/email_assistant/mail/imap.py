"""The mailbox on a server: IMAP4rev1 (RFC 3501). Only this file speaks IMAP.

1. Mail is named by UIDVALIDITY and UID, so a name never comes to mean another mail.
2. Reading opens the folder read-only and peeks: nothing becomes seen.
3. Each call has a connection of its own: nothing waits on a server while a human thinks.
4. Nothing is deleted or moved, and no folder is ever expunged.
"""

from __future__ import annotations

import hashlib
import re
import ssl
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from email import message_from_bytes
from email.policy import default
from imaplib import IMAP4
from typing import TYPE_CHECKING

from imapclient import SEEN, IMAPClient  # type: ignore[import-untyped]
from imapclient.exceptions import CapabilityError, LoginError  # type: ignore[import-untyped]

from examples.email_assistant.errors import MailboxError
from examples.email_assistant.mail import intake
from examples.email_assistant.mail.errors import (
    ConnectionLostError,
    InsecureServerError,
    LoginRefusedError,
    MailboxChangedError,
    MailServerError,
    MissingFolderError,
    ServerRefusedError,
    ServerUnreachableError,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date

    from examples.email_assistant.mail.intake import Unreadable
    from examples.email_assistant.mail.message import Mail
    from examples.email_assistant.mail.server import Server

HANDLED = "$GraphkitHandled"
KEY = re.compile(r"imap-(?P<folder>[0-9a-f]{8})-(?P<validity>\d+)-(?P<uid>\d+)")
ANY_KEYWORD = rb"\*"
AT_ONCE = 500
CONTENT = "BODY.PEEK[]"
RUN_AGAIN = "Nothing was changed; run it again."


@dataclass(frozen=True, slots=True)
class ImapMailbox:
    """A mail folder on a server as a `Mailbox`.

    Mail waits while it is neither seen nor carries the keyword ``$GraphkitHandled``: what you have read yourself is yours.

    Args:
        server: The server, the account and the folder.
        since: Leave out mail that arrived before this day; None leaves out none.
    """

    server: Server
    since: date | None = None

    def unread(self) -> list[Mail | Unreadable]:
        """Return what waits, as `Mailbox.unread`."""
        with _session(self.server) as client:
            prefix = f"imap-{_folder_sign(self.server)}-{_open(client, self.server, readonly=True)[b'UIDVALIDITY']}"
            sizes = _sizes(client, self._waiting(client))
            found = [one for uid, size in sizes.items() if (one := _fetched(client, uid, size, f"{prefix}-{uid}")) is not None]
        return sorted(found, key=intake.age)

    def mark_handled(self, key: str) -> None:
        """Give a mail the keyword, or make it seen where the server permits no keywords; as `Mailbox.mark_handled`."""
        named = KEY.fullmatch(key)
        if named is None or named["folder"] != _folder_sign(self.server):
            raise MailboxError(
                f"{key!r} is no mail of the folder {self.server.folder!r} of {self.server}.",
                hint="It came from another mailbox: give that one.",
            )
        with _session(self.server) as client:
            folder = _open(client, self.server, readonly=False)
            if folder[b"UIDVALIDITY"] != int(named["validity"]):
                raise MailboxChangedError(
                    f"The folder {self.server.folder!r} of {self.server} was made anew since {key} was read.",
                    hint="Nothing was marked. The mail comes again under another name; its thread knows it is done.",
                )
            _mark(client, int(named["uid"]), _permitted(folder), self.server)

    def _waiting(self, client: IMAPClient) -> list[int]:
        criteria: list[object] = ["UNSEEN", "UNDELETED", "UNKEYWORD", HANDLED]
        if self.since is not None:
            criteria += ["SINCE", self.since]
        return list(client.search(criteria))


@dataclass(frozen=True, slots=True)
class SentFolder:
    """A folder on a server that keeps copies of sent mail.

    Args:
        server: The server and the account, with the folder, usually ``Sent``.
    """

    server: Server

    def keep(self, content: bytes) -> None:
        """Put a copy into the folder unless a mail with its Message-ID is there.

        Raises:
            MailboxError: There is no such folder.
            MailServerError: The server cannot be used.
        """
        identity = str(message_from_bytes(content, policy=default)["Message-ID"])
        with _session(self.server) as client:
            _open(client, self.server, readonly=True)
            if not client.search(["HEADER", "Message-ID", identity]):
                client.append(self.server.folder, content, flags=(SEEN,))


@contextmanager
def _session(server: Server) -> Iterator[IMAPClient]:
    """Connect, log in, and translate whatever goes wrong until the end."""
    client = _connected(server)
    try:
        _protect(client, server)
        _log_in(client, server)
        yield client
        with suppress(IMAP4.error, OSError):
            client.logout()
    except IMAP4.abort as error:
        raise _lost(server, error) from error
    except IMAP4.error as error:
        raise ServerRefusedError(f"{server} refused a request: {server.quoted(error)}.", hint=RUN_AGAIN) from error
    except OSError as error:
        raise _lost(server, error) from error
    finally:
        with suppress(OSError):
            client.shutdown()


def _connected(server: Server) -> IMAPClient:
    try:
        return IMAPClient(
            server.host, server.port, ssl=server.protection == "tls", ssl_context=server.trust, timeout=server.timeout, use_uid=True
        )
    except ssl.SSLError as error:
        raise _untrusted(server, error) from error
    except (IMAP4.error, OSError) as error:
        raise ServerUnreachableError(
            f"{server} cannot be reached: {server.quoted(error)}.", hint="Check host, port and network."
        ) from error


def _protect(client: IMAPClient, server: Server) -> None:
    if server.protection != "starttls":
        return
    try:
        client.starttls(server.trust)
    except ssl.SSLError as error:
        raise _untrusted(server, error) from error
    except CapabilityError as error:
        raise InsecureServerError(
            f"{server} offers no encryption.", hint="No password was sent. Try imaps:// with the port for it, usually 993."
        ) from error


def _log_in(client: IMAPClient, server: Server) -> None:
    try:
        if server.password.isascii() and server.user.isascii():
            client.login(server.user, server.password)
        else:
            client.plain_login(server.user, server.password)
    except LoginError as error:
        # The client reports a connection that breaks during the login as a refused login.
        if isinstance(error.__context__, IMAP4.abort):
            raise _lost(server, error) from error
        raise LoginRefusedError(
            f"{server} does not let {server.user} in: {server.quoted(error)}.",
            hint="Check user and password; some servers want an app password.",
        ) from error


def _open(client: IMAPClient, server: Server, *, readonly: bool) -> Mapping[bytes, object]:
    try:
        folder: Mapping[bytes, object] = client.select_folder(server.folder, readonly=readonly)
    except (IMAP4.abort, IMAP4.readonly):
        raise
    except IMAP4.error as error:
        raise MissingFolderError(
            f"{server} has no folder {server.folder!r} for {server.user}: {server.quoted(error)}.",
            hint="Give the folder in the address: imaps://user@host/INBOX.",
        ) from error
    if not isinstance(folder.get(b"UIDVALIDITY"), int):
        raise ServerRefusedError(f"{server} gives its mail no lasting names.", hint="Use a server with UIDVALIDITY (RFC 3501).")
    return folder


def _sizes(client: IMAPClient, uids: list[int]) -> dict[int, int]:
    """Return the bytes of each mail that is still there."""
    portions = [uids[start : start + AT_ONCE] for start in range(0, len(uids), AT_ONCE)]
    answers = [answer for portion in portions for answer in client.fetch(portion, ["RFC822.SIZE"]).items()]
    return {uid: facts[b"RFC822.SIZE"] for uid, facts in answers if b"RFC822.SIZE" in facts}


def _fetched(client: IMAPClient, uid: int, size: int, key: str) -> Mail | Unreadable | None:
    if size > intake.LARGEST:
        return intake.too_large(size, key)
    content = client.fetch([uid], [CONTENT]).get(uid, {}).get(b"BODY[]")
    # Without content it was deleted since the search.
    return intake.taken(content, key) if isinstance(content, bytes) else None


def _permitted(folder: Mapping[bytes, object]) -> bytes:
    r"""Return the flag for handled mail: a keyword lives on only where PERMANENTFLAGS has it or ``\*``."""
    flags = folder.get(b"PERMANENTFLAGS", (ANY_KEYWORD,))
    names = {flag.lower() for flag in flags} if isinstance(flags, tuple) else set()
    return HANDLED.encode() if names & {ANY_KEYWORD, HANDLED.lower().encode()} else bytes(SEEN)


def _mark(client: IMAPClient, uid: int, flag: bytes, server: Server) -> None:
    if client.search(["UID", str(uid), *_unmarked(flag)]):
        client.add_flags([uid], [flag], silent=True)
    # Some servers answer OK and do nothing when the right to set the flag is missing.
    if client.search(["UID", str(uid), *_unmarked(flag)]):
        raise ServerRefusedError(
            f"{server} does not let {server.user} mark mail in {server.folder!r}.",
            hint="Ask for the right to set flags, or the mail comes again.",
        )


def _unmarked(flag: bytes) -> list[str]:
    return ["UNSEEN"] if flag == SEEN else ["UNKEYWORD", flag.decode()]


def _folder_sign(server: Server) -> str:
    """Tell folders of one account apart: their UIDVALIDITY is often the second they were made in."""
    return hashlib.sha256(f"{server.user}\n{server.folder}".encode()).hexdigest()[:8]


def _untrusted(server: Server, error: ssl.SSLError) -> InsecureServerError:
    return InsecureServerError(
        f"{server} cannot be trusted: {server.quoted(error)}.",
        hint="No password was sent. Check host and port; set SSL_CERT_FILE for a certificate authority of your own.",
    )


def _lost(server: Server, error: Exception) -> MailServerError:
    what = f"said nothing for {server.timeout:g} seconds" if isinstance(error, TimeoutError) else "broke the connection"
    return ConnectionLostError(f"{server} {what}: {server.quoted(error)}.", hint=RUN_AGAIN)
