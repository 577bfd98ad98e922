"""StateGraph: nodes and edges as they are declared, until ``compile`` makes them runnable."""

from __future__ import annotations

import warnings
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import field
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Generic, TypeVar, cast, get_args, get_origin, is_typeddict

from graphkit.core.command import END, START, Command, plain_name
from graphkit.core.policy import RetryPolicy
from graphkit.core.record import record
from graphkit.errors import GraphWarning, InvalidGraphError
from graphkit.graph.schema import read_schema
from graphkit.graph.signature import Runnable, Signature, is_runnable, read_signature
from graphkit.storage import Checkpointer

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

    from typing_extensions import TypeForm

    from graphkit.graph.compiled import CompiledGraph
    from graphkit.graph.schema import Schema

StateT = TypeVar("StateT")


@record
class NodeDeclaration:
    """A node as declared.

    Args:
        name: Its name.
        action: A function, coroutine function, callable object, an object with invoke and ainvoke, or a compiled graph.
        signature: What the function, or invoke, wants; None for a compiled graph.
        input_schema: What it sees; None for the state schema.
        defer: Whether it waits until nothing else is left to run.
        metadata: The user's; shown in drawings, nowhere else.
        destinations: Where Command.goto may lead, with labels; None if not said.
        jumps: Whether it may return a Command, as far as annotations tell.
        retries: What to do when it fails.
    """

    name: str
    action: object
    signature: Signature | None
    input_schema: Schema | None
    defer: bool = False
    metadata: Mapping[str, object] = field(default_factory=dict)
    destinations: Mapping[str, str | None] | None = None
    jumps: bool = False
    retries: tuple[RetryPolicy, ...] = ()


@record
class RouterDeclaration:
    """A conditional edge as declared.

    Args:
        name: Unique among the routers of its node.
        function: Takes the state, returns where to go.
        signature: What the function wants.
        path_map: Result -> node; None if results are names.
        targets: Where it may lead, None if nobody said.
        input_schema: What it sees; None for the state schema.
    """

    name: str
    function: Callable[..., object]
    signature: Signature
    path_map: Mapping[Hashable, str] | None
    targets: tuple[str, ...] | None
    input_schema: Schema | None = None


