"""What goes wrong between here and a model, as errors of ours. Only this file knows the exceptions of the SDKs."""

from __future__ import annotations

import math
import re
import time
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from json import JSONDecodeError
from typing import TYPE_CHECKING, Any, cast

from graphkit.errors import (
    GraphkitError,
    ModelAuthenticationError,
    ModelError,
    ModelRateLimitError,
    ModelRefusalError,
    ModelRequestError,
    ModelResponseError,
    ModelTimeoutError,
    ModelUnavailableError,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from graphkit.models.clients import Sdk

BY_CODE: dict[str, type[ModelError]] = {
    "authentication_error": ModelAuthenticationError,
    "billing_error": ModelAuthenticationError,
    "insufficient_quota": ModelAuthenticationError,
    "invalid_api_key": ModelAuthenticationError,
    "permission_error": ModelAuthenticationError,
    "rate_limit_error": ModelRateLimitError,
    "rate_limit_exceeded": ModelRateLimitError,
    "api_error": ModelUnavailableError,
    "overloaded_error": ModelUnavailableError,
    "server_error": ModelUnavailableError,
    "timeout_error": ModelTimeoutError,
    "bio_policy": ModelRefusalError,
    "content_filter": ModelRefusalError,
    "content_policy_violation": ModelRefusalError,
    "image_content_policy_violation": ModelRefusalError,
    "misalignment_policy_violation": ModelRefusalError,
    "invalid_request_error": ModelRequestError,
    "not_found_error": ModelRequestError,
}
"""The codes and types by which the providers name an error, in a body or inside a stream."""

BY_STATUS: dict[int, type[ModelError]] = {
    401: ModelAuthenticationError,
    402: ModelAuthenticationError,
    403: ModelAuthenticationError,
    408: ModelTimeoutError,
    409: ModelUnavailableError,
    429: ModelRateLimitError,
}

SAID: dict[type[ModelError], tuple[str, str]] = {
    ModelAuthenticationError: ("did not accept the API key", "Check the key, what it may do, and the account behind it."),
    ModelRateLimitError: ("limits requests or tokens", "Wait (retry_after says how long, if the provider does) or ask less at a time."),
    ModelUnavailableError: ("is not available", "Try again later; a retry policy on the node does so."),
    ModelTimeoutError: ("did not answer in time", "Try again, or pass a longer timeout= to init_model()."),
    ModelRefusalError: ("declined to answer", "Ask something else."),
    ModelRequestError: ("does not accept the request", "The provider's message says what is wrong with it."),
    ModelResponseError: ("sent an answer that cannot be read", "Try again; if it stays, the endpoint does not speak this format."),
}
TOO_LONG = re.compile(
    r"too (long|large)|context[ _](length|size|window)|maximum context|too many (input )?tokens|exceeds? the (maximum|context)",
    re.IGNORECASE,
)
SHOWN = 500


@contextmanager
def translated(sdk: Sdk, name: str, secret: str, progress: list[object]) -> Iterator[None]:
    """Turn what the SDK raises into ModelErrors; ``progress`` is not empty once the answer has begun.

    Raises:
        ModelError: In place of every exception of the SDK and of its HTTP library.
    """
    import httpx2  # noqa: PLC0415 - comes with the SDK

    try:
        yield
    except GraphkitError:
        raise
    except (sdk.module.APIError, httpx2.HTTPError, httpx2.StreamError, httpx2.InvalidURL, JSONDecodeError, UnicodeDecodeError) as error:
        _scrub(error, secret)
        raise _translation(error, sdk, name, secret, begun=bool(progress)) from error


@contextmanager
def readable(name: str) -> Iterator[None]:
    """Turn what reading an answer of an unexpected shape raises into a ModelResponseError."""
    try:
        yield
    except (KeyError, TypeError, AttributeError, IndexError, ValueError) as error:
        if isinstance(error, GraphkitError):
            raise
        raise unreadable(name, f"{type(error).__name__}: {error}") from error


def unreadable(name: str, why: str) -> ModelResponseError:
    """Return the error for an answer that is not of the provider's form."""
    return ModelResponseError(f"{name} {SAID[ModelResponseError][0]}: {why}", hint=SAID[ModelResponseError][1], model=name)


def broken_off(name: str) -> ModelResponseError:
    """Return the error for an answer that ends before its end."""
    return ModelResponseError(
        f"The answer of {name} breaks off: the stream ended before the model did.",
        hint="Try again; a retry policy on the node does so.",
        model=name,
    )


def reported(name: str, error: Mapping[str, Any]) -> ModelError:
    """Return the error that a provider reports as a part of its answer."""
    return _made(name, error, None, {})


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Return the seconds to wait that response headers ask for: a number, or a date; None if they do not say."""
    for header, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        try:
            seconds = float(headers.get(header, "")) * unit
        except ValueError:
            continue
        return max(0.0, seconds) if math.isfinite(seconds) else None
    try:
        return max(0.0, parsedate_to_datetime(headers.get("retry-after", "")).timestamp() - now)
    except ValueError:
        return None


def _translation(error: Exception, sdk: Sdk, name: str, secret: str, *, begun: bool) -> ModelError:
    import httpx2  # noqa: PLC0415 - comes with the SDK

    if isinstance(error, sdk.module.APIStatusError):
        found: Any = error
        return _made(name, _body(found.body, secret), found.response.status_code, found.response.headers)
    if isinstance(error, sdk.module.APITimeoutError | httpx2.TimeoutException):
        said, hint = SAID[ModelTimeoutError]
        return ModelTimeoutError(f"{name} {said}.", hint=hint, model=name)
    if isinstance(error, sdk.module.APIConnectionError | httpx2.HTTPError | httpx2.StreamError):
        return broken_off(name) if begun else _unreachable(error, name)
    if isinstance(error, sdk.module.APIError) and not isinstance(error, sdk.module.APIResponseValidationError):
        return _made(name, _body(cast("Any", error).body, secret), None, {})
    return unreadable(name, str(error)[:SHOWN])


def _unreachable(error: Exception, name: str) -> ModelError:
    why = error.__cause__ or error
    return ModelUnavailableError(
        f"No connection to {name}: {why}", hint="Check the network and base_url, and that the server is running.", model=name
    )


def _made(name: str, body: Mapping[str, Any], status: int | None, headers: Mapping[str, str]) -> ModelError:
    kind = _kind(body, status)
    said, hint = SAID[kind]
    text = str(body.get("message") or "")[:SHOWN]
    facts: dict[str, object] = {"model": name}
    if status is not None and status >= 400:
        facts["status"] = status
    if (wait := retry_after(headers, time.time())) is not None:
        facts["retry_after"] = wait
    if (request := headers.get("request-id") or headers.get("x-request-id")) is not None:
        facts["request_id"] = request
    if kind is ModelRequestError and (status == 413 or TOO_LONG.search(f"{body.get('code')} {text}")):
        facts["reason"] = "too-long"
        hint = "Shorten the conversation: trim_messages() keeps what fits."
    number = f" ({facts['status']})" if "status" in facts else ""
    return kind(f"{name} {said}{number}{': ' if text else '.'}{text}", hint=hint, **facts)


def _kind(body: Mapping[str, Any], status: int | None) -> type[ModelError]:
    for key in ("code", "type"):
        kind = BY_CODE.get(str(body.get(key)))
        # These two are said of anything; a status that means something else is to be believed.
        vague = (kind is ModelRequestError and status in BY_STATUS) or (kind is ModelUnavailableError and 400 <= (status or 0) < 500)
        if kind is not None and not vague:
            return kind
    if status is None or status < 400:
        return ModelUnavailableError
    return BY_STATUS.get(status) or (ModelUnavailableError if status >= 500 else ModelRequestError)


def _body(body: object, secret: str) -> dict[str, Any]:
    """Return the part of an error body that says what is wrong, whatever it is wrapped in."""
    if isinstance(body, list) and body:
        body = body[0]
    if isinstance(body, dict):
        inner = body.get("error", body)
        found = dict(inner) if isinstance(inner, dict) else {"message": inner}
    else:
        found = {"message": body or ""}
    return {key: value.replace(secret, "***") if isinstance(value, str) else value for key, value in found.items()}


def _scrub(error: Exception, secret: str) -> None:
    """Take the key out of an exception that a server may have put it into; it is shown as the cause."""
    error.args = tuple([arg.replace(secret, "***") if isinstance(arg, str) else arg for arg in error.args])
    if isinstance(said := getattr(error, "message", None), str):
        error.message = said.replace(secret, "***")  # type: ignore[attr-defined]
