"""StateGraph: nodes and edges as they are declared, until ``compile`` makes them runnable."""

from __future__ import annotations

import warnings
from collections.abc import Hashable, Mapping, Sequence
from types import SimpleNamespace
from typing import TYPE_CHECKING, Generic, TypeVar, cast, is_typeddict

from graphkit.core.command import END, START, plain_name
from graphkit.errors import GraphWarning, InvalidGraphError
from graphkit.graph.assemble import assemble
from graphkit.graph.declaration import Handler, NodeDeclaration, Policies, RouterDeclaration, declared, jumps_of, literals, read_handler
from graphkit.graph.schema import read_schema
from graphkit.graph.signature import Runnable, Signature, is_runnable, read_signature
from graphkit.storage import Checkpointer

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta
    from typing import Self

    from typing_extensions import TypeForm

    from graphkit.core.policy import CachePolicy, RetryPolicy, TimeoutPolicy
    from graphkit.graph.compiled import CompiledGraph
    from graphkit.graph.schema import Schema
    from graphkit.storage.cache import Cache

StateT = TypeVar("StateT")


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
        self.defaults = Policies()
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
        cache_policy: CachePolicy | None = None,
        timeout: TimeoutPolicy | float | timedelta | None = None,
        error_handler: Callable[..., object] | None = None,
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
            cache_policy: Keeps its results for runs to come, if the graph is compiled with ``cache=``.
            timeout: How long an attempt may take: a TimeoutPolicy, or seconds or a timedelta for the whole attempt.
            error_handler: Runs in its place, as a node of its own, when it has failed for good. Takes the state the node has
                seen and ``error: NodeError``, and what nodes take; returns what nodes return. The node's edges are not followed
                then; the handler says where to go with ``Command(goto=...)``.
            destinations: Where its Command(goto=...) may lead; ``{"name": "label"}`` labels the drawing.

        Raises:
            InvalidGraphError: The name is taken, reserved or has ``|`` or ``:`` in it, or a parameter cannot be filled.
            InvalidConfigError: The timeout is out of range.
        """
        name, runs = self._named(node, action)
        self._warn_if_compiled("add_node")
        own = Policies.read(retry_policy, timeout, cache_policy, self._handler(error_handler, f"node {name!r}"))
        signature, said = _signature_of(name, runs), _destinations(destinations)
        found, jumps = (said, False) if signature is None else jumps_of(signature, said)
        schema = read_schema(input_schema) if input_schema is not None else self._seen(signature)
        self.nodes[name] = NodeDeclaration(name, runs, signature, schema, defer, dict(metadata or {}), found, jumps, own)
        return self

    def set_node_defaults(
        self,
        *,
        retry_policy: RetryPolicy | Sequence[RetryPolicy] | None = None,
        cache_policy: CachePolicy | None = None,
        timeout: TimeoutPolicy | float | timedelta | None = None,
        error_handler: Callable[..., object] | None = None,
    ) -> Self:
        """Set policies for the nodes that have none of their own, whether they are added before or after this.

        Error handlers, too, are tried again and timed by these. Subgraphs have defaults of their own. What is left out here
        stays as it was.

        Args:
            retry_policy: As in add_node.
            cache_policy: As in add_node.
            timeout: As in add_node.
            error_handler: As in add_node.

        Raises:
            DefinitionError: As in add_node.
        """
        self._warn_if_compiled("set_node_defaults")
        given = Policies.read(retry_policy, timeout, cache_policy, self._handler(error_handler, "the nodes"))
        self.defaults = given.over(self.defaults)
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
        targets = tuple(dict.fromkeys(mapping.values())) if mapping is not None else literals(signature.returns)
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

        validate(cast("StateGraph[object]", self._with_handlers()), interrupt or ())
        return self

    def compile(
        self,
        checkpointer: Checkpointer | bool | None = None,  # noqa: FBT001 - as in LangGraph
        *,
        cache: Cache | None = None,
        store: object = None,
        interrupt_before: Sequence[str] | str | None = None,
        interrupt_after: Sequence[str] | str | None = None,
        debug: bool = False,
        step_timeout: float | timedelta | None = None,
        name: str = "graph",
    ) -> CompiledGraph:
        """Validate the graph and make it runnable; later changes to the builder do not reach the result.

        Args:
            checkpointer: A saver to save and resume threads with. For a graph that will be a subgraph: None uses the
                parent's saver afresh with each call, True keeps the state between calls, False saves nothing.
            cache: Where nodes with a cache_policy keep their results, such as InMemoryCache(); without it they keep none.
            store: Handed to nodes as ``store``.
            interrupt_before: Nodes to stop before, ``"*"`` for all.
            interrupt_after: Nodes to stop after, ``"*"`` for all.
            debug: Find values that nodes change in place; costs a copy of the state for each node run.
            step_timeout: Seconds that a superstep may take; nodes that run then are given up, as by a TimeoutPolicy.
            name: Shown in errors.

        Raises:
            DefinitionError: As in validate.
            InvalidConfigError: step_timeout is out of range.
        """
        from graphkit.graph.compiled import CompiledGraph, Options  # noqa: PLC0415 - imports this module

        if checkpointer is not None and not isinstance(checkpointer, bool | Checkpointer):
            raise InvalidGraphError(
                f"checkpointer={checkpointer!r} is no saver.", hint="Pass an object, such as InMemorySaver() or SqliteSaver(path)."
            )
        _require_cache(cache)
        before, after = _breakpoints(interrupt_before, self.nodes), _breakpoints(interrupt_after, self.nodes)
        self.validate(sorted(before | after))
        self._compiled = True
        limit = _limit(step_timeout)
        nodes = declared(self.nodes.values(), self.defaults)
        parts = assemble(cast("StateGraph[object]", self), nodes, name, step_timeout=limit, cache=cache)
        graph = CompiledGraph(parts, Options(checkpointer, store, before, after, debug))
        if cache is not None:
            graph.teach(cache.codec)
            for node in nodes:
                cache.codec.register_schema(node.input_schema.cls if node.input_schema is not None else None)
        return graph

    def _handler(self, function: Callable[..., object] | None, owner: str) -> Handler | None:
        return read_handler(function, owner, self._seen) if function is not None else None

    def _with_handlers(self) -> SimpleNamespace:
        """Return the graph as it is checked: what handles a failure can be reached from the start, and may lead anywhere a node may."""
        nodes = declared(self.nodes.values(), self.defaults)
        begins = START in self.routers or START in [source for source, _ in self.edges]
        edges = [(START, node.name) for node in nodes if node.handles and begins]
        return SimpleNamespace(
            nodes={node.name: node for node in nodes}, edges=[*self.edges, *edges], joins=self.joins, routers=self.routers
        )

    def _seen(self, signature: Signature | None) -> Schema | None:
        """Return the schema of an annotated state parameter if it is another one than the state's."""
        cls = _schema_class(signature.state_type) if signature is not None else None
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


