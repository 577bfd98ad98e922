"""The clients of one model: made when first needed, one for all threads, one for each event loop.

An async client belongs to the loop it was made in, and loops come and go: a sync run makes a loop of its own for async
nodes. So each async client is held by an async generator, which a loop closes when it shuts down, and the client with it.
"""

from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias
from weakref import WeakKeyDictionary, finalize

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from ssl import SSLContext
    from types import ModuleType

    Client: TypeAlias = Any

CONNECT_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Access:
    """How to reach a provider. The key is in no repr.

    Args:
        api_key: The secret.
        base_url: The endpoint; None for the provider's own.
        timeout: Seconds to wait for the next bytes of an answer.
    """

    api_key: str = field(repr=False)
    base_url: str | None = None
    timeout: float = 600.0


@dataclass(frozen=True, slots=True)
class Sdk:
    """A provider's own library, loaded; ``sync`` and ``asynchronous`` make its clients."""

    module: ModuleType
    sync: Client
    asynchronous: Client

    def options(self, access: Access) -> dict[str, Any]:
        """Return what both kinds of client are made with. Retries are the engine's, so the library makes none."""
        return {
            "api_key": access.api_key,
            "base_url": access.base_url,
            "timeout": self.module.Timeout(access.timeout, connect=min(CONNECT_SECONDS, access.timeout)),
            "max_retries": 0,
        }

    def trust(self, access: Access) -> SSLContext:
        """Return whom to trust. Loading the authorities takes longer than asking a local model, and plain http needs none."""
        import ssl  # noqa: PLC0415 - only for those who ask a model

        import httpx2  # noqa: PLC0415 - comes with the SDK

        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if (access.base_url or "").startswith("http:") else httpx2.create_ssl_context()


class Clients:
    """The clients for one access, shared by all models that are bound to it."""

    def __init__(self, sdk: Sdk, access: Access) -> None:
        self._sdk = sdk
        self._access = access
        self._lock = threading.Lock()
        self._trust: SSLContext | None = None
        self._sync: Client = None
        self._holders: WeakKeyDictionary[asyncio.AbstractEventLoop, AsyncGenerator[Client, None]] = WeakKeyDictionary()
        self._clients: WeakKeyDictionary[asyncio.AbstractEventLoop, Client] = WeakKeyDictionary()

    def sync(self) -> Client:
        """Return the client for sync calls, from any thread."""
        with self._lock:
            if self._sync is None:
                http = self._sdk.module.DefaultHttpxClient(verify=self._trusted())
                self._sync = self._sdk.sync(**self._sdk.options(self._access), http_client=http)
                # A model that nobody closes is closed when nobody has it any more.
                finalize(self, http.close)
            return self._sync

    async def asynchronous(self) -> Client:
        """Return the client of the running event loop."""
        loop = asyncio.get_running_loop()
        client = self._clients.get(loop)
        if client is None:
            with self._lock:
                http = self._sdk.module.DefaultAsyncHttpxClient(verify=self._trusted())
                client = self._sdk.asynchronous(**self._sdk.options(self._access), http_client=http)
                holder = _holding(client, self._clients)
                self._clients[loop] = client
                self._holders[loop] = holder
            await anext(holder)
        return client

    def close(self) -> None:
        """Close the sync client; those of event loops are closed by ``aclose`` there, or with their loop."""
        with self._lock:
            client, self._sync = self._sync, None
        if client is not None:
            client.close()

    async def aclose(self) -> None:
        """Close the sync client and that of the running event loop."""
        self.close()
        with self._lock:
            holder = self._holders.pop(asyncio.get_running_loop(), None)
        if holder is not None:
            await holder.aclose()

    def _trusted(self) -> SSLContext:
        if self._trust is None:
            self._trust = self._sdk.trust(self._access)
        return self._trust


async def _holding(client: Client, clients: WeakKeyDictionary[asyncio.AbstractEventLoop, Client]) -> AsyncGenerator[Client, None]:
    try:
        yield client
    finally:
        clients.pop(asyncio.get_running_loop(), None)
        await client.close()
