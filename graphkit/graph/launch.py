"""Everything that is settled before a run begins: input, thread, place in a parent graph, options. Raises early."""

from __future__ import annotations

from collections.abc import Mapping
from os import urandom
from typing import TYPE_CHECKING, cast

from graphkit.core.command import MISSING, ROOT, Command, Send, plain_name
from graphkit.core.engine import run
from graphkit.core.ids import LEVEL, child_namespace, within
from graphkit.core.record import record
from graphkit.core.request import Continue, NewTurn, Request, Steer
from graphkit.errors import (
    GraphInterrupt,
    InvalidConfigError,
    InvalidUpdateError,
    MissingCheckpointerError,
    MissingThreadIdError,
    MultipleSubgraphsError,
    ParentCommand,
    StateError,
    UnknownNodeError,
    nearest,
)
from graphkit.graph.config import DEFAULT_RECURSION_LIMIT, DURABILITIES
from graphkit.scope import RunScope, current
from graphkit.storage import Checkpointer

if TYPE_CHECKING:
    from collections.abc import Callable

    from graphkit.core.effects import Program
    from graphkit.core.events import Event
    from graphkit.core.request import Durability, Finished, Input
    from graphkit.core.task import Task, Write
    from graphkit.graph.compiled import CompiledGraph
    from graphkit.graph.config import Config, RunOptions
    from graphkit.graph.stream import Projection
    from graphkit.scope import Scope
    from graphkit.storage import Hold


@record
class Launch:
    """A run that is ready to be driven.

    Args:
        program: What to drive.
        run: Its scope.
        projection: How its events are shown; None if nobody reads them.
        parent: The scope of the node that calls this graph as its subgraph, None at the root.
        stateful: Whether the subgraph keeps its state between calls.
    """

    program: Program[Finished]
    run: RunScope
    projection: Projection | None
    parent: Scope | None
    stateful: bool = False

    def settle(self, finished: Finished) -> Finished:
        """Take the result; in a subgraph, let questions and commands rise to the parent.

        Raises:
            GraphInterrupt: The subgraph waits for an answer.
            ParentCommand: A node of the subgraph handed a command to the parent.
        """
        if self.parent is None:
            return finished
        if self.stateful:
            self.parent.keep_child(self.run.namespace, finished.checkpoint.id)
        if finished.escaped is not None:
            raise ParentCommand(finished.escaped)
        if finished.status == "interrupted":
            pause = GraphInterrupt(finished.interrupts)
            pause.questions = self.parent.questions = finished.questions
            raise pause
        return finished


@record
class Place:
    """Where a run stands among others: alone at the root, or inside a node of a parent graph.

    Args:
        hold: The grip on the thread, None without a checkpointer.
        thread_id: The thread, None without one.
        run_id: Unique per run of the root graph.
        config: The config it inherits.
        context: The context object it inherits.
        store: The store it inherits.
        durability: What it inherits.
        limit: The recursion limit it inherits.
        emit: Where the parent takes events of subgraphs; None if nobody wants them.
        messages: Whether messages of subgraphs are wanted.
        details: Whether tasks and checkpoints of subgraphs are wanted.
        parent: The scope of the calling node, None at the root.
        namespace: "" at the root.
        path: Task ids from the root down to the calling task.
        owner: Id of the calling task.
        base: The checkpoint a stateful subgraph is at, as far as the parent knows.
        fresh: Whether nothing can be stored in the namespace yet.
        stateful: Whether the subgraph keeps its state between calls.
    """

    hold: Hold | None
    thread_id: str | None
    run_id: str
    config: Mapping[str, object]
    context: object
    store: object
    durability: Durability | None = "sync"
    limit: int = DEFAULT_RECURSION_LIMIT
    emit: Callable[[Event], None] | None = None
    messages: bool = False
    details: bool = False
    parent: Scope | None = None
    namespace: str = ""
    path: tuple[str, ...] = ()
    owner: str = ""
    base: str | None = None
    fresh: bool = False
    stateful: bool = False


