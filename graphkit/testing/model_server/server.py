"""A loopback HTTP server that answers as a provider does, from a script."""

from __future__ import annotations

import json
import socket
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self

from graphkit.testing.model_server.chat import ChatSpeech
from graphkit.testing.model_server.messages import MessagesSpeech
from graphkit.testing.model_server.responses import ResponsesSpeech
from graphkit.testing.model_server.speech import RequestRefusedError, Speech
from graphkit.testing.model_server.step import Cut, Failure, Format, Garbled, Received, Reply, Script, Stall, Step

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from graphkit.models import ChatModel

SPEECHES: Mapping[Format, Speech] = {"messages": MessagesSpeech(), "chat": ChatSpeech(), "responses": ResponsesSpeech()}
FORMATS: Mapping[str, Format] = {"/messages": "messages", "/chat/completions": "chat", "/responses": "responses"}
BROKEN_JSON = '{"type": "broken'
KEY = "test-key"


class ModelServer:
    """A provider on the loopback interface, speaking Anthropic's Messages and OpenAI's Chat Completions and Responses.

    Use it as a context manager. Requests are checked as the provider checks them: what it would refuse gets status 400.

    Args:
        script: What to do with the requests: steps, one after the other, or a function of the request. A string is an answer,
            a list of tool calls, too. Requests that are refused take no step.
        api_key: The only key it accepts; by default any.
    """

    def __init__(self, script: Script, *, api_key: str | None = None) -> None:
        self._script = script
        self._api_key = api_key
        self._lock = threading.Lock()
        self._taken = 0
        self._received: list[Received] = []
        self._closing = threading.Event()

    def __enter__(self) -> Self:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (Handler,), {"model_server": self}))
        self._server.daemon_threads = True
        self._server.block_on_close = False
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, name="model-server")
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def url(self) -> str:
        """The endpoint for Anthropic's SDK."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def openai_url(self) -> str:
        """The endpoint for OpenAI's SDK."""
        return f"{self.url}/v1"

    @property
    def requests(self) -> list[Received]:
        """The requests so far, in order, refused ones too."""
        with self._lock:
            return list(self._received)

    def model(self, name: str, *, api_key: str | None = None, **options: Any) -> ChatModel:  # noqa: ANN401 - as init_model
        """Return a model that asks this server: "anthropic:any", "openai:any", ...; options are those of ``init_model``."""
        from graphkit.models import init_model  # noqa: PLC0415 - heavy

        base_url = self.url if name.startswith("anthropic:") else self.openai_url
        return init_model(name, base_url=base_url, api_key=api_key or self._api_key or KEY, **options)

    def take(self, received: Received) -> Reply | Failure | Cut | Garbled | Stall:
        """Record a request and return what to do with it."""
        with self._lock:
            self._received.append(received)
            if received.refusal is not None:
                return Failure(400, received.refusal)
            place, self._taken = self._taken, self._taken + 1
        if callable(self._script):
            return _step(self._script(received))
        if place >= len(self._script):
            return Failure(400, f"The script has {len(self._script)} steps; this is request {place + 1}.")
        return _step(self._script[place])

    def accepts(self, key: str) -> bool:
        """Tell whether a key is the one it wants."""
        return bool(key) and self._api_key in {None, key}

    def wait_until_closed(self, lost: Callable[[], bool]) -> None:
        """Wait until the server is closed, or the client has given up."""
        while not self._closing.wait(0.02) and not lost():
            continue