class StateGraph(Generic[StateT]):
    """A graph of nodes over a typed state; declare it, then ``compile()``.

    Args:
        state_schema: A TypedDict, dataclass, pydantic model or bare type; ``Annotated[T, reducer]`` gives a key a reducer.
        context_schema: Class of the ``context=`` object, for code that wants it typed.
        input_schema: Which keys an input may have; the state schema by default.
        output_schema: Which keys a result has; the state schema by default.

    Raises:
        InvalidSchemaError: A schema cannot be read.
    """

    def __init__(
        self,
        state_schema: TypeForm[StateT],
        context_schema: type | None = None,
        *,
        input_schema: type | None = None,
        output_schema: type | None = None,
    ) -> None:
        self.state_schema = state_schema
        self.context_schema = context_schema
        self.state = read_schema(state_schema)
        self.input = read_schema(input_schema) if input_schema is not None else self.state
        self.output = read_schema(output_schema) if output_schema is not None else self.state
        self.nodes: dict[str, NodeDeclaration] = {}
        self.edges: list[tuple[str, str]] = []
        self.joins: list[tuple[tuple[str, ...], str]] = []
        self.routers: dict[str, list[RouterDeclaration]] = {}
        self._compiled = False

    def add_node(
        self,
        node: str | Callable[..., object] | Runnable | CompiledGraph,
        action: Callable[..., object] | Runnable | CompiledGraph | None = None,
        *,
        defer: bool = False,
        metadata: Mapping[str, object] | None = None,
        input_schema: type | None = None,
        retry_policy: RetryPolicy | Sequence[RetryPolicy] | None = None,
        destinations: Sequence[str] | Mapping[str, str] | None = None,
    ) -> Self:
        """Add a node: ``add_node(fn)``, ``add_node("name", fn)``, ``add_node("name", compiled_graph)``.

        Args:
            node: The name, or the action itself, which then gives its name.
            action: What runs: it takes the state and returns None, a dict of updates, an instance of the schema, a
                Command, or a list of those. Parameters named config, runtime, store or writer are filled in. An object
                with ``invoke`` and ``ainvoke`` runs in either way, as the graph does.
            defer: Run only when nothing else is left to run.
            metadata: Kept with the node for tools that draw or list it.
            input_schema: What the node sees; by default the annotation of its first parameter or the state schema.
            retry_policy: When to run it again after a failure; of several the first that is about the exception decides.
            destinations: Where its Command(goto=...) may lead; ``{"name": "label"}`` labels the drawing.

        Raises:
            InvalidGraphError: The name is taken, reserved or has ``|`` or ``:`` in it, or a parameter cannot be filled.
        """
        name, runs = self._named(node, action)
        self._warn_if_compiled("add_node")
        retries = _policies(retry_policy)
        if _is_graph(runs):
            schema = read_schema(input_schema) if input_schema is not None else None
            said = _destinations(destinations)
            self.nodes[name] = NodeDeclaration(name, runs, None, schema, defer, dict(metadata or {}), said, retries=retries)
            return self
        entry = runs.invoke if is_runnable(runs) else runs
        if not callable(entry):
            raise InvalidGraphError(f"The action of node {name!r} is {runs!r}, which cannot be called.", node=name)
        signature = read_signature(entry, f"node {name!r}")
        schema = read_schema(input_schema) if input_schema is not None else self._seen(signature)
        goto = _command_targets(signature.returns)
        said = _destinations(destinations)
        found = said if said is not None else dict.fromkeys(goto) if goto else None
        jumps = goto is not None or said is not None
        self.nodes[name] = NodeDeclaration(name, runs, signature, schema, defer, dict(metadata or {}), found, jumps, retries)
        return self

    def add_edge(self, start_key: str | Sequence[str], end_key: str) -> Self:
        """Let ``end_key`` run after ``start_key``; after a list, once all of its nodes have run.

        Raises:
            InvalidGraphError: The edge leaves END or enters START, or the list is empty.
        """
        self._warn_if_compiled("add_edge")
        sources = (plain_name(start_key),) if isinstance(start_key, str) else tuple([plain_name(key) for key in start_key])
        end_key = plain_name(end_key)
        if not sources:
            raise InvalidGraphError(f"The list of nodes that lead to {end_key!r} is empty.")
        if END in sources:
            raise InvalidGraphError("END cannot be the start of an edge.")
        if end_key == START:
            raise InvalidGraphError("START cannot be the end of an edge.")
        if len(set(sources)) == 1:
            self.edges.append((sources[0], end_key))
        elif START in sources or end_key == END:
            raise InvalidGraphError(f"A join waits for nodes and leads to a node, but here it is {list(sources)!r} -> {end_key!r}.")
        else:
            self.joins.append((tuple(sorted(set(sources))), end_key))
        return self

    def add_conditional_edges(
        self, source: str, path: Callable[..., object], path_map: Mapping[Hashable, str] | Sequence[str] | None = None
    ) -> Self:
        """Let ``path`` decide what runs after ``source``.

        Args:
            source: A node or START.
            path: Takes the state (with the source's own update applied) and returns a node name, END, a Send, or a
                list of those; with ``path_map`` anything that is one of its keys.
            path_map: Result -> node name, or the list of possible names. Without it the ``Literal`` return annotation
                tells drawings and checks where ``path`` may lead.

        Raises:
            InvalidGraphError: The same function is already a router of ``source``, or a parameter cannot be filled.
        """
        self._warn_if_compiled("add_conditional_edges")
        source = plain_name(source)
        if source == END:
            raise InvalidGraphError("END cannot have a router: nothing comes after it.")
        routers = self.routers.setdefault(source, [])
        if any(router.function is path for router in routers):
            raise InvalidGraphError(f"{_name_of(path)!r} is already a router of {source!r}.", node=source)
        signature = read_signature(path, f"router {_name_of(path)!r} of {source!r}")
        named = path_map.items() if isinstance(path_map, Mapping) else [(name, name) for name in path_map or ()]
        mapping = None if path_map is None else {key: plain_name(target) for key, target in named}
        targets = tuple(dict.fromkeys(mapping.values())) if mapping is not None else _literals(signature.returns)
        taken = {router.name for router in routers}
        base = _name_of(path)
        name = base if base not in taken else f"{base}#{len(routers) + 1}"
        routers.append(RouterDeclaration(name, path, signature, mapping, targets, self._seen(signature)))
        return self

    def add_sequence(self, nodes: Sequence[Callable[..., object] | tuple[str, Callable[..., object]]]) -> Self:
        """Add nodes and chain them in order; START and END are not connected.

        Raises:
            InvalidGraphError: The sequence is empty or a name is taken.
        """
        if not nodes:
            raise InvalidGraphError("add_sequence needs at least one node.")
        previous = None
        for entry in nodes:
            name = entry[0] if isinstance(entry, tuple) else _name_of(entry)
            self.add_node(*entry) if isinstance(entry, tuple) else self.add_node(entry)
            if previous is not None:
                self.add_edge(previous, name)
            previous = name
        return self

    def set_entry_point(self, key: str) -> Self:
        """Begin at ``key``: ``add_edge(START, key)``."""
        return self.add_edge(START, key)

    def set_conditional_entry_point(
        self, path: Callable[..., object], path_map: Mapping[Hashable, str] | Sequence[str] | None = None
    ) -> Self:
        """Let ``path`` decide where to begin: ``add_conditional_edges(START, path, path_map)``."""
        return self.add_conditional_edges(START, path, path_map)

    def set_finish_point(self, key: str) -> Self:
        """End after ``key``: ``add_edge(key, END)``."""
        return self.add_edge(key, END)

    def validate(self, interrupt: Sequence[str] | None = None) -> Self:
        """Check everything that can be known without running.

        Args:
            interrupt: Names of breakpoints to check as well.

        Raises:
            DefinitionError: No entry point, an unknown name, ...

        Warns:
            GraphWarning: Unreachable nodes, loops without a way out, goto beside a static edge.
        """
        from graphkit.graph.validate import validate  # noqa: PLC0415 - imports this module

        validate(cast("StateGraph[object]", self), interrupt or ())
        return self

    def compile(
        self,
        checkpointer: Checkpointer | bool | None = None,  # noqa: FBT001 - as in LangGraph
        *,
        store: object = None,
        interrupt_before: Sequence[str] | str | None = None,
        interrupt_after: Sequence[str] | str | None = None,
        debug: bool = False,
        name: str = "graph",
    ) -> CompiledGraph:
        """Validate the graph and make it runnable; later changes to the builder do not reach the result.

        Args:
            checkpointer: A saver to save and resume threads with. For a graph that will be a subgraph: None uses the
                parent's saver afresh with each call, True keeps the state between calls, False saves nothing.
            store: Handed to nodes as ``store``.
            interrupt_before: Nodes to stop before, ``"*"`` for all.
            interrupt_after: Nodes to stop after, ``"*"`` for all.
            debug: Find values that nodes change in place; costs a copy of the state for each node run.
            name: Shown in errors.

        Raises:
            DefinitionError: As in validate.
        """
        from graphkit.graph.assemble import assemble  # noqa: PLC0415 - imports this module
        from graphkit.graph.compiled import CompiledGraph, Options  # noqa: PLC0415 - imports this module

        if checkpointer is not None and not isinstance(checkpointer, bool | Checkpointer):
            raise InvalidGraphError(
                f"checkpointer={checkpointer!r} is no saver.", hint="Pass an object, such as InMemorySaver() or SqliteSaver(path)."
            )
        before, after = _breakpoints(interrupt_before, self.nodes), _breakpoints(interrupt_after, self.nodes)
        self.validate(sorted(before | after))
        self._compiled = True
        parts = assemble(cast("StateGraph[object]", self), name)
        return CompiledGraph(parts, Options(checkpointer, store, before, after, debug))

    def _seen(self, signature: Signature) -> Schema | None:
        """Return the schema of an annotated state parameter if it is another one than the state's."""
        cls = _schema_class(signature.state_type)
        return read_schema(cls) if cls is not None and cls is not self.state_schema else None

    def _named(self, node: object, action: object) -> tuple[str, object]:
        if isinstance(node, str) and action is None:
            raise InvalidGraphError(f"Node {node!r} has no action.", hint=f'add_node("{node}", function)')
        name = plain_name(node) if isinstance(node, str) else _name_of(node)
        if name in (START, END) or name.startswith("__") or not name or set(name) & set("|:"):
            raise InvalidGraphError(
                f"{name!r} cannot be the name of a node.", hint="A name has no '|' and ':' and does not begin with '__'.", node=name
            )
        if name in self.nodes:
            raise InvalidGraphError(f"There is already a node {name!r}.", node=name)
        return name, (action if isinstance(node, str) else node)

    def _warn_if_compiled(self, what: str) -> None:
        if self._compiled:
            warnings.warn(f"{what} after compile(): graphs that are already compiled do not change.", GraphWarning, stacklevel=3)


