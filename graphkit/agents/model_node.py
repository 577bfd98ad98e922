"""The node that asks the model, and the one that asks it for a structured answer."""

from __future__ import annotations

from dataclasses import replace
from inspect import isawaitable
from typing import TYPE_CHECKING, Any, Final, TypeAlias
from uuid import uuid4

from graphkit.agents.state import value_of
from graphkit.agents.transcript import messages_of
from graphkit.errors import InvalidConfigError, InvalidModelError
from graphkit.messages import AIMessage, SystemMessage, ToolCall, check_history, read_messages
from graphkit.scope import Runtime  # noqa: TC001 - the signature of a node is read when the graph is built

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from graphkit.agents.routes import Turn
    from graphkit.messages import AnyMessage, Message
    from graphkit.models import ChatModel

Prompt: TypeAlias = "str | SystemMessage | Callable[[Any], Any] | None"
"""What the model is told first: text, a system message, or a function from the state to all the messages it gets."""

ModelLike: TypeAlias = "ChatModel | str | Callable[[Any, Runtime[Any]], Any]"
"""A model, its "provider:name", or a function (state, runtime) that returns a model with its tools bound."""

MORE_STEPS: Final = "Sorry, need more steps to process this request."
"""What LangGraph's agents say at the end of their steps."""


class ModelNode:
    """Asks the model and returns its answer.

    Args:
        model: The model, or a function (state, runtime) that returns one.
        prompt: What comes before the conversation.
        turn: How many supersteps the calls of an answer take.
        name: Written on each answer, so that the agents of a conversation can be told apart.
    """

    def __init__(self, model: Any, prompt: Prompt, turn: Turn, name: str | None) -> None:  # noqa: ANN401 - one of ModelLike
        self.model = model
        self.prompt = prompt
        self.turn = turn
        self.name = name

    def invoke(self, state: Any, runtime: Runtime[Any]) -> dict[str, object]:  # noqa: ANN401 - any state that has messages
        """Ask.

        Raises:
            InvalidChatHistoryError: A tool call in the conversation has no tool message.
            ModelError: As the model.
        """
        model = _now(self._model(state, runtime), "model")
        messages = _now(self._messages(state), "prompt")
        return self._update(state, model.invoke(_checked(messages)))

    async def ainvoke(self, state: Any, runtime: Runtime[Any]) -> dict[str, object]:  # noqa: ANN401 - as invoke
        """As ``invoke``; the functions for model and prompt may be coroutine functions."""
        model = await _later(self._model(state, runtime))
        messages = await _later(self._messages(state))
        return self._update(state, await model.ainvoke(_checked(messages)))

    def _model(self, state: object, runtime: Runtime[Any]) -> Any:  # noqa: ANN401 - a ChatModel or an awaitable of one
        return self.model if hasattr(self.model, "invoke") else self.model(state, runtime)

    def _messages(self, state: object) -> Any:  # noqa: ANN401 - messages or an awaitable of them
        given = value_of(state, "llm_input_messages")
        messages = given if given is not None else messages_of(state)
        return prompted(self.prompt, messages, state if given is None else _with(state, given))

    def _update(self, state: object, answer: AIMessage) -> dict[str, object]:
        """Return the answer, with call ids that can be told apart."""
        answer = _distinct(answer if self.name is None else replace(answer, name=self.name), messages_of(state))
        if self.turn.is_too_long(answer, value_of(state, "remaining_steps")):
            return {"messages": [AIMessage(MORE_STEPS, id=answer.id, name=answer.name)]}
        return {"messages": [answer]}


class AnswerNode:
    """Asks the model once more, for the conversation's result in the form of a schema.

    Args:
        model: As in ModelNode.
        schema: A pydantic model, TypedDict or JSON schema.
        prompt: What the model is told before the conversation, or None.
    """

    def __init__(self, model: Any, schema: Any, prompt: str | None) -> None:  # noqa: ANN401 - as ChatModel.with_structured_output
        self.model = model
        self.schema = schema
        self.prompt = prompt

    def invoke(self, state: Any, runtime: Runtime[Any]) -> dict[str, object]:  # noqa: ANN401 - any state that has messages
        """Ask."""
        model = self.model if hasattr(self.model, "invoke") else _now(self.model(state, runtime), "model")
        return {"structured_response": model.with_structured_output(self.schema).invoke(self._messages(state))}

    async def ainvoke(self, state: Any, runtime: Runtime[Any]) -> dict[str, object]:  # noqa: ANN401 - as invoke
        """As ``invoke``."""
        model = self.model if hasattr(self.model, "invoke") else await _later(self.model(state, runtime))
        return {"structured_response": await model.with_structured_output(self.schema).ainvoke(self._messages(state))}

    def _messages(self, state: object) -> list[Any]:
        return list(prompted(self.prompt, messages_of(state), state))


def prompted(prompt: Prompt, messages: Sequence[Message], state: object) -> Any:  # noqa: ANN401 - messages or an awaitable of them
    """Return what the model gets: the prompt and the conversation, or what a function makes of the state."""
    if prompt is None:
        return messages
    if isinstance(prompt, str):
        return [SystemMessage(prompt), *messages]
    return [prompt, *messages] if isinstance(prompt, SystemMessage) else prompt(state)


def require_prompt(prompt: object) -> None:
    """Check a prompt.

    Raises:
        InvalidConfigError: It is none.
    """
    if prompt is not None and not isinstance(prompt, str | SystemMessage) and not callable(prompt):
        raise InvalidConfigError(f"prompt={prompt!r:.100} is no prompt.", hint="Pass text, a SystemMessage or a function of the state.")


def _checked(messages: object) -> list[AnyMessage]:
    read: Any = read_messages(messages)
    check_history(read)
    return list(read)


def _with(state: object, messages: Any) -> object:  # noqa: ANN401 - what a hook returned
    """Show a prompt function the messages that the model is to get, in place of the whole conversation."""
    from graphkit.agents.state import with_messages  # noqa: PLC0415 - only hooks need it

    return with_messages(state, "messages", messages)


def _distinct(answer: AIMessage, messages: Sequence[Message]) -> AIMessage:
    """Give new ids to calls whose ids are taken: some local servers count from zero in each answer."""
    taken = {call["id"] for message in messages if isinstance(message, AIMessage) for call in message.tool_calls}
    calls = []
    for call in answer.tool_calls:
        fresh = call if call["id"] not in taken else ToolCall({**call, "id": f"call_{uuid4().hex}"})
        taken.add(fresh["id"])
        calls.append(fresh)
    return answer if calls == answer.tool_calls else replace(answer, tool_calls=calls)


def _now(given: Any, what: str) -> Any:  # noqa: ANN401 - whatever a function returned
    if isawaitable(given):
        getattr(given, "close", lambda: None)()
        raise InvalidModelError(f"The function for the {what} is a coroutine function.", hint="Run the graph with ainvoke() or astream().")
    return given


async def _later(given: Any) -> Any:  # noqa: ANN401 - whatever a function returned
    return await given if isawaitable(given) else given
