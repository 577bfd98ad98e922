"""The services of a run, as code inside a node reaches them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from graphkit.core.command import MISSING
from graphkit.core.events import Emitted, Streamed
from graphkit.core.ids import derive
from graphkit.core.record import record
from graphkit.scope.scope import RunScope, current, require

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from graphkit.core.task import Task
    from graphkit.scope.scope import Scope

ContextT = TypeVar("ContextT")


@dataclass(slots=True)
class AttemptRun(RunScope):
    """The scope of a run as one attempt of a node with policies sees it.

    Args:
        first_attempt_time: When the first attempt began, in seconds since the epoch.
        beat: Takes a sign of life; None without a time limit.
    """

    first_attempt_time: float = 0.0
    beat: Callable[[], None] | None = None


@record
class ExecutionInfo:
    """Where the running code is.

    Args:
        checkpoint_id: The checkpoint whose state the node sees.
        checkpoint_ns: Namespace of its graph, "" at the root.
        task_id: The task; the same over attempts, answers and processes.
        thread_id: The thread, None without a checkpointer.
        run_id: The run.
        node: Name of the node.
        node_attempt: 1, then more if it is retried.
        node_first_attempt_time: When attempt 1 began in this run, in seconds since the epoch; None for a node without policies.
        idempotency_key: See ``Runtime.idempotency_key``.
    """

    checkpoint_id: str
    checkpoint_ns: str
    task_id: str
    thread_id: str | None
    run_id: str
    node: str
    node_attempt: int = 1
    node_first_attempt_time: float | None = None
    idempotency_key: str = ""


def send_heartbeat() -> None:
    """Give a sign of life of the running node, for its ``idle_timeout``; without one this does nothing.

    Raises:
        AttemptAbandonedError: The attempt was given up.
    """
    scope = current()
    run = scope.run if scope is not None else None
    if isinstance(run, AttemptRun) and run.beat is not None:
        run.beat()


@record
class Runtime(Generic[ContextT]):
    """The services of a run, as a node parameter ``runtime: Runtime[MyContext]`` or from get_runtime().

    Args:
        context: The object passed as ``context=``.
        store: The store the graph was compiled with.
        stream_writer: Writes to ``stream_mode="custom"``.
        execution_info: Ids of the running task.
        heartbeat: Gives a sign of life for the ``idle_timeout`` of the node's TimeoutPolicy; without one it does nothing.
            Raises AttemptAbandonedError if the attempt has been given up.
    """

    context: ContextT
    store: Any
    stream_writer: Callable[[object], None]
    execution_info: ExecutionInfo
    heartbeat: Callable[[], None] = send_heartbeat

    @property
    def idempotency_key(self) -> str:
        """32 hexadecimal digits to send with a request that must not be carried out twice.

        The same for every attempt of this task, after an answer, and in another process that goes on with it; another one
        for each other task, for the same node in a later superstep and after a fork. In one of several tool calls of a
        node it is that call's own. A task that makes several requests adds a name of its own to it.
        """
        return self.execution_info.idempotency_key


def get_runtime(context_schema: type[ContextT] | None = None) -> Runtime[ContextT]:  # noqa: ARG001 - types the result
    """Return the Runtime of the running node.

    Raises:
        OutsideRunError: No node is running.
    """
    return runtime_of(require("get_runtime()"))


def get_config() -> dict[str, Any]:
    """Return the config of the running node, with ``configurable`` naming thread, namespace and checkpoint.

    Raises:
        OutsideRunError: No node is running.
    """
    return config_of(require("get_config()"))


def get_store() -> Any:  # noqa: ANN401 - the store's type is the user's
    """Return the store the running graph was compiled with.

    Raises:
        OutsideRunError: No node is running.
    """
    return require("get_store()").run.store


def get_stream_writer() -> Callable[[object], None]:
    """Return a function that writes its argument to ``stream_mode="custom"``, at once and marked provisional.

    Raises:
        OutsideRunError: No node is running.
    """
    return writer_of(require("get_stream_writer()"))


def runtime_of(scope: Scope) -> Runtime[ContextT]:
    """Return the Runtime of a scope."""
    task, run = scope.task, scope.run
    first, beat = (run.first_attempt_time, run.beat) if isinstance(run, AttemptRun) else (None, None)
    key = derive(task.id, scope.prefix) if scope.prefix else task.id
    info = ExecutionInfo(task.checkpoint.id, run.namespace, task.id, run.thread_id, run.run_id, task.node, scope.attempt, first, key)
    return Runtime(cast("ContextT", run.context), run.store, writer_of(scope), info, beat or send_heartbeat)


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


def message_sink() -> Callable[[object, Mapping[str, object]], None] | None:
    """Return where to send messages, and pieces of them, while they are made; None when nobody reads them.

    What is sent is shown by ``stream_mode="messages"`` at once, with the place of the running task in its metadata.
    """
    scope = current()
    if scope is None or not scope.run.messages or scope.run.emit is None:
        return None
    emit, namespace, place = scope.run.emit, scope.run.namespace, streamed_from(scope.task)

    def send(message: object, metadata: Mapping[str, object]) -> None:
        emit(Streamed(namespace, message, {**place, **metadata}))

    return send


def streamed_from(task: Task) -> dict[str, object]:
    """Return the metadata of a message from a task; the names are LangGraph's."""
    return {
        "langgraph_step": task.checkpoint.step + 1,
        "langgraph_node": task.node,
        "langgraph_triggers": (f"branch:to:{task.node}",),
        "langgraph_path": ("send", task.index, task.node) if task.trigger.arg is not MISSING else ("edge", task.node),
        "langgraph_checkpoint_ns": f"{task.namespace}|{task.node}:{task.id}" if task.namespace else f"{task.node}:{task.id}",
    }
