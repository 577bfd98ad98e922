# mypy: disable-error-code="attr-defined"
"""What goes wrong between here and a model, and the error it becomes: over HTTP, for every format and way of asking."""

from __future__ import annotations

import socket
import traceback
from email.utils import format_datetime

import pytest

from graphkit import errors
from graphkit.errors import (
    ModelAuthenticationError,
    ModelError,
    ModelRateLimitError,
    ModelRefusalError,
    ModelRequestError,
    ModelResponseError,
    ModelTimeoutError,
    ModelUnavailableError,
)
from graphkit.models import init_model
from graphkit.testing import Cut, Failure, Garbled, ModelServer, Reply, Stall
from tests.unit.models.ways import every_provider, every_way, streaming_ways, whole_ways

LONG = Reply("one two three four five six", tool_calls=[{"name": "add", "args": {"a": 1}, "id": "c"}])


def failed(provider, ask, *steps, **options):
    with ModelServer(steps) as server, server.model(provider, **options) as model, pytest.raises(ModelError) as caught:
        ask(model, "Hi")
    return caught.value


@every_provider
@every_way
@pytest.mark.parametrize(
    "status, kind",
    [
        (400, ModelRequestError),
        (401, ModelAuthenticationError),
        (402, ModelAuthenticationError),
        (403, ModelAuthenticationError),
        (404, ModelRequestError),
        (408, ModelTimeoutError),
        (409, ModelUnavailableError),
        (413, ModelRequestError),
        (422, ModelRequestError),
        (429, ModelRateLimitError),
        (500, ModelUnavailableError),
        (503, ModelUnavailableError),
        (529, ModelUnavailableError),
    ],
)
def test_a_status_becomes_an_error_of_its_kind(provider, ask, status, kind):
    error = failed(provider, ask, Failure(status, "The reason why."))

    assert type(error) is kind
    assert error.facts["status"] == status
    assert provider in error.message
    assert "The reason why." in error.message
    assert error.__cause__ is not None


@every_provider
@whole_ways
def test_one_failure_is_one_request(provider, ask):
    with ModelServer([Failure(500), "never"]) as server, server.model(provider) as model, pytest.raises(ModelUnavailableError):
        ask(model, "Hi")

    assert len(server.requests) == 1


@every_provider
@every_way
def test_a_rate_limit_says_how_long_to_wait(provider, ask):
    error = failed(provider, ask, Failure(429, headers={"retry-after": "7"}))

    assert error.retry_after == 7.0
    assert error.retryable


@every_provider
@whole_ways
def test_a_rate_limit_may_name_the_moment_to_wait_for(provider, ask):
    from datetime import UTC, datetime, timedelta

    moment = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)

    error = failed(provider, ask, Failure(429, headers={"retry-after": moment}))

    assert 3000 < error.retry_after <= 3600


@every_provider
@whole_ways
@pytest.mark.parametrize("header", [{}, {"retry-after": "soon"}])
def test_a_rate_limit_that_does_not_say_how_long_says_nothing(provider, ask, header):
    assert failed(provider, ask, Failure(429, headers=header)).retry_after is None


@pytest.mark.parametrize("provider", ["openai:test", "openai-compatible:test"])
@whole_ways
@pytest.mark.parametrize(
    "status, code, kind",
    [
        (429, "insufficient_quota", ModelAuthenticationError),
        (400, "server_error", ModelRequestError),
        (400, "content_filter", ModelRefusalError),
        (400, "content_policy_violation", ModelRefusalError),
        (400, "context_length_exceeded", ModelRequestError),
    ],
)
def test_a_code_says_more_than_a_status(provider, ask, status, code, kind):
    error = failed(provider, ask, Failure(status, kind=code))

    assert type(error) is kind
    assert not error.retryable


@pytest.mark.parametrize(
    "provider, failure",
    [
        ("anthropic:test", Failure(400, "prompt is too long: 210000 tokens > 200000 maximum")),
        ("anthropic:test", Failure(413, "Request exceeds the maximum size")),
        ("openai:test", Failure(400, "Your input exceeds the context window of this model.", kind="context_length_exceeded")),
        ("openai-compatible:test", Failure(400, "the request exceeds the available context size (4096 tokens)")),
    ],
)
@whole_ways
def test_a_conversation_that_is_too_long_is_told_apart(provider, failure, ask):
    error = failed(provider, ask, failure)

    assert error.facts["reason"] == "too-long"
    assert "trim_messages" in str(error)


@every_provider
@every_way
@pytest.mark.parametrize(
    "body", ["<html>Bad gateway</html>", "", '["odd"]', '{"error": "plain words"}', '[{"error": {"message": "listed"}}]']
)
def test_a_body_of_any_form_becomes_an_error(provider, ask, body):
    error = failed(provider, ask, Failure(502, body=body))

    assert type(error) is ModelUnavailableError


