"""What a store embeds: the size of the vectors, the function that makes them, and the parts of a value it is given."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from typing import Any, Final, TypeAlias, TypedDict

from graphkit.core.record import record
from graphkit.errors import InvalidConfigError, nearest

Embed: TypeAlias = "Callable[[list[str]], Any]"
"""Takes texts and returns a vector for each, as lists of floats; may be a coroutine function."""

MAX_DIMS: Final = 65_536
WHOLE: Final = "$"

_PATH: Final = re.compile(r"[^.\[\]]+(?:\[(?:\*|-?[0-9]{1,9})\])*(?:\.[^.\[\]]+(?:\[(?:\*|-?[0-9]{1,9})\])*)*")
_STEP: Final = re.compile(r"([^.\[\]]+)|\[([^\]]+)\]")


class IndexConfig(TypedDict, total=False):
    """How a store makes items searchable by meaning.

    Keys:
        dims: Numbers in a vector; required.
        embed: A function from texts to vectors, sync or async, or an object with ``embed_documents`` and ``embed_query``;
            required.
        fields: The parts of a value to embed: ``"$"`` for all of it (the default), ``"text"``, ``"a.b"``, ``"items[*].text"``,
            ``"items[0]"``, ``"items[-1]"``.
    """

    dims: int
    embed: object
    fields: Sequence[str]


class Each(Enum):
    """The step to every item of a list."""

    EACH = "*"


Path: TypeAlias = tuple[str | int | Each, ...]
"""From the value to a part of it: a key, the number of an item in a list, or each of them."""


@record
class Index:
    """A checked IndexConfig."""

    dims: int
    embed: object
    fields: tuple[Path, ...]

    @classmethod
    def of(cls, config: object) -> Index:
        """Read a config.

        Raises:
            InvalidConfigError: A key is missing, unknown or has a value that cannot be used.
        """
        if not isinstance(config, Mapping):
            raise _refused(f"index={config!r:.80} is no dict", 'Pass {"dims": 384, "embed": function}.')
        known = IndexConfig.__annotations__
        for key in config:
            if key not in known:
                raise _refused(f"index has no key {key!r:.80}", nearest(key, known))
        dims, embed = config.get("dims"), config.get("embed")
        if not isinstance(dims, int) or isinstance(dims, bool) or not 1 <= dims <= MAX_DIMS:
            raise _refused(f"index['dims']={dims!r:.80} is no size of a vector", f"Use an int from 1 to {MAX_DIMS}.")
        if not (callable(embed) or is_embeddings(embed)):
            hint = "Pass a function from a list of texts to a list of vectors, or an object with embed_documents and embed_query."
            raise _refused(f"index['embed']={embed!r:.80} cannot embed", hint)
        return cls(dims, embed, checked_fields(config.get("fields", (WHOLE,))))


def is_embeddings(embed: object) -> bool:
    """Tell whether this is an object with methods for documents and for queries."""
    return callable(getattr(embed, "embed_documents", None)) and callable(getattr(embed, "embed_query", None))


def checked_fields(fields: object) -> tuple[Path, ...]:
    """Return the paths that a list of fields stands for.

    Raises:
        InvalidConfigError: It is no list of paths.
    """
    if isinstance(fields, str) or not isinstance(fields, Sequence):
        raise _refused(f"{fields!r:.80} is no list of fields", 'Pass a list, as in ["text"].')
    return tuple([_path(field) for field in fields])


def texts_of(value: Mapping[str, object], paths: Sequence[Path]) -> tuple[str, ...]:
    """Return what the paths lead to, as text, each text once. What is missing, None or empty gives no text."""
    parts = [part for path in paths for part in _parts(value, path)]
    return tuple(dict.fromkeys([text for text in map(_text, parts) if text]))


def _path(field: object) -> Path:
    if field == WHOLE:
        return ()
    if not isinstance(field, str) or not _PATH.fullmatch(field.removeprefix("$.")):
        raise _refused(f"{field!r:.80} is no path of a field", 'Write "$", "text", "a.b" or "items[*].text".')
    return tuple([key or _number(step) for key, step in _STEP.findall(field.removeprefix("$."))])


def _number(step: str) -> int | Each:
    return Each.EACH if step == Each.EACH.value else int(step)


def _parts(value: object, path: Path) -> list[object]:
    if not path:
        return [value]
    step, rest = path[0], path[1:]
    if isinstance(step, str):
        return _parts(value[step], rest) if isinstance(value, Mapping) and step in value else []
    if not isinstance(value, list | tuple):
        return []
    if isinstance(step, int):
        return _parts(value[step], rest) if -len(value) <= step < len(value) else []
    return [part for item in value for part in _parts(item, rest)]


def _text(part: object) -> str:
    if part is None:
        return ""
    if isinstance(part, str):
        return str.__str__(part)
    return json.dumps(_plain(part), ensure_ascii=False, sort_keys=True)


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in value]
    return value if value is None or isinstance(value, str | int | float) else str(value)


def _refused(message: str, hint: str) -> InvalidConfigError:
    return InvalidConfigError(f"{message}.", hint=hint)
