"""What happens when a node fails: decisions only. Nothing here waits, reads a clock or makes a random number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from graphkit.errors import GraphkitError, InvalidConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

RetryOn: TypeAlias = "type[Exception] | Sequence[type[Exception]] | Callable[[Exception], bool]"

MISTAKES = (
    ValueError, TypeError, ArithmeticError, ImportError, LookupError, NameError, SyntaxError, RuntimeError, ReferenceError, StopIteration,
    StopAsyncIteration, OSError,
)  # fmt: skip
"""Exceptions that come back however often one tries; most connection errors are OSErrors, so those are looked at first."""

CLIENT_ERRORS = range(400, 500)
TRY_AGAIN_LATER = frozenset({408, 425, 429})


def is_transient(error: Exception) -> bool:
    """Tell whether trying again may help; what ``RetryPolicy`` goes by unless it is told otherwise.

    graphkit's own errors say so themselves (``retryable``). Lost connections and timeouts may; HTTP errors may unless the
    status says that the request is wrong; typical mistakes of a program (ValueError, TypeError, ...) do not; any other
    exception may.
    """
    retryable = getattr(error, "retryable", None)
    if isinstance(error, GraphkitError):
        return retryable is True
    if isinstance(error, ConnectionError | TimeoutError):
        return True
    status = getattr(getattr(error, "response", None), "status_code", None)
    if isinstance(status, int):
        return status not in CLIENT_ERRORS or status in TRY_AGAIN_LATER
    return not isinstance(error, MISTAKES)


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """When and how often a node that failed runs again, within the same superstep.

    What the failed attempt wrote is discarded; what it remembered with ``once`` is kept. Interrupts are no failures.

    Args:
        initial_interval: Seconds before the second attempt.
        backoff_factor: What the interval is multiplied with after each attempt.
        max_interval: Seconds that the interval does not exceed.
        max_attempts: Attempts in all, the first one included.
        jitter: Add a random part of up to the interval itself, at most a second, so that many do not try at once.
        retry_on: An exception class, several, or a function of the exception; ``is_transient`` by default.

    Raises:
        InvalidConfigError: A number is out of range, or retry_on is none of these.

    If the exception says how long to wait (``retry_after``, seconds), the wait is at least that long.
    """

    initial_interval: float = 0.5
    backoff_factor: float = 2.0
    max_interval: float = 128.0
    max_attempts: int = 3
    jitter: bool = True
    retry_on: RetryOn = is_transient

    def __post_init__(self) -> None:
        for name, least in (("initial_interval", 0), ("backoff_factor", 1), ("max_interval", 0)):
            value = getattr(self, name)
            if not isinstance(value, int | float) or isinstance(value, bool) or not least <= value < float("inf"):
                raise InvalidConfigError(f"RetryPolicy({name}={value!r}) is out of range.", hint=f"Use a number of at least {least}.")
        if type(self.max_attempts) is not int or self.max_attempts < 1:
            raise InvalidConfigError(f"RetryPolicy(max_attempts={self.max_attempts!r}) is out of range.", hint="Use an int of at least 1.")
        if not callable(self.retry_on) and not all([isinstance(kind, type) for kind in self.retry_on]):
            raise InvalidConfigError(
                f"RetryPolicy(retry_on={self.retry_on!r}) says nothing about exceptions.",
                hint="Pass an exception class, several of them, or a function of the exception.",
            )

    def applies(self, error: Exception) -> bool:
        """Tell whether this policy is about ``error``."""
        if isinstance(self.retry_on, type):
            return isinstance(error, self.retry_on)
        if callable(self.retry_on):
            return bool(self.retry_on(error))
        return isinstance(error, tuple(self.retry_on))


def retry_delay(policies: Sequence[RetryPolicy], error: BaseException | None, attempts: int, chance: float) -> float | None:
    """Return the seconds to wait before the next attempt, None if there is to be none.

    Args:
        policies: The first that is about the error decides.
        error: What the last attempt raised.
        attempts: How many there were.
        chance: A random number from 0 to 1, for jitter.
    """
    if not isinstance(error, Exception):
        return None
    policy = next((policy for policy in policies if policy.applies(error)), None)
    if policy is None or attempts >= policy.max_attempts:
        return None
    interval = min(policy.initial_interval * policy.backoff_factor ** (attempts - 1), policy.max_interval)
    wait = interval + (chance * min(interval, 1.0) if policy.jitter else 0.0)
    asked = getattr(error, "retry_after", None)
    return max(wait, float(asked)) if isinstance(asked, int | float) else wait
