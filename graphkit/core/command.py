"""What a node, a router or a caller hands to a graph: Send, Command, Overwrite; and what a graph asks back: Interrupt.

These are the only values with a meaning of their own to the engine. All are frozen data.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, ClassVar, Final, Generic, Literal, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime, timedelta

    from graphkit.core.policy import TimeoutPolicy

START: Final = "__start__"
"""The virtual entry of every graph."""

END: Final = "__end__"
"""The virtual exit of every graph; routing to it means: nothing more from here."""

ROOT: Final = "__root__"
"""The one key of a graph whose state is a bare type."""


class Missing(Enum):
    """The type of MISSING: no value at all, which is different from None."""

    MISSING = "missing"

    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final = Missing.MISSING


def plain_name(name: str) -> str:
    """Return a node name as a plain string; members of a string Enum stand for their value."""
    if type(name) is str:
        return name
    return str(name.value if isinstance(name, Enum) else name)


@dataclass(frozen=True, slots=True)
class Send:
    """Run ``node`` once in the next superstep with ``arg`` as its input.

    Args:
        node: Name of a node of the same graph.
        arg: The node's input, handed over as it is: no state is merged in.
        timeout: How long an attempt of this run may take, in place of the node's own timeout; as for ``add_node``.

    Raises:
        InvalidConfigError: The timeout is out of range. After construction it is a TimeoutPolicy or None.
    """

    node: str
    arg: object
    timeout: TimeoutPolicy | float | timedelta | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        if self.timeout is not None:
            from graphkit.core.policy import timeout_policy  # noqa: PLC0415 - most graphs have no policies

            object.__setattr__(self, "timeout", timeout_policy(self.timeout))

    @property
    def limit(self) -> TimeoutPolicy | None:
        """The timeout as a policy."""
        return cast("TimeoutPolicy | None", self.timeout)


@dataclass(frozen=True, slots=True)
class Overwrite:
    """An update that replaces the value of a reducer key instead of being folded into it."""

    value: object


TargetT = TypeVar("TargetT")


@dataclass(frozen=True, slots=True, kw_only=True)
class Command(Generic[TargetT]):
    """An update, a jump and an answer in one value.

    A node returns it to update the state and choose where to go; a caller passes it as input to answer questions
    (``resume``), edit the state (``update``) or start nodes (``goto``) on a saved thread. The annotation
    ``-> Command[Literal["a", "b"]]`` tells drawings and checks where a node may jump.

    Args:
        graph: None for this graph, ``Command.PARENT`` for the closest parent graph.
        update: A state update, as a node returns it.
        resume: The answer to the one pending question, or ``{interrupt id: answer}`` for any of them.
        goto: A node name, a Send, or a sequence of both. It adds to the static edges of the node, as in LangGraph.
    """

    graph: str | None = None
    update: object = None
    resume: object = MISSING
    goto: str | Send | Sequence[str | Send] = ()

    PARENT: ClassVar[Literal["__parent__"]] = "__parent__"

    @property
    def targets(self) -> tuple[str | Send, ...]:
        """``goto`` as a tuple."""
        if isinstance(self.goto, str | Send):
            return (self.goto,)
        return tuple(self.goto)


@dataclass(frozen=True, slots=True)
class Interrupt:
    """A question that a graph asks its caller.

    Args:
        value: What is asked; any serializable value.
        id: 32 hexadecimal digits; stays the same over reruns of the node.
        response_schema: JSON schema that an answer has to fit, or None.
        key: The name the node gave the question, or None.
        deadline: When the question expires, or None.
    """

    value: object
    id: str
    response_schema: dict[str, object] | None = field(default=None, kw_only=True)
    key: str | None = field(default=None, kw_only=True)
    deadline: datetime | None = field(default=None, kw_only=True)