def _breakpoints(names: Sequence[str] | str | None, nodes: Mapping[str, object]) -> frozenset[str]:
    if names is None:
        return frozenset()
    if names == "*":
        return frozenset(nodes)
    return frozenset([names] if isinstance(names, str) else names)


def _policies(given: RetryPolicy | Sequence[RetryPolicy] | None) -> tuple[RetryPolicy, ...]:
    policies = () if given is None else tuple(given) if isinstance(given, list | tuple) else (given,)
    for policy in policies:
        if not isinstance(policy, RetryPolicy):
            raise InvalidGraphError(f"retry_policy={policy!r} is no RetryPolicy.", hint="Pass RetryPolicy(max_attempts=3) or several.")
    return policies


def _is_graph(action: object) -> bool:
    from graphkit.graph.compiled import CompiledGraph  # noqa: PLC0415 - imports this module

    return isinstance(action, CompiledGraph)


def _name_of(action: object) -> str:
    name = getattr(action, "__name__", None) or getattr(action, "name", None)
    if name is None and hasattr(action, "func"):
        return _name_of(action.func)
    return str(name) if name is not None else type(action).__name__


def _schema_class(annotation: object) -> type | None:
    """Return a parameter's annotation if it is a state class, None for ``dict`` and the like."""
    if not isinstance(annotation, type) or annotation.__module__ == "builtins":
        return None
    is_schema = is_typeddict(annotation) or hasattr(annotation, "__total__") or hasattr(annotation, "__dataclass_fields__")
    return annotation if is_schema or hasattr(annotation, "model_fields") else None


