"""Everything that is settled before a run begins: input, thread, place in a parent graph, options. Raises early."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast
from uuid import uuid4

from graphkit.core.command import MISSING, ROOT, Command
from graphkit.core.engine import run
from graphkit.core.ids import child_namespace
from graphkit.core.request import Continue, NewTurn, Request, Steer
from graphkit.errors import GraphInterrupt, InvalidConfigError, InvalidUpdateError, MissingCheckpointerError, MissingThreadIdError, ParentCommand, StateError
from graphkit.graph.config import DEFAULT_RECURSION_LIMIT, DURABILITIES
from graphkit.scope import RunScope, current
from graphkit.storage import Checkpointer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from graphkit.core.command import Send
    from graphkit.core.effects import Program
    from graphkit.core.request import Durability, Finished, Input
    from graphkit.core.task import Write
    from graphkit.graph.compiled import CompiledGraph
    from graphkit.graph.config import Config, RunOptions
    from graphkit.graph.stream import Projection
    from graphkit.scope import Scope
    from graphkit.storage import Hold


@dataclass(frozen=True, slots=True)
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
            self.parent.children[self.run.namespace] = finished.checkpoint.id
        if finished.escaped is not None:
            raise ParentCommand(finished.escaped)
        if finished.questions:
            pause = GraphInterrupt(finished.interrupts)
            pause.questions = self.parent.questions = finished.questions
            raise pause
        return finished


def launch(graph: CompiledGraph, given: Input, config: Config, options: RunOptions, projection: Projection | None, exported: Mapping[str, bool]) -> Launch:
    """Settle everything about a run.

    Raises:
        RequestError: The call asks for something that cannot be done; nothing has happened.
    """
    parent = current()
    checkpointer = graph.options.checkpointer
    own = isinstance(checkpointer, Checkpointer)
    if parent is None or own:
        return _root(graph, given, config, options, projection)
    hold = parent.run.hold if checkpointer is not False else None
    stateful = checkpointer is True and hold is not None
    task = parent.task
    base = child_namespace(parent.run.namespace, task.node, None if stateful else task.id, 0)
    call = parent.calls.get(base, 0)
    parent.calls[base] = call + 1
    namespace = child_namespace(parent.run.namespace, task.node, None if stateful else task.id, call)
    durability = _durability(options.get("durability"), hold, parent.run.durability)
    watched = projection is None and parent.run.subgraphs and parent.run.emit is not None
    scope = RunScope(
        graph=graph.parts.spec.name,
        namespace=namespace,
        path=(*parent.run.path, task.id),
        config={**parent.run.config, **config.given},
        context=parent.run.context if options.get("context") is None else _context(graph, options.get("context")),
        store=graph.options.store if graph.options.store is not None else parent.run.store,
        hold=hold,
        thread_id=parent.run.thread_id,
        run_id=parent.run.run_id,
        durability=durability,
        recursion_limit=config.recursion_limit or parent.run.recursion_limit,
        emit=parent.run.emit if watched else None,
        subgraphs=parent.run.subgraphs if projection is None else projection.subgraphs,
        debug=graph.options.debug,
    )
    request = Request(
        input=given,
        token=parent.run.run_id,
        namespace=namespace,
        path=scope.path,
        owner=task.id,
        base=task.checkpoint.children.get(namespace) if stateful else None,
        durability=durability,
        fresh=not stateful and not task.resumed,
        recursion_limit=scope.recursion_limit,
        max_concurrency=config.max_concurrency,
        interrupt_before=graph.breakpoints(options.get("interrupt_before"), graph.options.interrupt_before),
        interrupt_after=graph.breakpoints(options.get("interrupt_after"), graph.options.interrupt_after),
        metadata=config.metadata,
        exported=exported,
        events=watched or projection is not None,
    )
    return Launch(run(graph.parts.spec, request), scope, projection, parent, stateful)


def _root(graph: CompiledGraph, given: Input, config: Config, options: RunOptions, projection: Projection | None) -> Launch:
    checkpointer = graph.options.checkpointer
    if checkpointer is True:
        raise InvalidConfigError("compile(checkpointer=True) is for subgraphs.", hint="Compile a graph that runs by itself with a saver.")
    saver = checkpointer if isinstance(checkpointer, Checkpointer) else None
    hold = hold_of(saver, config)
    if saver is None and config.checkpoint_id is not None:
        raise MissingCheckpointerError("A checkpoint_id was given, but the graph has no checkpointer.", hint="Compile with checkpointer=...")
    if saver is None and isinstance(given, Steer) and given.resume is not MISSING:
        raise MissingCheckpointerError("Command(resume=...) needs a checkpointer.", hint="Compile with checkpointer=...")
    durability = _durability(options.get("durability"), hold, "sync")
    run_id = uuid4().hex[:16]
    limit = config.recursion_limit or DEFAULT_RECURSION_LIMIT
    scope = RunScope(
        graph=graph.parts.spec.name,
        namespace="",
        path=(),
        config=config.given,
        context=_context(graph, options.get("context")),
        store=graph.options.store,
        hold=hold,
        thread_id=config.thread_id,
        run_id=run_id,
        durability=durability,
        recursion_limit=limit,
        subgraphs=projection is not None and projection.subgraphs,
        debug=graph.options.debug,
    )
    request = Request(
        input=given,
        token=run_id,
        checkpoint_id=config.checkpoint_id,
        durability=durability,
        recursion_limit=limit,
        max_concurrency=config.max_concurrency,
        interrupt_before=graph.breakpoints(options.get("interrupt_before"), graph.options.interrupt_before),
        interrupt_after=graph.breakpoints(options.get("interrupt_after"), graph.options.interrupt_after),
        metadata=config.metadata,
        events=projection is not None,
    )
    return Launch(run(graph.parts.spec, request), scope, projection, None)


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
            return NewTurn(dict(graph.parts.read_input(value, {})))
        if value.graph is not None:
            raise InvalidUpdateError("Command(graph=...) cannot be an input; it is for nodes of subgraphs.")
        return Steer(_writes(graph, value.update), tuple(cast("tuple[str | Send, ...]", value.targets)), value.resume)
    except StateError as error:
        raise type(error)(f"Input: {error.message}", hint=error.hint, **error.facts) from error.__cause__


def _writes(graph: CompiledGraph, update: object) -> tuple[Write, ...]:
    if update is None:
        return ()
    if isinstance(update, list | tuple) and ROOT not in graph.parts.fields:
        return tuple([write for key, value in update for write in graph.parts.read_update({key: value}, {})])
    return graph.parts.read_update(update, {})


def _durability(wanted: str | None, hold: Hold | None, default: Durability | None) -> Durability | None:
    if wanted is not None and wanted not in DURABILITIES:
        raise InvalidConfigError(f"durability={wanted!r} does not exist.", hint=f"Known: {', '.join(DURABILITIES)}.")
    if hold is None:
        if wanted is not None:
            raise MissingCheckpointerError(f"durability={wanted!r} needs a checkpointer.", hint="Compile with checkpointer=... or leave it out.")
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
