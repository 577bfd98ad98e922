"""A certificate for servers on this machine, made by the openssl command."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass(frozen=True)
class Certificate:
    """The files of a certificate for localhost and 127.0.0.1 that signs itself."""

    certificate: Path
    key: Path

    def trusted(self) -> ssl.SSLContext:
        """Return what a client needs to trust it, and nothing else."""
        return ssl.create_default_context(cafile=self.certificate)

    def presented(self) -> ssl.SSLContext:
        """Return what a server needs to present it."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self.key)
        return context


def certificate(folder: Path) -> Certificate:
    """Make a certificate in a folder; skip the test where there is no openssl."""
    if shutil.which("openssl") is None:
        pytest.skip("the openssl command is not installed: apt-get install openssl")
    made = Certificate(folder / "certificate.pem", folder / "key.pem")
    kind = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost"
    names = "subjectAltName=DNS:localhost,IP:127.0.0.1"
    files = ["-out", str(made.certificate), "-keyout", str(made.key)]
    subprocess.run(["openssl", *kind.split(), "-addext", names, *files], check=True, capture_output=True)
    return made
