r"""The postbox on a server: SMTP submission (RFC 5321, RFC 6409). Only this file speaks SMTP.

A mail can be sent twice only when it is handed over twice, so the moment of handing over is marked:

1. The mail is written to the spool, complete and synced.
2. Connection, encryption, login, sender, recipients, the text: when one of these fails nothing was sent, and sending again is safe.
3. The spool records that the mail is in doubt.
4. The final ``\r\n.\r\n`` goes to the server, which says yes (sent) or no (not sent). Silence leaves the mail in doubt, for good.
"""

from __future__ import annotations

import smtplib
import ssl
from base64 import b64encode
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from examples.email_assistant.errors import AssistantError
from examples.email_assistant.mail.errors import (
    ConnectionLostError,
    InsecureServerError,
    LoginRefusedError,
    RecipientRefusedError,
    ServerRefusedError,
    ServerUnreachableError,
)
from examples.email_assistant.mail.letter import composed, envelope, message_id, name_of
from examples.email_assistant.mail.port import Receipt
from examples.email_assistant.mail.spool import Spool, doubt

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from examples.email_assistant.mail.letter import Letter
    from examples.email_assistant.mail.message import Address, Mail
    from examples.email_assistant.mail.server import Server

# The name of this machine is nobody's business (RFC 5321, section 4.1.3 permits a literal).
GREETING = "[127.0.0.1]"
TEXT_FOLLOWS = 354
SAFE = "Nothing was sent; run it again."


class Copies(Protocol):
    """Keeps copies of what was sent."""

    def keep(self, content: bytes) -> None:
        """Keep one copy; keeping it again changes nothing."""
        ...


@dataclass(frozen=True, slots=True)
class SmtpPostbox:
    """A server that sends mail; a `Postbox`.

    Args:
        server: The server and the account.
        sender: Who the mail is from.
        spool: The folder that holds mail on its way, and what was sent.
        copies: Also keeps what was sent, for example in a folder on an IMAP server; None keeps it in the spool only.
    """

    server: Server
    sender: Address
    spool: Path
    copies: Copies | None = None

    def send(self, letter: Letter, *, key: str, answers: Mail | None, now: datetime) -> Receipt:
        """Send one letter, as `Postbox.send`."""
        spool, name, identity = Spool(self.spool), name_of(key), message_id(key, self.sender)
        if file := spool.sent(name):
            return Receipt(identity, file)
        spool.refuse_doubt(name)
        content = spool.keep(name, composed(letter, sender=self.sender, key=key, answers=answers, now=now)).read_bytes()
        file = self._handed_over(spool, name, content)
        return Receipt(identity, file, self._copy(content))

    def _handed_over(self, spool: Spool, name: str, content: bytes) -> Path:
        with _session(self.server) as client:
            _announce(client, self.server, content)
            claimed = spool.claim(name)
            # Another process may have sent it since the first look.
            if spool.sent(name):
                # Without its end, the server forgets what it heard.
                client.close()
                return spool.settle(name)
            try:
                client.send(b".\r\n")
                code, words = client.getreply()
            except (smtplib.SMTPException, OSError) as error:
                raise doubt(claimed, f"{self.server} did not say whether it took it ({self.server.quoted(error)})") from error
            match code // 100:
                case 2:
                    return spool.settle(name)
                case 4 | 5:
                    spool.release(name)
                    raise _refusal(self.server, "the mail", code, words)
                case _:
                    raise doubt(claimed, f"{self.server} answered what is no answer ({self.server.quoted(words)})")

    def _copy(self, content: bytes) -> str:
        try:
            if self.copies is not None:
                self.copies.keep(content)
        except AssistantError as error:
            return f"The mail was sent, but no copy could be kept: {error}"
        return ""


def _announce(client: smtplib.SMTP, server: Server, content: bytes) -> None:
    """Say everything but the end of the mail: until then the server must not send it (RFC 5321, section 4.1.1.4)."""
    sender, people = envelope(content)
    options = (f"size={len(content)}",) if client.has_extn("size") else ()
    _expect(server, "the sender", client.mail(sender, options))
    for person in people:
        code, words = client.rcpt(person)
        if code // 100 != 2:
            raise RecipientRefusedError(
                f"{server} does not take mail for {person}: {code} {server.quoted(words)}.",
                hint=f"Nobody got the mail. {'Run it again later' if code // 100 == 4 else 'Correct the address, or leave it out'}.",
            )
    code, words = client.docmd("DATA")
    if code != TEXT_FOLLOWS:
        raise _refusal(server, "the mail", code, words)
    client.send(_stuffed(content))