@every_provider
@every_way
def test_no_answer_in_time_is_a_timeout(provider, ask):
    error = failed(provider, ask, Stall(), timeout=0.05)

    assert type(error) is ModelTimeoutError
    assert isinstance(error, TimeoutError)
    assert error.retryable


@every_provider
@streaming_ways
def test_a_stream_that_stops_coming_is_a_timeout(provider, ask):
    error = failed(provider, ask, Stall(LONG, after=3), timeout=0.05)

    assert type(error) is ModelTimeoutError


@every_provider
@every_way
def test_a_server_that_is_not_there_is_unavailable(provider, ask):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with (
            init_model(provider, api_key="k", base_url=f"http://127.0.0.1:{taken.getsockname()[1]}/v1") as model,
            pytest.raises(ModelUnavailableError, match=r"No connection to") as caught,
        ):
            ask(model, "Hi")

    assert caught.value.retryable


@every_provider
@streaming_ways
@pytest.mark.parametrize("quietly", [True, False])
def test_a_stream_that_breaks_off_at_any_byte_is_no_answer(provider, ask, quietly):
    with ModelServer([LONG]) as server, server.model(provider) as model:
        ask(model, "Hi")
    places = [0, 1, 30, 200, 500, 900, 1200]

    kinds = [type(failed(provider, ask, Cut(LONG, after, quietly=quietly))) for after in places]

    assert set(kinds) == {ModelResponseError}


@every_provider
@whole_ways
@pytest.mark.parametrize("after", [0, 40])
def test_an_answer_that_breaks_off_is_no_answer(provider, ask, after):
    error = failed(provider, ask, Cut(LONG, after))

    assert type(error) in {ModelUnavailableError, ModelResponseError}
    assert error.retryable


@every_provider
@every_way
def test_an_answer_that_is_no_json_cannot_be_read(provider, ask):
    assert type(failed(provider, ask, Garbled(LONG))) is ModelResponseError


@every_provider
@streaming_ways
@pytest.mark.parametrize("event", [1, 4])
def test_an_event_that_is_no_json_cannot_be_read(provider, ask, event):
    if (provider, event) == ("anthropic:test", 1):
        event = 2  # a ping is not read
    assert type(failed(provider, ask, Garbled(LONG, event))) is ModelResponseError


@every_provider
@every_way
@pytest.mark.parametrize("body", ["[]", "{}", '"words"', "null", '{"type": "message", "choices": []}'])
def test_json_that_is_no_answer_cannot_be_read(provider, ask, body):
    assert type(failed(provider, ask, Failure(200, body=body))) is ModelResponseError


@every_provider
@streaming_ways
@pytest.mark.parametrize(
    "status, code, kind",
    [
        (529, "overloaded_error", ModelUnavailableError),
        (500, "server_error", ModelUnavailableError),
        (429, "rate_limit_error", ModelRateLimitError),
        (429, "rate_limit_exceeded", ModelRateLimitError),
        (400, "invalid_request_error", ModelRequestError),
        (500, "something_new", ModelUnavailableError),
    ],
)
def test_a_failure_in_the_middle_of_a_stream_has_its_kind(provider, ask, status, code, kind):
    error = failed(provider, ask, Failure(status, "Sorry.", kind=code, midway=True))

    assert type(error) is kind
    assert "Sorry." in error.message


@every_provider
@every_way
def test_a_key_is_in_no_message(provider, ask):
    key = "sk-very-secret-1234"
    with (
        ModelServer([Failure(400, f"the key {key} was used")]) as server,
        server.model(provider, api_key=key) as model,
        pytest.raises(ModelRequestError) as caught,
    ):
        ask(model, "Hi")

    shown = "".join(traceback.format_exception(caught.value)) + repr(caught.value.facts) + repr(model) + repr(model.provider)
    shown += repr(model.provider.clients) + repr(caught.value.__cause__)
    assert key not in shown
    assert "***" in str(caught.value)


@every_provider
@every_way
def test_a_key_that_is_not_accepted_is_an_authentication_error(provider, ask):
    with (
        ModelServer(["never"], api_key="right") as server,
        server.model(provider, api_key="wrong") as model,
        pytest.raises(ModelAuthenticationError) as caught,
    ):
        ask(model, "Hi")

    assert "wrong" not in str(caught.value)


def test_every_model_error_tells_whether_to_try_again():
    again = {name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, ModelError) and kind.retryable}

    assert again == {"ModelUnavailableError", "ModelRateLimitError", "ModelTimeoutError", "ModelResponseError"}
