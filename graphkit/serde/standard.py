"""The kinds of values every codec knows: the standard library's data types, each under an extension code of its own.

Codes are part of the stored format: a released one never changes its meaning. Builders make values of the types written
here and of no others, and nothing that was stored chooses what is called.
"""

from __future__ import annotations

import difflib  # noqa: F401 - errors suggest names with it, and decoding must not import anything
import re
from collections import Counter, OrderedDict, defaultdict, deque
from datetime import date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal
from fractions import Fraction
from functools import cache, lru_cache
from ipaddress import IPv4Address, IPv4Interface, IPv4Network, IPv6Address, IPv6Interface, IPv6Network
from pathlib import Path, PosixPath, PurePosixPath, PureWindowsPath, WindowsPath
from types import EllipsisType
from typing import TYPE_CHECKING, Final
from uuid import UUID
from zoneinfo import TZPATH, ZoneInfo, available_timezones

from graphkit.errors import UnknownTypeError
from graphkit.serde.content import factory_in, factory_out
from graphkit.serde.exceptions import BUILTIN_ERRORS, error_in, error_out
from graphkit.serde.parts import (
    DICT,
    Bag,
    Pairs,
    Parts,
    Plain,
    RefusalError,
    Standard,
    exactly,
    integer_in,
    integer_out,
    pairs_in,
    text_in,
    text_out,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_PATHS: Final[Mapping[str, type[PurePosixPath | PureWindowsPath]]] = {
    kind.__name__: kind for kind in (PosixPath, WindowsPath, PurePosixPath, PureWindowsPath)
}
_ADDRESSES: Final[Mapping[str, Callable[[str], object]]] = {
    kind.__name__: kind for kind in (IPv4Address, IPv4Interface, IPv4Network, IPv6Address, IPv6Interface, IPv6Network)
}
_ZONE: Final = re.compile(r"[A-Za-z0-9_+\-]+(?:/[A-Za-z0-9_+\-]+){0,4}", re.ASCII)


def standard_kinds() -> dict[type, Standard]:
    """Return every type a codec knows without registration, with its kind."""
    kinds: dict[type, Standard] = {
        int: Standard(1, lambda value: Parts([integer_out(value)]), integer_in),
        str: Standard(2, lambda value: Parts([text_out(value)]), text_in),
        dict: Standard(DICT, lambda value: Parts([], (Pairs(list(value.items())),)), lambda flat: dict(pairs_in(flat))),
        tuple: Standard(4, lambda value: Parts([], (list(value),)), lambda items: tuple(exactly(list, items))),
        set: Standard(5, lambda value: Parts([], (Bag(list(value)),)), lambda items: set(exactly(list, items))),
        frozenset: Standard(6, lambda value: Parts([], (Bag(list(value)),)), lambda items: frozenset(exactly(list, items))),
        bytearray: Standard(7, lambda value: Parts([bytes(value)]), lambda stored: bytearray(exactly(bytes, stored))),
        deque: Standard(8, lambda value: Parts([value.maxlen], (list(value),)), lambda maxlen, items: deque(exactly(list, items), maxlen)),
        OrderedDict: Standard(9, lambda value: Parts([], (Pairs(list(value.items())),)), lambda flat: OrderedDict(pairs_in(flat))),
        defaultdict: Standard(10, _defaultdict_out, lambda name, items: defaultdict(factory_in(name), exactly(dict, items))),
        Counter: Standard(11, lambda value: Parts([], (dict(value),)), lambda items: Counter(exactly(dict, items))),
        complex: Standard(12, lambda value: Parts([value.real, value.imag]), complex),
        Fraction: Standard(13, _fraction_out, lambda above, below: Fraction(integer_in(above), integer_in(below))),
        range: Standard(14, _range_out, lambda *bounds: range(*map(integer_in, bounds))),
        slice: Standard(15, _slice_out, lambda stored: slice(stored["start"], stored["stop"], stored["step"])),
        EllipsisType: Standard(16, lambda _: Parts([]), lambda: ...),
        date: Standard(17, lambda value: Parts([value.year, value.month, value.day]), _date_in),
        time: Standard(18, _time_out, _time_in),
        datetime: Standard(19, _datetime_out, _datetime_in),
        timedelta: Standard(20, lambda value: Parts([value.days, value.seconds, value.microseconds]), timedelta),
        timezone: Standard(21, lambda value: Parts([_zone_out(value)]), _zone_in),
        ZoneInfo: Standard(22, lambda value: Parts([_zone_out(value)]), _zone_in),
        Decimal: Standard(23, lambda value: Parts([str(value)]), lambda text: Decimal(exactly(str, text))),
        UUID: Standard(24, lambda value: Parts([value.bytes]), lambda stored: UUID(bytes=exactly(bytes, stored))),
        re.Pattern: Standard(26, _pattern_out, _pattern_in),
    }
    kinds |= dict.fromkeys(_PATHS.values(), Standard(25, lambda value: Parts([type(value).__name__, text_out(str(value))]), _path_in))
    kinds |= dict.fromkeys(
        [IPv4Address, IPv4Interface, IPv4Network, IPv6Address, IPv6Interface, IPv6Network],
        Standard(27, lambda value: Parts([type(value).__name__, str(value)]), lambda name, text: _ADDRESSES[name](exactly(str, text))),
    )
    kinds |= dict.fromkeys(BUILTIN_ERRORS.values(), Standard(28, error_out, error_in))
    return kinds


def _defaultdict_out(value: defaultdict[object, object]) -> Parts:
    return Parts([factory_out(value.default_factory)], (dict(value),))


def _fraction_out(value: Fraction) -> Parts:
    return Parts([integer_out(value.numerator), integer_out(value.denominator)])


def _range_out(value: range) -> Parts:
    return Parts([integer_out(value.start), integer_out(value.stop), integer_out(value.step)])


def _slice_out(value: slice) -> Parts:
    return Parts([], ({"start": value.start, "stop": value.stop, "step": value.step},))


def _zone_out(zone: tzinfo | None) -> Plain:
    if zone is None:
        return None
    if type(zone) is ZoneInfo and _ZONE.fullmatch(zone.key or ""):
        return zone.key
    if type(zone) is timezone:
        offset = zone.utcoffset(None)
        unnamed = timezone(offset)
        name = zone.tzname(None)
        return [offset.days, offset.seconds, offset.microseconds, None if unnamed.tzname(None) == name else text_out(name)]
    raise RefusalError(
        f"its time zone is a {type(zone).__name__} that cannot be found by name", "Use zoneinfo.ZoneInfo(key) or datetime.timezone."
    )


def _zone_in(stored: object) -> tzinfo | None:
    if stored is None:
        return None
    if isinstance(stored, list):
        days, seconds, microseconds, name = stored
        offset = timedelta(days, seconds, microseconds)
        return timezone(offset) if name is None else timezone(offset, text_in(name))
    key = exactly(str, stored)
    if not _ZONE.fullmatch(key):
        raise ValueError("not the name of a time zone")
    return _zone(key)


@lru_cache(maxsize=256)
def _zone(key: str) -> ZoneInfo:
    # ZoneInfo imports the package tzdata.zoneinfo.<first part of the key>, so it gets only names of existing zones.
    if any(Path(folder, key).is_file() for folder in TZPATH) or key in _listed_zones():
        return ZoneInfo(key)
    raise UnknownTypeError(
        f"A stored time has the time zone {key!r}, which this machine does not know.",
        hint="Install the time zone database: pip install tzdata.",
        tag=key,
    )


@cache
def _listed_zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _time_out(value: time) -> Parts:
    return Parts([value.hour, value.minute, value.second, value.microsecond, _zone_out(value.tzinfo), value.fold])


def _date_in(*stored: object) -> date:
    # date, time and datetime also take bytes, which is a form of pickle.
    year, month, day = (exactly(int, number) for number in stored)
    return date(year, month, day)


def _time_in(*stored: object) -> time:
    *numbers, zone, fold = stored
    hour, minute, second, microsecond = (exactly(int, number) for number in numbers)
    return time(hour, minute, second, microsecond, _zone_in(zone), fold=exactly(int, fold))


def _datetime_out(value: datetime) -> Parts:
    day: list[Plain] = [value.year, value.month, value.day]
    clock: list[Plain] = [value.hour, value.minute, value.second, value.microsecond]
    return Parts([*day, *clock, _zone_out(value.tzinfo), value.fold])


def _datetime_in(*stored: object) -> datetime:
    *numbers, zone, fold = stored
    year, month, day, hour, minute, second, microsecond = (exactly(int, number) for number in numbers)
    return datetime(year, month, day, hour, minute, second, microsecond, _zone_in(zone), fold=exactly(int, fold))


def _path_in(name: str, stored: object) -> PurePosixPath | PureWindowsPath:
    kind = _PATHS[name]
    text = text_in(stored)
    if issubclass(kind, Path) and kind is not type(Path()):
        raise UnknownTypeError(
            f"A stored {name} cannot be made on this operating system.",
            hint="Store PurePath values when a database moves between operating systems.",
            tag=name,
        )
    return kind(text)


def _pattern_out(value: re.Pattern[str] | re.Pattern[bytes]) -> Parts:
    if value.flags & re.DEBUG:
        raise RefusalError("it was compiled with re.DEBUG", "Compile it without.")
    if isinstance(value.pattern, str):
        return Parts(["str", text_out(value.pattern), value.flags])
    return Parts(["bytes", value.pattern, value.flags])


def _pattern_in(form: str, stored: object, flags: object) -> re.Pattern[str] | re.Pattern[bytes]:
    # re.DEBUG prints, so it must not come in by a forged record.
    known = exactly(int, flags) & ~re.DEBUG.value
    if form == "str":
        return re.compile(text_in(stored), known)
    return re.compile(exactly(bytes, stored), known)
