"""A real SMTP server on loopback: aiosmtpd with a port of its own, that takes mail, refuses it, or breaks off, as a test wants."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

from examples.email_assistant.mail.server import Protection, Server
from tests.examples.servers.wire import HOST, free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from aiosmtpd.smtp import LoginPassword

    from tests.examples.servers.certificate import Certificate

USER = "mara"
PASSWORD = "Straße-77"


@dataclass
class Manner:
    """How the server behaves; a test changes it while the server runs.

    ``sender``, ``recipients`` and ``end`` are what it answers to a sender, to each recipient and to the end of the mail; an empty ``end``
    means that it takes the mail and breaks the connection instead of answering. ``before_end`` runs between the mail and that answer.
    """

    sender: str = "250 OK"
    recipients: dict[str, str] = field(default_factory=dict)
    end: str = "250 OK"
    before_end: Callable[[], None] = lambda: None


@dataclass
class Submission:
    """A running server, with what it took."""

    port: int
    certificate: Certificate
    protection: Protection
    asks: bool
    manner: Manner = field(default_factory=Manner)
    taken: list[Envelope] = field(default_factory=list)
    logins: list[bytes] = field(default_factory=list)

    def server(self, user: str = "", password: str = "") -> Server:
        """Return how to reach it."""
        return Server("smtp", self.protection, HOST, self.port, user, password, timeout=10, trust=self.certificate.trusted())

    async def handle_MAIL(self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]) -> str:  # noqa: N802
        envelope.mail_from = address
        # aiosmtpd's own check of this does not know a connection that is encrypted from its first byte.
        return self.manner.sender if session.authenticated or not self.asks else "530 log in first"

    async def handle_RCPT(self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]) -> str:  # noqa: N802
        answer = self.manner.recipients.get(address, "250 OK")
        if answer.startswith("2"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        self.manner.before_end()
        if not self.manner.end or self.manner.end.startswith("2"):
            self.taken.append(envelope)
        if not self.manner.end:
            server.transport.abort()
        return self.manner.end

    def authenticate(self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, login: LoginPassword) -> AuthResult:
        self.logins.append(login.login)
        return AuthResult(handled=False, success=(login.login, login.password) == (USER.encode(), PASSWORD.encode()))


@contextmanager
def submission(certificate: Certificate, *, protection: Protection = "none", asks: bool = False) -> Iterator[Submission]:
    """Run a server; with ``asks`` it takes mail only from `USER` with `PASSWORD`."""
    made = Submission(free_port(), certificate, protection, asks)
    presented = certificate.presented()
    controller = Controller(
        made,
        hostname=HOST,
        port=made.port,
        ssl_context=presented if protection == "tls" else None,
        tls_context=presented if protection == "starttls" else None,
        require_starttls=protection == "starttls",
        authenticator=made.authenticate,
        auth_require_tls=False,
        data_size_limit=2_000_000,
    )
    controller.start()
    try:
        yield made
    finally:
        controller.stop()
