"""How long items live. Time is asked of the store's clock; an item whose time has come is not there, swept or not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypedDict

from graphkit.core.command import Missing
from graphkit.core.record import record
from graphkit.errors import InvalidConfigError, nearest

MINUTE: Final = 60.0
"""Seconds. As in LangGraph, users give minutes."""


class TTLConfig(TypedDict, total=False):
    """How long a store keeps items.

    Keys:
        default_ttl: Minutes until an item expires that was put without ``ttl=``; None, the default, for never.
        refresh_on_read: Whether reading an item starts its time anew, unless the call says otherwise; True by default.
    """

    default_ttl: float | None
    refresh_on_read: bool


@record
class Expiry:
    """A checked TTLConfig.

    Args:
        default: Seconds; None for never.
        refresh: Whether reading starts the time anew.
    """

    default: float | None = None
    refresh: bool = True

    @classmethod
    def of(cls, config: object) -> Expiry:
        """Read a config; None for the defaults.

        Raises:
            InvalidConfigError: A key is unknown, or a value is out of range.
        """
        if config is None:
            return cls()
        if not isinstance(config, Mapping):
            raise InvalidConfigError(f"ttl={config!r:.80} is no dict.", hint='Pass {"default_ttl": 60, "refresh_on_read": True}.')
        for key in config:
            if key not in TTLConfig.__annotations__:
                hint = f"{nearest(key, TTLConfig.__annotations__)} Nothing is swept in the background: call sweep_ttl()."
                raise InvalidConfigError(f"ttl has no key {key!r:.80}.", hint=hint)
        refresh = config.get("refresh_on_read", True)
        if not isinstance(refresh, bool):
            raise InvalidConfigError(f"ttl['refresh_on_read']={refresh!r:.80} is neither True nor False.")
        return cls(checked_ttl(config.get("default_ttl"), None), refresh)

    def seconds(self, ttl: object) -> float | None:
        """Return the seconds that an item lives, put with this ``ttl``; None for ever.

        Raises:
            InvalidConfigError: It is no number of minutes above 0.
        """
        return checked_ttl(ttl, self.default)

    def refreshes(self, wish: object) -> bool:
        """Tell whether a read with this ``refresh_ttl`` starts the time anew.

        Raises:
            InvalidConfigError: The wish is neither True, False nor None.
        """
        if wish is not None and not isinstance(wish, bool):
            raise InvalidConfigError(f"refresh_ttl={wish!r:.80} is neither True, False nor None.")
        return self.refresh if wish is None else wish


def checked_ttl(ttl: object, default: float | None) -> float | None:
    """Return minutes as seconds.

    Raises:
        InvalidConfigError: It is no number of minutes above 0.
    """
    if ttl is None or ttl is Missing.MISSING:
        return default if ttl is Missing.MISSING else None
    if not isinstance(ttl, int | float) or isinstance(ttl, bool) or not 0 < ttl < float("inf"):
        raise InvalidConfigError(f"A ttl of {ttl!r:.80} is out of range.", hint="Use a number of minutes above 0, or None.", ttl=ttl)
    return float(ttl) * MINUTE
