"""What users hold in their hands: items, and the operations of a batch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from graphkit.core.command import Missing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

Namespace: TypeAlias = "tuple[str, ...]"
"""From the outermost level to the innermost, as in ``("memories", "ada")``."""

Ttl: TypeAlias = "float | Missing | None"
"""Minutes until an item expires, None for never, MISSING for what the store was told."""

DEFAULT: Ttl = Missing.MISSING


@dataclass(frozen=True, slots=True)
class Item:
    """What is stored under a key.

    Args:
        value: A copy of its own for every reader.
        key: Unique in the namespace.
        namespace: Where it is.
        created_at: When the key was first written; later writes keep it. Aware, UTC.
        updated_at: When it was last written; reading it changes nothing here. Aware, UTC.
        version: Grows with every write of the store and is never given again, not even after a deletion. Writes of one batch
            share it.
    """

    value: dict[str, Any]
    key: str
    namespace: Namespace
    created_at: datetime
    updated_at: datetime
    version: int


@dataclass(frozen=True, slots=True)
class SearchItem(Item):
    """What a search has found.

    Args:
        score: How close it is to the query, the cosine from -1 to 1 to six digits; None without a query.
    """

    score: float | None = None


@dataclass(frozen=True, slots=True)
class GetOp:
    """Read an item; the result is an Item or None. Fields as the arguments of ``Store.get``."""

    namespace: Namespace
    key: str
    refresh_ttl: bool | None = None


@dataclass(frozen=True, slots=True)
class SearchOp:
    """Search; the result is a list of SearchItem. Fields as the arguments of ``Store.search``."""

    namespace_prefix: Namespace
    filter: Mapping[str, object] | None = None
    limit: int = 10
    offset: int = 0
    query: str | None = None
    refresh_ttl: bool | None = None


@dataclass(frozen=True, slots=True)
class PutOp:
    """Write an item, or delete it with ``value=None``; the result is None. Fields as the arguments of ``Store.put``."""

    namespace: Namespace
    key: str
    value: dict[str, Any] | None
    index: Literal[False] | Sequence[str] | None = None
    ttl: Ttl = DEFAULT
    if_version: int | None = None


@dataclass(frozen=True, slots=True)
class MatchCondition:
    """What a namespace has to begin or to end with; ``"*"`` stands for any one string."""

    match_type: Literal["prefix", "suffix"]
    path: Namespace


@dataclass(frozen=True, slots=True)
class ListNamespacesOp:
    """List namespaces that satisfy all conditions; the result is a list. Other fields as the arguments of ``Store.list_namespaces``."""

    match_conditions: Sequence[MatchCondition] | None = None
    max_depth: int | None = None
    limit: int = 100
    offset: int = 0


Op: TypeAlias = GetOp | SearchOp | PutOp | ListNamespacesOp
Result: TypeAlias = "Item | list[SearchItem] | list[Namespace] | None"
