"""Every error graphkit raises, in families by who must act.

Only this file defines error classes. The tree::

    GraphkitError
    ├── DefinitionError (ValueError)        the person who wrote the graph
    │   ├── InvalidGraphError               the graph cannot run as declared
    │   ├── InvalidSchemaError              a state, input, output or context schema cannot be read
    │   ├── InvalidToolError                a function that cannot be a tool
    │   ├── InvalidModelError               a model name or setting that does not exist
    │   └── UnknownNodeError                a name that no node has (edge, goto, Send, as_node, breakpoint)
    ├── StateError                          the person who wrote a node or a reducer
    │   ├── InvalidUpdateError              a node returned something that is no update
    │   │   ├── UnknownKeyError             an update names a key the state does not have
    │   │   └── ConflictingWritesError      two writes to a key without a reducer in one superstep
    │   ├── InvalidStateError (ValueError)  a value does not fit the schema
    │   ├── InvalidMessageError (ValueError)  a value is no message, or names a message that is not there
    │   ├── InvalidChatHistoryError (ValueError)  a tool call without its tool message
    │   ├── ReducerError                    a reducer raised
    │   └── UnserializableValueError (TypeError)  a value cannot be stored; names the path
    ├── RunError                            the person who runs the graph
    │   ├── GraphRecursionError (RecursionError)  the superstep limit was reached
    │   ├── GraphChangedError               a saved thread waits for a node the graph no longer has
    │   ├── InterruptMismatchError          a rerun asked something else than what was answered
    │   ├── InterruptSwallowedError         code inside a node caught an interrupt
    │   ├── ActionChangedError              an action is not the one a person was shown
    │   ├── NodeTimeoutError (TimeoutError) a node or a superstep took too long; ``kind`` tells which limit was passed
    │   ├── NodeFailedError                 a failure that was stored without its exception, as an error handler sees it
    │   ├── AttemptAbandonedError           code of a node goes on after its attempt was given up
    │   ├── MultipleSubgraphsError          two tasks of a superstep called one stateful subgraph
    │   └── OutsideRunError (RuntimeError)  get_config() and friends outside a node
    ├── StorageError                        the person who runs the database; ``retryable`` tells if trying again helps
    │   ├── ThreadBusyError                 another run holds the thread
    │   ├── ConcurrentUpdateError           the thread moved on since it was read
    │   ├── LeaseLostError                  this run no longer holds the thread
    │   ├── CorruptCheckpointError          a stored record is damaged
    │   ├── UnknownTypeError                a stored record names a type that is not registered
    │   ├── StorageUnavailableError         the database is locked, full, read-only or gone
    │   ├── SchemaVersionError              the database was written by a newer graphkit
    │   ├── StoreConflictError              an item of a store is not of the version that a write expected
    │   └── EmbeddingError                  an embedding function failed, or its vectors do not fit
    ├── ModelError                          the model or its provider; ``retryable`` and ``retry_after`` tell if and when to try again
    │   ├── ModelUnavailableError           no connection, or the provider is overloaded or broken
    │   ├── ModelRateLimitError             too many requests or tokens
    │   ├── ModelTimeoutError (TimeoutError)  no answer in time
    │   ├── ModelAuthenticationError        no key, or one that is not accepted
    │   ├── ModelRequestError               the provider does not accept the request
    │   ├── ModelRefusalError               the model declined to answer
    │   └── ModelResponseError              an answer that breaks off or cannot be read
    ├── ToolError                           the person who wrote or called a tool
    │   ├── UnknownToolError                a name that no tool has
    │   └── ToolInvocationError             arguments that do not fit the tool
    └── RequestError (ValueError)           the person who called invoke, get_state, a saver, ...
        ├── EmptyInputError                 nothing to run
        ├── InvalidIdError                  an id or namespace outside the allowed alphabet
        ├── InvalidNamespaceError           a namespace of a store that is not well-formed, or reserved
        ├── InvalidFilterError              a filter of a store's search that cannot be read
        ├── InvalidConfigError              an option that is unknown or out of range
        ├── InvalidStreamModeError          a stream mode that does not exist
        ├── MissingThreadIdError            a checkpointer without a thread id
        ├── MissingCheckpointerError        something that needs a checkpointer, without one
        ├── ThreadNotFoundError             a thread nobody has written to
        ├── CheckpointNotFoundError         a checkpoint id that is not in the thread
        ├── NothingToResumeError            an answer, but no question
        ├── AmbiguousResumeError            one answer, several questions
        ├── UnknownInterruptError           an interrupt id that is not in the thread
        ├── InterruptAlreadyAnsweredError   a second answer to one question
        └── InvalidAnswerError              an answer that does not fit the question's schema

    GraphWarning (UserWarning)              compile() found something that is probably not meant

    GraphBubbleUp (BaseException)           control flow; ``except Exception`` cannot catch it
    ├── GraphInterrupt                      raised by interrupt()
    └── ParentCommand                       a Command(graph=Command.PARENT) on its way up

Each class has a ``code``; `docs/reference/errors.md` has a section for every code.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Iterable


class GraphkitError(Exception):
    """The base of every graphkit error.

    Args:
        message: What happened and where.
        hint: What to do about it.
        **facts: The same in data (``node=``, ``key=``, ``thread_id=``, ...), kept in ``facts``.
    """

    code: ClassVar[str] = "graphkit"

    def __init__(self, message: str, *, hint: str | None = None, **facts: object) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.facts = facts

    def __str__(self) -> str:
        hint = f" {self.hint}" if self.hint else ""
        return f"{self.message}{hint} [{self.code}]"

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (type(self), self.message, self.hint, self.facts))


def _rebuild(kind: type[GraphkitError], message: str, hint: str | None, facts: dict[str, object]) -> GraphkitError:
    return kind(message, hint=hint, **facts)


def nearest(name: object, names: Iterable[str]) -> str:
    """Return a hint that names the valid names closest to ``name``, or all of them when none is close."""
    from difflib import get_close_matches  # noqa: PLC0415 - only errors need it

    known = sorted(names)
    close = get_close_matches(str(name), known, n=3)
    if close:
        return f"Did you mean {' or '.join(repr(found) for found in close)}?"
    if not known:
        return "There are none."
    shown = ", ".join(repr(found) for found in known[:10])
    return f"Known: {shown}{', ...' if len(known) > 10 else ''}."


class DefinitionError(GraphkitError, ValueError):
    """A graph, node, edge or schema is not declared correctly."""

    code = "definition"


class InvalidGraphError(DefinitionError):
    """The graph cannot run as declared: no entry point, a dead end, a duplicate name, ..."""

    code = "invalid-graph"


class InvalidSchemaError(DefinitionError):
    """A schema cannot be read: not a class, a reserved key, a reducer that does not take two arguments."""

    code = "invalid-schema"


class UnknownNodeError(DefinitionError):
    """A name that no node of the graph has."""

    code = "unknown-node"


class InvalidToolError(DefinitionError):
    """A function cannot be a tool: a parameter without a type, no description, a name twice."""

    code = "invalid-tool"


class InvalidModelError(DefinitionError):
    """A model is named or set up in a way that does not exist."""

    code = "invalid-model"


class StateError(GraphkitError):
    """An update or a value is wrong."""

    code = "state"


class InvalidUpdateError(StateError):
    """A node returned something that is not an update, or an update that cannot be applied."""

    code = "invalid-update"


class UnknownKeyError(InvalidUpdateError):
    """An input or update names a key that the state does not have."""

    code = "unknown-key"


class ConflictingWritesError(InvalidUpdateError):
    """Several writes in one superstep to a key that takes one."""

    code = "conflicting-writes"


class InvalidStateError(StateError, ValueError):
    """A value does not fit the schema of its key."""

    code = "invalid-state"


class InvalidMessageError(StateError, ValueError):
    """A value cannot be read as a message, or a message to remove is not in the list."""

    code = "invalid-message"


class InvalidChatHistoryError(StateError, ValueError):
    """A conversation has a tool call without the tool message that answers it; providers refuse such a list."""

    code = "invalid-chat-history"


class ReducerError(StateError):
    """A reducer raised; the cause is attached."""

    code = "reducer-failed"


class UnserializableValueError(StateError, TypeError):
    """A value cannot be stored. ``facts["path"]`` says where it is, as in ``$.messages[3].meta``."""

    code = "unserializable-value"


class RunError(GraphkitError):
    """A run cannot go on."""

    code = "run"


class GraphRecursionError(RunError, RecursionError):
    """The run reached its superstep limit with work left; the state is saved and can be continued."""

    code = "recursion-limit"


class GraphChangedError(RunError):
    """A saved thread waits for a node that the graph no longer has."""

    code = "graph-changed"


class InterruptMismatchError(RunError):
    """A rerun asked something else than what was answered; nothing ran on the answer."""

    code = "interrupt-mismatch"


class InterruptSwallowedError(RunError):
    """Code inside a node caught the control flow of ``interrupt()`` and went on."""

    code = "interrupt-swallowed"


class ActionChangedError(RunError):
    """What would run is not what a person was shown and approved; it was not run."""

    code = "action-changed"


class MultipleSubgraphsError(RunError):
    """Two tasks of one superstep called the same stateful subgraph; it serves one call at a time."""

    code = "multiple-subgraphs"


class NodeTimeoutError(RunError, TimeoutError):
    """An attempt of a node took longer than it may.

    ``facts`` has node, elapsed (seconds), kind, run_timeout, idle_timeout and step_timeout (seconds or None). ``kind``
    is "run" or "idle" for the limits of the node's TimeoutPolicy, "step" for that of the superstep.
    """

    code = "node-timeout"
    retryable: ClassVar[bool] = True

    @property
    def node(self) -> object:
        """Name of the node."""
        return self.facts.get("node")

    @property
    def kind(self) -> object:
        """Which limit was passed: "run", "idle" or "step"."""
        return self.facts.get("kind")

    @property
    def elapsed(self) -> object:
        """Seconds from the beginning of the attempt until it was given up."""
        return self.facts.get("elapsed")

    @property
    def run_timeout(self) -> object:
        """Seconds an attempt may take, or None."""
        return self.facts.get("run_timeout")

    @property
    def idle_timeout(self) -> object:
        """Seconds between two signs of life, or None."""
        return self.facts.get("idle_timeout")


class NodeFailedError(RunError):
    """Stands for the exception of a failed node, of which only the text was stored. ``facts`` has node and trace."""

    code = "node-failed"


class AttemptAbandonedError(RunError):
    """An attempt that was given up, because it took too long, still wants to send, save or ask; nothing of it counts."""

    code = "attempt-abandoned"


class OutsideRunError(RunError, RuntimeError):
    """A function that needs a running node was called outside of one."""

    code = "outside-run"


class StorageError(GraphkitError):
    """The checkpointer could not do its work. ``retryable`` is True when trying again may help."""

    code = "storage"
    retryable: ClassVar[bool] = False


class ThreadBusyError(StorageError):
    """Another run holds the thread; this one has run nothing."""

    code = "thread-busy"
    retryable = True


class ConcurrentUpdateError(StorageError):
    """The thread moved on since it was read; nothing was written and nothing has run."""

    code = "concurrent-update"
    retryable = True


class LeaseLostError(StorageError):
    """This run no longer holds the thread: another one took it over. Nothing was written."""

    code = "lease-lost"


class CorruptCheckpointError(StorageError):
    """A stored record is damaged or was not written by graphkit."""

    code = "corrupt-checkpoint"


class UnknownTypeError(StorageError):
    """A stored record names a type that is not registered in this process."""

    code = "unknown-type"


class StorageUnavailableError(StorageError):
    """The database is locked, full, read-only, missing or gone; nothing of this change was written."""

    code = "storage-unavailable"
    retryable = True


class SchemaVersionError(StorageError):
    """The database was written by a newer version of graphkit; it was left untouched."""

    code = "schema-version"


class StoreConflictError(StorageError):
    """An item of a store is not of the version that a write expected; nothing of the batch was written."""

    code = "store-conflict"
    retryable = True


class EmbeddingError(StorageError):
    """An embedding function failed, or returned vectors that do not fit the index; nothing was written."""

    code = "embedding"
    retryable = True


class ModelError(GraphkitError):
    """A model could not answer.

    Attributes:
        retryable: Whether the same request may succeed later.
        retry_after: Seconds to wait before that, as the provider says; None if it does not.
    """

    code = "model"
    retryable: ClassVar[bool] = False

    @property
    def retry_after(self) -> float | None:
        """Seconds the provider asks to wait; None if it does not say."""
        found = self.facts.get("retry_after")
        return float(found) if isinstance(found, int | float) else None


class ModelUnavailableError(ModelError):
    """No connection to the provider, or it is overloaded or broken."""

    code = "model-unavailable"
    retryable = True


class ModelRateLimitError(ModelError):
    """The provider's limit of requests or tokens is reached."""

    code = "model-rate-limit"
    retryable = True