def _limit(step_timeout: float | timedelta | None) -> float | None:
    if step_timeout is None:
        return None
    from graphkit.core.policy import seconds  # noqa: PLC0415 - most graphs have no policies

    return seconds(step_timeout, "compile(step_timeout=...)")


def _require_cache(cache: object) -> None:
    from graphkit.storage.cache import Cache  # noqa: PLC0415 - most graphs have none

    if cache is not None and not isinstance(cache, Cache):
        raise InvalidGraphError(f"cache={cache!r} is no cache.", hint="Pass InMemoryCache() or SqliteCache(path).")


def _breakpoints(names: Sequence[str] | str | None, nodes: Mapping[str, object]) -> frozenset[str]:
    if names is None:
        return frozenset()
    if names == "*":
        return frozenset(nodes)
    return frozenset([names] if isinstance(names, str) else names)


def _signature_of(name: str, action: object) -> Signature | None:
    """Return what a node's function, or invoke, wants; None for a compiled graph."""
    if _is_graph(action):
        return None
    entry = action.invoke if is_runnable(action) else action
    if not callable(entry):
        raise InvalidGraphError(f"The action of node {name!r} is {action!r}, which cannot be called.", node=name)
    return read_signature(entry, f"node {name!r}")


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


def _destinations(destinations: Sequence[str] | Mapping[str, str] | None) -> dict[str, str | None] | None:
    if destinations is None:
        return None
    return dict(destinations) if isinstance(destinations, Mapping) else dict.fromkeys(destinations)
