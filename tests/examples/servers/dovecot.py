"""A real IMAP server on loopback: Dovecot 2.3 with a folder, a password and a port of its own, started and stopped by the test."""

from __future__ import annotations

import imaplib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from examples.email_assistant.mail.server import Protection, Server
from tests.examples.servers.certificate import Certificate, certificate
from tests.examples.servers.wire import HOST, free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

PASSWORD = "correct-horse~7"
OTHER_PASSWORD = "Straße-77"
CONFIGURATION = """
base_dir = {run}
state_dir = {run}
log_path = {home}/dovecot.log
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
first_valid_uid = 1
protocols = imap
listen = {host}
ssl = yes
ssl_cert = <{certificate}
ssl_key = <{key}
disable_plaintext_auth = no
auth_failure_delay = 0
auth_username_format = %Lu
mail_location = maildir:{home}/mail/%u
mail_plugins = acl
plugin {{
  acl = vfile:{home}/rights
}}
passdb {{
  driver = static
  args = password={password}
}}
passdb {{
  driver = static
  args = password={other_password}
}}
userdb {{
  driver = static
  args = uid={user} gid={group} home={home}/mail/%u
}}
namespace inbox {{
  inbox = yes
  separator = /
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {plain}
  }}
  inet_listener imaps {{
    port = {encrypted}
    ssl = yes
  }}
}}
# Without this, logins wait for seconds after a wrong password.
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service stats {{
  chroot =
}}
"""
# Dovecot's letters: l list, r read, i add mail, s mark as seen; w, to set any other flag, is missing.
RIGHTS = "Seen-only owner lrsi\nRead-only owner lri\n"


@dataclass(frozen=True)
class Dovecot:
    """A running server. Any user name is taken, each has mail of its own."""

    home: Path
    plain: int
    encrypted: int
    certificate: Certificate

    def server(self, user: str, protection: Protection = "none", folder: str = "INBOX") -> Server:
        """Return how to reach it."""
        port = self.encrypted if protection == "tls" else self.plain
        return Server("imap", protection, HOST, port, user, PASSWORD, folder, timeout=10, trust=self.certificate.trusted())

    @contextmanager
    def client(self, user: str, folder: str = "INBOX") -> Iterator[imaplib.IMAP4]:
        """Log in with Python's own client, the eyes and hands of the tests."""
        with imaplib.IMAP4(HOST, self.plain, timeout=10) as client:
            client.login(user, PASSWORD)
            client.select(folder)
            yield client

    def deliver(self, user: str, *mails: bytes, folder: str = "INBOX") -> None:
        """Put mail into a folder, which is made if need be."""
        with self.client(user) as client:
            client.create(folder)
            for mail in mails:
                status, answer = client.append(folder, "", "", mail)
                assert status == "OK", answer

    def flags(self, user: str, folder: str = "INBOX") -> list[str]:
        """Return the flags of each mail in a folder."""
        with self.client(user, folder) as client:
            _, lines = client.fetch("1:*", "(FLAGS)")
            return [line.decode().partition("FLAGS (")[2].rstrip(")").replace(r"\Recent", "").strip() for line in lines if line]


@contextmanager
def dovecot() -> Iterator[Dovecot]:
    """Run a server; skip the test where there is none."""
    program = shutil.which("dovecot", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if program is None:
        pytest.skip("Dovecot is not installed: apt-get install dovecot-imapd")
    version = subprocess.run([program, "--version"], check=True, capture_output=True, text=True).stdout
    if not version.startswith("2.3."):
        pytest.skip(f"the configuration of these tests is for Dovecot 2.3, this is {version.split()[0]}")
    # Not below tmp_path: the server runs without root's rights, and pytest's folders are for one user only.
    with tempfile.TemporaryDirectory(prefix="graphkit-dovecot-", ignore_cleanup_errors=True) as place:
        yield from _running(program, Path(place))


def _running(program: str, home: Path) -> Iterator[Dovecot]:
    account = pwd.getpwnam("nobody") if os.getuid() == 0 else pwd.getpwuid(os.getuid())
    made = Dovecot(home, free_port(), free_port(), certificate(home))
    (home / "rights").write_text(RIGHTS)
    (home / "mail").mkdir()
    configuration = home / "dovecot.conf"
    configuration.write_text(
        CONFIGURATION.format(
            home=home, run=home / "run", user=account.pw_name, group=_group(account.pw_gid), host=HOST,
            password=PASSWORD, other_password=OTHER_PASSWORD, certificate=made.certificate.certificate,
            key=made.certificate.key, plain=made.plain, encrypted=made.encrypted,
        )
    )  # fmt: skip
    is_root = os.getuid() == 0
    if is_root:
        for path in (home, *home.rglob("*")):
            shutil.chown(path, account.pw_uid, account.pw_gid)
    user, group, groups = (account.pw_uid, account.pw_gid, ()) if is_root else (None, None, None)
    with (home / "output").open("wb") as output:
        command = [program, "-F", "-c", str(configuration)]
        process = subprocess.Popen(command, stdout=output, stderr=output, user=user, group=group, extra_groups=groups)
        try:
            _await(process, made)
            yield made
        finally:
            process.terminate()
            process.wait(timeout=20)


def _group(number: int) -> str:
    import grp

    return grp.getgrgid(number).gr_name


def _await(process: subprocess.Popen[bytes], made: Dovecot) -> None:
    pause = threading.Event()
    for _ in range(200):
        try:
            with socket.create_connection((HOST, made.encrypted), timeout=5):
                return
        except OSError:
            assert process.poll() is None, "".join(
                path.read_text() for path in (made.home / "output", made.home / "dovecot.log") if path.exists()
            )
            pause.wait(0.05)
    raise AssertionError(f"Dovecot does not listen: {(made.home / 'dovecot.log').read_text()}")