class ModelTimeoutError(ModelError, TimeoutError):
    """The provider did not answer in time."""

    code = "model-timeout"
    retryable = True


class ModelAuthenticationError(ModelError):
    """There is no API key, or the provider does not accept it."""

    code = "model-authentication"


class ModelRequestError(ModelError):
    """The provider does not accept the request: unknown model, too long, a parameter it does not have."""

    code = "model-request"


class ModelRefusalError(ModelError):
    """The model declined to answer, or a content filter stopped it."""

    code = "model-refusal"


class ModelResponseError(ModelError):
    """The answer breaks off, cannot be read, or is not of the form that was asked for."""

    code = "model-response"
    retryable = True


class ToolError(GraphkitError):
    """A tool could not be called."""

    code = "tool"


class UnknownToolError(ToolError):
    """A name that no tool has."""

    code = "unknown-tool"


class ToolInvocationError(ToolError):
    """The arguments of a call do not fit the tool; the tool has not run."""

    code = "tool-invocation"


class RequestError(GraphkitError, ValueError):
    """A call asks for something that cannot be done."""

    code = "request"


class EmptyInputError(RequestError):
    """There is nothing to run: no input and no saved thread."""

    code = "empty-input"


class InvalidIdError(RequestError):
    """An id is not a string of 1 to 200 letters, digits and ``-_.:@+=~``."""

    code = "invalid-id"


