"""Which task the running code belongs to. Only this file has module-level state: the one ContextVar."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from graphkit.core.ids import derive
from graphkit.errors import InterruptSwallowedError, OutsideRunError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from graphkit.core.events import Event
    from graphkit.core.request import Durability
    from graphkit.core.task import Question, Task
    from graphkit.storage import Hold


NOTHING: Mapping[str, Any] = MappingProxyType({})

FIRST_BRANCH_CALL = 1_000_000
"""Numbers of subgraph calls from here on belong to branches."""


@dataclass(slots=True)
class RunScope:
    """What is the same for every task of one run.

    Args:
        graph: Name of the graph.
        namespace: Its namespace, "" at the root.
        path: Task ids from the root down to the task that called this graph.
        config: The caller's config.
        context: The caller's context object.
        store: The store the graph was compiled with, or its parent's.
        hold: The grip on the thread; None without a checkpointer.
        thread_id: The thread, None without one.
        run_id: Unique per run of the root graph.
        durability: As requested; None without a checkpointer.
        recursion_limit: Supersteps allowed.
        emit: Takes events while a node runs; None when nobody reads them.
        subgraphs: Whether events of subgraphs are wanted.
        debug: Whether to look for values changed in place.
        messages: Whether messages, and pieces of them, are wanted while nodes run.
        details: Whether tasks and checkpoints are wanted.
        begun: For each stateful subgraph namespace, the (checkpoint, task) that called it last.
        settle: Waits for the commit under way, from any thread; None when there is never one.
    """

    graph: str
    namespace: str
    path: tuple[str, ...]
    config: Mapping[str, object]
    context: object
    store: object
    hold: Hold | None
    thread_id: str | None
    run_id: str
    durability: Durability | None
    recursion_limit: int
    emit: Callable[[Event], None] | None = None
    subgraphs: bool = False
    debug: bool = False
    messages: bool = False
    details: bool = False
    settle: Callable[[], None] | None = None
    begun: dict[str, tuple[str, str]] = field(default_factory=dict)


class Scope:
    """What belongs to one run of one node, or to a branch of it.

    Mappings here are replaced, not changed in place, before there are branches: most tasks use none of them, and a
    superstep should not pay for making them.
    """

    __slots__ = ("asked", "attempt", "before", "calls", "children", "keys", "memos", "prefix", "questions", "run", "seen", "task", "trunk")

    def __init__(self, run: RunScope, task: Task) -> None:
        self.run = run
        self.task = task
        self.attempt = 1
        self.asked = 0
        self.keys: frozenset[str] = frozenset()
        self.calls: Mapping[str, int] = NOTHING
        self.children: Mapping[str, str] = NOTHING
        self.memos: Mapping[str, object] = NOTHING
        self.questions: tuple[Question, ...] = ()
        self.seen: object = None
        self.before: tuple[object, ...] = ()
        self.prefix = ""
        self.trunk: Scope | None = None

    def restart(self) -> None:
        """Begin another attempt of the node: only what it remembered stays."""
        self.attempt += 1
        self.asked = 0
        self.keys = frozenset()
        self.calls = self.children = NOTHING
        self.questions = ()

    def next_call(self, base: str, *, stateful: bool) -> int:
        """Return the number of the next subgraph call whose namespace begins with ``base``: 0, 1, ...

        Branches run side by side, so each counts by itself, from a number that belongs to its name. A subgraph that keeps
        its state is the same one whoever calls it.
        """
        scope = self.trunk if stateful and self.trunk is not None else self
        call = scope.calls.get(base, 0)
        scope.calls = {**scope.calls, base: call + 1}
        return call if scope.trunk is None else FIRST_BRANCH_CALL + int(derive(scope.prefix)[:12], 16) + call

    def remember(self, key: str, value: object) -> None:
        """Note a result of ``once`` for this attempt and the ones after it; branches share what they remember."""
        if type(self.memos) is dict:
            self.memos[key] = value
        else:
            self.memos = {**self.memos, key: value}

    def keep_child(self, namespace: str, checkpoint_id: str) -> None:
        """Note where a subgraph that keeps its state stands now."""
        scope = self.trunk or self
        if type(scope.children) is dict:
            scope.children[namespace] = checkpoint_id
        else:
            scope.children = {**scope.children, namespace: checkpoint_id}


_current: ContextVar[Scope | None] = ContextVar("graphkit_scope", default=None)


def current() -> Scope | None:
    """Return the scope of the running task, None outside of one."""
    return _current.get()


enter = _current.set
leave = _current.reset


def branch(scope: Scope, name: str) -> Scope:
    """Return a scope for work that runs beside other work of the same node, such as one of several tool calls.

    What it asks and remembers belongs to the task, under names of its own, so it does not matter which branch is first.

    Args:
        scope: Of the running node, or of a branch of it.
        name: Unique among the branches of the node, and the same when the node runs again.
    """
    made = Scope(scope.run, scope.task)
    made.prefix = f"{scope.prefix}{name.replace('%', '%25').replace('/', '%2F')}/"
    made.trunk = scope.trunk or scope
    made.seen = scope.seen
    made.attempt = scope.attempt
    # Several branches may write at once: from here on each of these is one dict that takes items.
    if type(made.trunk.children) is not dict:
        made.trunk.children = dict(made.trunk.children)
    if type(scope.memos) is not dict:
        scope.memos = dict(scope.memos)
    made.memos = scope.memos
    return made


@contextmanager
def entered(scope: Scope) -> Iterator[Scope]:
    """Run the code of the with block in ``scope``.

    Raises:
        InterruptSwallowedError: The code went on after interrupt() paused it.
    """
    token = enter(scope)
    try:
        yield scope
    finally:
        leave(token)
    if scope.questions:
        raise InterruptSwallowedError(
            f"Code in node {scope.task.node!r} went on after interrupt() paused it.",
            hint="Do not catch BaseException (or use a bare except) around interrupt().",
            node=scope.task.node,
        )


def require(caller: str) -> Scope:
    """Return the scope of the running task.

    Raises:
        OutsideRunError: No node is running.
    """
    scope = _current.get()
    if scope is None:
        raise OutsideRunError(
            f"{caller} was called outside of a running node.", hint="Call it in a node, a router or a tool of a running graph."
        )
    return scope


def is_name(key: object) -> bool:
    """Tell whether ``key`` can name something in a task."""
    return isinstance(key, str) and bool(key)