def launch(
    graph: CompiledGraph,
    given: Input,
    config: Config,
    options: RunOptions,
    projection: Projection | None = None,
    *,
    exported: Mapping[str, bool] | None = None,
) -> Launch:
    """Settle everything about a run.

    Raises:
        RequestError: The call asks for something that cannot be done; nothing has happened.
    """
    parent = current()
    place = _root(graph, given, config) if parent is None or _apart(graph, config, parent) else _inside(graph, parent)
    scope = _scope(graph, place, config, options, projection)
    request = Request(
        input=given,
        token=place.run_id,
        namespace=place.namespace,
        path=place.path,
        owner=place.owner,
        base=place.base,
        checkpoint_id=None if place.path else config.checkpoint_id,
        durability=scope.durability,
        fresh=place.fresh,
        recursion_limit=scope.recursion_limit,
        max_concurrency=config.max_concurrency,
        interrupt_before=graph.breakpoints(options.get("interrupt_before"), graph.options.interrupt_before),
        interrupt_after=graph.breakpoints(options.get("interrupt_after"), graph.options.interrupt_after),
        metadata=config.metadata,
        exported=exported or {},
        events=projection is not None or scope.emit is not None,
        details=scope.details,
    )
    return Launch(run(graph.parts.spec, request), scope, projection, place.parent, place.stateful)


def _scope(graph: CompiledGraph, place: Place, config: Config, options: RunOptions, projection: Projection | None) -> RunScope:
    context = options.get("context")
    return RunScope(
        graph=graph.parts.spec.name,
        namespace=place.namespace,
        path=place.path,
        config=_inherited(place.config, config.given, config.max_concurrency),
        context=_context(graph, context) if context is not None else place.context,
        store=graph.options.store if graph.options.store is not None else place.store,
        hold=place.hold,
        thread_id=place.thread_id,
        run_id=place.run_id,
        durability=_durability(options.get("durability"), place.hold, place.durability),
        recursion_limit=config.recursion_limit or place.limit,
        emit=place.emit if projection is None else None,
        subgraphs=place.emit is not None if projection is None else projection.subgraphs,
        debug=graph.options.debug,
        messages=place.messages if projection is None else "messages" in projection.modes,
        details=place.details if projection is None else projection.detailed,
    )


def _inherited(outer: Mapping[str, object], own: Mapping[str, object], max_concurrency: int | None) -> Mapping[str, object]:
    """Return the config of a run: its own keys over those of its parent, and the same within ``configurable``."""
    if max_concurrency is not None and own.get("max_concurrency") != max_concurrency:
        own = {**own, "max_concurrency": max_concurrency}
    if not own or not outer:
        return own or outer
    above, below = outer.get("configurable"), own.get("configurable")
    both = {**above, **below} if isinstance(above, Mapping) and isinstance(below, Mapping) else below or above
    return {**outer, **own, **({"configurable": both} if both else {})}


def _apart(graph: CompiledGraph, config: Config, parent: Scope) -> bool:
    """Tell whether a graph called inside a node has a saver and a thread of its own; otherwise it lives in its parent's."""
    return isinstance(graph.options.checkpointer, Checkpointer) and config.thread_id not in (None, parent.run.thread_id)


def _root(graph: CompiledGraph, given: Input, config: Config) -> Place:
    checkpointer = graph.options.checkpointer
    if checkpointer is True:
        raise InvalidConfigError("compile(checkpointer=True) is for subgraphs.", hint="Compile a graph that runs by itself with a saver.")
    if config.namespace:
        inner_graph(graph, config.namespace)
        raise InvalidConfigError(
            "A run begins at the root of its graph.", hint="Leave checkpoint_ns out; get_state and update_state take it."
        )
    saver = checkpointer if isinstance(checkpointer, Checkpointer) else None
    if saver is None and config.checkpoint_id is not None:
        raise MissingCheckpointerError(
            "A checkpoint_id was given, but the graph has no checkpointer.", hint="Compile with checkpointer=..."
        )
    if saver is None and isinstance(given, Steer) and given.resume is not MISSING:
        raise MissingCheckpointerError("Command(resume=...) needs a checkpointer.", hint="Compile with checkpointer=...")
    return Place(hold_of(saver, config), config.thread_id, urandom(8).hex(), config.given, None, None)


def _inside(graph: CompiledGraph, parent: Scope) -> Place:
    """Find the place of a subgraph called in a task: the first call, the second, ... each has a namespace of its own."""
    run, task = parent.run, parent.task
    hold = run.hold if graph.options.checkpointer is not False else None
    if hold is not None:
        graph.teach(hold.codec)
    stateful = graph.options.checkpointer is True and hold is not None
    task_id = task.id
    base = child_namespace(run.namespace, task.node, None if stateful else task_id, 0)
    namespace = child_namespace(run.namespace, task.node, None if stateful else task_id, parent.next_call(base, stateful=stateful))
    if stateful:
        _begin(run, namespace, task, task_id)
    return Place(
        hold=hold,
        thread_id=run.thread_id,
        run_id=run.run_id,
        config=run.config,
        context=run.context,
        store=run.store,
        durability=run.durability,
        limit=run.recursion_limit,
        emit=run.emit if run.subgraphs else None,
        messages=run.messages and run.subgraphs,
        details=run.details and run.subgraphs,
        parent=parent,
        namespace=namespace,
        path=(*run.path, task_id),
        owner=task_id,
        base=task.checkpoint.children.get(namespace) if stateful else None,
        fresh=not stateful and not task.resumed and parent.attempt == 1,
        stateful=stateful,
    )


