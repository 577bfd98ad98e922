"""Bad connections: ports where nobody answers, and connections that break at a chosen moment."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

HOST = "127.0.0.1"


def free_port() -> int:
    """Return a port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]


@contextmanager
def silent() -> Iterator[int]:
    """Listen on a port, take connections, say nothing; yields the port."""
    with socket.create_server((HOST, 0)) as listener:
        yield listener.getsockname()[1]


@contextmanager
def scripted(*lines: bytes) -> Iterator[int]:
    """Listen on a port for one connection; say the first line, then one for each line that is heard. Yields the port.

    ``TAG`` in a line becomes the first word of what was heard.
    """
    with socket.create_server((HOST, 0)) as listener:
        thread = threading.Thread(target=_recite, args=(listener, lines))
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            # A connection of our own ends a wait that nobody ended.
            with suppress(OSError):
                socket.create_connection(listener.getsockname(), timeout=1).close()
            thread.join()


@contextmanager
def cut(port: int, *, after: int) -> Iterator[int]:
    """Stand before a server and break each connection once the server has said so many bytes; yields the port to connect to."""
    with socket.create_server((HOST, 0)) as listener:
        thread = threading.Thread(target=_accept, args=(listener, port, after))
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            # Closing alone does not wake a thread that waits in accept.
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def _recite(listener: socket.socket, lines: tuple[bytes, ...]) -> None:
    connection, _ = listener.accept()
    with connection, connection.makefile("rb") as heard, suppress(OSError):
        tag = b""
        for line in lines:
            connection.sendall(line.replace(b"TAG", tag) + b"\r\n")
            words = heard.readline().split()
            if not words:
                return
            tag = words[0]


def _accept(listener: socket.socket, port: int, after: int) -> None:
    while True:
        try:
            client, _ = listener.accept()
        except OSError:
            return
        with client, socket.create_connection((HOST, port)) as server:
            upward = threading.Thread(target=_forward, args=(client, server))
            upward.start()
            _forward(server, client, after)
            for end in (client, server):
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
            upward.join()


def _forward(source: socket.socket, target: socket.socket, most: int | None = None) -> None:
    try:
        _pass_on(source, target, most)
    finally:
        # Whoever waits for the other end learns that nothing more comes.
        with suppress(OSError):
            target.shutdown(socket.SHUT_WR)


def _pass_on(source: socket.socket, target: socket.socket, most: int | None) -> None:
    with suppress(OSError):
        while most is None or most > 0:
            data = source.recv(4096 if most is None else min(4096, most))
            if not data:
                return
            target.sendall(data)
            most = None if most is None else most - len(data)
