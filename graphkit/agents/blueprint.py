"""An agent as it was asked for, and the graph it becomes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

from graphkit.agents.inquiry import ReviewNode
from graphkit.agents.model_node import AnswerNode, ModelNode
from graphkit.agents.routes import Routes, Turn
from graphkit.agents.settle import SettleNode
from graphkit.agents.state import Key, extended
from graphkit.agents.toolbox import node_of
from graphkit.agents.verdict import Verdict
from graphkit.core.channels import EphemeralValue
from graphkit.core.command import END, START
from graphkit.errors import InvalidModelError
from graphkit.graph import RemainingSteps, StateGraph

if TYPE_CHECKING:
    from collections.abc import Callable

    from graphkit.agents.model_node import Prompt
    from graphkit.agents.policy import Reviews
    from graphkit.graph import CompiledGraph
    from graphkit.tools import ToolNode

Hook: TypeAlias = "Callable[..., Any] | CompiledGraph"
"""A node of the user's own."""

AGENT, TOOLS, REVIEW, BEFORE, AFTER, RESPONSE = (
    "agent",
    "tools",
    "review",
    "pre_model_hook",
    "post_model_hook",
    "generate_structured_response",
)


@dataclass(frozen=True, slots=True)
class Blueprint:
    """What an agent consists of.

    Args:
        model: A ChatModel, or a function (state, runtime) that returns one.
        tools: Runs the tools; None without any.
        told: Tools that only the provider runs.
        prompt: As in create_react_agent, like the next four.
        reviews: What is reviewed; None for nothing.
        response: The prompt and the schema of the structured response; None for no such response.
        before: The hook before the model.
        after: The hook after it.
        name: Written on what the model says.
        each: Whether each tool call is a task of its own.
    """

    model: Any
    tools: ToolNode | None
    told: Sequence[Mapping[str, Any]]
    prompt: Prompt
    reviews: Reviews | None
    response: tuple[str | None, Any] | None
    before: Hook | None
    after: Hook | None
    name: str | None
    each: bool

    def builder(self, schema: type, context_schema: type | None) -> StateGraph[Any]:
        """Return the graph, ready to be compiled.

        Args:
            schema: The state, to which the keys that the agent needs are added.
            context_schema: As in StateGraph.
        """
        seen = extended(schema, self._keys())
        builder: StateGraph[Any] = StateGraph(seen, context_schema)
        asks = extended(seen, {"llm_input_messages": Key(Annotated[list[Any] | None, EphemeralValue], _nothing)})
        agent = ModelNode(self._bound(), self.prompt, self._turn(), self.name)
        builder.add_node(AGENT, agent, input_schema=asks if self.before is not None else seen)
        if self.before is not None:
            builder.add_node(BEFORE, self.before).add_edge(BEFORE, AGENT)
        if self.after is not None:
            builder.add_node(AFTER, self.after).add_edge(AGENT, AFTER)
        if self.response is not None:
            said, form = self.response
            builder.add_node(RESPONSE, AnswerNode(self.model, form, said)).add_edge(RESPONSE, END)
        builder.add_edge(START, self._begin())
        self._add_tools(builder)
        return builder

    def _add_tools(self, builder: StateGraph[Any]) -> None:
        """Add what comes after the model."""
        routes = Routes(self._begin(), self._end(), self.tools is not None, self.reviews, self._direct(), self.each)
        source = AGENT if self.after is None else AFTER
        if self.tools is None:
            builder.add_conditional_edges(source, routes.after_model, [routes.end])
            return
        review = [REVIEW] if self.reviews is not None else []
        # Only a hook can have answered every call already, so that the model is next.
        again = [routes.begin] if self.after is not None else []
        builder.add_conditional_edges(source, routes.after_model, [*review, TOOLS, *again, routes.end])
        if self.reviews is not None:
            builder.add_node(REVIEW, ReviewNode(self.reviews, self.tools)).add_edge(REVIEW, TOOLS)
            builder.add_node(TOOLS, SettleNode(self.reviews, self.tools))
        else:
            builder.add_node(TOOLS, self.tools)
        if routes.direct or self.reviews is not None:
            builder.add_conditional_edges(TOOLS, routes.after_tools, [routes.begin, END])
        else:
            builder.add_edge(TOOLS, routes.begin)

    def _begin(self) -> str:
        return AGENT if self.before is None else BEFORE

    def _end(self) -> str:
        return END if self.response is None else RESPONSE

    def _direct(self) -> frozenset[str]:
        known = self.tools.tools if self.tools is not None else ()
        return frozenset([tool.name for tool in known if tool.return_direct])

    def _turn(self) -> Turn:
        before, after = self.before is not None, self.after is not None
        return Turn(after + (self.reviews is not None) + 1, before + 1 + after + (self.response is not None), self._direct())

    def _keys(self) -> dict[str, Key]:
        keys = {"remaining_steps": Key(RemainingSteps, int)}
        if self.reviews is not None:
            keys["verdicts"] = Key(dict[str, Verdict], dict)
        if self.response is not None:
            form = self.response[1]
            keys["structured_response"] = Key(form | None if isinstance(form, type) else Any, _nothing)
        return keys

    def _bound(self) -> Any:  # noqa: ANN401 - a ChatModel or a function
        """Return the model with the tools bound, unless it has been given tools already or is a function.

        Raises:
            InvalidModelError: It has been given tools, but not all of these.
        """
        ours = self.tools.tools if self.tools is not None else ()
        told = [*ours, *self.told]
        if not told or not hasattr(self.model, "bind_tools"):
            return self.model
        if not self.model.tools:
            return self.model.bind_tools(told)
        known = [bound.get("name") if isinstance(bound, Mapping) else bound.name for bound in self.model.tools]
        if missing := [tool.name for tool in ours if tool.name not in known]:
            raise InvalidModelError(
                f"The model was bound to other tools: it does not know {', '.join(map(repr, missing))}.",
                hint="Bind all of the agent's tools, or none.",
            )
        return self.model


def sorted_tools(tools: Any) -> tuple[ToolNode | None, Sequence[Mapping[str, Any]]]:  # noqa: ANN401 - anything a caller passes
    """Return the tools that run here, and those that only the provider knows."""
    if not isinstance(tools, Sequence):
        return node_of(tools), ()
    own = [found for found in tools if isinstance(found, Mapping)]
    ours = [found for found in tools if not isinstance(found, Mapping)]
    return (node_of(ours) if ours else None), own


def resolved_model(model: Any) -> Any:  # noqa: ANN401 - anything a caller passes
    """Return a model, or a function that returns one; a name becomes a model.

    Raises:
        InvalidModelError: It is none of these.
    """
    if isinstance(model, str):
        from graphkit.models import init_model  # noqa: PLC0415 - only needed for names

        return init_model(model)
    if not hasattr(model, "invoke") and not callable(model):
        raise InvalidModelError(f"{model!r:.100} is no model.", hint='Pass a model, "provider:name" or a function (state, runtime).')
    return model


def _nothing() -> None:
    return None
