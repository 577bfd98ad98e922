"""What code inside a node can reach: interrupt, once, and the services of the run, through one ContextVar.

Only this file has module-level state: the variable that says which task the running code belongs to.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from inspect import iscoroutinefunction
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from graphkit.core.command import Interrupt
from graphkit.core.effects import Commit, Memo
from graphkit.core.events import Emitted
from graphkit.core.record import record
from graphkit.core.resume import interrupt_id
from graphkit.core.task import Question
from graphkit.errors import (
    GraphInterrupt,
    InterruptMismatchError,
    InvalidAnswerError,
    InvalidConfigError,
    MissingCheckpointerError,
    OutsideRunError,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime

    from graphkit.core.events import Event
    from graphkit.core.request import Durability
    from graphkit.core.task import Answer, Task
    from graphkit.storage import Hold

T = TypeVar("T")
ContextT = TypeVar("ContextT")


NOTHING: Mapping[str, Any] = MappingProxyType({})


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
    settle: Callable[[], None] | None = None
    begun: dict[str, tuple[str, str]] = field(default_factory=dict)


class Scope:
    """What belongs to one run of one node.

    Mappings here are replaced, never changed in place: most tasks use none of them, and a superstep should not pay for
    making them.
    """

    __slots__ = ("asked", "before", "calls", "children", "keys", "memos", "questions", "run", "seen", "task")

    def __init__(self, run: RunScope, task: Task) -> None:
        self.run = run
        self.task = task
        self.asked = 0
        self.keys: frozenset[str] = frozenset()
        self.calls: Mapping[str, int] = NOTHING
        self.children: Mapping[str, str] = NOTHING
        self.memos: Mapping[str, object] = NOTHING
        self.questions: tuple[Question, ...] = ()
        self.seen: object = None
        self.before: tuple[object, ...] = ()


_current: ContextVar[Scope | None] = ContextVar("graphkit_scope", default=None)


def current() -> Scope | None:
    """Return the scope of the running task, None outside of one."""
    return _current.get()


enter = _current.set
leave = _current.reset


def _require(caller: str) -> Scope:
    scope = _current.get()
    if scope is None:
        raise OutsideRunError(
            f"{caller} was called outside of a running node.", hint="Call it in a node, a router or a tool of a running graph."
        )
    return scope


def interrupt(
    value: object, *, key: str | None = None, response_schema: type | Mapping[str, Any] | None = None, deadline: datetime | None = None
) -> Any:  # noqa: ANN401 - the answer's type is the caller's
    """Ask the caller and return the answer; the first call pauses the thread, for as long as it takes.

    The node runs again from its top when the answer comes (use ``once`` for what must not happen twice). Answers are
    matched by identity: the task, the ``key`` or else the ordinal of the call, and a hash of what was asked.

    Args:
        value: What to ask; any serializable value.
        key: A name for the question, unique in the node. Name questions whose order may change.
        response_schema: A type (checked and converted with pydantic) or a JSON schema that the answer has to fit.
        deadline: When the question expires, an aware datetime; it is stored, nothing fires by itself.

    Raises:
        GraphInterrupt: The first time; it is a BaseException and must not be caught.
        InterruptMismatchError: A rerun asks something else than what was answered.
        MissingCheckpointerError: The graph has no checkpointer, so nobody could ever resume it.
        OutsideRunError: No node is running.
    """
    scope = _require("interrupt()")
    hold = scope.run.hold
    if hold is None:
        raise MissingCheckpointerError(
            f"Node {scope.task.node!r} called interrupt(), but the graph has no checkpointer to wait with.",
            hint="Compile with checkpointer=InMemorySaver() or SqliteSaver(path).",
            node=scope.task.node,
        )
    slot = _slot(scope, key)
    schema = _json_schema(response_schema)
    digest = hold.codec.digest([value, schema])
    answer = scope.task.answers.get(slot)
    if answer is None:
        asked = Interrupt(value, interrupt_id(scope.task.id, slot), response_schema=schema, key=key, deadline=_aware(deadline))
        question = Question(asked, slot, digest, scope.run.namespace, (*scope.run.path, scope.task.id))
        scope.questions = (question,)
        pause = GraphInterrupt((asked,))
        pause.questions = (question,)
        raise pause
    if answer.digest != digest:
        raise InterruptMismatchError(
            f"Node {scope.task.node!r} now asks something else at {slot!r} than what was answered; nothing ran on the answer.",
            hint="What a node asks must depend only on its state. Name questions with key= if their order changes.",
            node=scope.task.node,
            slot=slot,
        )
    return _converted(answer, response_schema)


def once(key: str, fn: Callable[..., T], *args: object, **kwargs: object) -> T:
    """Run ``fn`` one time for this task and return its result, remembered over reruns, resumes and processes.

    The result is stored as soon as ``fn`` returns. If the process dies inside ``fn``, or before the result is stored,
    ``fn`` runs again: make it idempotent with a key of its own if even that must not happen. Without a checkpointer the
    result is remembered for this attempt only; with ``durability="exit"`` a crash forgets it, as it forgets the run.

    Args:
        key: Names the action, unique in the task.
        fn: A function, or a coroutine function; for the latter the result has to be awaited.
        *args: Passed to ``fn``.
        **kwargs: Passed to ``fn``.

    Raises:
        UnserializableValueError: The result cannot be stored.
        OutsideRunError: No node is running.
    """
    scope = _require("once()")
    if not _is_name(key):
        raise InvalidConfigError(f"once() takes a non-empty string as its key, not {key!r}.")
    if iscoroutinefunction(fn):
        return cast("T", _once_later(scope, key, fn, args, kwargs))
    memos = scope.task.memos if key in scope.task.memos else scope.memos
    if key not in memos:
        _settle(scope)
        result = fn(*args, **kwargs)
        scope.memos = {**scope.memos, key: result}
        if scope.run.hold is not None:
            hold = scope.run.hold
            hold.write(hold.prepare(scope.run.namespace, _memo(scope, key, result)))
        return result
    return cast("T", memos[key])


async def _once_later(
    scope: Scope, key: str, fn: Callable[..., Awaitable[object]], args: tuple[object, ...], kwargs: dict[str, object]
) -> object:
    memos = scope.task.memos if key in scope.task.memos else scope.memos
    if key not in memos:
        _settle(scope)
        result = await fn(*args, **kwargs)
        scope.memos = {**scope.memos, key: result}
        if scope.run.hold is not None:
            hold = scope.run.hold
            await hold.awrite(hold.prepare(scope.run.namespace, _memo(scope, key, result)))
        return result
    return memos[key]


@record
class ExecutionInfo:
    """Where the running code is: ids of the checkpoint, namespace, task, thread and run."""

    checkpoint_id: str
    checkpoint_ns: str
    task_id: str
    thread_id: str | None
    run_id: str
    node: str


@record
class Runtime(Generic[ContextT]):
    """The services of a run, as a node parameter ``runtime: Runtime[MyContext]`` or from get_runtime().

    Args:
        context: The object passed as ``context=``.
        store: The store the graph was compiled with.
        stream_writer: Writes to ``stream_mode="custom"``.
        execution_info: Ids of the running task.
    """

    context: ContextT
    store: Any
    stream_writer: Callable[[object], None]
    execution_info: ExecutionInfo


def get_runtime(context_schema: type[ContextT] | None = None) -> Runtime[ContextT]:  # noqa: ARG001 - types the result
    """Return the Runtime of the running node.

    Raises:
        OutsideRunError: No node is running.
    """
    return runtime_of(_require("get_runtime()"))


def get_config() -> dict[str, Any]:
    """Return the config of the running node, with ``configurable`` naming thread, namespace and checkpoint.

    Raises:
        OutsideRunError: No node is running.
    """
    return config_of(_require("get_config()"))


def get_store() -> Any:  # noqa: ANN401 - the store's type is the user's
    """Return the store the running graph was compiled with.

    Raises:
        OutsideRunError: No node is running.
    """
    return _require("get_store()").run.store


def get_stream_writer() -> Callable[[object], None]:
    """Return a function that writes its argument to ``stream_mode="custom"``, at once and marked provisional.

    Raises:
        OutsideRunError: No node is running.
    """
    return writer_of(_require("get_stream_writer()"))


def runtime_of(scope: Scope) -> Runtime[ContextT]:
    """Return the Runtime of a scope."""
    task, run = scope.task, scope.run
    info = ExecutionInfo(task.checkpoint.id, run.namespace, task.id, run.thread_id, run.run_id, task.node)
    return Runtime(cast("ContextT", run.context), run.store, writer_of(scope), info)


def config_of(scope: Scope) -> dict[str, Any]:
    """Return the config of a scope; changing it changes nothing."""
    run = scope.run
    configurable = run.config.get("configurable")
    known = dict(configurable) if isinstance(configurable, dict) else {}
    known["checkpoint_ns"] = run.namespace
    known["checkpoint_id"] = scope.task.checkpoint.id
    if run.thread_id is not None:
        known["thread_id"] = run.thread_id
    return {**run.config, "recursion_limit": run.recursion_limit, "configurable": known}


def writer_of(scope: Scope) -> Callable[[object], None]:
    """Return the stream writer of a scope; without a reader it does nothing."""
    emit, namespace = scope.run.emit, scope.run.namespace

    def write(data: object) -> None:
        if emit is not None:
            emit(Emitted(namespace, data))

    return write


def store_of(scope: Scope) -> object:
    """Return the store of a scope."""
    return scope.run.store


def _settle(scope: Scope) -> None:
    """Let the checkpoint the task belongs to become durable: if it failed, the next run would not find the memory."""
    if scope.run.settle is not None:
        scope.run.settle()


def _memo(scope: Scope, key: str, value: object) -> Commit:
    return Commit(memos=(Memo(scope.task.id, scope.task.checkpoint.n, key, value),))


def _slot(scope: Scope, key: str | None) -> str:
    if key is None:
        scope.asked += 1
        return f"#{scope.asked - 1}"
    if not _is_name(key) or key.startswith("#"):
        raise InvalidConfigError(f"interrupt(key=...) takes a non-empty string that does not begin with '#', not {key!r}.")
    if key in scope.keys:
        raise InvalidConfigError(f"Node {scope.task.node!r} asks twice under the key {key!r}.", hint="Give each question a key of its own.")
    scope.keys |= {key}
    return key


def _is_name(key: object) -> bool:
    return isinstance(key, str) and bool(key)


def _aware(deadline: datetime | None) -> datetime | None:
    if deadline is not None and deadline.tzinfo is None:
        raise InvalidConfigError("interrupt(deadline=...) takes a datetime with a time zone.", hint="datetime.now(UTC) + timedelta(days=2)")
    return deadline


def _json_schema(schema: type | Mapping[str, Any] | None) -> dict[str, object] | None:
    if schema is None:
        return None
    if isinstance(schema, Mapping):
        return dict(schema)
    from pydantic import TypeAdapter  # noqa: PLC0415 - heavy, and only needed here

    adapter: TypeAdapter[object] = TypeAdapter(schema)
    return adapter.json_schema()


def _converted(answer: Answer, schema: type | Mapping[str, Any] | None) -> object:
    if schema is None or isinstance(schema, Mapping):
        return answer.value
    from pydantic import TypeAdapter, ValidationError  # noqa: PLC0415 - heavy, and only needed here

    adapter: TypeAdapter[object] = TypeAdapter(schema)
    try:
        return adapter.validate_python(answer.value)
    except ValidationError as error:
        raise InvalidAnswerError(f"The stored answer does not fit {schema}: {error}") from error
