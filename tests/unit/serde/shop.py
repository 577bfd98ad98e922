"""Classes for the tests of serde: one of every shape a codec can learn."""

from __future__ import annotations

from collections import Counter, OrderedDict, defaultdict, deque
from dataclasses import InitVar, dataclass, field
from enum import Enum, Flag, IntEnum, IntFlag, StrEnum
from typing import Any, Generic, NamedTuple, TypeVar

from pydantic import BaseModel, ConfigDict, PrivateAttr, RootModel, field_validator

T = TypeVar("T")


class Color(Enum):
    RED = "red"
    BLUE = object()
    ALSO_RED = "red"  # noqa: PIE796 - an alias


class Rank(IntEnum):
    LOW = 1
    HIGH = 2


class Word(StrEnum):
    YES = "yes"
    NO = "no"


class Right(Flag):
    READ = 1
    WRITE = 2
    RUN = 4
    ALL = 7


class Bits(IntFlag):
    A = 1
    B = 2


class Point(NamedTuple):
    x: int
    y: tuple[int, ...] = ()


@dataclass
class Order:
    id: int
    lines: list[Line]
    color: Color = Color.RED


@dataclass(frozen=True, slots=True)
class Line:
    name: str
    price: tuple[int, ...]
    rank: Rank = Rank.LOW


@dataclass
class Derived:
    start: int
    scale: InitVar[int] = 2
    total: int = field(init=False)

    def __post_init__(self, scale: int) -> None:
        self.total = self.start * scale


@dataclass
class Loud:
    """Counts how often its code runs."""

    name: str

    def __post_init__(self) -> None:
        RUNS.append("dataclass")

    def __setattr__(self, name: str, value: Any) -> None:
        RUNS.append("setattr")
        object.__setattr__(self, name, value)


RUNS: list[str] = []


class Mail(BaseModel):
    model_config = ConfigDict(extra="allow")
    subject: str
    to: tuple[str, ...] = ()
    rank: Rank = Rank.LOW
    _seen: int = PrivateAttr(default=0)

    @field_validator("subject")
    @classmethod
    def checked(cls, value: str) -> str:
        RUNS.append("model")
        return value.strip()


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)
    line: Line
    inner: Mail | None = None


class Box(BaseModel, Generic[T]):
    content: T


class Names(RootModel[list[str]]):
    pass


@dataclass
class Crate(Generic[T]):
    content: T


class Bag(dict[str, int]):
    def items(self) -> Any:
        raise AssertionError("the codec must not call this")


class Row(list[int]):
    label: str

    def __iter__(self) -> Any:
        raise AssertionError("the codec must not call this")


class Text(str):
    __slots__ = ("language",)
    language: str


class Count(int):
    pass


class Ratio(float):
    pass


class Pair(tuple[int, int]):
    __slots__ = ()


class Tags(set[str]):
    pass


class Fixed(frozenset[str]):
    pass


class Blob(bytes):
    pass


class Buffer(bytearray):
    pass


class Ordered(OrderedDict[str, int]):
    pass


class Sums(defaultdict[str, int]):
    pass


class Votes(Counter[str]):
    pass


class Last(deque[int]):
    pass


class Wave(complex):
    pass


class ShopError(ValueError):
    def __init__(self, code: int, *, retry: bool) -> None:
        super().__init__(f"failed with {code}")
        self.code = code
        self.retry = retry


class LostFileError(OSError):
    pass


CLASSES: tuple[type, ...] = (
    Color, Rank, Word, Right, Bits, Point, Order, Line, Derived, Loud, Mail, Frozen, Box[int], Box[list[Line]], Names, Crate,
    Bag, Row, Text, Count, Ratio, Pair, Tags, Fixed, Blob, Buffer, Ordered, Sums, Votes, Last, Wave, ShopError, LostFileError,
)  # fmt: skip
