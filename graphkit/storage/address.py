"""How users name things, checked once for every backend: ids, configs, limits and cursors."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from graphkit.core.ids import ROOT_NAMESPACE
from graphkit.errors import InvalidConfigError, InvalidIdError, MissingThreadIdError

Config: TypeAlias = "Mapping[str, Any]"
"""``{"configurable": {"thread_id": ..., "checkpoint_ns": ..., "checkpoint_id": ...}}``; other keys are ignored."""

MAX_LIMIT: Final = 1000
MAX_TASK_ID: Final = 200
MAX_NAMESPACE: Final = 4000
"""Characters of a namespace."""

_THREAD_ID: Final = re.compile(r"[A-Za-z0-9\-_.:@+=~]{1,200}")
_UNPRINTABLE: Final = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")
_CURSOR: Final = re.compile(r"(threads|pending):([0-9]{1,18})")


@dataclass(frozen=True, slots=True)
class Address:
    """A thread, a namespace in it, and perhaps a checkpoint of that."""

    thread_id: str
    namespace: str = ROOT_NAMESPACE
    checkpoint_id: str | None = None

    @classmethod
    def of(cls, config: object) -> Address:
        """Read an address out of a config.

        Raises:
            MissingThreadIdError: The config names no thread.
            InvalidIdError: An id or the namespace is not well-formed.
            InvalidConfigError: It is no config.
        """
        configurable = config.get("configurable") if isinstance(config, Mapping) else None
        if not isinstance(configurable, Mapping):
            raise InvalidConfigError(f"{config!r:.200} is no config.", hint='Pass {"configurable": {"thread_id": "..."}}.')
        if "thread_id" not in configurable:
            raise MissingThreadIdError("The config names no thread.", hint='Pass {"configurable": {"thread_id": "..."}}.')
        namespace = checked_namespace(configurable.get("checkpoint_ns", ROOT_NAMESPACE))
        checkpoint_id = configurable.get("checkpoint_id")
        if checkpoint_id is not None and not isinstance(checkpoint_id, str):
            raise InvalidIdError(
                f"A checkpoint id is a string, not {type(checkpoint_id).__name__}.", hint="Take it from a snapshot's config."
            )
        return cls(checked_thread_id(configurable["thread_id"]), namespace, checkpoint_id)

    def config(self) -> dict[str, Any]:
        """Return the config that names this address."""
        configurable = {"thread_id": self.thread_id, "checkpoint_ns": self.namespace}
        if self.checkpoint_id is not None:
            configurable["checkpoint_id"] = self.checkpoint_id
        return {"configurable": configurable}


def checked_thread_id(value: object) -> str:
    """Return a thread id as it is.

    Raises:
        InvalidIdError: It is not a string of 1 to 200 of the allowed characters, or it is "." or "..".
    """
    if not isinstance(value, str) or not _THREAD_ID.fullmatch(value) or value in (".", ".."):
        raise InvalidIdError(
            f"{value!r:.80} is no thread id.",
            hint="Use a string of 1 to 200 letters, digits and -_.:@+=~, for example str(uuid4()).",
            thread_id=value,
        )
    return value


def checked_namespace(value: object) -> str:
    """Return a namespace as it is.

    Raises:
        InvalidIdError: It is not a string of printable characters, or too long.
    """
    if not isinstance(value, str) or len(value) > MAX_NAMESPACE or _UNPRINTABLE.search(value):
        raise InvalidIdError(
            f"{value!r:.80} is no checkpoint namespace.", hint='Use "" for the root graph, or what get_state() shows.', namespace=value
        )
    return value


def checked_task_id(value: object) -> str:
    """Return a task id as it is.

    Raises:
        InvalidIdError: It is not a string of 1 to 200 printable characters.
    """
    if not isinstance(value, str) or not 1 <= len(value) <= MAX_TASK_ID or _UNPRINTABLE.search(value):
        raise InvalidIdError(f"{value!r:.80} is no task id.", hint="Take it from get_state(config).tasks.", task_id=value)
    return value


def checked_limit(value: object, name: str = "limit") -> int:
    """Return a limit as it is.

    Raises:
        InvalidConfigError: It is no int from 1 to MAX_LIMIT.
    """
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= MAX_LIMIT:
        raise InvalidConfigError(f"{name}={value!r:.80} is out of range.", hint=f"Use an int from 1 to {MAX_LIMIT}.", **{name: value})
    return value


def cursor(kind: str, number: int) -> str:
    """Return the cursor that goes on after line ``number`` of a list."""
    return f"{kind}:{number}".encode().hex()


def checked_cursor(kind: str, value: object) -> int | None:
    """Return the line that a cursor stands for, None for the start.

    Raises:
        InvalidConfigError: It is no cursor of this list.
    """
    if value is None:
        return None
    try:
        text = bytes.fromhex(value).decode() if isinstance(value, str) else ""
    except ValueError:
        text = ""
    match = _CURSOR.fullmatch(text)
    if match is None or match[1] != kind:
        raise InvalidConfigError(
            f"cursor={value!r:.80} is no cursor of this list.", hint="Pass the cursor of the page before, unchanged.", cursor=value
        )
    return int(match[2])
