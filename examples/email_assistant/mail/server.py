"""The address of a mail server, and the password that goes with it. Only this file reads either.

| address | encryption | port |
|---|---|---|
| ``imaps://user@host/FOLDER``, ``smtps://user@host`` | from the first byte | 993, 465 |
| ``imap://user@host/FOLDER``, ``smtp://user@host`` | STARTTLS, or no connection | 143, 587 |
| ``imap+plain://...``, ``smtp+plain://...`` | none; only to this machine itself | 143, 25 |

The password is never a part of the address: it is in an environment variable, or in a file that such a variable names.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from urllib.parse import SplitResult, unquote, urlsplit

from examples.email_assistant.errors import OptionError

if TYPE_CHECKING:
    from collections.abc import Mapping

Protection = Literal["tls", "starttls", "none"]
Kind = Literal["imap", "smtp"]
SCHEMES: Mapping[str, tuple[Kind, Protection, int]] = {
    "imaps": ("imap", "tls", 993),
    "imap": ("imap", "starttls", 143),
    "imap+plain": ("imap", "none", 143),
    "smtps": ("smtp", "tls", 465),
    "smtp": ("smtp", "starttls", 587),
    "smtp+plain": ("smtp", "none", 25),
}
PASSWORD_VARIABLES: Mapping[Kind, str] = {"imap": "EMAIL_ASSISTANT_IMAP_PASSWORD", "smtp": "EMAIL_ASSISTANT_SMTP_PASSWORD"}
LONGEST_QUOTE = 200


@dataclass(frozen=True, slots=True)
class Server:
    """A mail server and an account on it.

    Args:
        kind: What it speaks.
        protection: How the connection is encrypted.
        host: Its name or number.
        port: Its port.
        user: The account; empty for a server that asks for none.
        password: Its password; never shown.
        folder: The mail folder; only IMAP has them.
        timeout: Seconds to wait for each answer.
        trust: Which certificates are trusted; by default those the system trusts.
    """

    kind: Kind
    protection: Protection
    host: str
    port: int
    user: str = ""
    password: str = field(default="", repr=False)
    folder: str = "INBOX"
    timeout: float = 30.0
    trust: ssl.SSLContext = field(default_factory=ssl.create_default_context, repr=False, compare=False)

    def __str__(self) -> str:
        """Return who this is for a message to a human."""
        return f"{self.kind.upper()} server {self.host}:{self.port}"

    def quoted(self, words: object) -> str:
        """Return what the server said, fit to be shown: short, printable, and without the password."""
        text = words.decode("utf-8", "replace") if isinstance(words, bytes) else str(words)
        text = text.replace(self.password, "***") if self.password else text
        plain = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
        return plain if len(plain) <= LONGEST_QUOTE else plain[:LONGEST_QUOTE] + "..."


def is_address(place: str) -> bool:
    """Tell whether a place is meant as the address of a server rather than as a folder."""
    return "://" in place


def server(address: str, environment: Mapping[str, str]) -> Server:
    """Read the address of a server and find its password.

    Args:
        address: As in the table above. An ``@`` in the user name needs no escape, other special characters are written as ``%2F``.
        environment: Where the password is looked for, usually ``os.environ``.

    Raises:
        OptionError: The address cannot be read, holds a password, or there is no password for its user.
    """
    parts, port = _split(address)
    if parts.password is not None:
        raise OptionError(
            "The address of a mail server must not hold the password: others could read it in the list of processes.",
            hint=f"Set one of {', '.join(PASSWORD_VARIABLES.values())} and leave it out of the address.",
        )
    kind, protection, usual_port = SCHEMES[parts.scheme]
    host, user = parts.hostname or "", unquote(parts.username or "")
    if protection == "none" and not _is_this_machine(host):
        raise OptionError(f"{parts.scheme}:// sends mail and password unencrypted to {host}.", hint=f"Use {kind}s:// or {kind}://.")
    if kind == "imap" and not user:
        raise OptionError(f"{address!r} names no user.", hint="Write it as imaps://user@host/INBOX.")
    return Server(
        kind=kind,
        protection=protection,
        host=host,
        port=port or usual_port,
        user=user,
        password=_password(PASSWORD_VARIABLES[kind], environment) if user else "",
        folder=unquote(parts.path.strip("/")) or "INBOX",
    )


def _split(address: str) -> tuple[SplitResult, int | None]:
    hint = "Write it as imaps://user@host:993/INBOX or smtps://user@host:465."
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError as error:
        # The text is not repeated: it may hold a password in the wrong place.
        raise OptionError(f"The address of the mail server cannot be read: {type(error).__name__}.", hint=hint) from None
    if parts.scheme not in SCHEMES:
        raise OptionError(f"There is no kind of mail server {parts.scheme!r}.", hint=f"There are: {', '.join(SCHEMES)}.")
    if not parts.hostname or parts.query or parts.fragment:
        raise OptionError("The address of the mail server has no host, or a '?' or '#'.", hint=hint)
    return parts, port


def _password(variable: str, environment: Mapping[str, str]) -> str:
    if password := environment.get(variable):
        return password
    file = environment.get(f"{variable}_FILE")
    if not file:
        raise OptionError("There is no password for the mail server.", hint=f"Set {variable}, or {variable}_FILE to a file that holds it.")
    try:
        return Path(file).read_text("utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise OptionError(f"The password file {file} cannot be read: {type(error).__name__}.", hint=f"Correct {variable}_FILE.") from error


def _is_this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
