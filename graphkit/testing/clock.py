"""A clock that moves when the test says so."""

from __future__ import annotations


class Clock:
    """Returns the same time until it is told another one. Pass it wherever ``clock=`` is taken.

    Args:
        now: Seconds since the epoch.

    Example:
        >>> clock = Clock(100.0)
        >>> clock.advance(2.5)
        >>> clock()
        102.5
    """

    __slots__ = ("now",)

    def __init__(self, now: float = 1_700_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        """Return the time in seconds since the epoch."""
        return self.now

    def advance(self, seconds: float) -> None:
        """Move on, or back with a negative number."""
        self.now += seconds
