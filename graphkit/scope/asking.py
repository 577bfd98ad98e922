"""interrupt(): ask a person, pause for as long as it takes, and return the answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from graphkit.core.command import Interrupt
from graphkit.core.resume import interrupt_id
from graphkit.core.task import Question
from graphkit.errors import (
    GraphInterrupt,
    InterruptMismatchError,
    InvalidAnswerError,
    InvalidConfigError,
    MissingCheckpointerError,
)
from graphkit.scope.scope import is_name, require

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from typing import NoReturn

    from graphkit.core.task import Answer
    from graphkit.scope.scope import Scope


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
    scope = require("interrupt()")
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


def raise_all(pauses: Sequence[GraphInterrupt]) -> NoReturn:
    """Pause the running node with the questions of several branches of it.

    Args:
        pauses: What the branches raised, in an order that does not depend on which was first.
    """
    scope = require("raise_all()")
    pause = GraphInterrupt(tuple([asked for pause in pauses for asked in pause.args[0]]))
    pause.questions = scope.questions = cast("tuple[Question, ...]", tuple([asked for pause in pauses for asked in pause.questions or ()]))
    raise pause


def _slot(scope: Scope, key: str | None) -> str:
    if key is None:
        scope.asked += 1
        return f"{scope.prefix}#{scope.asked - 1}"
    if not is_name(key) or key.startswith("#"):
        raise InvalidConfigError(f"interrupt(key=...) takes a non-empty string that does not begin with '#', not {key!r}.")
    if key in scope.keys:
        raise InvalidConfigError(f"Node {scope.task.node!r} asks twice under the key {key!r}.", hint="Give each question a key of its own.")
    scope.keys |= {key}
    return scope.prefix + key


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
