"""One node run and what can come of it.

A task ends in exactly one Outcome. Writes and routing are one record: they commit together or not at all.
"""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Final, TypeAlias

from graphkit.core.command import MISSING
from graphkit.core.ids import derive
from graphkit.core.record import record

if TYPE_CHECKING:
    from collections.abc import Mapping

    from graphkit.core.checkpoint import Checkpoint, Trigger
    from graphkit.core.command import Command, Interrupt, Send

Write: TypeAlias = "tuple[str, object]"
"""One update of one key, before the key's channel has merged it."""

SUMMARY_LIMIT: Final = 1000
"""Characters of an exception's ``repr`` kept with a stored failure."""

TRACE_LIMIT: Final = 4000
"""Characters of a traceback kept with a stored failure; the end of it is kept."""


@record
class Question:
    """An Interrupt and how to find its way back to the task that asked.

    Args:
        interrupt: What the caller sees.
        slot: The question's key, or ``#0``, ``#1``, ... for unnamed ones, unique within the task.
        digest: Hash of what was asked; an answer only fits the same question.
        namespace: Namespace of the graph that asks.
        path: Task ids from the root graph down to the asking task.
    """

    interrupt: Interrupt
    slot: str
    digest: str
    namespace: str
    path: tuple[str, ...]

    @property
    def task_id(self) -> str:
        """The task that asked."""
        return self.path[-1]


@record
class Answer:
    """An answer on its way to ``interrupt()``: the value and the digest of the question it answers."""

    value: object
    digest: str


@record
class Done:
    """The node finished.

    Args:
        writes: Updates in the order they are to be merged.
        goto: Names of the nodes to run next (edges, routers and Command.goto), END left out.
        sends: Sends in the order they were issued.
        children: Stateful subgraph namespaces the task moved on, with their new checkpoint ids.
        cached: Whether it was taken from a cache. Never stored.
        cause: What the node raised, if all it did was to fail and to call its error handler (``sends``). Never stored.
    """

    writes: tuple[Write, ...] = ()
    goto: tuple[str, ...] = ()
    sends: tuple[Send, ...] = ()
    children: Mapping[str, str] = field(default_factory=dict)
    cached: bool = field(default=False, compare=False)
    cause: BaseException | None = field(default=None, compare=False, repr=False)


@record
class Failed:
    """The node, its router or its update raised.

    Args:
        summary: ``repr`` of the exception, SUMMARY_LIMIT characters at most.
        trace: The end of its traceback, TRACE_LIMIT characters at most.
        error: The live exception; None when the failure was read from storage.
    """

    summary: str
    trace: str = ""
    error: BaseException | None = field(default=None, compare=False)

    @classmethod
    def of(cls, error: BaseException) -> Failed:
        """Describe a live exception."""
        from traceback import format_exception  # noqa: PLC0415 - only failures need it

        return cls(_shown(error), "".join(format_exception(error))[-TRACE_LIMIT:], error)


@record
class Interrupted:
    """The node waits; ``questions`` are its own or those of a subgraph it called, none if that stopped at a breakpoint."""

    questions: tuple[Question, ...]


@record
class Escaped:
    """The node of a subgraph handed a command to the parent graph; the subgraph ends here. Never stored."""

    command: Command[str]


Outcome: TypeAlias = Done | Failed | Interrupted | Escaped


@record
class Task:
    """One run of one node. Two tasks are the same only if they are the same object.

    Args:
        node: Name of the node.
        trigger: The frontier entry it stands for.
        index: Its place in the frontier, which is its place in the order of application.
        checkpoint: The state it sees.
        namespace: Namespace of its graph.
        answers: Answers so far, by question slot.
        memos: Results remembered by ``once``, by key.
        remaining: Supersteps the run may make after this one.
        resumed: Whether an earlier run may have begun this task, so that subgraphs look for what they saved.
        taken: Namespaces of stateful subgraphs that other tasks of its superstep called in an earlier run.
        preset: What the node "returned" when a caller edits the state in its name; MISSING to call it.
    """

    node: str
    trigger: Trigger
    index: int
    checkpoint: Checkpoint
    namespace: str
    answers: Mapping[str, Answer]
    memos: Mapping[str, object]
    remaining: int
    resumed: bool = False
    preset: object = MISSING
    taken: frozenset[str] = frozenset()
    _id: str = field(default="", init=False)

    __eq__ = object.__eq__
    __hash__ = object.__hash__

    @property
    def id(self) -> str:
        """32 hexadecimal digits; the same whenever the same checkpoint is planned. Computed when it is first asked for."""
        if not self._id:
            object.__setattr__(self, "_id", task_id(self.checkpoint, self.namespace, self.index))
        return self._id


def task_id(checkpoint: Checkpoint, namespace: str, index: int) -> str:
    """Return the id of the task for the ``index``-th entry of the frontier."""
    trigger = checkpoint.frontier[index]
    return trigger.id or derive(checkpoint.id, namespace, index, trigger.node)


def _shown(error: BaseException) -> str:
    try:
        return repr(error)[:SUMMARY_LIMIT]
    except Exception:  # noqa: BLE001 - the user's class; a failing repr must not hide the failure
        return type(error).__name__
