"""create_react_agent(): a model that calls tools until it has an answer, as a plain graph."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, get_args

from graphkit.agents.blueprint import Blueprint, resolved_model, sorted_tools
from graphkit.agents.model_node import require_prompt
from graphkit.agents.policy import Reviews
from graphkit.agents.state import AgentState
from graphkit.errors import InvalidConfigError, nearest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from graphkit.agents.blueprint import Hook
    from graphkit.agents.model_node import ModelLike, Prompt
    from graphkit.agents.policy import ReviewLike
    from graphkit.agents.toolbox import Tools
    from graphkit.graph import CompiledGraph
    from graphkit.storage import Checkpointer

Version = Literal["v1", "v2"]


def create_react_agent(
    model: ModelLike,
    tools: Tools | Sequence[Any],
    *,
    prompt: Prompt = None,
    review: Mapping[str, ReviewLike] | Reviews | None = None,
    response_format: Any = None,  # noqa: ANN401 - a class or a schema
    state_schema: type | None = None,
    context_schema: type | None = None,
    pre_model_hook: Hook | None = None,
    post_model_hook: Hook | None = None,
    checkpointer: Checkpointer | bool | None = None,
    store: object = None,
    interrupt_before: Sequence[str] | str | None = None,
    interrupt_after: Sequence[str] | str | None = None,
    debug: bool = False,
    name: str | None = None,
    version: Version = "v2",
) -> CompiledGraph:
    """Return a graph with the nodes ``agent`` and ``tools``: a model calls tools until it answers without calling one.

    Where they are asked for there are also ``review``, the two hooks and ``generate_structured_response``. Options that
    are not listed are those of ``StateGraph`` and its ``compile``. Raises DefinitionError, InvalidConfigError and, for a
    reviewed tool that is not there, UnknownToolError.

    Args:
        model: A model, "provider:name", or a function (state, runtime) that returns a model with its tools bound.
        tools: Tools, functions or a ToolNode; dicts are tools of the provider's own, the model is told about them.
        prompt: Text or a SystemMessage to put before the conversation, or a function from the state to all messages.
        review: Tool name -> answers a person may give before a call runs, True for all; or Reviews. Needs a checkpointer.
        response_format: A schema for a ``structured_response`` at the end, or a pair (prompt, schema).
        state_schema: A state class with ``messages``; what else the agent needs is added to it.
        pre_model_hook: A node before the model, which gets its ``llm_input_messages`` in place of the conversation.
        post_model_hook: A node after the model.
        version: "v2" makes each tool call a task of its own, "v1" (and ``review``) runs those of a message in one.
    """
    _require(version, prompt)
    node, told = sorted_tools(tools)
    reviews = Reviews.of(review) if review else None
    response = response_format if isinstance(response_format, tuple | None) else (None, response_format)
    hooks = (pre_model_hook, post_model_hook)
    plan = Blueprint(resolved_model(model), node, told, prompt, reviews, response, *hooks, name, version == "v2")
    builder = plan.builder(state_schema or AgentState, context_schema)
    stops: dict[str, Any] = {"interrupt_before": interrupt_before, "interrupt_after": interrupt_after}
    return builder.compile(checkpointer, store=store, debug=debug, name=name or "agent", **stops)


def _require(version: object, prompt: object) -> None:
    if version not in get_args(Version):
        raise InvalidConfigError(f"version={version!r} does not exist.", hint=nearest(version, get_args(Version)))
    require_prompt(prompt)
