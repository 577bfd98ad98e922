from __future__ import annotations

import pytest

from graphkit.core.policy import RetryPolicy, is_transient, retry_delay
from graphkit.errors import InvalidConfigError, ModelAuthenticationError, ModelRateLimitError, ThreadBusyError


class Response:
    def __init__(self, status_code):
        self.status_code = status_code


class HTTPError(Exception):
    def __init__(self, status_code):
        super().__init__(str(status_code))
        self.response = Response(status_code)


@pytest.mark.parametrize(
    "error, expected",
    [
        (ConnectionResetError("gone"), True),
        (TimeoutError("late"), True),
        (HTTPError(500), True),
        (HTTPError(429), True),
        (HTTPError(404), False),
        (ValueError("wrong"), False),
        (KeyError("wrong"), False),
        (OSError("disk"), False),
        (RuntimeError("wrong"), False),
        (Exception("who knows"), True),
        (ModelRateLimitError("slow down"), True),
        (ModelAuthenticationError("no key"), False),
        (ThreadBusyError("held"), True),
    ],
    ids=repr,
)
def test_what_may_help_to_try_again(error, expected):
    assert is_transient(error) is expected


def test_intervals_grow_up_to_the_largest():
    policy = RetryPolicy(initial_interval=1, backoff_factor=3, max_interval=10, max_attempts=6, jitter=False)

    waits = [retry_delay([policy], Exception(), attempts, 0.9) for attempts in range(1, 7)]

    assert waits == [1, 3, 9, 10, 10, None]


def test_jitter_adds_a_part_of_the_interval_of_at_most_a_second():
    policy = RetryPolicy(initial_interval=0.5, max_attempts=9)

    assert retry_delay([policy], Exception(), 1, 0.5) == 0.75
    assert retry_delay([policy], Exception(), 5, 0.5) == 8.5


def test_the_provider_decides_how_long_to_wait_at_least():
    policy = RetryPolicy(initial_interval=1, jitter=False)

    assert retry_delay([policy], ModelRateLimitError("slow down", retry_after=20), 1, 0) == 20
    assert retry_delay([policy], ModelRateLimitError("slow down", retry_after=0.1), 1, 0) == 1


@pytest.mark.parametrize("retry_on", [KeyError, (KeyError, TypeError), [KeyError], lambda error: isinstance(error, KeyError)])
def test_retry_on_says_which_errors_are_meant(retry_on):
    policy = RetryPolicy(retry_on=retry_on, initial_interval=0)

    assert retry_delay([policy], KeyError(), 1, 0) == 0
    assert retry_delay([policy], ValueError(), 1, 0) is None


def test_the_first_policy_that_is_about_the_error_decides():
    never = RetryPolicy(retry_on=KeyError, max_attempts=1)
    often = RetryPolicy(retry_on=LookupError, max_attempts=9, initial_interval=0)

    assert retry_delay([never, often], KeyError(), 1, 0) is None
    assert retry_delay([never, often], IndexError(), 1, 0) == 0


def test_what_is_no_exception_is_never_retried():
    assert retry_delay([RetryPolicy()], KeyboardInterrupt(), 1, 0) is None
    assert retry_delay([RetryPolicy()], None, 1, 0) is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"initial_interval": -1},
        {"backoff_factor": 0.5},
        {"max_interval": float("inf")},
        {"max_attempts": 0},
        {"max_attempts": 2.5},
        {"retry_on": ["KeyError"]},
        {"initial_interval": True},
    ],
    ids=repr,
)
def test_a_policy_that_makes_no_sense_is_refused(wrong):
    with pytest.raises(InvalidConfigError):
        RetryPolicy(**wrong)