class InvalidNamespaceError(RequestError):
    """A namespace of a store is not a tuple of well-formed strings, or begins with a reserved one."""

    code = "invalid-namespace"


class InvalidFilterError(RequestError):
    """A filter of a store's search cannot be read: an unknown operator, or no dict."""

    code = "invalid-filter"


class InvalidConfigError(RequestError):
    """An option is unknown, has the wrong type or is out of range."""

    code = "invalid-config"


class InvalidStreamModeError(RequestError):
    """A stream mode that does not exist."""

    code = "invalid-stream-mode"


class MissingThreadIdError(RequestError):
    """The graph has a checkpointer, but the call names no thread."""

    code = "missing-thread-id"


class MissingCheckpointerError(RequestError):
    """The call needs a checkpointer, but the graph was compiled without one."""

    code = "missing-checkpointer"


class ThreadNotFoundError(RequestError):
    """A thread that has no checkpoints."""

    code = "thread-not-found"


class CheckpointNotFoundError(RequestError):
    """A checkpoint id that is not in the thread."""

    code = "checkpoint-not-found"


class NothingToResumeError(RequestError):
    """``Command(resume=...)`` on a thread that asks nothing."""

    code = "nothing-to-resume"


class AmbiguousResumeError(RequestError):
    """One answer for several pending questions; use ``Command(resume={id: answer})``."""

    code = "ambiguous-resume"


class UnknownInterruptError(RequestError):
    """An interrupt id that this thread has never asked."""

    code = "unknown-interrupt"


class InterruptAlreadyAnsweredError(RequestError):
    """The question was answered, cancelled or has moved on; nothing was consumed."""

    code = "interrupt-already-answered"


class InvalidAnswerError(RequestError):
    """An answer does not fit the question's response schema; the question stays pending."""

    code = "invalid-answer"


class GraphWarning(UserWarning):
    """A graph compiles, but something in it is probably not meant: an unreachable node, goto beside a static edge, ..."""


class GraphBubbleUp(BaseException):
    """Control flow that leaves a node. A BaseException, so that ``except Exception`` cannot eat it."""


class GraphInterrupt(GraphBubbleUp):
    """Raised by ``interrupt()``; ``args[0]`` holds what is asked (a tuple of Interrupt)."""

    questions: tuple[object, ...] | None = None
    """The same questions as the engine stores them; () when a subgraph stopped at a breakpoint."""


class ParentCommand(GraphBubbleUp):
    """Carries a ``Command(graph=Command.PARENT)`` from a subgraph to its parent; ``args[0]`` is the command."""