def _command_targets(returns: object) -> tuple[str, ...] | None:
    """Return the goto targets named in ``-> Command[Literal["a"]]``, () for a bare Command, None if there is no Command."""
    if returns is Command:
        return ()
    origin = get_origin(returns)
    if origin is Command:
        return _literals(returns) or ()
    found = [targets for part in get_args(returns) if (targets := _command_targets(part)) is not None]
    return tuple([target for targets in found for target in targets]) if found and origin is not None else None


def _literals(annotation: object) -> tuple[str, ...] | None:
    """Return the strings of every Literal in an annotation, None if there is none."""
    if annotation is None or annotation is str:
        return None
    if str(get_origin(annotation)) == "typing.Literal":
        return tuple([str(value.value if isinstance(value, Enum) else value) for value in get_args(annotation)])
    if get_origin(annotation) is Annotated:
        return _literals(get_args(annotation)[0])
    parts = [part for part in get_args(annotation) if not isinstance(part, str)]
    found = [_literals(part) for part in parts]
    known = [targets for targets in found if targets is not None]
    return tuple(dict.fromkeys([target for targets in known for target in targets])) if known and len(known) == len(parts) else None


def _destinations(destinations: Sequence[str] | Mapping[str, str] | None) -> dict[str, str | None] | None:
    if destinations is None:
        return None
    return dict(destinations) if isinstance(destinations, Mapping) else dict.fromkeys(destinations)
