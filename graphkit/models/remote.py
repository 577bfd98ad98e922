"""A provider over HTTP: four thin ways through one translation.

A wire says what a request and an answer look like; this file only carries them. Requests are translated before the
network is touched, so what a provider cannot take fails with nothing sent.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from graphkit.models.answer import complete
from graphkit.models.failure import broken_off, readable, translated, unreadable

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator, Sequence

    from graphkit.messages import AIMessage, AIMessageChunk
    from graphkit.models.clients import Clients, Sdk
    from graphkit.models.provider import ModelRequest


class Reader(Protocol):
    """Reads the events of one answer, in order."""

    @property
    def done(self) -> bool:
        """Whether the provider said that the answer is complete."""
        ...

    def read(self, event: dict[str, Any]) -> Sequence[AIMessageChunk]:
        """Return what this event adds to the answer."""
        ...


class Wire(Protocol):
    """One wire format for one model: pure functions between requests and answers and their JSON."""

    @property
    def name(self) -> str:
        """As in Provider."""
        ...

    @property
    def settings(self) -> frozenset[str]:
        """The names of the settings it knows."""
        ...

    @property
    def structured_method(self) -> str:
        """As in Provider."""
        ...

    def sdk(self) -> Sdk:
        """Load the library that speaks it."""
        ...

    def endpoint(self, client: Any) -> Callable[..., Any]:  # noqa: ANN401 - a client of the SDK
        """Return the method of a client that sends a request."""
        ...

    def arguments(self, request: ModelRequest) -> dict[str, Any]:
        """Return the arguments of that method.

        Raises:
            ModelRequestError: The format has no way to say something that the request holds.
        """
        ...

    def read(self, answer: dict[str, Any]) -> Sequence[AIMessageChunk]:
        """Return a whole answer as chunks.

        Raises:
            ModelError: The answer is a failure.
        """
        ...

    def reader(self) -> Reader:
        """Return a reader for an answer that comes as events."""
        ...

    def streaming(self) -> dict[str, Any]:
        """Return the arguments that ask for events."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Remote:
    """A model behind an HTTP API.

    Args:
        wire: The format, and which model.
        sdk: The library, loaded.
        clients: The connections.
        secret: The API key, to keep it out of messages.
    """

    wire: Wire
    sdk: Sdk
    clients: Clients
    secret: str

    def __repr__(self) -> str:
        return f"Remote({self.name!r})"

    @property
    def name(self) -> str:
        """Provider and model."""
        return self.wire.name

    @property
    def settings(self) -> frozenset[str]:
        """The names of the settings of the format."""
        return self.wire.settings

    @property
    def structured_method(self) -> str:
        """As the format has it."""
        return self.wire.structured_method

    def generate(self, request: ModelRequest) -> AIMessage:
        """Send a request and return the answer."""
        arguments = self.wire.arguments(request)
        with translated(self.sdk, self.name, self.secret, []):
            answer = self.wire.endpoint(self.clients.sync())(**arguments)
        return self._message(answer)

    async def agenerate(self, request: ModelRequest) -> AIMessage:
        """As ``generate``."""
        arguments = self.wire.arguments(request)
        with translated(self.sdk, self.name, self.secret, []):
            client = await self.clients.asynchronous()
            answer = await self.wire.endpoint(client)(**arguments)
        return self._message(answer)

    def stream(self, request: ModelRequest) -> Generator[AIMessageChunk, None, None]:
        """Send a request and yield the answer as it comes."""
        arguments = {**self.wire.arguments(request), **self.wire.streaming()}
        reader, progress = self.wire.reader(), list[object]()
        with translated(self.sdk, self.name, self.secret, progress):
            with self.wire.endpoint(self.clients.sync())(**arguments) as events:
                progress.append(events)
                for event in events:
                    yield from self._read(reader, event)
            self._finish(reader)

    async def astream(self, request: ModelRequest) -> AsyncGenerator[AIMessageChunk, None]:
        """As ``stream``."""
        arguments = {**self.wire.arguments(request), **self.wire.streaming()}
        reader, progress = self.wire.reader(), list[object]()
        with translated(self.sdk, self.name, self.secret, progress):
            client = await self.clients.asynchronous()
            async with await self.wire.endpoint(client)(**arguments) as events:
                progress.append(events)
                async for event in events:
                    for chunk in self._read(reader, event):
                        yield chunk
            self._finish(reader)

    def close(self) -> None:
        """Close the sync client."""
        self.clients.close()

    async def aclose(self) -> None:
        """Close the clients of the running event loop, too."""
        await self.clients.aclose()

    def _message(self, answer: object) -> AIMessage:
        with readable(self.name):
            return complete(self.wire.read(self._plain(answer)))

    def _read(self, reader: Reader, event: object) -> Sequence[AIMessageChunk]:
        with readable(self.name):
            return reader.read(self._plain(event))

    def _finish(self, reader: Reader) -> None:
        if not reader.done:
            raise broken_off(self.name)

    def _plain(self, found: object) -> dict[str, Any]:
        """Return what the SDK read as the JSON it was read from."""
        to_dict: Callable[..., dict[str, Any]] | None = getattr(found, "to_dict", None)
        if to_dict is None:
            raise unreadable(self.name, f"{found!r:.200} is no JSON object.")
        return to_dict(mode="json", warnings=False)
