"""What a caller configures, checked: LangGraph's config dict and the keyword arguments beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import TYPE_CHECKING, TypedDict

from graphkit.core.record import record
from graphkit.errors import InvalidConfigError, InvalidStreamModeError, nearest

if TYPE_CHECKING:
    from collections.abc import Sequence

CONFIG_KEYS = ("configurable", "recursion_limit", "max_concurrency", "metadata", "tags", "run_name", "run_id")
ADDRESS_KEYS = ("thread_id", "checkpoint_id", "checkpoint_ns")
STREAM_MODES = ("values", "updates", "custom", "messages", "tasks", "checkpoints", "debug")
VERSIONS = ("v1", "v2")
DURABILITIES = ("sync", "async", "exit")

FORM = 'A config looks like {"configurable": {"thread_id": "1"}, "metadata": {}, "recursion_limit": 100}.'

DEFAULT_RECURSION_LIMIT = 10_000


class RunOptions(TypedDict, total=False):
    """Keyword arguments of every method that runs a graph.

    Args:
        thread_id: Short form of ``config={"configurable": {"thread_id": ...}}``.
        context: Object for nodes, as ``runtime.context``; a dict is made into the context schema.
        durability: "sync" (default): each superstep is durable before the next begins; "async": one commit may be
            under way; "exit": only the end is saved.
        interrupt_before: Nodes to stop before, ``"*"`` for all; instead of those given at compile.
        interrupt_after: Nodes to stop after, ``"*"`` for all; instead of those given at compile.
        recursion_limit: Supersteps this call may make, 10,000 by default.
        max_concurrency: Tasks that may run at the same time; no limit by default.
    """

    thread_id: str | None
    context: object
    durability: str | None
    interrupt_before: Sequence[str] | str | None
    interrupt_after: Sequence[str] | str | None
    recursion_limit: int | None
    max_concurrency: int | None


OPTIONS = tuple(RunOptions.__annotations__)


@record
class Config:
    """A checked config.

    Args:
        given: The dict as it was given.
        thread_id: The thread, None without one; savers check its form.
        checkpoint_id: The checkpoint to begin at, None for the newest.
        namespace: Namespace of the graph the call is about.
        recursion_limit: Supersteps allowed; None if not given.
        max_concurrency: Tasks at the same time; None for no limit.
        metadata: What is stored with each checkpoint.
    """

    given: Mapping[str, object]
    thread_id: str | None = None
    checkpoint_id: str | None = None
    namespace: str = ""
    recursion_limit: int | None = None
    max_concurrency: int | None = None
    metadata: Mapping[str, object] = field(default_factory=dict)


def read_config(config: Mapping[str, object] | None, options: RunOptions | None = None) -> Config:
    """Check a config dict and the keyword arguments beside it, which win.

    Raises:
        InvalidConfigError: An unknown key, a wrong type, a number out of range, or two different thread ids.
    """
    options = options or {}
    for name in options:
        if name not in OPTIONS:
            raise InvalidConfigError(f"There is no option {name!r}.", hint=nearest(name, OPTIONS), option=name)
    thread_id = options.get("thread_id")
    given = config or {}
    if not isinstance(given, Mapping):
        raise InvalidConfigError(f"config must be a dict, not {type(given).__name__}.", hint=FORM)
    for key in given:
        if key not in CONFIG_KEYS:
            hint = "graphkit has no callbacks; read the run with stream()." if key == "callbacks" else nearest(key, CONFIG_KEYS)
            raise InvalidConfigError(f"config has the unknown key {key!r}.", hint=hint, key=key)
    configurable = given.get("configurable") or {}
    if not isinstance(configurable, Mapping):
        raise InvalidConfigError(f"config['configurable'] must be a dict, not {type(configurable).__name__}.", hint=FORM)
    named = configurable.get("thread_id")
    if thread_id is not None and named is not None and thread_id != named:
        raise InvalidConfigError(f"Two thread ids: thread_id={thread_id!r} and config names {named!r}.", hint="Pass one of them.")
    return Config(
        given,
        thread_id if thread_id is not None else named,
        _text(configurable, "checkpoint_id"),
        _text(configurable, "checkpoint_ns") or "",
        _number(_either(options.get("recursion_limit"), given.get("recursion_limit")), "recursion_limit"),
        _number(_either(options.get("max_concurrency"), given.get("max_concurrency")), "max_concurrency"),
        _metadata(given, configurable),
    )


def read_modes(stream_mode: str | Sequence[str]) -> tuple[str, ...]:
    """Check stream modes.

    Raises:
        InvalidStreamModeError: One does not exist.
    """
    modes = (stream_mode,) if isinstance(stream_mode, str) else tuple(stream_mode)
    for mode in modes:
        if mode not in STREAM_MODES:
            raise InvalidStreamModeError(f"There is no stream mode {mode!r}.", hint=nearest(mode, STREAM_MODES), mode=mode)
    if not modes:
        raise InvalidStreamModeError("stream_mode is empty.", hint=nearest("", STREAM_MODES))
    return modes


def _either(first: object, second: object) -> object:
    return second if first is None else first


def _text(configurable: Mapping[str, object], key: str) -> str | None:
    value = configurable.get(key)
    if value is not None and not isinstance(value, str):
        raise InvalidConfigError(f"config['configurable'][{key!r}] must be a string, not {type(value).__name__}.", hint=FORM, key=key)
    return value


def _number(value: object, name: str) -> int | None:
    if value is None:
        return None
    if type(value) is not int or value < 1:
        raise InvalidConfigError(f"{name} must be an integer of at least 1, not {value!r}.", hint="Leave it out for the default.", key=name)
    return value


def _metadata(given: Mapping[str, object], configurable: Mapping[str, object]) -> dict[str, object]:
    """Return the user's metadata: config["metadata"] and, as LangGraph, what is primitive in configurable."""
    metadata = given.get("metadata") or {}
    if not isinstance(metadata, Mapping):
        raise InvalidConfigError(f"config['metadata'] must be a dict, not {type(metadata).__name__}.", hint=FORM)
    copied = {
        key: value
        for key, value in configurable.items()
        if isinstance(value, str | int | float | bool) and key not in ADDRESS_KEYS and not key.startswith("__")
    }
    return {**copied, **metadata}
