"""How a caller wants to see a run: stream modes, versions of the chunks, and the result of ``version="v2"``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from graphkit.errors import InvalidConfigError, nearest
from graphkit.graph.config import VERSIONS, read_modes
from graphkit.graph.stream import Projection

if TYPE_CHECKING:
    from collections.abc import Sequence

    from graphkit.core.command import Interrupt


class GraphOutput(NamedTuple):
    """What ``invoke(version="v2")`` returns: the output keys of the state, and the pending questions."""

    value: Any
    interrupts: tuple[Interrupt, ...] = ()


def read_projection(stream_mode: str | Sequence[str], print_mode: str | Sequence[str], version: str, *, subgraphs: bool) -> Projection:
    """Check how a run is to be shown.

    Raises:
        InvalidStreamModeError: A mode does not exist.
        InvalidConfigError: The version does not exist.
    """
    _check_version(version)
    printed = read_modes(print_mode) if print_mode else ()
    return Projection(read_modes(stream_mode), not isinstance(stream_mode, str), subgraphs, typed=version == "v2", printed=printed)


def read_printing(print_mode: str | Sequence[str], version: str) -> Projection | None:
    """Check how a run that nobody streams is printed; None if it is not.

    Raises:
        InvalidStreamModeError: A mode does not exist.
        InvalidConfigError: The version does not exist.
    """
    _check_version(version)
    if not print_mode:
        return None
    return Projection((), labelled=False, subgraphs=False, printed=read_modes(print_mode))


def _check_version(version: str) -> None:
    if version not in VERSIONS:
        raise InvalidConfigError(f"version={version!r} does not exist.", hint=nearest(version, VERSIONS))