class Handler(BaseHTTPRequestHandler):
    """Answers one connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    model_server: ModelServer

    def do_POST(self) -> None:
        """Answer a request."""
        raw = self.rfile.read(int(self.headers.get("content-length", 0)))
        format_ = FORMATS.get(self.path.partition("?")[0].removeprefix("/v1"))
        if format_ is None:
            return self._send(404, json.dumps({"error": {"message": f"Not found: {self.path}", "type": "not_found_error"}}))
        speech = SPEECHES[format_]
        key = self.headers.get("x-api-key") or self.headers.get("authorization", "").removeprefix("Bearer ")
        if not self.model_server.accepts(key):
            return self._fail(speech, Failure(401, f"Incorrect API key provided: {key}"))
        received = _received(format_, self.path, raw, dict(self.headers.items()))
        step = self.model_server.take(received)
        if isinstance(step, Failure) and not (step.midway and received.body.get("stream")):
            return self._fail(speech, step)
        if received.body.get("stream"):
            return self._stream(speech, step, received.body)
        return self._answer(speech, step, received.body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _answer(self, speech: Speech, step: Reply | Failure | Cut | Garbled | Stall, body: dict[str, Any]) -> None:
        match step:
            case Reply():
                self._send(200, json.dumps(speech.whole(step, body)))
            case Failure():
                self._fail(speech, step)
            case Garbled():
                self._send(200, BROKEN_JSON)
            case Stall():
                self.model_server.wait_until_closed(self._lost)
                self.close_connection = True
            case Cut():
                whole = json.dumps(speech.whole(step.reply, body)).encode()
                sent = whole[: step.after]
                self._head(200, {"content-length": str(len(sent) if step.quietly else len(whole))})
                self.wfile.write(sent)
                self._hang_up()

    def _stream(self, speech: Speech, step: Reply | Failure | Cut | Garbled | Stall, body: dict[str, Any]) -> None:
        if isinstance(step, Stall) and step.after == 0:
            return self._answer(speech, step, body)
        self._head(200, {"content-type": "text/event-stream", "transfer-encoding": "chunked"})
        try:
            for data in _streamed(speech, step, body):
                self._chunk(data)
            if isinstance(step, Stall):
                self.model_server.wait_until_closed(self._lost)
            if isinstance(step, Cut) and not step.quietly:
                return self._hang_up()
            self.wfile.write(b"0\r\n\r\n")
        except OSError:
            # The client has gone, which some tests want.
            self.close_connection = True

    def _chunk(self, data: bytes) -> None:
        if data:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))

    def _fail(self, speech: Speech, failure: Failure) -> None:
        body = json.dumps(speech.failure(failure)) if failure.body is None else failure.body
        self._send(failure.status, body, failure.headers)

    def _send(self, status: int, body: str, headers: Mapping[str, str] | None = None) -> None:
        data = body.encode()
        self._head(status, {"content-length": str(len(data)), **(headers or {})})
        self.wfile.write(data)

    def _head(self, status: int, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in {"content-type": "application/json", "request-id": "req_1", **headers}.items():
            self.send_header(name, value)
        self.end_headers()

    def _hang_up(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def _lost(self) -> bool:
        self.connection.settimeout(0)
        try:
            peeked: bytes | None = self.connection.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            peeked = None
        except OSError:
            peeked = b""
        self.connection.settimeout(None)
        return peeked == b""


def _received(format_: Format, path: str, raw: bytes, headers: dict[str, str]) -> Received:
    speech = SPEECHES[format_]
    known = {name.lower(): value for name, value in headers.items()}
    try:
        body = json.loads(raw)
    except ValueError:
        return Received(format_, path, {}, known, (), (), "The body is no JSON.")
    try:
        if format_ == "messages" and "anthropic-version" not in known:
            return Received(format_, path, body, known, (), (), "anthropic-version: header is required")
        speech.check(body)
        found = Received(format_, path, body, known, (), ())
        return replace(found, turns=tuple(speech.turns(body)), tools=tuple(speech.tools(body)))
    except RequestRefusedError as error:
        return Received(format_, path, body if isinstance(body, dict) else {}, known, (), (), str(error))


def _streamed(speech: Speech, step: Reply | Failure | Cut | Garbled | Stall, body: dict[str, Any]) -> Iterator[bytes]:
    match step:
        case Reply():
            yield from [event.encode() for event in speech.events(step, body)]
        case Failure():
            yield next(iter(speech.events(Reply("..."), body))).encode()
            yield speech.failure_event(step).encode()
        case Stall():
            yield from [event.encode() for event in list(speech.events(step.reply, body))[: step.after]]
        case Cut():
            yield "".join(speech.events(step.reply, body)).encode()[: step.after]
        case Garbled():
            for place, event in enumerate(speech.events(step.reply, body)):
                head, _, _ = event.partition("data: ")
                yield (f"{head}data: {BROKEN_JSON}\n\n" if place == step.event else event).encode()


def _step(step: Step) -> Reply | Failure | Cut | Garbled | Stall:
    match step:
        case str():
            return Reply(step)
        case Reply() | Failure() | Cut() | Garbled() | Stall():
            return step
        case _:
            return Reply(tool_calls=step)
