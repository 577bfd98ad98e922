"""What happens when a node fails: decisions only. Nothing here waits, reads a clock or makes a random number."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from graphkit.errors import GraphkitError, InvalidConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

RefreshOn = Literal["auto", "heartbeat"]

TimeoutKind = Literal["run", "idle", "step"]
"""Which limit an attempt has passed: that of the attempt, that between two signs of life, that of the superstep."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeoutPolicy:
    """How long one attempt of a node may take.

    What the attempt returns later, remembers, asks or streams is refused. An async node is cancelled; the thread of a sync
    node cannot be stopped, so it is left behind. Either way the attempt counts as failed with NodeTimeoutError.

    Args:
        run_timeout: Seconds, or a timedelta, for the whole attempt; None for no limit.
        idle_timeout: Seconds, or a timedelta, from one sign of life to the next; None for no limit.
        refresh_on: What is a sign of life: "auto" for all that the node sends, saves or asks, and ``runtime.heartbeat()``;
            "heartbeat" for the latter alone.

    Raises:
        InvalidConfigError: No limit is given, or one is not above 0, or refresh_on is neither of the two.

    After construction both limits are in seconds.
    """

    run_timeout: float | timedelta | None = None
    idle_timeout: float | timedelta | None = None
    refresh_on: RefreshOn = "auto"

    def __post_init__(self) -> None:
        for name in ("run_timeout", "idle_timeout"):
            object.__setattr__(self, name, seconds(getattr(self, name), f"TimeoutPolicy({name}=...)"))
        if self.run_timeout is None and self.idle_timeout is None:
            raise InvalidConfigError("TimeoutPolicy() has no limit.", hint="Give run_timeout=, idle_timeout= or both.")
        if self.refresh_on not in ("auto", "heartbeat"):
            raise InvalidConfigError(f"TimeoutPolicy(refresh_on={self.refresh_on!r}) does not exist.", hint="Known: 'auto', 'heartbeat'.")


@dataclass(frozen=True, slots=True, kw_only=True)
class CachePolicy:
    """Whether a result of a node is kept for runs to come, and what it depends on.

    An entry belongs to the node's name, its function (module and qualified name) and ``version``. It is used for the same
    key until its time is over.

    Args:
        key_func: Takes what the node sees and returns a string, bytes or plain data that stands for it. By default all of
            what the node sees counts, with its types.
        ttl: Seconds, or a timedelta, that a result is good for; None for ever.
        version: Change it when the function does something else than before.

    Raises:
        InvalidConfigError: A field is of the wrong kind, or ttl is not above 0.

    After construction ``ttl`` is in seconds.
    """

    key_func: Callable[[Any], object] | None = None
    ttl: float | timedelta | None = None
    version: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "ttl", seconds(self.ttl, "CachePolicy(ttl=...)"))
        if self.key_func is not None and not callable(self.key_func):
            raise InvalidConfigError(
                f"CachePolicy(key_func={self.key_func!r}) cannot be called.", hint="Pass a function of the node's input."
            )
        if not isinstance(self.version, str):
            raise InvalidConfigError(f"CachePolicy(version={self.version!r}) is no string.")


def timeout_policy(given: TimeoutPolicy | float | timedelta | None) -> TimeoutPolicy | None:
    """Return a timeout as a policy; a number or timedelta is a run_timeout.

    Raises:
        InvalidConfigError: It is none of these, or out of range.
    """
    return given if given is None or isinstance(given, TimeoutPolicy) else TimeoutPolicy(run_timeout=given)


def seconds(given: object, what: str) -> float | None:
    """Return a limit in seconds; ``what`` names it in errors.

    Raises:
        InvalidConfigError: It is no time above 0.
    """
    value = given.total_seconds() if isinstance(given, timedelta) else given
    if value is None:
        return None
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 < value < float("inf"):
        raise InvalidConfigError(f"{what} got {given!r}, which is no time.", hint="Use seconds above 0, or a timedelta.")
    return float(value)


def due(policy: TimeoutPolicy | None, began: float, alive: float, step_ends: float | None) -> tuple[float, TimeoutKind]:
    """Return when an attempt will have taken too long, and which limit that is. There has to be at least one.

    Args:
        policy: The node's, None if only the superstep has a limit.
        began: When the attempt began, on the same clock as the other times.
        alive: When it gave the last sign of life.
        step_ends: When the superstep will have taken too long; None for no limit.
    """
    limits: list[tuple[float, TimeoutKind]] = [] if step_ends is None else [(step_ends, "step")]
    if policy is not None and isinstance(policy.run_timeout, float):
        limits.append((began + policy.run_timeout, "run"))
    if policy is not None and isinstance(policy.idle_timeout, float):
        limits.append((alive + policy.idle_timeout, "idle"))
    return min(limits)