def _stuffed(content: bytes) -> bytes:
    """Return the text as it goes over the wire: no lone CR or LF, so that nothing in it passes for the end (RFC 5321, section 4.5.2)."""
    lines = content.splitlines()
    return b"".join(b"." * line.startswith(b".") + line + b"\r\n" for line in lines)


def _expect(server: Server, what: str, reply: tuple[int, bytes]) -> None:
    if reply[0] // 100 != 2:
        raise _refusal(server, what, *reply)


def _refusal(server: Server, what: str, code: int, words: bytes) -> ServerRefusedError:
    later = code // 100 == 4
    return ServerRefusedError(
        f"{server} refuses {what}: {code} {server.quoted(words)}.",
        hint="Nothing was sent. The server says it may work later: run it again."
        if later
        else "Nothing was sent. Ask who runs the server.",
    )


@contextmanager
def _session(server: Server) -> Iterator[smtplib.SMTP]:
    """Connect, encrypt, log in, and translate whatever goes wrong until the end."""
    client = _connected(server)
    try:
        _protect(client, server)
        _log_in(client, server)
        yield client
        # The mail is settled by now: a server that does not say goodbye changes nothing.
        with suppress(smtplib.SMTPException, OSError):
            client.quit()
    except (smtplib.SMTPServerDisconnected, OSError) as error:
        if isinstance(error, smtplib.SMTPResponseException):
            raise _refusal(server, "a request", error.smtp_code, _words(error)) from error
        raise ConnectionLostError(f"{server} broke the connection: {server.quoted(error)}.", hint=SAFE) from error
    finally:
        client.close()


def _connected(server: Server) -> smtplib.SMTP:
    try:
        if server.protection == "tls":
            return smtplib.SMTP_SSL(server.host, server.port, GREETING, timeout=server.timeout, context=server.trust)
        return smtplib.SMTP(server.host, server.port, GREETING, timeout=server.timeout)
    except ssl.SSLError as error:
        raise _untrusted(server, error) from error
    except (smtplib.SMTPException, OSError) as error:
        raise ServerUnreachableError(
            f"{server} cannot be reached: {server.quoted(error)}.", hint=f"Check host, port and network. {SAFE}"
        ) from error


def _protect(client: smtplib.SMTP, server: Server) -> None:
    try:
        client.ehlo_or_helo_if_needed()
        if server.protection == "starttls":
            client.starttls(context=server.trust)
            client.ehlo_or_helo_if_needed()
    except ssl.SSLError as error:
        raise _untrusted(server, error) from error
    except smtplib.SMTPNotSupportedError as error:
        raise InsecureServerError(
            f"{server} offers no encryption.", hint="No password was sent. Try smtps:// with the port for it, usually 465."
        ) from error
    except smtplib.SMTPResponseException as error:
        raise _refusal(server, "a greeting", error.smtp_code, _words(error)) from error


def _log_in(client: smtplib.SMTP, server: Server) -> None:
    if not server.user:
        return
    try:
        if server.password.isascii() and server.user.isascii():
            client.login(server.user, server.password)
        else:
            # smtplib writes passwords in ASCII; PLAIN takes UTF-8 (RFC 4616).
            secret = b64encode(f"\0{server.user}\0{server.password}".encode()).decode()
            _expect(server, "the login", client.docmd("AUTH", f"PLAIN {secret}"))
    except (smtplib.SMTPAuthenticationError, smtplib.SMTPNotSupportedError, ServerRefusedError) as error:
        raise LoginRefusedError(
            f"{server} does not let {server.user} in: {server.quoted(error)}.",
            hint="Nothing was sent. Check user and password; some servers want an app password.",
        ) from error


def _words(error: smtplib.SMTPResponseException) -> bytes:
    return error.smtp_error if isinstance(error.smtp_error, bytes) else str(error.smtp_error).encode()


def _untrusted(server: Server, error: ssl.SSLError) -> InsecureServerError:
    return InsecureServerError(
        f"{server} cannot be trusted: {server.quoted(error)}.",
        hint="No password was sent. Check host and port; set SSL_CERT_FILE for a certificate authority of your own.",
    )