def _begin(run: RunScope, namespace: str, task: Task, task_id: str) -> None:
    """Note that a task begins a stateful subgraph, which serves one task of a superstep."""
    checkpoint, holder = run.begun.setdefault(namespace, (task.checkpoint.id, task_id))
    run.begun[namespace] = (task.checkpoint.id, holder if checkpoint == task.checkpoint.id else task_id)
    taken = any([within(other, namespace) for other in task.taken])
    if taken or run.begun[namespace][1] != task_id:
        raise MultipleSubgraphsError(
            f"Two tasks of one superstep call the subgraph of node {task.node!r}, which keeps its state.",
            hint="Call it from one task at a time, or compile it without checkpointer=True.",
            node=task.node,
        )


def inner_graph(graph: CompiledGraph, namespace: str) -> CompiledGraph:
    """Return the subgraph a namespace leads to.

    Raises:
        UnknownNodeError: It leads through a node that is no subgraph.
    """
    for level in namespace.split(LEVEL) if namespace else ():
        name = level.partition(":")[0]
        if name.isdecimal():
            continue
        subgraphs = graph.parts.subgraphs
        if name not in subgraphs:
            raise UnknownNodeError(f"checkpoint_ns names {name!r}, which is no subgraph node.", hint=nearest(name, subgraphs), node=name)
        graph = subgraphs[name]
    return graph


def hold_of(saver: Checkpointer | None, config: Config) -> Hold | None:
    """Return the grip on the config's thread, None without a saver.

    Raises:
        MissingThreadIdError: There is a saver, but no thread id.
        InvalidIdError: The thread id has a form that savers refuse.
    """
    if saver is None:
        return None
    if config.thread_id is None:
        raise MissingThreadIdError(
            "The graph has a checkpointer, but the call names no thread.",
            hint='Pass thread_id="..." or config={"configurable": {"thread_id": "..."}}.',
        )
    return saver.hold(config.thread_id)


def read_input(graph: CompiledGraph, value: object) -> Input:
    """Read what a caller passes as input.

    Raises:
        StateError: It has unknown keys or values that do not fit.
        InvalidUpdateError: It is no input at all.
    """
    if value is None:
        return Continue()
    try:
        if not isinstance(value, Command):
            return NewTurn(dict(graph.parts.read_input(value, {}, None)))
        if value.graph is not None:
            raise InvalidUpdateError("Command(graph=...) cannot be an input.", hint="It is for nodes of subgraphs; leave graph out.")
        return Steer(_writes(graph, value.update), tuple(map(_plain, value.targets)), value.resume)
    except StateError as error:
        raise type(error)(f"Input: {error.message}", hint=error.hint, **error.facts) from error.__cause__


def _plain(target: str | Send) -> str | Send:
    return Send(plain_name(target.node), target.arg, timeout=target.timeout) if isinstance(target, Send) else plain_name(target)


def _writes(graph: CompiledGraph, update: object) -> tuple[Write, ...]:
    if update is None:
        return ()
    if isinstance(update, list | tuple) and ROOT not in graph.parts.fields:
        return tuple([write for key, value in update for write in graph.parts.read_update({key: value}, {}, None)])
    return graph.parts.read_update(update, {}, None)


def _durability(wanted: str | None, hold: Hold | None, default: Durability | None) -> Durability | None:
    if wanted is not None and wanted not in DURABILITIES:
        raise InvalidConfigError(f"durability={wanted!r} does not exist.", hint=f"Known: {', '.join(DURABILITIES)}.")
    if hold is None:
        if wanted is not None:
            raise MissingCheckpointerError(
                f"durability={wanted!r} needs a checkpointer.", hint="Compile with checkpointer=... or leave it out."
            )
        return None
    return cast("Durability", wanted) if wanted is not None else default or "sync"


def _context(graph: CompiledGraph, context: object) -> object:
    """Return the context, made into the context schema if it is a dict."""
    schema = graph.parts.context_schema
    if schema is None or not isinstance(context, dict) or hasattr(schema, "__total__"):
        return context
    try:
        return schema(**context)
    except (TypeError, ValueError) as error:
        raise InvalidConfigError(f"context does not make a {schema.__name__}: {error}") from error
